"""What is held back before CJ: by rule and money, with the orders, of the last thirty nights, without those that were sent since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.domain.money import ZERO, money
from include.domain.states import Stage
from include.restatements.report.advice import quarantine_advice
from include.restatements.report.collect import without_addresses
from include.restatements.report.figures import Amount, amounts_by_currency
from include.sql import filled
from include.warehouse.base import Session
from include.web.asked import WALK, Asked, place_after
from include.web.common import Account, Freshness, accounts, first_of_thirty, freshness, rows
from include.web.page import Listing, Page
from include.web.shown import Money

FILTERS = {
    "stage": "validation, eligibility or test_mode",
    "rule": "the id of the rule that held it (docs/plan-rules.md)",
    "reason": "the word in cj.quarantine.reason",
    "run": "the run that held it",
    "enterprise": "CJ's enterprise id",
    "order": "a part of the order id",
    **WALK,
}


@dataclass(frozen=True)
class HeldGroup:
    """Orders held back by one rule. `cost`: commission and fee that CJ still holds on them."""

    stage: str
    rule: str
    reason: str
    orders: int
    cost: tuple[Money, ...]
    meaning: str
    action: str
    example: str


@dataclass(frozen=True)
class HeldRow:
    """One order that is held back; without an id where the row has none."""

    enterprise_id: str | None
    action_tracker_id: int | None
    order_id: str | None
    updated_at: datetime | None
    stage: str
    rule: str
    reason: str
    detail: str
    action: str
    cost: Money | None
    held_at: datetime
    run_id: str


@dataclass(frozen=True)
class HeldBack:
    """One part of the list, what all of it comes to, and by which rules."""

    fresh: Freshness
    since: datetime
    orders: int
    cost: tuple[Money, ...]
    groups: tuple[HeldGroup, ...]
    rows: tuple[HeldRow, ...]
    next: str | None
    accounts: tuple[Account, ...]
    asked: Mapping[str, str]


def look(session: Session, asked: Asked) -> HeldBack:
    """The orders held back, those that CJ holds most commission on first."""
    fresh, known = freshness(session, asked.now), accounts(session)
    own = {account.advertiser_id: account.currency for account in known}
    since = first_of_thirty(fresh, asked.now)
    names, params, told = _wanted(asked, since)
    walks, place = asked.after("msist", "cost", "enterprise", "tracker", "order", "at")
    read = rows(session, "page_held", names | walks | {"rows", "totals"}, **params, **place, rows=asked.rows + 1)
    groups = _groups([row for row in read if row["orders"] is not None], own)
    found = [row for row in read if row["orders"] is None]
    listed = found[: asked.rows]
    return HeldBack(
        fresh=fresh,
        since=since,
        orders=sum(group.orders for group in groups),
        cost=Money.told(amounts_by_currency(Amount(one.currency, money(one.amount)) for group in groups for one in group.cost)),
        groups=groups,
        rows=tuple(_row(row, own) for row in listed),
        next=_place(listed[-1]) if len(found) > len(listed) else None,
        accounts=known,
        asked=told,
    )


def _wanted(asked: Asked, since: datetime) -> tuple[frozenset[str], dict[str, Any], dict[str, str]]:
    told = {name: asked.text(name) for name in ("rule", "reason", "run", "enterprise", "order")} | {"stage": asked.one_of("stage", Stage)}
    given: dict[str, str] = {name: value for name, value in told.items() if value}
    return frozenset(given), {"since": since, **given}, given


def _groups(found: list[dict[str, Any]], own: Mapping[str, str]) -> tuple[HeldGroup, ...]:
    by_rule: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in found:
        by_rule.setdefault((str(row["stage"]), str(row["rule"]), str(row["reason"])), []).append(row)
    groups = []
    for key, mine in by_rule.items():
        advice = quarantine_advice(*key)
        cost = amounts_by_currency(Amount(own.get(str(r["advertiser_id"]), ""), money(r["cost"])) for r in mine if r["cost"] is not None)
        example = next((without_addresses(row["detail"]) for row in mine if row["detail"]), "")
        groups.append(HeldGroup(*key, sum(int(r["orders"]) for r in mine), Money.told(cost), advice.meaning, advice.action, example))
    return tuple(
        sorted(groups, key=lambda g: (-max((money(m.amount) for m in g.cost), default=ZERO), -g.orders, g.stage, g.rule, g.reason))
    )


def _place(row: Mapping[str, Any]) -> str:
    tracker = row["action_tracker_id"]
    cost = -money(-1 if row["cost"] is None else row["cost"])
    return place_after(
        cost, str(row["enterprise_id"] or ""), -1 if tracker is None else int(tracker), str(row["order_id"] or ""), row["quarantined_at"]
    )


def _row(row: Mapping[str, Any], own: Mapping[str, str]) -> HeldRow:
    key = (str(row["stage"]), str(row["rule"]), str(row["reason"]))
    advice = quarantine_advice(*key)
    tracker = row["action_tracker_id"]
    return HeldRow(
        row["enterprise_id"], None if tracker is None else int(tracker), row["order_id"], row["updated_at"], *key,
        without_addresses(row["detail"] or advice.meaning), advice.action, Money.of(row["cost"], own.get(str(row["advertiser_id"]), "")),
        row["quarantined_at"], str(row["run_id"]),
    )  # fmt: skip


COLUMNS = (
    "enterprise_id", "action_tracker_id", "order_id", "updated_at", "stage", "rule", "reason", "detail", "action", "commission_cj_holds", "held_at", "run_id",
)  # fmt: skip


def listing(session: Session, asked: Asked) -> Listing:
    """Every order that the filters let through, in the same order."""
    names, params, _ = _wanted(asked, first_of_thirty(freshness(session, asked.now), asked.now))
    return Listing(COLUMNS, _listed(session, filled("page_held", asked=names), params))


def _listed(session: Session, sql: str, params: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for row in session.each(sql, params):
        advice = quarantine_advice(str(row["stage"]), str(row["rule"]), str(row["reason"]))
        yield row | {
            "detail": without_addresses(row["detail"] or advice.meaning), "action": advice.action, "commission_cj_holds": row["cost"],
            "held_at": row["quarantined_at"],
        }  # fmt: skip


PAGE = Page(
    "held", "/held", look, HeldBack, "What is held back before CJ, by rule and money, with the orders", "Held back", listing, FILTERS,
    words={"stages": [str(stage) for stage in Stage]},
)  # fmt: skip
