"""How a PostgreSQL is reached: the address an Airflow connection means, and a connection there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from include.domain.errors import SettingError
from include.warehouse.location import ConnectionParts, WarehouseLocation

if TYPE_CHECKING:
    import adbc_driver_manager as adbc
    import adbc_driver_postgresql.dbapi as driver


#: Airflow's own hook reads these, libpq does not; none of them says where the server is.
_AIRFLOWS = frozenset(
    {
        "cursor", "sqlalchemy_scheme", "sqlalchemy_query", "iam", "aws_conn_id", "redshift", "redshift-serverless", "cluster-identifier",
        "workgroup-name", "azure_conn_id", "azure_oauth_scope",
    }
)  # fmt: skip

#: With one of these the hook fetches a password from a cloud first.
_FETCHES_A_PASSWORD = ("iam", "azure_conn_id")


def location(parts: ConnectionParts) -> WarehouseLocation:
    """The server as the URI libpq reads. A host that begins with a slash is a socket's folder; extras are libpq parameters."""
    if not parts.host:
        raise SettingError(f"Connection {parts.conn_id!r} has no host: put the server's name, or the folder of its socket, there.")
    options = _options(parts)
    socket = parts.host.startswith("/")
    if socket:
        options["host"] = parts.host
    if parts.port and socket:
        options["port"] = str(parts.port)
    who = quote(parts.login, safe="")
    if parts.password:
        who += ":" + quote(parts.password, safe="")
    server = "" if socket else parts.host + (f":{parts.port}" if parts.port else "")
    # Not as a form is sent: there a blank is a plus, and to libpq a plus is a plus.
    query = f"?{urlencode(options, quote_via=quote, safe='')}" if options else ""
    return WarehouseLocation("postgres", uri=f"postgresql://{who + '@' if who else ''}{server}/{quote(parts.schema, safe='')}{query}")


def _options(parts: ConnectionParts) -> dict[str, str]:
    """The extra's libpq parameters. Raises SettingError for what would be lost in silence."""
    for name in _FETCHES_A_PASSWORD:
        if parts.extra.get(name) not in (None, False, "", "false", "False"):
            raise SettingError(
                f"Connection {parts.conn_id!r}: extra has {name}, which lets Airflow's own hook fetch a password from a cloud. This package does not: "
                "put the password into the connection (a secrets backend may fetch it), and take it out of the extra."
            )
    options = {}
    for name, value in parts.extra.items():
        if name in _AIRFLOWS or value is None or value == "":
            continue
        if not isinstance(value, str | int):
            raise SettingError(
                f"Connection {parts.conn_id!r}: extra {name} is no text, number or true or false. Write it as libpq reads it, or take it out."
            )
        options[name] = str(int(value)) if isinstance(value, bool) else str(value)
    return options


def connection_to(uri: str) -> driver.Connection:
    """A connection, whose every statement stands alone until it is told otherwise. Raises the driver's errors."""
    import adbc_driver_manager as adbc
    import adbc_driver_postgresql.dbapi as driver

    server = _server(_with_our_name(uri))
    # As the driver's own connect() does it, but for the server, which that makes anew each time.
    return driver.Connection(_NotClosed(server), adbc.AdbcConnection(server), autocommit=True)


def _with_our_name(uri: str) -> str:
    """The name a DBA sees in pg_stat_activity, where the connection's extra gives no other."""
    return f"{uri}{'&' if '?' in uri else '?'}fallback_application_name=cj_restatements"


@lru_cache(maxsize=8)
def _server(uri: str) -> adbc.AdbcDatabase:
    """What the driver knows of a server before it connects. It reads every type and table there is for it, which takes ten times as long as to connect.

    A type that is made afterwards is read all the same; until the process ends it is named by its number.
    """
    import adbc_driver_postgresql

    return adbc_driver_postgresql.connect(uri)


@dataclass(frozen=True)
class _NotClosed:
    """A server that is there for the next connection when this one closes. It holds no connection itself."""

    server: adbc.AdbcDatabase

    def close(self) -> None:
        """Nothing."""
