"""Partners: what CJ owes each, and how far what it saw is off. Then one partner's statement by the month its records lock in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from include.partners import views
from include.partners.rules import rule_of
from include.restatements.report.collect import NIGHTS
from include.warehouse.base import Session
from include.web.asked import Asked
from include.web.common import Freshness, freshness, rows
from include.web.page import Listing, Page
from include.web.partner_rows import Head, head, partner_of, summed, totals_of
from include.web.shown import Money

FILTERS = {"publisher": "CJ's company id (CID) of the publisher; of the CSV"}


@dataclass(frozen=True)
class PartnerLine:
    """One partner: a sum a currency of what CJ owes it, and what somebody has to look at."""

    head: Head
    reconciled_by: str | None
    """`order` or `month`; None where CJ has no record of it."""
    records: int
    open: tuple[Money, ...]
    locked: tuple[Money, ...]
    payable: tuple[Money, ...]


@dataclass(frozen=True)
class Partners:
    """Every partner that was compared; `statements` of all of them are the CSV's rows."""

    fresh: Freshness
    partners: tuple[PartnerLine, ...]
    statements: int


@dataclass(frozen=True)
class StatementLine:
    """What CJ owes a publisher of one advertiser's records that lock in one month: each is in one of open, locked and payable, which make the total."""

    locking_month: str
    advertiser_id: str
    records: int
    not_known: int
    """Records whose figure is not known: they are in no sum."""
    open: Money | None
    locked: Money | None
    payable: Money | None
    total: Money | None
    corrected_since: Money | None
    """What corrections changed: a part of the total."""
    beside_orders: Money | None
    """Bonuses and the like: a part of the total."""
    payable_on: datetime | None
    credit_from: datetime | None
    credit_until: datetime | None


@dataclass(frozen=True)
class VerdictGroup:
    """Orders, or months, with one verdict for one reason."""

    grain: str
    verdict: str
    rule: str
    found: int
    difference: tuple[Money, ...]
    meaning: str
    action: str


@dataclass(frozen=True)
class Partner:
    """A partner's statement, and what its differences come to. Whether anything was paid is not visible to an advertiser."""

    fresh: Freshness
    head: Head
    by_month: bool
    """Its export carries no order id: months are compared in sum."""
    lines: tuple[StatementLine, ...]
    open: tuple[Money, ...]
    locked: tuple[Money, ...]
    payable: tuple[Money, ...]
    total: tuple[Money, ...]
    payable_source: str
    """Where the payment day is from."""
    credit_source: str
    compared_since: datetime
    compared: int
    """Orders sold since then."""
    agree: int
    awaiting: int
    groups: tuple[VerdictGroup, ...]
    off: tuple[Money, ...]
    """What the partner's payouts of orders are off, all in all."""
    send_before: tuple[Money, ...]
    send_now: tuple[Money, ...]
    """What the transactions to send came to, and come to."""


def look(session: Session, asked: Asked) -> Partners:
    """Each partner in a line."""
    lines, counted = [], 0
    for row in views.partners(session):
        stated = views.statements(session, str(row["publisher_id"]))
        counted += len(stated)
        lines.append(
            PartnerLine(
                head(row, totals_of(session, str(row["publisher_id"]))),
                str(stated[0]["reconciled_by"]) if stated else None,
                sum(int(one["records"]) for one in stated),
                *(summed(stated, name) for name in ("open", "locked", "payable")),
            )
        )
    return Partners(freshness(session, asked.now), tuple(lines), counted)


COLUMNS = ("publisher_id", "partner", *views.STATEMENT)


def listing(session: Session, asked: Asked) -> Listing:
    """Every statement, or those of one publisher."""
    wanted = asked.text("publisher")
    return Listing(COLUMNS, _stated(session, [str(row["publisher_id"]) for row in views.partners(session)], wanted))


def _stated(session: Session, publishers: list[str], wanted: str | None) -> Iterator[Mapping[str, Any]]:
    for publisher_id in publishers:
        if wanted in (None, publisher_id):
            yield from views.statements(session, publisher_id)


def look_at_one(session: Session, asked: Asked) -> Partner:
    """One partner's statement. Raises NoSuchThing."""
    row = partner_of(session, asked.path["publisher"])
    differ, send = totals_of(session, str(row["publisher_id"]))
    this = head(row, (differ, send))
    stated = views.statements(session, this.publisher_id)
    since = (this.checked_at - timedelta(days=NIGHTS)).replace(hour=0, minute=0, second=0, microsecond=0)
    seen = rows(session, "page_partner_compared", publisher_id=this.publisher_id, since=since)[0]
    return Partner(
        fresh=freshness(session, asked.now),
        head=this,
        by_month=any(row["reconciled_by"] == "month" for row in stated) or any(row["grain"] == "month" for row in differ),
        lines=tuple(_line(row) for row in stated),
        open=summed(stated, "open"),
        locked=summed(stated, "locked"),
        payable=summed(stated, "payable"),
        total=summed(stated, "total"),
        payable_source=str(stated[0]["payable_source"]) if stated else "",
        credit_source=str(stated[0]["credit_source"]) if stated else "",
        compared_since=since,
        compared=int(seen["orders"]),
        agree=int(seen["agree"] or 0),
        awaiting=int(seen["awaiting"] or 0),
        groups=groups_of(differ),
        off=summed((row for row in differ if row["grain"] == "order"), "difference"),
        send_before=summed(send, "old_payout"),
        send_now=summed(send, "new_payout"),
    )


def _line(row: Mapping[str, Any]) -> StatementLine:
    amounts = {
        name: Money.of(row[name], row["currency"]) for name in ("open", "locked", "payable", "total", "corrected_since", "beside_orders")
    }
    return StatementLine(
        locking_month=str(row["locking_month"]),
        advertiser_id=str(row["advertiser_id"]),
        records=int(row["records"]),
        not_known=int(row["not_known"]),
        payable_on=row["payable_on"],
        credit_from=row["credit_from"],
        credit_until=row["credit_until"],
        **amounts,
    )


def groups_of(found: Any) -> tuple[VerdictGroup, ...]:
    """The totals of a list of differences by verdict and rule: months first, then what there is most of."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in found:
        groups.setdefault((str(row["grain"]), str(row["verdict"]), str(row["rule"])), []).append(row)
    told = []
    for (grain, verdict, rule_id), mine in groups.items():
        rule = rule_of(rule_id)
        words, advice = ("", "") if rule is None else (rule.words, rule.advice)
        told.append(VerdictGroup(grain, verdict, rule_id, sum(int(r["found"]) for r in mine), summed(mine, "difference"), words, advice))
    return tuple(sorted(told, key=lambda group: (group.grain != "month", -group.found, group.verdict, group.rule)))


PAGE = Page(
    "partners", "/partners", look, Partners, "Each partner: what CJ owes it, and how far what it saw is off", "Partners", listing, FILTERS
)

ONE = Page(
    "partner",
    "/partners/{publisher}",
    look_at_one,
    Partner,
    "One partner's statement by the month its records lock in, and what its differences come to",
    part_of="partners",
)
