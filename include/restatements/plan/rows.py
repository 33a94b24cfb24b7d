"""The rows of a plan beside its chunks: what it quarantines, skips and owns, on local disk until the tables take them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa

from include.domain.shapes import KEY
from include.domain.states import Stage
from include.restatements.journal.journal import ChunkRef
from include.restatements.journal.loading import leave_to_submissions
from include.restatements.plan.context import PlanContext
from include.restatements.plan.spool import PLANNED, QUARANTINED, SKIPPED, Spool, with_constants
from include.restatements.rules.plan import Rule


class PlanRows:
    """Rows of cj.quarantine, cj.skipped and cj.planned, with their counts by reason."""

    def __init__(self, context: PlanContext) -> None:
        self._context = context
        self._quarantine, self._skipped, self._owned = (
            Spool(context.scratch / f"{name}.parquet", schema)
            for name, schema in (("quarantine", QUARANTINED), ("skipped", SKIPPED), ("planned", PLANNED))
        )
        self.quarantined: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()

    @property
    def files(self) -> dict[str, Path]:
        """What goes into the run's folder, by its name there."""
        return {spool.path.name: spool.path for spool in (self._quarantine, self._skipped)}

    def quarantine(self, rows: pa.Table, stage: Stage) -> None:
        """`rows`: KEY, updated_at, rule, reason, detail."""
        context = self._context
        self._quarantine.add(
            with_constants(
                rows,
                QUARANTINED,
                run_id=context.run.run_id,
                stage=stage.value,
                quarantined_at=context.now,
                plan_number=context.numbers.plan,
            )
        )
        self.quarantined.update(rows["reason"].to_pylist())

    def skip(self, rows: pa.Table, rule: Rule) -> None:
        """`rows`: KEY, updated_at."""
        context = self._context
        said = {
            "run_id": context.run.run_id,
            "rule": rule.id,
            "reason": rule.word,
            "skipped_at": context.now,
            "plan_number": context.numbers.plan,
        }
        self._skipped.add(with_constants(rows.select([*KEY, "updated_at"]), SKIPPED, **said))
        self.skipped[rule.word] += rows.num_rows

    def own(self, ref: ChunkRef, orders: pa.Table) -> None:
        """The orders of a chunk that was just written."""
        context = self._context
        said = {
            "run_id": context.run.run_id, "chunk_id": ref.chunk_id, "operation": ref.operation.value, "planned_at": context.planned_at, "plan_number": context.numbers.plan,
        }  # fmt: skip
        self._owned.add(with_constants(orders.select([*KEY, "updated_at"]), PLANNED, **said))
        context.checkpoint("chunk_written")

    def finish(self) -> None:
        """Nothing more is added; now the files are whole."""
        for spool in (self._quarantine, self._skipped, self._owned):
            spool.finish()

    def append_to_tables(self) -> None:
        """Inside the plan's transaction, after `finish`."""
        session = self._context.session
        session.append("cj.planned", self._owned.batches())
        session.append("cj.quarantine", self._quarantine.batches())
        session.append("cj.skipped", self._skipped.batches())
        leave_to_submissions(session, self._context.run.run_id)
