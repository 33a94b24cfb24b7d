"""The Airflow connection `orders`, which may be there: where the orders are read, when that is not the warehouse.

A connection of one of the warehouse's own kinds is read through that kind's session; any other through the cursors of its provider's hook.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from include.airflow.connections import Secrets, no_connection
from include.airflow.snowflake import SnowflakeConnector
from include.airflow.warehouse import parts_of
from include.domain.errors import SettingError

if TYPE_CHECKING:
    from include.warehouse.orders import OrdersSource

CONN_ID = "orders"
_VARIABLE = "AIRFLOW_CONN_ORDERS"


def orders_source(secrets: Secrets | None = None) -> OrdersSource | None:
    """Where connection `orders` points, None where there is none. Imports no driver. Raises SettingError."""
    connection = (secrets or Secrets()).connection(CONN_ID)
    if connection is None:
        if os.environ.get(_VARIABLE):
            # Left aside, the night would read the warehouse instead, and nobody would know.
            raise SettingError(f"{no_connection(CONN_ID)}. It is set there, and not readable.")
        return None
    from include.warehouse.dbapi import CursorSource
    from include.warehouse.location import kind_of, location_of
    from include.warehouse.orders import SessionSource

    parts = parts_of(CONN_ID, connection)
    if kind_of(parts.conn_type):
        return SessionSource(location_of(parts), CONN_ID)
    # Some kinds say in the extra what others say in the host.
    host, port = parts.host or str(parts.extra.get("account", "")), f":{parts.port}" if parts.port else ""
    return CursorSource(CONN_ID, parts.conn_type, f"{host}{port}/{parts.schema}", partial(_hook, connection))


def _hook(connection: Any) -> Any:
    """The hook of the connection's provider, which opens it. Raises SettingError where there is none that speaks SQL."""
    if connection.conn_type == "snowflake":
        return SnowflakeConnector(connection)
    from airflow.providers.common.sql.hooks.sql import DbApiHook

    kind = connection.conn_type
    try:
        hook = connection.get_hook()
    except Exception as error:  # noqa: BLE001 - Airflow says so in several ways, and which it is the sentence tells
        raise SettingError(
            f"Connection {CONN_ID!r} is of type {kind!r}, for which no provider can be loaded here ({type(error).__name__}). "
            f"Install the one of that type where Airflow runs: apache-airflow-providers-{kind}, and the driver it names."
        ) from None
    if not isinstance(hook, DbApiHook):
        raise SettingError(
            f"Connection {CONN_ID!r} is of type {kind!r}, and Airflow's hook for it runs no SQL. Name a database, or take the connection away: then the orders are read from `warehouse`."
        )
    return hook
