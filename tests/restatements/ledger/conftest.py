"""An empty ledger for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.ledger.commission_detail import CommissionDetail
from tests.restatements.ledger.one_ledger import Ledger


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with its tables, to be copied: they take longer to make than to read."""
    place = tmp_path_factory.mktemp("empty") / "warehouse.duckdb"
    with open_warehouse(WarehouseLocation("duckdb", path=str(place))) as session:
        session.create_tables()
    return place


@pytest.fixture
def ledger(empty: Path, tmp_path: Path) -> Ledger:
    place = shutil.copy(empty, tmp_path / "warehouse.duckdb")
    return Ledger(WarehouseLocation("duckdb", path=str(place)), CommissionDetail())


@pytest.fixture
def either(location: WarehouseLocation) -> Ledger:
    """In each kind of warehouse: for what SQL decides."""
    return Ledger(location, CommissionDetail())
