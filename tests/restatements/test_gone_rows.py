"""What was to be planned again and is gone from the warehouse ends with a row that says so."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from include.restatements.rules.plan import GONE
from tests.model.histories import pixel_order
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, later, placed, quiet_night


@pytest.fixture
def world(new_world: NewWorld) -> World:
    return new_world(Options())


def planned(world: World, run_id: str) -> Night:
    return world.prepare(BEGIN - timedelta(days=9), world.now(), run_id)


def forget(world: World, order: Any) -> None:
    with duckdb.connect(str(world.path)) as warehouse:
        warehouse.execute("DELETE FROM order_changes WHERE order_id = ?", [order.key.order_id])


def kept(world: World) -> list[tuple[Any, ...]]:
    found = world.rows("SELECT run_id, rule, reason, stage, order_id FROM cj.quarantine ORDER BY quarantined_at")
    return [tuple(row.values()) for row in found]


def test_a_waiting_order_whose_row_is_gone_ends_with_a_row_that_says_so(world: World) -> None:
    order = placed()
    world.append([order])
    first = planned(world, "first")
    world.submit(first)
    world.publish(first)
    world.append([later(order, 1, amount=Decimal("80.00"))])
    world.publish(planned(world, "second"))
    assert [row["reason"] for row in world.rows("SELECT reason FROM cj.skipped")] == ["waiting"]
    forget(world, order)
    world.advance(timedelta(hours=2))
    world.reconcile()
    quiet_night(world)
    assert [row[1:] for row in kept(world)] == [(GONE.id, "unknown", "eligibility", "o-1")]
    for _ in range(2):
        quiet_night(world)
    assert len(kept(world)) == 1


def test_an_order_that_waited_for_nothing_and_whose_row_is_purged_gets_no_row(world: World) -> None:
    """CJ held it just so; then CJ posts a bonus on it, which is news, and the shop keeps no rows of that age."""
    order = placed()
    world.pixel([pixel_order(order, order.event_time)])
    world.append([order])
    quiet = planned(world, "first")
    assert quiet.prepared.summary["skipped_by_reason"] == {"unchanged": 1}
    world.publish(quiet)
    forget(world, order)
    world.act("bonus", [order.key], {"kind": "record", "action_type": "bonus", "commission": "5.00", "action_status": "new"})
    world.advance(timedelta(hours=2))
    quiet_night(world)
    assert kept(world) == []


def test_an_order_that_was_taken_over_and_whose_row_is_gone_ends_too(world: World) -> None:
    orders = [placed(), placed(key=placed().key._replace(order_id="o-2"))]
    world.append(orders)
    planned(world, "first")
    forget(world, orders[0])
    second = planned(world, "second")
    assert kept(world) == [("second", GONE.id, "unknown", "eligibility", "o-1")]
    assert [key.order_id for _, key in second.orders] == ["o-2"]
    assert second.prepared.summary["picked"] == second.prepared.summary["to_send"] + second.prepared.summary["quarantined"] == 2


def test_what_the_gate_refuses_is_not_gone(world: World) -> None:
    order = placed()
    world.append([order])
    planned(world, "first")
    world.append([later(order, 1, discount=Decimal("200.00"))])
    planned(world, "second")
    assert {row[3] for row in kept(world)} == {"validation"}
