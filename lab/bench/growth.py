"""Whether a step stays what it is as the orders grow: orders a second and memory, over the sizes of one run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

from lab.bench.row import MILLION, Row


@dataclass(frozen=True)
class Grown:
    """One step at each size of the run, from the smallest."""

    MOST_SLOWER: ClassVar[float] = 1.5
    MOST_MEMORY: ClassVar[float] = 1.3

    name: str
    orders: tuple[int, ...]
    rates: tuple[float, ...]
    memories: tuple[float, ...]

    @property
    def slower(self) -> float:
        """How many times as long an order takes as at a smaller size, where that is most. Below one it only ever became quicker."""
        return max(before / after for before, after in combinations(self.rates, 2))

    @property
    def flat(self) -> bool:
        return self.slower <= self.MOST_SLOWER

    @property
    def memory_grown(self) -> float | None:
        """Times the memory of a million orders; None where that, or more, was not measured: below it libraries are most of it."""
        large = [memory for size, memory in zip(self.orders, self.memories, strict=True) if size >= MILLION and memory]
        return max(large[1:]) / large[0] if len(large) > 1 else None


def grown(rows: list[Row]) -> Iterator[Grown]:
    """Every step that was measured at more than one size, once, whatever it was measured beside."""
    steps: dict[str, dict[int, Row]] = {}
    for row in filter(lambda row: row.paced, rows):
        steps.setdefault(row.step, {}).setdefault(row.orders, row)
    for name, sizes in steps.items():
        if len(sizes) > 1:
            measured = [sizes[size] for size in sorted(sizes)]
            yield Grown(
                name,
                tuple(row.orders for row in measured),
                tuple(row.orders / row.ours["seconds"] for row in measured),
                tuple(float(row.ours["peak_mb"] or 0) for row in measured),
            )
