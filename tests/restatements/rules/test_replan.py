"""Which orders are planned again, from bare rows: what was the last word on them, and what has happened since."""

from __future__ import annotations

from typing import Any

import pytest

from include.restatements.rules.plan import replan_sql
from include.warehouse.base import Session
from tests.restatements.rules.ground import KEY, SENT, UPDATED, Ground


@pytest.fixture
def held(ground: Ground) -> Ground:
    """The order was held back by plan 5, which knew reading 3."""
    session = ground.session
    for table in ("quarantine", "skipped", "plans", "replan_keys"):
        session.execute(f"DELETE FROM cj.{table}")
    session.execute(
        "INSERT INTO cj.plans (plan_number, run_id, reading, planned_at) VALUES (5, 'before', 3, :now), (6, 'later', 4, :now)",
        {"now": SENT},
    )
    return ground


def hold(session: Session, reason: str = "locked", plan: int = 5, stage: str = "eligibility") -> None:
    session.execute(
        "INSERT INTO cj.quarantine (run_id, enterprise_id, action_tracker_id, order_id, updated_at, stage, reason, quarantined_at, plan_number) "
        "VALUES ('before', :enterprise_id, :action_tracker_id, :order_id, :updated_at, :stage, :reason, :now, :plan)",
        KEY | {"updated_at": UPDATED, "now": SENT, "reason": reason, "plan": plan, "stage": stage},
    )


def again(ground: Ground) -> list[str]:
    ground.session.execute(replan_sql(), {"max_attempts": 3})
    return [str(row["order_id"]) for row in ground.session.rows("SELECT order_id FROM cj.replan_keys")]


@pytest.mark.parametrize(
    ("moved", "planned"), [({"moved_reading": 4}, True), ({"moved_reading": 3}, False), ({"moved_reading": None}, False), ({"moved_reading": 4, "order_id": "p"}, False), ({"moved_reading": 4, "action_tracker_id": 402}, False)]
)  # fmt: skip
def test_an_order_held_as_locked_is_planned_again_once_cj_has_moved_its_lock_date(
    held: Ground, moved: dict[str, Any], planned: bool
) -> None:
    hold(held.session)
    held.record(**moved)
    assert again(held) == (["o"] if planned else [])


def test_the_newest_plan_that_held_it_counts(held: Ground) -> None:
    hold(held.session)
    hold(held.session, plan=6)
    held.record(moved_reading=4)
    assert again(held) == []


@pytest.mark.parametrize("reason", ["closed", "not_commissionable", "amount"])
def test_what_was_held_for_another_reason_does_not_wait_for_a_lock_date(held: Ground, reason: str) -> None:
    hold(held.session, reason)
    held.record(moved_reading=4)
    assert again(held) == []


def test_what_was_sent_since_is_followed_by_its_verdict(held: Ground) -> None:
    hold(held.session)
    held.record(moved_reading=4).sent(plan_number=7)
    assert again(held) == []
