"""The warehouses the tests run on, and how to make one of each, empty or with the package's tables: a further warehouse is one entry here.

Tables are made once a process and copied from there: made anew they cost a test more than most tests do.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest

from include.warehouse.base import WarehouseLocation, open_warehouse


def _duckdb(request: pytest.FixtureRequest) -> WarehouseLocation:
    folder: Path = request.getfixturevalue("tmp_path")
    return WarehouseLocation("duckdb", path=str(folder / "warehouse.duckdb"))


def _postgres(request: pytest.FixtureRequest) -> WarehouseLocation:
    return WarehouseLocation("postgres", uri=request.getfixturevalue("postgres_database"))


#: In the order of their names, as sentences list them.
EMPTY: dict[str, Callable[[pytest.FixtureRequest], WarehouseLocation]] = {"duckdb": _duckdb, "postgres": _postgres}


@cache
def _file_of_tables() -> bytes:
    """A DuckDB file with the tables and no row."""
    folder = Path(tempfile.mkdtemp(prefix="cj-tables-"))
    try:
        with open_warehouse(WarehouseLocation("duckdb", path=str(folder / "warehouse.duckdb"))) as session:
            session.create_tables()
        return (folder / "warehouse.duckdb").read_bytes()
    finally:
        shutil.rmtree(folder)


def duckdb_with_tables(path: Path) -> WarehouseLocation:
    """A DuckDB warehouse in a new file at `path`, with the package's tables and no row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_file_of_tables())
    return WarehouseLocation("duckdb", path=str(path))


def _duckdb_with_tables(request: pytest.FixtureRequest) -> WarehouseLocation:
    return duckdb_with_tables(request.getfixturevalue("tmp_path") / "warehouse.duckdb")


def _postgres_with_tables(request: pytest.FixtureRequest) -> WarehouseLocation:
    return WarehouseLocation("postgres", uri=request.getfixturevalue("postgres_with_tables"))


WITH_TABLES: dict[str, Callable[[pytest.FixtureRequest], WarehouseLocation]] = {
    "duckdb": _duckdb_with_tables,
    "postgres": _postgres_with_tables,
}


@pytest.fixture(params=WITH_TABLES)
def location(request: pytest.FixtureRequest) -> WarehouseLocation:
    """A warehouse with the package's tables and no row: a test that takes it runs on each kind."""
    return WITH_TABLES[request.param](request)


@pytest.fixture(params=EMPTY)
def empty_location(request: pytest.FixtureRequest) -> WarehouseLocation:
    """A warehouse with nothing in it, not even the tables, of each kind."""
    return EMPTY[request.param](request)


def create_table(name: str, schema: pa.Schema) -> str:
    """A table of the shop's own, as any warehouse reads it."""
    kinds = {
        "string": "text", "int64": "bigint", "timestamp[us, tz=UTC]": "timestamp with time zone", "decimal128(38, 10)": "decimal(38, 10)",
    }  # fmt: skip
    return f"CREATE TABLE {name} (" + ", ".join(f"{f.name} {kinds[str(f.type)]}" for f in schema) + ")"
