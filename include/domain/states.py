"""Every state an order can be in, said once, in money terms.

The values are what users see in the tables; they are fixed. Sets of members that decide something have a name here and say who uses them.
"""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """How far a submission may go."""

    TEST = "test"
    """Test Mode only: CJ checks the request and posts nothing; no money moves."""
    LIVE = "live"
    """Test Mode first, then production: what CJ processes changes what the advertiser pays."""


class Operation(StrEnum):
    """The one call that brings CJ from what it holds to what the warehouse says."""

    CREATE = "create"
    """CJ has never seen the order: a publisher is owed a commission nobody has booked."""
    RESTATE = "restate"
    """CJ holds another amount, discount or basket: the commission changes with it."""
    CANCEL = "cancel"
    """The sale is undone: amount, commission and fee go to zero, for good."""


class Outcome(StrEnum):
    """What CJ answered for one order in one attempt."""

    ACCEPTED = "accepted"
    """The answer names the order. It may still be dropped in silence; only the ledger proves it arrived."""
    REJECTED = "rejected"
    """The answer refuses it, in words; nothing changed at CJ."""
    UNKNOWN = "unknown"
    """The call left and no answer came back: the change may or may not be at CJ. Settled from Commission Detail, never by resending."""


class Status(StrEnum):
    """The verdict on one order state sent live."""

    AWAITING = "awaiting"
    """Sent, and CJ's hour is not over: nothing to conclude yet."""
    LATE = "late"
    """The hour is over, the deadline is not: the money is still expected to move."""
    MATCHED = "matched"
    """CJ holds what we sent, to the cent (or within the band, where CJ converted the currency)."""
    MISMATCHED = "mismatched"
    """It posted, but not as sent: the advertiser pays on another figure than the warehouse's."""
    MISSING = "missing"
    """The deadline passed and it never posted: the advertiser pays for what CJ still holds."""
    SUPERSEDED = "superseded"
    """A newer state of the same order was sent since; that row carries the money."""


class Canary(StrEnum):
    """How far an account's canary has come: the few orders of a night that go live before its others."""

    AWAITED = "awaited"
    """Not every order has its verdict: no more money moves meanwhile."""
    PROVEN = "proven"
    """CJ shows as they were sent those that it took, and took enough (`Proven` in the journal): the others may go."""
    BROKEN = "broken"
    """One of them is a break, or nothing of an operation arrived: the others are not sent, and a later night plans them again."""
    TESTED = "tested"
    """The account was set back to Test Mode since the plan: nothing goes live, so there is nothing to prove."""


BREAKS = frozenset({Status.MISMATCHED, Status.MISSING})
"""What somebody has to look at. Used by the report, the alerts and the re-planning."""


class Reason(StrEnum):
    """Why an order is held back, or why a verdict is what it is. Words a table can be grouped by."""

    LOCKED = "locked"
    """CJ's lock date has passed: what CJ holds is what is paid."""
    CLOSED = "closed"
    """CJ has closed and paid it."""
    NOT_IN_CJ = "not_in_cj"
    """The order carries attribution, so CJ should know it, and it does not."""
    NOT_COMMISSIONABLE = "not_commissionable"
    """CJ pays no commission on it, or it was cancelled: it cannot be restated."""
    WRONG_ACTION_TRACKER = "wrong_action_tracker"
    """CJ holds the order under another action tracker."""
    STATUS_REQUIRED = "status_required"
    """An open-ended order needs `Accepted` or `Pending`, and nobody said which."""
    STATUS_NOT_ALLOWED = "status_not_allowed"
    """`status` was given where locking is not open-ended; CJ drops such a cancellation."""
    DUPLICATE = "duplicate"
    """A create of an order that CJ already holds."""
    STALE_STATE = "stale_state"
    """The warehouse shows an older state than one sent before: sending it would undo the newer one."""
    AMOUNT = "amount"
    DISCOUNT = "discount"
    ITEMS = "items"
    """SKUs or quantities differ."""
    COUPON = "coupon"
    CORRECTION_REASON = "correction_reason"
    VALIDATION_STATUS = "validation_status"
    UNKNOWN = "unknown"
    """Nothing we can see explains it: a case for CJ's support."""


