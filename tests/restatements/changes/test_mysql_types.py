"""What stands in MySQL for the types it has not: small integers for booleans, a text with its zone for a time; and what is never taken for a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.restatements.changes.orders import read_orders
from include.restatements.settings import Run
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from tests.orders_databases import MariaDBOrders

NIGHT = Run("night", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))
COLUMNS = """
order_id varchar(20), was_new tinyint(1), updated_at timestamp(6) NULL, placed datetime(6), amount decimal(10, 2), items json, note bit(1)
"""
SQL = """
SELECT 15 AS enterprise_id, 401 AS action_tracker_id, order_id, 'new' AS change_type, was_new, CONCAT(placed, '+00:00') AS event_time, updated_at, amount,
    NULL AS discount, 'USD' AS currency, NULL AS coupon, items
FROM shop WHERE updated_at >= :interval_start AND updated_at < :interval_end AND order_id NOT LIKE '100\\%%'
"""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_warehouse(WarehouseLocation("duckdb", path=str(tmp_path / "warehouse.duckdb"))) as opened:
        yield opened


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[MariaDBOrders]:
    monkeypatch.setenv("AIRFLOW_CONN_ORDERS", "{}")  # so that what it becomes is gone afterwards
    made = MariaDBOrders()
    made.server.admin(
        "SET SESSION sql_mode = ''",
        f"CREATE TABLE shop ({COLUMNS})",
        "INSERT INTO shop VALUES ('a', 1, '2026-03-01 10:00:00.5', '2026-02-28 23:59:59.000001', 1.10, '[]', 1)",
        "INSERT INTO shop VALUES ('b', 0, '2026-03-01 00:00:00', '0000-00-00 00:00:00', 1.20, NULL, 0)",
        "INSERT INTO shop VALUES ('c', 7, '2026-03-01 23:59:59.999999', NULL, 1.30, NULL, 0)",
        "INSERT INTO shop VALUES ('100% off', 1, '2026-03-01 10:00:00', NULL, 1, NULL, 0)",
        "INSERT INTO shop VALUES ('the day after', 1, '2026-03-02 00:00:00', NULL, 1, NULL, 0)",
        "INSERT INTO shop VALUES ('the day before', 1, '2026-02-28 23:59:59.999999', NULL, 1, NULL, 0)",
        database=made.name,
    )
    yield made
    made.server.admin(f"DROP DATABASE {made.name}")


def test_flags_and_times_come_as_they_were_meant_whatever_zone_the_server_shows(shop: MariaDBOrders, session: Session) -> None:
    found = [row for batch in read_orders(session, NIGHT, sql=SQL.replace("%%", "%"), orders=shop.source()) for row in batch.to_pylist()]
    assert [(row["order_id"], row["was_new"], row["updated_at"], row["event_time"], row["malformed"]) for row in found] == [
        ("a", True, datetime(2026, 3, 1, 10, 0, 0, 500_000, tzinfo=UTC), datetime(2026, 2, 28, 23, 59, 59, 1, tzinfo=UTC), None),
        ("b", False, datetime(2026, 3, 1, tzinfo=UTC), None, "event_time: a text like '9999-99-99 99:99:99.9999…' is no time with its zone, like 2026-03-01 18:30:00+00:00"),
        # What is neither true nor false holds its row back; without a word of it the kind of change would decide.
        ("c", True, datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC), None, "was_new: a text like '9' is neither true nor false"),
    ]  # fmt: skip
    assert {row["enterprise_id"] for row in found} == {"15"}
