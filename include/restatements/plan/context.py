"""What one plan is made from. Nothing of it changes while the plan is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from include.domain.states import Mode
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal, run_folder
from include.restatements.settings import Run, Settings
from include.storage.local import LocalFolder
from include.warehouse.base import Session
from include.warehouse.orders import OrdersSource


@dataclass(frozen=True)
class PlanNumbers:
    """What orders a plan among others, and what is news to it. Neither comes from a clock."""

    plan: int
    """Higher than that of every plan before."""
    reading: int
    """The last reading of Commission Detail that this plan knows."""


def take_numbers(session: Session, run_id: str) -> PlanNumbers:
    """The next plan's numbers, kept in cj.plans. Inside a transaction that holds `cj.plan`."""
    plans = session.rows("SELECT MAX(plan_number) AS newest FROM cj.plans")[0]["newest"]
    readings = session.rows("SELECT MAX(reading) AS newest FROM cj.ledger_reads")[0]["newest"]
    numbers = PlanNumbers(1 + (plans if isinstance(plans, int) else 0), readings if isinstance(readings, int) else 0)
    session.execute(
        "INSERT INTO cj.plans (plan_number, run_id, reading, planned_at) VALUES (:plan, :run_id, :reading, :now)",
        {"plan": numbers.plan, "run_id": run_id, "reading": numbers.reading, "now": datetime.now(UTC)},
    )
    return numbers


@dataclass(frozen=True)
class PlanContext:
    """One run's plan: `scratch` is a local folder for the length of it, `now` CJ's present, `sql` the user's query."""

    session: Session
    journal: Journal
    run: Run
    settings: Settings
    sql: str
    now: datetime
    scratch: Path
    numbers: PlanNumbers
    down: frozenset[str] = frozenset()
    """Enterprises whose account cannot be reached now."""
    without_found: frozenset[str] = frozenset()
    """Enterprises of which this plan leaves aside what a pre-lock review found; all of them where `send_found` is false."""
    kept: bool = True
    """False for a preview: the same plan, whose transaction is rolled back, that revokes nothing and cuts its chunks in `scratch`."""
    checkpoint: Checkpoint = no_checkpoint
    orders: OrdersSource | None = None
    """Where `sql` is run; None: in the warehouse."""
    planned_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def folder(self) -> str:
        """The run's folder in the journal."""
        return run_folder(self.run.run_id)

    @property
    def tested(self) -> dict[str, str]:
        """Enterprise id → connection, of the accounts for which this plan is made in mode `test`."""
        return {a.enterprise_id: a.conn_id for a in self.settings.accounts if self.settings.effective_mode(a) is Mode.TEST}

    @property
    def canaries(self) -> dict[str, int]:
        """Enterprise id → how many orders of each operation go live first, of the accounts that are going live, where the settings ask for it."""
        orders = self.settings.canary_orders
        return {} if orders is None else {a.enterprise_id: orders for a in self.settings.accounts if a.enterprise_id not in self.tested}

    @property
    def chunks_go_to(self) -> Journal:
        """Where this plan's own chunks are written."""
        return self.journal if self.kept else Journal(LocalFolder(self.scratch / "journal"))

    def revoke(self, ref: ChunkRef) -> ChunkState:
        """The state of another plan's chunk once nobody can post it any more, unless somebody was faster. A preview only says what it would be."""
        if self.kept:
            self.journal.revoke(ref, self.run.run_id, self.now)
        found = self.journal.visit(ref).state
        return ChunkState.REVOKED if found is ChunkState.PLANNED else found
