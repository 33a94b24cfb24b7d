"""Each rule of the plan from bare facts: where it decides, what decides when one of its facts is not so, and that it is asked before its neighbour."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from include.restatements.rules.plan import ACCOUNT_AWAY, FACTS, RULES, TAKEN_OVER
from include.sql import filled
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.rules.bare_facts import PLAN_COLUMNS, columns_given, decided, true

SENT = "on_its_way last_may_count"
ARRIVED = "known last_accepted same_as_last last_matched"
REASON_LOST = "known last_accepted same_as_last last_reason_lost"

CASES: dict[str, dict[str, str]] = {
    "call_unsettled": {
        f"{SENT} call_unsettled known": "call_unsettled",
        f"{SENT} known": "restate",
        f"{SENT} call_unsettled known same_as_last": "call_unsettled",  # before same_on_its_way
    },
    "same_on_its_way": {
        f"{SENT} same_as_last known": "same_on_its_way",
        f"{SENT} same_as_last attributed was_new": "same_on_its_way",
        "same_as_last known": "restate",
        f"{SENT} same_as_last last_is_cancel cancelled known": "same_on_its_way",  # before cancellation_sent
    },
    "cancellation_sent": {
        f"{SENT} last_is_cancel cancelled known": "cancellation_sent",
        "last_is_cancel cancelled known": "cancel",
        f"{SENT} cancelled known": "cancel",
        f"{SENT} last_is_cancel known": "cancellation_on_its_way",
        f"{SENT} last_is_cancel cancelled older_than_last known": "cancellation_sent",  # before stale_state
    },
    "stale_state": {
        "last_may_count older_than_last known": "stale_state",
        "last_may_count older_than_last attributed was_new": "stale_state",
        "older_than_last known": "restate",
        "last_may_count known": "restate",
        "last_may_count older_than_last same_as_last known": "restate",
        f"{SENT} older_than_last last_is_create": "stale_state",  # before create_on_its_way
    },
    "create_on_its_way": {
        f"{SENT} last_is_create attributed was_new": "create_on_its_way",
        "last_is_create attributed was_new": "create",
        f"{SENT} attributed was_new": "create",
        f"{SENT} last_is_create known": "restate",
        f"{SENT} last_is_create elsewhere attributed": "create_on_its_way",
        f"{SENT} last_is_create tracker_of_another attributed": "create_on_its_way",  # before tracker_of_another
    },
    "tracker_of_another": {
        "tracker_of_another attributed was_new": "tracker_of_another",
        "tracker_of_another known": "restate",
        "tracker_of_another elsewhere": "tracker_of_another",  # before another_tracker
    },
    "another_tracker": {
        "elsewhere attributed was_new": "create",
        "elsewhere attributed": "another_tracker",
        "elsewhere was_new": "another_tracker",
        "elsewhere known": "restate",
        "elsewhere attributed before_ledger": "another_tracker",  # before older_than_the_ledger
        "elsewhere": "another_tracker",
    },
    "older_than_the_ledger": {
        "attributed before_ledger was_new": "older_than_the_ledger",
        "attributed before_ledger": "older_than_the_ledger",
        "attributed before_ledger untouched": "older_than_the_ledger",
        "before_ledger untouched": "nobody_brought_it",
        "before_ledger cancelled": "older_than_the_ledger",
        "cancelled": "nobody_brought_it",
        "before_ledger": "older_than_the_ledger",  # and so before nobody_brought_it
        "known before_ledger was_new": "restate",
        "attributed before_ledger was_new cancelled": "older_than_the_ledger",
    },
    "nobody_brought_it": {
        "": "nobody_brought_it",
        "was_new": "nobody_brought_it",
        "attributed": "unknown_to_cj",
        "known": "restate",
        "was_new cancelled": "nobody_brought_it",  # before never_sent
    },
    "never_sent": {
        "attributed was_new cancelled": "never_sent",
        "attributed cancelled": "unknown_to_cj",
        "attributed was_new": "create",
        "known attributed was_new cancelled": "cancel",
        "attributed was_new cancelled attempts_used": "never_sent",  # before created_in_vain
    },
    "created_in_vain": {
        "attributed was_new attempts_used": "created_in_vain",  # and so before create
        "attributed attempts_used": "created_in_vain",
        "attributed was_new attempts_used ids_hardly_meet": "created_in_vain",  # before another_id
        "known attempts_used": "sent_in_vain",
    },
    "another_id": {
        "attributed was_new ids_hardly_meet": "another_id",  # and so before create
        "attributed ids_hardly_meet": "unknown_to_cj",
        "known attributed was_new ids_hardly_meet": "restate",
        "was_new ids_hardly_meet": "nobody_brought_it",
        "attributed was_new cancelled ids_hardly_meet": "never_sent",
    },
    "create": {
        "attributed was_new": "create",  # and so before unknown_to_cj
        "known attributed was_new": "restate",
    },
    "unknown_to_cj": {
        "attributed": "unknown_to_cj",
        "attributed last_accepted same_as_last last_matched": "unknown_to_cj",  # before matched_before
    },
    "matched_before": {
        ARRIVED: "matched_before",
        "known same_as_last last_matched": "restate",
        "known last_accepted last_matched": "restate",
        "known last_accepted same_as_last": "restate",
        f"{ARRIVED} to_accept": "matched_before",
        f"{ARRIVED} last_is_create": "matched_before",
        f"{ARRIVED} to_accept last_is_create": "restate",
        f"{ARRIVED} held_so": "matched_before",  # before held_already
    },
    "reason_lost_before": {
        REASON_LOST: "reason_lost_before",
        "known same_as_last last_reason_lost": "restate",
        "known last_accepted last_reason_lost": "restate",
        f"{REASON_LOST} to_accept": "restate",
        f"{REASON_LOST} last_matched": "matched_before",
        f"{REASON_LOST} held_so": "reason_lost_before",  # before held_already
        f"{REASON_LOST} locked": "reason_lost_before",  # before locked
    },
    "held_already": {
        "known held_so": "held_already",
        "known held_so on_its_way": "restate",
        "known held_so last_accepted": "restate",
        "known held_so last_accepted same_as_last": "held_already",
        "known held_so last_accepted last_missing": "held_already",
        "known held_so last_accepted cancelled": "held_already",
        "known held_so cancelled": "held_already",
        "known held_so on_its_way last_accepted cancelled": "cancel",
        "known held_so on_its_way last_accepted last_missing": "restate",
        "known last_accepted last_missing": "restate",
        "known last_accepted cancelled": "cancel",
        "known held_so closed": "held_already",  # before closed
    },
    "closed": {"known closed": "closed", "known closed locked": "closed"},  # before locked
    "locked": {"known locked": "locked", "known locked held_cancelled": "locked"},  # before held_as_cancelled
    "held_as_cancelled": {
        "known held_cancelled": "held_as_cancelled",
        f"known held_cancelled {SENT} last_is_cancel": "held_as_cancelled",  # before cancellation_on_its_way
    },
    "cancellation_on_its_way": {
        f"known {SENT} last_is_cancel": "cancellation_on_its_way",
        "known last_is_cancel": "restate",
        f"known {SENT}": "restate",
        f"known {SENT} last_is_cancel pays_nothing": "cancellation_on_its_way",  # before pays_nothing
    },
    "pays_nothing": {"known pays_nothing": "pays_nothing", "known pays_nothing attempts_used": "pays_nothing"},  # before sent_in_vain
    "sent_in_vain": {"known attempts_used": "sent_in_vain", "known attempts_used open_ended": "sent_in_vain"},  # before status_required
    "status_required": {
        "known open_ended": "status_required",
        "known": "restate",
        "known open_ended cancelled": "cancel",
        "known open_ended status_given": "restate",
        "known open_ended status_set": "restate",
    },
    "status_not_allowed": {
        "known locking_unsaid cancelled status_given": "status_not_allowed",
        "known cancelled status_given": "cancel",
        "known locking_unsaid status_given": "restate",
        "known locking_unsaid cancelled": "cancel",
        "known locking_unsaid cancelled status_given discount_would_go": "status_not_allowed",  # before discount_would_go
    },
    "discount_would_go": {
        "known discount_would_go": "discount_would_go",
        "known discount_would_go items_would_go": "discount_would_go",  # before items_would_go
    },
    "items_would_go": {
        "known items_would_go": "items_would_go",
        "known items_would_go coupon_would_go": "items_would_go",
    },  # before coupon_would_go
    "coupon_would_go": {"known coupon_would_go": "coupon_would_go", "known coupon_would_go cancelled": "coupon_would_go"},  # before cancel
    "cancel": {"known cancelled": "cancel", "known": "restate"},
    "restate": {"known": "restate", "known attributed was_new": "restate"},
}
"""Rule, then what is true, and the rule that decides."""

DOES = {
    "call_unsettled": "skip waiting", "same_on_its_way": "skip unchanged", "cancellation_sent": "skip waiting", "stale_state": "hold stale_state",
    "create_on_its_way": "skip waiting", "tracker_of_another": "hold wrong_action_tracker", "another_tracker": "hold wrong_action_tracker", "nobody_brought_it": "skip not_in_cj",
    "older_than_the_ledger": "hold not_in_cj", "never_sent": "skip never_sent", "created_in_vain": "hold unknown", "another_id": "hold duplicate", "create": "create",
    "unknown_to_cj": "hold not_in_cj", "matched_before": "skip unchanged", "reason_lost_before": "skip unchanged", "held_already": "skip unchanged", "closed": "hold closed",
    "locked": "hold locked", "held_as_cancelled": "hold not_commissionable", "cancellation_on_its_way": "skip waiting",
    "pays_nothing": "hold not_commissionable", "sent_in_vain": "hold the last verdict's reason, or unknown", "status_required": "hold status_required",
    "status_not_allowed": "hold status_not_allowed", "discount_would_go": "hold discount", "items_would_go": "hold items",
    "coupon_would_go": "hold coupon", "cancel": "cancel", "restate": "restate", "account_away": "skip waiting", "taken_over": "skip superseded",
}  # fmt: skip
"""What is done with an order that a rule decides, and the word in the table."""


class Asked(NamedTuple):
    rule: str
    facts: str
    decides: str


ALL = [Asked(rule, facts, decides) for rule, cases in CASES.items() for facts, decides in cases.items()]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Every case asked at once."""
    place = WarehouseLocation("duckdb", path=str(Path(tmp_path_factory.mktemp("rules")) / "w.duckdb"))
    found = decided(place, [true(case.facts) for case in ALL])
    yield {case.facts: row["rule"] for case, row in zip(ALL, found, strict=True)}


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.rule}: {case.facts or 'nothing is so'}")
def test_of_these_facts_this_rule_decides(answers: dict[str, Any], case: Asked) -> None:
    assert answers[case.facts] == case.decides


