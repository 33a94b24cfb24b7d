"""Breaks: what somebody has to look at, dearest or soonest first, with what was sent, what CJ shows, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from include.domain.money import ZERO, money
from include.domain.states import BREAKS, Reason
from include.restatements.acknowledge import BreakName, mark_of
from include.restatements.report.advice import advice_for
from include.restatements.report.figures import Amount, Break, amounts_by_currency
from include.restatements.report.words import lock_words
from include.sql import filled
from include.warehouse.base import Session
from include.web.asked import WALK, Asked, place_after
from include.web.common import Account, Freshness, accounts, first_of_thirty, freshness, rows
from include.web.page import Listing, Page
from include.web.shown import Money, whole_days

LOCKS = {"locked": "locked already", "2": "within 2 days", "7": "within 7 days", "14": "within 14 days", "30": "within 30 days"}
SORTS = {"risk": "money at risk", "lock": "days to lock"}
_KEY = "sist"
"""Enterprise, tracker, order and state: what follows the two parts that put a row in its place."""
_FIRST = {"risk": "mt", "lock": "tm"}

FILTERS: Mapping[str, str] = MappingProxyType(
    {
        "which": "`open` (without it): of the last thirty nights, and older ones that can still change; `all`: every break there is",
        "account": "CJ's advertiser id",
        "status": "missing or mismatched",
        "reason": "the word in cj.reconciliation.reason",
        "from": "sent on this UTC day or later: 2026-11-19",
        "to": "sent on this UTC day or earlier",
        "locks": "locked, or the days to lock at most: 2, 7, 14, 30",
        "partner": "CJ's publisher id, or the publisher's whole name",
        "order": "a part of the order id",
        "run": "the run that sent it",
        "noted": "yes: somebody has acknowledged it; no: nobody has",
        "sort": "risk (without it) or lock",
        **WALK,
    }
)


@dataclass(frozen=True)
class Noted:
    """Somebody has looked at this verdict, and said something."""

    note: str
    by: str
    at: datetime


@dataclass(frozen=True)
class BreakRow:
    """One order state that did not arrive as sent. Money is exact text; None where CJ shows none, or nothing tells it."""

    name: str
    """The break and its verdict as `cj_acknowledge` is told them."""
    enterprise_id: str
    action_tracker_id: int
    order_id: str
    updated_at: datetime
    advertiser_id: str
    operation: str
    status: str
    reason: str
    meaning: str
    action: str
    submitted: Money | None
    posted: Money | None
    difference: Money | None
    at_risk: Money | None
    submitted_at: datetime
    posted_at: datetime | None
    locking_date: datetime | None
    days_to_lock: int | None
    locks: str
    """The same in words: `3 d`, `locked`, `open`, `no date`."""
    attempts: int
    publisher_id: str | None
    publisher: str | None
    run_id: str
    noted: Noted | None


@dataclass(frozen=True)
class BreakTotals:
    """What every row of the list comes to, on all of its pages."""

    orders: int
    at_risk: tuple[Money, ...]
    unpriced: int
    """Of them, those of which it is not known what they cost."""
    by_reason: tuple[BreakGroup, ...]


@dataclass(frozen=True)
class BreakGroup:
    """Breaks with one verdict and one reason."""

    status: str
    reason: str
    orders: int
    at_risk: tuple[Money, ...]
    unpriced: int


@dataclass(frozen=True)
class Breaks:
    """One part of the list."""

    fresh: Freshness
    totals: BreakTotals
    rows: tuple[BreakRow, ...]
    next: str | None
    """The place after the last row; None where it is the last."""
    accounts: tuple[Account, ...]
    asked: Mapping[str, str]
    """The filters in force."""


def look(session: Session, asked: Asked) -> Breaks:
    """The rows of one part of the list, and what all of them come to."""
    fresh = freshness(session, asked.now)
    known = accounts(session)
    own = {account.advertiser_id: account.currency for account in known}
    names, params, told = wanted(asked, first_of_thirty(fresh, asked.now))
    found = _part(session, asked, names, params, asked.rows + 1)
    listed = found[: asked.rows]
    follows = found[asked.rows :] and place_after(*_key(listed[-1], _sort(asked)))
    return Breaks(
        fresh, totals(session, names, params, own), tuple(_row(row, own, asked.now) for row in listed), follows or None, known, told
    )


def dearest(session: Session, asked: Asked, since: datetime, own: Mapping[str, str], many: int) -> tuple[BreakRow, ...]:
    """The open breaks that cost most."""
    found = _part(session, Asked(now=asked.now), frozenset({"since"}), {"since": since}, many)
    return tuple(_row(row, own, asked.now) for row in found)


def of_order(session: Session, now: datetime, own: Mapping[str, str], run_or_order: Mapping[str, str]) -> tuple[BreakRow, ...]:
    """The breaks of just one order."""
    names, params, _ = wanted(Asked(query={"which": "all", **run_or_order}, now=now), now)
    return tuple(_row(row, own, now) for row in _part(session, Asked(now=now), names, params, 20))


def wanted(asked: Asked, since: datetime) -> tuple[frozenset[str], dict[str, Any], dict[str, str]]:
    """The filters: which parts the statement is made with, the values it is bound to, and what is told of them."""
    told: dict[str, str | None] = {
        "which": asked.one_of("which", ("all",)),
        "account": asked.text("account"),
        "status": asked.one_of("status", BREAKS),
        "reason": asked.one_of("reason", Reason),
        "from": asked.text("from") if asked.day("from") else None,
        "to": asked.text("to") if asked.day_after("to") else None,
        "locks": asked.one_of("locks", LOCKS),
        "partner": asked.text("partner"),
        "order": asked.text("order"),
        "run": asked.text("run"),
        "noted": asked.one_of("noted", ("yes", "no")),
        "sort": asked.one_of("sort", ("lock",)),
    }
    given = {name: value for name, value in told.items() if value}
    params: dict[str, Any] = {name: given[name] for name in ("account", "status", "reason", "partner", "order", "run") if name in given}
    names = set(params)
    if "which" not in given:
        names.add("since")
        params["since"] = since
    for name, value in (("sent_from", asked.day("from")), ("sent_before", asked.day_after("to"))):
        if value is not None:
            names.add(name)
            params[name] = value
    if locks := given.get("locks"):
        until = asked.now if locks == "locked" else asked.now + timedelta(days=int(locks))
        names.add("locks_before")
        params["locks_before"] = until
        if locks != "locked":
            names.add("locks_after")
            params["locks_after"] = asked.now
    if noted := given.get("noted"):
        names.add("acknowledged" if noted == "yes" else "open_only")
    return frozenset(names), params, given


def totals(session: Session, names: frozenset[str], params: Mapping[str, Any], own: Mapping[str, str]) -> BreakTotals:
    """What all rows come to, whatever part of them is shown."""
    found = rows(session, "page_breaks_totals", names, **params)
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in found:
        groups.setdefault((str(row["status"]), str(row["reason"])), []).append(row)
    told = [
        BreakGroup(*key, sum(int(r["orders"]) for r in mine), Money.told(_sums(mine, own)), sum(int(r["unpriced"]) for r in mine))
        for key, mine in groups.items()
    ]
    told.sort(key=lambda g: (-max((money(m.amount) for m in g.at_risk), default=ZERO), -g.orders, g.status, g.reason))
    return BreakTotals(sum(g.orders for g in told), Money.told(_sums(found, own)), sum(g.unpriced for g in told), tuple(told))


def _sums(found: list[dict[str, Any]], own: Mapping[str, str]) -> tuple[Amount, ...]:
    return amounts_by_currency(Amount(own.get(str(row["advertiser_id"]), ""), money(row["at_risk"] or 0)) for row in found)


def _sort(asked: Asked) -> str:
    return asked.one_of("sort", SORTS) or "risk"


def _statement(asked: Asked, names: frozenset[str]) -> str:
    return filled("page_breaks", asked=names, sort=_sort(asked))


def _part(session: Session, asked: Asked, names: frozenset[str], params: Mapping[str, Any], many: int) -> list[dict[str, Any]]:
    walks, place = asked.after(_FIRST[_sort(asked)] + _KEY, "first", "second", "enterprise", "tracker", "order", "updated")
    return [dict(row) for row in session.rows(_statement(asked, names | walks | {"rows"}), {**params, **place, "rows": many})]


def _key(row: Mapping[str, Any], sort: str) -> tuple[Any, ...]:
    first, second = (row["dearest"], row["locks"]) if sort == "risk" else (row["locks"], row["dearest"])
    return first, second, str(row["enterprise_id"]), int(row["action_tracker_id"]), str(row["order_id"]), row["updated_at"]


def _row(row: Mapping[str, Any], own: Mapping[str, str], now: datetime) -> BreakRow:
    currency = row["currency"] or own.get(str(row["advertiser_id"]), "")
    reason, locking = str(row["reason"] or "unknown"), row["locking_date"]
    days = None if locking is None else whole_days(locking, now)
    key = (str(row["enterprise_id"]), int(row["action_tracker_id"]), str(row["order_id"]))
    locks = lock_words(
        Break(
            key[1], key[2], str(row["operation"]), str(row["status"]), reason, None, None, None, row["submitted_at"], locking, days, None, 1
        )
    )
    advice = advice_for(reason)
    return BreakRow(
        name=str(BreakName(*key, mark_of(row))),
        enterprise_id=key[0],
        action_tracker_id=key[1],
        order_id=key[2],
        updated_at=row["updated_at"],
        advertiser_id=str(row["advertiser_id"]),
        operation=str(row["operation"]),
        status=str(row["status"]),
        reason=reason,
        meaning=advice.meaning,
        action=advice.action,
        submitted=Money.of(row["submitted_amount"], currency),
        posted=Money.of(row["posted_amount"], currency),
        difference=Money.of(row["difference"], currency),
        at_risk=Money.of(row["commission_at_risk"], own.get(str(row["advertiser_id"]), "")),
        submitted_at=row["submitted_at"],
        posted_at=row["posted_at"],
        locking_date=locking,
        days_to_lock=days,
        locks=locks,
        attempts=int(row["attempts"]),
        publisher_id=row["publisher_id"],
        publisher=row["publisher_name"],
        run_id=str(row["run_id"]),
        noted=None if row["note"] is None else Noted(str(row["note"]), str(row["acknowledged_by"]), row["acknowledged_at"]),
    )


COLUMNS = (
    "enterprise_id", "action_tracker_id", "order_id", "updated_at", "advertiser_id", "operation", "status", "reason", "meaning", "action",
    "submitted_amount", "posted_amount", "difference", "currency", "commission_at_risk", "submitted_at", "posted_at", "locking_date", "days_to_lock",
    "attempts", "publisher_id", "publisher_name", "run_id", "note", "acknowledged_by", "acknowledged_at",
)  # fmt: skip


def listing(session: Session, asked: Asked) -> Listing:
    """Every row that the filters let through, in the same order."""
    names, params, _ = wanted(asked, first_of_thirty(freshness(session, asked.now), asked.now))
    return Listing(COLUMNS, _listed(session, _statement(asked, names), params, asked.now))


def _listed(session: Session, sql: str, params: Mapping[str, Any], now: datetime) -> Iterator[Mapping[str, Any]]:
    for row in session.each(sql, params):
        advice, locks = advice_for(row["reason"]), row["locking_date"]
        days = whole_days(locks.astimezone(UTC), now) if isinstance(locks, datetime) else None
        yield row | {"meaning": advice.meaning, "action": advice.action, "days_to_lock": days}


PAGE = Page(
    "breaks",
    "/breaks",
    look,
    Breaks,
    "What did not arrive as it was sent, dearest first, with the reason and what to do",
    "Breaks",
    listing,
    FILTERS,
    words={"reasons": [reason.value for reason in Reason], "locks": LOCKS},
)
