"""A night, in three verbs: prepare (read, gate, plan, cut), submit (Test Mode, live), publish (load what happened).

Each may be repeated, killed or run beside another run's at any moment: what is sent is decided in one serialised transaction (`plan`), what was
sent is known from the journal, and the tables follow it.
"""

from __future__ import annotations

import logging
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from include.cj.breaker import Breaker
from include.cj.client import CJClient
from include.cj.errors import CJError, CJPaused
from include.cj.transport import Timeouts
from include.errors import RestatementsError, SettingError
from include.restatements.changes import check_shape, order_changes_sql
from include.restatements.journal import ChunkRef, Journal, run_folder
from include.restatements.ledger import read_ledger
from include.restatements.loading import load_chunk
from include.restatements.money import money_text
from include.restatements.plan import Planned, Planner
from include.restatements.settings import Account, Run, Settings
from include.restatements.storage import Folder, folder
from include.restatements.submission import Checkpoint, Poster, Submitted, no_checkpoint
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

log = logging.getLogger(__name__)

MOST_BATCHES = 1_000
"""Airflow maps over at most 1,024 items: larger nights get larger batches."""


@dataclass(frozen=True)
class Prepared:
    """What `prepare` hands on: chunk refs by batch, money at stake as text in the advertiser's currency, counts."""

    batches: list[list[str]]
    at_stake: str
    summary: dict[str, Any]


@dataclass(frozen=True)
class Published:
    """What `publish` loaded. `incomplete` are orders planned and not posted; `problems` are sentences for the log."""

    counts: dict[str, int]
    due_at: datetime | None
    incomplete: int
    problems: list[str] = field(default_factory=list)


def journal_of(settings: Settings) -> Journal:
    return Journal(folder(settings.storage, settings.storage_conn_id))


# -- prepare ---------------------------------------------------------------------------------------------------------------------------


def prepare(run: Run, settings: Settings, location: WarehouseLocation, checkpoint: Checkpoint = no_checkpoint) -> Prepared:
    """Read CJ's news, then the orders touched in the run's interval; hold back, skip or cut into chunks. Nothing is sent.

    Raises SettingError, WarehouseError, QuarantineRatioExceeded, StorageError, and CJError when no account can be reached. When some can,
    the orders of the others wait (cj.skipped `waiting`) and the problem is named by `publish`.
    """
    if not settings.accounts:
        raise SettingError('No CJ account is configured. List its connection in the Variable cj_conn_ids, for instance ["cj"].')
    sql = order_changes_sql(settings.order_changes_sql)
    with open_warehouse(location) as session:
        session.create_tables()
        check_shape(session, sql)
    checkpoint("before_ledger")
    now, problems = _read_ledgers(settings, location, checkpoint)
    ahead = now - datetime.now(UTC)
    checkpoint("after_ledger")
    journal = journal_of(settings)
    with tempfile.TemporaryDirectory(prefix="cj-night-") as scratch, open_warehouse(location) as session:
        with session.transaction():
            session.serialize("cj.plan")
            # CJ's time here, not when the ledger was read: another plan may have held the name for a while.
            now = datetime.now(UTC) + ahead
            planner = Planner(session, journal, run, settings, sql, now, Path(scratch), frozenset(problems), checkpoint)
            try:
                planned = planner.plan()
            finally:
                _keep_quality(journal, run, Path(scratch))
            checkpoint("before_manifest")
            _keep_plan(journal, run, settings, planned, planner, list(problems.values()))
            checkpoint("before_commit")
    checkpoint("after_commit")
    return Prepared(_batches(planned, settings), money_text(planned.at_stake), _summary(planned))


def _read_ledgers(settings: Settings, location: WarehouseLocation, checkpoint: Checkpoint) -> tuple[datetime, dict[str, str]]:
    """CJ's present, and the enterprises whose ledger could not be read, with the reason. Raises when none could."""
    now = datetime.now(UTC)
    problems: dict[str, str] = {}
    failures: list[CJError] = []
    for account in settings.accounts:
        try:
            with CJClient(account) as client:
                read_ledger(client, account, location, ledger_days=settings.ledger_days, checkpoint=checkpoint)
                now = client.now()
        except CJError as error:
            failures.append(error)
            problems[account.enterprise_id] = f"Account {account.conn_id!r} was left out, its orders wait for the next run: {error}"
            log.warning("%s", problems[account.enterprise_id])
    if len(problems) == len(settings.accounts):
        raise failures[0]
    return now, problems


