"""What every task of the package has in common, the pools and the asset the DAGs share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset

from include.airflow.retries import ByKind

if TYPE_CHECKING:
    from croniter import croniter

SUBMIT_POOL = "cj_submit"
"""Requests to CJ at a time."""
WAREHOUSE_POOL = "cj_warehouse"
"""One slot: a DuckDB file has one writer, and while it writes nobody reads."""

SUBMISSIONS = Asset("cj_submissions")
"""Updated when a night's journal is in the tables; wakes the reconciliation."""

NIGHTLY = "0 2 * * *"
"""When cj_restatements runs, UTC; its data interval is the day before."""

FIRST_NIGHT = datetime(2024, 1, 1, tzinfo=UTC)


def next_night(after: datetime) -> datetime:
    """When cj_restatements runs next, by its schedule; aware UTC."""
    return _nights(after).get_next(datetime)


def nights_until(now: datetime) -> tuple[datetime, datetime]:
    """When the newest night began that is due by `now`, by its schedule, and when it was due: the ends of its data interval, aware UTC."""
    nights = _nights(next_night(now))
    due = nights.get_prev(datetime)
    return nights.get_prev(datetime), due


def _nights(moment: datetime) -> croniter:
    from croniter import croniter

    return croniter(NIGHTLY, moment.astimezone(UTC))


def default_args(execution_timeout: timedelta = timedelta(hours=2)) -> dict[str, Any]:
    """Owner, retries by kind of error, and an end to every task. A new dict each time: Airflow edits it."""
    return {
        "owner": "cj-restatements",
        "retries": 3,
        "retry_delay": timedelta(minutes=2),
        "retry_policy": ByKind(),
        "execution_timeout": execution_timeout,
        # What was begun is finished before more is begun: with Airflow's own rule a backfill's plans would hold up every `publish`.
        "weight_rule": "upstream",
    }
