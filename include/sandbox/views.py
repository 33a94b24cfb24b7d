"""What the control API tells of the inside: the truth tests compare with, which CJ itself never shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from include.sandbox.clock import second
from include.sandbox.held import status_sql
from include.sandbox.sandbox import Sandbox


def orders(sandbox: Sandbox) -> Iterator[bytes]:
    """CJ's current state of every order, a JSON line each."""
    sandbox.processing.run_due(sandbox.knobs)
    db = sandbox.store.new_reader()
    status = status_sql("o", second(sandbox.clock.now()), sandbox.knobs.close_after_days)
    try:
        yield from _lines(
            _order(row)
            for row in db.execute(
                "SELECT o.enterprise_id, o.action_tracker_id, o.order_id, o.amount, o.discount, o.currency, o.coupon, o.items,"
                f" o.cancelled, o.commissionable, {status}, o.locking_date, coalesce(s.posts, 0), coalesce(s.pending, 0) FROM orders o LEFT JOIN ("
                "SELECT enterprise_id, action_tracker_id, order_id, count(*) AS posts, sum(processed_at IS NULL) AS pending"
                " FROM submissions GROUP BY enterprise_id, order_id, action_tracker_id) s ON s.enterprise_id = o.enterprise_id AND s.order_id = o.order_id"
                " AND s.action_tracker_id = o.action_tracker_id ORDER BY o.enterprise_id, o.action_tracker_id, o.order_id"
            )
        )
    finally:
        db.close()


def _order(row: tuple[Any, ...]) -> dict[str, Any]:
    enterprise, tracker, order_id, amount, discount, currency, coupon, items, cancelled, commissionable, status, locking, posts, pending = (
        row
    )
    return {
        "enterprise_id": enterprise,
        "action_tracker_id": tracker,
        "order_id": order_id,
        "amount": amount,
        "discount": discount,
        "currency": currency,
        "coupon": coupon,
        "items": [{"sku": i[0], "quantity": i[1], "unit_price": i[2], "discount": i[3]} for i in orjson.loads(items)],
        "cancelled": bool(cancelled),
        "commissionable": bool(commissionable),
        "action_status": status,
        "locking_date": locking,
        "live_posts": posts,
        "pending": pending,
    }


def submissions(sandbox: Sandbox) -> Iterator[bytes]:
    """Every live order received, in order of receipt, what became of it, and the mark of a fault or the weather on it."""
    sandbox.processing.run_due(sandbox.knobs)
    names = (
        "enterprise_id", "action_tracker_id", "order_id", "operation", "update_time", "received_at", "due_at", "processed_at", "posted",
        "drop_reason", "drop_detail", "fault",
    )  # fmt: skip
    db = sandbox.store.new_reader()
    try:
        rows = db.execute(f"SELECT {', '.join(names)} FROM submissions ORDER BY seq")
        yield from _lines(
            dict(zip(names, row, strict=True))
            | {"posted": None if row[8] is None else bool(row[8]), "fault": None if row[11] is None else orjson.loads(row[11])}
            for row in rows
        )
    finally:
        db.close()


def calls(sandbox: Sandbox) -> Iterator[bytes]:
    """Every request to CJ's endpoints, in order."""
    names = ("time", "path", "operation", "orders", "status", "fault")
    db = sandbox.store.new_reader()
    try:
        yield from _lines(dict(zip(names, row, strict=True)) for row in db.execute(f"SELECT {', '.join(names)} FROM calls ORDER BY seq"))
    finally:
        db.close()


def _lines(values: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    piece: list[bytes] = []
    for value in values:
        piece.append(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))
        if len(piece) == 1_000:
            yield b"".join(piece)
            piece = []
    yield b"".join(piece)
