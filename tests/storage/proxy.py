"""A proxy before the S3 server that fails the way networks and lesser stores do."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Fault = Callable[["Handler"], bool]
"""Called before a request is passed on; True if the request is dealt with."""


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = urlsplit(upstream).netloc
        self.faults: list[Fault] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy
    body: bytes = b""

    def handle_any(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if any(fault(self) for fault in list(self.server.faults)):
            return
        self.pass_on()

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

    @property
    def creates(self) -> bool:
        return self.command == "PUT" and self.headers.get("If-None-Match") == "*" and "/.probe-" not in self.path

    def pass_on(self, answer: bool = True) -> None:
        connection = http.client.HTTPConnection(self.server.upstream, timeout=30)
        connection.request(self.command, self.path, self.body, {k: v for k, v in self.headers.items() if k != "Expect"})
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        if answer:
            self.send_response_only(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in ("connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            self.wfile.write(data)

    def refuse(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>said the store</Message></Error>".encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def proxy_before(upstream: str) -> Iterator[Proxy]:
    proxy = Proxy(upstream)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()


def first_times(times: int, act: Callable[[Handler], None], when: Callable[[Handler], bool] = lambda h: h.creates) -> Fault:
    """A fault for the first `times` requests that fit."""
    left = [times]

    def fault(handler: Handler) -> bool:
        if not when(handler) or left[0] <= 0:
            return False
        left[0] -= 1
        act(handler)
        return True

    return fault


def lose_the_answer(handler: Handler) -> None:
    """The store does the work, and the connection is cut before it can say so."""
    handler.pass_on(answer=False)
    handler.close_connection = True