def _keep_quality(journal: Journal, run: Run, scratch: Path) -> None:
    """The gate's results go to the run's folder, also when the gate refused the night."""
    for results in sorted(scratch.glob("quality*")):
        for file in sorted(p for p in results.rglob("*") if p.is_file()):
            journal.files.put(f"{run_folder(run.run_id)}/{results.name}/{file.relative_to(results)}", file)


def _keep_plan(journal: Journal, run: Run, settings: Settings, planned: Planned, planner: Planner, problems: list[str]) -> None:
    where = run_folder(run.run_id)
    journal.files.put(f"{where}/quarantine.parquet", planner.held.path)
    journal.files.put(f"{where}/skipped.parquet", planner.skipped.path)
    journal.commit_plan(
        run.run_id,
        {
            "run_id": run.run_id,
            "interval": [run.interval_start.isoformat(), run.interval_end.isoformat()],
            "planned_at": planner.planned_at.isoformat(),
            "cj_time": planner.now.isoformat(),
            "modes": {a.conn_id: settings.effective_mode(a).value for a in settings.accounts},
            "advertisers": {a.enterprise_id: a.advertiser_id for a in settings.accounts},
            "at_stake": money_text(planned.at_stake),
            "summary": _summary(planned),
            "problems": problems,
            "chunks": [chunk.to_json() for chunk in planned.chunks],
        },
    )


def _summary(planned: Planned) -> dict[str, Any]:
    return {
        "picked": planned.picked,
        "to_send": sum(planned.operations.values()),
        **{name: planned.operations.get(name, 0) for name in ("create", "restate", "cancel")},
        "quarantined": sum(planned.quarantined.values()),
        "skipped": sum(planned.skipped.values()),
        "quarantined_by_reason": dict(planned.quarantined.most_common()),
        "skipped_by_reason": dict(planned.skipped.most_common()),
        "chunks": len(planned.chunks),
    }


