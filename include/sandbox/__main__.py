"""`python -m include.sandbox --state sandbox.sqlite`: serves a CJ on this machine until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import uvicorn

from include.domain.account import LOOPBACK
from include.domain.money import NotMoney
from include.sandbox.accounts import SeedError
from include.sandbox.app import create_app
from include.sandbox.knobs import KnobError, Knobs
from include.sandbox.sandbox import Sandbox
from include.sandbox.wire import CuttableProtocol

LISTENING = "CJ sandbox listening on "


class Server(uvicorn.Server):
    """Says in one line that it listens, once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets
        host, port = sockets[0].getsockname()[:2]
        print(f"{LISTENING}http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)


def _switch(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither 'true' nor 'false'")
    return text.lower() == "true"


def arguments(argv: list[str]) -> tuple[argparse.Namespace, dict[str, Any]]:
    """The options, and the knobs among them that were given."""
    parser = argparse.ArgumentParser(
        "python -m include.sandbox", description="A CJ on this machine: both endpoints, its rules, its clock, its faults."
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback by default: the control API asks for no token")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="the SQLite file everything is kept in")
    parser.add_argument("--seed", type=Path, help="a folder with accounts.json and optionally orders.parquet")
    knobs = parser.add_argument_group("knobs (kept in the state; see docs/sandbox.md)")
    for field in fields(Knobs):
        kind = type(field.default)
        knobs.add_argument(f"--{field.name.replace('_', '-')}", type=_switch if kind is bool else kind, metavar=kind.__name__)
    parsed = parser.parse_args(argv)
    turned = {f.name: getattr(parsed, f.name) for f in fields(Knobs) if getattr(parsed, f.name) is not None}
    return parsed, turned


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, bound before the server starts, so that a port that is taken is said at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def main(argv: list[str]) -> int:
    options, turned = arguments(argv)
    if options.host not in LOOPBACK:
        print(
            f"Warning: the sandbox will be reachable from other machines on {options.host}, and its control API asks for no token.",
            file=sys.stderr,
        )
    try:
        listener = listen(options.host, options.port)
    except OSError as reason:
        print(f"The sandbox cannot listen on {options.host}:{options.port}: {reason.strerror}. Choose another --port.", file=sys.stderr)
        return 1
    try:
        sandbox = Sandbox(options.state, options.seed, turned)
    except (SeedError, KnobError, NotMoney, ValueError) as reason:
        print(f"The sandbox did not start: {reason}", file=sys.stderr)
        return 1
    config = uvicorn.Config(
        create_app(sandbox), http=CuttableProtocol, ws="none", log_level="warning", access_log=False, date_header=False, server_header=False,
        timeout_graceful_shutdown=2, timeout_keep_alive=60,
    )  # fmt: skip
    with contextlib.suppress(KeyboardInterrupt):
        Server(config).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
