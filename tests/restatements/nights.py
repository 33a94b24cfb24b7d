"""An order and the nights it goes through, for tests that play one story each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from tests.model.histories import FIXED_DATE
from tests.model.shop import Change, Key
from tests.model.world import BEGIN, Night, Options, World

NewWorld = Callable[[Options], World]


def placed(tracker: int = FIXED_DATE, **fields: object) -> Change:
    """An affiliate order of 100.00, placed an hour ago."""
    at = BEGIN - timedelta(hours=1)
    order = Change(Key(tracker, "o-1"), "new", event_time=at, updated_at=at, amount=Decimal("100.00"), cj_event="click")
    return replace(order, **fields)  # type: ignore[arg-type]


def later(order: Change, minutes: int, **fields: object) -> Change:
    return replace(order, **{"updated_at": order.updated_at + timedelta(minutes=minutes), "change_type": "restated"} | fields)  # type: ignore[arg-type]


def night(world: World) -> Night:
    """A whole night over all that happened, then CJ's hour and the reconciliation."""
    played = world.prepare(BEGIN - timedelta(days=9), world.now())
    world.submit(played)
    world.publish(played)
    world.advance(timedelta(hours=2))
    world.reconcile()
    return played


def quiet_night(world: World) -> Night:
    """A night in whose interval nothing happened."""
    played = world.prepare(world.now() - timedelta(seconds=1), world.now())
    world.submit(played)
    world.publish(played)
    world.advance(timedelta(hours=2))
    world.reconcile()
    return played


def operations(played: Night) -> list[str]:
    return [planned.operation for planned in played.orders.values()]
