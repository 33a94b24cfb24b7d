"""Starts the receiver of one partner's postbacks.

CJ_RECEIVER_TOKEN=… python -m include.partners.receiver --mapping FILE --folder DIR --allow ADDRESS [--allow …] [--host 127.0.0.1] [--port 8770] [--proxy ADDRESS]

The token comes from the environment alone: a command line is for everybody on the machine to read. Put a proxy with a certificate in front of it, since
a token in a URL is only as secret as the way it takes.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
from ipaddress import ip_network
from pathlib import Path

import uvicorn

from include.domain.errors import RestatementsError, SettingError
from include.partners.mapping import read_mapping
from include.partners.receiver.app import PATH, Door, Network, create_app
from include.partners.receiver.journal import Journal

LISTENING = "Receiver listening on "
VARIABLE = "CJ_RECEIVER_TOKEN"
SHORTEST = 24
"""Characters of a token: shorter ones are guessed."""
AT_ONCE, BACKLOG = 64, 256
"""Requests that are worked on at a time; more are answered 503, and tried again by the platform."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m include.partners.receiver", description="Receive one partner's postbacks.")
    parser.add_argument("--mapping", type=Path, required=True, help="the partner's mapping file")
    parser.add_argument(
        "--folder", type=Path, required=True, help="where received-<day>.jsonl goes: the folder that files of the mapping names"
    )
    parser.add_argument("--allow", action="append", required=True, help="an address or network that may post; once for each")
    parser.add_argument("--proxy", action="append", default=[], help="an address or network of a proxy whose X-Forwarded-For counts")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8770)
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        door = Door(_token(), [_network(one, "--allow") for one in args.allow], [_network(one, "--proxy") for one in args.proxy])
        mapping, journal = read_mapping(args.mapping), Journal(args.folder)
        listener = _listener(args.host, args.port)
    except RestatementsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{LISTENING}http://{args.host}:{listener.getsockname()[1]}{PATH}\n")
    sys.stdout.flush()
    # Neither an access log, which would write the token down, nor headers of a proxy that was not named.
    config = uvicorn.Config(
        create_app(mapping, door, journal), log_config=None, log_level="warning", access_log=False, proxy_headers=False, server_header=False, limit_concurrency=AT_ONCE,
        timeout_keep_alive=5, timeout_graceful_shutdown=5, h11_max_incomplete_event_size=32_768,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listener])
    journal.close()
    return 0


def _token() -> str:
    token = os.environ.get(VARIABLE, "")
    if len(token) < SHORTEST:
        raise SettingError(
            f"{VARIABLE} is {'not set' if not token else 'too short'}. Set it to at least {SHORTEST} characters that nobody can guess."
        )
    return token


def _network(text: str, option: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise SettingError(f"{option} {text!r} is no address and no network, like 198.51.100.7 or 198.51.100.0/24.") from None


def _listener(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        raise SettingError(f"Nothing can listen on {host}:{port} ({error.strerror}). Give another --host or --port.") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
