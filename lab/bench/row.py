"""One line of the table: a step at a size, what it is measured beside, and the numbers it should reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PEER = "pandas script"
KEEPING, KEEPING_NOTHING, POLARS = "pandas script that keeps", "pandas script that keeps nothing", "polars script that keeps nothing"
SCRIPTS = (PEER, KEEPING, KEEPING_NOTHING, POLARS)
"""What somebody would write instead: peer.py for the steps, peer_keeping.py, peer.py and peer_polars.py for the loop."""
MILLION = 1_000_000


@dataclass
class Row:
    """One step at one size, ours and what it is measured beside.

    The numbers to reach: `floor` is how many times as long the peer should take, `ceiling` the most the step may take of the peer's, `near` the most it may take of the
    limit's, `within` the seconds it should be over in, `room` the megabytes it may need.
    """

    step: str
    orders: int
    ours: dict[str, Any]
    peer: dict[str, Any] | None = None
    limit: dict[str, Any] | None = None
    floor: float | None = None
    ceiling: float | None = None
    near: float | None = None
    within: float | None = None
    room: float | None = None
    paced: bool = True
    """Whether orders a second say anything of it."""
    beside: str = PEER
    note: str = ""
    failures: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """How many times as long the peer takes."""
        return self.peer["seconds"] / self.ours["seconds"] if self.peer else None

    @property
    def to_limit(self) -> float | None:
        """How many times as long as the limit we take."""
        return self.ours["seconds"] / self.limit["seconds"] if self.limit else None

    @property
    def reached(self) -> dict[str, bool]:
        """Whether each number was reached, by what it is compared with."""
        found = {}
        if self.ratio is not None and self.floor is not None:
            found["peer"] = self.ratio >= self.floor
        if self.ratio is not None and self.ceiling is not None:
            found["peer"] = 1 / self.ratio <= self.ceiling
        if self.to_limit is not None and self.near is not None:
            found["limit"] = self.to_limit <= self.near
        if self.within is not None:
            found["seconds"] = bool(self.ours["seconds"] <= self.within)
        if self.room is not None:
            found["memory"] = bool(self.ours["peak_mb"] <= self.room)
        return found


def at_a_million(orders: int, number: float) -> float | None:
    """The number to reach, which is one for a million orders: of ten thousand, most steps are over before they have warmed up."""
    return number if orders >= MILLION else None