def _batches(planned: Planned, settings: Settings) -> list[list[str]]:
    """Chunks grouped for the mapped tasks: never two accounts in one batch, so that one account's failure does not hold another's orders."""
    size = max(settings.chunks_per_task, -(-len(planned.chunks) // MOST_BATCHES))
    batches = []
    for enterprise_id in dict.fromkeys(c.enterprise_id for c in planned.chunks):
        mine = [str(c.ref) for c in planned.chunks if c.enterprise_id == enterprise_id]
        batches += [mine[n : n + size] for n in range(0, len(mine), size)]
    return batches


# -- submit ----------------------------------------------------------------------------------------------------------------------------


def submit(
    run: Run, settings: Settings, batch: list[str], checkpoint: Checkpoint = no_checkpoint, timeouts: Timeouts | None = None
) -> Submitted:
    """Bring every chunk of the batch to an answer, two at a time. Repeating it posts nothing that has an intent or an answer.

    When CJ is down, `paused_until` says until when to leave it alone. Raises CJError that a retry, or a person, has to settle; what was
    answered before stays answered.
    """
    done = Submitted()
    if not batch:
        return done
    journal = journal_of(settings)
    refs = [ChunkRef.parse(text) for text in batch]
    planned = {c["ref"]: c for c in (journal.manifest(run_folder(run.run_id)) or {"chunks": []})["chunks"]}
    missing = [str(r) for r in refs if str(r) not in planned]
    if missing:
        log.info("%d chunks are not in the newest plan of this run any more; they are left alone", len(missing))
    refs = [r for r in refs if str(r) in planned]
    if not refs:
        return done
    account = _account(settings, planned[str(refs[0])]["enterprise_id"])
    with CJClient(account, timeouts=timeouts) as client:
        breaker = Breaker(_FolderFile(journal.files, f"breakers/{account.conn_id}.json"), lambda: datetime.now(UTC))
        poster = Poster(client, breaker, settings.effective_mode(account), journal, checkpoint)
        with ThreadPoolExecutor(max_workers=2) as two:
            results = list(two.map(lambda ref: _submit_one(poster, ref, planned[str(ref)]), refs))
    return _together(results)


def _submit_one(poster: Poster, ref: ChunkRef, planned: dict[str, Any]) -> tuple[Submitted, RestatementsError | None]:
    done = Submitted()
    try:
        poster.submit(ref, planned["content_hash"], done)
    except CJPaused as pause:
        done.left += planned["orders"]
        done.paused_until = pause.until
    except RestatementsError as error:
        return done, error
    return done, None


def _together(results: list[tuple[Submitted, RestatementsError | None]]) -> Submitted:
    total = Submitted()
    for done, _ in results:
        for name in ("accepted", "rejected", "unknown", "refused", "left"):
            setattr(total, name, getattr(total, name) + getattr(done, name))
        total.notes += done.notes
        if done.paused_until:
            total.paused_until = max(done.paused_until, total.paused_until or done.paused_until)
    for note in total.notes:
        log.info("%s", note)
    errors = [error for _, error in results if error is not None]
    if errors:
        raise next((e for e in errors if not e.transient), errors[0])
    return total


def _account(settings: Settings, enterprise_id: str) -> Account:
    account = settings.account_of(enterprise_id)
    if account is None:
        raise SettingError(
            f"Orders of enterprise {enterprise_id} were planned, and no connection in cj_conn_ids has that enterprise_id any more. Nothing was sent for it. "
            "Put the connection back, then clear this task."
        )
    return account


@dataclass(frozen=True)
class _FolderFile:
    """One file of a Folder, as the breaker wants it."""

    files: Folder
    path: str

    @property
    def parent(self) -> _FolderFile:
        return self

    def mkdir(self, parents: bool, exist_ok: bool) -> None:
        """Folders come with their files."""

    def read_text(self) -> str:
        data = self.files.read(self.path)
        if data is None:
            raise FileNotFoundError(self.path)
        return data.decode()

    def write_text(self, data: str) -> None:
        self.files.write(self.path, data.encode())

    def unlink(self) -> None:
        self.files.remove(self.path)


# -- publish ---------------------------------------------------------------------------------------------------------------------------


def publish(run: Run, settings: Settings, location: WarehouseLocation, checkpoint: Checkpoint = no_checkpoint) -> Published:
    """Load what happened into the tables. Says what was planned and not posted; repeating it changes nothing that is loaded."""
    journal = journal_of(settings)
    manifest = journal.manifest(run_folder(run.run_id))
    if manifest is None:
        return Published({}, None, 0, ["Nothing was planned, so nothing was sent: see the `prepare` task."])
    incomplete = 0
    with open_warehouse(location) as session:
        with session.transaction():
            session.serialize("cj.plan")
            incomplete = load_run(session, journal, manifest, checkpoint)
            session.analyze("cj.submissions")
            checkpoint("before_publish_commit")
            forget_skipped(session, settings, datetime.fromisoformat(manifest["cj_time"]))
        counts, last = _counts(session, run.run_id)
    due_at = last + timedelta(minutes=settings.processing_minutes) if last else None
    problems = list(manifest["problems"])
    if incomplete:
        problems.append(
            f"{incomplete} orders of {manifest['summary']['to_send']} were not sent: see the `submit` tasks, then clear the failed ones. "
            "What was answered is not sent again."
        )
    return Published(counts, due_at, incomplete, problems)


def load_run(session: Session, journal: Journal, manifest: dict[str, Any], checkpoint: Checkpoint = no_checkpoint) -> int:
    """Load every chunk of a manifest, inside the caller's transaction. Returns how many orders are planned and not posted."""
    waiting = 0
    for chunk in manifest["chunks"]:
        ref = ChunkRef.parse(chunk["ref"])
        state = load_chunk(session, journal, manifest["run_id"], ref, manifest["advertisers"])
        checkpoint("chunk_loaded")
        waiting += chunk["orders"] if state == "planned" else 0
    return waiting


def forget_skipped(session: Session, settings: Settings, now: datetime) -> None:
    """Skips older than `keep_skipped_days` at `now` (CJ's time) go, inside the caller's transaction."""
    session.execute("DELETE FROM cj.skipped WHERE skipped_at < :before", {"before": now - timedelta(days=settings.keep_skipped_days)})


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
