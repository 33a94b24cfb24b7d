"""A partner's differences, what to send it after restatements, and one order or month of it with the rows behind both figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.domain.money import ZERO, money
from include.domain.partners import JoinedBy, MoneyState, PartnerVerdict
from include.partners import views
from include.warehouse.base import Session
from include.web.asked import WALK, Asked, place_after
from include.web.common import Freshness, freshness, rows
from include.web.page import Listing, NoSuchThing, Page
from include.web.partner_rows import Compared, Head, compared, head_of, summed
from include.web.partners import VerdictGroup, groups_of
from include.web.shown import Money

VERDICTS = tuple(verdict for verdict in PartnerVerdict if verdict not in views.AT_REST)
FILTERS = {
    "verdict": "one of " + ", ".join(VERDICTS),
    "money": "where its money stands: " + ", ".join(MoneyState),
    "joined": "how the two were joined: " + ", ".join(JoinedBy),
    "order": "a part of the order id or of the partner's transaction id",
    **WALK,
}

MOST_ROWS = 200
"""Rows of the partner's, or records of CJ's, behind one verdict that a page shows."""


@dataclass(frozen=True)
class Differences:
    """One part of a partner's differences, and what all of them come to."""

    fresh: Freshness
    head: Head
    found: int
    off: tuple[Money, ...]
    """The partner's payouts less what CJ owes it, of all orders of the list."""
    groups: tuple[VerdictGroup, ...]
    rows: tuple[Compared, ...]
    next: str | None
    asked: Mapping[str, str]


@dataclass(frozen=True)
class ToSendRow:
    """A transaction that was restated since the partner saw it."""

    unit: str
    order_id: str
    transaction_id: str | None
    sold_on: datetime | None
    old_sale: Money | None
    new_sale: Money | None
    old_payout: Money | None
    new_payout: Money | None
    change: Money | None
    reason: str | None
    corrected_at: datetime | None
    locks_on: datetime | None
    joined_by: str


@dataclass(frozen=True)
class ToSend:
    """What to tell the partner: each changed transaction as the partner has it and as CJ holds it, and what they come to."""

    fresh: Freshness
    head: Head
    old_payout: tuple[Money, ...]
    new_payout: tuple[Money, ...]
    rows: tuple[ToSendRow, ...]
    next: str | None


@dataclass(frozen=True)
class SeenRow:
    """A row of the partner's own, in its newest version."""

    row_key: str
    occurred_at: datetime | None
    transaction_id: str | None
    order_id: str | None
    sale: Money | None
    payout: Money | None
    version: int
    source: str
    loaded_at: datetime


@dataclass(frozen=True)
class HeldRecord:
    """A record of CJ's, as the publisher sees it."""

    commission_id: str
    posting_date: datetime
    action_status: str
    original: bool
    correction_reason: str | None
    sale: Money | None
    payout: Money | None


@dataclass(frozen=True)
class Unit:
    """One order, or month, of a partner: its verdict, or each where two could not be told apart, and the rows behind both sides."""

    fresh: Freshness
    head: Head
    name: str
    verdicts: tuple[Compared, ...]
    seen: tuple[SeenRow, ...]
    held: tuple[HeldRecord, ...]
    most: int


def look(session: Session, asked: Asked) -> Differences:
    """The rows of one part of the list, the largest difference first. Raises NoSuchThing."""
    head = head_of(session, asked.path["publisher"])
    names, params, told = _wanted(asked, head.publisher_id)
    all_of_them = views.differences_totals(session, names, params)
    walks, place = asked.after("imtssi", "turn", "largest", "happened", "unit", "advertiser", "tracker")
    found = session.rows(views.differences_sql(names | walks | {"rows"}), params | place | {"rows": asked.rows + 1})
    listed = found[: asked.rows]
    return Differences(
        fresh=freshness(session, asked.now),
        head=head,
        found=sum(int(row["found"]) for row in all_of_them),
        off=summed((row for row in all_of_them if row["grain"] == "order"), "difference"),
        groups=groups_of(all_of_them),
        rows=tuple(compared(row) for row in listed),
        next=_place(listed[-1]) if len(found) > len(listed) else None,
        asked=told,
    )


def _wanted(asked: Asked, publisher_id: str) -> tuple[frozenset[str], dict[str, Any], dict[str, str]]:
    told = {
        "verdict": asked.one_of("verdict", VERDICTS),
        "money": asked.one_of("money", MoneyState),
        "joined": asked.one_of("joined", JoinedBy),
        "order": asked.text("order"),
    }
    given: dict[str, str] = {name: value for name, value in told.items() if value}
    return frozenset(given), {"publisher_id": publisher_id, **given}, given


def _place(row: Mapping[str, Any]) -> str:
    tracker = row["action_tracker_id"]
    return place_after(
        int(row["turn"]), money(row["largest"]), row["happened"], str(row["unit"]), str(row["advertiser_id"] or ""), -1 if tracker is None else int(tracker)
    )  # fmt: skip


def listing(session: Session, asked: Asked) -> Listing:
    """Every difference that the filters let through, in the same order."""
    head = head_of(session, asked.path["publisher"])
    names, params, _ = _wanted(asked, head.publisher_id)
    return Listing(views.DIFFERENCES, session.each(views.differences_sql(names), params))


