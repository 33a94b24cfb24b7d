"""What the plan makes of what is not known: a commission CJ does not say, half a pair, a record set aside, another action's record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.restatements.rules.ground import HOUR, SECOND, SENT, Ground

NOTHING = {"sale_amount": "-100.00", "order_discount": "0", "adv_commission_amount": "-8.00", "cj_fee": "-2.00"}


def facts(ground: Ground, **other: Any) -> dict[str, Any]:
    (row,) = ground.plan(**other)
    return row


@pytest.mark.parametrize("second_half", [False, True])
@pytest.mark.parametrize(("since", "shown"), [(HOUR, True), (36 * HOUR - SECOND, True), (36 * HOUR, False)])
def test_a_reversal_without_the_new_state_is_no_cancellation_until_both_would_be_seen(
    ground: Ground, since: timedelta, shown: bool, second_half: bool
) -> None:
    ground.order(change_type="cancelled").record().record(**NOTHING, posting_date=SENT - since)
    if second_half:
        ground.record(sale_amount="0", posting_date=SENT - since)
    found = facts(ground)
    assert (found["held_so"], found["held_cancelled"]) == (second_half or not shown, second_half or not shown)


def test_half_of_a_second_pair_is_no_cancellation_either(ground: Ground) -> None:
    ground.order().record().record(**NOTHING).record(sale_amount="60.00").record(sale_amount="-60.00", posting_date=SENT)
    assert facts(ground)["held_cancelled"] is False


@pytest.mark.parametrize("said", [{"adv_commission_amount": None}, {"cj_fee": None}, {"adv_commission_amount": None, "cj_fee": None}])
def test_a_commission_that_cj_does_not_say_is_not_a_commission_of_nothing(ground: Ground, said: dict[str, Any]) -> None:
    ground.order().record(**{"adv_commission_amount": "0", "cj_fee": "0"} | said)
    found = facts(ground)
    assert (found["pays_nothing"], found["held_so"]) == (False, True)


OTHERS = ("bonus", "click", "imp", "perf_inc", "sim_lead", "item_lead")


@pytest.mark.parametrize("kind", OTHERS)
def test_a_record_of_another_action_is_no_part_of_the_sale(ground: Ground, kind: str) -> None:
    ground.order().record()
    other = {
        "action_status": "closed",
        "coupon": "TEN",
        "items_mark": 7,
        "order_discount": "5.00",
        "locking_method": "OPEN_ENDED",
        "validation_status": "PENDING",
    }
    ground.record(action_type=kind, posting_date=SENT, locking_date=SENT, adv_commission_amount="50.00", **other)
    found = facts(ground, process_by=SENT + HOUR)
    assert [n for n in ("closed", "locked", "coupon_would_go", "items_would_go", "discount_would_go", "open_ended") if found[n]] == []
    assert found["held_so"] is True


@pytest.mark.parametrize("kind", OTHERS)
def test_a_lead_alone_is_the_order_and_a_bonus_alone_is_none(ground: Ground, kind: str) -> None:
    ground.order().record(action_type=kind)
    assert facts(ground)["known"] is kind.endswith("lead")


@pytest.mark.parametrize(("advertisers", "of_another"), [((), False), (("2",), False), (("9",), True), (("2", "9"), False)])
def test_a_tracker_is_of_another_where_cj_has_it_of_that_account_alone(
    ground: Ground, advertisers: tuple[str, ...], of_another: bool
) -> None:
    for advertiser in advertisers:
        ground.tracker(advertiser_id=advertiser).tracker(advertiser_id=advertiser, reading=2)
    ground.order().tracker(advertiser_id="9", action_tracker_id=402)
    assert facts(ground)["tracker_of_another"] is of_another


@pytest.mark.parametrize(
    ("aside", "doubt"),
    [
        ({}, True),
        ({"action_tracker_id": None}, True),
        ({"action_tracker_id": 402}, False),
        ({"order_id": "p"}, False),
        ({"advertiser_id": "9"}, False),
        ({"kept": True}, False),
        ({"commission_id": "1"}, False),  # a later reading has brought it
        ({"commission_id": None}, True),
    ],
)
def test_what_cj_holds_is_in_doubt_while_a_record_of_it_is_set_aside(ground: Ground, aside: dict[str, Any], doubt: bool) -> None:
    ground.order().record().set_aside(**aside)
    assert facts(ground)["held_so"] is not doubt
    ground.session.execute("UPDATE cj.plan_input SET change_type = 'cancelled'")
    ground.record(**NOTHING)
    found = facts(ground)
    assert (found["held_so"], found["held_cancelled"], found["known"]) == (not doubt, not doubt, True)


def test_an_order_whose_only_record_was_set_aside_is_known_to_cj(ground: Ground) -> None:
    ground.order().set_aside()
    found = facts(ground)
    assert (found["known"], found["held_so"], found["at_stake"]) == (True, False, None)


@pytest.mark.parametrize(("with_items", "so"), [((0,), True), ((1,), False), ((0, 1), False), ((), True)])
def test_items_are_asked_for_where_cj_was_seen_to_report_them(ground: Ground, with_items: tuple[int, ...], so: bool) -> None:
    for reading, count in enumerate(with_items):
        ground.tracker(reading=reading, with_items=count)
    ground.order(items_mark=7, has_items=True).record()
    assert facts(ground)["held_so"] is so


@pytest.mark.parametrize(("since", "so"), [(2, False), (3, False), (4, True)])
def test_items_are_not_asked_for_of_what_was_read_before_cj_reported_any(ground: Ground, since: int, so: bool) -> None:
    ground.tracker(reading=1, with_items=0).tracker(reading=since).tracker(reading=since + 2)
    ground.order(items_mark=7, has_items=True).record(reading=2).record(reading=3, sale_amount="0", order_discount="0")
    assert facts(ground)["held_so"] is so


@pytest.mark.parametrize(
    ("status", "reason", "read", "lost"),
    [
        ("mismatched", "correction_reason", 3, True),
        ("mismatched", "correction_reason", 4, False),
        ("mismatched", "validation_status", 3, False),
        ("mismatched", None, 3, False),
        ("missing", "correction_reason", 3, False),
    ],
)
def test_a_reason_that_was_lost_is_known_until_a_record_is_read_that_its_verdict_did_not_see(
    ground: Ground, status: str, reason: str | None, read: int, lost: bool
) -> None:
    ground.order().sent().verdict(status=status, reason=reason, reading=3).record(reading=read)
    assert facts(ground)["last_reason_lost"] is lost


def test_a_reason_that_was_lost_is_known_while_no_record_is_read_at_all(ground: Ground) -> None:
    ground.order().sent().verdict(status="mismatched", reason="correction_reason")
    assert facts(ground)["last_reason_lost"] is True
