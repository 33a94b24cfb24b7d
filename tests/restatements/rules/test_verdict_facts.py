"""Each fact of the verdicts from bare rows: at its boundary and on both sides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.restatements.rules.ground import ARRIVED, FAR, HOUR, SECOND, SENT, TOLERANCE, UPDATED, Ground

REVERSED = {"sale_amount": "-100.00", "adv_commission_amount": "-8.00", "cj_fee": "-2.00", "posting_date": ARRIVED}


def facts(ground: Ground, **other: Any) -> dict[str, Any]:
    """Of the one state that is to be judged."""
    (row,) = ground.to_judge().verdicts(**other)
    return row


def corrected(ground: Ground, **to: Any) -> Ground:
    """CJ held 100.00 and posted a reversal and the new state."""
    return ground.record().record(**REVERSED).record(**{"posting_date": ARRIVED} | to)


# -- which states are judged ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "judged"),
    [({}, 1), ({"outcome": "unknown"}, 1), ({"outcome": "rejected"}, 0), ({"mode": "test"}, 0), ({"order_id": "p"}, 0), ({"advertiser_id": "9"}, 0)],
)  # fmt: skip
def test_what_was_sent_live_and_may_have_arrived_is_judged(ground: Ground, other: dict[str, Any], judged: int) -> None:
    assert len(ground.sent(**other).to_judge().verdicts()) == judged


def test_every_state_is_judged_by_its_newest_attempt_and_the_newest_state_is_known(ground: Ground) -> None:
    ground.sent(updated_at=UPDATED - HOUR, submitted_at=SENT - 3 * HOUR).sent(
        updated_at=UPDATED - HOUR, submitted_at=SENT - 2 * HOUR, attempt=2
    )
    ground.sent(payload_hash="newer")
    older, newer = ground.to_judge().verdicts()
    assert [(s["submitted_at"], s["attempts"], s["newest_state"]) for s in (older, newer)] == [(SENT - 2 * HOUR, 2, False), (SENT, 1, True)]


def test_of_two_submissions_of_one_instant_the_later_attempt_is_the_newest(ground: Ground) -> None:
    ground.sent(amount="1.00").sent(amount="2.00", attempt=2)
    ground.sent(order_id="p", updated_at=UPDATED - HOUR).sent(order_id="p", attempt=2, updated_at=UPDATED)
    ground.to_judge().to_judge(order_id="p", advertiser_id="3")
    found = ground.verdicts()
    assert [(s["order_id"], s["amount"]) for s in found if s["order_id"] == "o"] == [("o", 2)]
    assert {s["updated_at"]: s["newest_state"] for s in found if s["order_id"] == "p"} == {UPDATED - HOUR: False, UPDATED: True}


BEFORE: dict[str, Any] = {"updated_at": UPDATED - HOUR, "submitted_at": SENT - HOUR, "amount": "80.00", "payload_hash": "before"}


def newest(ground: Ground, **other: Any) -> dict[str, Any]:
    return ground.to_judge(**other).verdicts()[-1]


def test_attempts_are_counted_by_content_and_begin_anew_after_another(ground: Ground) -> None:
    """A load time as `updated_at` gives each night's row another time, and must not send for ever."""
    for turn, content in enumerate(("this", "other", "this", "this")):
        ground.sent(payload_hash=content, updated_at=UPDATED + turn * HOUR, submitted_at=SENT + turn * HOUR)
    assert [row["attempts"] for row in ground.to_judge().verdicts()] == [1, 1, 1, 2]


ONE_STATE = {"amount": "60.00", "payload_hash": "sixty"}


