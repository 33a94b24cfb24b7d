"""The verdicts' rules: what became of an order state that was sent live, and why. Told here and nowhere else.

The facts of a state (`FACTS`) come from include/sql/verdict_facts.sql. Three lists are asked, each from its top: `DIFFERENCES` for the first thing in
which CJ holds another state than the one sent, `MISSING` for what CJ's own records say of why it never posted, and `STATUSES` for the verdict, which
takes its reason from one of the other two. `REASONS` says what each reason means to the person who pays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from include.cj.spelling import POSTED_REASON, POSTED_STATUS
from include.domain.states import MAX_ATTEMPTS, Reason, Status
from include.sql import filled

FACTS: Mapping[str, str] = MappingProxyType(
    {
        "newest_state": "nothing newer of the order was sent",
        "known": "Commission Detail has a record of the order under this action tracker",
        "elsewhere": "Commission Detail has the order id under another action tracker",
        "tracker_known": "Commission Detail has this action tracker of this account",
        "tracker_of_another": "Commission Detail has this action tracker of another account, and never of this one",
        "half_shown": "what can be seen of CJ's records does not add up yet: a reversal without what is posted with it, or a new state and another sum",
        "in_doubt": "a record of the order could not be kept (cj.ledger_set_aside): what it comes to at CJ is not known",
        "new_line": "a record of the order that its plan did not know was posted since this state was sent last",
        "line_since_first": "a record of the order that its first plan did not know was posted since this state was sent first",
        "posted_once": "a record of just this state was posted since it was sent first, whatever CJ holds by now",
        "posted_since_last": "a record of just this state was posted since it was sent last",
        "is_create": "it was sent as a create",
        "is_restate": "it was sent as a restatement",
        "is_cancel": "it was sent as a cancellation",
        "posted_before": "CJ's first record of the order is older than this submission",
        "closed": "CJ has closed and paid it",
        "locked": "CJ has locked it, or its lock date has passed",
        "pays_nothing": "CJ holds a sale and pays neither commission nor fee on it",
        "held_nothing": "CJ holds nothing of it any more",
        "nothing_before": "the state sent before this one restated it to nothing",
        "open_ended": "its locking is open-ended",
        "locks_by_itself": "CJ's records say how it locks, and that is not open-ended",
        "status_given": "it was sent with a status",
        "converted": "its currency is not the account's: CJ converts the amount at a rate it does not publish",
        "untouched": "it is the state the order was placed with, and no other was sent before",
        "amount_unchecked": "CJ converted the amount, and nothing but the order itself says at what rate",
        "hour_over": "CJ's hour (processing_minutes) is over; where no answer came, CJ was read without the cursor since",
        "deadline_over": "the deadline (deadline_hours) is over, and CJ was read without the cursor since",
        "amount_differs": "CJ holds another amount, or one outside the band where CJ converted the currency and other evidence says the rate",
        "discount_differs": "CJ holds another order discount",
        "items_differ": "CJ holds other SKUs or quantities",
        "coupon_differs": "CJ holds another coupon",
        "correction_reason_differs": "CJ holds another correction reason",
        "validation_status_differs": "CJ holds another validation status of an order that anything is paid on",
        "shows_state_before": "CJ holds just the state that was sent before this one, or posted again what it held",
        "may_be_state_before": "CJ converted the currency, nothing says the rate, and one record posted of this state and the one sent before it: it may be either's",
    }
)
"""What is asked of every state, as columns of include/sql/verdict_facts.sql: always yes or no."""

DERIVED: Mapping[str, str] = MappingProxyType(
    {
        "differs": "one of the differences holds",
        "only_reason_differs": "nothing differs except the correction reason and the validation status",
    }
)
"""What the verdicts' rules may ask besides: it follows from the differences."""


@dataclass(frozen=True)
class VerdictRule:
    """One rule: the word it stands for where its condition holds, and the source at CJ."""

    id: str
    word: Status | Reason
    condition: str
    source: str


_SILENT = "CJ Restatements API: what is checked when an order is processed, up to an hour or longer after the answer"
_RECORDS = "CJ Commission Detail: the sum of an order's records is what CJ holds"
_OURS = "this package"
_WHOLE = "NOT half_shown AND NOT in_doubt"
"""What can be seen of it at CJ is all there is."""

DIFFERENCES: tuple[VerdictRule, ...] = tuple(
    VerdictRule(reason.value, reason, f"known AND {fact}", _RECORDS)
    for reason, fact in (
        (Reason.AMOUNT, "amount_differs"),
        (Reason.DISCOUNT, "discount_differs"),
        (Reason.ITEMS, "items_differ"),
        (Reason.COUPON, "coupon_differs"),
        (Reason.CORRECTION_REASON, "correction_reason_differs"),
        (Reason.VALIDATION_STATUS, "validation_status_differs"),
    )
)
"""In the order of what it costs: the reason of a mismatch is the first that holds."""

