"""The pools of airflow_settings.yaml, created when a scheduler starts.

Airflow never schedules a task whose pool does not exist, and pools have no environment variable. So this listener (registered in
plugins/cj_pools_plugin.py) creates the missing ones. A pool that exists keeps its slots: they are the operator's to change.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.listeners import hookimpl

log = logging.getLogger(__name__)


@hookimpl
def on_starting(component: Any) -> None:
    """Airflow calls this for every component and every task; only the scheduler has work here."""
    if getattr(component, "job_type", None) == "SchedulerJob":
        create_missing_pools()


def create_missing_pools() -> list[str]:
    """Creates what is not there yet and returns the names. Runs where the metadata database is: in the scheduler, or in the demo."""
    from airflow.models.pool import Pool

    from include.airflow.environment import read_settings

    created = []
    for entry in read_settings()["pools"]:
        name = str(entry["pool_name"])
        if Pool.get_pool(name) is None:
            Pool.create_or_update_pool(name, int(entry["pool_slot"]), str(entry.get("pool_description", "")), include_deferred=False)
            created.append(name)
    if created:
        log.info("Created pools: %s.", ", ".join(created))
    return created
