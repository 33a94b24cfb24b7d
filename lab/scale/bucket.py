"""A bucket on loopback with a real S3 API, for rehearsals and tests: moto's server, in memory, in its own process.

    python -m lab.scale.bucket --port 0

Unlike a real S3, moto looks for the object and writes it in two steps, so two creations at the same moment could both succeed. So here one request
is worked on at a time, and one whose body did not arrive whole is refused.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from include.airflow.environment import ROOT

LISTENING = "S3 listening on "
KEYS = {"login": "rehearsal", "password": "rehearsal-secret"}


def connection(url: str) -> str:
    """The Airflow connection to the bucket's server, as the JSON of `AIRFLOW_CONN_X`."""
    return json.dumps({"conn_type": "aws", **KEYS, "extra": {"endpoint_url": url, "region_name": "us-east-1"}})


class BucketServer:
    """The server as a process of its own. Ends with the `with` block."""

    def __init__(self, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "lab.scale.bucket", "--port", "0"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        with log.open("w", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith(LISTENING):
            self.stop()
            raise RuntimeError(f"The S3 server did not start. It said: {log.read_text(encoding='utf-8').strip()}")
        self.url = line.removeprefix(LISTENING).strip()

    def __enter__(self) -> BucketServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def make_bucket(self, name: str) -> None:
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/{name}", method="PUT"), timeout=10).close()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()


Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def one_at_a_time(app: Wsgi) -> Wsgi:
    """Reads the whole body, then waits for its turn."""
    turn = threading.Lock()

    def turned(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        wanted = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(wanted) if wanted else b""
        if len(body) < wanted:
            start_response("400 Bad Request", [("Content-Length", "0"), ("Connection", "close")])
            return []
        environ["wsgi.input"] = io.BytesIO(body)
        with turn:
            return [b"".join(app(environ, start_response))]

    return turned


def serve(port: int) -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    app = one_at_a_time(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=MotoRequestHandler)
    url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _wait_until_ready(url)
    sys.stdout.write(f"{LISTENING}{url}\n")
    sys.stdout.flush()
    # The end of standard input is the end of whoever started us, however that came.
    sys.stdin.read()


def _wait_until_ready(url: str, seconds: float = 60) -> None:
    """The first request loads moto's S3, which takes a second."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=seconds).close()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m lab.scale.bucket", description="A bucket on loopback, in memory.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    serve(parser.parse_args().port)
