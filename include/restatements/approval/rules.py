"""The money gate's rules: when a plan that is going live waits for a person. Told here and nowhere else.

Each is asked of every account that is going live, of the same figures (`Figures`); each one that holds is a reason, in words and figures. From this table
come the decision, the question's reasons, the README's settings, docs/money-gate.md and the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from include.domain.money import money_text
from include.restatements.settings import Settings

NIGHTS_LOOKED_AT = 28
"""Nights that had any change, the newest: what is usual is read from them."""
FEWEST_NIGHTS = 14
"""On fewer nothing is said about what is usual: in the first weeks the other rules stand alone."""


@dataclass(frozen=True)
class Figures:
    """What one plan is to change of one account, and what it is compared with. Money is in the advertiser's currency, of the sales that commission is paid on."""

    touched: int
    """Orders to be restated or cancelled; of a backfill, with those of its runs before."""
    taken_back: Decimal
    """Of those orders, what they lose at most: an order of which that is not known counts with all that CJ holds of it."""
    runs: int
    """How many runs of a backfill these two are of; 1 for a night."""
    open_orders: int
    """Orders CJ has not locked that hold anything."""
    open_money: Decimal
    usual_day: Decimal
    """The sales of a day, in the middle of the days whose orders are open."""
    usual: int | None
    """What 95 of 100 nights do not exceed; None where too few are known."""
    new_orders: int
    """Placed on the one of the run's own day and the day before it of which a larger share is cancelled; likewise `new_cancelled`."""
    new_cancelled: int
    unseen_trackers: tuple[int, ...]
    """Action trackers of the plan that CJ has never shown of this account, where it has shown any."""


@dataclass(frozen=True)
class GateRule:
    """`asks` says whether a person is asked, where the `setting` (a field of Settings) does not turn the rule off; `words` is the sentence, in figures."""

    id: str
    setting: str
    condition: str
    asks: Callable[[Figures, Settings], bool]
    words: Callable[[Figures, Settings], str]
    advice: str
    source: str

    def holds(self, figures: Figures, settings: Settings) -> bool:
        """False where its setting is off."""
        return getattr(settings, self.setting) not in (None, False) and self.asks(figures, settings)

    def sentence(self, figures: Figures, settings: Settings) -> str:
        """What a person reads."""
        return f"{self.words(figures, settings)} {self.advice}"


def percent(share: Decimal) -> str:
    """`5 %`, `0.5 %`."""
    text = f"{share * 100:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def _part(of: Decimal, whole: Decimal) -> str:
    return percent((of / whole).quantize(Decimal("0.001"))) if whole > 0 else "more than all"


def _of_runs(figures: Figures) -> str:
    return f" in {figures.runs} runs of a backfill together" if figures.runs > 1 else ""


def _on(value: Decimal | None) -> Decimal:
    assert value is not None, "a rule whose setting is off is not asked"
    return value


_HALF_A_DAY = Decimal("0.5")
_BUG = "Look at a few of its orders in the warehouse: a bug upstream looks like this."

RULES: tuple[GateRule, ...] = (
    GateRule(
        "many_touched", "gate_touched",
        "more than `gate_touched` of the open orders are restated or cancelled, and at least `gate_fewest` orders",
        lambda f, s: f.touched > _on(s.gate_touched) * f.open_orders and f.touched >= s.gate_fewest,
        lambda f, s: f"{f.touched} orders would be restated or cancelled{_of_runs(f)}, {_part(Decimal(f.touched), Decimal(f.open_orders))} of the "
        f"{f.open_orders} that are open at CJ; the limit is {percent(_on(s.gate_touched))}.",
        _BUG, "this package: over a real shop's year no night came near it",
    ),
    GateRule(
        "much_taken_back", "gate_taken_back",
        "more than `gate_taken_back` of the open money is taken back, and at least half of a usual day's sales",
        lambda f, s: f.taken_back > _on(s.gate_taken_back) * f.open_money and f.taken_back >= _HALF_A_DAY * f.usual_day and f.taken_back > 0,
        lambda f, s: f"Sales of {money_text(f.taken_back)} would be taken back{_of_runs(f)}, {_part(f.taken_back, f.open_money)} of the "
        f"{money_text(f.open_money)} that are open at CJ; the limit is {percent(_on(s.gate_taken_back))}. A usual day sells {money_text(f.usual_day)}.",
        "One giant return is a reason to look, and to approve.", "this package: over a real shop's year it held two or three nights, each one giant return",
    ),
    GateRule(
        "unusually_many", "gate_times_usual",
        f"more orders than `gate_times_usual` times what 95 of 100 of the last {NIGHTS_LOOKED_AT} nights that changed anything stayed below, and at least "
        f"`gate_fewest`; asked once {FEWEST_NIGHTS} such nights are known",
        lambda f, s: f.usual is not None and f.touched > _on(s.gate_times_usual) * f.usual and f.touched >= s.gate_fewest,
        lambda f, s: f"{f.touched} orders would be restated or cancelled{_of_runs(f)}; 95 of 100 nights change no more than {f.usual}, and the limit is "
        f"{_on(s.gate_times_usual):f} times that.",
        _BUG, "this package: over a real shop's year rules by the median and its deviation, or by the weekday, missed up to half of the injected disasters",
    ),
    GateRule(
        "new_ones_cancelled", "gate_new_cancelled",
        "more than `gate_new_cancelled` of the orders placed on the run's day, or on the day before, are cancelled, and at least `gate_fewest_cancelled`",
        lambda f, s: f.new_cancelled > _on(s.gate_new_cancelled) * f.new_orders and f.new_cancelled >= s.gate_fewest_cancelled,
        lambda f, s: f"{f.new_cancelled} of the {f.new_orders} orders of one day would be cancelled, the day after at the latest; the limit is "
        f"{percent(_on(s.gate_new_cancelled))}.",
        "Find out whether the shop cancelled them, or the load of that day failed half way.", "this package: a load that ends half way looks like this",
    ),
    GateRule(
        "tracker_never_seen", "gate_new_tracker",
        "an order goes to an action tracker that CJ has never shown of this account, which has others",
        lambda f, s: bool(f.unseen_trackers),
        lambda f, s: f"Orders would go to action tracker {', '.join(map(str, f.unseen_trackers))}, of which CJ has never shown a record.",
        "Check action_tracker_id in the warehouse: under a wrong one CJ drops the order, or pays by other terms.",
        "CJ Restatements API: the action tracker belongs to the enterprise",
    ),
)  # fmt: skip


def reasons(figures: Figures, settings: Settings) -> list[tuple[str, str]]:
    """Id and sentence of every rule that asks for a person."""
    return [(rule.id, rule.sentence(figures, settings)) for rule in RULES if rule.holds(figures, settings)]
