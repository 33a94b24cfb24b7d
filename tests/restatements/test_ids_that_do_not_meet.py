"""CJ's tag and the warehouse know an order by two ids: nothing is created, and the sentence names both. In a right set-up creates go as ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Change, Key
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, operations, placed

ORDERS = 12


@pytest.fixture
def world(new_world: NewWorld) -> World:
    return new_world(Options())


def shop(world: World, prefix: str, orders: int = ORDERS, back: timedelta = timedelta(0)) -> list[Change]:
    """So many affiliate orders of the last day under ids that begin so."""
    first = placed()
    at = first.event_time - back
    changes = [replace(first, key=Key(FIXED_DATE, f"{prefix}-{n}"), event_time=at, updated_at=at) for n in range(orders)]
    world.append(changes)
    return changes


def pixel(world: World, changes: list[Change], prefix: str) -> None:
    """CJ's tag has reported them, under ids that begin so."""
    world.pixel([pixel_order(replace(c, key=Key(c.key.tracker, c.key.order_id.replace("shop", prefix))), c.event_time) for c in changes])


def planned(world: World, back: timedelta = timedelta(0)) -> Night:
    return world.prepare(BEGIN - timedelta(days=1) - back, BEGIN - back)


def test_orders_that_cj_knows_by_another_id_are_not_created_a_second_time(world: World) -> None:
    pixel(world, shop(world, "shop"), "number")
    night = planned(world)
    assert operations(night) == []
    assert night.prepared.summary["quarantined_by_reason"] == {"duplicate": ORDERS}
    held = world.rows("SELECT rule, order_id, detail FROM cj.quarantine WHERE order_id = 'shop-3'")
    assert [row["rule"] for row in held] == ["another_id"]
    assert "CJ knows the orders of these days by other ids" in held[0]["detail"]
    assert held[0]["detail"].endswith("CJ's: number-0, number-9 here: shop-3")
    world.submit(night)
    assert world.fates() == []


def test_in_a_backfill_of_days_long_gone_too(world: World) -> None:
    back = timedelta(days=60)
    pixel(world, shop(world, "shop", back=back), "number")
    assert operations(planned(world, back)) == []


def test_with_the_share_at_nothing_they_are_created(world: World) -> None:
    world.settings = replace(world.settings, ids_must_meet=Decimal(0))
    pixel(world, shop(world, "shop"), "number")
    assert operations(planned(world)) == ["create"] * ORDERS


def test_a_shop_without_a_tag_creates_its_first_nights_orders(world: World) -> None:
    for back in (timedelta(days=60), timedelta(days=1), timedelta(0)):
        shop(world, f"shop-{back.days}", back=back)
        night = planned(world, back)
        assert operations(night) == ["create"] * ORDERS
        world.submit(night)
        world.publish(night)
        world.reconcile()


def test_what_the_tag_missed_is_created_though_it_missed_many(world: World) -> None:
    orders = shop(world, "shop", 40)
    pixel(world, orders[:6], "shop")
    assert operations(planned(world)) == ["create"] * 34


def test_few_orders_tell_nothing(world: World) -> None:
    pixel(world, shop(world, "shop", 9), "number")
    assert operations(planned(world)) == ["create"] * 9


def test_orders_that_cj_has_and_the_warehouse_does_not_keep_none_from_being_created(world: World) -> None:
    """A second shop under the same advertiser, whose orders another package sends."""
    ours = shop(world, "shop", 30)
    pixel(world, ours[:20], "shop")
    pixel(world, [replace(c, key=Key(FIXED_DATE, f"other-{n}")) for n, c in enumerate(ours)], "other")
    assert operations(planned(world)) == ["create"] * 10
