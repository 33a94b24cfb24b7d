"""The plan's rules: which one thing is done with an order, why, and what somebody can do about it. Told here and nowhere else.

The facts of an order (`FACTS`) come from include/sql/plan_facts.sql; the first of `RULES` whose condition holds decides. From this table come the
decision itself, the sentences in cj.quarantine, the report's advice, docs/plan-rules.md, and the tests. `OTHER_RULES` decide elsewhere in the loop
and speak in the same tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from include.domain.states import FEWEST_ORDERS, MAX_ATTEMPTS, Operation, Reason, Skip
from include.sql import filled

FACTS: Mapping[str, str] = MappingProxyType(
    {
        "call_unsettled": "our newest call for it left, no answer came, and Commission Detail has not settled what became of it",
        "on_its_way": "our newest submission was answered or may have arrived, and is neither settled nor known to have failed",
        "same_as_last": "our newest submission carried this very content",
        "last_is_create": "our newest submission is a create",
        "last_is_cancel": "our newest submission is a cancellation",
        "last_may_count": "our newest submission was accepted, or its outcome was unknown",
        "last_accepted": "our newest submission was accepted",
        "last_matched": "its verdict is `matched`, and CJ has no record of the order that was read since",
        "last_reason_lost": "its verdict differs by the correction reason alone, and CJ has no record of the order that was read since",
        "last_missing": "its verdict is `missing`",
        "older_than_last": "the warehouse dates this state before the one sent last",
        "attempts_used": f"this state was sent {MAX_ATTEMPTS} times",
        "known": "Commission Detail has a record of the order under this action tracker, if only one that could not be kept",
        "elsewhere": "Commission Detail has the order id under another action tracker",
        "tracker_of_another": "Commission Detail has this action tracker of another account, and never of this one",
        "attributed": "the warehouse names a click or an ad, so a publisher brought it",
        "before_ledger": "it was placed before the first day that was read of Commission Detail",
        "was_new": "the change log holds a `new` for it, so it is ours to create",
        "untouched": "its newest state is the one it was placed with",
        "cancelled": "its newest state is cancelled",
        "to_accept": "its locking is open-ended, CJ has it as pending, the warehouse says Accepted, and anything is paid on it",
        "closed": "CJ has closed and paid it",
        "locked": "CJ has locked it, or locks it before what is sent now is processed",
        "held_cancelled": "CJ is known to hold nothing of it any more, and we did not restate it to nothing",
        "pays_nothing": "CJ holds a sale and says that it pays neither commission nor fee on it",
        "open_ended": "its locking is open-ended",
        "locking_unsaid": "CJ's records do not say how it locks",
        "status_given": "the warehouse gives a status",
        "status_set": "cj_open_ended_status is set",
        "discount_would_go": "CJ holds a discount, the warehouse has null, and cj_allow_field_loss does not allow it",
        "items_would_go": "CJ holds items, the warehouse has none, and cj_allow_field_loss does not allow it",
        "coupon_would_go": "CJ holds a coupon, the warehouse has none, and cj_allow_field_loss does not allow it",
        "ids_hardly_meet": (
            f"CJ hardly knows an affiliate order of the night (at least {FEWEST_ORDERS} would be created), and of at least {FEWEST_ORDERS} orders that CJ has "
            "from the run's interval hardly one is in the warehouse; cj_ids_must_meet says what is hardly one"
        ),
        "held_so": "CJ is known to hold the order just as the warehouse says",
    }
)
"""What is asked of every order, as columns of include/sql/plan_facts.sql: always yes or no."""


@dataclass(frozen=True)
class Rule:
    """One rule: what is done where its condition holds.

    Exactly one of `operation`, `skip` and `hold` says what. `sentence` says why, in money terms; `advice` what a person can do, empty where nobody
    need do anything.
    """

    id: str
    condition: str
    sentence: str
    source: str
    operation: Operation | None = None
    skip: Skip | None = None
    hold: Reason | None = None
    advice: str = ""
    verdict_follows: bool = False
    """A skip that is no last word: the verdict on what is on its way says how it ended, and whether it is planned again."""
    reason_of_last_verdict: bool = False
    """The word in the table is that of the newest verdict, where there is one; `hold` is the word where there is none."""
    names_cj_ids: bool = False
    """Its sentence in the table ends with ids of CJ's and with the order's own, for comparison."""

    @property
    def word(self) -> str:
        """The reason in cj.quarantine or cj.skipped; empty for an operation."""
        return str(self.hold or self.skip or "")

    @property
    def detail(self) -> str:
        """What cj.quarantine.detail says."""
        return f"{self.sentence} {self.advice}".strip()


_SILENT = "CJ Restatements API: what is checked when an order is processed, up to an hour or longer after the answer"
_NO_LOSS = "CJ Restatements API: a restatement replaces the whole order, and a field left out is removed"
_NO_OP = "this package: each restatement adds two records to CJ's report, so nothing unchanged is sent"
_ONE_AT_A_TIME = "this package: CJ does not say which of two updates wins when they are processed out of order, so none overtakes another"
_CASE = "Open a case with CJ's support, with the submission id (cj.submissions)."
_ALLOW = "Fill the field in the warehouse; or allow the loss in cj_allow_field_loss and run the interval again."
_UNKNOWN_TO_CJ = "Check the tag or the create on the order's date; if the sale is CJ's, open a case."

RULES: tuple[Rule, ...] = (
    # On its way: nothing may overtake an unsettled call or a create that has not posted.
    Rule(
        "call_unsettled", "call_unsettled", "A call for it left and no answer came: Commission Detail settles what became of it.",
        "this package: whether a call without an answer was processed is known from Commission Detail alone", skip=Skip.WAITING,
    ),
    Rule("same_on_its_way", "on_its_way AND same_as_last", "This very state was sent and is on its way.", _NO_OP, skip=Skip.UNCHANGED, verdict_follows=True),
    Rule(
        # With another status or reason: what becomes of that one does not tell whether this one was ever sent.
        "cancellation_sent", "on_its_way AND last_is_cancel AND cancelled", "Another cancellation of it was sent and is on its way.", _ONE_AT_A_TIME,
        skip=Skip.WAITING,
    ),
    Rule(
        "stale_state", "last_may_count AND older_than_last AND NOT same_as_last",
        "A newer state of this order was sent before: the warehouse shows an older one.",
        "this package: a restatement overwrites, so the older state must never be sent last", hold=Reason.STALE_STATE,
        advice="Find out which is true; a newer row in the warehouse is sent.",
    ),
    Rule(
        "create_on_its_way", "on_its_way AND last_is_create AND NOT known", "Its create was sent and has not posted yet.", _ONE_AT_A_TIME,
        skip=Skip.WAITING,
    ),
    # CJ does not know it.
    Rule(
        "tracker_of_another", "NOT known AND tracker_of_another", "CJ's records have this action tracker for another account: CJ would drop it.",
        f"{_SILENT}: the action tracker belongs to the enterprise", hold=Reason.WRONG_ACTION_TRACKER,
        advice="Correct action_tracker_id in the warehouse; the next run sends it again.",
    ),
    # An order may have an action under each of two trackers: what is new and was brought by somebody under this one is an order of its own.
    Rule(
        "another_tracker", "NOT known AND elsewhere AND NOT (was_new AND attributed)", "CJ holds this order id under another action tracker.",
        f"{_SILENT}: the action tracker is the order's", hold=Reason.WRONG_ACTION_TRACKER,
        advice="Correct action_tracker_id in the warehouse; the next run sends it again.",
    ),
    # Whether CJ knows it is not known: what nothing happened to may be left alone, what was taken back may not.
    Rule(
        "older_than_the_ledger", "NOT known AND before_ledger AND (attributed OR NOT untouched)",
        "It is older than what was read of Commission Detail, so whether CJ knows it is not known.",
        f"{_SILENT}: a new order is not a duplicate, and a restated or cancelled one exists", hold=Reason.NOT_IN_CJ,
        advice="Read further back with the param `since` of cj_commission_ledger; the next run decides it anew.",
    ),
    Rule(
        "nobody_brought_it", "NOT known AND NOT attributed", "It has no attribution and CJ does not know it: no publisher brought it.",
        "this package: most of a shop's orders are not an affiliate's", skip=Skip.NOT_IN_CJ,
    ),
    Rule(
        "never_sent", "NOT known AND was_new AND cancelled", "It was new and cancelled before it was ever sent: nobody is owed anything.",
        "this package: of several changes only the last state counts", skip=Skip.NEVER_SENT,
    ),
    Rule(
        "created_in_vain", "NOT known AND attempts_used", f"It was sent {MAX_ATTEMPTS} times, and CJ never showed it.",
        "this package: what CJ drops three times it drops for a reason that a person has to find", hold=Reason.UNKNOWN, advice=_CASE,
    ),
    Rule(
        "another_id", "NOT known AND was_new AND ids_hardly_meet",
        "CJ knows the orders of these days by other ids than the warehouse does: created under this one, the sale would be there twice, and paid twice.",
        "this package: the order id is all that tells CJ's order and the warehouse's to be one", hold=Reason.DUPLICATE, names_cj_ids=True,
        advice="Give order_id as CJ's tag gives it (an order number, perhaps, and not an id), then run the interval again. "
        "Where CJ has other orders than this query by right, set cj_ids_must_meet to 0.",
    ),
    Rule(
        "create", "NOT known AND was_new", "CJ has never seen it, and a publisher is owed a commission on it.",
        "CJ Restatements API: create is for orders CJ has never seen", operation=Operation.CREATE,
    ),
    Rule(
        "unknown_to_cj", "NOT known",
        "It carries attribution, so CJ should know it, and no record of it is in Commission Detail, as far back as it was read.",
        f"{_SILENT}: a restated or cancelled order exists", hold=Reason.NOT_IN_CJ, advice=_UNKNOWN_TO_CJ,
    ),
    # CJ knows it, and already holds or has accepted this state.
    Rule(
        "matched_before", "last_accepted AND same_as_last AND last_matched AND NOT (to_accept AND last_is_create)",
        "This very state was sent, and CJ was seen to hold it.", _NO_OP, skip=Skip.UNCHANGED,
    ),
    Rule(
        "reason_lost_before", "last_accepted AND same_as_last AND last_reason_lost AND NOT to_accept",
        "This very state was sent, and CJ was seen to hold all of it except its correction reason: no money differs.", _NO_OP, skip=Skip.UNCHANGED,
    ),
    Rule(
        "held_already", "held_so AND NOT on_its_way AND (NOT last_accepted OR same_as_last OR last_missing OR cancelled)",
        "CJ's records show this very state.", _NO_OP, skip=Skip.UNCHANGED,
    ),
    # It could not arrive.
    Rule(
        "closed", "closed", "CJ has closed and paid this order.", f"{_SILENT}: the order is not closed", hold=Reason.CLOSED,
        advice="Nothing can be restated; settle it with the publisher.",
    ),
    Rule(
        "locked", "locked", "CJ's lock date passes before this could be processed: what CJ holds is what is paid.",
        f"{_SILENT}: the order is not locked", hold=Reason.LOCKED,
        advice="Settle it with the publisher, or ask CJ's support for a manual correction.",
    ),
    Rule(
        "held_as_cancelled", "held_cancelled", "CJ holds it as cancelled, and a cancelled order cannot be restated.",
        "CJ Restatements API: a cancellation cannot be undone", hold=Reason.NOT_COMMISSIONABLE, advice="Send a new order with an order id of its own.",
    ),
    # A cancellation is for good once it posts; until then it may still be dropped.
    Rule(
        "cancellation_on_its_way", "on_its_way AND last_is_cancel", "Its cancellation was sent and has not posted yet.", _ONE_AT_A_TIME,
        skip=Skip.WAITING,
    ),
    Rule(
        "pays_nothing", "pays_nothing", "CJ pays no commission on it, and drops a restatement of such an order.",
        "CJ Restatements API: an order that is not commissionable cannot be restated into one that is", hold=Reason.NOT_COMMISSIONABLE,
        advice="Check the program terms.",
    ),
    Rule(
        "sent_in_vain", "attempts_used", f"It was sent {MAX_ATTEMPTS} times, and CJ never showed it as sent.",
        "this package: what CJ drops three times it drops for a reason that a person has to find", hold=Reason.UNKNOWN, advice=_CASE,
        reason_of_last_verdict=True,
    ),
    Rule(
        "status_required", "open_ended AND NOT cancelled AND NOT status_given AND NOT status_set",
        "Locking is open-ended: CJ drops a restatement without a status.", f"{_SILENT}: an open-ended order carries a status",
        hold=Reason.STATUS_REQUIRED, advice="Give Pending or Accepted in the warehouse; or set cj_open_ended_status and run the interval again.",
    ),
    Rule(
        "status_not_allowed", "locking_unsaid AND cancelled AND status_given",
        "A status is given and CJ's records do not say that locking is open-ended: CJ would drop the cancellation.",
        f"{_SILENT}: a cancellation with a status is only processed where locking is open-ended", hold=Reason.STATUS_NOT_ALLOWED,
        advice="Leave status empty for this action tracker.",
    ),
    # A field CJ holds and the warehouse has lost: a restatement would remove it.
    Rule(
        "discount_would_go", "discount_would_go", "CJ holds a discount and the warehouse has null: sending the order would remove it.", _NO_LOSS,
        hold=Reason.DISCOUNT, advice="Send 0.00 if the discount is gone. " + _ALLOW,
    ),
    Rule(
        "items_would_go", "items_would_go", "CJ holds items and the warehouse has none: sending the order would remove them.", _NO_LOSS,
        hold=Reason.ITEMS, advice=_ALLOW,
    ),
    Rule(
        "coupon_would_go", "coupon_would_go", "CJ holds a coupon and the warehouse has none: sending the order would remove it.", _NO_LOSS,
        hold=Reason.COUPON, advice=_ALLOW,
    ),
    Rule(
        "cancel", "cancelled", "CJ holds a sale that is undone: amount, commission and fee go to zero.",
        "CJ Restatements API: cancel sets the sale to zero, for good", operation=Operation.CANCEL,
    ),
    Rule(
        "restate", "TRUE", "CJ holds another state than the warehouse: the commission changes with it.",
        "CJ Restatements API: a restatement replaces the whole order", operation=Operation.RESTATE,
    ),
)  # fmt: skip
"""In the order they are asked. The last one holds for every order."""

ACCOUNT_AWAY = Rule(
    "account_away", "the account of its enterprise could not be reached when the night was planned",
    "Its account could not be reached, so what CJ holds is not known: nothing is sent, and nothing is called unchanged.",
    "this package: nothing is decided by an old ledger", skip=Skip.WAITING,
)  # fmt: skip

TAKEN_OVER = Rule(
    "taken_over", "a run that planned later picked it before this run had posted it",
    "A run that planned later took the order over; that run's tables carry it.", "this package: one writer for each order", skip=Skip.SUPERSEDED,
)  # fmt: skip

GONE = Rule(
    "gone_from_the_warehouse", "it was to be planned again, and the warehouse gives no state of it as new as the one that waited",
    "It was to be planned again, and the warehouse no longer has the state that waited: nothing can be sent.",
    "this package: what waits ends some day, with a row that says how", hold=Reason.UNKNOWN,
    advice="Find out where the row went. Once it is back, run its interval again, or give it a new updated_at.",
)  # fmt: skip

REFUSED_IN_TEST_MODE = "refused_in_test_mode"
"""The rule of an order that CJ refused in Test Mode: CJ's own words are its sentence."""

OTHER_RULES: tuple[Rule, ...] = (ACCOUNT_AWAY, TAKEN_OVER, GONE)
"""Decided outside of the plan's SQL; their conditions are words."""

BY_ID: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in (*RULES, *OTHER_RULES)})


def decision_sql(facts: str) -> str:
    """The plan over a query that gives the facts: include/sql/plan.sql with the rules filled in."""
    return filled("plan", facts=facts, rules=RULES)


def plan_sql() -> str:
    """The plan over cj.plan_input."""
    return decision_sql(filled("plan_facts"))


def replan_sql() -> str:
    """Which orders are planned again: include/sql/replan_keys.sql with the rules filled in."""
    return filled("replan_keys", followed=[rule.id for rule in RULES if rule.verdict_follows])
