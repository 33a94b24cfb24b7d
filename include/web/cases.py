"""Cases for CJ's support: what is ready to file with all that goes into CJ's form, and how far each that was filed has come."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from include.domain.money import money
from include.domain.states import MAX_ATTEMPTS, CaseAct, CaseState
from include.restatements.report.figures import Amount, amounts_by_currency
from include.sql import filled
from include.warehouse.base import Session
from include.web.asked import WALK, Asked, place_after
from include.web.common import Account, Freshness, accounts, freshness, rows
from include.web.page import Listing, NoSuchThing, Page
from include.web.shown import Money

FILTERS: Mapping[str, str] = MappingProxyType(
    {
        "state": "ready, filed, answered, closed or settled",
        "enterprise": "CJ's enterprise id",
        **WALK,
    }
)

SAYS: Mapping[str, str] = MappingProxyType(
    {
        CaseState.READY.value: "written down; nobody has filed it",
        CaseState.FILED.value: "CJ is to answer",
        CaseState.ANSWERED.value: "CJ has answered, and waits for a reply",
        CaseState.CLOSED.value: "over, unless somebody opens it again",
        CaseState.SETTLED.value: "CJ holds every order as it was sent",
    }
)
TOLD: Mapping[str, str] = MappingProxyType(
    {
        CaseAct.FILED.value: "Filed",
        CaseAct.ANSWERED.value: "CJ answered",
        CaseAct.REPLIED.value: "Replied, or opened again",
        CaseAct.CLOSED.value: "Closed",
        CaseAct.SETTLED.value: "Every order was seen to be at CJ as it was sent",
        CaseAct.BROKEN.value: "An order was seen to be a break again",
    }
)


@dataclass(frozen=True)
class CaseRow:
    """One case. Times are UTC. `due_early` and `due_late` are the two readings of 72 business hours; late is None where the desk's hours are not known."""

    case_id: str
    kind: str
    enterprise_id: str
    advertiser_id: str
    operation: str | None
    reason: str | None
    digest: str
    """Of what is to be filed, or was."""
    subject: str
    state: str
    number: str | None
    """CJ's."""
    orders: int
    at_risk: Money | None
    unpriced: int
    first_lock: datetime | None
    filed_by: str | None
    filed_at: datetime | None
    asked_at: datetime | None
    """Since when CJ's time runs."""
    due_usual: datetime | None
    due_early: datetime | None
    due_late: datetime | None
    answered_at: datetime | None
    closes_at: datetime | None
    settled_at: datetime | None
    due: str
    """`late`: by every reading that is known; `due`: by the early one; `closing`: within a day by itself; nothing otherwise."""


@dataclass(frozen=True)
class CaseCount:
    """Cases in one state."""

    state: str
    cases: int
    orders: int
    at_risk: tuple[Money, ...]
    unpriced: int
    """Of the orders, those of which it is not known what they cost."""


@dataclass(frozen=True)
class Cases:
    """One part of the list."""

    fresh: Freshness
    counts: tuple[CaseCount, ...]
    total: int
    rows: tuple[CaseRow, ...]
    next: str | None
    accounts: tuple[Account, ...]
    line: str
    """CJ's support line, with its hours."""
    asked: Mapping[str, str]


@dataclass(frozen=True)
class CaseFile:
    """What is to be attached."""

    name: str
    bytes: int
    path: str
    """Where it is, within the pages."""


@dataclass(frozen=True)
class CaseOrder:
    """An order of a case, with the verdict it has now."""

    enterprise_id: str
    action_tracker_id: int
    order_id: str
    updated_at: datetime
    status: str | None
    reason: str | None
    submitted: Money | None
    posted: Money | None
    at_risk: Money | None
    locking_date: datetime | None


@dataclass(frozen=True)
class CaseEventTold:
    """One thing that happened to it."""

    act: str
    at: datetime
    by: str | None
    number: str | None
    note: str | None


@dataclass(frozen=True)
class OneCase:
    """A case with what goes into CJ's form, its attachments, its orders, and what happened to it."""

    fresh: Freshness
    case: CaseRow
    description: str
    case_reason: str | None
    sub_reason: str | None
    cc: str | None
    line: str
    files: tuple[CaseFile, ...]
    orders: tuple[CaseOrder, ...]
    next: str | None
    events: tuple[CaseEventTold, ...]


def look(session: Session, asked: Asked) -> Cases:
    """The cases, what waits for a person first."""
    names, params, told = _wanted(asked)
    found = _part(session, asked, names, params, asked.rows + 1)
    listed = found[: asked.rows]
    counts = _counts(rows(session, "page_cases_totals"))
    return Cases(
        fresh=freshness(session, asked.now),
        counts=counts,
        total=sum(one.cases for one in counts if told.get("state") in (None, one.state)),
        rows=tuple(_row(row, asked.now) for row in listed),
        next=_place(listed[-1]) if len(found) > len(listed) else None,
        accounts=accounts(session),
        line=next((str(row["line"]) for row in listed if row["line"]), ""),
        asked=told,
    )


