"""Each rule of the verdicts from bare facts: where it holds, what holds when one of its facts is not so, and that it is asked before its neighbour."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from include.restatements.rules.verdicts import DIFFERENCES, FACTS, MISSING, STATUSES, facts_sql
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.rules.bare_facts import VERDICT_COLUMNS, columns_given, judged, true

POSTED = "newest_state known new_line line_since_first hour_over"
LOST = "newest_state known hour_over deadline_over"
DIFFERS = ("amount_differs", "discount_differs", "items_differ", "coupon_differs", "correction_reason_differs", "validation_status_differs")

DIFFERENCE_CASES: dict[str, str] = {
    f"{POSTED} {fact}": f"mismatched {reason}"
    for fact, reason in zip(DIFFERS, ("amount", "discount", "items", "coupon", "correction_reason", "validation_status"), strict=True)
} | {
    # Each before its neighbour.
    f"{POSTED} amount_differs discount_differs": "mismatched amount",
    f"{POSTED} discount_differs items_differ": "mismatched discount",
    f"{POSTED} items_differ coupon_differs": "mismatched items",
    f"{POSTED} coupon_differs correction_reason_differs": "mismatched coupon",
    f"{POSTED} correction_reason_differs validation_status_differs": "mismatched correction_reason",
}

MISSING_CASES: dict[str, str] = {
    "newest_state hour_over deadline_over elsewhere": "missing wrong_action_tracker",
    f"{LOST} elsewhere amount_differs": "missing unknown",
    "newest_state hour_over deadline_over tracker_of_another": "missing wrong_action_tracker",
    "newest_state hour_over deadline_over tracker_of_another is_create": "missing wrong_action_tracker",
    f"{LOST} tracker_of_another amount_differs": "missing unknown",
    # An order of its own under each of two trackers of one account: that CJ has the other explains nothing.
    "newest_state hour_over deadline_over elsewhere is_create": "missing wrong_action_tracker",
    "newest_state hour_over deadline_over elsewhere is_create tracker_known": "missing unknown",
    "newest_state hour_over deadline_over elsewhere tracker_known": "missing wrong_action_tracker",
    f"{LOST} is_create posted_before amount_differs": "missing duplicate",
    f"{LOST} is_create amount_differs": "missing unknown",
    f"{LOST} posted_before amount_differs": "missing unknown",
    "newest_state hour_over deadline_over is_create posted_before": "missing unknown",
    "newest_state hour_over deadline_over is_create": "missing unknown",  # before not_in_cj
    "newest_state hour_over deadline_over": "missing not_in_cj",
    "newest_state hour_over deadline_over closed": "missing not_in_cj",  # before closed
    f"{LOST} is_create closed amount_differs": "missing unknown",
    f"{LOST} closed amount_differs": "missing closed",
    f"{LOST} closed locked amount_differs": "missing closed",  # before locked
    f"{LOST} locked amount_differs": "missing locked",
    f"{LOST} locked pays_nothing amount_differs": "missing locked",  # before pays_nothing
    f"{LOST} pays_nothing amount_differs": "missing not_commissionable",
    f"{LOST} is_restate held_nothing amount_differs": "missing not_commissionable",
    f"{LOST} is_cancel held_nothing amount_differs": "missing unknown",
    f"{LOST} is_restate amount_differs": "missing unknown",
    f"{LOST} is_restate held_nothing nothing_before amount_differs": "missing unknown",
    f"{LOST} is_restate held_nothing open_ended amount_differs": "missing not_commissionable",  # before status_required
    f"{LOST} open_ended amount_differs": "missing status_required",
    f"{LOST} open_ended status_given amount_differs": "missing unknown",
    f"{LOST} is_cancel locks_by_itself status_given amount_differs": "missing status_not_allowed",
    f"{LOST} locks_by_itself status_given amount_differs": "missing unknown",
    f"{LOST} is_cancel status_given amount_differs": "missing unknown",
    f"{LOST} is_cancel locks_by_itself amount_differs": "missing unknown",
    f"{LOST} amount_differs": "missing unknown",
}

STATUS_CASES: dict[str, str] = {
    "known new_line line_since_first hour_over": "superseded",  # before posted_as_sent
    "": "superseded",
    POSTED: "matched",
    "newest_state known line_since_first": "matched",
    "newest_state known": "awaiting",
    "newest_state known is_create": "matched",
    "newest_state known is_restate": "awaiting",
    "newest_state is_create": "awaiting",
    "newest_state known is_create amount_differs": "awaiting",
    "newest_state known line_since_first amount_differs": "awaiting",
    "newest_state known new_line line_since_first amount_differs": "awaiting",  # before posted_otherwise
    f"{POSTED} amount_differs": "mismatched amount",
    f"{POSTED} amount_differs deadline_over": "mismatched amount",
    f"{POSTED} amount_differs shows_state_before": "late",
    f"{POSTED} amount_differs shows_state_before posted_once posted_since_last": "mismatched amount",
    f"{POSTED} amount_differs shows_state_before posted_once": "late",
    f"{POSTED} amount_differs shows_state_before posted_once deadline_over": "mismatched amount",
    f"{POSTED} amount_differs shows_state_before deadline_over": "missing unknown",
    f"{POSTED} amount_differs posted_once": "mismatched amount",
    "newest_state known line_since_first hour_over deadline_over posted_once coupon_differs": "mismatched coupon",
    f"{POSTED} amount_differs is_create": "mismatched amount",
    f"{POSTED} amount_differs posted_before": "mismatched amount",
    f"{POSTED} amount_differs is_create posted_before": "late",
    "newest_state known line_since_first hour_over amount_differs": "late",
    f"{POSTED} half_shown": "late",
    f"{POSTED} in_doubt": "late",
    f"{POSTED} in_doubt deadline_over": "late",
    "newest_state known line_since_first in_doubt": "awaiting",
    "newest_state known is_create half_shown": "awaiting",
    f"{POSTED} amount_differs half_shown": "late",
    f"{POSTED} amount_differs posted_once in_doubt": "late",
    f"{POSTED} correction_reason_differs in_doubt deadline_over": "late",
    f"{LOST} in_doubt": "late",
    "newest_state hour_over deadline_over half_shown": "late",
    f"{POSTED} correction_reason_differs shows_state_before": "late",  # before reason_lost
    f"{POSTED} correction_reason_differs shows_state_before deadline_over": "mismatched correction_reason",
    f"{LOST} correction_reason_differs": "missing unknown",
    f"{POSTED} coupon_differs shows_state_before deadline_over": "missing unknown",
    LOST: "matched",
    f"{LOST} new_line shows_state_before": "matched",
    f"{LOST} is_cancel held_nothing": "matched",
    f"{LOST} closed": "matched",
    f"{LOST} coupon_differs": "missing unknown",
    f"{LOST} converted": "missing unknown",
    f"{LOST} converted untouched": "matched",
    f"{LOST} converted untouched amount_unchecked": "missing unknown",
    f"{LOST} converted untouched amount_differs": "missing unknown",
    f"{LOST} half_shown": "late",
    "newest_state known hour_over": "late",
    "newest_state elsewhere is_create tracker_known hour_over deadline_over amount_differs": "missing unknown",
    f"{POSTED} coupon_differs correction_reason_differs shows_state_before deadline_over": "missing unknown",
    f"{POSTED} may_be_state_before": "late",
    f"{POSTED} may_be_state_before converted deadline_over": "missing unknown",
    f"{POSTED} coupon_differs may_be_state_before": "late",
    f"{POSTED} coupon_differs may_be_state_before posted_since_last": "mismatched coupon",
    f"{POSTED} correction_reason_differs may_be_state_before shows_state_before deadline_over": "missing unknown",
}
"""What is true, and the status with its reason."""


class Asked(NamedTuple):
    about: str
    facts: str
    told: str


ALL = [
    Asked(about, facts, told)
    for about, cases in (("difference", DIFFERENCE_CASES), ("missing", MISSING_CASES), ("status", STATUS_CASES))
    for facts, told in cases.items()
]


def told_of(row: dict[str, Any]) -> str:
    return " ".join(filter(None, (row["status"], row["reason"])))


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Every case asked at once."""
    place = WarehouseLocation("duckdb", path=str(Path(tmp_path_factory.mktemp("rules")) / "w.duckdb"))
    found = judged(place, [true(case.facts) for case in ALL])
    yield {case.facts: told_of(row) for case, row in zip(ALL, found, strict=True)}


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.about}: {case.facts or 'nothing is so'}")
def test_of_these_facts_this_is_the_verdict(answers: dict[str, str], case: Asked) -> None:
    assert answers[case.facts] == case.told


