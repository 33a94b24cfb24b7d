"""Runs tests on a copy of the tree with one mistake in it, in a process of its own, forked from this one, which has imported what is slow to import.

A copy is used by one process at a time. A process that takes too long is ended with all it started: that counts as noticed, as a test that hangs is.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from include.airflow.environment import ROOT

SLOW_TO_IMPORT = (
    "pytest",
    "_pytest.assertion.rewrite",
    "pyarrow.parquet",
    "pyarrow.compute",
    "duckdb",
    "jinja2",
    "httpx",
    "orjson",
    "msgspec",
    "numpy",
    "rich",
)
"""Libraries alone: what is ours must come from the copy."""
OURS = ("include", "tests", "lab", "dags", "plugins")


@dataclass(frozen=True)
class Ended:
    """How the tests ended: `noticed` by a failure or by taking too long."""

    noticed: bool
    took: float
    how: str


def warm_up() -> None:
    """Import what every process needs, once."""
    for name in SLOW_TO_IMPORT:
        import_module(name)


def copy_of_the_tree(place: Path) -> Path:
    """Every kept file as it stands now, committed or not."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    return place


class _Noticing:
    """Keeps the name of the test that failed."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._file.write_text(report.nodeid, encoding="utf-8")


def noticed_by(log: Path) -> str | None:
    """The test that failed in the run that wrote this log."""
    file = _failed(log)
    return file.read_text(encoding="utf-8") if file.exists() else None


def _failed(log: Path) -> Path:
    return log.with_suffix(".failed")


def start(tree: Path, tests: Sequence[str], log: Path, *, compiled: bool = False) -> int:
    """Begin these tests in the copy; returns the process. `compiled` keeps what Python makes of the modules for the next: right only where no module
    of the copy changes, since one that is as long and as young as the one before would be taken for it.
    """
    _failed(log).unlink(missing_ok=True)
    pid = os.fork()
    if pid:
        return pid
    code = 2
    try:
        os.setsid()
        code = _run(tree, tests, log, compiled)
    finally:
        os._exit(code)


def _run(tree: Path, tests: Sequence[str], log: Path, compiled: bool) -> int:
    atexit._clear()  # what the process this one comes from registered is that one's to end
    with log.open("w") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    os.chdir(tree)
    for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
        del sys.modules[name]
    sys.path[:] = [str(tree), *(p for p in sys.path if p not in ("", str(ROOT)))]
    os.environ["PYTHONPATH"] = str(tree)
    sys.dont_write_bytecode = not compiled
    os.environ["PYTHONDONTWRITEBYTECODE"] = "" if compiled else "1"
    import pytest

    code = pytest.main(
        ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "--rootdir", str(tree), *tests], plugins=[_Noticing(_failed(log))]
    )
    atexit._run_exitfuncs()
    return int(code)


def wait(pid: int, began: float, longest: float) -> Ended | None:
    """None while it still runs."""
    done, status = os.waitpid(pid, os.WNOHANG)
    took = time.monotonic() - began
    if not done:
        if took < longest:
            return None
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return Ended(True, took, "took too long")
    code = os.waitstatus_to_exitcode(status)
    return Ended(code != 0, took, "passed" if code == 0 else "failed" if code == 1 else f"ended with {code}")
