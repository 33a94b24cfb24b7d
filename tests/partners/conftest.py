"""A partner's tables for facts from bare rows, on each kind of warehouse; and the month of two partners, played once on each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from include.demo.partner_month import Month, tell
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.partners.ground import PartnerGround
from tests.storage.conftest import bucket, bucket_url, conn_id, s3

__all__ = ["bucket", "bucket_url", "conn_id", "s3"]


@pytest.fixture(scope="session")
def month() -> Month:
    return tell()


@pytest.fixture(scope="module")
def duckdb_place(tmp_path_factory: pytest.TempPathFactory) -> WarehouseLocation:
    location = WarehouseLocation("duckdb", path=str(tmp_path_factory.mktemp("partners") / "warehouse.duckdb"))
    with open_warehouse(location) as session:
        session.create_tables()
    return location


@pytest.fixture
def ground(duckdb_place: WarehouseLocation, tmp_path: Path) -> Iterator[PartnerGround]:
    """Empty tables; DuckDB, where a test asks what SQL decides in many cases."""
    yield PartnerGround(duckdb_place, tmp_path)


@pytest.fixture
def either(location: WarehouseLocation, tmp_path: Path) -> PartnerGround:
    """Empty tables of each kind of warehouse."""
    return PartnerGround(location, tmp_path)
