"""The Airflow connection `warehouse` as the core's WarehouseLocation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from include.airflow.connections import Secrets, extra_of, mask, no_connection
from include.airflow.environment import ROOT
from include.domain.errors import SettingError

if TYPE_CHECKING:
    from include.warehouse.base import WarehouseLocation

CONN_ID = "warehouse"
SAME_AS = {"postgresql": "postgres", "pg": "postgres"}


def warehouse_location(secrets: Secrets | None = None) -> WarehouseLocation:
    """Where connection `warehouse` points: a DuckDB file in `host`, or a PostgreSQL server. Raises SettingError."""
    from include.warehouse.base import WarehouseLocation, supported_kinds

    connection = (secrets or Secrets()).connection(CONN_ID)
    if connection is None:
        raise SettingError(f"{no_connection(CONN_ID)}: type duckdb with the file in host, or type postgres.")
    if connection.password:
        mask(connection.password)
    kind = SAME_AS.get(connection.conn_type or "", connection.conn_type or "")
    if kind not in supported_kinds():
        raise SettingError(
            f"Connection {CONN_ID!r} is of type {connection.conn_type!r}, which is not supported. "
            f"Use one of: {', '.join(supported_kinds())}. docs/warehouses.md says how to add another."
        )
    if not connection.host:
        wanted = "the path of the DuckDB file" if kind == "duckdb" else "the server's name, or the folder of its socket,"
        raise SettingError(f"Connection {CONN_ID!r} has no host: put {wanted} there.")
    if kind == "duckdb":
        return WarehouseLocation(kind, path=_duckdb_file(connection.host))
    return WarehouseLocation(kind, uri=libpq_uri(connection))


def _duckdb_file(host: str) -> str:
    """The file's whole path. Raises SettingError for DuckDB's names of what is no file; what follows them may be a token."""
    for prefix in (":memory:", "md:", "motherduck:"):
        if host.lower().startswith(prefix):
            raise SettingError(
                f"Connection {CONN_ID!r}: host begins with {prefix!r}, which is no file on this machine. Put the path of one there."
            )
    return str(ROOT / Path(host).expanduser())


def libpq_uri(connection: Any) -> str:
    """The connection as the URI libpq reads. A host that begins with a slash is a socket's folder; plain extras are libpq parameters."""
    options = {name: str(value) for name, value in extra_of(CONN_ID, connection).items() if isinstance(value, (str, int)) and value != ""}
    socket = connection.host.startswith("/")
    if socket:
        options["host"] = connection.host
    if connection.port and socket:
        options["port"] = str(connection.port)
    who = quote(connection.login or "", safe="")
    if connection.password:
        who += ":" + quote(connection.password, safe="")
    server = "" if socket else connection.host + (f":{connection.port}" if connection.port else "")
    query = f"?{urlencode(options)}" if options else ""
    return f"postgresql://{who + '@' if who else ''}{server}/{quote(connection.schema or '', safe='')}{query}"
