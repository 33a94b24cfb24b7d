"""Every promise of a session is kept by both warehouses: tests that take `location` or `session` run on each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from tests.postgres_server import postgres_database, postgres_server, postgres_url

__all__ = ["location", "postgres_database", "postgres_server", "postgres_url", "session"]


@pytest.fixture(params=["duckdb", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> WarehouseLocation:
    if request.param == "duckdb":
        return WarehouseLocation("duckdb", path=str(tmp_path / "warehouse.duckdb"))
    return WarehouseLocation("postgres", uri=request.getfixturevalue("postgres_database"))


@pytest.fixture
def session(location: WarehouseLocation) -> Iterator[Session]:
    with open_warehouse(location) as opened:
        yield opened
