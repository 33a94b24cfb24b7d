"""The words a storyline is told in: nights, and cases with what the tables must say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

Table = Literal["submissions", "quarantine", "skipped", "reconciliation"]


@dataclass(frozen=True)
class Night:
    """One data interval and when, on CJ's clock, the play runs and reconciles it."""

    start: datetime
    end: datetime

    RUNS_AFTER = timedelta(hours=1)
    RECONCILES_AFTER = timedelta(minutes=110)

    @classmethod
    def before(cls, end: datetime) -> Night:
        return cls(end - timedelta(days=1), end)

    @property
    def runs_at(self) -> datetime:
        return self.end + self.RUNS_AFTER

    @property
    def reconciles_at(self) -> datetime:
        """Fifty minutes after the run: most of the night has posted, and CJ's hour is not over for what has not."""
        return self.end + self.RECONCILES_AFTER

    def at(self, hours: float) -> datetime:
        """So many hours into the interval."""
        return self.start + timedelta(hours=hours)


@dataclass(frozen=True)
class Case:
    """One thing that can happen to an order, the orders it happens to, and what the table must say of them at the end.

    `state` is the table's own word: a submission's operation, a quarantine's stage, a verdict's status, a skip's reason.
    `reasons` are the words its reason column may hold; empty: not looked at. `updated_before` picks the order state, in the tables
    that hold several of one order: the newest before that instant; None: the newest.
    """

    name: str
    table: Table
    state: str
    reasons: tuple[str, ...]
    order_ids: tuple[str, ...]
    updated_before: datetime | None = None


@dataclass(frozen=True)
class Storyline:
    """The play: its nights, its cases, the faults the sandbox must be told, and the dirty orders by kind."""

    nights: tuple[Night, ...]
    cases: tuple[Case, ...]
    faults: tuple[Mapping[str, Any], ...]
    refused: tuple[str, ...]
    """Orders that pass every rule of ours and that CJ must refuse in Test Mode, for a reason only CJ knows."""
    dirt: Mapping[str, str] = field(default_factory=dict)
    """Order id -> the kind of dirt, as named in `include.demo.dirt`."""

    def case(self, name: str) -> Case:
        return next(case for case in self.cases if case.name == name)

    def as_json(self) -> dict[str, Any]:
        return {
            "nights": [
                {
                    "start": n.start.isoformat(),
                    "end": n.end.isoformat(),
                    "runs_at": n.runs_at.isoformat(),
                    "reconciles_at": n.reconciles_at.isoformat(),
                }
                for n in self.nights
            ],
            "cases": [
                {
                    "name": c.name,
                    "table": c.table,
                    "state": c.state,
                    "reasons": list(c.reasons),
                    "order_ids": list(c.order_ids),
                    "updated_before": c.updated_before and c.updated_before.isoformat(),
                }
                for c in self.cases
            ],
            "refused": list(self.refused),
            "dirt": dict(self.dirt),
        }