def test_every_rule_has_its_cases_and_is_decided_by_one(answers: dict[str, Any]) -> None:
    ids = [rule.id for rule in RULES]
    assert list(CASES) == ids
    assert all(rule in cases.values() for rule, cases in CASES.items())
    assert {fact for case in ALL for fact in case.facts.split()} == set(FACTS)


def test_either_warehouse_decides_alike(location: WarehouseLocation) -> None:
    assert [row["rule"] for row in decided(location, [true(case.facts) for case in ALL])] == [case.decides for case in ALL]


def test_each_rule_does_one_thing() -> None:
    def told(rule: Any) -> str:
        word = rule.operation or (f"skip {rule.skip}" if rule.skip else f"hold {rule.hold}")
        return f"hold the last verdict's reason, or {rule.hold}" if rule.reason_of_last_verdict else str(word)

    assert {rule.id: told(rule) for rule in (*RULES, ACCOUNT_AWAY, TAKEN_OVER)} == DOES


def test_the_facts_have_the_columns_that_are_given_here(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        assert columns_given(session, filled("plan_facts")) == set(PLAN_COLUMNS)


# -- what goes with an order ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "status", "setting", "sent"),
    [
        ("attributed was_new", "Accepted", None, "Accepted"),
        ("attributed was_new", None, "Pending", None),
        ("known open_ended cancelled status_given", "Accepted", None, "Declined"),
        ("known open_ended cancelled", None, None, "Declined"),
        ("known open_ended status_given", "Accepted", "Pending", "Accepted"),
        ("known open_ended status_set", None, "Pending", "Pending"),
        ("known locking_unsaid status_given", "Pending", None, "Pending"),
        ("known locking_unsaid", None, "Pending", None),
        ("known status_given", "Pending", "Pending", None),
        ("known cancelled status_given", "Declined", None, None),
    ],
)
def test_the_status_that_goes_with_an_order_is_certain_where_locking_is_open_ended_and_left_out_where_it_is_not(
    location: WarehouseLocation, facts: str, status: str | None, setting: str | None, sent: str | None
) -> None:
    (row,) = decided(location, [true(facts) | {"status": status}], setting)
    assert row["status"] == sent


def test_an_order_keeps_its_figures_and_its_attempt_is_one_more(location: WarehouseLocation) -> None:
    cases = [
        true("known") | {"attempts": 2, "at_stake": "4.00", "verdict_reason": "amount"},
        true("known"),
    ]
    first, second = decided(location, cases)
    assert (first["attempt"], second["attempt"], first["at_stake"], first["verdict_reason"]) == (3, 1, 4, "amount")
