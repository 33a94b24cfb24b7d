"""Which orders a reconciliation looks at, from bare rows: each condition as it holds, and as it does not."""

from __future__ import annotations

from typing import Any

import pytest

from include.sql import filled
from tests.restatements.rules.ground import HOUR, SECOND, SENT, UPDATED, Ground


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
        ({"outcome": "unknown", "settled_at": SENT}, True),
        ({"outcome": "rejected"}, False),
        ({"mode": "test"}, False),
        ({"advertiser_id": "9"}, False),
        ({"order_id": "p"}, False),
        ({"action_tracker_id": 402}, False),
    ],
)
@pytest.mark.parametrize("verdict", [None, "matched", "superseded"])
def test_what_was_sent_live_and_may_have_arrived_is_until_it_was_judged(
    ground: Ground, sent: dict[str, Any], looked_at: bool, verdict: str | None
) -> None:
    ground.account().sent(**sent).unjudged()
    if verdict is not None:
        ground.verdict(status=verdict, **{name: sent[name] for name in ("order_id", "action_tracker_id", "advertiser_id") if name in sent})
    assert is_looked_at(ground) is looked_at


def test_what_was_judged_is_not_because_it_was_sent(ground: Ground) -> None:
    assert not is_looked_at(ground.account().sent().verdict(status="matched"))


LOCKED = UPDATED + 30 * HOUR
"""When CJ locks it."""


@pytest.mark.parametrize(
    ("status", "verdict", "looked_at"),
    [
        *((status, {"locking_date": None}, True) for status in ("awaiting", "late", "mismatched", "missing")),
        *(
            (status, {"locking_date": LOCKED, "checked_at": LOCKED - SECOND}, True)
            for status in ("awaiting", "late", "mismatched", "missing")
        ),
        *((status, {"locking_date": LOCKED, "checked_at": LOCKED}, True) for status in ("awaiting", "late")),
        *((status, {"locking_date": LOCKED, "checked_at": LOCKED}, False) for status in ("mismatched", "missing")),
        *((status, {"locking_date": LOCKED, "checked_at": LOCKED + SECOND}, False) for status in ("mismatched", "missing", "matched")),
        ("matched", {"locking_date": None}, False),
        ("superseded", {"locking_date": None}, False),
        ("late", {"advertiser_id": "9"}, False),
    ],
)
def test_an_open_verdict_is_until_its_order_has_locked(ground: Ground, status: str, verdict: dict[str, Any], looked_at: bool) -> None:
    """What time alone can change; news of it is looked at whenever it comes."""
    assert is_looked_at(ground.account().sent().verdict(status=status, **verdict)) is looked_at


@pytest.mark.parametrize(
    ("sent", "looked_at"),
    [
        ({"outcome": "unknown"}, True),
        ({"outcome": "unknown", "settled_at": SENT}, False),
        ({"outcome": "accepted"}, False),
        ({"outcome": "unknown", "mode": "test"}, False),
        ({"outcome": "unknown", "advertiser_id": "9"}, False),
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
@pytest.mark.parametrize("status", ["matched", "missing"])
def test_what_was_judged_for_good_is_when_a_record_of_it_was_read_since(
    ground: Ground, record: dict[str, Any], sent: dict[str, Any], looked_at: bool, status: str
) -> None:
    ground.account(judged_reading=5).sent(**sent).verdict(status=status, locking_date=LOCKED, checked_at=LOCKED).record(**record)
    assert is_looked_at(ground) is looked_at


@pytest.mark.parametrize("news", ["reading", "moved_reading"])
def test_what_was_read_before_its_own_account_was_judged_is_not_because_another_was_judged_earlier(ground: Ground, news: str) -> None:
    ground.account(judged_reading=5).account(advertiser_id="9", judged_reading=2).sent().verdict(status="matched").record(
        **{"reading": 1} | {news: 4}
    )
    assert not is_looked_at(ground)


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
@pytest.mark.parametrize("status", ["matched", "mismatched", "missing"])
def test_what_was_judged_for_good_is_while_a_record_of_it_is_set_aside(
    ground: Ground, aside: dict[str, Any], looked_at: bool, status: str
) -> None:
    """Record 1 is in the ledger: a later reading brought it."""
    ground.account(judged_reading=1).sent().verdict(status=status, locking_date=LOCKED, checked_at=LOCKED).record().set_aside(**aside)
    assert is_looked_at(ground) is looked_at


def test_an_order_of_an_account_that_is_not_judged_is_not_because_of_a_record_set_aside(ground: Ground) -> None:
    ground.account(advertiser_id="9").sent().verdict(status="matched").set_aside()
    assert not is_looked_at(ground)


def test_nor_is_one_whose_verdict_is_of_such_an_account(ground: Ground) -> None:
    ground.account().sent().verdict(status="matched", advertiser_id="9").set_aside(advertiser_id="9")
    assert not is_looked_at(ground)


def test_what_a_newer_state_took_over_is_not_because_of_a_record_set_aside(ground: Ground) -> None:
    assert not is_looked_at(ground.account().sent().verdict(status="superseded").set_aside())


def test_what_was_judged_waits_no_longer_and_what_was_not_still_does(ground: Ground) -> None:
    ground.sent().unjudged().unjudged().sent(order_id="p").unjudged(order_id="p").unjudged(order_id="taken back")
    ground.sent(action_tracker_id=402).unjudged(action_tracker_id=402).to_judge()
    ground.session.execute(filled("judged"))
    found = ground.rows("SELECT action_tracker_id, order_id FROM cj.unjudged ORDER BY order_id")
    assert [(row["action_tracker_id"], row["order_id"]) for row in found] == [(402, "o"), (401, "p")]
