"""What each reason means to the person who pays, and what that person can do. Said once: the report, the pages and the docs read it here.

A sentence each, addressed to whoever looks at the break; the rules behind them are CJ's (Restatements API, Commission Detail).
"""

from __future__ import annotations

from include.domain.states import Reason, Skip, Stage, Status
from include.restatements.rules.plan import BY_ID
from include.restatements.rules.verdicts import REASONS, Advice

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

TOO_MANY_ITEMS = Advice("CJ takes at most 100 items an order.", "Set cj_combine_items, or send fewer lines.")
"""The one rule of the gate that a setting can answer."""

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


def quarantine_advice(stage: str, rule: str, reason: str) -> Advice:
    """The advice for an order held back: of the plan's rule that did it, and by its stage otherwise.

    A row written before rules had a column has an empty one: then its reason says what it can.
    """
    if stage not in set(Stage):
        return NO_ADVICE
    if rule in BY_ID:
        return Advice(BY_ID[rule].sentence, BY_ID[rule].advice)
    if stage == Stage.ELIGIBILITY and reason in set(Reason):
        return REASONS[Reason(reason)]
    return TOO_MANY_ITEMS if reason == "too_many_items" else STAGES[Stage(stage)]