@pytest.mark.parametrize(
    ("sent", "records", "posted"),
    [
        (ONE_STATE, [{"sale_amount": "60.00"}], True),
        (ONE_STATE, [{"sale_amount": "60.01"}], False),
        (ONE_STATE, [{"sale_amount": "60.00"}, {"sale_amount": "-60.00"}, {"sale_amount": "80.00"}], True),
        (ONE_STATE, [{"sale_amount": "60.00", "coupon": "SPELT-OTHERWISE"}], True),
        (ONE_STATE, [{"sale_amount": "60.00", "items_mark": 7}], False),
        (ONE_STATE, [{"sale_amount": "60.00", "order_discount": "1.00"}], False),
        (ONE_STATE, [{"sale_amount": "60.00", "reading": 0}], False),
        (ONE_STATE, [{"sale_amount": "60.00", "posting_date": SENT - HOUR}], False),
        ({"operation": "cancel", "payload_hash": "none"}, [{"sale_amount": "-100.00"}, {"sale_amount": "0"}], True),
        ({"operation": "cancel", "payload_hash": "none"}, [{"sale_amount": "-100.00"}], False),
    ],
)
def test_a_state_posted_once_where_a_record_of_just_this_state_is_news(
    ground: Ground, sent: dict[str, Any], records: list[dict[str, Any]], posted: bool
) -> None:
    ground.sent(**BEFORE).sent(**sent).record(reading=0)
    for record in records:
        ground.record(**{"posting_date": ARRIVED} | record)
    assert newest(ground)["posted_once"] is posted


def test_one_record_is_not_told_to_be_of_a_state_that_looks_like_the_one_before(ground: Ground) -> None:
    ground.sent(**BEFORE | {"amount": "0"}).sent(operation="cancel", payload_hash="none").record(reading=0)
    ground.record(sale_amount="-100.00", posting_date=ARRIVED).record(sale_amount="0", posting_date=ARRIVED)
    assert newest(ground)["posted_once"] is False


# -- when it posted ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reading", [0, 1, 2])
def test_a_record_that_the_plan_knew_is_no_news_whatever_its_moment(ground: Ground, reading: int) -> None:
    ground.sent(known_reading=1).record(reading=0).record(reading=reading, posting_date=ARRIVED)
    found = facts(ground)
    assert (found["new_line"], found["line_since_first"]) == (reading == 2, reading == 2)


def test_a_record_without_the_number_of_its_reading_was_read_before_there_were_any(ground: Ground) -> None:
    found = facts(ground.sent().record(reading=None, posting_date=ARRIVED))
    assert (found["new_line"], found["line_since_first"]) == (False, False)


SECOND_ATTEMPT: dict[str, Any] = {"attempt": 2, "known_reading": 2}


@pytest.mark.parametrize(
    ("records", "new", "since_first"),
    [
        ([{"reading": 1, "posting_date": ARRIVED}], False, True),
        ([{"reading": 2, "posting_date": ARRIVED}], False, True),
        ([{"reading": 3, "posting_date": ARRIVED}], True, True),
        ([{"reading": 3, "posting_date": SENT - HOUR}], False, True),
        ([{"reading": 3, "posting_date": SENT - 3 * HOUR}], False, False),
        ([{"reading": 1, "posting_date": SENT - HOUR}, {"reading": 3, "posting_date": ARRIVED}], True, True),
    ],
)
def test_what_is_news_to_the_first_attempt_counts_for_the_state(
    ground: Ground, records: list[dict[str, Any]], new: bool, since_first: bool
) -> None:
    ground.sent(submitted_at=SENT - 2 * HOUR).sent(**SECOND_ATTEMPT).record(reading=0)
    for record in records:
        ground.record(**record)
    found = facts(ground)
    assert (found["new_line"], found["line_since_first"]) == (new, since_first)


@pytest.mark.parametrize(("after", "new"), [(-TOLERANCE - SECOND, False), (-TOLERANCE, True), (SECOND, True)])
def test_a_record_is_new_from_the_moment_of_the_intent_within_what_clocks_differ(ground: Ground, after: timedelta, new: bool) -> None:
    ground.sent().record().record(posting_date=SENT + after)
    found = facts(ground)
    assert (found["new_line"], found["line_since_first"]) == (new, new)
    assert found["posted_at"] == SENT + after


def test_a_record_since_the_first_attempt_counts_for_the_state(ground: Ground) -> None:
    ground.sent(submitted_at=SENT - 2 * HOUR).sent(attempt=2).record().record(posting_date=SENT - HOUR)
    found = facts(ground)
    assert (found["new_line"], found["line_since_first"]) == (False, True)


@pytest.mark.parametrize(("first", "before"), [(SENT - SECOND, True), (SENT, False), (SENT + SECOND, False)])
def test_cj_posted_it_before_where_its_first_record_is_older_than_the_call(ground: Ground, first: Any, before: bool) -> None:
    ground.sent().record(posting_date=first).record(posting_date=SENT + HOUR)
    assert facts(ground)["posted_before"] is before


