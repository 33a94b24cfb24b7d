"""Which orders a reconciliation looks at, from bare rows: each condition as it holds, and as it does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.restatements.rules.ground import HOUR, SENT, UPDATED, Ground


def is_looked_at(ground: Ground) -> bool:
    """Whether the order is; no other ever is."""
    found = ground.looked_at()
    assert found in ([], ["o"])
    return found == ["o"]


@pytest.mark.parametrize(
    ("sent", "looked_at"),
    [
        ({}, True),
        ({"outcome": "unknown"}, True),
        ({"outcome": "rejected"}, False),
        ({"mode": "test"}, False),
        ({"advertiser_id": "9"}, False),
    ],
)
def test_what_was_sent_live_and_may_have_arrived_is_until_it_has_a_verdict(ground: Ground, sent: dict[str, Any], looked_at: bool) -> None:
    assert is_looked_at(ground.account().sent(**sent)) is looked_at


@pytest.mark.parametrize(
    ("status", "looked_at"),
    [("awaiting", True), ("late", True), ("mismatched", True), ("missing", True), ("matched", False), ("superseded", False)],
)
def test_what_has_an_open_verdict_is(ground: Ground, status: str, looked_at: bool) -> None:
    assert is_looked_at(ground.account().sent().verdict(status=status)) is looked_at


@pytest.mark.parametrize(
    ("verdict", "looked_at"),
    [
        ({"plan_number": 6}, True),
        ({"plan_number": 7}, False),
        ({"plan_number": 8}, False),
        ({"plan_number": 7, "updated_at": UPDATED - HOUR}, True),
        ({"plan_number": 7, "action_tracker_id": 402}, True),
    ],
)
def test_what_was_sent_after_its_verdict_is(ground: Ground, verdict: dict[str, Any], looked_at: bool) -> None:
    assert is_looked_at(ground.account().sent(plan_number=7).verdict(**{"status": "matched"} | verdict)) is looked_at


@pytest.mark.parametrize(
    ("sent", "looked_at"),
    [
        ({"outcome": "unknown"}, True),
        ({"outcome": "unknown", "settled_at": SENT}, False),
        ({"outcome": "accepted"}, False),
        ({"outcome": "unknown", "mode": "test"}, False),
    ],
)
def test_an_outcome_that_is_still_unknown_after_a_last_verdict_is(ground: Ground, sent: dict[str, Any], looked_at: bool) -> None:
    assert is_looked_at(ground.account().sent(**sent).verdict(status="matched")) is looked_at


@pytest.mark.parametrize(
    ("record", "sent", "looked_at"),
    [
        ({"reading": 6}, {}, True),
        ({"reading": 6}, {"outcome": "unknown", "settled_at": SENT}, True),
        ({"reading": 5}, {}, False),
        ({"reading": 5, "moved_reading": 6}, {}, True),
        ({"reading": 5, "moved_reading": 6}, {"outcome": "unknown", "settled_at": SENT}, True),
        ({"reading": 5, "moved_reading": 5}, {}, False),
        ({"reading": 5, "moved_reading": 6}, {"mode": "test"}, False),
        ({"reading": 5, "moved_reading": 6}, {"outcome": "rejected"}, False),
        ({"reading": 5, "moved_reading": 6, "order_id": "p"}, {}, False),
        ({"reading": 5, "moved_reading": 6, "action_tracker_id": 402}, {}, False),
        ({"reading": 5, "moved_reading": 6, "advertiser_id": "9"}, {"advertiser_id": "9"}, False),
        ({"reading": None}, {}, False),
        ({"reading": 6}, {"mode": "test"}, False),
        ({"reading": 6}, {"outcome": "rejected"}, False),
        ({"reading": 6, "order_id": "p"}, {}, False),
        ({"reading": 6, "action_tracker_id": 402}, {}, False),
        ({"reading": 6, "advertiser_id": "9"}, {"advertiser_id": "9"}, False),
        ({"reading": 6, "advertiser_id": "9"}, {}, False),
    ],
)
def test_what_was_judged_for_good_is_when_a_record_of_it_was_read_since(
    ground: Ground, record: dict[str, Any], sent: dict[str, Any], looked_at: bool
) -> None:
    ground.account(judged_reading=5).sent(**sent).verdict(status="matched").record(**record)
    assert is_looked_at(ground) is looked_at


@pytest.mark.parametrize(
    ("aside", "looked_at"),
    [
        ({}, True),
        ({"action_tracker_id": None}, True),
        ({"kept": True}, False),
        ({"commission_id": "1"}, False),
        ({"order_id": "p"}, False),
        ({"order_id": None}, False),
        ({"action_tracker_id": 402}, False),
        ({"advertiser_id": "9"}, False),
    ],
)
def test_what_matched_is_while_a_record_of_it_is_set_aside(ground: Ground, aside: dict[str, Any], looked_at: bool) -> None:
    """Record 1 is in the ledger: a later reading brought it."""
    ground.account(judged_reading=1).sent().verdict(status="matched").record().set_aside(**aside)
    assert is_looked_at(ground) is looked_at


def test_an_order_of_an_account_that_is_not_judged_is_not_because_of_a_record_set_aside(ground: Ground) -> None:
    ground.account(advertiser_id="9").sent().verdict(status="matched").set_aside()
    assert not is_looked_at(ground)


def test_what_a_newer_state_took_over_is_not_because_of_a_record_set_aside(ground: Ground) -> None:
    assert not is_looked_at(ground.account().sent().verdict(status="superseded").set_aside())
