"""The pools of airflow_settings.yaml, created when Airflow starts.

Airflow never schedules a task whose pool does not exist, and pools have no environment variable. So this listener (registered in
plugins/cj_pools_plugin.py) creates the missing ones. A pool that exists keeps its slots: they are the operator's to change.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.listeners import hookimpl

from include.domain.errors import SettingError

log = logging.getLogger(__name__)


@hookimpl
def on_starting(component: Any) -> None:
    """Airflow calls this for every component and every task; a task has no database, and nothing to do here.

    A component does not know yet which one it is, so each of them looks.
    """
    if type(component).__name__ == "Job":
        create_missing_pools()


def create_missing_pools() -> list[str]:
    """Creates what is not there yet and returns the names. Runs where the metadata database is: in the scheduler, or in the demo."""
    from airflow.models.pool import Pool
    from sqlalchemy.exc import IntegrityError

    from include.airflow.environment import read_settings

    created = []
    for entry in read_settings()["pools"]:
        name = str(entry["pool_name"])
        if Pool.get_pool(name) is None:
            try:
                Pool.create_or_update_pool(name, int(entry["pool_slot"]), str(entry.get("pool_description", "")), include_deferred=False)
            except IntegrityError:
                continue  # another component was quicker
            created.append(name)
    if created:
        log.info("Created pools: %s.", ", ".join(created))
    return created


def variables() -> list[str]:
    """The Variables in the metadata database whose names begin as ours do, however written. Empty where it cannot be asked: `slots` says so."""
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session
    from sqlalchemy import func, select
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with create_session() as session:
            found = session.scalars(select(Variable.key).where(func.lower(Variable.key).startswith("cj_", autoescape=True)))
            return sorted({str(key) for key in found})
    except SQLAlchemyError:
        return []


def slots() -> dict[str, int | None]:
    """The slots of the project's pools, None for one that is not there. Runs where the metadata database is. Raises SettingError where that cannot be asked."""
    from airflow.models.pool import Pool
    from sqlalchemy.exc import SQLAlchemyError

    from include.airflow.environment import read_settings

    names = [str(entry["pool_name"]) for entry in read_settings()["pools"]]
    try:
        found = {name: Pool.get_pool(name) for name in names}
    except SQLAlchemyError as error:
        raise SettingError(
            f"Airflow's metadata database cannot be asked for its pools ({type(error).__name__}). Make it with `airflow db migrate`, or correct "
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN."
        ) from None
    return {name: pool and int(pool.slots) for name, pool in found.items()}