@pytest.mark.parametrize(
    ("waited", "hour", "deadline"),
    [
        (HOUR - SECOND, False, False),
        (HOUR, True, False),
        (36 * HOUR - SECOND, True, False),
        (36 * HOUR, True, True),
    ],
)
def test_the_hour_and_the_deadline_are_over_at_their_moment(ground: Ground, waited: timedelta, hour: bool, deadline: bool) -> None:
    ground.sent()
    found = facts(ground, now=SENT + waited)
    assert (found["hour_over"], found["deadline_over"]) == (hour, deadline)


# -- what CJ holds -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "known", "elsewhere"),
    [
        ({}, True, False),
        ({"action_tracker_id": 402}, False, True),
        ({"advertiser_id": "9"}, False, False),
        ({"order_id": "p"}, False, False),
    ],
)
def test_cj_knows_an_order_of_this_advertiser_and_action_tracker(
    ground: Ground, record: dict[str, Any], known: bool, elsewhere: bool
) -> None:
    ground.sent().record(**record)
    found = facts(ground)
    assert (found["known"], found["elsewhere"]) == (known, elsewhere)


@pytest.mark.parametrize(("operation", "names"), [("create", "is_create"), ("restate", "is_restate"), ("cancel", "is_cancel")])
def test_it_is_known_as_what_it_was_sent(ground: Ground, operation: str, names: str) -> None:
    found = facts(ground.sent(operation=operation).record())
    assert [name for name in ("is_create", "is_restate", "is_cancel") if found[name]] == [names]


@pytest.mark.parametrize(
    ("status", "closed", "locked"), [("new", False, False), ("extended", False, False), ("locked", False, True), ("closed", True, False)]
)
def test_its_records_say_whether_it_is_locked_or_closed(ground: Ground, status: str, closed: bool, locked: bool) -> None:
    ground.sent().record(action_status=status).record()
    found = facts(ground)
    assert (found["closed"], found["locked"]) == (closed, locked)


@pytest.mark.parametrize(("locks", "locked"), [(SENT + 2 * HOUR, True), (SENT + 2 * HOUR + SECOND, False), (None, False)])
def test_it_is_locked_from_its_lock_date_on(ground: Ground, locks: Any, locked: bool) -> None:
    assert facts(ground.sent().record(locking_date=locks))["locked"] is locked


@pytest.mark.parametrize(
    ("method", "open_ended", "by_itself"), [("OPEN_ENDED", True, False), ("FIXED_DATE", False, True), (None, False, False)]
)
def test_how_it_locks_is_read_from_its_records(ground: Ground, method: str | None, open_ended: bool, by_itself: bool) -> None:
    found = facts(ground.sent().record(locking_method=method))
    assert (found["open_ended"], found["locks_by_itself"]) == (open_ended, by_itself)


@pytest.mark.parametrize("status", [None, "Pending"])
def test_a_status_was_given_or_not(ground: Ground, status: str | None) -> None:
    assert facts(ground.sent(status=status).record())["status_given"] is (status is not None)


@pytest.mark.parametrize(
    ("commission", "fee", "sale", "nothing"),
    [
        ("0", "0", "100", True),
        ("0", "0.01", "100", False),
        ("0.01", "0", "100", False),
        ("0", "0", "1.00", True),
        ("0", "0", "0.99", False),
    ],
)
def test_a_sale_of_at_least_one_that_costs_nothing_is_not_paid(ground: Ground, commission: str, fee: str, sale: str, nothing: bool) -> None:
    ground.sent().record(adv_commission_amount=commission, cj_fee=fee, sale_amount=sale)
    assert facts(ground)["pays_nothing"] is nothing


@pytest.mark.parametrize(
    ("more", "nothing"), [({}, True), ({"sale_amount": "0.01"}, False), ({"order_discount": "0.01"}, False), ({"items_mark": 7}, False)]
)
def test_cj_holds_nothing_any_more_where_all_of_it_was_taken_back(ground: Ground, more: dict[str, Any], nothing: bool) -> None:
    corrected(ground.sent(), **{"sale_amount": "0", "adv_commission_amount": "0", "cj_fee": "0"} | more)
    assert facts(ground)["held_nothing"] is nothing


