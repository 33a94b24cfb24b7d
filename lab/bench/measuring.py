"""One measurement: a function in a process of its own, because memory that another step touched never counts as unused again.

    python -m lab.bench.measuring lab.bench.ours:extract '{"folder": …}'

prints one JSON line. Seconds are those of the function's own `with clock()` blocks, so imports and opening files count only where they are meant to.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.bench import costs

ROOT = Path(__file__).parents[2]
LONGEST = 3 * 3600
TASKS_FILE = "CJ_BENCH_TASKS"
"""The environment variable that names the file for `task_waits`."""


class MeasurementFailed(RuntimeError):
    """A step ended with an error; the message holds the last of what it said."""


@dataclass
class Clock:
    """Wall seconds by phase, what of them was spent waiting for CJ to answer, and how much processor time we worked meanwhile; what it all cost beside."""

    seconds: dict[str, float] = field(default_factory=dict)
    waited: dict[str, float] = field(default_factory=dict)
    worked: dict[str, float] = field(default_factory=dict)
    spent: costs.Spent = field(default_factory=dict)
    _server: str = ""
    _server_before: costs.Spent = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str = "step") -> Iterator[None]:
        calls, before = len(WAITS), costs.ours()
        began = time.perf_counter()
        yield
        ended = time.perf_counter()
        spent = costs.difference(before, costs.ours()) | {"calls": float(sum(wait.asked for wait in WAITS[calls:]))}
        self.seconds[name] = self.seconds.get(name, 0) + ended - began
        waited, worked = union(WAITS[calls:])
        self.waited[name] = self.waited.get(name, 0) + waited
        self.worked[name] = self.worked.get(name, 0) + worked
        for what, cost in spent.items():
            self.spent[what] = self.spent.get(what, 0) + cost

    def watch_server(self, uri: str) -> None:
        """From here to `settle` the PostgreSQL at `uri` works for us. It begins as after the hours since the night before: with nothing left to write."""
        costs.write_out(uri)
        self._server, self._server_before = uri, costs.servers(uri)

    def settle(self) -> None:
        """What the server we watched has spent, between the phases too, and once it has written out what it had put off."""
        if self._server:
            costs.write_out(self._server)
            self.spent |= costs.difference(self._server_before, costs.servers(self._server))

    def own(self, name: str) -> float:
        """Wall seconds without the sandbox's, but for what we and our children worked while it did."""
        waited = self.waited[name]
        return self.seconds[name] - waited + min(self.worked[name], waited)

    def total(self) -> float:
        return sum(self.own(name) for name in self.seconds)


@dataclass(frozen=True)
class Wait:
    """One HTTP request of this process, from its first byte out to the answer's headers, or one wait for CJ's allowance to ask; and the processor time we had
    used by either."""

    began: float
    ended: float
    cpu_began: float
    cpu_ended: float
    asked: bool = True
    """Whether anything was asked, or only waited for."""


WAITS: list[Wait] = []
_lock = threading.Lock()


def watch_http() -> None:
    """Notes from here on when this process waits for an answer, or for CJ's allowance to ask: a night has its hour, in which CJ lets it ask anew, and a
    measurement has none. Reading an answer's body is work of ours and not noted.
    """
    import httpx

    from include.cj.limits import SlidingWindow

    ask, acquire = httpx.HTTPTransport.handle_request, SlidingWindow.acquire

    def asked(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        with _noted(asked=True):
            return ask(self, request)

    def acquired(self: SlidingWindow) -> float:
        with _noted(asked=False):
            return acquire(self)

    httpx.HTTPTransport.handle_request = asked  # type: ignore[method-assign]
    SlidingWindow.acquire = acquired  # type: ignore[method-assign]


@contextmanager
def _noted(*, asked: bool) -> Iterator[None]:
    began, cpu = time.perf_counter(), costs.ours()["cpu"]
    try:
        yield
    finally:
        with _lock:
            WAITS.append(Wait(began, time.perf_counter(), cpu, costs.ours()["cpu"], asked))


def union(waits: list[Wait]) -> tuple[float, float]:
    """Seconds in which at least one of them waited, and the processor time used meanwhile."""
    covered = worked = 0.0
    until, cpu_until = float("-inf"), 0.0
    for wait in sorted(waits, key=lambda wait: wait.began):
        if wait.ended > until:
            apart = wait.began > until
            covered += wait.ended - (wait.began if apart else until)
            worked += wait.cpu_ended - (wait.cpu_began if apart else cpu_until)
            until, cpu_until = wait.ended, wait.cpu_ended
    return covered, worked


def peak_megabytes() -> float:
    """The most memory this process ever held. Unlike getrusage it starts anew with exec."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found.group(1)) / 1024


def measured(function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Runs `module:function` with `arguments` in a new process; returns what it returned, with seconds and peak memory beside it."""
    command = [sys.executable, "-m", "lab.bench.measuring", function, json.dumps(arguments), repr(time.time())]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "GX_ANALYTICS_ENABLED": "false"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise MeasurementFailed(f"{function} ended with {done.returncode}. It said:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(lines[-1])
    return result


def main() -> None:
    module, _, name = sys.argv[1].partition(":")
    born = float(sys.argv[3])
    clock = Clock()
    with costs.ChildrensMemory() as children:
        found = getattr(importlib.import_module(module), name)(clock, **json.loads(sys.argv[2])) or {}
    clock.settle()
    figures = {
        "seconds": clock.total(),
        "wall": sum(clock.seconds.values()),
        "phases": {name: {"own": clock.own(name), "wall": clock.seconds[name]} for name in clock.seconds},
        "from_start": time.time() - born,
        "peak_mb": peak_megabytes() + children.peak_mb,
        "spent": clock.spent,
    }
    sys.stdout.write(json.dumps(figures | found) + "\n")


if __name__ == "__main__":
    # As the module the steps import, so that there is one list of waits.
    importlib.import_module("lab.bench.measuring").main()
