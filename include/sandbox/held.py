"""The orders CJ holds, one value each: read for a batch of updates, written back together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import orjson

from include.domain.states import ActionStatus
from include.sandbox.clock import parse_instant, second
from include.sandbox.posting import Figures, Item

Key = tuple[str, int, str]
"""enterprise_id, action_tracker_id, order_id."""


@dataclass(slots=True)
class HeldOrder:
    """An order as CJ holds it."""

    ref: int
    enterprise_id: str
    action_tracker_id: int
    order_id: str
    advertiser_id: str
    action_type: str
    publisher_id: str
    event_date: str
    locking_date: str
    action_status: str | None
    """Only what cannot be told from the locking date: `extended`, or `locked` and `closed` ahead of time."""
    original_id: int
    amount: str
    discount: str | None
    currency: str
    coupon: str | None
    items: list[Item]
    cancelled: bool
    commissionable: bool
    updated_at: str | None
    figures: Figures

    @property
    def key(self) -> Key:
        return self.enterprise_id, self.action_tracker_id, self.order_id


COLUMNS = (
    "ref, enterprise_id, action_tracker_id, order_id, advertiser_id, action_type, publisher_id, event_date, locking_date, action_status,"
    " original_id, amount, discount, currency, coupon, items, cancelled, commissionable, updated_at, figures"
)
_FIND = f"SELECT {COLUMNS} FROM orders WHERE enterprise_id = ? AND order_id = ? AND action_tracker_id = ?"
_WRITE = f"INSERT OR REPLACE INTO orders ({COLUMNS}) VALUES ({', '.join('?' * len(COLUMNS.split(',')))})"


def find(db: sqlite3.Connection, key: Key) -> HeldOrder | None:
    """The order with this key, or None."""
    row = db.execute(_FIND, (key[0], key[2], key[1])).fetchone()
    if row is None:
        return None
    *plain, items, cancelled, commissionable, updated_at, figures = row
    rest = (orjson.loads(items), bool(cancelled), bool(commissionable), updated_at, Figures(*orjson.loads(figures)))
    return HeldOrder(*(*plain, *rest))


def exists(db: sqlite3.Connection, key: Key) -> bool:
    """Whether CJ holds the order."""
    sql = "SELECT 1 FROM orders WHERE enterprise_id = ? AND order_id = ? AND action_tracker_id = ?"
    return db.execute(sql, (key[0], key[2], key[1])).fetchone() is not None


def held_elsewhere(db: sqlite3.Connection, key: Key) -> bool:
    """Whether the enterprise has this order id under another action tracker."""
    row = db.execute("SELECT 1 FROM orders WHERE enterprise_id = ? AND order_id = ? AND action_tracker_id <> ?", (key[0], key[2], key[1]))
    return row.fetchone() is not None


def write(db: sqlite3.Connection, orders: Iterable[HeldOrder]) -> None:
    """Write orders as they are now, over what was there."""
    db.executemany(_WRITE, (_row(o) for o in orders))


def _row(o: HeldOrder) -> tuple[object, ...]:
    return (
        o.ref, o.enterprise_id, o.action_tracker_id, o.order_id, o.advertiser_id, o.action_type, o.publisher_id, o.event_date,
        o.locking_date, o.action_status, o.original_id, o.amount, o.discount, o.currency, o.coupon, orjson.dumps(o.items).decode(),
        int(o.cancelled), int(o.commissionable), o.updated_at, orjson.dumps(list(o.figures)).decode(),
    )  # fmt: skip


def status_sql(order: str, now: str, close_after_days: int) -> str:
    """`actionStatus` at the second `now`, as SQL over the orders table called `order`. `now` is the sandbox's own text."""
    closed_if_locked_before = second(parse_instant(now) - timedelta(days=close_after_days))
    return (
        f"CASE WHEN {order}.action_status = 'closed' OR {order}.locking_date <= '{closed_if_locked_before}' THEN 'closed'"
        f" WHEN {order}.action_status = 'locked' OR {order}.locking_date <= '{now}' THEN 'locked'"
        f" ELSE coalesce({order}.action_status, 'new') END"
    )


def status_at(order: HeldOrder, now: str, close_after_days: int) -> ActionStatus:
    """The same rule for one order."""
    if order.action_status == ActionStatus.CLOSED or order.locking_date <= second(parse_instant(now) - timedelta(days=close_after_days)):
        return ActionStatus.CLOSED
    if order.action_status == ActionStatus.LOCKED or order.locking_date <= now:
        return ActionStatus.LOCKED
    return ActionStatus(order.action_status or ActionStatus.NEW)
