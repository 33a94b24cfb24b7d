"""An Airflow run as the core knows it: its interval, and what it says for itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from include.domain.errors import SettingError
from include.restatements.settings import Run


def said(context: Mapping[str, Any]) -> dict[str, Any]:
    """The params this run was started with. A param nobody gave is left out, so that the Variable decides."""
    conf = context["dag_run"].conf or {}
    return {name: value for name, value in dict(context["params"]).items() if name in conf}


def who(context: Mapping[str, Any]) -> str:
    """Who started the run, as Airflow knows it."""
    return str(getattr(context["dag_run"], "triggering_user_name", None) or "somebody")


def run_of(context: Mapping[str, Any]) -> Run:
    """The night this run is about. Raises SettingError for a run without a data interval, which has no night, and for one that was given another's.

    The interval that belongs to a logical date is the one it lies in (the schedule, a backfill) or the last that was over by then (`dags test`, the
    API). Airflow's `dags trigger --logical-date` pays no heed to the date, and gives the run last night's.
    """
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if start is None or end is None:
        raise SettingError(
            "This run has no data interval, so it picks no orders. Nothing was read and nothing was sent. "
            f"Name the night, for instance the one of 1 March: {command_for(datetime(2026, 3, 1, tzinfo=UTC))}"
        )
    start, end = utc(start), utc(end)
    dated = context.get("logical_date")
    if dated is not None and not start <= utc(dated) < end + (end - start):
        dated = utc(dated)
        begin = start + (dated - start) // (end - start) * (end - start)
        raise SettingError(
            f"This run's logical date is {dated.isoformat()}, and Airflow gave it the interval from {start.isoformat()} to {end.isoformat()}, which is "
            "another night's (`dags trigger --logical-date` does that). Nothing was read and nothing was sent. "
            f"For the orders touched from {begin.isoformat()} on: {command_for(begin)}"
        )
    kind = getattr(context.get("dag_run"), "run_type", None)
    return Run(context["run_id"], start, end, backfill=str(getattr(kind, "value", kind)) == "backfill")


def command_for(begin: datetime) -> str:
    """What starts the night whose interval begins then, whether it has run before or not."""
    day = begin.date()
    return f"airflow backfill create --dag-id cj_restatements --from-date {day} --to-date {day + timedelta(days=1)} --reprocess-behavior completed"


def utc(moment: datetime) -> datetime:
    """A plain aware datetime in UTC; Airflow hands out pendulum's."""
    return datetime.fromisoformat(moment.isoformat()).astimezone(UTC)


def woken_by_submission(context: Mapping[str, Any]) -> bool:
    """Whether a submission started this run, rather than the clock or a person."""
    return str(context["run_id"]).startswith("asset_triggered__") or bool(context.get("triggering_asset_events"))
