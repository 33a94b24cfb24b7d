"""On PostgreSQL whatever of a partner grows with history is found by an index: by its reconciliation, its pages and an order's story."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from include.partners import rules, views
from include.sql import filled
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

NOW = datetime(2026, 4, 14, tzinfo=UTC)
SINCE = NOW - timedelta(days=10)
GROW = ("commissions", "partner_log", "partner_reconciliation")
ROWS = 120_000
"""Over 1,200 days, of six publishers: what one of them has within SINCE is a seven-hundredth of it."""

HISTORY = f"""
INSERT INTO cj.commissions (commission_id, advertiser_id, action_tracker_id, order_id, action_type, action_status, publisher_id, event_date, posting_date,
    locking_date, original, sale_amount, sale_amount_usd, pub_commission_amount_usd, items_mark, ingested_at, reading)
SELECT 'c' || n, '5500001', 401, 'o' || n, 'sim_sale', 'locked', CAST(n % 6 AS text), at, at, at + INTERVAL '40 days', TRUE, 80, 80, 8, 0, at, 1
FROM (SELECT n, TIMESTAMPTZ '2026-04-13 00:00:00+00' - n * INTERVAL '14 minutes 24 seconds' AS at FROM generate_series(0, {ROWS - 1}) AS n) AS rows;
INSERT INTO cj.partner_log (publisher_id, row_key, version, content_hash, transaction_id, order_id, commission_id, occurred_at, month, sale_amount, payout, source,
    position, load_number, loaded_at)
SELECT CAST(n % 6 AS text), 'k' || n, 1, 'h', 't' || n, CASE WHEN n % 9 > 0 THEN 'o' || n END, CASE WHEN n % 9 = 0 THEN 'c' || n END, at, NULL, 80, 8, 's', n, 1, at
FROM (SELECT n, TIMESTAMPTZ '2026-04-13 00:00:00+00' - n * INTERVAL '14 minutes 24 seconds' AS at FROM generate_series(0, {ROWS - 1}) AS n) AS rows;
INSERT INTO cj.partner_reconciliation (publisher_id, partner, grain, unit, advertiser_id, action_tracker_id, order_id, transaction_id, happened_at, joined_by, verdict,
    rule, partner_rows, cj_records, currency, cj_sale_amount, before_sale_amount, cj_payout, before_payout, difference, corrected_at, money_state, run_id, checked_at)
SELECT CAST(n % 6 AS text), 'P', 'order', 'order:o' || n, '5500001', 401, 'o' || n, 't' || n, at, 'order_id',
    CASE WHEN n % 97 = 0 THEN 'restated_since' WHEN n % 89 = 0 THEN 'only_at_cj' ELSE 'agree' END, 'same', 1, 1, 'USD', 80, 80, 8, 8, n % 13, at, 'locked', 'r', at
