"""What can be said of a partner's figures beside CJ's, in words a table can be grouped by. The rules behind them are in include/partners/rules.py."""

from __future__ import annotations

from enum import StrEnum


class Grain(StrEnum):
    """What one verdict on a partner is about."""

    ORDER = "order"
    """One order: the partner's rows of it against CJ's records of it."""
    MONTH = "month"
    """One month in sum, where nothing tells which row is which order."""


class JoinedBy(StrEnum):
    """How a partner's rows found CJ's records: the rungs of the ladder, the surest first."""

    ORDER_ID = "order_id"
    """The partner's export carries the advertiser's order id."""
    COMMISSION_ID = "commission_id"
    """It carries the id of one of CJ's records of the order."""
    SUGGESTED = "suggested"
    """Same amount on the same day, one to one: likely, and not proved."""
    MONTH = "month"
    """Month against month."""
    NONE = "none"
    """Nothing was found, or more than one."""


class PartnerVerdict(StrEnum):
    """What a partner saw against what CJ holds, of one order or month."""

    AGREE = "agree"
    """Both come to the same: the partner pays its creators on what CJ pays it."""
    AMOUNT_DIFFERS = "amount_differs"
    """Another sale amount, and no restatement explains it."""
    PAYOUT_DIFFERS = "payout_differs"
    """The same sale, and another payout: somebody is paid on the wrong figure."""
    ONLY_AT_PARTNER = "only_at_partner"
    """The partner pays on it, and CJ owes it nothing for it."""
    ONLY_AT_CJ = "only_at_cj"
    """CJ owes for it, and the partner has never heard of it."""
    RESTATED_SINCE = "restated_since"
    """The partner holds what CJ held before it was restated: it was not told."""
    AMBIGUOUS = "ambiguous"
    """More than one could be meant: nothing is guessed."""
    NOT_JOINABLE = "not_joinable"
    """It carries no id that CJ gives an advertiser, and nothing is like it."""
    AWAITING = "awaiting"
    """So young that the other side may still follow."""
    UNCHECKED = "unchecked"
    """One of the figures is not known, or in a currency that cannot be compared."""


class MoneyState(StrEnum):
    """Where the publisher's money for an order stands, as far as an advertiser can see. That it was paid nobody but the partner sees."""

    NOTHING = "nothing"
    """CJ owes nothing for it."""
    PENDING = "pending"
    """Not locked: it can still change."""
    LOCKED = "locked"
    """CJ will pay it on the payment day after its locking month."""
    PAYABLE = "payable"
    """The payment day has come."""
    CREDIT_EXPECTED = "credit_expected"
    """The days have begun in which the partner says it credits what CJ paid."""
