"""A record that CJ posted again under a new id: the sum of the records is what CJ holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.model.histories import pixel_order
from tests.model.shop import Key
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, later, night, operations, placed


@pytest.fixture
def world(new_world: NewWorld) -> World:
    return new_world(Options())


def planned(world: World, run_id: str) -> Night:
    return world.prepare(BEGIN - timedelta(days=9), world.now(), run_id)


def test_two_records_that_cancel_each_other_and_a_third_are_the_third(world: World) -> None:
    order = placed(coupon="SPRING")
    world.append([order])
    night(world)
    world.act("reposted", [order.key], {"kind": "repost"})
    world.advance(timedelta(hours=1))
    world.reconcile()
    (held,) = world.rows("SELECT records, sale_amount, commission, coupon, items_mark FROM cj.order_state")
    assert (held["records"], held["sale_amount"], held["coupon"]) == (3, Decimal("100"), "SPRING")
    again_planned = planned(world, "again")
    assert (again_planned.orders, again_planned.prepared.summary["skipped_by_reason"]) == ({}, {"unchanged": 1})
    assert world.reconcile()["matched"] == 1
    world.append([later(order, 90, amount=Decimal("80.00"))])
    assert operations(planned(world, "changed")) == ["restate"]


def test_an_order_of_nothing_that_is_posted_again_is_no_cancelled_one(world: World) -> None:
    order = placed(amount=Decimal(0), discount=None, items=None)
    world.append([order])
    assert operations(night(world)) == ["create"]
    world.act("reposted", [order.key], {"kind": "repost"})
    world.advance(timedelta(hours=1))
    world.reconcile()
    world.append([later(order, 200, amount=Decimal("5.00"))])
    assert operations(night(world)) == ["restate"]
    assert Decimal(world.held()[order.key]["amount"]) == 5


def test_a_record_that_moved_before_what_was_sent_posts_is_no_proof_that_it_posted_otherwise(world: World) -> None:
    at = world.now() - timedelta(minutes=2)  # its record was posted as late as what was sent might have been, by another clock
    order = placed(coupon="SPRING", event_time=at, updated_at=at)
    world.pixel([pixel_order(order, order.event_time)])
    world.sandbox.control.add_faults([{"kind": "delay", "order_ids": ["o-1"], "seconds": 8 * 3600}])
    world.append([later(order, 1, amount=Decimal("80.00"))])
    played = planned(world, "delayed")
    world.submit(played)
    world.publish(played)
    world.act("reposted", [order.key], {"kind": "repost", "shape": "moved"})
    world.advance(timedelta(hours=2))
    assert (world.reconcile()["late"], world.reconcile()["late"]) == (1, 1)
    assert operations(planned(world, "meanwhile")) == []
    world.advance(timedelta(hours=8))
    assert world.reconcile()["matched"] == 1


def test_a_converted_order_that_is_posted_again_without_its_reason_is_not_sent_again(world: World) -> None:
    order = placed(currency="GBP", change_type="restated", amount=Decimal("7.00"), correction_reason="BadDebt")
    others = [placed(key=Key(order.key.tracker, f"o-{n}"), currency="GBP", amount=Decimal(50 + n)) for n in range(3, 7)]
    world.pixel([pixel_order(replace(order, amount=Decimal("9.00")), order.event_time)])
    world.append([order, *others])
    assert "restate" in operations(night(world))
    world.act("reposted", [order.key], {"kind": "repost"})
    world.advance(timedelta(hours=1))
    world.reconcile()
    found = world.rows("SELECT status, reason FROM cj.reconciliation WHERE order_id = 'o-1'")
    assert [(row["status"], row["reason"]) for row in found] == [("mismatched", "correction_reason")]
    assert operations(planned(world, "again")) == []
