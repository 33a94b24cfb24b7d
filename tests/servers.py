"""A mail server, a webhook, a StatsD and an OpenTelemetry collector on loopback, each with what it was sent."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Mails:
    """`refuses` makes the server turn every mail away."""

    port: int = 0
    refuses: bool = False
    received: list[Message] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuses:
            return "451 not now"
        self.received.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"


@contextmanager
def mail_server() -> Iterator[Mails]:
    """Without encryption and login: it is on this machine."""
    mails = Mails()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        mails.port = probe.getsockname()[1]
    controller = Controller(mails, hostname="127.0.0.1", port=mails.port)
    controller.start()
    yield mails
    controller.stop()


@dataclass
class Posts:
    """`status` is what the server answers."""

    url: str = ""
    status: int = 200
    received: list[str] = field(default_factory=list)


@contextmanager
def webhook() -> Iterator[Posts]:
    """An incoming webhook, as Slack has them."""
    posts = Posts()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(posts.status)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    posts.url = f"http://127.0.0.1:{server.server_port}/services/T0/B0/x"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield posts
    server.shutdown()
    server.server_close()


@contextmanager
def statsd() -> Iterator[tuple[int, list[str]]]:
    """The port, and every line that came in."""
    lines: list[str] = []
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(0.2)
    over = threading.Event()

    def receive() -> None:
        while not over.is_set():
            try:
                lines.extend(receiver.recv(65_536).decode().splitlines())
            except TimeoutError:
                continue

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    yield receiver.getsockname()[1], lines
    over.set()
    thread.join()
    receiver.close()


@contextmanager
def otlp() -> Iterator[tuple[int, dict[str, float]]]:
    """The port of an OpenTelemetry collector over HTTP, and the newest value of every gauge that came in."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest, ExportMetricsServiceResponse

    gauges: dict[str, float] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                data = gzip.decompress(data)
            for resource in ExportMetricsServiceRequest.FromString(data).resource_metrics:
                for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                    for point in metric.gauge.data_points:
                        gauges[metric.name] = point.as_double or float(point.as_int)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportMetricsServiceResponse().SerializeToString())

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, gauges
    server.shutdown()
    server.server_close()
