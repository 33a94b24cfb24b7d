"""A real receiver in a process of its own, for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
import orjson

from tests.policy.sources import ROOT

TOKEN = "5f0c9a1e7b3d4c28a6e1f0b2"
MAPPING = """publisher_id: "7"
name: Partner
columns: {transaction_id: transaction_id, order_id: adv_unique1, occurred_at: datetime, sale_amount: sale_amount, payout: payout}
keep: [aff_sub]
"""
GOOD = {
    "token": TOKEN,
    "transaction_id": "t1",
    "adv_unique1": "o1",
    "datetime": "2026-03-09T12:00:00Z",
    "sale_amount": "80.00",
    "payout": "8.00",
}


@dataclass
class Receiver:
    """One that listens. `url` is the address it answers, `place` its folder, `log` what it said."""

    process: subprocess.Popen[str]
    url: str
    place: Path
    log: Path

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def send(self, **other: Any) -> httpx.Response:
        """One postback by GET: GOOD, but for what is said."""
        said = {name: value for name, value in (GOOD | other).items() if value is not None}
        return httpx.get(self.url, params=said, timeout=30)


def command(place: Path, mapping: Path, more: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "include.partners.receiver", "--mapping", str(mapping), "--folder", str(place), "--port", "0", *more]


@contextmanager
def receiving(place: Path, *more: str, allow: str = "127.0.0.1") -> Iterator[Receiver]:
    """Starts one on a free port, and ends it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    mapping = place.parent / "mapping.yaml"
    mapping.write_text(MAPPING, encoding="utf-8")
    log = place.parent / "receiver.log"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CJ_RECEIVER_TOKEN": TOKEN}
    with log.open("a", encoding="utf-8") as said:
        process = subprocess.Popen(
            command(place, mapping, ["--allow", allow, *more]), cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=said, text=True
        )
    try:
        stdout: IO[str] | None = process.stdout
        assert stdout is not None
        line = stdout.readline()
        assert line.startswith("Receiver listening on "), log.read_text(encoding="utf-8")
        yield Receiver(process, line.removeprefix("Receiver listening on ").strip(), place, log)
    finally:
        process.kill()
        process.wait(30)


def stored(place: Path) -> list[dict[str, Any]]:
    """Every whole line of the folder."""
    lines = [line for file in sorted(place.glob("received-*.jsonl")) for line in file.read_bytes().split(b"\n")[:-1]]
    return [orjson.loads(line) for line in lines]
