"""The Airflow connection `warehouse` as the core's WarehouseLocation: read here, understood by the module of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from include.airflow.connections import Secrets, extra_of, mask, no_connection
from include.airflow.environment import ROOT
from include.domain.errors import SettingError

if TYPE_CHECKING:
    from include.warehouse.location import ConnectionParts, WarehouseLocation

CONN_ID = "warehouse"


def warehouse_location(secrets: Secrets | None = None) -> WarehouseLocation:
    """Where connection `warehouse` points. Imports no driver. Raises SettingError."""
    from include.warehouse.location import location_of, ways_to_connect

    connection = (secrets or Secrets()).connection(CONN_ID)
    if connection is None:
        raise SettingError(f"{no_connection(CONN_ID)}: {ways_to_connect()}.")
    return location_of(parts_of(CONN_ID, connection))


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
