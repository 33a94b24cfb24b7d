"""What each driver has of its own: how it tells a column's type, what its session and cursor need, and what stands for a type it has not.

MySQL and MariaDB: a TIMESTAMP is kept in UTC and shown in the session's zone, so the session is set to UTC and its values are taken as they come. A
DATETIME says no zone, and no expression makes a TIMESTAMP of it: its text with the zone behind it is taken instead. Booleans are small integers.

Snowflake: numbers come as doubles in Arrow unless the connector is told otherwise. It is told. The session's zone is UTC here too (`include.airflow.snowflake`), so that a cast means that.

Of every other driver nothing is known beforehand: its values tell what they are.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from include.warehouse.orders import UNKNOWN, Dialect

Column = Sequence[Any]
"""One column of a cursor's description: name, type code, display size, internal size, precision, scale, may be null."""

_MYSQL = {
    0: "decimal", 246: "decimal", 4: "double", 5: "double", 6: "null", 7: "timestamptz", 10: "date", 11: "time", 12: "timestamp", 16: "bit", 245: "json",
} | dict.fromkeys((1, 2, 3, 8, 9, 13), "integer") | dict.fromkeys((15, 247, 249, 250, 251, 252, 253, 254), "text")  # fmt: skip

_SNOWFLAKE = {
    1: "double", 2: "text", 3: "date", 4: "timestamp", 5: "json", 6: "timestamptz", 7: "timestamptz", 8: "timestamp", 9: "json", 10: "json", 11: "binary",
    12: "time", 13: "boolean",
}  # fmt: skip


def _of_values(column: Column) -> str:
    return UNKNOWN


def _of_mysql(column: Column) -> str:
    return _MYSQL.get(column[1], f"MySQL's type {column[1]}")


def _of_snowflake(column: Column) -> str:
    if column[1] == 0:
        return "decimal" if column[5] else "integer"
    return _SNOWFLAKE.get(column[1], f"Snowflake's type {column[1]}")


def _as_it_is(value: object) -> object:
    return value


def _without_zone(value: object) -> object:
    """MySQL's drivers leave the zone of a time out: it is brought to the session's first."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def _plain_cursor(connection: Any) -> Any:
    return connection.cursor()


def _on_the_server(connection: Any) -> Any:
    """A cursor that does not fetch the whole result at once: mysqlclient and PyMySQL have a class for it, MySQL's own driver does it unless told otherwise."""
    package = type(connection).__module__.split(".")[0]
    if package in ("MySQLdb", "pymysql"):
        return connection.cursor(importlib.import_module(f"{package}.cursors").SSCursor)
    return connection.cursor(buffered=False)


def _nothing(connection: Any) -> None:
    """Nothing to be told."""


def _session_in_utc(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("SET time_zone = '+00:00'")
    cursor.close()


def _exact_numbers(connection: Any) -> None:
    connection.arrow_number_to_decimal_setter = True


@dataclass(frozen=True)
class Driver:
    """How one driver is used. `prepare` sets up a new connection, `sent` is a value as the driver takes it."""

    dialect: Dialect = field(default_factory=Dialect)
    kind_of: Callable[[Column], str] = _of_values
    prepare: Callable[[Any], None] = _nothing
    cursor: Callable[[Any], Any] = _plain_cursor
    sent: Callable[[object], object] = _as_it_is
    zoneless_is_utc: bool = False
    """A time that comes without a zone is UTC: nothing else was let through."""


_DRIVERS = {
    "mysql": Driver(
        Dialect(
            stands_for={"boolean": "integer", "timestamptz": "text"},
            advice={
                "timestamp": "Column {column} is a DATETIME, which says no time zone: keep it as TIMESTAMP; or where it holds UTC say so, CONCAT({column}, '+00:00') AS {column}."
            },
        ),
        _of_mysql,
        _session_in_utc,
        _on_the_server,
        _without_zone,
        zoneless_is_utc=True,
    ),
    "snowflake": Driver(
        Dialect(
            advice={
                "timestamp": "Column {column} is a TIMESTAMP_NTZ, which says no time zone: where it holds UTC say so, CAST({column} AS timestamp_tz) AS {column}: the session's zone is set to UTC."
            }
        ),
        _of_snowflake,
        _exact_numbers,
    ),
}


def driver_of(kind: str) -> Driver:
    """How a connection of this type is used."""
    return _DRIVERS.get(kind, Driver())
