"""Each fact of the plan from bare rows: at its boundary and on both sides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.restatements.rules.ground import FAR, HOUR, POSTED, SECOND, SENT, UPDATED, Ground

UNKNOWN: dict[str, Any] = {"outcome": "unknown"}
SETTLED: dict[str, Any] = {"settled_at": SENT + HOUR}


def facts(ground: Ground, **other: Any) -> dict[str, Any]:
    (row,) = ground.plan(**other)
    return row


# -- what was sent -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "status", "unsettled", "on_its_way"),
    [
        ({}, None, False, True),
        ({}, "awaiting", False, True),
        ({}, "late", False, True),
        ({}, "matched", False, False),
        ({}, "mismatched", False, False),
        ({}, "missing", False, False),
        (UNKNOWN, None, True, True),
        (UNKNOWN, "awaiting", True, True),
        (UNKNOWN, "late", True, True),
        (UNKNOWN, "missing", False, False),
        (UNKNOWN | SETTLED, None, False, False),
        (SETTLED, None, False, False),
        ({"outcome": "rejected"}, None, False, False),
        ({"mode": "test"}, None, False, False),
    ],
)
def test_a_submission_is_on_its_way_until_it_is_settled_or_judged(
    ground: Ground, sent: dict[str, Any], status: str | None, unsettled: bool, on_its_way: bool
) -> None:
    ground.order().sent(**sent)
    if status:
        ground.verdict(status=status)
    found = facts(ground)
    assert (found["call_unsettled"], found["on_its_way"]) == (unsettled, on_its_way)


def test_of_an_order_that_was_never_sent_nothing_is_so(ground: Ground) -> None:
    ground.order()
    found = facts(ground)
    names = (
        "call_unsettled", "on_its_way", "same_as_last", "last_is_create", "last_is_cancel", "last_may_count", "last_accepted", "last_matched",
        "last_missing", "older_than_last", "attempts_used", "known", "elsewhere", "tracker_of_another", "untouched", "held_so", "closed", "locked", "held_cancelled", "pays_nothing",
        "open_ended", "to_accept", "status_given", "status_set", "discount_would_go", "items_would_go", "coupon_would_go",
    )  # fmt: skip
    assert [name for name in names if found[name]] == []
    assert (found["locking_unsaid"], found["attempts"], found["at_stake"]) == (True, 0, None)


@pytest.mark.parametrize("outcome", ["accepted", "unknown", "rejected"])
def test_only_what_was_accepted_or_may_have_been_counts_as_last(ground: Ground, outcome: str) -> None:
    ground.order().sent(outcome=outcome)
    found = facts(ground)
    assert (found["last_may_count"], found["last_accepted"]) == (outcome != "rejected", outcome == "accepted")


@pytest.mark.parametrize(("operation", "create", "cancel"), [("create", True, False), ("restate", False, False), ("cancel", False, True)])
def test_what_was_sent_last_is_known_by_its_operation(ground: Ground, operation: str, create: bool, cancel: bool) -> None:
    ground.order().sent(operation=operation)
    found = facts(ground)
    assert (found["last_is_create"], found["last_is_cancel"]) == (create, cancel)


@pytest.mark.parametrize(
    ("status", "matched", "missing"),
    [("matched", True, False), ("missing", False, True), ("late", False, False), ("mismatched", False, False)],
)
def test_a_verdict_is_read_with_its_reason(ground: Ground, status: str, matched: bool, missing: bool) -> None:
    ground.order().sent().verdict(status=status, reason="amount")
    found = facts(ground)
    assert (found["last_matched"], found["last_missing"], found["verdict_reason"]) == (matched, missing, "amount")


@pytest.mark.parametrize(("given_on", "counts"), [(timedelta(0), True), (SECOND, True), (-SECOND, False)])
def test_a_verdict_counts_for_the_attempt_it_was_given_on_and_not_for_one_sent_since(
    ground: Ground, given_on: timedelta, counts: bool
) -> None:
    ground.order().sent().verdict(status="matched", submitted_at=SENT + given_on)
    assert facts(ground)["last_matched"] is counts


@pytest.mark.parametrize(
    ("judged", "read", "counts"), [(3, 3, True), (3, 4, False), (3, None, True), (None, 1, False), (None, 0, True), (None, None, True)]
)  # fmt: skip
def test_a_match_counts_until_a_record_is_read_that_it_did_not_see(
    ground: Ground, judged: int | None, read: int | None, counts: bool
) -> None:
    ground.order().sent().verdict(status="matched", reading=judged).record(reading=read)
    assert facts(ground)["last_matched"] is counts


@pytest.mark.parametrize("other", [{"updated_at": UPDATED - SECOND}, {"order_id": "p"}, {"action_tracker_id": 402}, {"enterprise_id": "9"}])
def test_a_verdict_on_another_state_or_order_is_not_this_ones(ground: Ground, other: dict[str, Any]) -> None:
    ground.order().sent().verdict(status="matched", **other)
    assert facts(ground)["last_matched"] is False


@pytest.mark.parametrize("other", [{"order_id": "p"}, {"action_tracker_id": 402}, {"enterprise_id": "9"}])
def test_what_was_sent_of_another_order_is_not_this_ones(ground: Ground, other: dict[str, Any]) -> None:
    ground.order().sent(**other)
    assert facts(ground)["last_accepted"] is False


def test_the_newest_submission_decides_by_its_time_and_then_by_its_attempt(ground: Ground) -> None:
    ground.order().sent(operation="create", payload_hash="other").sent(operation="cancel", submitted_at=SENT + SECOND, attempt=1)
    ground.sent(operation="restate", submitted_at=SENT + SECOND, attempt=2, payload_hash="other")
    found = facts(ground)
    assert (found["last_is_create"], found["last_is_cancel"], found["same_as_last"]) == (False, False, False)


@pytest.mark.parametrize(("last", "older"), [(UPDATED, False), (UPDATED + SECOND, True), (UPDATED - SECOND, False)])
def test_a_state_is_older_than_the_last_by_its_own_time(ground: Ground, last: Any, older: bool) -> None:
    ground.order().sent(updated_at=last, payload_hash="other")
    found = facts(ground)
    assert (found["older_than_last"], found["same_as_last"]) == (older, False)


@pytest.mark.parametrize(("times", "used"), [(0, False), (1, False), (2, False), (3, True), (4, True)])
def test_a_state_has_three_attempts(ground: Ground, times: int, used: bool) -> None:
    ground.order()
    for turn in range(times):
        ground.sent(submitted_at=SENT + turn * HOUR, attempt=turn + 1)
    # Sent before as well, between two that were other ones: those do not count.
    ground.sent(submitted_at=SENT - 3 * HOUR, payload_hash="other").sent(submitted_at=SENT - 2 * HOUR, updated_at=UPDATED - SECOND)
    ground.sent(submitted_at=SENT - HOUR, payload_hash="other").sent(mode="test")
    found = facts(ground)
    assert (found["attempts"], found["attempts_used"], found["same_as_last"]) == (times, used, times > 0)


# -- what CJ holds -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "known", "elsewhere"),
    [({}, True, False), ({"action_tracker_id": 402}, False, True), ({"advertiser_id": "9"}, False, False), ({"order_id": "p"}, False, False), ({"advertiser_id": "9", "action_tracker_id": 402}, False, False)],
)  # fmt: skip
def test_cj_knows_an_order_of_this_advertiser_and_action_tracker(
    ground: Ground, record: dict[str, Any], known: bool, elsewhere: bool
) -> None:
    ground.order().record(**record)
    found = facts(ground)
    assert (found["known"], found["elsewhere"]) == (known, elsewhere)


@pytest.mark.parametrize(
    ("status", "closed", "locked"), [("new", False, False), ("extended", False, False), ("locked", False, True), ("closed", True, False)]
)
def test_the_furthest_state_of_its_records_says_whether_it_is_locked_or_closed(
    ground: Ground, status: str, closed: bool, locked: bool
) -> None:
    ground.order().record(action_status=status).record(action_status="new")
    found = facts(ground)
    assert (found["closed"], found["locked"]) == (closed, locked)


@pytest.mark.parametrize(("locks", "locked"), [(SENT + HOUR, True), (SENT + HOUR + SECOND, False), (SENT, True), (None, False)])
def test_an_order_that_locks_before_it_could_be_processed_is_locked(ground: Ground, locks: Any, locked: bool) -> None:
    ground.order().record(locking_date=locks)
    assert facts(ground)["locked"] is locked


def test_the_last_lock_date_of_its_records_counts(ground: Ground) -> None:
    ground.order().record(locking_date=SENT).record(locking_date=FAR)
    assert facts(ground)["locked"] is False


NOTHING = {"sale_amount": "-100.00", "order_discount": "0", "adv_commission_amount": "-8.00", "cj_fee": "-2.00"}


@pytest.mark.parametrize(
    ("records", "cancelled"),
    [
        ([{}, NOTHING], True),
        ([{"sale_amount": "0", "adv_commission_amount": "0", "cj_fee": "0"}], False),  # placed over nothing: one record
        ([{"sale_amount": "0"}] * 3, False),  # and posted again under another id
        ([{"sale_amount": "0", "items_mark": 7}, {"sale_amount": "0", "items_mark": -7}, {"sale_amount": "0"}], True),
        ([{}, NOTHING | {"sale_amount": "-99.99"}], False),
        ([{"order_discount": "5.00"}, NOTHING], False),
        ([{"items_mark": 7}, NOTHING], False),
        ([{"items_mark": 7}, NOTHING | {"items_mark": -7}], True),
    ],
)
def test_an_order_of_which_cj_holds_nothing_any_more_is_held_as_cancelled(
    ground: Ground, records: list[dict[str, Any]], cancelled: bool
) -> None:
    ground.order()
    for turn, record in enumerate(records):
        ground.record(posting_date=POSTED + turn * HOUR, **record)
    assert facts(ground)["held_cancelled"] is cancelled


EMPTIED: dict[str, Any] = {"amount": "0", "submitted_at": SENT - HOUR, "updated_at": UPDATED - HOUR, "payload_hash": "nothing"}


@pytest.mark.parametrize(
    ("sent", "status", "cancelled"),
    [
        ([EMPTIED], None, False),
        ([EMPTIED | {"discount": "0"}], None, False),
        ([EMPTIED | {"amount": "5.00", "discount": "5.00"}], None, False),
        ([EMPTIED | {"amount": "5.00"}], None, True),
        ([EMPTIED | {"items_mark": 0}], None, False),
        ([EMPTIED | {"items_mark": 7}], None, True),
        ([EMPTIED | {"outcome": "unknown"}], None, True),
        ([EMPTIED | {"operation": "create"}], None, True),
        ([EMPTIED, {"operation": "cancel"}], None, True),
        ([EMPTIED, {"operation": "cancel"}], "missing", False),
        ([EMPTIED, {"operation": "cancel"}], "matched", True),
        ([EMPTIED, {"operation": "cancel", "outcome": "rejected"}], None, False),
        ([EMPTIED, {"operation": "cancel", "outcome": "unknown"}], None, True),
        ([EMPTIED, {"operation": "cancel", "outcome": "unknown"} | SETTLED], None, False),
        ([EMPTIED, {}], None, False),
        ([{}], None, True),
    ],
)
def test_unless_we_restated_it_to_nothing_and_did_not_cancel_it(
    ground: Ground, sent: list[dict[str, Any]], status: str | None, cancelled: bool
) -> None:
    ground.order().record().record(**NOTHING, posting_date=POSTED + HOUR)
    for submission in sent:
        ground.sent(**submission)
    if status:
        ground.verdict(status=status)
    assert facts(ground)["held_cancelled"] is cancelled


@pytest.mark.parametrize(
    ("record", "basis", "nothing"),
    [
        ({}, "net", False),
        ({"adv_commission_amount": "0", "cj_fee": "0"}, "net", True),
        ({"adv_commission_amount": "0", "cj_fee": "0.01"}, "net", False),
        ({"adv_commission_amount": "0.01", "cj_fee": "0"}, "net", False),
        ({"sale_amount": "1.00", "adv_commission_amount": "0", "cj_fee": "0"}, "net", True),
        ({"sale_amount": "0.99", "adv_commission_amount": "0", "cj_fee": "0"}, "net", False),
        ({"sale_amount": "5.00", "order_discount": "4.00", "adv_commission_amount": "0", "cj_fee": "0"}, "gross", True),
        ({"sale_amount": "5.00", "order_discount": "4.01", "adv_commission_amount": "0", "cj_fee": "0"}, "gross", False),
        ({"sale_amount": "5.00", "order_discount": "4.01", "adv_commission_amount": "0", "cj_fee": "0"}, "net", True),
    ],
)
def test_a_sale_of_at_least_one_that_costs_nothing_is_not_paid(ground: Ground, record: dict[str, Any], basis: str, nothing: bool) -> None:
    ground.order(sale_amount_basis=basis).record(**record)
    assert facts(ground)["pays_nothing"] is nothing


@pytest.mark.parametrize(
    ("method", "open_ended", "unsaid"), [("OPEN_ENDED", True, False), ("FIXED_DATE", False, False), (None, False, True)]
)
def test_how_an_order_locks_is_read_from_its_newest_record(ground: Ground, method: str | None, open_ended: bool, unsaid: bool) -> None:
    ground.order().record(locking_method="IMMEDIATE").record(locking_method=method, posting_date=POSTED + HOUR)
    found = facts(ground)
    assert (found["open_ended"], found["locking_unsaid"]) == (open_ended, unsaid)


@pytest.mark.parametrize(("ids", "newest"), [(("9", "10"), 1), (("10", "9"), 0), (("11", "12"), 1), (("12", "11"), 0)])
def test_of_records_of_one_instant_the_newest_is_the_one_with_the_longer_or_greater_id(
    ground: Ground, ids: tuple[str, str], newest: int
) -> None:
    ground.order()
    for turn, commission_id in enumerate(ids):
        ground.record(commission_id=commission_id, locking_method="OPEN_ENDED" if turn == newest else "FIXED_DATE")
    assert facts(ground)["open_ended"] is True


def test_of_a_reversal_and_the_new_state_that_posted_together_the_new_state_is_read(ground: Ground) -> None:
    ground.order(coupon="NEW").record()
    for commission_id, amount, coupon in (("2", "100.00", "NEW"), ("3", "-100.00", None)):
        ground.record(commission_id=commission_id, sale_amount=amount, coupon=coupon, posting_date=POSTED + HOUR)
    assert facts(ground)["held_so"] is True


@pytest.mark.parametrize(
    ("order", "record", "accept"),
    [
        ({}, {}, True),
        ({"status": "Pending"}, {}, False),
        ({"status": None}, {}, False),
        ({"change_type": "cancelled"}, {}, False),
        ({}, {"validation_status": "ACCEPTED"}, False),
        ({}, {"locking_method": "FIXED_DATE"}, False),
        ({"amount": "0"}, {"sale_amount": "0"}, False),  # nothing is paid on it, accepted or not
        ({"amount": "20.00", "discount": "20.00"}, {"sale_amount": "0", "order_discount": "20.00"}, False),
        ({"amount": "20.01", "discount": "20.00"}, {"sale_amount": "0.01", "order_discount": "20.00"}, True),
    ],
)
def test_a_pending_open_ended_order_that_the_warehouse_accepts_is_to_be_accepted(
    ground: Ground, order: dict[str, Any], record: dict[str, Any], accept: bool
) -> None:
    ground.order(**{"status": "Accepted"} | order).record(**{"locking_method": "OPEN_ENDED", "validation_status": "PENDING"} | record)
    found = facts(ground)
    assert found["to_accept"] is accept
    assert found["held_so"] is (not accept and order.get("change_type") != "cancelled")


@pytest.mark.parametrize(("status", "setting"), [("Pending", None), (None, "Pending"), (None, None)])
def test_a_status_is_given_by_the_row_or_set_for_all(ground: Ground, status: str | None, setting: str | None) -> None:
    ground.order(status=status).record()
    found = facts(ground, open_ended_status=setting)
    assert (found["status_given"], found["status_set"]) == (status is not None, setting is not None)


# -- a field that would go -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "order", "record", "goes"),
    [
        ("discount", {}, {"order_discount": "5.00"}, True),
        ("discount", {"discount": "0"}, {"order_discount": "5.00"}, False),
        ("discount", {}, {"order_discount": "0"}, False),
        ("discount", {}, {}, False),
        ("discount", {"change_type": "cancelled"}, {"order_discount": "5.00"}, False),
        ("items", {}, {"items_mark": 7}, True),
        ("items", {"has_items": True, "items_mark": 5}, {"items_mark": 7}, False),
        ("items", {}, {"items_mark": 0}, False),
        ("items", {"change_type": "cancelled"}, {"items_mark": 7}, False),
        ("coupon", {}, {"coupon": "TEN"}, True),
        ("coupon", {"coupon": ""}, {"coupon": "TEN"}, True),
        ("coupon", {"coupon": "FIVE"}, {"coupon": "TEN"}, False),
        ("coupon", {}, {}, False),
        ("coupon", {}, {"coupon": ""}, False),
        ("coupon", {"change_type": "cancelled"}, {"coupon": "TEN"}, False),
    ],
)
def test_a_field_cj_holds_and_the_warehouse_has_lost_would_go_unless_that_is_allowed(
    ground: Ground, field: str, order: dict[str, Any], record: dict[str, Any], goes: bool
) -> None:
    ground.order(**order).record(**record)
    found = facts(ground)
    assert [name for name in ("discount", "items", "coupon") if found[f"{name}_would_go"]] == ([field] if goes else [])
    others = {f"allow_{name}_loss": True for name in ("discount", "items", "coupon") if name != field}
    assert facts(ground, **others)[f"{field}_would_go"] is goes
    assert facts(ground, **{f"allow_{field}_loss": True})[f"{field}_would_go"] is False


# -- held just so --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "record", "so"),
    [
        ({}, {}, True),
        ({"amount": "100.01"}, {}, False),
        ({}, {"sale_amount": None}, False),  # CJ says no amount
        ({"amount": "120.00", "discount": "20.00"}, {"order_discount": "20.00"}, True),
        ({"amount": "120.00", "discount": "20.00"}, {"order_discount": "19.99"}, False),
        ({"discount": "0"}, {}, True),
        ({"sale_amount_basis": "gross", "discount": "20.00"}, {"order_discount": "20.00"}, True),
        ({"sale_amount_basis": "gross", "discount": "20.00"}, {}, False),
        ({"items_mark": 7, "has_items": True}, {"items_mark": 7}, True),
        ({"items_mark": 7, "has_items": True}, {}, False),
        ({}, {"items_mark": 7}, False),
        ({"coupon": "TEN"}, {"coupon": "TEN"}, True),
        ({"coupon": "TEN"}, {}, False),
        ({"coupon": ""}, {}, True),
        ({"change_type": "cancelled"}, {}, False),
    ],
)
def test_cj_holds_an_order_just_so_where_amounts_items_and_coupon_agree(
    ground: Ground, order: dict[str, Any], record: dict[str, Any], so: bool
) -> None:
    ground.order(**order).record(**record).tracker()
    assert facts(ground)["held_so"] is so


def test_a_cancelled_order_is_held_so_where_nothing_is_held_whoever_emptied_it(ground: Ground) -> None:
    ground.order(change_type="cancelled").record().record(**NOTHING, posting_date=POSTED + HOUR).sent(**EMPTIED)
    found = facts(ground)
    assert (found["held_so"], found["held_cancelled"]) == (True, False)


def test_only_this_runs_orders_are_asked(ground: Ground) -> None:
    ground.order().order(run_id="another", position=1, order_id="p")
    assert [row["order_id"] for row in ground.plan()] == ["o"]


def test_what_the_warehouse_says_goes_through(ground: Ground) -> None:
    ground.order(attributed=False, before_ledger=True, was_new=True, change_type="cancelled")
    found = facts(ground)
    assert (found["attributed"], found["before_ledger"], found["was_new"], found["cancelled"]) == (False, True, True, True)