def test_an_order_placed_over_nothing_is_not_one_of_which_nothing_is_held_any_more(ground: Ground) -> None:
    assert facts(ground.sent().record(sale_amount="0").record(sale_amount="0").record(sale_amount="0"))["held_nothing"] is False


# -- the state before ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "nothing"),
    [
        ({"amount": "0"}, True),
        ({"amount": "5.00", "discount": "5.00"}, True),
        ({"amount": "5.00", "discount": "4.99"}, False),
        ({"amount": "0", "operation": "create"}, False),
        ({"operation": "cancel"}, False),
    ],
)
def test_the_state_before_restated_it_to_nothing(ground: Ground, before: dict[str, Any], nothing: bool) -> None:
    assert newest(ground.sent(**BEFORE | before).sent().record())["nothing_before"] is nothing


def test_without_a_state_before_there_was_nothing_before_and_nothing_is_shown_of_it(ground: Ground) -> None:
    found = facts(ground.sent().record())
    assert (found["nothing_before"], found["shows_state_before"]) == (False, False)


@pytest.mark.parametrize(
    ("before", "held", "basis", "shows"),
    [
        ({}, {"sale_amount": "80.00"}, "net", True),
        ({}, {"sale_amount": "80.01"}, "net", False),
        ({"discount": "10.00"}, {"sale_amount": "70.00"}, "net", True),
        ({"discount": "10.00"}, {"sale_amount": "80.00"}, "gross", True),
        ({"discount": "10.00"}, {"sale_amount": "80.00"}, "net", False),
        ({"operation": "cancel"}, {"sale_amount": "0"}, "net", True),
        ({"operation": "cancel", "items_mark": 7}, {"sale_amount": "0"}, "net", True),
        ({"operation": "cancel"}, {"sale_amount": "80.00"}, "net", False),
        ({"items_mark": 7}, {"sale_amount": "80.00", "items_mark": 7}, "net", True),
        ({"items_mark": 7}, {"sale_amount": "80.00"}, "net", False),
        ({}, {"sale_amount": "80.00", "items_mark": 7}, "net", False),
        ({"currency": "GBP"}, {"sale_amount": "80.00"}, "net", True),
    ],
)
def test_cj_shows_just_the_state_before(ground: Ground, before: dict[str, Any], held: dict[str, Any], basis: str, shows: bool) -> None:
    ground.sent(**BEFORE | before).sent().record(**held).tracker()
    assert newest(ground, sale_amount_basis=basis)["shows_state_before"] is shows


def test_of_a_converted_order_it_cannot_be_told_whether_the_state_before_is_shown(ground: Ground) -> None:
    ground.sent(**BEFORE).sent(currency="GBP").record(sale_amount="80.00")
    assert newest(ground)["shows_state_before"] is False


def test_the_state_before_is_the_one_sent_just_before(ground: Ground) -> None:
    ground.sent(**BEFORE | {"amount": "70.00", "submitted_at": SENT - 2 * HOUR, "updated_at": UPDATED - 2 * HOUR})
    ground.sent(
        **BEFORE | {"amount": "60.00", "attempt": 1, "updated_at": UPDATED - 3 * HOUR, "submitted_at": SENT - HOUR, "operation": "cancel"}
    )
    ground.sent(**BEFORE | {"attempt": 2, "items_mark": 7, "discount": "10.00"}).sent().record(sale_amount="70.00", items_mark=7).tracker()
    assert newest(ground)["shows_state_before"] is True


# -- what differs --------------------------------------------------------------------------------------------------------------------------

DIFFERENCES = (
    "amount_differs",
    "discount_differs",
    "items_differ",
    "coupon_differs",
    "correction_reason_differs",
    "validation_status_differs",
)


