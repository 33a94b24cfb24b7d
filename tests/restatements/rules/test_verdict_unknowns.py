"""What the verdicts make of what is not known: half a pair, a record set aside, items CJ does not report, another action's record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.restatements.rules.ground import ARRIVED, HOUR, SECOND, SENT, UPDATED, Ground

REVERSED = {"sale_amount": "-100.00", "adv_commission_amount": "-8.00", "cj_fee": "-2.00", "posting_date": ARRIVED}


def facts(ground: Ground, **other: Any) -> dict[str, Any]:
    """Of the one state that is to be judged."""
    (row,) = ground.to_judge().verdicts(**other)
    return row


BEFORE: dict[str, Any] = {"updated_at": UPDATED - HOUR, "submitted_at": SENT - HOUR, "amount": "80.00", "payload_hash": "before"}


def newest(ground: Ground, **other: Any) -> dict[str, Any]:
    return ground.to_judge(**other).verdicts()[-1]


@pytest.mark.parametrize("second_half", [False, True])
@pytest.mark.parametrize(("ago", "shown"), [(HOUR, True), (36 * HOUR - SECOND, True), (36 * HOUR, False)])
def test_half_of_a_pair_is_shown_until_both_halves_would_be_seen(ground: Ground, ago: timedelta, shown: bool, second_half: bool) -> None:
    now = SENT + 2 * HOUR
    ground.sent().record().record(**REVERSED | {"posting_date": now - ago})
    if second_half:
        ground.record(sale_amount="0", posting_date=now - ago)
    assert facts(ground)["half_shown"] is (shown and not second_half)


@pytest.mark.parametrize(
    "last", [{"sale_amount": "-99.99"}, {"sale_amount": "-100.00", "order_discount": "1.00"}, {"sale_amount": "-100.00", "items_mark": 7}]
)
def test_what_does_not_take_all_of_it_back_is_no_half(ground: Ground, last: dict[str, Any]) -> None:
    ground.sent().record().record(**{"posting_date": ARRIVED} | last)
    assert facts(ground)["half_shown"] is False


@pytest.mark.parametrize(
    ("aside", "doubt"),
    [({}, True), ({"action_tracker_id": None}, True), ({"action_tracker_id": 402}, False), ({"order_id": "p"}, False), ({"advertiser_id": "9"}, False), ({"kept": True}, False), ({"commission_id": "1"}, False), ({"commission_id": None}, True)],
)  # fmt: skip
def test_it_is_in_doubt_while_a_record_of_it_is_set_aside(ground: Ground, aside: dict[str, Any], doubt: bool) -> None:
    assert facts(ground.sent().record().set_aside(**aside))["in_doubt"] is doubt


@pytest.mark.parametrize(("advertisers", "of_another"), [((), False), (("2",), False), (("9",), True), (("2", "9"), False)])
def test_a_tracker_is_known_of_this_account_or_of_another(ground: Ground, advertisers: tuple[str, ...], of_another: bool) -> None:
    for advertiser in advertisers:
        ground.tracker(advertiser_id=advertiser)
    found = facts(ground.sent().tracker(advertiser_id="9", action_tracker_id=402))
    assert (found["tracker_known"], found["tracker_of_another"]) == ("2" in advertisers, of_another)


@pytest.mark.parametrize(("with_items", "differ"), [((), False), ((0,), False), ((0, 1), True)])
def test_items_are_asked_for_where_cj_was_seen_to_report_them(ground: Ground, with_items: tuple[int, ...], differ: bool) -> None:
    for reading, count in enumerate(with_items):
        ground.tracker(reading=reading, with_items=count)
    ground.sent(**BEFORE | {"items_mark": 5, "amount": "100.00"}).sent(items_mark=7).record(reading=0)
    ground.record(**REVERSED).record(posting_date=ARRIVED)
    found = newest(ground)
    assert (found["items_differ"], found["shows_state_before"]) == (differ, True)


@pytest.mark.parametrize(("since", "differ"), [(2, True), (3, True), (4, False)])
def test_items_are_not_asked_for_of_what_was_read_before_cj_reported_any(ground: Ground, since: int, differ: bool) -> None:
    ground.tracker(reading=1, with_items=0).tracker(reading=since).tracker(reading=since + 2)
    ground.sent(**BEFORE | {"items_mark": 5, "amount": "100.00"}).sent(items_mark=7).record(reading=0)
    ground.record(**REVERSED | {"reading": 3}).record(posting_date=ARRIVED, reading=3)
    assert newest(ground)["items_differ"] is differ


def test_a_record_posted_once_is_told_without_the_items_that_cj_does_not_report(ground: Ground) -> None:
    ground.sent(**BEFORE).sent(items_mark=7).record(reading=0).record(posting_date=ARRIVED)
    assert newest(ground)["posted_once"] is True


@pytest.mark.parametrize("kind", ["bonus", "click", "imp", "perf_inc"])
def test_a_record_that_is_no_action_of_the_order_is_no_news_of_it(ground: Ground, kind: str) -> None:
    ground.sent().record().record(action_type=kind, posting_date=ARRIVED, locking_date=SENT, action_status="closed")
    found = facts(ground)
    assert [name for name in ("new_line", "line_since_first", "closed", "locked", "amount_differs") if found[name]] == []


@pytest.mark.parametrize(
    ("records", "shown"),
    [
        (["100.00", "-80.00", "60.00"], True),  # the pair before is hidden
        (["100.00", "-100.00", "-80.00", "60.00"], True),  # half of it is
        (["100.00", "-100.00", "-80.00"], True),
        (["100.00", "-100.00", "60.00"], False),
        (["100.00", "-20.00"], False),  # a correction by file
        (["100.00", "-20.00", "-80.00", "60.00"], False),
        (["100.00", "0"], True),  # restated to nothing, and what takes back the rest is hidden
        (["-80.00"], True),
        (["100.00"], False),
        (["0.50"], False),
        (["0"], False),
        ([], False),
    ],
)
def test_what_can_be_seen_adds_up_where_the_newest_state_is_the_sum(ground: Ground, records: list[str], shown: bool) -> None:
    ground.sent()
    for turn, amount in enumerate(records):
        ground.record(sale_amount=amount, posting_date=SENT + turn * SECOND)
    assert facts(ground)["half_shown"] is shown


def test_of_an_order_that_cj_does_not_know_nothing_is_true_but_that_it_was_sent(ground: Ground) -> None:
    found = facts(ground.sent())
    assert {name for name, value in found.items() if value is True} == {"newest_state", "is_restate", "hour_over"}


def test_a_record_without_an_amount_does_not_say_that_nothing_has_become_of_it(ground: Ground) -> None:
    ground.sent(amount="80.00").record(reading=0).record(sale_amount=None, posting_date=ARRIVED)
    assert facts(ground)["shows_state_before"] is False


@pytest.mark.parametrize(("again", "shows"), [("100.00", True), ("99.99", False), (None, False)])
def test_what_was_taken_back_and_posted_again_is_no_proof_against_a_state(ground: Ground, again: str | None, shows: bool) -> None:
    ground.sent(amount="80.00").record(reading=0).record(**REVERSED)
    if again:
        ground.record(sale_amount=again, posting_date=ARRIVED)
    assert facts(ground)["shows_state_before"] is shows


EARLIEST = SENT - timedelta(minutes=5)
"""What CJ posted from then on may be of what was sent: clocks differ."""


@pytest.mark.parametrize(
    ("record", "posted"),
    [
        ({}, True),
        ({"reading": 0}, False),
        ({"reading": None}, False),
        ({"posting_date": EARLIEST}, True),
        ({"posting_date": EARLIEST - SECOND}, False),
    ],
)
def test_beside_other_news_a_record_of_just_this_state_must_be_news_itself(ground: Ground, record: dict[str, Any], posted: bool) -> None:
    ground.sent(amount="60.00").record(reading=0).record(sale_amount="80.00", posting_date=ARRIVED)
    ground.record(**{"sale_amount": "60.00", "posting_date": ARRIVED} | record)
    found = newest(ground)
    assert (found["posted_once"], found["posted_since_last"]) == (posted, posted)


@pytest.mark.parametrize("others", [(), (2,), (2, 4)])
def test_of_all_records_of_just_this_state_one_since_it_was_sent_again_is_enough(ground: Ground, others: tuple[int, ...]) -> None:
    ground.sent(submitted_at=SENT - 3 * HOUR).sent(attempt=2, known_reading=2).record(reading=0)
    for reading in (*others, 3):
        ground.record(reading=reading, posting_date=ARRIVED)
    assert newest(ground)["posted_since_last"] is True


@pytest.mark.parametrize(
    ("reading", "posted", "since"),
    [(3, ARRIVED, True), (2, ARRIVED, False), (3, SENT - HOUR, False), (3, EARLIEST, True), (3, EARLIEST - SECOND, False)],
)
def test_a_state_that_posted_once_may_not_have_posted_since_it_was_sent_again(
    ground: Ground, reading: int, posted: Any, since: bool
) -> None:
    ground.sent(submitted_at=SENT - 3 * HOUR).sent(attempt=2, known_reading=2).record(reading=0)
    ground.record(reading=reading, posting_date=posted)
    found = newest(ground)
    assert (found["posted_once"], found["posted_since_last"]) == (True, since)
