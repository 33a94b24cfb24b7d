"""What the overview shows, as frozen values: overview.py makes them of the report's figures, drawn.py pictures of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from include.web.breaks import BreakRow
from include.web.common import Account, Freshness
from include.web.runs import Run
from include.web.shown import Money


@dataclass(frozen=True)
class Tile:
    """One figure. `change` is `up`, `down` or `same` since a night ago; empty where nothing is to be compared."""

    label: str
    figure: str
    more: str
    means: str
    change: str = ""
    bad: bool = False


@dataclass(frozen=True)
class BalanceLine:
    """sent = matched + waiting + breaks + superseded + unchecked: the difference is zero, or the tables contradict each other."""

    sent: int
    matched: int
    waiting: int
    breaks: int
    superseded: int
    unchecked: int
    difference: int


@dataclass(frozen=True)
class NightLine:
    """Order states sent on one UTC day, by the verdict they have now; `submitted` in the currency that most was sent in."""

    day: date
    orders: Mapping[str, int]
    submitted: Mapping[str, Money]
    match_rate: str | None


@dataclass(frozen=True)
class LockLine:
    """Breaks by the days until CJ takes no correction any more."""

    days: str
    orders: int
    at_risk: tuple[Money, ...]


@dataclass(frozen=True)
class LagLine:
    """How long CJ took to post, in seconds; `bins` are (minutes from, order states), the last of all above 48 hours."""

    orders: int
    p50: float
    p90: float
    longest: float
    within_the_hour: int
    bins: tuple[tuple[int, int], ...]
    finding: str


@dataclass(frozen=True)
class Overview:
    """What somebody has to know in a minute. Without a reconciliation there is only how the accounts stand."""

    fresh: Freshness
    accounts: tuple[Account, ...]
    night: Run | None
    """The one that was planned last."""
    run_id: str | None
    tone: str
    claim: str
    rest: str
    notes: tuple[str, ...]
    """What else has to be known, a sentence each."""
    tiles: tuple[Tile, ...]
    balance: BalanceLine | None
    nights: tuple[NightLine, ...]
    nights_finding: str
    locks: tuple[LockLine, ...]
    lock_finding: str
    lag: LagLine | None
    dearest: tuple[BreakRow, ...]
    breaks: int
    """All that are open."""
