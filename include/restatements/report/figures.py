"""What a report says, before anybody decides how it looks: frozen figures, exact money, no rendering.

comparison (SQL, `collect`) -> `Figures` -> rendering (`html`, `terminal`, `report.summary`). Amounts of different
currencies are never added: wherever money is summed there is a tuple of `Amount`, one a currency. Times are aware UTC.
Commission at risk is in the advertiser's own currency; submitted and posted amounts are in the order's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from include.domain.money import CENT, PRECISION, SCALE, ZERO, exact_sum, money_text
from include.domain.states import Status

TOP_BREAKS = 200
"""How many breaks a report lists; the rest are in cj.reconciliation."""

STATUS_ORDER = (Status.MISSING, Status.MISMATCHED, Status.LATE, Status.AWAITING, Status.MATCHED, Status.SUPERSEDED)
"""Failures first."""

LOCK_BUCKETS = ("locked", "0-2", "3-7", "8-14", "15-30", "> 30", "no date")
"""Days until CJ freezes the order, as report_locks.sql names them."""

BIN_SECONDS = 300
LAST_BIN = 576
"""report_lag.sql puts every lag above 48 hours here."""

_CENTS = Context(prec=PRECISION + SCALE, rounding=ROUND_HALF_UP)


class Amount(NamedTuple):
    """Money of one currency. An empty currency is the advertiser's own, whose name nobody gave."""

    currency: str
    amount: Decimal

    def exact(self) -> str:
        """`1,234.50 USD`, no digit lost."""
        return f"{grouped(self.amount)} {self.currency}".rstrip()

    def cents(self) -> str:
        """The same rounded to the cent, for estimates such as commission at risk."""
        return Amount(self.currency, to_cents(self.amount)).exact()


def to_cents(amount: Decimal) -> Decimal:
    """Half up to the cent, as a person would round a commission."""
    return amount.quantize(CENT, context=_CENTS)


def grouped(amount: Decimal) -> str:
    """`money_text` with thousands separators: `-1,234.50`."""
    text = money_text(amount.copy_abs())
    whole, _, fraction = text.partition(".")
    return f"{'-' if amount < 0 else ''}{int(whole):,}.{fraction}"


def amounts_by_currency(amounts: Iterable[Amount]) -> tuple[Amount, ...]:
    """One sum a currency, sorted by currency; exact."""
    buckets: dict[str, list[Decimal]] = {}
    for currency, amount in amounts:
        buckets.setdefault(currency, []).append(amount)
    return tuple(Amount(currency, exact_sum(parts)) for currency, parts in sorted(buckets.items()))


@dataclass(frozen=True)
class Balance:
    """sent = matched + waiting + breaks + superseded + unchecked. `sent` is counted from cj.submissions, the rest from the verdicts."""

    sent: int
    matched: int
    waiting: int
    breaks: int
    superseded: int
    unchecked: int
    """Sent, and no reconciliation has looked at it yet."""

    @property
    def difference(self) -> int:
        """Zero, or the tables contradict each other."""
        return self.sent - self.matched - self.waiting - self.breaks - self.superseded - self.unchecked

    @property
    def match_rate(self) -> str | None:
        """`96.2 %` of the states CJ has decided on (matched or break); None when there are none. 100 % only when nothing broke."""
        decided = self.matched + self.breaks
        if not decided:
            return None
        tenths = self.matched * 1000 // decided
        return f"{tenths // 10}.{tenths % 10} %"


@dataclass(frozen=True)
class StatusLine:
    """All order states with one verdict in one currency.

    `posted` and `difference` (posted - submitted) leave out the `not_compared` states: CJ shows none of them, or in another currency.
    """

    status: str
    currency: str
    orders: int
    submitted: Decimal
    posted: Decimal
    difference: Decimal
    not_compared: int
    within_band: int
    unchecked: int = 0
    """Matched, but for an amount that CJ converted and nothing else could check."""

    @property
    def compared(self) -> int:
        return self.orders - self.not_compared


@dataclass(frozen=True)
class BreakReason:
    """Breaks with one verdict and one reason; `at_risk` is commission and fee, without the `unpriced` ones."""

    status: str
    reason: str
    orders: int
    at_risk: tuple[Amount, ...]
    unpriced: int
    """CJ shows nothing their commission could be worked out from (its currency was converted, or it holds no order like it)."""


@dataclass(frozen=True)
class Break:
    """One order state somebody has to look at. None where CJ shows nothing."""

    action_tracker_id: int
    order_id: str
    operation: str
    status: str
    reason: str
    submitted: Amount | None
    posted: Amount | None
    difference: Amount | None
    submitted_at: datetime
    locking_date: datetime | None
    days_to_lock: int | None
    at_risk: Amount | None
    attempts: int


@dataclass(frozen=True)
class LockBucket:
    """Breaks that lock within one span of days; `days` is a member of LOCK_BUCKETS."""

    days: str
    orders: int
    at_risk: tuple[Amount, ...]


@dataclass(frozen=True)
class Lag:
    """How long CJ took from submission to posting. Percentiles in seconds; `bins` of BIN_SECONDS as (number of the bin, order states)."""

    orders: int
    p50: float
    p90: float
    p99: float
    longest: float
    bins: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Quarantined:
    """Orders held back before CJ by one rule. `cost` is the commission and fee CJ still holds on them; `detail` one example."""

    stage: str
    rule: str
    """Empty in rows written before rules had a column."""
    reason: str
    orders: int
    cost: tuple[Amount, ...]
    detail: str


