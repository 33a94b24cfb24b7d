"""The Airflow connection `warehouse` as the core's WarehouseLocation: read here, understood by the module of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.airflow.connections import Secrets, extra_of, mask, no_connection
from include.airflow.environment import ROOT
from include.domain.errors import SettingError

if TYPE_CHECKING:
    from include.warehouse.location import WarehouseLocation

CONN_ID = "warehouse"


def warehouse_location(secrets: Secrets | None = None) -> WarehouseLocation:
    """Where connection `warehouse` points. Imports no driver. Raises SettingError."""
    from include.warehouse.location import ConnectionParts, location_of, ways_to_connect

    connection = (secrets or Secrets()).connection(CONN_ID)
    if connection is None:
        raise SettingError(f"{no_connection(CONN_ID)}: {ways_to_connect()}.")
    if connection.password:
        mask(connection.password)
    return location_of(
        ConnectionParts(
            conn_id=CONN_ID,
            conn_type=connection.conn_type or "",
            host=connection.host or "",
            login=connection.login or "",
            password=connection.password or "",
            schema=connection.schema or "",
            port=connection.port,
            extra=extra_of(CONN_ID, connection, like='{"sslmode": "require"}'),
            root=ROOT,
        )
    )
