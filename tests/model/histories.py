"""Histories a shop might write: drawn from one seed, so that hypothesis shrinks how many and how long, and a failure names its seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.model.shop import Change, Item, Key, Log

FIXED_DATE, OPEN_ENDED, FIXED_DURATION, IMMEDIATE, TOTALS = 401, 402, 403, 404, 405
TRACKERS = [
    {"id": FIXED_DATE, "name": "Shop", "locking_method": "FIXED_DATE", "commission_rate": "0.08", "fee_rate": "0.02"},
    {"id": OPEN_ENDED, "name": "Travel", "locking_method": "OPEN_ENDED", "commission_rate": "0.05", "fee_rate": "0.01"},
    {"id": FIXED_DURATION, "name": "Subscription", "locking_method": "FIXED_DURATION", "lock_days": 3, "commission_rate": "0.1", "fee_rate": "0.02"},
    {"id": IMMEDIATE, "name": "Now", "locking_method": "IMMEDIATE", "commission_rate": "0.1", "fee_rate": "0.03"},
    {"id": TOTALS, "name": "Totals", "locking_method": "FIXED_DATE", "commission_rate": "0.08", "fee_rate": "0.02", "reports_items": False},
]  # fmt: skip
EXCLUDED_COUPON = "STAFF"
REASONS = [None, None, "ReturnedMerchandise", "Other", "BadDebt"]

KINDS = {
    "created": 8,
    "held": 8,
    "held differently": 2,
    "missed": 1,
    "organic": 2,
    "elsewhere": 1,
    "locked": 1,
    "closed": 1,
    "unpaid": 1,
    "wrong": 1,
}
"""Where a new order stands with CJ, and how often."""


@dataclass(frozen=True)
class Surroundings:
    """How a shop and its CJ are, beyond the plain."""

    no_items: bool = False
    """Some orders are of a tracker that reports no items."""
    two_trackers: bool = False
    """Some order ids are two orders, under two trackers, of which CJ holds one."""


class History:
    """Writes changes to a log and says which orders CJ holds by its pixel. `now` is given with each call; times are whole seconds."""

    def __init__(self, log: Log, functional: str, surroundings: Surroundings) -> None:
        self.log, self.functional, self.count, self.surroundings = log, functional, 0, surroundings
        self._trackers = {FIXED_DATE: 8, OPEN_ENDED: 3, FIXED_DURATION: 3, IMMEDIATE: 1} | ({TOTALS: 3} if surroundings.no_items else {})

    def orders(self, random: Random, many: int, now: datetime, prefix: str) -> tuple[list[Change], list[dict[str, Any]]]:
        """New orders: their rows, and the pixel's orders behind them."""
        changes: list[Change] = []
        pixel: list[dict[str, Any]] = []
        for kind in random.choices(list(KINDS), list(KINDS.values()), k=many):
            self.count += 1
            tracker = random.choices(list(self._trackers), list(self._trackers.values()))[0]
            key = Key(tracker, f"{prefix}-{self.count}")
            first = self._first(random, key, kind, now)
            rows = [first]
            for _ in range(random.choice([0, 0, 0, 1, 2])):
                rows.append(self._next(random, rows[-1], [first], rows[-1].updated_at + timedelta(seconds=random.choice([0, 1, 1]))))
            if kind in ("held", "held differently", "elsewhere", "locked", "closed", "unpaid"):
                pixel.append(self._pixel(random, first, kind, now))
                if random.random() < 0.5:
                    rows = rows[1:]
            if kind == "missed":
                rows = [replace(r, change_type="restated") if r.change_type == "new" else r for r in rows]
            if random.random() < 0.3:
                random.shuffle(rows)
            changes += rows
            if self.surroundings.two_trackers and kind == "held" and random.random() < 0.3:
                other = OPEN_ENDED if tracker == FIXED_DATE else FIXED_DATE
                changes.append(self._first(random, Key(other, key.order_id), "created", now))
        return changes, pixel

    def more(self, random: Random, many: int, now: datetime) -> list[Change]:
        """Further changes of orders that are there, some of several in the same second."""
        keys = sorted(self.log.changes)
        chosen = random.sample(keys, min(many, len(keys)))
        changes = []
        for key in chosen:
            before = self.log.changes[key]
            last = self.log.state(key)
            at = now - timedelta(seconds=random.choice([20, 21, 22]))
            for _ in range(random.choice([1, 1, 1, 2, 3])):
                last = self._next(random, last, before, at)
                changes.append(last)
                at += timedelta(seconds=random.choice([0, 0, 1]))
        return changes

    def late(self, random: Random) -> Change | None:
        """A row that arrives after its time: with the time of one that is there, or a second around it."""
        if not self.log.changes:
            return None
        key = random.choice(sorted(self.log.changes))
        near = random.choice(self.log.changes[key])
        at = max(near.updated_at + timedelta(seconds=random.choice([-1, 0, 0])), near.event_time)
        return self._next(random, near, self.log.changes[key], at)

    def _first(self, random: Random, key: Key, kind: str, now: datetime) -> Change:
        currency = random.choice([None, None, self.functional, "GBP"])
        items, amount = self._basket(random)
        discount = random.choice([None, None, Decimal("0.00"), (amount / 4).quantize(Decimal("0.01"))])
        if kind == "wrong":
            discount = amount + 1
        at = now - timedelta(seconds=random.choice([30, 31, 32]))
        return Change(
            key=key, change_type="new", event_time=at - timedelta(hours=random.choice([0, 1, 20])), updated_at=at, amount=amount, discount=discount,
            currency=currency, coupon=random.choice([None, None, "TEN", "SPRING", EXCLUDED_COUPON if random.random() < 0.2 else None]), items=items,
            cj_event=None if kind == "organic" else f"click-{key.order_id}",
        )  # fmt: skip

    def _next(self, random: Random, last: Change, before: list[Change], at: datetime) -> Change:
        what = random.choice(
            ["restate", "restate", "amount", "less", "zero", "same", "back", "cancel", "cancel", "new", "accept", "reason"]
        )
        event_time = last.event_time
        again = replace(last, updated_at=at, change_type="restated" if last.cancelled else last.change_type)
        correction, status = random.choice(REASONS), random.choice([None, None, "Pending", "Accepted"])
        if what == "cancel":
            return replace(again, change_type="cancelled", status=random.choice([None, None, "Declined"]), correction_reason=correction)
        if again.status == "Declined":
            again = replace(again, status=None)
        if what == "same":
            return again
        if what == "back":
            old = random.choice(before)
            return replace(old, updated_at=at, change_type="cancelled" if old.cancelled else "restated", event_time=event_time)
        again = replace(again, change_type="restated")
        if what == "accept":
            return replace(again, status="Accepted")
        if what == "reason":
            return replace(again, correction_reason=correction)
        if what == "zero":
            return replace(again, amount=Decimal("0.00"), discount=again.discount and Decimal("0.00"), items=None, status=status)
        if what == "less" and again.items and len(again.items) > 1:
            rest = again.items[1:]
            amount = sum((i.total for i in rest), Decimal(0))
            return replace(
                again,
                items=rest,
                amount=amount,
                discount=self._within(again.discount, amount),
                correction_reason=correction,
                status=status,
            )
        items, amount = self._basket(random)
        if what == "amount" and again.items is None:
            return replace(again, amount=amount, discount=self._within(again.discount, amount), correction_reason=correction, status=status)
        return replace(
            again, change_type="new" if what == "new" else "restated", items=items, amount=amount, correction_reason=correction, status=status,
            discount=random.choice([None, Decimal("0.00"), self._within(Decimal("1.23"), amount)]), coupon=random.choice([None, again.coupon, "TEN"]),
        )  # fmt: skip

    @staticmethod
    def _within(discount: Decimal | None, amount: Decimal) -> Decimal | None:
        return None if discount is None else min(discount, amount)

    @staticmethod
    def _basket(random: Random) -> tuple[tuple[Item, ...] | None, Decimal]:
        if random.random() < 0.4:
            digits = random.choice(["0.01", "0.07", "0.55", "10.00", "12.345", "199.9999", "1234.5", "88.125", "7"])
            return None, Decimal(digits) * random.choice([1, 1, 3])
        items = []
        for sku in random.sample(["SKU-1", "SKU-2", "SKU-3", "ÄÖ 4"], random.choice([1, 1, 2, 3])):
            price, quantity = (
                random.choice([Decimal("9.99"), Decimal("0.333"), Decimal("120.00"), Decimal("5.005")]),
                random.choice([1, 2, 5]),
            )
            off = random.choice([None, None, Decimal("0.00"), price / 4])
            items.append(Item(sku, quantity, price, off))
        return tuple(items), sum((i.total for i in items), Decimal(0))

    def _pixel(self, random: Random, first: Change, kind: str, now: datetime) -> dict[str, Any]:
        held = pixel_order(first, first.event_time)
        if kind == "held differently" and first.currency in (None, self.functional):
            held |= {"amount": "4321.09", "discount": None, "items": None}
        if kind == "elsewhere":
            held["action_tracker_id"] = FIXED_DURATION if first.key.tracker == FIXED_DATE else FIXED_DATE
        if kind in ("locked", "closed"):
            held |= {"action_status": kind, "locking_date": (now - timedelta(days=1)).isoformat()}
        if kind == "unpaid":
            held["commissionable"] = False
        return held


def pixel_order(state: Change, posted_at: datetime) -> dict[str, Any]:
    """The order as CJ's pixel reports it."""
    return {
        "action_tracker_id": state.key.tracker, "order_id": state.key.order_id, "amount": str(state.amount),
        "discount": None if state.discount is None else str(state.discount), "currency": state.currency, "coupon": state.coupon,
        "items": state.items_text, "event_time": state.event_time, "posted_at": posted_at,
    }  # fmt: skip
