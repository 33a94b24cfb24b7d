"""An Airflow run as the core knows it: its interval, and what it says for itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from include.domain.errors import SettingError
from include.restatements.settings import Run


def said(context: Mapping[str, Any]) -> dict[str, Any]:
    """The params this run was started with. A param nobody gave is left out, so that the Variable decides."""
    conf = context["dag_run"].conf or {}
    return {name: value for name, value in dict(context["params"]).items() if name in conf}


def run_of(context: Mapping[str, Any]) -> Run:
    """The night this run is about. Raises SettingError for a run without a data interval, which has no night."""
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if start is None or end is None:
        raise SettingError("This run has no data interval, so it picks no orders. Start it with a logical date, or as a backfill.")
    return Run(context["run_id"], utc(start), utc(end))


def utc(moment: datetime) -> datetime:
    """A plain aware datetime in UTC; Airflow hands out pendulum's."""
    return datetime.fromisoformat(moment.isoformat()).astimezone(UTC)


def woken_by_submission(context: Mapping[str, Any]) -> bool:
    """Whether a submission started this run, rather than the clock or a person."""
    return str(context["run_id"]).startswith("asset_triggered__") or bool(context.get("triggering_asset_events"))