class Stage(StrEnum):
    """Where an order was held back before CJ."""

    VALIDATION = "validation"
    """The row itself breaks a rule; its reason is the expectation that failed."""
    ELIGIBILITY = "eligibility"
    """CJ's own records say it could not arrive; its reason is a `Reason`."""
    TEST_MODE = "test_mode"
    """CJ refused it in Test Mode; its detail is CJ's words."""


class Skip(StrEnum):
    """Why there was nothing to send; nobody need look."""

    UNCHANGED = "unchanged"
    """CJ already holds this state, or has accepted it: sending it again would only add two lines to its report."""
    NOT_IN_CJ = "not_in_cj"
    """No attribution and unknown to CJ: no publisher brought it."""
    NEVER_SENT = "never_sent"
    """New and cancelled before it was ever sent: nobody is owed anything."""
    WAITING = "waiting"
    """An earlier change of the same order is still on its way (a create not posted yet, an unknown outcome): planned again once it is settled."""
    SUPERSEDED = "superseded"
    """A run that planned later took the order over before this one posted it; that run's tables carry it."""


class Answer(StrEnum):
    """What became of a question put to a person. Only one of them sends anything."""

    APPROVED = "approved"
    """A person read the plan and let it go."""
    REJECTED = "rejected"
    """A person read the plan and held it: nothing was sent, its orders are planned again."""
    UNANSWERED = "unanswered"
    """Nobody answered in time: nothing was sent."""
    OUTDATED = "outdated"
    """A person approved a plan that had been replaced meanwhile: nothing was sent."""
    WITHDRAWN = "withdrawn"
    """The run was planned or asked again before anybody answered: that question counts no more."""


class CaseState(StrEnum):
    """How far a case with CJ's support has come. Used by the cases, their page, and the notice that one is due."""

    READY = "ready"
    """Written down, and nobody has filed it: CJ does not know that anything is wrong."""
    FILED = "filed"
    """CJ is to answer: `due_early` and `due_late` say by when."""
    ANSWERED = "answered"
    """CJ has answered; it closes by itself at `closes_at` if nobody replies."""
    CLOSED = "closed"
    """Nobody replied in time, or somebody closed it. It can be opened again; the money is where it was."""
    SETTLED = "settled"
    """Every one of its orders is at CJ as it should be: the money is right."""


class CaseAct(StrEnum):
    """What happens to a case. Each is kept in the journal, and what the case is follows from them and from the time."""

    FILED = "filed"
    """A person filed it, and CJ gave it a number."""
    ANSWERED = "answered"
    """CJ's support answered."""
    REPLIED = "replied"
    """A person replied to the answer, or opened the case again: CJ's time runs anew."""
    CLOSED = "closed"
    """A person says that it is over."""
    SETTLED = "settled"
    """Every one of its orders was seen to be at CJ as it should be."""
    BROKEN = "broken"
    """One of its orders was seen to be a break again after that."""


MAX_ATTEMPTS = 3
"""How often one order state is sent before it stays a break. Used by the re-planning."""

FEWEST_ORDERS = 10
"""On fewer orders nothing is said about whether CJ's ids and the warehouse's meet: that ten in a row are each missed by CJ's tag, where it misses one
in five, happens once in ten million nights."""


class LockingMethod(StrEnum):
    """When CJ freezes an order (Commission Detail `lockingMethod`)."""

    IMMEDIATE = "IMMEDIATE"
    FIXED_DATE = "FIXED_DATE"
    OPEN_ENDED = "OPEN_ENDED"
    FIXED_DURATION = "FIXED_DURATION"


class ActionType(StrEnum):
    """What a record of Commission Detail is paid for (`actionType`)."""

    SIM_SALE = "sim_sale"
    ITEM_SALE = "item_sale"
    SIM_LEAD = "sim_lead"
    ITEM_LEAD = "item_lead"
    BONUS = "bonus"
    CLICK = "click"
    IMP = "imp"
    PERF_INC = "perf_inc"


NO_ORDERS = frozenset({ActionType.BONUS, ActionType.CLICK, ActionType.IMP, ActionType.PERF_INC})
"""Paid beside orders, perhaps with an order's id: no part of what CJ holds of it."""


class ActionStatus(StrEnum):
    """Where a record stands at CJ (Commission Detail `actionStatus`)."""

    NEW = "new"
    EXTENDED = "extended"
    LOCKED = "locked"
    CLOSED = "closed"
