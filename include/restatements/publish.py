"""The night's last verb: load what happened from the journal into the tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from include.domain.errors import StorageError
from include.restatements.adoption import adopt
from include.restatements.approval.record import load_approvals, withdraw_open
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal.canaries import why_left
from include.restatements.journal.documents import Manifest
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal, journal_of, run_folder
from include.restatements.journal.loading import load_chunk
from include.restatements.plan.told import told
from include.restatements.quality import make_pages, not_made
from include.restatements.retention import forget_skipped
from include.restatements.settings import Run, Settings
from include.warehouse.base import Session, WarehouseLocation, open_warehouse


@dataclass(frozen=True)
class Published:
    """What `publish` loaded. `incomplete` are orders planned and not posted; `problems` are sentences for the log, as is `told` of what was planned."""

    counts: dict[str, int]
    due_at: datetime | None
    incomplete: int
    problems: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    canaries: list[str] = field(default_factory=list)
    """Why orders were left that were to follow a canary, a sentence an account."""


def publish(run: Run, settings: Settings, location: WarehouseLocation, checkpoint: Checkpoint = no_checkpoint) -> Published:
    """Load what happened into the tables. Says what was planned and not posted; repeating it changes nothing that is loaded."""
    journal = journal_of(settings)
    manifest = journal.manifest(run_folder(run.run_id))
    if manifest is None:
        return Published({}, None, 0, ["Nothing was planned, so nothing was sent: see the `prepare` task."])
    withdraw_open(journal, run.run_id, datetime.now(UTC))
    with open_warehouse(location) as session:
        session.create_tables()  # the night may have been planned by an earlier release
        with session.transaction():
            session.serialize("cj.plan")
            incomplete = load_run(session, journal, manifest, checkpoint)
            load_approvals(session, journal, run.run_id)
            adopt(session, settings.advertisers)
            session.analyze_grown("cj.submissions")
            checkpoint("before_publish_commit")
            forget_skipped(session, settings, manifest.cj_time)
        counts, last = _counts(session, run.run_id)
    checkpoint("before_pages")
    problems = [*manifest.problems, *_pages_made(journal, run)]
    due_at = last + timedelta(minutes=settings.processing_minutes) if last else None
    if incomplete:
        problems.append(
            f"{incomplete} orders of {manifest.summary.to_send} were not sent: see the `submit` tasks, then clear the failed ones. "
            "What was answered is not sent again."
        )
    return Published(counts, due_at, incomplete, problems, told(manifest.summary), why_left(journal, manifest))


def _pages_made(journal: Journal, run: Run) -> list[str]:
    """Why the page of the night's validation could not be made: no reason to call what was loaded into question."""
    try:
        make_pages(journal, run.run_id)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a renderer raises
        return [f"{not_made(run.run_id, error)} Clear task publish to try again."]
    return []


def load_run(session: Session, journal: Journal, manifest: Manifest, checkpoint: Checkpoint = no_checkpoint) -> int:
    """Load every chunk of a manifest, inside the caller's transaction. Returns how many orders are planned and not posted."""
    waiting = 0
    for chunk in manifest.chunks:
        state = load_chunk(session, journal, manifest.run_id, ChunkRef.parse(chunk.ref), manifest.advertisers)
        checkpoint("chunk_loaded")
        waiting += chunk.orders if state is ChunkState.PLANNED else 0
    return waiting


def _counts(session: Session, run_id: str) -> tuple[dict[str, int], datetime | None]:
    counts: dict[str, int] = {}
    last: datetime | None = None
    mine = {"run_id": run_id}
    for row in session.rows(
        "SELECT outcome, COUNT(*) AS orders, MAX(CASE WHEN mode = 'live' THEN submitted_at END) AS last_at FROM cj.submissions "
        "WHERE run_id = :run_id GROUP BY outcome",
        mine,
    ):
        counts[str(row["outcome"])] = int(str(row["orders"]))
        if isinstance(row["last_at"], datetime):
            last = max(last or row["last_at"], row["last_at"])
    for table in ("quarantine", "skipped"):
        counts[table] = int(str(session.rows(f"SELECT COUNT(*) AS orders FROM cj.{table} WHERE run_id = :run_id", mine)[0]["orders"]))
    return counts, last
