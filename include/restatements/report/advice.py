"""What each reason means to the person who pays, and what that person can do. Said once: the report, the pages and the docs read it here.

A sentence each, addressed to whoever looks at the break; the rules behind them are CJ's (Restatements API, Commission Detail).
"""

from __future__ import annotations

from typing import NamedTuple

from include.domain.states import MAX_ATTEMPTS, Reason, Skip, Stage, Status


class Advice(NamedTuple):
    """`meaning`: what happened, in money terms. `action`: what to do about it, an imperative sentence."""

    meaning: str
    action: str


AGAIN = f"It is sent again, at most {MAX_ATTEMPTS} times in all"
CASE = "open a case with CJ support, with the submission id (cj.submissions)"

REASONS: dict[Reason, Advice] = {
    Reason.LOCKED: Advice(
        "CJ's lock date has passed: what CJ holds is what is paid.",
        "Settle it with the publisher, or ask CJ support for a manual correction.",
    ),
    Reason.CLOSED: Advice(
        "CJ has closed and paid the order.",
        "Nothing can be restated; settle it with the publisher.",
    ),
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
    Reason.AMOUNT: Advice(
        "CJ holds another amount than the warehouse.",
        "Compare expected and actual; if the warehouse is right, it is sent again.",
    ),
    Reason.DISCOUNT: Advice(
        "CJ holds another order discount than the warehouse.",
        f"{AGAIN}: check whether CJ's sale amount is net or gross (sale_amount_basis), and the discount sent.",
    ),
    Reason.ITEMS: Advice(
        "SKUs or quantities at CJ differ from the warehouse.",
        f"{AGAIN}: compare the order's items; commissions by item list depend on them.",
    ),
    Reason.COUPON: Advice(
        "CJ holds another coupon than the warehouse.",
        f"{AGAIN}: check the coupon with the program terms, since an excluded coupon is not taken.",
    ),
    Reason.CORRECTION_REASON: Advice(
        "CJ holds another correction reason; the amount is right.",
        "No money differs, so it is not sent again; correct the reason in the warehouse if it is wrong there.",
    ),
    Reason.VALIDATION_STATUS: Advice(
        "CJ holds another validation status than the one sent.",
        f"{AGAIN}, where the warehouse says Accepted and CJ says Pending. Otherwise ask CJ support before the order locks.",
    ),
    Reason.UNKNOWN: Advice(
        "Nothing CJ shows explains it.",
        f"{AGAIN}; then {CASE}.",
    ),
}

STATUSES: dict[Status, Advice] = {
    Status.AWAITING: Advice("Sent, and CJ's hour is not over.", "Wait: the next reconciliation looks again."),
    Status.LATE: Advice("CJ's hour is over, the deadline is not.", "Wait: it becomes missing only at the deadline."),
    Status.MATCHED: Advice("CJ holds what was sent.", "Nothing."),
    Status.MISMATCHED: Advice("It posted, but not as sent.", "Look at the reason of each break."),
    Status.MISSING: Advice("The deadline passed and it never posted.", "Look at the reason of each break."),
    Status.SUPERSEDED: Advice("A newer state of the same order was sent since.", "Nothing: the newer state carries the money."),
}

STAGES: dict[Stage, Advice] = {
    Stage.VALIDATION: Advice(
        "The row breaks a rule of CJ's or of arithmetic.", "Correct the row in the warehouse; the next run that picks it sends it."
    ),
    Stage.ELIGIBILITY: Advice("CJ's own records say it could not arrive.", "See the reason."),
    Stage.TEST_MODE: Advice(
        "CJ refused it in Test Mode; nothing was posted.", "Correct what CJ's words name; the next run that picks it tries again."
    ),
}

_WOULD_BE_LOST = Advice(
    "CJ holds it and the warehouse has none: sending the order would remove it.",
    "Fill the field in the warehouse, or allow the loss in cj_allow_field_loss.",
)
_SENT_IN_VAIN = Advice(
    f"It was sent {MAX_ATTEMPTS} times, and CJ never showed it as sent.",
    f"{CASE[0].upper()}{CASE[1:]}.",
)

HELD: dict[tuple[Stage, str], Advice] = {
    **{(Stage.ELIGIBILITY, reason): _WOULD_BE_LOST for reason in (Reason.COUPON, Reason.DISCOUNT, Reason.ITEMS)},
    **{
        (Stage.ELIGIBILITY, reason): _SENT_IN_VAIN
        for reason in (Reason.UNKNOWN, Reason.DUPLICATE, Reason.AMOUNT, Reason.CORRECTION_REASON, Reason.VALIDATION_STATUS)
    },
    (Stage.ELIGIBILITY, "stale_state"): Advice(
        "A newer state of this order was sent before: the warehouse shows an older one.",
        "Find out which is true; a newer row in the warehouse is sent.",
    ),
    (Stage.VALIDATION, "too_many_items"): Advice(
        "CJ takes at most 100 items an order.",
        "Set cj_combine_items, or send fewer lines.",
    ),
}
"""Where being held back asks for something else than the same reason does of an order that was sent, or than its stage does."""

SKIPS: dict[Skip, str] = {
    Skip.UNCHANGED: "CJ already holds this state, or has accepted it.",
    Skip.NOT_IN_CJ: "No attribution and unknown to CJ: no publisher brought it.",
    Skip.NEVER_SENT: "New and cancelled before it was ever sent.",
    Skip.WAITING: "An earlier change is still on its way; planned again once it is settled.",
    Skip.SUPERSEDED: "A later run took the order over.",
}

NO_ADVICE = Advice("No explanation is kept for this reason.", "Look at the order in cj.reconciliation.")


def advice_for(reason: str | None) -> Advice:
    """The advice for a break's reason as it stands in the table; None and words of another version get a sentence too."""
    if reason is None:
        return REASONS[Reason.UNKNOWN]
    return REASONS[Reason(reason)] if reason in set(Reason) else NO_ADVICE


def held_advice(stage: str, reason: str) -> Advice:
    """The advice for an order held back: by its reason where CJ's records decided, by its stage otherwise."""
    if stage not in set(Stage):
        return NO_ADVICE
    if (Stage(stage), reason) in HELD:
        return HELD[Stage(stage), reason]
    if stage == Stage.ELIGIBILITY and reason in set(Reason):
        return REASONS[Reason(reason)]
    return STAGES[Stage(stage)]
