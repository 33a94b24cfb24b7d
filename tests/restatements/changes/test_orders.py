"""Orders from another database than the warehouse: the same rows as from the warehouse, whatever the database, and only what was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from include.demo.files import ORDER_CHANGES
from include.domain.errors import WarehouseShapeError
from include.domain.shapes import CHANGES, INSTANT, KEY
from include.restatements.changes.extraction import extract, order_changes_sql
from include.restatements.changes.orders import read_orders
from include.restatements.settings import Run
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from tests.orders_databases import MariaDBOrders, Orders, orders

__all__ = ["orders"]

NIGHT = datetime(2026, 3, 1, tzinfo=UTC)
RUN = Run("night", NIGHT, NIGHT + timedelta(days=1))
SINCE = NIGHT - timedelta(days=10)
ITEM = '[{"sku": "A", "quantity": 2, "unit_price": "1.10", "discount": 0.30}]'


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """The warehouse."""
    with open_warehouse(WarehouseLocation("duckdb", path=str(tmp_path / "warehouse.duckdb"))) as opened:
        opened.create_tables()
        yield opened


def table_of(*changes: Mapping[str, object]) -> pa.Table:
    usual: dict[str, object] = {
        "enterprise_id": "E1", "action_tracker_id": 1, "change_type": "restated", "event_time": NIGHT, "updated_at": NIGHT, "amount": Decimal("1.00"),
    }  # fmt: skip
    return pa.Table.from_pylist([{**usual, **change} for change in changes], ORDER_CHANGES)


def replan(session: Session, *keys: tuple[str, int, str]) -> None:
    rows = [{"enterprise_id": e, "action_tracker_id": t, "order_id": o, "updated_at": NIGHT, "waits": True} for e, t, o in keys]
    key = [("enterprise_id", pa.string()), ("action_tracker_id", pa.int64()), ("order_id", pa.string())]
    schema = pa.schema([*key, ("updated_at", INSTANT), ("waits", pa.bool_())])
    session.append("cj.replan_keys", pa.Table.from_pylist(rows, schema))


def rows_from(orders: Orders, session: Session, since: datetime | None = None, sql: str = "") -> list[dict[str, object]]:
    batches = list(read_orders(session, RUN, sql=sql or orders.sql, replan_since=since, orders=orders.source()))
    assert batches
    assert all(batch.schema == CHANGES for batch in batches)
    return pa.Table.from_batches(batches).to_pylist()


def in_any_order(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Rows without a key have no order among each other."""
    return sorted(rows, key=lambda row: repr([row[name] for name in (*KEY, "amount")]))


EVERYTHING = table_of(
    *({"order_id": i, "action_tracker_id": t} for i in ("b", "B", "a-1", "a1", "é", "z", "_", "10", "9") for t in (10, 9)),
    {"order_id": "new", "change_type": "new", "discount": Decimal("0.0000000001"), "amount": Decimal("1234567890123456789012345678.1234567891")},
    {"order_id": "twice", "change_type": "new", "updated_at": NIGHT - timedelta(days=300)},
    {"order_id": "twice", "amount": Decimal("-3.10"), "items": ITEM, "coupon": "10% off: ' \\ ?", "updated_at": NIGHT + timedelta(days=9, microseconds=7)},
    {"order_id": "twice", "updated_at": NIGHT + timedelta(hours=2), "custom_parameters": '{"a": "ü"}'},
    {"order_id": None, "amount": Decimal("3")},
    {"order_id": None, "amount": Decimal("4")},
    {"order_id": "no tracker", "action_tracker_id": None},
    {"order_id": "no time", "event_time": None, "amount": None, "sid": "", "ad_id": 17, "status": "Accepted"},
    {"order_id": "before", "updated_at": NIGHT - timedelta(microseconds=1)},
    {"order_id": "after", "updated_at": RUN.interval_end},
)  # fmt: skip


def test_the_same_rows_come_as_from_the_warehouse_in_the_same_order(orders: Orders, session: Session) -> None:
    orders.load(EVERYTHING)
    _into(session, EVERYTHING)
    here = pa.Table.from_batches(list(extract(session, RUN, sql=order_changes_sql()))).to_pylist()
    there = rows_from(orders, session)
    for row in here:
        row["event_time"] = row["event_time"] or orders.time_that_is_none
    assert in_any_order(there) == in_any_order(here)
    assert len(there) == 24
    keys = [(row["enterprise_id"], row["action_tracker_id"], row["order_id"]) for row in there]
    assert keys == [(row["enterprise_id"], row["action_tracker_id"], row["order_id"]) for row in here]


def test_a_night_without_changes_is_one_empty_batch(orders: Orders, session: Session) -> None:
    orders.load(EVERYTHING.slice(0, 0))
    assert rows_from(orders, session) == []


