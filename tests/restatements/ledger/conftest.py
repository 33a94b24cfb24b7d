"""An empty ledger for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.warehouse.base import WarehouseLocation
from tests.restatements.ledger.commission_detail import CommissionDetail
from tests.restatements.ledger.one_ledger import Ledger
from tests.warehouses import duckdb_with_tables


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(duckdb_with_tables(tmp_path / "warehouse.duckdb"), CommissionDetail())


@pytest.fixture
def either(location: WarehouseLocation) -> Ledger:
    """In each kind of warehouse: for what SQL decides."""
    return Ledger(location, CommissionDetail())
