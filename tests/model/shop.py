"""The model: what a change log means, and what CJ should hold because of it. Plain Python, written from the contract and not from the SQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

import orjson

RANK = {"new": 1, "restated": 2, "cancelled": 3}
"""Two changes of one instant: the one that can only come last wins."""


class Key(NamedTuple):
    """An order within one enterprise."""

    tracker: int
    order_id: str


class Item(NamedTuple):
    sku: str
    quantity: int
    unit_price: Decimal
    discount: Decimal | None = None

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity - (self.discount or 0)


@dataclass(frozen=True)
class Change:
    """One row of the shop's change log."""

    key: Key
    change_type: str
    event_time: datetime
    updated_at: datetime
    amount: Decimal
    discount: Decimal | None = None
    currency: str | None = None
    coupon: str | None = None
    items: tuple[Item, ...] | None = None
    status: str | None = None
    correction_reason: str | None = None
    cj_event: str | None = None

    @property
    def cancelled(self) -> bool:
        return self.change_type == "cancelled"

    @property
    def items_text(self) -> str | None:
        if self.items is None:
            return None
        lines = [
            {
                "sku": i.sku,
                "quantity": i.quantity,
                "unit_price": str(i.unit_price),
                "discount": None if i.discount is None else str(i.discount),
            }
            for i in self.items
        ]
        return orjson.dumps(lines).decode()

    @property
    def content(self) -> tuple[Any, ...]:
        """What CJ is told: two changes of equal content are the same state, whenever they happened."""
        if self.cancelled:
            return ("cancelled", self.status, self.correction_reason)
        items = None if self.items is None else tuple(sorted(self.items, key=str))
        return (self.amount, self.discount, self.currency, self.coupon, items, self.status, self.correction_reason)

    @property
    def valid(self) -> bool:
        """Whether the gate lets it through: the model's shop makes one kind of mistake, a discount above the amount."""
        return self.cancelled or self.discount is None or self.discount <= self.amount

    def row(self, enterprise_id: str) -> dict[str, Any]:
        return {
            "enterprise_id": enterprise_id,
            "action_tracker_id": self.key.tracker,
            "order_id": self.key.order_id,
            "change_type": self.change_type,
            "event_time": self.event_time,
            "updated_at": self.updated_at,
            "amount": self.amount,
            "discount": self.discount,
            "currency": self.currency,
            "coupon": self.coupon,
            "items": self.items_text,
            "status": self.status,
            "correction_reason": self.correction_reason,
            "cj_event": self.cj_event,
        }


def newest(changes: Iterable[Change]) -> Change:
    """The state the log ends in. The same rows give the same answer in whatever order they were written."""
    return max(changes, key=_age)


def _age(c: Change) -> tuple[Any, ...]:
    texts = (c.currency, c.coupon, c.items_text, c.status, c.correction_reason, c.cj_event)
    return (
        c.updated_at, RANK[c.change_type], c.amount, c.discount is not None, c.discount or 0, c.event_time,
        *((text is not None, text or "") for text in texts),
    )  # fmt: skip


class Log:
    """The shop's change log, and what it means at any moment."""

    def __init__(self) -> None:
        self.changes: dict[Key, list[Change]] = {}

    def add(self, change: Change) -> None:
        self.changes.setdefault(change.key, []).append(change)

    def state(self, key: Key) -> Change:
        return newest(self.changes[key])

    def states(self) -> dict[Key, Change]:
        return {key: newest(rows) for key, rows in self.changes.items()}

    def ours_to_create(self, key: Key) -> bool:
        return any(c.change_type == "new" for c in self.changes[key])

    def touched(self, start: datetime, end: datetime) -> set[Key]:
        return {key for key, rows in self.changes.items() if any(start <= c.updated_at < end for c in rows)}


def quantities(items: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Pieces by SKU, nothing of nothing."""
    found: dict[str, int] = {}
    for sku, quantity in items:
        found[sku] = found.get(sku, 0) + quantity
    return {sku: quantity for sku, quantity in found.items() if quantity}


def in_cents(amount: Decimal | None) -> Decimal:
    """An amount as CJ keeps it: to the cent."""
    return (amount or Decimal(0)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def holds(held: dict[str, Any] | None, state: Change, functional: str) -> bool:
    """Whether an order as CJ has it (the sandbox's own view) is this state, to the cent."""
    if held is None:
        return False
    if state.cancelled:
        return bool(held["cancelled"]) or (_money(held["amount"]) == 0 and not quantities((i["sku"], i["quantity"]) for i in held["items"]))
    return (
        not held["cancelled"]
        and _money(held["amount"]) == in_cents(state.amount)
        and _money(held["discount"]) == in_cents(state.discount)
        and held["currency"] == (state.currency or functional)
        and (held["coupon"] or None) == (state.coupon or None)
        and quantities((i["sku"], i["quantity"]) for i in held["items"]) == quantities((i.sku, i.quantity) for i in state.items or ())
    )


def _money(text: str | None) -> Decimal:
    return Decimal(text or 0)
