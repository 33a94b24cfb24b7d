"""Which orders are planned again, from bare rows: each condition as it holds, and as it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.restatements.rules.plan import RULES
from tests.restatements.rules.ground import HOUR, SENT, UPDATED, Ground

FOLLOWED = [rule.id for rule in RULES if rule.verdict_follows]


def is_again(ground: Ground, max_attempts: int = 3) -> bool:
    """Whether the order is; no other ever is."""
    found = ground.again(max_attempts)
    assert found in ([], ["o"])
    return found == ["o"]


# -- what was sent ---------------------------------------------------------------------------------------------------------------------

MISSING = {"status": "missing", "reason": "unknown"}


@pytest.mark.parametrize(
    ("verdict", "again"),
    [
        (MISSING, True),
        (MISSING | {"reason": "duplicate"}, True),
        (MISSING | {"reason": "locked"}, False),
        ({"status": "mismatched", "reason": "amount"}, True),
        ({"status": "late", "reason": "unknown"}, False),
        ({"status": "matched"}, False),
        (MISSING | {"attempts": 2}, True),
        (MISSING | {"attempts": 3}, False),
    ],
)
def test_by_its_verdict(ground: Ground, verdict: dict[str, Any], again: bool) -> None:
    assert is_again(ground.sent().verdict(**verdict)) is again


@pytest.mark.parametrize(
    ("sent", "again"),
    [
        ({"outcome": "rejected"}, True),
        ({"outcome": "unknown", "settled_at": SENT + HOUR}, True),
        ({"outcome": "unknown"}, False),
        ({"outcome": "accepted"}, False),
        ({"outcome": "accepted", "settled_at": SENT + HOUR}, False),
        ({"outcome": "rejected", "mode": "test"}, False),
        ({"outcome": "rejected", "attempt": 2}, True),
        ({"outcome": "rejected", "attempt": 3}, False),
    ],
)
def test_by_its_outcome(ground: Ground, sent: dict[str, Any], again: bool) -> None:
    assert is_again(ground.sent(**sent)) is again


SINCE = {"updated_at": UPDATED + HOUR, "submitted_at": SENT + HOUR}


@pytest.mark.parametrize(
    ("since", "again"), [(SINCE, False), (SINCE | {"mode": "test"}, True), (SINCE | {"order_id": "p"}, True), (SINCE | {"action_tracker_id": 402}, True)]
)  # fmt: skip
@pytest.mark.parametrize("word", ["verdict", "outcome", "skip", "lock", "confirmation"])
def test_of_what_was_sent_live_since_its_last_word_is_nothing(ground: Ground, word: str, since: dict[str, Any], again: bool) -> None:
    if word == "verdict":
        ground.sent().verdict(**MISSING)
    elif word == "outcome":
        ground.sent(outcome="rejected")
    elif word == "skip":
        ground.sent().skipped(plan_number=2)
    elif word == "lock":
        ground.held_back(stage="eligibility", reason="locked", plan_number=2).record(moved_reading=4)
    else:
        to_be_accepted(ground)
    assert is_again(ground.sent(**since)) is again


@pytest.mark.parametrize("rule", ["locked", "closed", "amount"])
@pytest.mark.parametrize(
    "said", [{"plan_number": 1}, {"plan_number": 2}, {"plan_number": 2, "order_id": "p"}, {"plan_number": 2, "action_tracker_id": 402}]
)
@pytest.mark.parametrize("word", ["verdict", "outcome", "confirmation"])
def test_of_what_was_sent_is_nothing_once_a_plan_found_its_order_locked(ground: Ground, word: str, rule: str, said: dict[str, Any]) -> None:
    if word == "verdict":
        ground.sent().verdict(**MISSING, plan_number=1)
    elif word == "outcome":
        ground.sent(outcome="rejected")
    else:
        to_be_accepted(ground)
    ground._put("plans", {"plan_number": 2, "reading": 3})
    over = rule != "amount" and said == {"plan_number": 2}
    assert is_again(ground.held_back(stage="eligibility", rule=rule, reason=rule, **said)) is not over
    if over:
        assert is_again(ground.record(moved_reading=4))  # it may be open again


# -- what was not sent -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "again"), [("waiting", True), ("superseded", True), ("unchanged", False), ("never_sent", False)])
def test_by_the_word_of_its_skip(ground: Ground, word: str, again: bool) -> None:
    assert is_again(ground.skipped(reason=word)) is again


LATER, SAME = {"plan_number": 2}, {"plan_number": 1}


@pytest.mark.parametrize(("then", "again"), [(LATER, False), (SAME, False), ({"plan_number": 0}, True)])
def test_what_waits_waits_until_something_was_said_of_it_in_a_later_plan_or_in_the_same(
    ground: Ground, then: dict[str, Any], again: bool
) -> None:
    assert is_again(ground.skipped().held_back(**then)) is again


def test_of_two_skips_the_later_plans_counts(ground: Ground) -> None:
    ground.skipped().skipped(reason="unchanged", plan_number=2)
    assert not is_again(ground)
    assert is_again(ground.skipped(reason="superseded", plan_number=3))


@pytest.mark.parametrize("rule", FOLLOWED)
def test_what_is_on_its_way_is_followed_by_its_verdict_and_not_by_a_record(ground: Ground, rule: str) -> None:
    assert not is_again(ground.skipped(reason="unchanged", rule=rule).planned().record(reading=2))


@pytest.mark.parametrize(
    ("record", "again"),
    [
        ({"reading": 2}, True),
        ({"reading": 1}, False),
        ({"reading": 2, "action_tracker_id": 402}, False),
        ({"reading": 2, "order_id": "p"}, False),
    ],
)
@pytest.mark.parametrize(
    "said", ["not_in_cj", "unchanged", "never_sent", "held back: not_in_cj", "held back: not_commissionable", "held back: amount"]
)
def test_what_was_decided_by_cjs_records_is_when_a_record_of_it_was_read_since_its_plan(
    ground: Ground, said: str, record: dict[str, Any], again: bool
) -> None:
    if said.startswith("held back"):
        ground.held_back(stage="eligibility", reason=said.rpartition(" ")[2])
    else:
        ground.skipped(reason=said)
    assert is_again(ground.planned().record(**record)) is again


@pytest.mark.parametrize(
    ("stage", "reason"), [("eligibility", "stale_state"), ("eligibility", "unknown"), ("validation", "amount"), ("test_mode", "not_in_cj")]
)
def test_a_record_changes_nothing_for_what_was_held_back_otherwise(ground: Ground, stage: str, reason: str) -> None:
    assert not is_again(ground.held_back(stage=stage, reason=reason).planned().record(reading=2))


@pytest.mark.parametrize(
    ("rule", "again"),
    [("updated_at_in_future", True), ("event_time_in_future", True), ("too_many_items", False), (None, False)],
)
def test_what_lay_ahead_of_cjs_clock_is_and_nothing_else_that_the_gate_held_back(ground: Ground, rule: str | None, again: bool) -> None:
    assert is_again(ground.held_back(stage="validation", reason=rule or "updated_at_in_future", rule=rule)) is again


@pytest.mark.parametrize(
    ("read", "again"), [({"reading": 2}, True), ({"reading": 1}, False), ({"reading": 2, "kind": "sweep"}, False), ({"reading": 2, "kind": "cursor"}, False)]
)  # fmt: skip
@pytest.mark.parametrize(("rule", "waits"), [("older_than_the_ledger", True), ("unknown_to_cj", False)])
def test_what_was_older_than_the_ledger_is_once_the_ledger_was_read_from_another_day(
    ground: Ground, rule: str, waits: bool, read: dict[str, Any], again: bool
) -> None:
    ground.held_back(stage="eligibility", reason="not_in_cj", rule=rule).planned().read(**read)
    assert is_again(ground) is (again and waits)


@pytest.mark.parametrize(("reading", "again"), [(None, False), (0, False), (1, True)])
def test_a_ledger_that_was_read_before_readings_had_numbers_is_no_news(ground: Ground, reading: int | None, again: bool) -> None:
    ground.held_back(stage="eligibility", reason="not_in_cj", rule="older_than_the_ledger").planned(reading=0).read(reading=reading)
    assert is_again(ground) is again


@pytest.mark.parametrize("reading", [None, 0, 1])
def test_after_a_rebuild_any_reading_of_the_ledger_from_its_beginning_is(ground: Ground, reading: int | None) -> None:
    ground.held_back(stage="eligibility", reason="not_in_cj", rule="older_than_the_ledger").planned(reading=-1).read(reading=reading)
    assert is_again(ground)


def test_what_was_older_than_the_ledger_is_when_a_record_of_it_was_read_too(ground: Ground) -> None:
    ground.held_back(stage="eligibility", reason="not_in_cj", rule="older_than_the_ledger").planned()
    assert not is_again(ground)
    assert is_again(ground.record(reading=2))


@pytest.mark.parametrize(
    ("record", "again"),
    [
        ({"moved_reading": 4}, True),
        ({"moved_reading": 3}, False),
        ({"moved_reading": None}, False),
        ({"moved_reading": 4, "order_id": "p"}, False),
        ({"moved_reading": 4, "action_tracker_id": 402}, False),
    ],
)
@pytest.mark.parametrize(("reason", "waits"), [("locked", True), ("closed", True), ("stale_state", False), ("unknown", False)])
def test_what_was_held_back_for_what_cj_holds_is_once_cj_has_moved_its_lock_date_since(
    ground: Ground, reason: str, waits: bool, record: dict[str, Any], again: bool
) -> None:
    ground.held_back(stage="eligibility", reason=reason).planned(reading=3).record(**record)
    assert is_again(ground) is (again and waits)


def test_a_lock_date_that_was_moved_is_news_to_a_plan_from_before_plans_had_numbers(ground: Ground) -> None:
    assert is_again(ground.held_back(stage="eligibility", reason="locked").record(moved_reading=0))


def test_the_newest_plan_that_held_it_back_counts(ground: Ground) -> None:
    for plan in (1, 2):
        ground.held_back(stage="eligibility", reason="locked", plan_number=plan).planned(plan_number=plan, reading=plan + 2)
    assert not is_again(ground.record(moved_reading=4))


@pytest.mark.parametrize(("plan", "again"), [(None, True), (-1, True), (0, False)])
def test_a_record_from_before_readings_had_numbers_is_older_than_any_and_a_plan_without_one_older_still(
    ground: Ground, plan: int | None, again: bool
) -> None:
    if plan is not None:
        ground.planned(reading=plan)
    assert is_again(ground.skipped(reason="not_in_cj").record(reading=None)) is again


# -- what was created and is to be accepted ----------------------------------------------------------------------------------------------

CREATED = {"operation": "create", "status": "Accepted"}
OPEN_ENDED = {"locking_method": "OPEN_ENDED", "validation_status": "PENDING"}
FIXED = {"locking_method": "FIXED_DATE", "validation_status": "PENDING"}


def to_be_accepted(ground: Ground) -> Ground:
    return ground.sent(**CREATED).verdict(operation="create", status="matched").record(**OPEN_ENDED)


@pytest.mark.parametrize(
    ("sent", "verdict", "records", "again"),
    [
        ({}, {}, [OPEN_ENDED], True),
        ({}, {}, [OPEN_ENDED, OPEN_ENDED], True),
        ({"mode": "test"}, {}, [OPEN_ENDED], False),
        ({"operation": "restate"}, {}, [OPEN_ENDED], False),
        ({"amount": "0"}, {}, [OPEN_ENDED], False),
        ({"amount": "20.00", "discount": "20.00"}, {}, [OPEN_ENDED], False),
        ({"amount": "20.01", "discount": "20.00"}, {}, [OPEN_ENDED], True),
        ({"status": None}, {}, [OPEN_ENDED], False),
        ({"status": "Rejected"}, {}, [OPEN_ENDED], False),
        ({}, {"status": "late"}, [OPEN_ENDED], False),
        ({}, {"order_id": "p"}, [OPEN_ENDED], False),
        ({}, {"updated_at": UPDATED - HOUR}, [OPEN_ENDED], False),
        ({}, {"plan_number": 0}, [OPEN_ENDED], False),
        ({}, {}, [], False),
        ({}, {}, [FIXED], False),
        ({}, {}, [OPEN_ENDED | {"validation_status": None}], False),
        ({}, {}, [OPEN_ENDED | {"validation_status": "ACCEPTED"}], False),
        ({}, {}, [OPEN_ENDED, OPEN_ENDED | {"validation_status": "ACCEPTED"}], False),
        ({}, {}, [OPEN_ENDED, OPEN_ENDED | {"validation_status": "ACCEPTED", "order_id": "p"}], True),
        ({}, {}, [OPEN_ENDED, OPEN_ENDED | {"validation_status": "ACCEPTED", "action_tracker_id": 402}], True),
        ({}, {}, [FIXED, OPEN_ENDED | {"order_id": "p"}], False),
        ({}, {}, [FIXED, OPEN_ENDED | {"action_tracker_id": 402}], False),
    ],
)
def test_a_create_that_arrived_is_once_it_is_to_be_accepted(
    ground: Ground, sent: dict[str, Any], verdict: dict[str, Any], records: list[dict[str, Any]], again: bool
) -> None:
    ground.sent(**CREATED | {"plan_number": 1} | sent)
    ground.verdict(**{"operation": "create", "status": "matched", "plan_number": 1} | verdict)
    for record in records:
        ground.record(**record)
    assert is_again(ground) is again


# -- a record that could not be kept -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aside", "again"),
    [
        ({"reading": 4}, True),
        ({"reading": 3}, False),
        ({"reading": None}, False),
        ({"reading": 4, "action_tracker_id": None}, True),
        ({"reading": 4, "action_tracker_id": 402}, False),
        ({"reading": 4, "order_id": "p"}, False),
        ({"reading": 4, "kept": True}, False),
    ],
)
@pytest.mark.parametrize("reason", ["unchanged", "not_in_cj", "never_sent"])
def test_a_record_set_aside_since_the_plan_is_news_of_what_was_not_sent(
    ground: Ground, reason: str, aside: dict[str, Any], again: bool
) -> None:
    assert is_again(ground.planned(plan_number=2, reading=3).skipped(plan_number=2, reason=reason).set_aside(**aside)) is again


def test_a_record_that_was_set_aside_and_read_later_is_news_as_what_was_read(ground: Ground) -> None:
    ground.planned(plan_number=2, reading=3).skipped(plan_number=2, reason="unchanged").set_aside(reading=4)
    assert not is_again(ground.record(commission_id="aside", reading=3))


@pytest.mark.parametrize(
    ("reason", "waits"), [("waiting", True), ("superseded", True), ("unchanged", False), ("not_in_cj", False), ("never_sent", False)]
)
def test_only_what_was_to_be_sent_waits(ground: Ground, reason: str, waits: bool) -> None:
    ground.planned(plan_number=2, reading=3).skipped(plan_number=2, reason=reason).record(reading=4)
    assert is_again(ground)
    assert ground.waiting() == (["o"] if waits else [])


CAUSES: dict[str, Callable[[Ground], Ground]] = {
    "missing": lambda ground: ground.verdict(**MISSING),
    "refused": lambda ground: ground.sent(outcome="rejected"),
    "older than the ledger": lambda ground: (
        ground.held_back(stage="eligibility", reason="not_in_cj", rule="older_than_the_ledger").planned().read(reading=2)
    ),
    "held back until now": lambda ground: ground.held_back(stage="eligibility", reason="locked", rule="locked").planned().record(reading=2),
    "to be accepted": lambda ground: (
        ground.sent(**CREATED, plan_number=1).verdict(operation="create", status="matched", plan_number=1).record(**OPEN_ENDED)
    ),
    "missing, and not known to CJ before": lambda ground: (
        ground.verdict(**MISSING, plan_number=1)
        .planned(plan_number=2, reading=3)
        .skipped(plan_number=2, reason="not_in_cj")
        .record(reading=4)
    ),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_what_was_sent_or_held_back_waits(ground: Ground, cause: str) -> None:
    assert is_again(CAUSES[cause](ground))
    assert ground.waiting() == ["o"]
