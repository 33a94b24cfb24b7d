"""What an order is while it is being invented: lines in whole cents, so that every amount is exact by construction."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from include.domain.money import money

ENTERPRISE = "1500001"
ADVERTISER = "5500001"
FIXED_DATE, OPEN_ENDED, FIXED_DURATION = 401, 402, 403
"""The shop's action trackers: the monthly cycle, travel bookings, and thirty days after the order."""


def cents_text(cents: int) -> str:
    """1234 -> '12.34'."""
    return f"{cents // 100}.{cents % 100:02d}"


def cents_money(cents: int | None) -> Decimal | None:
    """Cents as an amount of money; None stays None."""
    return None if cents is None else money(cents_text(cents))


@dataclass(frozen=True)
class Line:
    """One line of an order, in cents."""

    sku: str
    quantity: int
    unit_price: int
    """Cents."""
    discount: int = 0
    """Cents off the whole line, not per piece, as CJ reads it."""

    @property
    def total(self) -> int:
        return self.unit_price * self.quantity - self.discount

    def less(self, pieces: int) -> Line:
        """The line after so many pieces came back, its discount cut in proportion."""
        left = self.quantity - pieces
        return replace(self, quantity=left, discount=self.discount * left // self.quantity)


def items_json(lines: Iterable[Line]) -> str:
    """The lines as the text of column `items`."""
    return json.dumps(
        [
            {"sku": line.sku, "quantity": line.quantity, "unit_price": cents_text(line.unit_price), "discount": cents_text(line.discount)}
            for line in lines
        ]
    )


@dataclass(frozen=True)
class Order:
    """An order in one state. `amount` is after item discounts and before `discount`, as CJ defines it."""

    order_id: str
    tracker: int
    placed: datetime
    currency: str
    lines: tuple[Line, ...] | None
    """None: a booking without a basket; `flat_amount` says what it is worth."""
    flat_amount: int = 0
    discount: int | None = 0
    coupon: str | None = None
    cj_event: str | None = None
    ad_id: int | None = None
    promotional_property_id: int | None = None
    sid: str | None = None
    publisher: int = 0
    """Which of the shop's publishers brought it; meaningless without attribution."""
    custom_parameters: str | None = None
    vertical_parameters: str | None = None

    @property
    def attributed(self) -> bool:
        return self.cj_event is not None or self.ad_id is not None

    @property
    def amount(self) -> int:
        return self.flat_amount if self.lines is None else sum(line.total for line in self.lines)

    @property
    def items(self) -> str | None:
        return items_json(self.lines) if self.lines else None

    def with_lines(self, lines: tuple[Line, ...]) -> Order:
        """The order with another basket; its discount never exceeds what is left."""
        smaller = replace(self, lines=lines)
        return replace(smaller, discount=None if self.discount is None else min(self.discount, smaller.amount))

    def partly_returned(self, share: float) -> Order:
        """The order after about `share` of its amount came back, at least one piece and never all of them."""
        if self.lines is None:
            return replace(self, flat_amount=max(1, int(self.flat_amount * (1 - share))))
        target, lines = int(self.amount * share), list(self.lines)
        if sum(line.quantity for line in lines) < 2:
            refunded = replace(lines[0], unit_price=max(1, lines[0].unit_price * 9 // 10), discount=0)
            return self.with_lines((refunded,))
        taken = 0
        for index in sorted(range(len(lines)), key=lambda i: lines[i].total):
            pieces_left = sum(line.quantity for line in lines)
            pieces = min(lines[index].quantity, pieces_left - 1, max(1, (target - taken) // max(1, lines[index].unit_price)))
            before = lines[index].total
            lines[index] = lines[index].less(pieces)
            taken += before - lines[index].total
            if taken >= target or pieces_left - pieces <= 1:
                break
        return self.with_lines(tuple(line for line in lines if line.quantity))


@dataclass(frozen=True)
class Change:
    """One row of the change log: an order's state, when it changed, and when the row reached the warehouse."""

    order: Order
    kind: str
    """`new`, `restated` or `cancelled`."""
    at: datetime
    status: str | None = None
    correction_reason: str | None = None
    arrives: datetime | None = None
    """None: at once. A later instant is a late row."""
    override: dict[str, object] = field(default_factory=dict)
    """Columns written otherwise than the order says: how a dirty row is made."""

    def row(self) -> dict[str, object]:
        """The contract's columns, and `arrives_at`."""
        order, gone = self.order, self.kind == "cancelled"
        return {
            "enterprise_id": ENTERPRISE,
            "action_tracker_id": order.tracker,
            "order_id": order.order_id,
            "change_type": self.kind,
            "event_time": order.placed,
            "updated_at": self.at,
            "amount": cents_money(0 if gone else order.amount),
            "discount": cents_money(0 if gone else order.discount),
            "currency": order.currency,
            "coupon": order.coupon,
            "items": None if gone else order.items,
            "status": self.status,
            "correction_reason": self.correction_reason,
            "cj_event": order.cj_event,
            "ad_id": order.ad_id,
            "promotional_property_id": order.promotional_property_id,
            "sid": order.sid,
            "custom_parameters": order.custom_parameters,
            "vertical_parameters": order.vertical_parameters,
            "arrives_at": self.arrives or self.at,
        } | self.override


@dataclass(frozen=True)
class PixelOrder:
    """An order as CJ's pixel reported it: what CJ holds before anything is restated."""

    order: Order
    posted: datetime
    locking: datetime | None = None
    """None: the action tracker's own rule."""
    action_status: str | None = None
    commissionable: bool = True
    appears: datetime | None = None
    """When Commission Detail first shows it; None: as soon as it is posted."""
    tracker: int | None = None
    """Where CJ filed it, if not under the order's own action tracker."""

    def row(self, publishers: tuple[tuple[str, str], ...]) -> dict[str, object]:
        order = self.order
        return {
            "enterprise_id": ENTERPRISE,
            "action_tracker_id": self.tracker or order.tracker,
            "order_id": order.order_id,
            "amount": cents_text(order.amount),
            "discount": None if order.discount is None else cents_text(order.discount),
            "currency": order.currency,
            "coupon": order.coupon,
            "items": order.items,
            "event_time": order.placed,
            "posted_at": self.posted,
            "publisher_id": publishers[order.publisher % len(publishers)][0],
            "locking_date": self.locking,
            "action_status": self.action_status,
            "commissionable": self.commissionable,
        }
