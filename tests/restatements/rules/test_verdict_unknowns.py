"""What the verdicts make of what is not known: half a pair, a record set aside, items CJ does not report, another action's record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.restatements.rules.ground import HOUR, SECOND, SENT, UPDATED, Ground

ARRIVED = SENT + HOUR
"""When CJ posted what was sent."""
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
    assert (found["items_differ"], found["shows_state_before"]) == (differ, not differ)


def test_a_record_posted_once_is_told_without_the_items_that_cj_does_not_report(ground: Ground) -> None:
    ground.sent(**BEFORE).sent(items_mark=7).record(reading=0).record(posting_date=ARRIVED)
    assert newest(ground)["posted_once"] is True


@pytest.mark.parametrize("kind", ["bonus", "click", "imp", "perf_inc"])
def test_a_record_that_is_no_action_of_the_order_is_no_news_of_it(ground: Ground, kind: str) -> None:
    ground.sent().record().record(action_type=kind, posting_date=ARRIVED, locking_date=SENT, action_status="closed")
    found = facts(ground)
    assert [name for name in ("new_line", "line_since_first", "closed", "locked", "amount_differs") if found[name]] == []
