"""One sandbox and one forking driver for all fault tests; a shop number nobody else has for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from include.sandbox.process import SandboxProcess, start_sandbox
from tests.faults.matrix import table
from tests.faults.night_shop import NightShop, night_shop
from tests.faults.stage import Driver, Stage

_numbers = count()
_told: dict[Any, str] = {}


@pytest.fixture(scope="session")
def faulty_cj(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with start_sandbox(tmp_path_factory.mktemp("faults") / "sandbox.sqlite", rate_limit=False) as started:
        yield started


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    started = Driver(tmp_path_factory.mktemp("driver") / "driver.log")
    yield started
    started.stop()


@pytest.fixture(scope="session")
def new_shop() -> Callable[..., NightShop]:
    return lambda **sizes: night_shop(next(_numbers), **sizes)


@pytest.fixture
def stage(faulty_cj: SandboxProcess, driver: Driver, new_shop: Callable[..., NightShop], tmp_path: Path) -> Iterator[Stage]:
    """A shop at two o'clock in the morning. Faults and knobs are put back at the end."""
    location = {"kind": "duckdb", "path": str(tmp_path / "warehouse.duckdb"), "wait_seconds": 5.0}
    yield Stage(faulty_cj, driver, new_shop(), tmp_path, location).raise_curtain()
    faulty_cj.control.clear_faults()
    faulty_cj.control.configure(partial_rejection="whole", index_in_fields=False)


@pytest.fixture(scope="session")
def told() -> dict[Any, str]:
    """What each cell of the matrix came to, for the table at the end of the session."""
    return _told


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _told:
        terminalreporter.section("the fault matrix")
        for line in table(_told):
            terminalreporter.write_line(line)
