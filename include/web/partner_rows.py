"""What several pages show of a partner: who it is, and one order or month beside what CJ holds of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.domain.money import money
from include.partners import views
from include.partners.rules import MONEY, rule_of
from include.restatements.report.figures import Amount, amounts_by_currency
from include.warehouse.base import Session
from include.web.common import rows
from include.web.page import NoSuchThing
from include.web.shown import Money

_STANDS = {str(rule.word): rule.words for rule in MONEY}


@dataclass(frozen=True)
class Head:
    """A partner, and how much there is to look at on each of its pages."""

    publisher_id: str
    partner: str
    checked_at: datetime
    differences: int
    to_send: int


@dataclass(frozen=True)
class Compared:
    """One order, or month, of a partner: its figures beside CJ's. Money is exact text, in the currency the two are compared in; None where not known.

    `before_…` is what CJ held when the partner saw it, where it was restated since. `difference` is the partner's payout less what CJ owes it.
    """

    publisher_id: str
    partner: str
    grain: str
    unit: str
    name: str
    """What somebody would call it: its order id, the month, the transaction id."""
    order_id: str | None
    transaction_id: str | None
    advertiser_id: str | None
    action_tracker_id: int | None
    happened_at: datetime | None
    joined_by: str
    verdict: str
    rule: str
    meaning: str
    action: str
    partner_rows: int
    cj_records: int
    currency: str
    partner_sale: Money | None
    cj_sale: Money | None
    before_sale: Money | None
    partner_payout: Money | None
    cj_payout: Money | None
    before_payout: Money | None
    difference: Money | None
    correction_reason: str | None
    corrected_at: datetime | None
    money_state: str
    money_means: str
    locking_month: str | None
    payable_on: datetime | None
    credit_from: datetime | None
    credit_until: datetime | None

    @property
    def at_rest(self) -> bool:
        """Nobody need look at it."""
        return self.verdict in views.AT_REST


Totals = Sequence[Mapping[str, Any]]


def totals_of(session: Session, publisher_id: str) -> tuple[Totals, Totals]:
    """What all of a partner's differences come to, and what is to send it."""
    return views.differences_totals(session, frozenset(), {"publisher_id": publisher_id}), views.to_send_totals(session, publisher_id)


def head(row: Mapping[str, Any], totals: tuple[Totals, Totals]) -> Head:
    """Of a row of `views.partners`, and its `totals_of`."""
    differ, send = (sum(int(one["found"]) for one in mine) for mine in totals)
    return Head(str(row["publisher_id"]), str(row["partner"]), row["checked_at"], differ, send)


def partner_of(session: Session, publisher_id: str) -> Mapping[str, Any]:
    """The row of the partner that an address names. Raises NoSuchThing."""
    for row in views.partners(session):
        if row["publisher_id"] == publisher_id:
            return row
    raise NoSuchThing(f"No partner {publisher_id} has been compared with CJ. Its mapping, and docs/partners.md, say how one is.")


def head_of(session: Session, publisher_id: str) -> Head:
    """The partner that an address names. Raises NoSuchThing."""
    return head(partner_of(session, publisher_id), totals_of(session, publisher_id))


def compared(row: Mapping[str, Any]) -> Compared:
    """A row of cj.partner_reconciliation as the pages show it."""
    rule, currency, month = rule_of(str(row["rule"])), str(row["currency"] or ""), row["month"]
    tracker = row["action_tracker_id"]
    if row["grain"] == "month" and month is None:
        month = f"{row['happened_at']:%Y-%m}"
    return Compared(
        publisher_id=str(row["publisher_id"]),
        partner=str(row["partner"]),
        grain=str(row["grain"]),
        unit=str(row["unit"]),
        name=str(row["order_id"] or month or row["transaction_id"] or row["unit"]),
        order_id=row["order_id"],
        transaction_id=row["transaction_id"],
        advertiser_id=row["advertiser_id"],
        action_tracker_id=None if tracker is None else int(tracker),
        happened_at=row["happened_at"],
        joined_by=str(row["joined_by"]),
        verdict=str(row["verdict"]),
        rule=str(row["rule"]),
        meaning="" if rule is None else rule.words,
        action="" if rule is None else rule.advice,
        partner_rows=int(row["partner_rows"]),
        cj_records=int(row["cj_records"]),
        currency=currency,
        partner_sale=Money.of(row["partner_sale_amount"], currency),
        cj_sale=Money.of(row["cj_sale_amount"], currency),
        before_sale=Money.of(row["before_sale_amount"], currency),
        partner_payout=Money.of(row["partner_payout"], currency),
        cj_payout=Money.of(row["cj_payout"], currency),
        before_payout=Money.of(row["before_payout"], currency),
        difference=Money.of(row["difference"], currency),
        correction_reason=row["correction_reason"],
        corrected_at=row["corrected_at"],
        money_state=str(row["money_state"]),
        money_means=_STANDS.get(str(row["money_state"]), ""),
        locking_month=row["locking_month"],
        payable_on=row["payable_on"],
        credit_from=row["credit_from"],
        credit_until=row["credit_until"],
    )


def of_order(session: Session, order_id: str, action_tracker_id: int, advertisers: set[str]) -> tuple[Compared, ...]:
    """What its partners saw of one order, of these advertisers where any are given."""
    found = rows(session, "page_partner_of_order", order_id=order_id, action_tracker_id=action_tracker_id)
    return tuple(
        compared(row) for row in found if not advertisers or row["advertiser_id"] is None or str(row["advertiser_id"]) in advertisers
    )


def summed(found: Iterable[Mapping[str, Any]], column: str) -> tuple[Money, ...]:
    """A column's sum, by currency; nothing of what is not known."""
    known = (Amount(str(row["currency"] or ""), money(row[column])) for row in found if row[column] is not None)
    return Money.told(amounts_by_currency(known))
