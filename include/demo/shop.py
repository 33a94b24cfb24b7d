"""A whole shop: the change log its warehouse holds, what the pixel told CJ, and the story both tell.

Three nights, because three verdicts need three ages: what was sent two nights ago can be `missing` (36 hours are over), what was sent
last night can be `late`, what is sent tonight is `awaiting`. The first two nights are short; the last is the demo.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from include.demo import year
from include.demo.catalogue import Catalogue
from include.demo.dirt import dirty_changes
from include.demo.orders import OPEN_ENDED, Change, Order, PixelOrder
from include.demo.story_types import Night, Storyline
from include.demo.storyline import tell

SEED = 20_101_201
NIGHT_SHARES = (0.04, 0.06, 0.90)
LOG_BEGINS = timedelta(days=90)
"""How far back the change log reaches: an older order has no `new` row."""
NIGHTLY_AT = 2
"""The hour (UTC) at which the nightly run's interval ends: a night of the shop is one data interval of cj_restatements."""
MISSED = 0.06
"""Share of affiliate orders the pixel never reported (a closed tab, a consent banner)."""
EXCHANGED = 0.12
LATE_ROWS = 0.004
SMALLEST_SHOP = 1_000


@dataclass(frozen=True)
class Shop:
    """Everything that was invented. `changes` is in the order in which the rows reach the warehouse."""

    changes: tuple[Change, ...]
    pixel: tuple[PixelOrder, ...]
    story: Storyline


def open_shop(night: datetime, orders: int = 5_000) -> Shop:
    """The shop whose nightly run of `night` (aware; its UTC date counts) picks up most of some `orders` orders.

    The same arguments give the same shop, to the byte. Raises ValueError below 1,000 orders: one row of every kind of dirt would
    then be more than 5 % of the night.
    """
    if orders < SMALLEST_SHOP:
        raise ValueError(f"A demo shop needs at least {SMALLEST_SHOP} orders, not {orders}: every kind of dirty row must stay below 5 %.")
    tick = night.astimezone(UTC).replace(hour=NIGHTLY_AT, minute=0, second=0, microsecond=0)
    nights = tuple(Night.before(tick - timedelta(days=back)) for back in (2, 1, 0))
    catalogue = Catalogue(np.random.default_rng(SEED))
    changes: list[Change] = []
    pixel: list[PixelOrder] = []
    for each, share in zip(nights, NIGHT_SHARES, strict=True):
        for trail, reported in _ordinary_orders(catalogue, each, round(orders * share), tick - LOG_BEGINS):
            changes += trail
            pixel += reported
    story, told, held = tell(catalogue, nights)
    changes += told
    pixel += held
    dirty = dirty_changes(catalogue, nights[-1])
    changes += [change for _, change in dirty]
    changes.sort(key=lambda change: (change.arrives or change.at, change.at, change.order.order_id, change.kind))
    pixel.sort(key=lambda held: held.order.order_id)
    return Shop(tuple(changes), tuple(pixel), replace(story, dirt={str(change.row()["order_id"]): kind for kind, change in dirty}))


def _ordinary_orders(
    catalogue: Catalogue, night: Night, count: int, log_begins: datetime
) -> Iterator[tuple[list[Change], list[PixelOrder]]]:
    """`count` orders touched in the night's interval, each with all its rows and with what the pixel reported of it."""
    rng = catalogue.rng
    changed = rng.random(count) < year.ROWS_THAT_ARE_CHANGES
    touched = year.hours(rng, count)
    ages = year.DAYS_TO_CHANGE.draw(rng, count)
    for is_change, hour, age in zip(changed, touched, ages, strict=True):
        at = _whole_second(night.start + timedelta(hours=float(hour)))
        placed = _whole_second(at - timedelta(days=float(age))) if is_change else at
        order = catalogue.order(placed)
        trail = [Change(order, "new", placed)] if placed >= log_begins else []
        if is_change:
            trail += _changes(catalogue, order, at, night)
        elif not order.attributed and catalogue.chance(0.01):
            trail.append(Change(order, "cancelled", at + timedelta(minutes=20), correction_reason=_undone(order)))
        reported = [reported_by_pixel(catalogue, order)] if order.attributed and not catalogue.chance(MISSED) else []
        yield trail, reported


def _changes(catalogue: Catalogue, order: Order, at: datetime, night: Night) -> list[Change]:
    """What happened to an older order in this night's interval: one change, sometimes another soon after."""
    if catalogue.chance(year.CANCELLED_OF_CHANGES):
        return [_cancelled(order, at)]
    if order.lines and catalogue.chance(EXCHANGED):
        bought = catalogue.basket(1)
        changed, reason = order.with_lines((*order.lines[1:], bought[0])), "Other"
    else:
        changed, reason = order.partly_returned(float(year.RETURNED_SHARE.draw(catalogue.rng, 1)[0])), "ReturnedMerchandise"
    status = ("Accepted" if catalogue.chance(0.6) else "Pending") if order.tracker == OPEN_ENDED else None
    first = Change(changed, "restated", at, status, "BookingCanceled" if order.tracker == OPEN_ENDED else reason)
    if not catalogue.chance(year.CHANGES_PER_CHANGED_ORDER - 1):
        return [first]
    again = _whole_second(at + (night.end - at) * float(catalogue.rng.random()) * 0.9)
    second = Change(changed.partly_returned(0.05), "restated", max(again, at + timedelta(seconds=1)), status, first.correction_reason)
    if catalogue.chance(LATE_ROWS / year.ROWS_THAT_ARE_CHANGES / (year.CHANGES_PER_CHANGED_ORDER - 1)):
        first = replace(first, arrives=min(second.at + timedelta(minutes=5), night.end))
    return [first, second]


def _cancelled(order: Order, at: datetime) -> Change:
    return Change(order, "cancelled", at, "Declined" if order.tracker == OPEN_ENDED else None, _undone(order))


def _undone(order: Order) -> str:
    return "BookingCanceled" if order.tracker == OPEN_ENDED else "ReturnedMerchandise"


def reported_by_pixel(catalogue: Catalogue, order: Order) -> PixelOrder:
    """The order as the pixel saw it. A basket too long for CJ went without its items."""
    delay = timedelta(minutes=int(catalogue.rng.integers(3, 55)))
    seen = order if order.lines is None or len(order.lines) <= 100 else replace(order, lines=None, flat_amount=order.amount)
    return PixelOrder(seen, order.placed + delay)


def _whole_second(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)
