"""What every task of the package has in common, the pools and the asset the DAGs share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset

from include.airflow.retries import ByKind

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
    from croniter import croniter

    at: datetime = croniter(NIGHTLY, after.astimezone(UTC)).get_next(datetime)
    return at


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
