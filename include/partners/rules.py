"""The rules on partners: how a partner's rows find CJ's records, what is said of both, and where the money stands. Told here and nowhere else.

`LADDER` says how rows are joined, the surest way first; include/sql/partner_facts.sql climbs it. The facts of a pair (`FACTS`) come from there, or of a
month from include/sql/partner_month_facts.sql, and the first of `VERDICTS` that holds is the verdict. `MONEY` is asked the same way of `MONEY_FACTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from include.domain.partners import JoinedBy, MoneyState, PartnerVerdict
from include.sql import filled

FACTS: Mapping[str, str] = MappingProxyType(
    {
        "at_partner": "the partner has a row of it",
        "at_cj": "CJ has a record of it for this publisher",
        "ambiguous": "more than one of the other side could be meant",
        "identified": "the partner's row carries an order id or a commission id; of what is at CJ alone: its export carries one",
        "another_publisher": "CJ has the order, and gives it to another publisher",
        "may_follow": "it is so young, or the partner's log ends so early, that the other side may still follow",
        "comes_to_nothing": "the one side that has it comes to nothing: it was taken back in full",
        "other_currency": "the partner's rows are in another currency than its mapping names",
        "cj_not_known": "a figure the partner says is not known of CJ's records: they were read before it was asked for, or one was set aside",
        "amount_differs": "the sale amounts differ by more than half a cent for each record that CJ gives finer than a cent",
        "payout_differs": "so do the partner's payout and what the publisher earns at CJ",
        "was_so_before": "the partner's figures are what CJ held before a correction",
    }
)
"""What is asked of every pair, as columns of the SQL: always yes or no."""

MONEY_FACTS: Mapping[str, str] = MappingProxyType(
    {
        "owed": "CJ's records of it come to more or less than nothing for the publisher",
        "is_locked": "CJ has locked or closed it, or its lock date has passed",
        "payment_day_come": "the payment day after its locking month has come",
        "credit_days_begun": "so has the first day on which the partner may credit it",
    }
)
"""What is asked of the money of a pair."""


@dataclass(frozen=True)
class Rung:
    """One rung of the ladder. `condition` in words: what finds a candidate; it counts where it is the only one on both sides."""

    word: JoinedBy
    condition: str
    words: str
    advice: str
    source: str


Word = TypeVar("Word", PartnerVerdict, MoneyState)


@dataclass(frozen=True)
class _Rule(Generic[Word]):
    """One rule: the word it stands for where its condition holds, what that means, what to do, and where it is from."""

    id: str
    word: Word
    condition: str
    words: str
    advice: str
    source: str


class PartnerRule(_Rule[PartnerVerdict]):
    """A rule on what the partner saw."""


class MoneyRule(_Rule[MoneyState]):
    """A rule on where the money stands."""


_RECORDS = "CJ Commission Detail: the sum of an order's records is what CJ holds"
_TUNE = "TUNE's postbacks: the transaction id is made at the click, and CJ gives it back to the publisher alone"
_GUIDE = "CJ Affiliate Integration Guide (Aspire)"
_OURS = "this package"

LADDER: tuple[Rung, ...] = (
    Rung(
        JoinedBy.ORDER_ID, "the partner's order id is the order's, and CJ has it for this publisher once",
        "The partner's export carries the order id.", "Nothing: this is the surest join.", f"{_TUNE}; an order id travels only where the link passes it on",
    ),
    Rung(
        JoinedBy.COMMISSION_ID, "no order id found it, and the partner's commission id is that of one of CJ's records of the order",
        "The partner's export carries CJ's commission id.", "Nothing: CJ's ids are unique.", "CJ Commission Detail: commissionId",
    ),
    Rung(
        JoinedBy.SUGGESTED,
        "the row carries neither id; its first amount is the order's first amount, on the same day (UTC), of one row and one order alone",
        "Amount and day are the same, and there is one of each.",
        "Take it for likely: ask the partner to export the order id (TUNE: adv_unique1 or adv_sub), which proves it.", _OURS,
    ),
    Rung(
        JoinedBy.NONE, "nothing, or more than one", "Nothing is guessed.",
        "Ask the partner to export the order id; until then compare its months.", _OURS,
    ),
)  # fmt: skip
"""Asked from the top. Months are joined by their name and need no ladder."""

VERDICTS: tuple[PartnerRule, ...] = (
    PartnerRule(
        "two_candidates", PartnerVerdict.AMBIGUOUS, "ambiguous",
        "More than one order, or more than one of the partner's conversions, could be meant.",
        "Ask the partner for the order id of these conversions.", f"{_OURS}: two candidates are never chosen between",
    ),
    PartnerRule(
        "nothing_at_cj_alone", PartnerVerdict.AGREE, "NOT at_partner AND comes_to_nothing",
        "It was taken back in full at CJ, and the partner does not have it.", "", _RECORDS,
    ),
    PartnerRule(
        "nothing_at_partner_alone", PartnerVerdict.AGREE, "NOT at_cj AND comes_to_nothing",
        "It was taken back in full at the partner, and CJ does not have it.", "", _OURS,
    ),
    PartnerRule(
        "partner_may_follow", PartnerVerdict.AWAITING, "NOT at_partner AND may_follow",
        "The partner's log does not reach so far yet.", "", f"{_OURS}: late_days of the mapping",
    ),
    PartnerRule(
        "cj_may_follow", PartnerVerdict.AWAITING, "NOT at_cj AND may_follow",
        "CJ takes an hour or longer to post a sale.", "", "CJ Restatements API: processing takes up to an hour or longer",
    ),
    PartnerRule(
        "cj_without_id", PartnerVerdict.NOT_JOINABLE, "NOT at_partner AND NOT identified",
        "The partner's export carries no id, and none of its conversions is like this order.",
        "Look at the month instead, and ask the partner to export the order id.", _TUNE,
    ),
    PartnerRule(
        "partner_without_id", PartnerVerdict.NOT_JOINABLE, "NOT at_cj AND NOT identified",
        "The partner's conversion carries no id that an advertiser has, and no order is like it.",
        "Look at the month instead, and ask the partner to export the order id.", _TUNE,
    ),
    PartnerRule(
        "another_publisher", PartnerVerdict.ONLY_AT_PARTNER, "NOT at_cj AND another_publisher",
        "CJ gives the order to another publisher: this partner is not paid for it.",
        "Tell the partner; if the sale is its own, open a case with CJ's support with both publishers' ids.", _RECORDS,
    ),
    PartnerRule(
        "only_at_partner", PartnerVerdict.ONLY_AT_PARTNER, "NOT at_cj",
        "CJ has no record of it: nobody pays the partner for what it may pay its creators.",
        "Check whether the order was ever sent to CJ (cj.submissions), then tell the partner.", _RECORDS,
    ),
    PartnerRule(
        "only_at_cj", PartnerVerdict.ONLY_AT_CJ, "NOT at_partner",
        "CJ owes the partner for it, and the partner's log does not have it.",
        "Ask the partner whether its postback failed on that day; its creators miss a sale.", f"{_GUIDE}: the partner learns of a sale from a postback alone",
    ),
    PartnerRule(
        "other_currency", PartnerVerdict.UNCHECKED, "other_currency",
        "The partner's rows are in another currency than CJ's figures for it.",
        "Correct currency in the partner's mapping, or ask the partner for rows in that currency.", "CJ Commission Detail: figures are in USD and in the publisher's currency",
    ),
    PartnerRule(
        "cj_not_known", PartnerVerdict.UNCHECKED, "cj_not_known",
        "What the publisher sees or earns of it is not in the ledger.",
        "Run cj_commission_ledger with since before the sale; if it stays, look in cj.ledger_set_aside.", f"{_OURS}: not known is not zero",
    ),
    PartnerRule(
        "restated_since", PartnerVerdict.RESTATED_SINCE, "(amount_differs OR payout_differs) AND was_so_before",
        "The partner holds what CJ held before the order was restated.",
        "Send the partner the changed transactions (to_send.csv).", "CJ Restatements API: a restatement is a new line in Commission Detail; no postback tells of it",
    ),
    PartnerRule(
        "amount_differs", PartnerVerdict.AMOUNT_DIFFERS, "amount_differs",
        "The sale amounts differ, and CJ never held the partner's.",
        "Show the partner both; look for a row it lost or counted twice.", _RECORDS,
    ),
    PartnerRule(
        "payout_differs", PartnerVerdict.PAYOUT_DIFFERS, "payout_differs",
        "The sale is the same, and the partner's payout is not what the publisher earns at CJ.",
        "Check that the mapping names what CJ pays the partner, not what the partner pays on; then compare the program's terms.",
        "CJ Commission Detail: pubCommissionAmount is what the publisher earns",
    ),
    PartnerRule("same", PartnerVerdict.AGREE, "TRUE", "Both come to the same.", "", _RECORDS),
)  # fmt: skip
"""The verdict is the first that holds; the last one holds for every pair."""

MONEY: tuple[MoneyRule, ...] = (
    MoneyRule("owes_nothing", MoneyState.NOTHING, "NOT owed", "CJ owes the publisher nothing for it.", "", _RECORDS),
    MoneyRule("not_locked", MoneyState.PENDING, "NOT is_locked", "It is not locked: a restatement still reaches it.", "", "CJ Commission Detail: lockingDate"),
    MoneyRule(
        "locked", MoneyState.LOCKED, "NOT payment_day_come", "It is locked, and CJ pays it on the payment day after its locking month.", "",
        f"{_GUIDE}: CJ pays on the 1st what the advertiser locked; the day is a setting, cj_partner_payment_day",
    ),
    MoneyRule(
        "payment_day", MoneyState.PAYABLE, "NOT credit_days_begun", "The payment day has come. That CJ paid is not visible to an advertiser.", "",
        f"{_GUIDE}: CJ pays on the 1st of the month",
    ),
    MoneyRule(
        "credit_days", MoneyState.CREDIT_EXPECTED, "TRUE", "The partner says it credits what CJ paid within these days.",
        "Past the last of them, ask the partner whether the money came.", f"{_GUIDE}: credited within 2 to 5 business days; credited_after of the mapping",
    ),
)  # fmt: skip
"""Where the money stands: the first that holds."""

_BY_ID = {rule.id: rule for rule in VERDICTS}


def rule_of(rule_id: str) -> PartnerRule | None:
    """The rule that a row of cj.partner_reconciliation names; None for one this package does not know."""
    return _BY_ID.get(rule_id)


def verdicts_of(facts: str) -> str:
    """The verdicts over a query that gives the facts: include/sql/partner_verdicts.sql with the rules filled in."""
    return filled("partner_verdicts", facts=facts, verdicts=VERDICTS, money=MONEY)


def order_verdicts_sql() -> str:
    """The verdicts on the orders of cj.partner_rows and of the publisher."""
    return verdicts_of(filled("partner_facts"))


def month_verdicts_sql() -> str:
    """The verdicts on the months of the same."""
    return verdicts_of(filled("partner_month_facts"))
