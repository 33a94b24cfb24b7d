"""The tables from the journal: for a warehouse that was lost, restored from an older backup, or changed by hand.

It empties cj.submissions, cj.quarantine, cj.skipped, cj.planned, cj.approvals, cj.nights, cj.prelock_reviews, cj.reconciliation, cj.cases and what belongs to those, and
fills them from the manifests, chunks, answers, quarantine.parquet, skipped.parquet and approvals of every run, from who signed off a review and from what happened to every case,
in one transaction; then an ordinary reconciliation reads Commission Detail and judges. The notes on breaks are brought back too. Repeating it changes nothing. Nothing is sent.
A journal without a run is refused: more likely it is the wrong folder than an empty one. What is kept of the open orders (cj.held_open) the next plan makes anew.

What it does not do: take out of cj.replan_news what a pre-lock review found; touch cj.verdicts_log, to which only a verdict that has changed is added; bring back
cj.reconciliation_runs and cj.prelock_sweeps, whose figures are of their time, or a run whose files were deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa

from include.domain.errors import SettingError
from include.domain.shapes import INSTANT
from include.domain.states import Operation
from include.restatements.approval.judging import keep_nights
from include.restatements.approval.record import load_approvals
from include.restatements.cases.following import load_all
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal.documents import Manifest
from include.restatements.journal.journal import ChunkRef, Journal, Visit, journal_of, run_folder
from include.restatements.journal.loading import leave_to_submissions, load_chunk, number_of_moment, submission_rows, to_judge
from include.restatements.journal.notes import all_notes, load_notes
from include.restatements.plan.kept import figures_of_plan
from include.restatements.prelock.signing import load_signed
from include.restatements.reconcile import Reconciled, reconcile
from include.restatements.retention import forget_skipped
from include.restatements.settings import Settings
from include.sql import filled
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

REBUILD_RUN = "rebuild"
"""The reconciliation run that follows a rebuild."""


def rebuild(settings: Settings, location: WarehouseLocation, checkpoint: Checkpoint = no_checkpoint) -> Reconciled:
    """Empty and refill the tables, then reconcile.

    Raises SettingError for a journal without a run and StorageError for one that cannot be read: then the tables are as they were.
    """
    journal = journal_of(settings)
    with open_warehouse(location) as session:
        session.create_tables(whole=True)
        with session.transaction():
            session.serialize("cj.plan")
            refill(session, journal, settings)
            checkpoint("before_rebuild_commit")
    return reconcile(settings, location, REBUILD_RUN, checkpoint)


def refill(session: Session, journal: Journal, settings: Settings) -> int:
    """Inside the caller's transaction: the five tables from every run of the journal. Returns how many runs."""
    manifests = [found for folder in journal.runs() if (found := journal.manifest(folder))]
    if not manifests:
        raise SettingError(f"The journal at {settings.storage} holds no run, so nothing was changed. Correct the Variable cj_storage.")
    for table in (
        "submissions",
        "quarantine",
        "skipped",
        "planned",
        "reconciliation",
        "plans",
        "judged_readings",
        "unjudged",
        "approvals",
        "nights",
        "held_open_until",
        "cases",
        "case_orders",
        "case_events",
    ):
        session.execute(f"DELETE FROM cj.{table}")
    session.execute("DELETE FROM cj.replan_news WHERE found_after IS NULL")
    for manifest in sorted(manifests, key=lambda m: m.planned_at):
        _refill_run(session, journal, manifest)
    load_all(session, journal.files, settings, datetime.now(UTC))
    session.append("cj.plans", _plans(manifests))
    session.execute(filled("rebuild_numbers"))
    # No run wrote down what a review found: the next plan decides it anew, and what was sent of it since is not sent again.
    session.execute(
        "UPDATE cj.replan_news SET found_after = (SELECT COALESCE(MAX(p.plan_number), 0) FROM cj.plans AS p) WHERE found_after IS NOT NULL"
    )
    load_notes(session, all_notes(journal))
    load_signed(session, journal)
    forget_skipped(session, settings, max(m.cj_time for m in manifests))
    return len(manifests)


def _plans(manifests: list[Manifest]) -> pa.Table:
    """The numbers that are taken. Which readings each plan knew is not told: the ledger may have been read anew since."""
    numbered = [manifest for manifest in manifests if manifest.plan_number is not None]
    return pa.table(
        {
            "plan_number": pa.array([m.plan_number for m in numbered], pa.int64()),
            "run_id": pa.array([m.run_id for m in numbered], pa.string()),
            "reading": pa.array([-1] * len(numbered), pa.int64()),
            "planned_at": pa.array([m.planned_at for m in numbered], INSTANT),
            "interval_start": pa.array([m.interval[0] for m in numbered], INSTANT),
            "interval_end": pa.array([m.interval[1] for m in numbered], INSTANT),
            "figures": pa.array([figures_of_plan(m) for m in numbered], pa.string()),
        }
    )


def _refill_run(session: Session, journal: Journal, manifest: Manifest) -> None:
    run_id, advertisers = manifest.run_id, manifest.advertisers
    refs = [ChunkRef.parse(chunk.ref) for chunk in manifest.chunks]
    folder = run_folder(run_id)
    for name in ("quarantine", "skipped"):
        kept = journal.read_table(f"{folder}/{name}.parquet")
        if kept is not None:
            session.append(f"cj.{name}", kept)
    for ref in refs:
        session.append("cj.planned", _planned(journal, manifest, ref))
        load_chunk(session, journal, run_id, ref, advertisers)
    for found in _of_earlier_plans(journal, folder, set(refs)):
        # The newest plan has decided anew on what Test Mode refused then; what was posted stays posted.
        session.append("cj.submissions", submission_rows(journal, run_id, found, advertisers)[0])
        to_judge(session, run_id, found.ref)
    leave_to_submissions(session, run_id)
    load_approvals(session, journal, run_id)
    number = manifest.plan_number if manifest.plan_number is not None else number_of_moment(manifest.planned_at)
    keep_nights(session, manifest, number)


def _planned(journal: Journal, manifest: Manifest, ref: ChunkRef) -> pa.Table:
    orders = journal.orders(ref, ["enterprise_id", "action_tracker_id", "order_id", "updated_at"])
    columns = {name: orders[name] for name in orders.column_names} | {
        name: pa.array([value] * orders.num_rows, pa.string())
        for name, value in (("run_id", manifest.run_id), ("chunk_id", ref.chunk_id), ("operation", ref.operation.value))
    }
    number = manifest.plan_number if manifest.plan_number is not None else number_of_moment(manifest.planned_at)
    return pa.table(
        columns
        | {
            "planned_at": pa.array([manifest.planned_at] * orders.num_rows, INSTANT),
            "plan_number": pa.array([number] * orders.num_rows, pa.int64()),
        }
    )


def _of_earlier_plans(journal: Journal, folder: str, newest: set[ChunkRef]) -> Iterator[Visit]:
    """Chunks of this run that an earlier plan of it cut, and that were posted or may have been. What was only tested was decided anew."""
    for operation in Operation:
        for name in journal.files.names(f"{folder}/{operation.value}"):
            ref = ChunkRef(folder, operation, name.removesuffix(".parquet"))
            if name.endswith(".parquet") and ref not in newest and (found := journal.visit(ref)).may_be_live:
                yield found