@pytest.mark.parametrize(
    ("sent", "held", "differs"),
    [
        ({}, {}, ""),
        ({}, {"sale_amount": "100.01"}, "amount_differs"),
        ({"amount": "99.99"}, {}, "amount_differs"),
        ({"amount": "120.00", "discount": "20.00"}, {"order_discount": "20.00"}, ""),
        ({"amount": "120.00", "discount": "20.00"}, {"sale_amount": "90.00", "order_discount": "30.00"}, "discount_differs"),
        ({"discount": "0"}, {}, ""),
        ({"operation": "cancel"}, {"sale_amount": "0"}, ""),
        ({"operation": "cancel"}, {}, "amount_differs"),
        ({"operation": "cancel", "discount": "5.00"}, {"sale_amount": "0", "order_discount": "5.00"}, "discount_differs"),
        ({"operation": "cancel", "discount": "5.00"}, {"sale_amount": "0"}, ""),
        ({"items_mark": 7}, {"items_mark": 7}, ""),
        ({"items_mark": 7}, {"items_mark": 8}, "items_differ"),
        ({}, {"items_mark": 8}, "items_differ"),
        ({"operation": "cancel", "items_mark": 7}, {"sale_amount": "0"}, ""),
        ({"operation": "cancel", "items_mark": 7}, {"sale_amount": "0", "items_mark": 7}, "items_differ"),
        ({"coupon": "TEN"}, {"coupon": "TEN"}, ""),
        ({"coupon": "TEN"}, {}, "coupon_differs"),
        ({"coupon": ""}, {}, ""),
        ({}, {"coupon": "TEN"}, "coupon_differs"),
        ({"operation": "cancel", "coupon": "TEN"}, {"sale_amount": "0"}, ""),
        ({"correction_reason": "ReturnedMerchandise"}, {"correction_reason": "RETURNED_MERCHANDISE"}, ""),
        ({"correction_reason": "ReturnedMerchandise"}, {"correction_reason": "OTHER_REASON"}, "correction_reason_differs"),
        ({"correction_reason": "ReturnedMerchandise"}, {}, "correction_reason_differs"),
        ({}, {"correction_reason": "OTHER_REASON"}, ""),
        ({"operation": "create", "correction_reason": "Other"}, {}, ""),
        ({"status": "Pending"}, {"validation_status": "PENDING"}, ""),
        ({"status": "Accepted"}, {"validation_status": "PENDING"}, "validation_status_differs"),
        ({"status": "Accepted"}, {"validation_status": None}, "validation_status_differs"),
        ({"amount": "0", "status": "Accepted"}, {"sale_amount": "0", "validation_status": "PENDING"}, ""),
        ({"amount": "0.01", "status": "Accepted"}, {"sale_amount": "0.01", "validation_status": "PENDING"}, "validation_status_differs"),
        ({"operation": "cancel", "status": "Accepted"}, {"sale_amount": "0", "validation_status": "PENDING"}, "validation_status_differs"),
        ({}, {"validation_status": "DECLINED"}, ""),
        ({"operation": "create", "status": "Accepted"}, {"validation_status": "PENDING"}, ""),
    ],
)
def test_what_cj_holds_is_compared_field_by_field(ground: Ground, sent: dict[str, Any], held: dict[str, Any], differs: str) -> None:
    found = facts(ground.tracker().sent(**sent).record(**held))
    assert " ".join(name for name in DIFFERENCES if found[name]) == differs


@pytest.mark.parametrize(
    ("amount", "discount", "held", "differs"), [("100.00", None, {}, False), ("120.00", "20.00", {"order_discount": "20.00"}, True), ("100.00", "20.00", {"order_discount": "20.00"}, False)]
)  # fmt: skip
def test_where_cjs_amount_is_gross_it_is_compared_before_the_discount(
    ground: Ground, amount: str, discount: str | None, held: dict[str, Any], differs: bool
) -> None:
    ground.sent(amount=amount, discount=discount).record(**held)
    (found,) = ground.to_judge(sale_amount_basis="gross").verdicts()
    assert found["amount_differs"] is differs


def test_of_an_order_cj_does_not_know_no_amount_differs(ground: Ground) -> None:
    found = facts(ground.sent())
    assert [
        name
        for name in ("known", "amount_differs", "discount_differs", "new_line", "posted_before", "held_nothing", "pays_nothing")
        if found[name]
    ] == []


def test_the_figures_go_through(ground: Ground) -> None:
    ground.sent(amount="120.00", discount="20.00").record(order_discount="15.00", locking_date=FAR)
    found = facts(ground)
    names = ("amount", "sale_amount", "held_sale_amount", "held_discount", "commission", "cj_fee")
    assert [found[name] for name in names] == [120, 100, 100, 15, 8, 2]
    assert (found["locking_date"], found["submitted_at"], found["operation"]) == (FAR, SENT, "restate")