def look_to_send(session: Session, asked: Asked) -> ToSend:
    """The transactions to send, the oldest correction first. Raises NoSuchThing."""
    head = head_of(session, asked.path["publisher"])
    walks, place = asked.after("tss", "corrected", "order", "unit")
    found = session.rows(views.to_send_sql(walks | {"rows"}), {"publisher_id": head.publisher_id, "rows": asked.rows + 1, **place})
    listed = found[: asked.rows]
    totals = views.to_send_totals(session, head.publisher_id)
    last = listed[-1] if len(found) > len(listed) else None
    return ToSend(
        fresh=freshness(session, asked.now),
        head=head,
        old_payout=summed(totals, "old_payout"),
        new_payout=summed(totals, "new_payout"),
        rows=tuple(_to_send(row) for row in listed),
        next=None if last is None else place_after(last["corrected"], str(last["order_id"]), str(last["unit"])),
    )


def _to_send(row: Mapping[str, Any]) -> ToSendRow:
    old_sale, new_sale, old_payout, new_payout, change = (
        Money.of(row[name], row["currency"])
        for name in ("old_sale_amount", "new_sale_amount", "old_payout", "new_payout", "change_of_payout")
    )
    return ToSendRow(
        str(row["unit"]), str(row["order_id"]), row["transaction_id"], row["sold_on"], old_sale, new_sale, old_payout, new_payout, change, row["reason"],
        row["corrected_at"], row["locks_on"], str(row["joined_by"]),
    )  # fmt: skip


def listing_to_send(session: Session, asked: Asked) -> Listing:
    """Every transaction to send, as the file for the partner."""
    head = head_of(session, asked.path["publisher"])
    return Listing(views.TO_SEND, session.each(views.to_send_sql(), {"publisher_id": head.publisher_id}))


def look_at_unit(session: Session, asked: Asked) -> Unit:
    """One order or month of a partner. Raises NoSuchThing."""
    head, unit = head_of(session, asked.path["publisher"]), asked.path["unit"].replace("\x00", "")
    verdicts = tuple(compared(row) for row in rows(session, "page_partner_unit", publisher_id=head.publisher_id, unit=unit))
    if not verdicts:
        raise NoSuchThing(f"Nothing that {head.partner} saw is called {unit}.")
    held = [record for one in verdicts for record in _held(session, one)]
    return Unit(
        fresh=freshness(session, asked.now),
        head=head,
        name=verdicts[0].name,
        verdicts=verdicts,
        seen=seen_of(session, verdicts[0]),
        held=tuple(held[:MOST_ROWS]),
        most=MOST_ROWS,
    )


def seen_of(session: Session, one: Compared) -> tuple[SeenRow, ...]:
    """The partner's own rows of it, the first so many."""
    return tuple(
        SeenRow(
            str(row["row_key"]), row["occurred_at"], row["transaction_id"], row["order_id"], Money.of(row["sale_amount"], row["currency"] or one.currency),
            Money.of(row["payout"], row["currency"] or one.currency), int(row["version"]), str(row["source"]), row["loaded_at"],
        )
        for row in views.rows_of(session, one.publisher_id, one.unit, MOST_ROWS)
    )  # fmt: skip


def _held(session: Session, one: Compared) -> Iterator[HeldRecord]:
    if one.advertiser_id is None or one.order_id is None or one.action_tracker_id is None:
        return
    found = rows(
        session, "page_partner_records", publisher_id=one.publisher_id, advertiser_id=one.advertiser_id, action_tracker_id=one.action_tracker_id,
        order_id=one.order_id, currency=one.currency,
    )  # fmt: skip
    for row in found:
        yield HeldRecord(
            str(row["commission_id"]), row["posting_date"], str(row["action_status"] or ""), bool(row["original"]), row["correction_reason"],
            Money.of(row["sale_amount"], one.currency), Money.of(row["payout"], one.currency),
        )  # fmt: skip


def is_correction(seen: SeenRow) -> bool:
    """Whether a row takes something back."""
    return any(amount is not None and money(amount.amount) < ZERO for amount in (seen.sale, seen.payout))


DIFFERENCES = Page(
    "partner_differences",
    "/partners/{publisher}/differences",
    look,
    Differences,
    "Where what a partner saw and what CJ holds differ, the largest first, with why and what to do",
    listing=listing,
    filters=FILTERS,
    part_of="partners",
    words={
        "verdicts": [str(verdict) for verdict in VERDICTS],
        "stands": [str(state) for state in MoneyState],
        "ways": [str(way) for way in JoinedBy],
    },
)

TO_SEND = Page(
    "partner_to_send",
    "/partners/{publisher}/to-send",
    look_to_send,
    ToSend,
    "The transactions that were restated since the partner saw them, with the old and the new figures",
    listing=listing_to_send,
    filters=WALK,
    part_of="partners",
)

UNIT = Page(
    "partner_unit",
    "/partners/{publisher}/units/{unit:path}",
    look_at_unit,
    Unit,
    "One order or month of a partner, with the rows behind both figures",
    part_of="partners",
)
