"""What a benchmark's past nights leave is what such nights would have left: nothing of it is on its way, to be planned again, or to be judged anew."""

from __future__ import annotations

from include.restatements.approval.held_open import bring_up
from include.restatements.plan.planner import find_again
from include.sql import filled
from include.warehouse.base import WarehouseLocation, open_warehouse
from lab.bench.ground import NIGHT, ORDER_COLUMNS
from lab.bench.history import History, fill

STATES = 2_000


def test_the_past_is_as_large_as_it_says_and_waits_for_nothing(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        session.execute(f"CREATE TABLE order_changes ({ORDER_COLUMNS})")
        fill(session, History(STATES, runs=20))
        counts = {
            name: session.rows(f"SELECT COUNT(*) AS n FROM {name}")[0]["n"]
            for name in ("cj.submissions", "cj.commissions", "cj.reconciliation", "cj.plans", "cj.skipped", "order_changes", "cj.unjudged")
        }
        breaks = STATES * 3 // 200
        assert counts == {
            "cj.submissions": STATES + 2 * breaks,
            "cj.commissions": STATES * 5 // 2 - 2 * breaks,
            "cj.reconciliation": STATES,
            "cj.plans": 20,
            "cj.skipped": 5 * STATES // 20 // 10,  # of the last ninety-one days, but for the last run
            "order_changes": STATES,
            "cj.unjudged": 0,
        }
        find_again(session, plan_number=21)
        assert session.rows("SELECT order_id FROM cj.replan_keys") == []
        session.execute(
            "INSERT INTO cj.accounts_now (advertiser_id, functional_currency, sale_amount_basis, judged_reading, read_whole_until) "
            "VALUES ('5500001', 'USD', 'net', 41, :night)",
            {"night": NIGHT},
        )
        session.execute(filled("open_orders"), {"judged_since": 41})
        open_breaks = len(session.rows("SELECT order_id FROM cj.open_orders"))
        assert 0 < open_breaks < breaks / 3  # of the last two months, whose orders have not locked


def test_what_is_kept_of_the_open_orders_is_what_the_past_records_come_to(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        session.execute(f"CREATE TABLE order_changes ({ORDER_COLUMNS})")
        fill(session, History(STATES, runs=20))
        left = session.rows("SELECT * FROM cj.held_open ORDER BY order_id")
        until = session.rows("SELECT reading FROM cj.held_open_until")[0]["reading"]
        assert session.rows("SELECT 1 FROM cj.commissions WHERE reading > :until OR status_reading > :until", {"until": until}) == []
        session.execute("DELETE FROM cj.held_open_until")
        bring_up(session, "5500001", 41)
        assert session.rows("SELECT * FROM cj.held_open ORDER BY order_id") == left != []
