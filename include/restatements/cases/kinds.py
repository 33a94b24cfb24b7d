"""What is a case for CJ's support and what is none. Told here and nowhere else: the statement, the words, docs/support-cases.md and the tests come from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from include.domain.states import Reason, Status


class CaseKind(StrEnum):
    """What a case asks of CJ."""

    LOST = "lost"
    """Changes that CJ took and never showed: the advertiser pays for what CJ still holds."""
    ALTERED = "altered"
    """Changes that posted otherwise than they were sent: the advertiser pays on another figure."""
    EXTENSION = "extension"
    """A subscription for extension files: without it no lock can be put off by file."""
    CORRECTION = "correction"
    """A subscription for correction files: the door that is open when the API is not."""


@dataclass(frozen=True)
class CaseRule:
    """The verdicts that are a case of this kind, and what is asked. `{…}` are filled in by `writing`."""

    kind: CaseKind
    status: Status
    reasons: tuple[Reason, ...]
    subject: str
    happened: str
    asks: str
    source: str


_SEED = "CJ, Submit a Support Ticket: a concise, specific subject; what was tried, the steps, what happened, any error message"

RULES: tuple[CaseRule, ...] = (
    CaseRule(
        CaseKind.LOST, Status.MISSING, (Reason.UNKNOWN,),
        "Restatements API: {what} accepted, not shown in Commission Detail (CID {advertiser})",
        "Commission Detail shows no record of {these}{before}. Nothing it shows of the orders says why.",
        "Please tell us why {these} did not process, and whether CJ can process {them} from the submissions named here{before_lock}. If we have to send "
        "something else, please tell us what.",
        _SEED,
    ),
    CaseRule(
        CaseKind.ALTERED, Status.MISMATCHED, (Reason.AMOUNT, Reason.DISCOUNT, Reason.ITEMS, Reason.COUPON, Reason.VALIDATION_STATUS),
        "Commission Detail: {field} differs from what the Restatements API accepted, {what} (CID {advertiser})",
        "Commission Detail shows {these} with another {field} than the one that was sent.{both}",
        "Please tell us why the {field} shown is another than the one that was sent, and correct it{before_lock}. If we have to send something else, please tell "
        "us what.",
        _SEED,
    ),
)  # fmt: skip
"""A break that none of them names is no case."""

NOT_A_CASE: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.LOCKED: "CJ's records say why: it was locked, and stays as it is",
        Reason.CLOSED: "CJ's records say why: it was paid, and stays as it is",
        Reason.NOT_IN_CJ: "CJ's records say why: it has no such order",
        Reason.NOT_COMMISSIONABLE: "CJ's records say why: it pays nothing on the order, or the order was cancelled",
        Reason.WRONG_ACTION_TRACKER: "the warehouse is to be corrected: CJ holds the order under another action tracker",
        Reason.STATUS_REQUIRED: "the warehouse is to be corrected: an open-ended order needs a status",
        Reason.STATUS_NOT_ALLOWED: "the warehouse is to be corrected: a status was given where none may be",
        Reason.DUPLICATE: "CJ holds the order already: it is sent as a restatement by itself",
        Reason.STALE_STATE: "the warehouse is to be looked at: it shows an older state than one that was sent",
        Reason.CORRECTION_REASON: "no money differs",
    }
)
"""Why a reason is not asked about. With the rules they are all reasons."""

TOLD_IN_A_LINE = frozenset({Reason.AMOUNT, Reason.DISCOUNT, Reason.COUPON})
"""Of what can differ, that of which an attached line says both: what was sent and what is shown."""

FIELDS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.AMOUNT: "sale amount",
        Reason.DISCOUNT: "order discount",
        Reason.ITEMS: "item list (SKUs or quantities)",
        Reason.COUPON: "coupon",
        Reason.VALIDATION_STATUS: "validation status",
    }
)
"""What CJ's people call that which differs."""


@dataclass(frozen=True)
class Subscription:
    """What a request for a subscription is for."""

    what: str
    uses: str
    source: str


SUBSCRIPTIONS: Mapping[CaseKind, Subscription] = MappingProxyType(
    {
        CaseKind.EXTENSION: Subscription(
            "transaction extension", "put off the lock of single transactions by one period, where a return may still come",
            "docs.cj.com: an extension file names its subscription in its head (SUBID), and is uploaded under Subscriptions, Upload File",
        ),
        CaseKind.CORRECTION: Subscription(
            "order correction (restatement)", "correct and cancel orders by file when the Restatements API cannot be reached",
            "docs.cj.com: restatements by file need a subscription id, one per file",
        ),
    }
)  # fmt: skip

KNOWN_REASON = ("Data Transfer", "Data Transfer General")
"""Case reason and sub-reason of a request for a subscription: the one pair that is known. CJ publishes no list, and none is invented."""
