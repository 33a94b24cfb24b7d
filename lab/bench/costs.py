"""What work costs beside seconds: processor time, bytes written and the write-ahead log, of this process with its children and of its PostgreSQL.

How it works: two readings of counters, and their difference. Of a process the kernel also keeps what its ended children used, so a tree of processes
is the sum over those alive. Of the server everything is counted that it did between the readings, its own upkeep (checkpoints, autovacuum) too.
What it does not see: bytes that were never handed to a disk, since they were deleted before, or are in memory alone.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _USER = 1, 11
"""Places in /proc/<pid>/stat after the name; from the second on: user, system, and both of the children that ended."""
Spent = dict[str, float]


def ours() -> Spent:
    """This process and its children, those that ended and those that work still."""
    children = list(descendants(os.getpid()))
    ended = os.times()
    return {
        "cpu": time.process_time() + ended.children_user + ended.children_system + processor_seconds(children),
        "written": written([os.getpid(), *children]),
    }


def servers(uri: str) -> Spent:
    """The PostgreSQL server at `uri`, all of its processes; without its bytes where they are another user's to read."""
    with _cursor(uri) as cursor:
        cursor.execute("SELECT pg_backend_pid(), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")
        backend, wal = cursor.fetchone()
        postmaster = int(_stat(backend)[_PARENT])
        processes = [postmaster, *descendants(postmaster)]
        spent = {"postgres_cpu": processor_seconds(processes), "wal": float(wal)}
        with suppress(PermissionError):
            spent["postgres_written"] = written(processes)
    return spent


def write_out(uri: str) -> None:
    """The server writes to disk what it has in memory alone."""
    with _cursor(uri) as cursor:
        cursor.execute("CHECKPOINT")


@contextmanager
def _cursor(uri: str) -> Iterator[Any]:
    import psycopg2  # type: ignore[import-untyped]

    connection = psycopg2.connect(uri)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def difference(before: Spent, after: Spent) -> Spent:
    """What was spent between two readings."""
    return {name: after[name] - before[name] for name in after}


def processor_seconds(processes: Iterable[int]) -> float:
    """Of these processes and of their children that ended, in the kernel's hundredths."""
    ticks = 0
    for process in processes:
        with suppress(FileNotFoundError, ProcessLookupError):
            ticks += sum(int(part) for part in _stat(process)[_USER : _USER + 4])
    return ticks / _TICKS


def written(processes: Iterable[int]) -> float:
    """Bytes that these processes, and their children that ended, handed to a disk."""
    total = 0
    for process in processes:
        with suppress(FileNotFoundError, ProcessLookupError):
            told = Path(f"/proc/{process}/io").read_text(encoding="ascii")
            total += int(told.partition("\nwrite_bytes: ")[2].partition("\n")[0])
    return float(total)


def megabytes(processes: Iterable[int]) -> float:
    """What these processes hold in memory now; what several share is counted once."""
    return sum(map(in_use, processes)) / 2**20


def in_use(process: int) -> int:
    """Bytes in use by a process, none once it is gone; pages that processes share are divided between them (PSS)."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def descendants(process: int) -> Iterator[int]:
    """The children of a process, theirs, and so on, as far as they are alive."""
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            with suppress(OSError):
                for child in (task / "children").read_text(encoding="ascii").split():
                    yield int(child)
                    yield from descendants(int(child))


class ChildrensMemory:
    """The most that the children of this process held at once, looked at ten times a second for as long as the block lasts."""

    EVERY = 0.1

    def __init__(self) -> None:
        self.peak_mb = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> ChildrensMemory:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self.EVERY):
            self.peak_mb = max(self.peak_mb, megabytes(descendants(os.getpid())))


def _stat(process: int) -> list[str]:
    """What follows the name, which may hold anything."""
    return Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
