"""A sandbox for the tests of a module, at the real time of day, and an advertiser set up right for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.sandbox.process import SandboxProcess, start_sandbox
from include.warehouse.base import WarehouseLocation
from tests.restatements.doctor.ground import Ground, week_of_orders


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with start_sandbox(tmp_path_factory.mktemp("cj") / "state.sqlite", rate_limit=False) as started:
        yield started


@pytest.fixture
def cj(sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    yield sandbox
    sandbox.control.set_clock(datetime.now(UTC))


@pytest.fixture
def ground(cj: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """On DuckDB, with a week of orders that CJ's tag has reported."""
    made = Ground(cj, tmp_path, WarehouseLocation("duckdb", path=str(tmp_path / "shop.duckdb")), monkeypatch)
    orders = week_of_orders()
    made.orders(orders)
    made.reported(orders)
    return made
