"""Which orders are settled for good, from bare rows: each condition as it holds, and as it does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from include.sql import filled
from tests.restatements.rules.ground import FAR, HOUR, SECOND, SENT, Ground

LATER = FAR + timedelta(days=400)
BEFORE = {"before": LATER, "most": 10, "passed": 0}


def found(ground: Ground, **other: Any) -> list[str]:
    if not ground.rows("SELECT advertiser_id FROM cj.accounts_now"):
        ground.account()
    ground.session.execute("DELETE FROM cj.settled_orders")
    bound = BEFORE | other
    ground.session.execute(filled("settled_found"), bound)
    ground.session.execute(filled("settled_kept"), {"before": bound["before"]})
    return [str(row["order_id"]) for row in ground.rows("SELECT order_id FROM cj.settled_orders ORDER BY order_id")]


def settled(ground: Ground) -> Ground:
    return ground.sent().verdict(status="matched", locking_date=FAR).record(action_status="locked")


@pytest.mark.parametrize("status", ["locked", "closed"])
@pytest.mark.parametrize("verdict", ["matched", "superseded", "mismatched", "missing"])
def test_an_order_is_that_cj_locked_and_whose_verdict_is_the_last(ground: Ground, status: str, verdict: str) -> None:
    ground.sent().verdict(status=verdict, locking_date=FAR, checked_at=FAR).record(action_status=status)
    assert found(ground) == ["o"]


def test_bonuses_and_what_cj_shows_no_more_are_not_asked(ground: Ground) -> None:
    settled(ground).record(action_type="bonus").record(gone_reading=3)
    assert found(ground) == ["o"]
    assert found(ground, before=FAR + SECOND) == ["o"]
    assert found(ground, before=FAR) == []


@pytest.mark.parametrize(
    "record",
    [
        {"action_status": "new"},
        {"action_status": "extended"},
        {"action_status": "locked", "locking_date": LATER},
        {"locking_date": None, "action_status": "locked"},
    ],
)
def test_it_is_not_while_a_record_of_it_is_open(ground: Ground, record: dict[str, Any]) -> None:
    assert found(settled(ground).record(**record)) == []


@pytest.mark.parametrize(
    "other", [{"advertiser_id": "9"}, {"action_tracker_id": 402}, {"order_id": "p"}, {"action_type": "bonus"}, {"gone_reading": 3}]
)
def test_nor_where_cj_shows_no_record_of_it(ground: Ground, other: dict[str, Any]) -> None:
    ground.sent().verdict(status="matched", locking_date=FAR).record(action_status="locked", **other)
    assert found(ground) == []


@pytest.mark.parametrize("other", [{"advertiser_id": "9"}, {"action_tracker_id": 402}, {"order_id": "p"}])
def test_records_of_another_order_say_nothing_of_it(ground: Ground, other: dict[str, Any]) -> None:
    assert found(settled(ground).record(action_status="new", **other)) == ["o"]


@pytest.mark.parametrize(
    "verdict",
    [
        {"status": "awaiting"},
        {"status": "late"},
        {"status": "missing"},
        {"status": "mismatched", "locking_date": FAR, "checked_at": FAR - SECOND},
    ],
)
def test_nor_while_a_verdict_on_any_of_its_states_may_change(ground: Ground, verdict: dict[str, Any]) -> None:
    settled(ground).verdict(**{"updated_at": SENT - 9 * HOUR} | verdict)
    assert found(ground) == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"submitted_at": LATER}, True),
        ({"submitted_at": LATER, "mode": "test"}, True),
        ({"submitted_at": None}, True),
        ({"outcome": "unknown"}, True),
        ({"outcome": "unknown", "settled_at": SENT}, False),
        ({"submitted_at": LATER - SECOND}, False),
        ({"submitted_at": LATER, "order_id": "p"}, False),
    ],
)
def test_nor_where_something_of_it_was_sent_since_or_is_not_known(ground: Ground, sent: dict[str, Any], kept: bool) -> None:
    assert found(settled(ground).sent(**sent)) == ([] if kept else ["o"])


@pytest.mark.parametrize(("table", "when"), [("quarantine", "quarantined_at"), ("skipped", "skipped_at")])
@pytest.mark.parametrize(("at", "kept"), [(LATER, True), (LATER - SECOND, False)])
def test_nor_where_it_was_skipped_or_held_back_since(ground: Ground, table: str, when: str, at: Any, kept: bool) -> None:
    settled(ground)._put(table, {when: at, "reason": "unchanged"})
    assert found(ground) == ([] if kept else ["o"])


@pytest.mark.parametrize(("reason", "kept"), [("waiting", True), ("superseded", True), ("unchanged", False)])
def test_nor_where_a_change_of_it_waits(ground: Ground, reason: str, kept: bool) -> None:
    assert found(settled(ground).skipped(reason=reason, skipped_at=LATER - SECOND)) == ([] if kept else ["o"])


@pytest.mark.parametrize("table", ["planned", "unjudged", "case_orders"])
@pytest.mark.parametrize(("other", "kept"), [({}, True), ({"order_id": "p"}, False)])
def test_nor_while_it_is_on_its_way_to_be_judged_or_in_a_case(ground: Ground, table: str, other: dict[str, Any], kept: bool) -> None:
    settled(ground)._put(table, other)
    assert found(ground) == ([] if kept else ["o"])


def test_nor_one_that_was_sent_since(ground: Ground) -> None:
    ground.verdict(status="matched", submitted_at=LATER, locking_date=FAR).record(action_status="locked")
    assert found(ground) == []


@pytest.mark.parametrize("locking_date", [None, LATER])
def test_nor_one_that_was_not_to_lock_by_then(ground: Ground, locking_date: Any) -> None:
    ground.sent().verdict(status="matched", locking_date=locking_date).record(action_status="locked")
    assert found(ground) == []


def test_a_round_takes_no_more_than_it_is_told(ground: Ground) -> None:
    for number, order_id in enumerate("pqo"):
        at = SENT + number * SECOND
        ground.sent(order_id=order_id, submitted_at=at).verdict(order_id=order_id, status="matched", submitted_at=at, locking_date=FAR)
        ground.record(order_id=order_id, action_status="locked")
    assert found(ground, most=2) == ["p", "q"]  # those sent first
    assert found(ground, most=2, passed=2) == ["o"]


def test_orders_of_cases_are_kept_for_ever_and_never_stand_before_the_others(ground: Ground) -> None:
    at = SENT - HOUR
    settled(ground).sent(order_id="older", submitted_at=at).verdict(order_id="older", status="matched", submitted_at=at, locking_date=FAR)
    ground.record(order_id="older", action_status="locked")._put("case_orders", {"order_id": "older"})
    assert found(ground, most=1) == ["o"]


def test_orders_of_accounts_that_are_read_no_more_stand_before_no_others(ground: Ground) -> None:
    at, other = SENT - HOUR, {"order_id": "older", "advertiser_id": "9"}
    settled(ground).account().verdict(status="mismatched", submitted_at=at, locking_date=FAR, checked_at=FAR, **other)
    ground.sent(submitted_at=at, **other).record(action_status="locked", **other)
    assert found(ground, most=1) == ["o"]
    assert found(ground.account(advertiser_id="9"), most=1) == ["older"]


def test_what_this_package_wrote_of_them_goes_and_of_no_other_order_and_what_cj_wrote_stays(ground: Ground) -> None:
    for other in ({}, {"order_id": "p"}, {"action_tracker_id": 402}, {"enterprise_id": "3"}):
        ground.sent(**other).verdict(**other).logged(**other).held_back(**other).skipped(**other)
    ground.record(action_status="locked").session.execute("INSERT INTO cj.settled_orders VALUES ('2', '1', 401, 'o'), ('2', '1', 401, 'o')")
    ground.session.execute(filled("settled_forget"))
    for table in ("submissions", "reconciliation", "verdicts_log", "quarantine", "skipped"):
        left = ground.rows(f"SELECT enterprise_id, action_tracker_id, order_id FROM cj.{table} ORDER BY 1, 2, 3")
        assert [tuple(row.values()) for row in left] == [("1", 401, "p"), ("1", 402, "o"), ("3", 401, "o")]
    assert len(ground.rows("SELECT * FROM cj.commissions")) == 1
    assert ground.rows("SELECT * FROM cj.settled_orders") == []
