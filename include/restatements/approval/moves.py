"""What a plan changes at CJ, by account, operation and partner: what a person is shown before it is sent.

Amounts are in the advertiser's currency, exact, as text. What is not known is counted beside them, and never taken for nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from include.domain.money import ZERO, exact_sum, money, money_text
from include.domain.shapes import INSTANT, MONEY
from include.domain.states import Operation
from include.restatements.journal.documents import Move

MOST_SHOWN = 20
"""Rows of a question; the rest is one more."""


_WIDE = pa.decimal256(76, MONEY.scale)
"""Of amounts in it no sum overflows and no digit is rounded away."""
_NOTHING = pa.scalar(ZERO, MONEY)
_SUMS = ("at_stake", "taken_back", "added", "held_of_unmeasured")


@dataclass
class _Sum:
    """The sums of one operation and partner while the plan is made."""

    names: set[str] = field(default_factory=set)
    orders: int = 0
    priced: int = 0
    measured: int = 0
    amounts: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(_SUMS, ZERO))


@dataclass(frozen=True)
class Moved:
    """What a plan changes. `moves` are in an order that is the same for the same plan."""

    moves: tuple[Move, ...]
    trackers: frozenset[tuple[str, int]]
    """Enterprise and action tracker of every order to be sent."""
    cancelled: Counter[tuple[str, str]]
    """Orders to be cancelled by enterprise, and by when they were placed: `now`, in the run's interval; `before`, in the one before it."""


class Moves:
    """Sums up decisions as they come."""

    def __init__(self, day_before: datetime, begin: datetime, end: datetime) -> None:
        """The run's interval goes from `begin` to `end`, the one before it from `day_before`."""
        self._days = {"before": (day_before, begin), "now": (begin, end)}
        self._sums: dict[tuple[str, Operation, str | None], _Sum] = {}
        self._trackers: set[tuple[str, int]] = set()
        self._cancelled: Counter[tuple[str, str]] = Counter()

    def add(self, operation: Operation, orders: pa.Table, decisions: pa.Table) -> None:
        """`orders`: event_time. `decisions`: enterprise_id, action_tracker_id, publisher_id, publisher_name, at_stake, sales_moved, held_sales. An order
        each, in the same order, all of this operation.
        """
        self._sum_up(operation, decisions)
        trackers = decisions.select(["enterprise_id", "action_tracker_id"]).group_by(["enterprise_id", "action_tracker_id"]).aggregate([])
        self._trackers |= {(row["enterprise_id"], row["action_tracker_id"]) for row in trackers.to_pylist()}
        if operation is Operation.CANCEL:
            for when, (begin, end) in self._days.items():
                placed = pc.and_(pc.greater_equal(orders["event_time"], _instant(begin)), pc.less(orders["event_time"], _instant(end)))
                for counted in decisions["enterprise_id"].filter(placed).value_counts().to_pylist():
                    self._cancelled[(counted["values"], when)] += counted["counts"]

    def _sum_up(self, operation: Operation, decisions: pa.Table) -> None:
        moved, held = decisions["sales_moved"], decisions["held_sales"]
        amounts = {
            "at_stake": decisions["at_stake"],
            "taken_back": _less(moved),
            "added": pc.if_else(pc.greater(moved, _NOTHING), moved, _NOTHING),
            "held_of_unmeasured": pc.if_else(pc.is_null(moved), held, _NOTHING),
        }
        wanted = decisions.select(["enterprise_id", "publisher_id", "publisher_name"]).append_column("measured", moved)
        for name, amount in amounts.items():
            wanted = wanted.append_column(name, amount.cast(_WIDE))
        grouped = wanted.group_by(["enterprise_id", "publisher_id"]).aggregate(
            [
                ("publisher_name", "max"),
                ([], "count_all"),
                ("at_stake", "count"),
                ("measured", "count"),
                *((name, "sum") for name in amounts),
            ]
        )
        for row in grouped.to_pylist():
            mine = self._sums.setdefault((row["enterprise_id"], operation, row["publisher_id"]), _Sum())
            mine.names |= {row["publisher_name_max"]} - {None}
            mine.orders += row["count_all"]
            mine.priced += row["at_stake_count"]
            mine.measured += row["measured_count"]
            mine.amounts = {name: exact_sum([so_far, row[f"{name}_sum"] or ZERO]) for name, so_far in mine.amounts.items()}

    def finish(self) -> Moved:
        """All of them."""
        named = sorted(self._sums.items(), key=lambda item: (item[0][0], list(Operation).index(item[0][1]), item[0][2] or ""))
        moves = tuple(
            Move(
                enterprise_id=enterprise_id,
                operation=operation,
                publisher_id=publisher_id,
                publisher_name=max(found.names, default=None),
                orders=found.orders,
                unpriced=found.orders - found.priced,
                unmeasured=found.orders - found.measured,
                **{name: money_text(amount) for name, amount in found.amounts.items()},
            )
            for (enterprise_id, operation, publisher_id), found in named
        )
        return Moved(moves, frozenset(self._trackers), self._cancelled)


def taken_back(decisions: pa.Table) -> pa.ChunkedArray:
    """What each order takes back at most of the sales that commission is paid on: what CJ holds of it, where it is not known how much (`sales_moved`)."""
    moved = decisions["sales_moved"]
    return pc.if_else(pc.is_null(moved), decisions["held_sales"], _less(moved))


def _less(moved: pa.ChunkedArray) -> pa.ChunkedArray:
    """By how much each order's sales become less; null where it is not known."""
    return pc.if_else(pc.less(moved, _NOTHING), pc.negate(moved), _NOTHING)


def _instant(moment: datetime) -> pa.Scalar[pa.TimestampScalar]:
    return pa.scalar(moment, INSTANT)


def shown(moves: Iterable[Move]) -> list[Move]:
    """At most MOST_SHOWN of them, those that move most money first; what is left of each operation is one more of nobody's name."""
    ordered = sorted(moves, key=lambda move: (_weight(move), move.orders), reverse=True)
    rest = ordered[MOST_SHOWN:]
    kinds = dict.fromkeys((move.enterprise_id, move.operation) for move in rest)
    return [*ordered[:MOST_SHOWN], *(_together([m for m in rest if (m.enterprise_id, m.operation) == kind]) for kind in kinds)]


def _weight(move: Move) -> Decimal:
    return max(money(move.at_stake), money(move.taken_back) + money(move.added))


def _together(moves: Sequence[Move]) -> Move:
    def total(name: str) -> str:
        return money_text(exact_sum([ZERO, *(money(getattr(move, name)) for move in moves)]))

    return Move(
        enterprise_id=moves[0].enterprise_id,
        operation=moves[0].operation,
        publisher_id="",
        publisher_name=f"{len(moves)} other{'' if len(moves) == 1 else 's'}",
        orders=sum(move.orders for move in moves),
        at_stake=total("at_stake"),
        unpriced=sum(move.unpriced for move in moves),
        taken_back=total("taken_back"),
        added=total("added"),
        unmeasured=sum(move.unmeasured for move in moves),
        held_of_unmeasured=total("held_of_unmeasured"),
    )
