"""The tables for facts from bare rows: one warehouse for a module, emptied for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from tests.restatements.rules.ground import Ground


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    place = tmp_path_factory.mktemp("facts") / "warehouse.duckdb"
    with open_warehouse(WarehouseLocation("duckdb", path=str(place))) as session:
        session.create_tables()
        yield session


@pytest.fixture
def ground(tables: Session) -> Ground:
    return Ground(tables)