def test_what_is_to_be_planned_again_is_asked_for_by_key_and_comes_once(
    orders: Orders, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.load(
        table_of(
            {"order_id": "both", "amount": Decimal("1")},
            {"order_id": "old", "amount": Decimal("2"), "updated_at": NIGHT - timedelta(days=5)},
            {"order_id": "old", "amount": Decimal("3"), "updated_at": NIGHT + timedelta(days=400)},
            # The same to MariaDB, and another order.
            {"order_id": "OLD", "amount": Decimal("9"), "updated_at": NIGHT - timedelta(days=5)},
            {"order_id": "old", "action_tracker_id": 2, "amount": Decimal("9"), "updated_at": NIGHT - timedelta(days=5)},
            {"order_id": "élan", "amount": Decimal("6"), "updated_at": NIGHT - timedelta(days=5)},
            {"order_id": "elan", "amount": Decimal("7"), "updated_at": NIGHT - timedelta(days=5)},
            {"order_id": "quiet", "updated_at": NIGHT - timedelta(days=5)},
            {"order_id": "too old", "updated_at": NIGHT - timedelta(days=50)},
            {"order_id": "tonight", "amount": Decimal("4")},
        )
    )
    replan(session, *(("E1", 1, name) for name in ("old", "both", "too old", "unknown", "élan", "elan", "100% 'of' ?")))
    for at_once in (1, 2, 1_000):
        monkeypatch.setattr("include.restatements.changes.orders.IDS_AT_ONCE", at_once)
        found = rows_from(orders, session, SINCE)
        assert [(row["order_id"], row["amount"]) for row in found] == [
            ("both", Decimal("1")), ("elan", Decimal("7")), ("old", Decimal("3")), ("tonight", Decimal("4")), ("élan", Decimal("6")),
        ]  # fmt: skip


def test_ids_that_are_numbers_there_meet_the_keys_that_are_text_here(orders: Orders, session: Session) -> None:
    orders.load(
        table_of({"order_id": "1001", "updated_at": NIGHT - timedelta(days=5)}, {"order_id": "1002"}, {"order_id": "1003"}),
        types={"order_id": "bigint"},
    )
    replan(session, ("E1", 1, "1001"), ("E1", 1, "1002"), ("E1", 1, "01003"), ("E1", 1, "no number"), ("E1", 1, "9" * 30))
    assert [row["order_id"] for row in rows_from(orders, session, SINCE)] == ["1001", "1002", "1003"]


def test_a_broken_row_is_named_and_its_neighbours_are_whole(orders: Orders, session: Session) -> None:
    orders.load(table_of({"order_id": "1"}, {"order_id": "2"}, {"order_id": "3"}), types={"amount": "varchar(60)"})
    sql = _OWN.replace("amount,", "CASE order_id WHEN '2' THEN 'nineteen' ELSE amount END AS amount,", 1)
    assert [(row["order_id"], row["malformed"]) for row in rows_from(orders, session, sql=sql)] == [
        ("1", None), ("2", "amount: a text like 'aaaaaaaa' is no plain number"), ("3", None),
    ]  # fmt: skip


_OWN = """
SELECT enterprise_id, action_tracker_id, order_id, change_type, event_time, updated_at, amount, discount, currency, coupon, items
FROM order_changes WHERE updated_at >= :interval_start AND updated_at < :interval_end -- a comment
"""


@pytest.mark.parametrize(
    ("column", "kind", "sentence"),
    [
        ("amount", "double precision", "Column amount is a double, and a double has lost the cents already"),
        ("discount", "float", "Column discount is a double"),
        ("event_time", "date", "Column event_time is date; it must be timestamptz"),
        ("action_tracker_id", "varchar(20)", "Column action_tracker_id is text; it must be integer"),
    ],
)
def test_a_column_of_the_wrong_type_is_refused_before_a_row_is_read(
    orders: Orders, session: Session, column: str, kind: str, sentence: str
) -> None:
    orders.load(table_of({"order_id": "1"}).slice(0, 0), types={column: kind})
    with pytest.raises(
        WarehouseShapeError, match=rf"from connection 'orders'\. {sentence}.*The place to edit is include/sql/order_changes\.sql"
    ) as caught:
        rows_from(orders, session, sql=_OWN)
    assert not caught.value.transient


def test_a_time_without_a_zone_is_refused_with_what_to_write(orders: Orders, session: Session) -> None:
    orders.load(table_of({"order_id": "1"}), types={"updated_at": "datetime(6)" if isinstance(orders, MariaDBOrders) else "timestamp"})
    advice = r"CONCAT\(updated_at, '\+00:00'\)|CAST\(updated_at AS timestamp_tz\)|updated_at AT TIME ZONE 'UTC'"
    with pytest.raises(WarehouseShapeError, match=rf"Column updated_at is a .*(no|without a) time zone.*({advice})"):
        rows_from(orders, session, sql=_OWN)


def _into(session: Session, changes: pa.Table) -> None:
    from tests.warehouses import create_table

    session.execute(create_table("order_changes", changes.schema))
    session.append("order_changes", changes)
