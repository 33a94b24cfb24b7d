"""A million plain orders must be what they claim, or every figure measured on them is wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from include.demo.files import ORDER_CHANGES, SEED_ORDERS
from lab import bulk
from lab.bulk import SHARES, load_bulk, write_bulk

NIGHT = datetime(2026, 11, 19, tzinfo=UTC)
ORDERS = 2_000


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bulk")
    write_bulk(directory, NIGHT, ORDERS)
    return directory


def total(items: str | None) -> Decimal:
    return sum((Decimal(i["unit_price"]) * i["quantity"] for i in json.loads(items or "[]")), Decimal(0))


def test_both_files_have_their_columns_and_types(directory: Path) -> None:
    assert pq.read_schema(directory / "order_changes.parquet") == ORDER_CHANGES
    assert pq.read_schema(directory / "orders.parquet") == SEED_ORDERS


def test_orders_fall_into_the_stated_shares_and_cj_holds_what_they_say(directory: Path) -> None:
    changes = {row["order_id"]: row for row in pq.read_table(directory / "order_changes.parquet").to_pylist()}
    held = {row["order_id"]: row for row in pq.read_table(directory / "orders.parquet").to_pylist()}
    assert len(changes) == ORDERS
    found = dict.fromkeys(SHARES, 0)
    for order_id, row in changes.items():
        assert total(row["items"]) == row["amount"]
        cj = held.get(order_id)
        if cj is None:
            kind = "missed" if row["cj_event"] else "nobody's"
        elif row["change_type"] == "cancelled":
            kind = "cancelled"
        else:
            assert row["change_type"] == "restated"
            kind = "unchanged" if row["amount"] == Decimal(cj["amount"]) else "restated"
        if cj is not None:
            assert total(cj["items"]) == Decimal(cj["amount"]) > row["amount"] * (kind != "unchanged")
        found[kind] += 1
    assert {kind: count / ORDERS for kind, count in found.items()} == SHARES


def test_every_order_is_touched_in_the_nights_interval_and_none_before_it_was_placed(directory: Path) -> None:
    for row in pq.read_table(directory / "order_changes.parquet").to_pylist():
        assert datetime(2026, 11, 18, tzinfo=UTC) <= row["updated_at"] < NIGHT
        assert row["event_time"] <= row["updated_at"]


def test_an_order_has_two_and_a_half_items_on_average(directory: Path) -> None:
    items = [len(json.loads(row)) for row in pq.read_table(directory / "orders.parquet")["items"].to_pylist()]
    assert set(items) == {1, 2, 3, 4}
    assert 2.4 < sum(items) / len(items) < 2.6


def test_the_size_of_a_batch_changes_no_row(tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH", 300)
    write_bulk(tmp_path, NIGHT, ORDERS)
    for name in ("order_changes.parquet", "orders.parquet"):
        assert pq.read_table(tmp_path / name).equals(pq.read_table(directory / name))


def test_the_warehouse_gets_the_same_rows_with_the_contracts_types(tmp_path: Path, directory: Path) -> None:
    load_bulk(tmp_path / "w.duckdb", directory)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        found = connection.execute(
            "SELECT count(*), typeof(any_value(amount)), typeof(any_value(updated_at)) FROM order_changes"
        ).fetchone()
    assert found == (ORDERS, "DECIMAL(38,10)", "TIMESTAMP WITH TIME ZONE")
