"""A file that is none of DuckDB's is refused, whatever its name ends in: DuckDB itself would open some of them as a view in memory, and keep nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.domain.errors import SettingError
from include.warehouse.base import WarehouseLocation, open_warehouse
from include.warehouse.orders import SessionSource


def _parquet(path: Path) -> None:
    pq.write_table(pa.table({"order_id": ["1"]}), path)


def _sqlite(path: Path) -> None:
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE order_changes (order_id text)")


def _text(path: Path) -> None:
    path.write_text("order_id,amount\nö-1,20.00\n" * 1000, encoding="utf-8")


def _json(path: Path) -> None:
    path.write_text('{"order_id": "1"}\n', encoding="utf-8")


def _short(path: Path) -> None:
    path.write_text("hi", encoding="utf-8")


def _bytes(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 20)


OTHERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "orders.parquet": (_parquet, "it begins like Parquet"),
    "parquet.duckdb": (_parquet, "it begins like Parquet"),
    "orders.csv": (_text, "it is text"),
    "locked notes.txt": (_text, "it is text"),
    "orders.json": (_json, "it is text"),
    "short.duckdb": (_short, "it is text"),
    "orders.sqlite": (_sqlite, "it begins like SQLite"),
    "bytes.duckdb": (_bytes, "it begins like nothing known here"),
    "empty.csv": (Path.touch, "it is empty"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_of_another_kind_is_refused_and_says_which(tmp_path: Path, name: str) -> None:
    make, kind = OTHERS[name]
    path = tmp_path / name
    make(path)
    before = path.read_bytes()
    said = re.escape(f"The warehouse file {path} is not a DuckDB file ({kind}): nothing written would be kept. Name a .duckdb file.")
    with pytest.raises(SettingError, match=said), open_warehouse(WarehouseLocation("duckdb", path=str(path))):
        raise AssertionError("never reached")
    assert path.read_bytes() == before


def test_orders_in_such_a_file_name_their_own_connection(tmp_path: Path) -> None:
    _parquet(tmp_path / "orders.parquet")
    source = SessionSource(WarehouseLocation("duckdb", path=str(tmp_path / "orders.parquet")), "orders")
    with (
        pytest.raises(SettingError, match=r"Connection 'orders': the database file .* is not a DuckDB file \(it begins like Parquet\)"),
        source.open(),
    ):
        raise AssertionError("never reached")


def test_a_file_of_duckdbs_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    location = WarehouseLocation("duckdb", path=str(tmp_path / "orders.csv"))
    with open_warehouse(location) as session:
        session.execute("CREATE TABLE kept (id bigint)")
    with open_warehouse(location) as session:
        assert session.rows("SELECT count(*) AS n FROM kept") == [{"n": 0}]
