"""What the hourly watch looks at: last night's runs in Airflow, the accounts at CJ, and the tables."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from include.airflow.addresses import page_of_case, page_of_dag, page_of_order, page_of_prelock, page_of_run
from include.airflow.blind import sees_again, tell_blind, told_blind
from include.airflow.connections import settings_from_airflow
from include.airflow.defaults import nights_until
from include.airflow.notifying import tell
from include.airflow.runs import said
from include.airflow.warehouse import leave_it_where_pages_lag, warehouse_location
from include.domain.states import CaseState
from include.restatements.notices import found
from include.restatements.notices.kinds import NoticeKind
from include.restatements.settings import Settings

if TYPE_CHECKING:
    from include.restatements.approval.question import Asked

log = logging.getLogger(__name__)

NIGHTS = "cj_restatements"
RECONCILIATION = "cj_reconciliation"
WATCH = "cj_watch"


def watch(context: Mapping[str, Any]) -> dict[str, int]:
    """Tells what is to be told. Returns counts. Where it cannot look it says so, and of last night what Airflow alone knows; then raises what kept it."""
    now = datetime.now(UTC)
    night = last_night(context["ti"], now)
    try:
        counts = _look_and_tell(context, night, now)
    except Exception as error:
        had_nights = bool(context["ti"].get_dr_count(dag_id=NIGHTS, states=["success"]))
        of_night = found.of_the_night(night, Settings.night_hours, now, had_nights, page_of_dag(NIGHTS))
        tell_blind([*of_night, found.of_the_watch(error, page_of_dag(WATCH))])
        raise
    return counts


def _look_and_tell(context: Mapping[str, Any], night: found.LastNight, now: datetime) -> dict[str, int]:
    from include.restatements.approval.record import load_newest
    from include.restatements.cases import keeping
    from include.restatements.cases.following import follow
    from include.restatements.journal.journal import journal_of
    from include.warehouse.base import open_warehouse

    settings = settings_from_airflow(said(context))
    journal = journal_of(settings)
    refused, unreached, cj_now = accounts_at_cj(settings)
    location = warehouse_location()
    with open_warehouse(location) as session:
        session.create_tables()
        had_nights = found.had_nights(session)
        # A question whose `approve` met a busy warehouse is in the journal alone.
        load_newest(session, journal, now)
        waiting = found.waiting_approvals(session)
        breaks = found.breaks_now(session, cj_now)
        locking = found.locks_now(session, settings, cj_now)
        follow(session, journal.files, settings, cj_now, now)
        cases = keeping.cases(session, CaseState.FILED, CaseState.ANSWERED)
    leave_it_where_pages_lag(location)
    notices = [
        *found.of_the_night(night, settings.night_hours, now, had_nights, page_of_dag(NIGHTS)),
        *found.of_approvals(waiting, {str(row["run_id"]): page_of_run(NIGHTS, str(row["run_id"])) for row in waiting}),
        *found.of_breaks(breaks, settings, page_of_order),
        *found.of_locks(locking, settings, cj_now, page_of_prelock()),
        *found.of_cases(cases, now, page_of_case),
        *found.of_accounts(refused, page_of_dag(RECONCILIATION)),
    ]
    # An account that cannot be reached may be refused still.
    counts = tell(notices, [kind for kind in NoticeKind if not (unreached and kind is NoticeKind.ACCOUNT_REFUSED)], settings, told_blind())
    sees_again()
    return counts


def tell_that_it_waits(asked: Asked, number: int, settings: Settings) -> None:
    """Question `number` of its run was just asked. Whatever goes wrong with telling, the question stands; the hourly watch tells it too."""
    row = {
        "run_id": asked.run_id,
        "question": number,
        "plan_digest": asked.digest,
        "at_stake": asked.at_stake,
        "reasons": "\n".join(asked.reasons),
    }
    try:
        tell(found.of_approvals([row], {asked.run_id: page_of_run(NIGHTS, asked.run_id)}), [], settings)
    except Exception as error:  # noqa: BLE001 - nothing here may fail what it is told of
        log.warning("That a question waits was not told, and is by the hourly watch: %s: %s", type(error).__name__, error)


def last_night(ti: Any, now: datetime) -> found.LastNight:
    """The newest night that is due by `now`, and its runs, however they were started."""
    begins, due_at = nights_until(now)

    def runs(states: list[str] | None = None) -> int:
        return int(ti.get_dr_count(dag_id=NIGHTS, logical_dates=[begins], states=states))

    return found.LastNight(begins, due_at, runs(), runs(["success"]), runs(["failed"]))


def accounts_at_cj(settings: Settings) -> tuple[dict[str, str], list[str], datetime]:
    """The accounts whose token CJ refuses, in its words; those that cannot be reached; and CJ's present, our own clock where none answers."""
    from include.cj.client import CJClient
    from include.cj.errors import CJAuthError, CJError

    refused, unreached, now = dict[str, str](), list[str](), None
    for account in settings.accounts:
        try:
            with CJClient(account, attempts=1) as client:
                client.ping()
                now = now or client.now()
        except CJAuthError as error:
            refused[account.conn_id] = str(error)
        except CJError as error:
            log.warning("Account %r: %s", account.conn_id, error)
            unreached.append(account.conn_id)
    return refused, unreached, now or datetime.now(UTC)