FROM (SELECT n, TIMESTAMPTZ '2026-04-13 00:00:00+00' - n * INTERVAL '14 minutes 24 seconds' AS at FROM generate_series(0, {ROWS - 1}) AS n) AS rows;
INSERT INTO cj.partner_rows SELECT 'order:o' || n, 'o' || n, NULL, 't' || n, TIMESTAMPTZ '2026-04-13 00:00:00+00', NULL, 1, 80, 8, 'USD', 1, n
FROM generate_series(0, 100) AS n;
INSERT INTO cj.partner_incoming (row_key, content_hash, position) SELECT 'k' || n, 'h', n FROM generate_series(0, 100) AS n;
ANALYZE
"""

VALUES: Mapping[str, Any] = {
    "publisher_id": "1", "partner": "P", "currency": "USD", "run_id": "r", "now": NOW, "since": SINCE, "locks_since": SINCE, "records_since": SINCE,
    "reconciled_by": "order", "payable_source": "s", "credit_source": "s", "log_begins": SINCE, "log_has_ids": True, "partner_known_until": NOW,
    "cj_known_until": NOW, "months_since": SINCE, "months_until": NOW, "month_of": "event", "source": "s", "load_number": 2, "rows": 51, "value": "o7",
    "unit": "order:o7", "order_id": "o7", "action_tracker_id": 401, "advertiser_id": "5500001", "after_turn": 2, "after_largest": Decimal("-5.00"),
    "after_happened": SINCE, "after_unit": "order:o7", "after_advertiser": "", "after_tracker": -1, "after_corrected": SINCE, "after_order": "o7",
}  # fmt: skip

FEW = 5_500
"""Of those rows: what locks of all six within SINCE, where the planner takes the index of lock dates. What a partner ever had is 20,000 of them."""

PAGE = frozenset({"rows"})
WALK = frozenset({"rows", "after"})
STATEMENTS: Mapping[str, Callable[[], str]] = {
    "the verdicts on orders": rules.order_verdicts_sql,
    "the rows of a round": lambda: filled("partner_rows"),
    "the verdicts on months": rules.month_verdicts_sql,
    "the months in which records lock": lambda: filled("partner_months_locking"),
    "the statements": lambda: filled("partner_statements"),
    "a load": lambda: filled("partner_load"),
    "the verdicts that a round replaces": lambda: (
        "DELETE FROM cj.partner_reconciliation WHERE publisher_id = :publisher_id AND happened_at >= :since"
    ),
    "the first differences": lambda: views.differences_sql(PAGE),
    "the next differences": lambda: views.differences_sql(WALK),
    "what the differences come to": lambda: filled("partner_differences_totals", at_rest=sorted(views.AT_REST), asked=frozenset()),
    "the first to send": lambda: views.to_send_sql(PAGE),
    "the next to send": lambda: views.to_send_sql(WALK),
    "what is to send comes to": lambda: filled("partner_to_send_totals"),
    "the orders of the last days": lambda: filled("page_partner_compared"),
    "one unit": lambda: filled("page_partner_unit"),
    "an order's partners": lambda: filled("page_partner_of_order"),
    "an order's records": lambda: filled("page_partner_records"),
    **{
        f"the rows behind one {column}": partial(filled, "partner_rows_of", column=column, asked=PAGE)
        for column in ("order_id", "transaction_id", "commission_id", "month", "row_key")
    },
}


@pytest.fixture
def history(postgres_database: str) -> Iterator[Session]:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as session:
        session.create_tables()
        session.execute(HISTORY)
        yield session


def written(value: Any) -> str:
    """A value within the text: EXPLAIN takes no parameters."""
    match value:
        case datetime():
            return f"CAST('{value.isoformat()}' AS timestamp with time zone)"
        case str():
            return f"'{value}'"
    return str(value)


class _Undone(Exception):
    """Raised so that what a statement wrote is taken back."""


def rows_read(session: Session, statement: str) -> int:
    """How many rows of the tables that grow it looked at, those it had no use for included."""
    text = re.sub(r"--.*", "", statement)
    text = re.sub(r"(?<!:):([a-z_]+)", lambda name: written(VALUES[name[1]]), text)
    found: Any = None
    with suppress(_Undone), session.transaction():
        (row,) = session.rows(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {text}")
        told: Any = next(iter(row.values()))
        found = json.loads(told) if isinstance(told, str) else told
        raise _Undone
    return _read_by(found[0]["Plan"])


def _read_by(node: Mapping[str, Any]) -> int:
    mine = 0
    if node.get("Relation Name") in GROW and node["Node Type"] != "ModifyTable":
        mine = (
            sum(node.get(name, 0) for name in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"))
            * node["Actual Loops"]
        )
    return int(mine) + sum(_read_by(inner) for inner in node.get("Plans", ()))


def test_of_what_grows_with_history_hardly_more_is_read_than_is_asked_for(history: Session) -> None:
    read = {what: rows_read(history, statement()) for what, statement in STATEMENTS.items()}
    assert {what: rows for what, rows in read.items() if rows > FEW} == {}
