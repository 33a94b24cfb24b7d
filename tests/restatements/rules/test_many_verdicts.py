"""Many orders are judged in one statement: PostgreSQL has to find the rows of each by their keys, whatever its own housekeeping found in the small tables."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from include.restatements.rules.verdicts import verdicts_sql
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from tests.postgres_server import explained
from tests.restatements.rules.ground import SENT

ORDERS = 5_000


@pytest.mark.parametrize("attempts", [1, 2])
@pytest.mark.parametrize("known", ["ANALYZE cj.accounts_now", "VACUUM ANALYZE", "SELECT 1"])
def test_the_rows_of_many_orders_are_not_gone_through_for_each_of_them(postgres_with_tables: str, known: str, attempts: int) -> None:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_with_tables)) as session:
        _fill(session, attempts)
        session.execute(known)
        plan = _expected(session)
    assert "Hash Left Join" in plan
    assert re.findall(r"Nested Loop[^\n]*\n\s+Join Filter: [^\n]*order_id[^\n]*", plan) == []


def _fill(session: Session, attempts: int) -> None:
    numbers = f"generate_series(1, {ORDERS}) AS s (n)"
    session.execute(
        f"""
        INSERT INTO cj.accounts_now (advertiser_id, functional_currency, sale_amount_basis, judged_reading, read_whole_until)
        VALUES ('2', 'USD', 'net', 0, :sent);
        INSERT INTO cj.submissions (
            run_id, chunk_id, operation, mode, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, amount, payload_hash, attempt, outcome,
            submitted_at, known_reading, plan_number
        )
        SELECT CONCAT('run', a), 'c', 'restate', 'live', '2', '1', 401, CONCAT('o', n), :sent, 80, CONCAT('h', n), a, 'accepted', :sent, 0, n + a * {ORDERS}
        FROM {numbers}, generate_series(1, :attempts) AS t (a);
        INSERT INTO cj.commissions (
            commission_id, advertiser_id, action_tracker_id, order_id, action_type, action_status, publisher_id, posting_date, original, sale_amount,
            items_mark, ingested_at, reading
        )
        SELECT CAST(n AS text), '2', 401, CONCAT('o', n), 'sim_sale', 'new', '7', :sent, TRUE, 100, 0, :sent, 1 FROM {numbers};
        INSERT INTO cj.open_orders (enterprise_id, action_tracker_id, order_id, attempts) SELECT '1', 401, CONCAT('o', n), :attempts FROM {numbers}
        """,
        {"sent": SENT, "attempts": attempts},
    )
    session.analyze("cj.submissions", "cj.commissions", "cj.open_orders")


def _expected(session: Session) -> str:
    bound = {
        "now": SENT, "pairs_since": SENT - timedelta(hours=36), "processing_seconds": 3600, "deadline_seconds": 129_600, "currency_band": Decimal("0.03"),
        "reading": 1,
    }  # fmt: skip
    return explained(session, verdicts_sql(), bound)
