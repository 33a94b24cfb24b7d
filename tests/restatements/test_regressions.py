"""Ways an order was once lost or held back for a wrong reason, each played as it was found: real warehouse, real sandbox, real nights."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import duckdb
import pytest

from include.restatements.ledger.accounts import read_ledgers
from tests.model.histories import FIXED_DATE, OPEN_ENDED, pixel_order
from tests.model.shop import Change, Item, Key
from tests.model.world import BEGIN, Options, World
from tests.restatements.nights import NewWorld, later, night, operations, placed, quiet_night


@pytest.mark.parametrize("missed_nights", [0, 20])
@pytest.mark.parametrize("attribution", ["click", None])
def test_a_change_waits_for_the_pixel_that_reports_the_order_after_the_night(
    new_world: NewWorld, attribution: str | None, missed_nights: int
) -> None:
    world, first = new_world(Options()), placed(cj_event=attribution)
    changed = later(first, 5, amount=Decimal("60.00"))
    world.append([changed])
    assert operations(night(world)) == []
    world.pixel([pixel_order(first, world.now())])
    world.advance(timedelta(days=missed_nights))
    assert operations(quiet_night(world)) == ["restate"]
    assert world.held()[first.key]["amount"] == "60.00"
    assert operations(quiet_night(world)) == []


@pytest.mark.parametrize("missed_nights", [0, 20])
def test_an_open_ended_order_that_is_created_as_accepted_is_accepted_once_it_posted(new_world: NewWorld, missed_nights: int) -> None:
    world, order = new_world(Options()), placed(OPEN_ENDED, status="Accepted")
    world.append([order])
    assert operations(night(world)) == ["create"]
    assert world.held()[order.key]["action_status"] == "new"
    world.advance(timedelta(days=missed_nights))
    assert operations(quiet_night(world)) == ["restate"]
    assert world.held()[order.key]["action_status"] == "locked"
    assert operations(quiet_night(world)) == []


def test_an_open_ended_order_that_is_only_accepted_is_not_called_unchanged(new_world: NewWorld) -> None:
    world, first = new_world(Options()), placed(OPEN_ENDED)
    world.pixel([pixel_order(first, first.event_time)])
    world.append([later(first, 5, status="Accepted")])
    assert operations(night(world)) == ["restate"]
    assert world.held()[first.key]["action_status"] == "locked"


@pytest.mark.parametrize("basis", ["net", "gross"])
def test_a_sale_too_small_to_earn_a_cent_can_be_restated(new_world: NewWorld, basis: str) -> None:
    world, first = new_world(Options(basis)), placed(amount=Decimal("5.04"), discount=Decimal("5.00"))
    world.pixel([pixel_order(first, first.event_time)])
    world.append([later(first, 5, amount=Decimal("80.00"))])
    assert operations(night(world)) == ["restate"]
    assert world.held()[first.key]["amount"] == "80.00"


def test_an_order_restated_to_nothing_can_be_restated_again_and_a_cancelled_one_cannot(new_world: NewWorld) -> None:
    basket = (Item("SKU-1", 2, Decimal("50.00")),)
    for nothing, expected in (({"amount": Decimal(0), "items": None}, ["restate"]), ({"change_type": "cancelled"}, [])):
        world, first = new_world(Options(allow_field_loss=frozenset({"items"}))), placed(items=basket)
        world.pixel([pixel_order(first, first.event_time)])
        emptied = replace(later(first, 5), **nothing)
        world.append([emptied])
        night(world)
        world.append([later(first, 10, amount=Decimal("50.00"), items=(Item("SKU-1", 1, Decimal("50.00")),))])
        assert operations(night(world)) == expected


def test_an_order_that_breaks_a_rule_now_and_was_planned_by_another_run_is_quarantined_once(new_world: NewWorld) -> None:
    world, first = new_world(Options()), placed()
    other = replace(first, key=Key(FIXED_DATE, "o-2"))
    world.append([first, other])
    left = world.prepare(BEGIN - timedelta(days=9), world.now())
    world.append([later(first, 5, discount=Decimal("100.01")), later(other, 5)])
    world.advance(timedelta(minutes=1))
    assert operations(night(world)) == ["create"]
    assert [r["reason"] for r in world.rows("SELECT reason FROM cj.quarantine")] == ["discount_above_amount"]
    world.submit(left)
    assert len(world.fates()) == 1


@pytest.mark.parametrize(("dropped", "expected"), [(True, ["restate"]), (False, [])])
def test_a_change_after_a_cancellation_waits_until_it_is_known_whether_the_cancellation_posted(
    new_world: NewWorld, dropped: bool, expected: list[str]
) -> None:
    world, first = new_world(Options()), placed()
    world.pixel([pixel_order(first, first.event_time)])
    if dropped:
        world.sandbox.control.add_faults([{"kind": "drop", "order_ids": ["o-1"], "times": 1}])
    world.append([later(first, 5, change_type="cancelled")])
    cancelled = world.prepare(BEGIN - timedelta(days=9), world.now())
    world.submit(cancelled)
    world.publish(cancelled)
    world.append([later(first, 10, amount=Decimal("70.00"))])
    assert operations(night(world)) == []
    world.advance(timedelta(hours=36))
    world.reconcile()
    assert operations(quiet_night(world)) == expected
    reasons = {r["reason"] for r in world.rows("SELECT reason FROM cj.quarantine")}
    assert reasons == (set() if dropped else {"not_commissionable"})


@pytest.mark.parametrize("largest", ["100.00", "0.55"])
@pytest.mark.parametrize("basis", ["net", "gross"])
def test_orders_of_a_few_converted_cents_match_and_do_not_spoil_the_rate_for_the_others(
    new_world: NewWorld, basis: str, largest: str
) -> None:
    world = new_world(Options(basis, currency="EUR"))
    money = [("0.01", None), ("0.02", "0.01"), ("0.21", "0.21"), (largest, None), ("0.03", None)]
    world.append(
        placed(currency="GBP", amount=Decimal(amount), discount=discount and Decimal(discount), key=Key(FIXED_DATE, f"o-{number}"))
        for number, (amount, discount) in enumerate(money)
    )
    assert operations(night(world)) == ["create"] * 5
    assert [r["status"] for r in world.rows("SELECT status FROM cj.reconciliation")] == ["matched"] * 5
    assert operations(night(world)) == []


@pytest.mark.parametrize(
    ("tracker", "status", "lost"),
    [
        (OPEN_ENDED, "Pending", {"kind": "drop", "order_ids": ["o-1"], "times": 1}),
        (FIXED_DATE, None, {"kind": "cut_before", "path": "/graphql", "times": 1}),
    ],
    ids=["dropped", "cut"],
)
def test_a_cancellation_that_never_posted_does_not_make_an_order_restated_to_nothing_a_cancelled_one(
    new_world: NewWorld, tracker: int, status: str | None, lost: dict[str, object]
) -> None:
    world, first = new_world(Options()), placed(tracker)
    world.pixel([pixel_order(first, first.event_time)])
    for change in (later(first, 5, amount=Decimal(0), status=status), later(first, 10, change_type="cancelled")):
        world.append([change])
        sent = world.prepare(BEGIN - timedelta(days=9), world.now())
        world.submit(sent)
        world.publish(sent)
        world.sandbox.control.add_faults([lost])
    world.mend()
    world.advance(timedelta(hours=38))
    world.reconcile()
    world.append([later(first, 30, amount=Decimal("50.00"), status=status)])
    assert operations(night(world)) == ["restate"]
    assert world.held()[first.key]["amount"] == "50.00"


def test_orders_that_were_dropped_say_nothing_about_the_rate_of_the_one_that_posted(new_world: NewWorld) -> None:
    world = new_world(Options())
    first = [placed(currency="GBP", key=Key(FIXED_DATE, f"o-{number}")) for number in range(3)]
    world.pixel([pixel_order(order, order.event_time) for order in first])
    world.sandbox.control.add_faults([{"kind": "drop", "order_ids": ["o-0", "o-1"], "times": 1}])
    world.append(later(order, 5, amount=Decimal("60.00")) for order in first)
    assert operations(night(world)) == ["restate"] * 3
    verdicts = {r["order_id"]: r["status"] for r in world.rows("SELECT order_id, status FROM cj.reconciliation")}
    assert verdicts == {"o-0": "late", "o-1": "late", "o-2": "matched"}


def test_an_order_older_than_the_ledger_is_held_back_and_not_created_as_a_duplicate(new_world: NewWorld) -> None:
    world, order = new_world(Options(ledger_days=30)), placed()
    world.pixel([pixel_order(order, order.event_time)])
    world.append([later(order, 5, amount=Decimal("60.00"), change_type="new")])
    world.advance(timedelta(days=40))
    first = night(world)
    assert operations(first) == []
    assert first.prepared.summary["quarantined_by_reason"] == {"not_in_cj": 1}


@pytest.mark.parametrize(("of_cj", "expected"), [(True, "restate"), (False, "create")])
def test_an_order_older_than_the_ledger_is_decided_anew_once_the_ledger_was_read_further_back(
    new_world: NewWorld, of_cj: bool, expected: str
) -> None:
    world, order = new_world(Options(ledger_days=5)), placed(event_time=BEGIN - timedelta(days=20))
    if of_cj:
        world.pixel([pixel_order(replace(order, amount=Decimal("90.00")), order.event_time)])
    world.append([order])
    assert operations(night(world)) == []
    for days, wanted in ((15, []), (25, [expected])):
        read_ledgers(world.settings, world.location, (BEGIN - timedelta(days=days)).date())
        assert operations(quiet_night(world)) == wanted
        assert operations(quiet_night(world)) == []
    assert [r["rule"] for r in world.rows("SELECT rule FROM cj.quarantine")] == ["older_than_the_ledger"] * 2


def two_states_at_once(world: World, first: Change, **newer: object) -> None:
    """A state that CJ will work off six hours late, and a newer one sent right behind it."""
    world.pixel([pixel_order(first, first.event_time)])
    world.append([later(first, 5, amount=Decimal("80.00"))])
    world.sandbox.control.add_faults([{"kind": "delay", "seconds": 6 * 3600, "times": 1, "order_ids": [first.key.order_id]}])
    early = world.prepare(BEGIN - timedelta(days=9), world.now())
    world.submit(early)
    world.publish(early)
    # As if CJ's clock had been read a second late when it was sent.
    with duckdb.connect(str(world.path)) as connection:
        connection.execute("UPDATE cj.submissions SET submitted_at = submitted_at + INTERVAL 1 SECOND")
    world.append([later(first, 7, **{"amount": Decimal("60.00")} | newer)])


def test_what_was_sent_last_counts_as_last_however_roughly_cjs_clock_is_known(new_world: NewWorld) -> None:
    world, first = new_world(Options()), placed()
    two_states_at_once(world, first)
    assert operations(night(world)) == ["restate"]
    verdicts = world.rows("SELECT updated_at, status FROM cj.reconciliation ORDER BY updated_at")
    assert [v["status"] for v in verdicts] == ["superseded", "matched"]
    assert operations(quiet_night(world)) == []


def test_a_state_that_an_earlier_one_came_after_is_no_longer_called_matched_and_is_sent_again(new_world: NewWorld) -> None:
    world, first = new_world(Options()), placed()
    two_states_at_once(world, first)
    night(world)
    assert world.held()[first.key]["amount"] == "60.00"
    world.advance(timedelta(hours=6))
    assert world.held()[first.key]["amount"] == "80.00"
    world.reconcile()
    assert world.rows("SELECT status, reason FROM cj.reconciliation ORDER BY updated_at")[-1] == {
        "status": "mismatched",
        "reason": "amount",
    }
    assert operations(quiet_night(world)) == ["restate"]
    assert world.held()[first.key]["amount"] == "60.00"
    assert operations(quiet_night(world)) == []


def test_a_state_that_lost_its_correction_reason_alone_is_not_said_to_be_missing(new_world: NewWorld) -> None:
    world, first = new_world(Options()), placed()
    two_states_at_once(world, first, amount=Decimal("80.00"), correction_reason="ReturnedMerchandise")
    newer = world.prepare(BEGIN - timedelta(days=9), world.now())
    world.submit(newer)
    world.publish(newer)
    for _ in range(4):
        world.advance(timedelta(hours=24))
        world.reconcile()
    verdict = world.rows("SELECT status, reason, commission_at_risk AS at_risk FROM cj.reconciliation ORDER BY updated_at")[-1]
    assert verdict == {"status": "mismatched", "reason": "correction_reason", "at_risk": Decimal(0)}
    assert operations(quiet_night(world)) == []


def test_an_order_whose_discount_is_all_of_it_is_not_taken_for_a_cancelled_one(new_world: NewWorld) -> None:
    world, first = new_world(Options()), placed()
    world.pixel([pixel_order(first, first.event_time)])
    world.append([all_off := later(first, 5, amount=Decimal("0.01"), discount=Decimal("0.01"))])
    assert operations(night(world)) == ["restate"]
    world.append([later(all_off, 5, change_type="cancelled", discount=None)])
    assert operations(night(world)) == ["cancel"]
    assert world.held()[first.key]["cancelled"]
    assert operations(quiet_night(world)) == []


def test_an_order_placed_over_nothing_is_not_taken_for_a_cancelled_one_when_its_restatement_was_lost(new_world: NewWorld) -> None:
    world, first = new_world(Options()), placed(amount=Decimal("0.00"))
    world.pixel([pixel_order(first, first.event_time)])
    world.append([later(first, 5, amount=Decimal("120.00"))])
    world.sandbox.control.add_faults([{"kind": "drop", "times": 1, "order_ids": [first.key.order_id]}])
    assert operations(night(world)) == ["restate"]
    world.advance(timedelta(hours=48))
    world.reconcile()
    assert world.rows("SELECT status, reason FROM cj.reconciliation") == [{"status": "missing", "reason": "unknown"}]
    assert operations(quiet_night(world)) == ["restate"]
    assert world.held()[first.key]["amount"] == "120.00"


def test_a_discount_cj_does_not_hold_is_told_although_its_amount_is_gross_of_it_and_converted(new_world: NewWorld) -> None:
    world, first = new_world(Options("gross", currency="EUR")), placed(currency="GBP")
    world.pixel([pixel_order(first, first.event_time)])
    world.append([replace(first, discount=Decimal("90.00"))])
    assert operations(night(world)) == ["restate"]
    assert Decimal(world.held()[first.key]["discount"]) == 90


def test_a_coupon_that_became_an_empty_text_is_a_lost_coupon(new_world: NewWorld) -> None:
    world, first = new_world(Options()), placed(coupon="SAVE10")
    world.pixel([pixel_order(first, first.event_time)])
    world.append([later(first, 5, amount=Decimal("80.00"), coupon="")])
    assert operations(night(world)) == []
    assert world.rows("SELECT reason FROM cj.quarantine") == [{"reason": "coupon"}]


def test_a_cancellation_does_not_hide_that_the_other_basis_would_match_all(new_world: NewWorld) -> None:
    world = new_world(Options("net"))
    world.settings = replace(world.settings, accounts=(replace(world.settings.accounts[0], sale_amount_basis="gross"),))
    orders = [placed(key=Key(FIXED_DATE, f"o-{n}"), discount=Decimal("10.00")) for n in range(5)]
    world.pixel([pixel_order(order, order.event_time) for order in orders])
    world.append([*(later(o, 5, amount=Decimal("80.00")) for o in orders[1:]), later(orders[0], 5, change_type="cancelled")])
    night(world)
    assert world.rows("SELECT other_basis_matches_all AS o FROM cj.reconciliation_runs") == [{"o": True}]


def test_a_matched_order_of_which_a_new_record_cannot_be_kept_is_not_called_matched_until_that_record_is_read(new_world: NewWorld) -> None:
    world, first = new_world(Options()), placed()
    world.pixel([pixel_order(first, first.event_time)])
    world.append([later(first, 5, amount=Decimal("60.00"))])
    night(world)
    assert [r["status"] for r in world.rows("SELECT status FROM cj.reconciliation")] == ["matched"]
    world.sandbox.control.add_faults([{"kind": "garble", "order_ids": ["o-1"], "field": "saleAmountAdvCurrency", "value": "many"}])
    world.act("corrected", [first.key], {"kind": "correct", "amount": "90.00"})
    world.advance(timedelta(hours=1))
    for _ in range(2):
        assert world.reconcile()["late"] == 1
        assert operations(quiet_night(world)) == []
    world.mend()
    world.advance(timedelta(hours=25))  # a sweep reads the last days again
    assert world.reconcile()["mismatched"] == 1
    assert operations(quiet_night(world)) == ["restate"]
    assert world.held()[first.key]["amount"] == "60.00"
