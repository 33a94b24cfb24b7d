"""The warehouses the tests run on, and how to make an empty one of each: a further warehouse is one entry here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from include.warehouse.base import WarehouseLocation


def _duckdb(request: pytest.FixtureRequest) -> WarehouseLocation:
    folder: Path = request.getfixturevalue("tmp_path")
    return WarehouseLocation("duckdb", path=str(folder / "warehouse.duckdb"))


def _postgres(request: pytest.FixtureRequest) -> WarehouseLocation:
    return WarehouseLocation("postgres", uri=request.getfixturevalue("postgres_database"))


#: In the order of their names, as sentences list them.
EMPTY: dict[str, Callable[[pytest.FixtureRequest], WarehouseLocation]] = {"duckdb": _duckdb, "postgres": _postgres}


@pytest.fixture(params=EMPTY)
def location(request: pytest.FixtureRequest) -> WarehouseLocation:
    """An empty warehouse: a test that takes it runs on each kind."""
    return EMPTY[request.param](request)


def create_table(name: str, schema: pa.Schema) -> str:
    """A table of the shop's own, as any warehouse reads it."""
    kinds = {
        "string": "text", "int64": "bigint", "timestamp[us, tz=UTC]": "timestamp with time zone", "decimal128(38, 10)": "decimal(38, 10)",
    }  # fmt: skip
    return f"CREATE TABLE {name} (" + ", ".join(f"{f.name} {kinds[str(f.type)]}" for f in schema) + ")"
