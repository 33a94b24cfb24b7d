"""What work costs beside seconds is counted whole: what children did, what PostgreSQL did, and what of it is written."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from include.warehouse.base import WarehouseLocation, open_warehouse
from lab.bench import costs
from lab.bench.ground import postgres, scratch
from lab.bench.measuring import Clock

_BURN = "import time\nwhile time.process_time() < 0.6: pass"
_BURNT = 0.5
"""What the kernel surely says of it: it counts in hundredths, and rounds."""
_WRITE = "import os, sys\nfile = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)\nos.write(file, b'x' * 3_000_000)\nos.fsync(file)"


def test_what_a_child_that_ended_did_is_counted(tmp_path: Path) -> None:
    clock = Clock()
    with clock.phase():
        subprocess.run([sys.executable, "-c", f"{_BURN}\n{_WRITE}", str(tmp_path / "file")], check=True)
    assert clock.spent["cpu"] >= _BURNT
    assert clock.spent["written"] >= 3_000_000


def test_what_a_child_did_that_works_still_is_counted(tmp_path: Path) -> None:
    clock = Clock()
    with clock.phase():
        command = [sys.executable, "-c", f"{_BURN}\n{_WRITE}\nprint(1, flush=True)\nsys.stdin.read()", str(tmp_path / "file")]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
    assert child.poll() is None
    child.communicate()
    assert clock.spent["cpu"] >= _BURNT
    assert clock.spent["written"] >= 3_000_000


def test_the_memory_of_children_is_counted_at_its_peak() -> None:
    held = "import sys\nheld = bytearray(150_000_000)\nheld[::4096] = b'x' * len(held[::4096])\nprint(1, flush=True)\nsys.stdin.read()"
    others = costs.megabytes(costs.descendants(os.getpid()))  # a server that other tests use
    with (
        costs.ChildrensMemory() as children,
        subprocess.Popen([sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child,
    ):
        assert child.stdout is not None
        child.stdout.readline()
        deadline = time.monotonic() + 60
        while children.peak_mb <= others + 150_000_000 / 2**20 and time.monotonic() < deadline:
            time.sleep(0.05)
        child.communicate()
    assert 150_000_000 / 2**20 < children.peak_mb - others < 300


def test_a_grandchild_is_a_descendant() -> None:
    command = ["sh", "-c", "sleep 60 & echo $!; wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        grandchild = int(shell.stdout.readline())
        try:
            assert {shell.pid, grandchild} <= set(costs.descendants(os.getpid()))
        finally:
            os.kill(grandchild, 9)


def test_what_postgresql_did_between_two_moments_is_counted() -> None:
    with scratch() as folder, postgres(folder) as server:
        uri = server.get_uri()
        clock = Clock()
        clock.watch_server(uri)
        with open_warehouse(WarehouseLocation("postgres", uri=uri)) as session:
            session.execute("CREATE TABLE many AS SELECT n, md5(CAST(n AS text)) AS t FROM generate_series(1, 300000) AS s (n)")
        clock.settle()
        after = costs.servers(uri)
        quiet = costs.difference(after, costs.servers(uri))
    rows = 300_000 * 32
    assert clock.spent["postgres_cpu"] > 0
    assert min(clock.spent["wal"], clock.spent["postgres_written"]) > rows
    assert max(quiet["wal"], quiet["postgres_written"]) < rows / 10


def test_a_server_that_nobody_watched_is_not_told_of() -> None:
    clock = Clock()
    with clock.phase():
        sum(range(1000))
    clock.settle()
    assert clock.spent.keys() == {"cpu", "written", "calls"}


@pytest.mark.parametrize("process", [0, 2**31 - 1])
def test_a_process_that_is_gone_counts_nothing(process: int) -> None:
    assert (costs.processor_seconds([process]), costs.written([process]), list(costs.descendants(process))) == (0, 0, [])
