"""Reconciliation: what was sent against what CJ holds, order by order, from the tables alone.

It works from what is open in the tables, never from the event that woke it (Airflow can lose those): every live submission without a final
verdict is looked at again until it has one. CJ's silent drops become `missing` with the reason CJ's own records give; what an unknown outcome
came to is settled here, and nowhere else.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.cj.client import CJClient
from include.cj.errors import CJError
from include.domain.states import Status
from include.restatements.adoption import adopt
from include.restatements.cases.following import follow
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal.journal import ROOT, Journal, run_folder
from include.restatements.journal.loading import load_open_chunks
from include.restatements.ledger.accounts import read_accounts
from include.restatements.report.kept import kept
from include.restatements.report.report import collect, files, terminal_text
from include.restatements.retention import forget_settled
from include.restatements.settings import Settings
from include.restatements.verdicts.judging import judge
from include.sql import filled
from include.storage.opening import folder
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reconciled:
    """One round. `counts` are orders of the last thirty nights by status; `report` is where the HTML is; `terminal` the table for a person."""

    counts: dict[str, int]
    report: str
    terminal: str
    still_open: int
    """Orders of any night whose verdict may still change."""


def wait_until(settings: Settings, location: WarehouseLocation, clocked: bool) -> datetime | None:
    """When, by our own clock, CJ's hour is over for everything sent; None when it is already, or nothing is open, or the clock woke us."""
    if clocked:
        return None
    with open_warehouse(location) as session:
        session.create_tables()
        last = session.rows(
            "SELECT MAX(w.submitted_at) AS last_at FROM ("
            "SELECT s.submitted_at FROM cj.unjudged AS u INNER JOIN cj.submissions AS s USING (enterprise_id, action_tracker_id, order_id) "
            "WHERE s.mode = 'live' AND s.outcome IN ('accepted', 'unknown') "
            "UNION ALL SELECT r.submitted_at FROM cj.reconciliation AS r WHERE r.status = 'awaiting') AS w"
        )[0]["last_at"]
    if not isinstance(last, datetime):
        return None
    left = last + timedelta(minutes=settings.processing_minutes) - _cj_now(settings)
    return datetime.now(UTC) + left if left > timedelta(0) else None


def _cj_now(settings: Settings) -> datetime:
    """CJ's present, from the first account that answers; our own clock when none does."""
    for account in settings.accounts:
        try:
            with CJClient(account, attempts=1) as client:
                client.ping()
                return client.now()
        except CJError as error:
            log.warning("Account %r: %s", account.conn_id, error)
    return datetime.now(UTC)


def reconcile(settings: Settings, location: WarehouseLocation, run_id: str, checkpoint: Checkpoint = no_checkpoint) -> Reconciled:
    """Read CJ's news, judge what is open, settle unknown outcomes, let go what is kept no longer, write the report and the cases. Repeating it changes nothing that is
    settled.

    An account that cannot be reached keeps its open rows as they are; when none can, or any failed, the error is raised after the others
    are done.
    """
    journal = Journal(folder(settings.storage, settings.storage_conn_id))
    with open_warehouse(location) as session:
        session.create_tables()
        with session.transaction():
            session.serialize("cj.plan")
            adopt(session, settings.advertisers)
            load_open_chunks(session, journal, settings.advertisers)  # before CJ is read: how far it is read depends on what is waited for
    read = read_accounts(settings.accounts, location, settings, checkpoint=checkpoint)
    for failed in read.failures:
        log.warning("Account %r keeps its open rows: %s", failed.account.conn_id, failed.error)
    checkpoint("after_ledger")
    if read.reached:
        with open_warehouse(location) as session:
            with session.transaction():
                session.serialize("cj.plan")
                judge(session, settings, list(read.reached), read.now)
                forget_settled(session, settings, read.now)
                checkpoint("before_verdicts_commit")
            checkpoint("after_verdicts_commit")
            result = _report_and_cases(session, location, journal, settings, run_id, read.now, checkpoint)
    if read.failures:
        raise read.failures[0].named
    return result


def _report_and_cases(
    session: Session, location: WarehouseLocation, journal: Journal, settings: Settings, run_id: str, now: datetime, checkpoint: Checkpoint
) -> Reconciled:
    """The report, and the cases beside it in a session of their own: neither reads what the other writes, and where one fails the other is finished.

    What ended the report is what is raised; a task that is out of time waits for no cases.
    """
    beside = ThreadPoolExecutor(1, thread_name_prefix="cases")
    cases = beside.submit(_cases, location, journal, settings, now, checkpoint)
    beside.shutdown(wait=False)
    try:
        result = _report(session, settings, run_id, now)
        checkpoint("after_report")
    except Exception:
        if error := cases.exception():
            log.warning("The cases could not be written either: %s", error)
        raise
    cases.result()
    return result


def _cases(location: WarehouseLocation, journal: Journal, settings: Settings, now: datetime, checkpoint: Checkpoint) -> None:
    with open_warehouse(location) as session:
        follow(session, journal.files, settings, now, datetime.now(UTC), checkpoint)


def _report(session: Session, settings: Settings, run_id: str, now: datetime) -> Reconciled:
    target = folder(settings.storage, settings.storage_conn_id).below(f"{ROOT}/reports/{run_folder(run_id)}")
    where = f"{target.url}/report.html"
    with session.transaction():
        session.execute("DELETE FROM cj.reconciliation_runs WHERE reconciliation_run_id = :run_id", {"run_id": run_id})
        session.execute(filled("reconciliation_run"), {"reconciliation_run_id": run_id, "checked_at": now, "report": where})
    figures = collect(session, checked_at=now, currencies={a.advertiser_id: a.currency for a in settings.accounts})
    session.execute(
        "UPDATE cj.reconciliation_runs SET figures = :figures WHERE reconciliation_run_id = :run_id",
        {"figures": kept(figures), "run_id": run_id},
    )
    for name, content in files(figures, report=where).items():
        target.write(name, content)
    counts = {status.value: sum(night.count(status.value) for night in figures.nights) for status in Status}
    still_open = int(str(session.rows(filled("still_open"))[0]["orders"]))
    return Reconciled(counts, where, terminal_text(figures, report=where), still_open)
