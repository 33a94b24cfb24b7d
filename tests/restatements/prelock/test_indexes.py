"""On PostgreSQL a review reads what is open, what locked of late and what it lists, never all there ever was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from include.restatements.prelock.sweep import found_sql
from include.sql import filled
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from tests.postgres_server import explained

NOW = datetime(2026, 11, 5, tzinfo=UTC)

HISTORY = """
INSERT INTO cj.commissions (
    commission_id, advertiser_id, action_tracker_id, order_id, action_type, action_status, publisher_id, event_date, posting_date, locking_date, original,
    sale_amount, items_mark, ingested_at, reading
)
SELECT CAST(n AS text), '5500001', 401, 'o-' || n, 'item_sale', CASE WHEN n > 199000 THEN 'new' ELSE 'locked' END, '7',
    at, at, at + INTERVAL '40 days', TRUE, 100, 0, at, 1
FROM (SELECT n, CAST('2026-11-04 00:00:00+00' AS timestamp with time zone) - (200000 - n) * INTERVAL '5 minutes' AS at FROM generate_series(1, 200000) AS n) AS g;
INSERT INTO cj.quarantine (run_id, enterprise_id, action_tracker_id, order_id, stage, reason, rule, quarantined_at, plan_number)
SELECT 'r', '1500001', 401, 'o-' || n, 'eligibility', CASE WHEN n % 500 = 0 THEN 'locked' ELSE 'coupon' END, CASE WHEN n % 500 = 0 THEN 'locked' ELSE 'coupon_would_go' END,
    CAST('2026-11-04 00:00:00+00' AS timestamp with time zone) - (100000 - n) * INTERVAL '10 minutes', n
FROM generate_series(1, 100000) AS n;
INSERT INTO cj.prelock_orders (review, enterprise_id, action_tracker_id, order_id, advertiser_id, finding, near, reason, at_stake)
SELECT 7, '1500001', 401, 'o-' || n, '5500001', 'to_send', TRUE, 'to_send', n % 977 FROM generate_series(1, 100000) AS n;
"""


@pytest.fixture
def session(postgres_database: str) -> Iterator[Session]:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as opened:
        opened.create_tables()
        opened.execute(HISTORY)
        opened.analyze("cj.commissions", "cj.quarantine", "cj.prelock_orders", "cj.reconciliation", "cj.submissions")
        yield opened


def test_the_orders_to_ask_about_are_found_without_reading_every_record(session: Session) -> None:
    bound: dict[str, object] = {
        "advertiser_id": "5500001", "enterprise_id": "1500001", "too_late_since": NOW - timedelta(days=92), "locked_since": NOW - timedelta(days=1),
        "since": NOW - timedelta(days=30),
    }  # fmt: skip
    plan = explained(session, filled("prelock_keys"), bound)
    assert "Seq Scan on commissions" not in plan and "Seq Scan on quarantine" not in plan, plan
    assert "commissions_due" in plan and "quarantine_too_late" in plan, plan


def test_a_part_of_a_long_list_is_found_by_its_place_and_nothing_is_sorted(session: Session) -> None:
    after = {"after_first": Decimal(-900), "after_second": NOW, "after_enterprise": "1500001", "after_tracker": 401, "after_order": "o-1"}
    asked = frozenset({"near", "rows", "after"})
    plan = explained(session, filled("page_prelock", asked=asked), {"review": 7, "rows": 51, **after})
    assert "prelock_orders_dearest" in plan and "Seq Scan on prelock_orders" not in plan, plan


def test_what_cj_holds_of_a_batch_is_found_by_its_orders(session: Session) -> None:
    with session.transaction():
        session.execute(
            "INSERT INTO cj.prelock_keys (advertiser_id, enterprise_id, action_tracker_id, order_id, named, live) "
            "SELECT '5500001', '1500001', 401, 'o-' || n, 'o-' || n, TRUE FROM generate_series(199001, 199100) AS n"
        )
        session.analyze("cj.prelock_keys", "cj.plan_input")
        bound: dict[str, object] = {
            "run_id": "r", "process_by": NOW, "pairs_since": NOW, "open_ended_status": None, "max_attempts": 3, "interval_start": NOW, "interval_end": NOW,
            "fewest_orders": 10, "ids_must_meet": 0, "currency_band": 0, "allow_coupon_loss": False, "allow_discount_loss": False,
            "allow_items_loss": False, "review": 1, "near": NOW, "night_by": NOW, "return_days": 30,
        }  # fmt: skip
        plan = explained(session, found_sql(), bound)
    assert "commissions_order" in plan, plan
