"""The Airflow connection `warehouse` as the core's WarehouseLocation: read here, understood by the module of its kind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from include.airflow.connections import Secrets, extra_of, mask, no_connection
from include.airflow.environment import ROOT
from include.domain.errors import RestatementsError, SettingError

if TYPE_CHECKING:
    from include.warehouse.base import Session
    from include.warehouse.location import ConnectionParts, WarehouseLocation

log = logging.getLogger(__name__)

CONN_ID = "warehouse"

_CHANGED_BY_THE_WATCH = ("approvals", "cases", "case_events", "schema_version")
"""What a round that reads nothing of CJ may change of what pages show; all of it is small."""


def warehouse_location(secrets: Secrets | None = None) -> WarehouseLocation:
    """Where connection `warehouse` points. Imports no driver. Raises SettingError."""
    from include.warehouse.location import location_of, ways_to_connect

    connection = (secrets or Secrets()).connection(CONN_ID)
    if connection is None:
        raise SettingError(f"{no_connection(CONN_ID)}: {ways_to_connect()}.")
    return location_of(parts_of(CONN_ID, connection))


@contextmanager
def leaving_it_for_pages() -> Iterator[WarehouseLocation]:
    """Where the warehouse is, for a task's work. After it, whichever way it ended, the pages get their copy where they cannot read the warehouse itself.

    A copy that could not be left costs the pages their freshness, and the task nothing.
    """
    location = warehouse_location()
    try:
        yield location
    finally:
        if location.path:
            _leave(location)


def leave_it_where_pages_lag(location: WarehouseLocation) -> None:
    """For what runs hourly and changes little: a copy where the newest one does not say of cases and questions what the warehouse says, and none otherwise.

    So it makes up for a copy that could not be left, or whose process died before it.
    """
    if location.path and _pages_lag(location):
        _leave(location)


def _pages_lag(location: WarehouseLocation) -> bool:
    from include.warehouse.base import open_for_reading, open_warehouse

    try:
        with open_for_reading(location, 60) as copy:
            shown = _changing(copy)
    except RestatementsError:
        return True  # there is none yet, or it is an earlier release's
    with open_warehouse(location) as session:
        return _changing(session) != shown


def _changing(session: Session) -> list[list[str]]:
    return [sorted(map(repr, session.rows(f"SELECT * FROM cj.{name}"))) for name in _CHANGED_BY_THE_WATCH]


def _leave(location: WarehouseLocation) -> None:
    from include.warehouse.base import open_warehouse

    try:
        with open_warehouse(location) as session:
            session.leave_snapshot()
    except RestatementsError as error:
        log.warning("The pages go on showing what they showed, since no newer copy of the warehouse could be left: %s", error)


def parts_of(conn_id: str, connection: Any) -> ConnectionParts:
    """What an Airflow connection says, its password masked in every log from here on. Raises SettingError."""
    from include.warehouse.location import ConnectionParts

    if connection.password:
        mask(connection.password)
    return ConnectionParts(
        conn_id=conn_id,
        conn_type=connection.conn_type or "",
        host=connection.host or "",
        login=connection.login or "",
        password=connection.password or "",
        schema=connection.schema or "",
        port=connection.port,
        extra=extra_of(conn_id, connection, like='{"sslmode": "require"}'),
        root=ROOT,
    )