def look_at_one(session: Session, asked: Asked) -> OneCase:
    """One case by its id. Raises NoSuchThing."""
    case_id = asked.path.get("case", "").replace("\x00", "")
    found = rows(session, "page_cases", frozenset({"case"}), case=case_id)
    if not found:
        raise NoSuchThing(f"There is no case {case_id}. One that nobody filed is gone once its orders are right.")
    row = found[0]
    walks, place = asked.after("ist", "tracker", "order", "updated")
    orders = rows(session, "page_case_orders", walks | {"rows"}, case=case_id, rows=asked.rows + 1, **place)
    listed = orders[: asked.rows]
    last = listed[-1] if len(orders) > len(listed) else None
    return OneCase(
        fresh=freshness(session, asked.now),
        case=_row(row, asked.now),
        description=str(row["description"]),
        case_reason=row["case_reason"],
        sub_reason=row["sub_reason"],
        cc=row["cc"],
        line=str(row["line"] or ""),
        files=tuple(
            CaseFile(one["name"], one["bytes"], f"attachments/{case_id}/{row['digest']}/{one['name']}")
            for one in json.loads(str(row["attachments"]))
        ),
        orders=tuple(_order(order, str(row["currency"] or "")) for order in listed),
        next=None if last is None else place_after(int(last["action_tracker_id"]), str(last["order_id"]), last["updated_at"]),
        events=tuple(
            CaseEventTold(str(one["act"]), one["happened_at"], one["said_by"], one["case_number"], one["note"])
            for one in rows(session, "page_case_events", case=case_id)
        ),
    )


def _wanted(asked: Asked) -> tuple[frozenset[str], dict[str, Any], dict[str, str]]:
    told = {"state": asked.one_of("state", [state.value for state in CaseState]), "enterprise": asked.text("enterprise")}
    given = {name: value for name, value in told.items() if value}
    return frozenset(given), dict(given), given


def _part(session: Session, asked: Asked, names: frozenset[str], params: Mapping[str, Any], many: int) -> list[dict[str, Any]]:
    walks, place = asked.after("ims", "place", "dearest", "case")
    return rows(session, "page_cases", names | walks | {"rows"}, **params, **place, rows=many)


def _place(row: Mapping[str, Any]) -> str:
    return place_after(int(row["place"]), money(row["dearest"]), str(row["case_id"]))


def _counts(found: list[dict[str, Any]]) -> tuple[CaseCount, ...]:
    counted = []
    for state in CaseState:
        mine = [row for row in found if row["state"] == state.value]
        if mine:
            at_risk = amounts_by_currency(Amount(str(row["currency"] or ""), money(row["at_risk"])) for row in mine)
            cases, orders, unpriced = (sum(int(row[name]) for row in mine) for name in ("cases", "orders", "unpriced"))
            counted.append(CaseCount(state.value, cases, orders, Money.told(at_risk), unpriced))
    return tuple(counted)


def _row(row: Mapping[str, Any], now: datetime) -> CaseRow:
    return CaseRow(
        case_id=str(row["case_id"]),
        kind=str(row["kind"]),
        enterprise_id=str(row["enterprise_id"]),
        advertiser_id=str(row["advertiser_id"]),
        operation=row["operation"],
        reason=row["reason"],
        digest=str(row["digest"]),
        subject=str(row["subject"]),
        state=str(row["state"]),
        number=row["case_number"],
        orders=int(row["orders"]),
        at_risk=Money.of(row["at_risk"], row["currency"]),
        unpriced=int(row["unpriced"]),
        first_lock=row["first_lock"],
        filed_by=row["filed_by"],
        filed_at=row["filed_at"],
        asked_at=row["asked_at"],
        due_usual=row["due_usual"],
        due_early=row["due_early"],
        due_late=row["due_late"],
        answered_at=row["answered_at"],
        closes_at=row["closes_at"],
        settled_at=row["settled_at"],
        due=_due(row, now),
    )


def _due(row: Mapping[str, Any], now: datetime) -> str:
    early, late, closes = row["due_early"], row["due_late"] or row["due_early"], row["closes_at"]
    if row["state"] == CaseState.FILED.value and early is not None:
        return "late" if late <= now else "due" if early <= now else ""
    if row["state"] == CaseState.ANSWERED.value and closes is not None:
        return "closing" if closes <= now + timedelta(days=1) else ""
    return ""


def _order(row: Mapping[str, Any], own: str) -> CaseOrder:
    currency = row["currency"] or own
    return CaseOrder(
        str(row["enterprise_id"]), int(row["action_tracker_id"]), str(row["order_id"]), row["updated_at"], row["status"], row["reason"],
        Money.of(row["submitted_amount"], currency), Money.of(row["posted_amount"], currency), Money.of(row["commission_at_risk"], own), row["locking_date"],
    )  # fmt: skip


COLUMNS = (
    "case_id", "kind", "enterprise_id", "advertiser_id", "operation", "reason", "subject", "state", "case_number", "orders", "at_risk", "currency", "unpriced",
    "first_lock", "filed_by", "filed_at", "due_usual", "due_early", "due_late", "answered_at", "closes_at", "settled_at",
)  # fmt: skip


def listing(session: Session, asked: Asked) -> Listing:
    """Every case that the filters let through, in the same order."""
    names, params, _ = _wanted(asked)
    return Listing(COLUMNS, session.each(filled("page_cases", asked=names), params))


PAGE = Page(
    "cases", "/cases", look, Cases, "Cases for CJ's support: ready to file, or followed until their orders have posted", "Cases", listing, FILTERS,
    words={"states": [state.value for state in CaseState], "says": SAYS},
)  # fmt: skip

ONE = Page(
    "case", "/cases/{case}", look_at_one, OneCase, "One case: what goes into CJ's form, its attachments, its orders, and what happened to it", part_of="cases",
    filters=WALK, words={"told": TOLD, "says": SAYS, "sent_at_most": MAX_ATTEMPTS},
)  # fmt: skip
