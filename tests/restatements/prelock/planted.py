"""A shop whose nights missed what happened to some of its orders: one order for everything a review can say, and what it must say of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from include.airflow.defaults import next_night
from include.domain.account import Account
from include.restatements.prelock.review import Made, review
from include.restatements.settings import Settings
from include.warehouse.base import open_warehouse
from tests.model.histories import FIXED_DATE, OPEN_ENDED, pixel_order
from tests.model.shop import Change, Item, Key
from tests.model.world import BEGIN
from tests.restatements.both_warehouses import WorldOn

PLACED = BEGIN - timedelta(days=10)
"""In February, so that CJ's month locks on the 10th of March: eight days after the world begins."""
MUG = Item("MUG", 2, Decimal("50.00"))
SUBSCRIPTION = "99001"


@dataclass(frozen=True)
class Planted:
    """An order as CJ's pixel reported it, what the warehouse has of it since (None: nothing), and what a review says."""

    pixel: Change | None
    states: tuple[Change, ...]
    finding: str
    extension: str | None


def order(order_id: str, tracker: int = FIXED_DATE, **fields: Any) -> Change:
    made = Change(
        Key(tracker, order_id), "new", event_time=PLACED, updated_at=PLACED, amount=Decimal("100.00"), items=(MUG,), cj_event="click"
    )
    return replace(made, **fields)


def since(before: Change, **fields: Any) -> Change:
    return replace(before, **{"change_type": "restated", "updated_at": before.updated_at + timedelta(days=3)} | fields)  # type: ignore[arg-type]


def planted() -> Mapping[str, Planted]:
    half = {"amount": Decimal("50.00"), "items": (MUG._replace(quantity=1),)}
    old = order("agrees-old", event_time=PLACED - timedelta(days=11), updated_at=PLACED - timedelta(days=11))
    orders = {name: order(name) for name in ("agrees", "restated", "cancelled", "coupon-lost", "refused")}
    coupon = order("coupon-lost", coupon="SAVE")
    travel = order("travel", OPEN_ENDED)
    fits = order("has,comma")
    euro = order("euro", currency="EUR", items=None)
    return {
        "agrees": Planted(orders["agrees"], (orders["agrees"],), "agrees", "chosen"),
        "agrees-old": Planted(old, (old,), "agrees", None),
        "restated": Planted(orders["restated"], (orders["restated"], since(orders["restated"], **half)), "to_send", "to_correct"),
        "cancelled": Planted(
            orders["cancelled"], (orders["cancelled"], since(orders["cancelled"], change_type="cancelled", correction_reason="ReturnedMerchandise")),
            "to_send", "to_correct",
        ),
        "coupon-lost": Planted(coupon, (coupon, since(coupon, coupon=None)), "held_back", "chosen"),
        "refused": Planted(orders["refused"], (orders["refused"], since(orders["refused"], discount=Decimal("500.00"))), "refused", "chosen"),
        "unknown-here": Planted(order("unknown-here"), (), "not_in_warehouse", "not_in_warehouse"),
        "travel": Planted(travel, (travel,), "agrees", None),
        "has,comma": Planted(fits, (fits,), "refused", "unfit_id"),
        "euro": Planted(euro, (euro,), "not_comparable", "chosen"),
    }  # fmt: skip


def fill(world: WorldOn, orders: Mapping[str, Planted]) -> None:
    """CJ and the warehouse as the nights left them: no night ever saw what happened since."""
    world.pixel([pixel_order(one.pixel, one.pixel.event_time + timedelta(hours=1)) for one in orders.values() if one.pixel is not None])
    world.append([state for one in orders.values() for state in one.states])


def settings(world: WorldOn, **more: Any) -> Settings:
    (account,) = world.settings.accounts
    mine: Account = replace(account, extension_subscription_id=SUBSCRIPTION)
    return replace(world.settings, accounts=(mine,), **{"days_before_lock": 10, "return_days": 20} | more)


def reviewed(world: WorldOn, run_id: str = "review_1", **more: Any) -> Made:
    return review(settings(world, **more), world.location, run_id, next_night=next_night)


def rows(world: WorldOn, sql: str, **bound: object) -> list[dict[str, Any]]:
    with open_warehouse(world.location) as session:
        return [dict(row) for row in session.rows(sql, bound)]


def findings(world: WorldOn) -> dict[str, tuple[str, str | None]]:
    """order id → finding and extension, of every order that is listed."""
    found = rows(world, "SELECT order_id, finding, extension FROM cj.prelock_orders")
    return {row["order_id"]: (row["finding"], row["extension"]) for row in found}
