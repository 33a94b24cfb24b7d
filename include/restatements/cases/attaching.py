"""The files that go with a case, of the types and sizes that CJ takes: every order as text, and a page for whoever opens only one thing.

A large text is split between orders, never within one; each part has the head of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from include.domain.locking import lock_of
from include.restatements.cases.pack import PackedOrder, Sending
from include.restatements.cases.writing import shown_order

TYPES = ("png", "jpg", "pdf", "txt")
LARGEST = 10 * 1000 * 1000
"""Bytes. CJ, Submit a Support Ticket: PNG, JPG, PDF, TXT, 10MB max per file; of the two readings of MB the smaller."""

OVERVIEW = "overview.pdf"
MOST_ORDERS, MOST_BATCHES = 20, 8
"""Rows of the overview: what fits on a page."""

COLUMNS = (
    "action_tracker_id", "order_id", "sending", "sent_at", "submission_id", "batch_id", "answer", "update_time", "amount_sent", "amount_shown", "currency",
    "discount_sent", "discount_shown", "coupon_sent", "coupon_shown", "newest_commission_id", "locks_at",
)  # fmt: skip


def orders_files(title: str, orders: Sequence[PackedOrder], largest: int = LARGEST) -> dict[str, bytes]:
    """Every order with every time it was sent: tab-separated, in ASCII, with a head that says what it is."""
    head = "".join(
        f"{line}\n"
        for line in (
            f"# {_ascii(title)}",
            "# One line for each time an order was sent live to POST /graphql. Tab-separated; times are UTC (ISO 8601); amounts are the order's, before commission.",
            "# submission_id and batch_id are as CJ's answer gave them. ..._shown and newest_commission_id are what Commission Detail shows of the order; empty where it shows none.",
            "\t".join(COLUMNS),
        )
    ).encode("ascii")
    parts: list[list[bytes]] = [[]]
    size = len(head)
    for block in _blocks(orders):
        if size + len(block) > largest and parts[-1]:
            parts.append([])
            size = len(head)
        parts[-1].append(block)
        size += len(block)
    return {f"orders-{number}.txt": head + b"".join(blocks) for number, blocks in enumerate(parts, 1)}


def overview(title: str, facts: Sequence[tuple[str, str]], orders: Sequence[PackedOrder]) -> bytes:
    """One page of PDF: the facts, the batches, and the dearest orders."""
    import vl_convert

    batches = _batches(orders)
    svg = _template().render(
        title=_readable(title), facts=[(name, _cut(value, 96)) for name, value in facts], batches=batches[:MOST_BATCHES],
        more_batches=max(0, len(batches) - MOST_BATCHES), orders=[_row(order) for order in orders[:MOST_ORDERS]],
        more_orders=max(0, len(orders) - MOST_ORDERS),
    )  # fmt: skip
    return bytes(vl_convert.svg_to_pdf(svg))


def _blocks(orders: Sequence[PackedOrder]) -> Iterator[bytes]:
    """All lines of one order."""
    for order in orders:
        named = _fields(order.action_tracker_id, shown_order(order))
        told = _fields(
            _iso(order.updated_at), order.amount, order.shown, order.currency, order.discount, order.discount_shown, order.coupon, order.coupon_shown,
            order.newest_record, _iso(lock_of(order.locks_at)),
        )  # fmt: skip
        sendings = (
            _fields(number, _iso(one.submitted_at), one.submission_id, one.batch_id, one.outcome.value)
            for number, one in enumerate(order.sendings, 1)
        )
        yield "".join(f"{named}\t{sending}\t{told}\n" for sending in sendings).encode("ascii")


def _fields(*fields: object) -> str:
    return "\t".join("" if field is None else _ascii(str(field)) for field in fields)


def _batches(orders: Sequence[PackedOrder]) -> list[dict[str, Any]]:
    found: dict[str, list[Sending]] = {}
    for order in orders:
        for sending in order.sendings:
            found.setdefault(sending.batch_id or "no answer", []).append(sending)
    rows = [
        {"batch": _cut(batch, 60), "sent_at": _short(min(one.submitted_at for one in mine)), "orders": f"{len(mine):,}"} for batch, mine in found.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row["sent_at"], row["batch"]))


def _row(order: PackedOrder) -> dict[str, str]:
    last = order.sendings[-1]
    lock = lock_of(order.locks_at)
    return {
        "order": _cut(shown_order(order), 30),
        "tracker": str(order.action_tracker_id),
        "sent_at": _short(last.submitted_at),
        "times": str(len(order.sendings)),
        "submission": _cut(last.submission_id or "no answer", 36),
        "amount": f"{order.amount or 'none'} {order.currency}",
        "shown": order.shown or "–",
        "locks": f"{lock:%Y-%m-%d}" if lock else "–",
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _short(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _ascii(text: str) -> str:
    if text.isascii() and text.isprintable() and " " not in text:
        return text  # nearly all there is, a hundred thousand of them in a large case
    return " ".join(text.split()).encode("ascii", "backslashreplace").decode("ascii")


def _readable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _cut(text: str, longest: int) -> str:
    text = _readable(" ".join(text.split()))
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined)
    return made.get_template("overview.svg.j2")