MISSING: tuple[VerdictRule, ...] = (
    VerdictRule(
        "tracker_of_another", Reason.WRONG_ACTION_TRACKER, "tracker_of_another AND NOT known",
        f"{_SILENT}: the action tracker belongs to the enterprise",
    ),
    # An order may have an action under each of two trackers of one account: that CJ has the other explains no create that was lost.
    VerdictRule(
        "another_tracker", Reason.WRONG_ACTION_TRACKER, "elsewhere AND NOT known AND NOT (is_create AND tracker_known)",
        f"{_SILENT}: the action tracker is the order's",
    ),
    VerdictRule("created_twice", Reason.DUPLICATE, "is_create AND known AND posted_before", f"{_SILENT}: a new order is not a duplicate"),
    VerdictRule("create_unexplained", Reason.UNKNOWN, "is_create", f"{_OURS}: nothing CJ shows explains it"),
    VerdictRule("not_in_cj", Reason.NOT_IN_CJ, "NOT known", f"{_SILENT}: a restated or cancelled order exists"),
    VerdictRule("closed", Reason.CLOSED, "closed", f"{_SILENT}: the order is not closed"),
    VerdictRule("locked", Reason.LOCKED, "locked", f"{_SILENT}: the order is not locked"),
    VerdictRule("pays_nothing", Reason.NOT_COMMISSIONABLE, "pays_nothing", f"{_SILENT}: the order is commissionable"),
    # Nothing is held any more: cancelled, unless nothing is what it was restated to before.
    VerdictRule(
        "held_as_cancelled", Reason.NOT_COMMISSIONABLE, "is_restate AND held_nothing AND NOT nothing_before",
        "CJ Restatements API: a cancellation cannot be undone",
    ),
    VerdictRule("status_required", Reason.STATUS_REQUIRED, "open_ended AND NOT status_given", f"{_SILENT}: an open-ended order carries a status"),
    VerdictRule(
        "status_not_allowed", Reason.STATUS_NOT_ALLOWED, "is_cancel AND locks_by_itself AND status_given",
        f"{_SILENT}: a cancellation with a status is only processed where locking is open-ended",
    ),
    VerdictRule("unexplained", Reason.UNKNOWN, "TRUE", f"{_OURS}: nothing CJ shows explains it"),
)  # fmt: skip
"""In the order that says most: the reason of what never posted is the first that holds."""

STATUSES: tuple[VerdictRule, ...] = (
    VerdictRule("superseded", Status.SUPERSEDED, "NOT newest_state", f"{_OURS}: the newest state of an order carries the verdict"),
    VerdictRule("posted_as_sent", Status.MATCHED, f"line_since_first AND NOT may_be_state_before AND NOT differs AND {_WHOLE}", _RECORDS),
    # CJ dropped the create as a duplicate of an order it already held just so: it holds what we sent.
    VerdictRule("created_as_held", Status.MATCHED, f"is_create AND known AND NOT differs AND {_WHOLE}", _RECORDS),
    VerdictRule("hour_not_over", Status.AWAITING, "NOT hour_over", "CJ Restatements API: processing takes up to an hour or longer"),
    # Of what is not all there is, nothing is said for good.
    VerdictRule("not_shown_whole", Status.LATE, "half_shown OR in_doubt", _RECORDS),
    VerdictRule(
        "posted_otherwise", Status.MISMATCHED,
        "(posted_since_last OR posted_once AND deadline_over OR new_line AND NOT shows_state_before AND NOT may_be_state_before) AND NOT (is_create AND posted_before)", _RECORDS,
    ),
    VerdictRule("deadline_not_over", Status.LATE, "NOT deadline_over", f"{_OURS}: the deadline is a setting, deadline_hours"),
    # CJ dropped a change to just what it held, or posts it still. Of an amount that CJ converted it can be told only where it is the one the order was
    # placed with: a change may be smaller than the band.
    VerdictRule("held_as_sent", Status.MATCHED, "known AND NOT differs AND (NOT converted OR untouched AND NOT amount_unchecked)", _RECORDS),
    # Something posted, and CJ holds what was sent except for the reason it was given: nothing that is paid is missing.
    VerdictRule("reason_lost", Status.MISMATCHED, "new_line AND NOT may_be_state_before AND only_reason_differs", _RECORDS),
    VerdictRule("never_posted", Status.MISSING, "TRUE", f"{_OURS}: the only proof that a change arrived is a new record"),
)  # fmt: skip
"""The verdict is the first that holds; the last one holds for every state."""


