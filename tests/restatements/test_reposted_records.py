"""A record that CJ posted again under a new id: the sum of the records is what CJ holds."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import duckdb
import pytest

from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, later, night, operations, placed


@pytest.fixture
def world(new_world: NewWorld) -> World:
    return new_world(Options())


def planned(world: World, run_id: str) -> Night:
    return world.prepare(BEGIN - timedelta(days=9), world.now(), run_id)


@pytest.mark.parametrize("at_once", [True, False])
def test_two_records_that_cancel_each_other_and_a_third_are_the_third(world: World, at_once: bool) -> None:
    order = placed(coupon="SPRING")
    world.append([order])
    night(world)
    hours = [3, 3] if at_once else [3, 4]
    with duckdb.connect(str(world.path)) as warehouse:
        negated = ", ".join(
            f"-{name} AS {name}"
            for name in ("sale_amount", "order_discount", "order_discount_orig_currency", "adv_commission_amount", "cj_fee", "items_mark")
        )
        warehouse.execute(
            f"INSERT INTO cj.commissions SELECT * REPLACE ({negated}, commission_id || '1' AS commission_id, FALSE AS original, "
            f"posting_date + INTERVAL {hours[0]} HOUR AS posting_date) FROM cj.commissions"
        )
        warehouse.execute(
            f"INSERT INTO cj.commissions SELECT * REPLACE (commission_id || '2' AS commission_id, commission_id || '2' AS original_action_id, "
            f"posting_date + INTERVAL {hours[1]} HOUR AS posting_date) FROM cj.commissions WHERE sale_amount > 0"
        )
    (held,) = world.rows("SELECT records, sale_amount, commission, coupon, items_mark FROM cj.order_state")
    assert (held["records"], held["sale_amount"], held["coupon"]) == (3, Decimal("100"), "SPRING")
    again_planned = planned(world, "again")
    assert (again_planned.orders, again_planned.prepared.summary["skipped_by_reason"]) == ({}, {"unchanged": 1})
    assert world.reconcile()["matched"] == 1
    world.append([later(order, 90, amount=Decimal("80.00"))])
    assert operations(planned(world, "changed")) == ["restate"]