def test_either_warehouse_judges_alike(location: WarehouseLocation) -> None:
    assert [told_of(row) for row in judged(location, [true(case.facts) for case in ALL])] == [case.told for case in ALL]


def test_every_word_and_every_fact_has_its_cases() -> None:
    assert {f"mismatched {rule.word}" for rule in DIFFERENCES} == set(DIFFERENCE_CASES.values())
    assert {f"missing {rule.word}" for rule in MISSING} == set(MISSING_CASES.values())
    assert {rule.word for rule in STATUSES} == {told.split()[0] for told in STATUS_CASES.values()}
    assert {fact for case in ALL for fact in case.facts.split()} == set(FACTS)


def test_the_facts_have_the_columns_that_are_given_here(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        assert columns_given(session, facts_sql()) == set(VERDICT_COLUMNS)


# -- the money of a verdict: 100.00 held, a commission of 8.00, a fee of 2.00 ----------------------------------------------------------------

HELD: dict[str, object] = {"held_sale_amount": "100.00", "held_discount": "0.00", "commission": "8.00", "cj_fee": "2.00", "share": "0.10"}
BREAK = true(f"{LOST} amount_differs")


def to(amount: str, **more: object) -> dict[str, object]:
    return BREAK | HELD | {"amount": amount, "sale_amount": amount} | more


GONE = to("60.00", sale_amount="0.00", is_cancel=True, operation="cancel")
UNKNOWN = true("newest_state hour_over deadline_over") | {"share": "0.10"}


@pytest.mark.parametrize(
    ("state", "sent", "posted", "difference", "at_risk"),
    [
        (to("60.00"), "60.00", "100.00", "40.00", "4.00"),
        (to("150.00"), "150.00", "100.00", "-50.00", "5.00"),
        (GONE, "0.00", "100.00", "100.00", "10.00"),
        (to("99.94"), "99.94", "100.00", "0.06", "0.01"),
        (to("99.96"), "99.96", "100.00", "0.04", "0.00"),
        # Net: 120.00 before a discount of 20.00, to 80.00 with the same.
        (to("80.00", discount="20.00", sale_amount="60.00", held_discount="20.00"), "80.00", "120.00", "40.00", "4.00"),
        (to("60.00", discount="20.00", held_discount="20.00", commission="6.40", cj_fee="1.60", sale_amount_basis="gross"), "60.00", "100.00", "40.00", "4.00"),
        (to("60.00") | true("converted"), "60.00", None, None, None),
        (GONE | true("converted"), "0.00", "100.00", "100.00", "10.00"),
        (to("60.00") | true("converted") | {"rate_of_others": "1.25"}, "60.00", None, None, "2.50"),
        (to("60.00", commission=None), "60.00", "100.00", "40.00", "4.00"),
        (to("60.00", commission=None, share=None), "60.00", "100.00", "40.00", None),
        (GONE | {"cj_fee": None, "share": "0.20"}, "0.00", "100.00", "100.00", "20.00"),
        # CJ holds nothing of it: what its tracker costs.
        (UNKNOWN | {"amount": "60.00", "sale_amount": "60.00"}, "60.00", None, None, "6.00"),
        (UNKNOWN | {"amount": "60.04", "sale_amount": "60.04"}, "60.04", None, None, "6.00"),
        (UNKNOWN | {"amount": "60.06", "sale_amount": "60.06"}, "60.06", None, None, "6.01"),
        (UNKNOWN | {"amount": "60.00", "sale_amount": "60.00"} | true("converted"), "60.00", None, None, None),
        (UNKNOWN | {"amount": "60.00", "sale_amount": "60.00", "rate_of_others": "1.25"} | true("converted"), "60.00", None, None, "7.50"),
        (UNKNOWN | {"amount": "60.00", "discount": "10.00", "sale_amount": "60.00", "sale_amount_basis": "gross"}, "60.00", None, None, "5.00"),
        (UNKNOWN | {"amount": "60.00", "sale_amount": "60.00", "share": None}, "60.00", None, None, None),
        (to("60.00", held_sale_amount="0.00", commission="0.00", cj_fee="0.00"), "60.00", "0.00", "-60.00", "6.00"),
        (to("60.00", held_sale_amount="0.00", commission="0.00", cj_fee="0.00") | true("converted"), "60.00", None, None, None),
        (GONE | {"held_sale_amount": "0.00", "held_discount": "5.00"}, "0.00", "5.00", "5.00", "0.00"),
        # Settled: nothing is at risk any more.
        (true(POSTED) | HELD | {"amount": "100.00", "sale_amount": "100.00"}, "100.00", "100.00", "0.00", "0.00"),
        (HELD | true("known") | {"amount": "60.00", "sale_amount": "60.00"}, "60.00", "100.00", "40.00", "0.00"),
    ],
)  # fmt: skip
def test_the_money_of_a_verdict(
    location: WarehouseLocation, state: dict[str, object], sent: str, posted: str | None, difference: str | None, at_risk: str | None
) -> None:
    (row,) = judged(location, [state])
    found = [row[name] for name in ("submitted_amount", "posted_amount", "difference", "commission_at_risk")]
    assert [None if value is None else Decimal(str(value)) for value in found] == [
        None if text is None else Decimal(text) for text in (sent, posted, difference, at_risk)
    ]


@pytest.mark.parametrize(
    ("locks", "days"),
    [("2026-03-04 00:00:00+00", 1), ("2026-03-03 23:59:59+00", 0), ("2026-03-03 00:00:00+00", 0), ("2026-03-02 23:59:59+00", -1), (None, None)],
)  # fmt: skip
def test_days_to_lock_are_whole_days(location: WarehouseLocation, locks: str | None, days: int | None) -> None:
    (row,) = judged(location, [to("60.00", locking_date=locks)])
    assert row["days_to_lock"] == days


@pytest.mark.parametrize("unchecked", [True, False])
@pytest.mark.parametrize(("facts", "seen"), [(POSTED, True), (LOST, False)])
def test_a_verdict_says_at_what_rate_it_posted_and_whether_anything_could_check_it(
    location: WarehouseLocation, facts: str, seen: bool, unchecked: bool
) -> None:
    (row,) = judged(location, [true(facts + " converted") | HELD | {"amount": "80", "rate": "1.25", "amount_unchecked": unchecked}])
    assert (row["rate"], row["amount_checked"]) == (1.25 if seen else None, not unchecked)


@pytest.mark.parametrize(
    ("facts", "posted", "band"), [(f"{POSTED} converted", True, True), (f"{LOST} converted is_cancel", False, False), (LOST, False, False)]
)
def test_a_verdict_says_when_it_posted_and_whether_it_is_known_within_the_band_only(
    location: WarehouseLocation, facts: str, posted: bool, band: bool
) -> None:
    (row,) = judged(location, [true(facts) | HELD | {"amount": "1", "sale_amount": "1", "attempts": 2, "currency": "GBP"}])
    assert (row["posted_at"] is not None, row["within_band"], row["attempts"], row["currency"]) == (posted, band, 2, "GBP")