class Advice(NamedTuple):
    """`meaning`: what happened, in money terms. `action`: what to do about it, an imperative sentence."""

    meaning: str
    action: str


_AGAIN = f"It is sent again, at most {MAX_ATTEMPTS} times in all"

REASONS: Mapping[Reason, Advice] = MappingProxyType(
    {
        Reason.LOCKED: Advice(
            "CJ's lock date has passed: what CJ holds is what is paid.",
            "Settle it with the publisher, or ask CJ support for a manual correction.",
        ),
        Reason.CLOSED: Advice("CJ has closed and paid the order.", "Nothing can be restated; settle it with the publisher."),
        Reason.NOT_IN_CJ: Advice(
            "The order carries attribution, but CJ does not know it.",
            "Check the tag or the create on the order's date; if the sale is CJ's, open a case.",
        ),
        Reason.NOT_COMMISSIONABLE: Advice(
            "CJ pays no commission on it, or it was cancelled; it cannot be restated.",
            "Check the program terms; a cancelled order needs a new order id.",
        ),
        Reason.WRONG_ACTION_TRACKER: Advice(
            "CJ holds the order under another action tracker.",
            "Correct action_tracker_id in the warehouse; the next run sends it again.",
        ),
        Reason.STATUS_REQUIRED: Advice(
            "An open-ended order needs `Accepted` or `Pending`, and none was given.",
            "Fill status in the warehouse, or set cj_open_ended_status.",
        ),
        Reason.STATUS_NOT_ALLOWED: Advice(
            "`status` was given where locking is not open-ended; CJ drops such a change.",
            "Leave status empty for this action tracker.",
        ),
        Reason.DUPLICATE: Advice(
            "A create of an order that CJ already holds; CJ keeps the first.",
            "Nothing: the next run sends it as a restatement.",
        ),
        Reason.STALE_STATE: Advice(
            "The warehouse shows an older state of the order than one sent before.",
            "Find out which is true; a newer row in the warehouse is sent.",
        ),
        Reason.AMOUNT: Advice(
            "CJ holds another amount than the warehouse.",
            "Compare expected and actual; if the warehouse is right, it is sent again.",
        ),
        Reason.DISCOUNT: Advice(
            "CJ holds another order discount than the warehouse.",
            f"{_AGAIN}: check whether CJ's sale amount is net or gross (sale_amount_basis), and the discount sent.",
        ),
        Reason.ITEMS: Advice(
            "SKUs or quantities at CJ differ from the warehouse.",
            f"{_AGAIN}: compare the order's items; commissions by item list depend on them.",
        ),
        Reason.COUPON: Advice(
            "CJ holds another coupon than the warehouse.",
            f"{_AGAIN}: check the coupon with the program terms, since an excluded coupon is not taken.",
        ),
        Reason.CORRECTION_REASON: Advice(
            "CJ holds another correction reason; the amount is right.",
            "No money differs, so it is not sent again; correct the reason in the warehouse if it is wrong there.",
        ),
        Reason.VALIDATION_STATUS: Advice(
            "CJ holds another validation status than the one sent.",
            f"{_AGAIN}, where the warehouse says Accepted and CJ says Pending. Otherwise ask CJ support before the order locks.",
        ),
        Reason.UNKNOWN: Advice(
            "Nothing CJ shows explains it.",
            f"{_AGAIN}; then open a case with CJ support, with the submission id (cj.submissions).",
        ),
    }
)
"""What a verdict's reason means, and what can be done about it."""


def verdicts_of(facts: str) -> str:
    """The verdicts over a query that gives the facts: include/sql/verdicts.sql with the rules filled in."""
    return filled("verdicts", facts=facts, differences=DIFFERENCES, missing=MISSING, statuses=STATUSES)


def facts_sql() -> str:
    """The facts of the states of cj.open_orders, with CJ's two spellings filled in."""
    return filled(
        "verdict_facts",
        posted_reason=lambda column: _spelling(column, POSTED_REASON),
        posted_status=lambda column: _spelling(column, POSTED_STATUS),
    )


def verdicts_sql() -> str:
    """The verdicts on cj.open_orders."""
    return verdicts_of(facts_sql())


def _spelling(column: str, posted: Mapping[Any, StrEnum]) -> str:
    """The word CJ writes in Commission Detail for the one it was sent."""
    cases = " ".join(f"WHEN '{sent}' THEN '{read}'" for sent, read in posted.items())
    return f"CASE {column} {cases} END"