@dataclass(frozen=True)
class Sent:
    """Order states sent in one mode with one operation and one outcome."""

    mode: str
    operation: str
    outcome: str
    orders: int


@dataclass(frozen=True)
class Night:
    """Order states sent on one UTC day, by the verdict they have now."""

    day: date
    orders: tuple[tuple[str, int], ...]
    submitted: tuple[tuple[str, tuple[Amount, ...]], ...] = ()
    """The amounts sent, by the same verdicts, one sum a currency."""

    def count(self, *statuses: str) -> int:
        return sum(orders for status, orders in self.orders if status in statuses)


@dataclass(frozen=True)
class Older:
    """What is still open of the nights before those a report shows: no line of it is anywhere else in the report."""

    orders: int
    breaks: int
    """Of them, those that are mismatched or missing."""
    at_risk: tuple[Amount, ...]
    unpriced: int


@dataclass(frozen=True)
class Figures:
    """Everything a report says about some runs at one moment."""

    checked_at: datetime
    data_as_of: datetime | None
    """Commission Detail has been read completely up to here, for the advertiser furthest behind."""
    reconciliation_run_id: str | None
    run_ids: tuple[str, ...]
    balance: Balance
    statuses: tuple[StatusLine, ...]
    break_reasons: tuple[BreakReason, ...]
    breaks: tuple[Break, ...]
    locks: tuple[LockBucket, ...]
    lag: Lag | None
    sent: tuple[Sent, ...]
    refused: tuple[tuple[str, int], ...]
    """Orders that live mode refused, by CJ's words."""
    quarantined: tuple[Quarantined, ...]
    skipped: tuple[tuple[str, int], ...]
    nights: tuple[Night, ...]
    older: Older
    other_basis_matches_all: bool
    set_aside: int = 0
    """CJ's records that could not be kept: what their orders come to at CJ is not known."""
    changed: int = 0
    """CJ's records that were kept with a change: a character, or digits past the tenth decimal place."""
    discounts_with_minus: int = 0
    """CJ's reversals whose order discount carries a minus, as their amount does."""
    discounts_without_minus: int = 0
    """Those whose order discount carries none."""

    @property
    def at_risk(self) -> tuple[Amount, ...]:
        return amounts_by_currency(amount for reason in self.break_reasons for amount in reason.at_risk)

    @property
    def unpriced(self) -> int:
        return sum(reason.unpriced for reason in self.break_reasons)

    def at_risk_in(self, *buckets: str) -> tuple[Amount, ...]:
        return amounts_by_currency(amount for lock in self.locks if lock.days in buckets for amount in lock.at_risk)

    def locking(self, *buckets: str) -> int:
        return sum(lock.orders for lock in self.locks if lock.days in buckets)

    @property
    def quarantined_orders(self) -> int:
        return sum(group.orders for group in self.quarantined)

    @property
    def quarantined_cost(self) -> tuple[Amount, ...]:
        return amounts_by_currency(amount for group in self.quarantined for amount in group.cost)

    @property
    def skipped_orders(self) -> int:
        return sum(orders for _, orders in self.skipped)

    @property
    def tested(self) -> int:
        """Order states that only Test Mode has seen: nothing was posted for them."""
        return sum(line.orders for line in self.sent if line.mode == "test" and line.outcome == "accepted")

    @property
    def refused_orders(self) -> int:
        return sum(line.orders for line in self.sent if line.mode == "live" and line.outcome == "rejected")

    @property
    def unanswered(self) -> int:
        """Live order states whose call left and came back without an answer; settled from Commission Detail."""
        return sum(line.orders for line in self.sent if line.mode == "live" and line.outcome == "unknown")

    @property
    def within_band(self) -> int:
        return sum(line.within_band for line in self.statuses)

    @property
    def unchecked(self) -> int:
        return sum(line.unchecked for line in self.statuses)

    @property
    def currencies(self) -> tuple[str, ...]:
        return tuple(sorted({line.currency for line in self.statuses}))

    def orders_with(self, *statuses: str) -> int:
        return sum(line.orders for line in self.statuses if line.status in statuses)

    @property
    def empty(self) -> bool:
        """Nothing was sent, tested, held back or skipped."""
        return not (self.sent or self.quarantined or self.skipped)


def joined(amounts: tuple[Amount, ...], *, rounded: bool = True) -> str:
    """`12.50 USD + 3.00 EUR`: sums of different currencies stay apart. Zero sums are left out; `0.00` when there is nothing."""
    parts = [a.cents() if rounded else a.exact() for a in amounts if a.amount]
    return " + ".join(parts) or Amount(amounts[0].currency if amounts else "", ZERO).exact()


def counted(number: int, thing: str) -> str:
    """`1 order`, `1,234 orders`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def utc(moment: datetime) -> str:
    """A moment as the report writes it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `1 h 03 min`, `2 d 4 h`."""
    whole = timedelta(seconds=round(seconds))
    hours, minutes = whole.seconds // 3600, whole.seconds % 3600 // 60
    if whole.days:
        return f"{whole.days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min" if minutes else f"{whole.seconds} s"
