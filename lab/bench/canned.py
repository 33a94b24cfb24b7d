"""Recorded report pages behind real HTTP, so that reading them is measured and making them is not.

    python -m lab.bench.canned FOLDER

answers the n-th POST to /ours or /peer with the n-th page of that side, starting over after the last, and prints its address.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from lab.bench.ground import NIGHT, Ground, sandbox_of
from lab.bench.measuring import ROOT

MOST_PAGES = 12


class _Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path
    turns: ClassVar[Counter[str]] = Counter()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        side = self.path.strip("/")
        pages = sorted(self.folder.glob(f"{side}-*.json"))
        page = pages[self.turns[side] % len(pages)].read_bytes()
        self.turns[side] += 1
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:
        return


def record(ground: Ground) -> int:
    """Asks the seeded sandbox for both sides' pages and keeps the bytes. Returns how many pages a side."""
    import httpx
    import orjson

    from include.cj.client import CJClient, _with_literals
    from include.cj.payload import query
    from include.demo.files import TOKEN
    from lab.bench import ours, peer

    folder = Path(ground.folder, "pages")
    folder.mkdir(exist_ok=True)
    since = NIGHT.replace(day=1)
    with sandbox_of(ground, "pages") as sandbox, httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=600) as http:
        with CJClient(ours.account(sandbox.url, TOKEN)):
            ask = {
                "ours": lambda at: _with_literals(
                    query("commissions"),
                    {
                        "advertiserIds": ["5500001"], "commissionIds": None, "sincePostingDate": peer.instant(since),
                        "beforePostingDate": peer.instant(NIGHT), "sinceCommissionId": at or None,
                    },
                ),
                "peer": lambda at: peer.commissions_query("5500001", since, NIGHT, at),
            }  # fmt: skip
        for side, text in ask.items():
            at = ""
            for number in range(MOST_PAGES):
                answer = orjson.loads(http.post(f"{sandbox.url}/query", json={"query": text(at)}).content)
                page = answer["data"]["advertiserCommissions"]
                at, last = page["maxCommissionId"], page["payloadComplete"] or number == MOST_PAGES - 1
                page["payloadComplete"] = last
                (folder / f"{side}-{number:03}.json").write_bytes(orjson.dumps(answer))
                if last:
                    break
    return number + 1


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The server's address."""
    command = [sys.executable, "-m", "lab.bench.canned", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def main() -> None:
    _Pages.folder = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
