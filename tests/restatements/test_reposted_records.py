"""A record that CJ posted again under a new id: the sum of the records is what CJ holds."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

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
