"""The money gate over a change log: which nights it would have stopped, and which injected disasters it would have missed.

    python -m lab.gate_over LOG.parquet [--share 0.3] [--inject]

LOG has the columns of the order changes (`include.demo.files.ORDER_CHANGES`), amounts as text or decimals. Every order counts as CJ's from the moment it was
placed, and locks at 10:00 UTC on the 11th of the month after. --share keeps the orders of that share of customers (by `cj_event`). --inject also asks, of each
night, whether it would have been stopped with half, or a tenth, of the last month's open orders cancelled; such a night is then played as it was.

It asks the rules that decide (`include.restatements.approval.rules`), of figures worked out here from the log alone.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import median

import pyarrow.parquet as pq

from include.domain.money import ZERO, money
from include.restatements.approval.rules import FEWEST_NIGHTS, NIGHTS_LOOKED_AT, Figures, reasons
from include.restatements.settings import Settings

DAY = timedelta(days=1)
INJECTED: Mapping[str, float] = {"half": 0.5, "a tenth": 0.1}
MONTH = timedelta(days=31)
SETTINGS = Settings(accounts=(), storage="file:///nowhere")


@dataclass
class Order:
    """One order of the log."""

    placed: datetime
    sold: Decimal
    states: list[tuple[datetime, Decimal]] = field(default_factory=list)

    @property
    def locks(self) -> datetime:
        year, month = (self.placed.year + 1, 1) if self.placed.month == 12 else (self.placed.year, self.placed.month + 1)
        return datetime(year, month, 11, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Stop:
    """A night that would have waited for a person."""

    day: datetime
    rules: tuple[str, ...]
    figures: Figures


@dataclass
class Outcome:
    """`tried` and `missed` count the nights with an injected disaster, by its name."""

    nights: int = 0
    stops: list[Stop] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)
    missed: list[tuple[str, Stop]] = field(default_factory=list)


def orders_of(log: Path, share: float) -> dict[str, Order]:
    """The log's orders, each with its states in their order; what is left after a cancellation is nothing."""
    wanted = ["order_id", "change_type", "event_time", "updated_at", "amount", "cj_event"]
    rows = sorted(pq.read_table(log, columns=wanted).to_pylist(), key=lambda row: row["updated_at"])
    found: dict[str, Order] = {}
    for row in rows:
        if int((row["cj_event"] or "f" * 8)[:8], 16) >= share * 2**32:
            continue
        amount = ZERO if row["change_type"] == "cancelled" else money(str(row["amount"]))
        order = found.setdefault(row["order_id"], Order(row["event_time"], amount))
        order.states.append((row["updated_at"], amount))
    return found


def play(orders: Mapping[str, Order], inject: bool) -> Outcome:
    """Night after night, each day's changes at once."""
    outcome, random, held, usual = Outcome(), Random(1), dict[str, Decimal](), list[int]()
    for day, changed in by_day(orders):
        held |= {name: orders[name].sold for name in changed if name not in held}
        runs_at = day + DAY + timedelta(hours=2)
        still_open = {name for name, amount in held.items() if amount > 0 and orders[name].locks > runs_at}
        states = {name: amount for name, amount in changed.items() if name in still_open and amount != held[name]}
        figures = figures_of(orders, held, still_open, states, usual, day)
        outcome.nights += 1
        stopped = tuple(rule for rule, _ in reasons(figures, SETTINGS))
        if stopped:
            outcome.stops.append(Stop(day, stopped, figures))
        elif states:
            usual.append(len(states))
        for name, part in INJECTED.items() if inject else ():
            recent = sorted(order for order in still_open if runs_at - orders[order].placed < MONTH)
            hit = {order: ZERO for order in recent if random.random() < part}
            worse = figures_of(orders, held, still_open, states | hit, usual, day)
            outcome.tried[name] += bool(hit)
            if hit and not reasons(worse, SETTINGS):
                outcome.missed.append((name, Stop(day, (), worse)))
        held |= states
    return outcome


def by_day(orders: Mapping[str, Order]) -> Iterator[tuple[datetime, dict[str, Decimal]]]:
    """Every day of the log, with the newest state of each order that changed on it."""
    days: dict[datetime, dict[str, Decimal]] = {}
    for name, order in orders.items():
        for at, amount in order.states:
            days.setdefault(at.replace(hour=0, minute=0, second=0, microsecond=0), {})[name] = amount
    day, last = min(days), max(days)
    while day <= last:
        yield day, days.get(day, {})
        day += DAY


def figures_of(
    orders: Mapping[str, Order],
    held: Mapping[str, Decimal],
    still_open: set[str],
    states: Mapping[str, Decimal],
    usual: list[int],
    day: datetime,
) -> Figures:
    """What the gate would have been asked that night."""
    sold: dict[datetime, Decimal] = {}
    for name in still_open:
        placed_on = orders[name].placed.replace(hour=0, minute=0, second=0, microsecond=0)
        sold[placed_on] = sold.get(placed_on, ZERO) + orders[name].sold
    newest = sorted(usual[-NIGHTS_LOOKED_AT:])
    days = [(day - DAY, day), (day, day + DAY)]
    placed = [sum(begin <= orders[name].placed < end for name in still_open) for begin, end in days]
    cancelled = [sum(not amount and begin <= orders[name].placed < end for name, amount in states.items()) for begin, end in days]
    worse = max(range(2), key=lambda n: (cancelled[n] / placed[n] if placed[n] else 0, cancelled[n]))
    return Figures(
        touched=len(states),
        taken_back=sum((max(held[name] - amount, ZERO) for name, amount in states.items()), ZERO),
        runs=1,
        open_orders=len(still_open),
        open_money=sum((held[name] for name in still_open), ZERO),
        usual_day=median(sold.values()) if sold else ZERO,
        usual=newest[-(-95 * len(newest) // 100) - 1] if len(newest) >= FEWEST_NIGHTS else None,
        new_orders=placed[worse],
        new_cancelled=cancelled[worse],
        unseen_trackers=(),
    )


def told(outcome: Outcome) -> Iterator[str]:
    """The outcome, a line each."""
    yield f"{outcome.nights} nights, {len(outcome.stops)} stopped"
    for stop in outcome.stops:
        yield f"  {_line(stop)}: {', '.join(stop.rules)}"
    for name, tried in outcome.tried.items():
        missed = [stop for of, stop in outcome.missed if of == name]
        yield f"{name} of the last month's orders cancelled: {tried - len(missed)} of {tried} nights stopped"
        for stop in missed:
            yield f"  missed {_line(stop)}"


def _line(stop: Stop) -> str:
    f = stop.figures
    return f"{stop.day:%Y-%m-%d}, {f.touched} of {f.open_orders} orders, {f.taken_back} of {f.open_money}, a usual day {f.usual_day}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.gate_over", description="Play the money gate over a change log.")
    parser.add_argument("log", type=Path)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--inject", action="store_true")
    given = parser.parse_args(arguments)
    for line in told(play(orders_of(given.log, given.share), given.inject)):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
