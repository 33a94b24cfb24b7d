"""Airflow as on several machines, on one: API server, scheduler, DAG processor, triggerer, and Celery workers, each in a session of its own.

A session of its own is what makes a part killable alone, and what finds the processes a killed part left behind.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from include.commands.up import LOOPBACK, healthy, members, stop_session
from lab.bench.costs import in_use

WORKERS = ("worker-1", "worker-2")
CONCURRENCY = 2
PARTS: Mapping[str, list[str]] = {
    "api-server": ["api-server", "--host", LOOPBACK],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}


TASK_TITLE = "airflow worker -- "


class ClusterFailed(RuntimeError):
    """A part did not start; the message says where its log is."""


def worker_command(name: str) -> list[str]:
    """The arguments of one worker. Two workers on a machine need two names; their log servers would listen on every address."""
    return ["celery", "worker", "--celery-hostname", f"{name}@{LOOPBACK}", "--concurrency", str(CONCURRENCY), "--skip-serve-logs"]


class Cluster:
    """The running parts. `leaders` are the first processes by name; a killed part's session goes on while an orphan lives."""

    def __init__(self, folder: Path, environment: Mapping[str, str], port: int) -> None:
        self.folder, self.environment, self.port = folder, dict(environment), port
        self.leaders: dict[str, int] = {}
        self._parts: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Cluster:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        with self.log("migrate").open("ab") as log:
            subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=self.environment, check=True, stdout=log, stderr=log)
        self._start("api-server", [*PARTS["api-server"], "--port", str(self.port)])
        self._wait_for_api()
        for name in ("scheduler", "dag-processor", "triggerer"):
            self._start(name, PARTS[name])
        for name in WORKERS:
            self._start(name, worker_command(name))

    def kill(self, name: str) -> None:
        """SIGKILL for the part's first process, as by a machine short of memory. What it had started lives on."""
        self._parts[name].send_signal(signal.SIGKILL)
        self._parts[name].wait()

    def alive(self) -> list[str]:
        return [name for name, part in self._parts.items() if part.poll() is None]

    def stop(self) -> None:
        """Ends every process of every session. Workers first, so that their tasks can still report."""
        for name in reversed(list(self._parts)):
            stop_session(self.leaders[name])
            self._parts[name].wait()
        self._parts.clear()

    def log(self, name: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"{name}.log"

    def _start(self, name: str, arguments: list[str]) -> None:
        with self.log(name).open("ab") as log:
            part = subprocess.Popen(
                [sys.executable, "-m", "airflow", *arguments],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._parts[name], self.leaders[name] = part, part.pid

    def _wait_for_api(self, seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while not healthy(self.port):
            if self._parts["api-server"].poll() is not None or time.monotonic() > deadline:
                raise ClusterFailed(f"Airflow's API server did not start; {self.log('api-server')} says why.")
            time.sleep(0.5)


def task_processes(leader: int) -> dict[str, int]:
    """The tasks running in a worker's session: process id by task instance id. Airflow writes the id into the process's title."""
    found = {}
    for pid in members(leader):
        title = title_of(pid)
        if title.startswith(TASK_TITLE):
            found[title.removeprefix(TASK_TITLE).split()[0]] = pid
    return found


def title_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def exists(pid: int) -> bool:
    """Whether the process still runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def family(pid: int) -> list[int]:
    """A process and its direct children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [pid, *(int(child) for child in children.split())]


def memory(pids: Mapping[str, list[int]]) -> dict[str, int]:
    """Bytes in use by name; pages that processes share are divided between them (PSS)."""
    return {name: sum(map(in_use, each)) for name, each in pids.items()}


def most_resident(pid: int) -> int:
    """The most memory in bytes that the process has had so far, shared pages included: what a container's limit has to allow."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def interrupt_on_signals() -> None:
    """SIGTERM and SIGINT end what runs as Ctrl-C does, also where a script started us with `&`."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)
