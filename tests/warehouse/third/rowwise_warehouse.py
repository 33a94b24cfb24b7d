"""A third warehouse that only the tests have: a database whose driver gives rows, not Arrow, and that spells its types in its own way.

It is written from docs/warehouses.md alone and put on the package's path by the test, with no other file changed. Behind it is a PostgreSQL server
reached through psycopg; nothing here is shared with `postgres_warehouse`, which reaches it otherwise in every respect.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

from include.domain.errors import SettingError, WarehouseError, WarehouseShapeError, WarehouseUnavailable
from include.warehouse import sqltext
from include.warehouse.base import Params, Session
from include.warehouse.location import ConnectionParts, WarehouseLocation

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

CONNECTION = "type rowwise with the server in host and the database in extra"
ALIASES = ("rows",)
DRIVER = "psycopg"

_WORDS = {
    16: "boolean", 20: "integer", 21: "integer", 23: "integer", 25: "text", 1043: "text", 705: "text", 114: "json", 3802: "json",
    700: "double", 701: "double", 1082: "date", 1114: "timestamp", 1184: "timestamptz", 1700: "decimal",
}  # fmt: skip
"""The server's numbers of its types, by the words of `Session.columns_of`."""


@dataclass(frozen=True)
class RowwiseLocation(WarehouseLocation):
    """The server, part by part."""

    host: str = ""
    database: str = ""
    login: str = ""
    password: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """What an error may name."""
        return f"{self.host}/{self.database}"


def location(parts: ConnectionParts) -> WarehouseLocation:
    """The database is a key of extra. Raises SettingError."""
    database = parts.extra.get("database")
    if not parts.host or not database:
        raise SettingError(f"Connection {parts.conn_id!r} needs a host, and a database in its extra.")
    return RowwiseLocation("rowwise", host=parts.host, database=str(database), login=parts.login, password=parts.password)


def connect(location: WarehouseLocation) -> Session:
    """One connection, in UTC. Raises WarehouseUnavailable."""
    import psycopg
    from psycopg.types.string import TextLoader

    assert isinstance(location, RowwiseLocation)
    try:
        connection = psycopg.connect(
            host=location.host, dbname=location.database, user=location.login, password=location.password or None, autocommit=True
        )
    except psycopg.Error:
        raise WarehouseUnavailable(f"The warehouse, {location}, cannot be reached. Try again.") from None
    for name in ("json", "jsonb"):
        connection.adapters.register_loader(name, TextLoader)
    connection.execute("SET TimeZone = 'UTC'")
    return RowwiseSession(location, connection)


class RowwiseSession(Session):
    """See `Session`."""

    spelling: ClassVar = {"timestamp with time zone": "timestamptz", "double precision": "float8", "bigint": "int8", "text": "varchar"}

    def __init__(self, location: WarehouseLocation, connection: psycopg.Connection[Any]) -> None:
        super().__init__(location)
        self._connection = connection
        self._numbers = count()

    def _done(self, sql: str, params: Params) -> psycopg.Cursor[Any]:
        with _speaking():
            if not params:
                return self._connection.execute(sql.encode())
            text = sqltext.bind(sql.replace("%", "%%"), "%({})s".format)
            return self._connection.execute(text.encode(), {name: str(v) if isinstance(v, str) else v for name, v in params.items()})

    def _run(self, sql: str, params: Params) -> int:
        cursor = self._done(sql, params)
        return 0 if cursor.description else max(cursor.rowcount, 0)

    def _fetch(self, sql: str, params: Params) -> pa.Table:
        cursor = self._done(sql, params)
        with _speaking():
            return _arrow(cursor.description, cursor.fetchall())

    def _stream(self, sql: str, params: Params, batch_rows: int) -> Iterator[pa.RecordBatch]:
        name = f"rows_{next(self._numbers)}"
        self._run(f"DECLARE {name} NO SCROLL CURSOR FOR\n{sql}", params)
        try:
            while True:
                piece = self._fetch(f"FETCH FORWARD {batch_rows:d} FROM {name}", {})
                yield _batch(piece)
                if piece.num_rows < batch_rows:
                    return
        finally:
            # A failed transaction has closed its cursors.
            with suppress(WarehouseError):
                self._run(f"CLOSE {name}", {})

    _stream_exclusive = _stream

    def _insert(self, table: str, data: pa.Table) -> None:
        columns = ", ".join(f'"{name}"' for name in data.column_names)
        with _speaking(), self._connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copy:
            for row in zip(*(column.to_pylist() for column in data.columns), strict=True):
                copy.write_row(row)

    def _begin(self, snapshot: bool) -> None:
        self._run(f"BEGIN ISOLATION LEVEL {'REPEATABLE READ' if snapshot else 'READ COMMITTED'}", {})

    def _commit(self) -> None:
        self._run("COMMIT", {})

    def _rollback(self) -> None:
        self._run("ROLLBACK", {})

    def _lock(self, name: str) -> None:
        self._fetch("SELECT CAST(pg_advisory_xact_lock(hashtextextended(:name, 0)) AS varchar)", {"name": name})

    def _relations(self, schema: str) -> set[str]:
        found = self._fetch(
            "SELECT CAST(relname AS varchar) AS name FROM pg_class WHERE relnamespace = to_regnamespace(CAST(:schema AS varchar))",
            {"schema": schema},
        )
        return set(found["name"].to_pylist())

    def _describe(self, sql: str) -> dict[str, str]:
        """A view is understood, and not planned: nothing in it is worked out."""
        name = f"described_{next(self._numbers)}"
        self._run(f"CREATE TEMP VIEW {name} AS\n{sqltext.bind(sql, lambda _: 'NULL')}", {})
        found = self._fetch(
            "SELECT CAST(attname AS varchar) AS name, CAST(atttypid AS int8) AS kind FROM pg_attribute WHERE attrelid = to_regclass(CAST(:view AS varchar)) "
            "AND attnum > 0 ORDER BY attnum",
            {"view": f"pg_temp.{name}"},
        ).to_pylist()
        self._run(f"DROP VIEW {name}", {})
        return {row["name"]: _WORDS.get(row["kind"], f"type {row['kind']}") for row in found}

    def binary_order(self, expression: str) -> str:
        return f'{expression} COLLATE "C"'

    def close(self) -> None:
        self._connection.close()


def _arrow(columns: Any, rows: list[tuple[Any, ...]]) -> pa.Table:
    import pyarrow as pa

    from include.domain.shapes import INSTANT, MONEY

    kinds = {
        "boolean": pa.bool_(), "integer": pa.int64(), "double": pa.type_for_alias("double"), "date": pa.date32(),
        "timestamp": pa.timestamp("us"), "timestamptz": INSTANT, "decimal": MONEY,
    }  # fmt: skip
    schema = pa.schema([(column.name, kinds.get(_WORDS.get(column.type_code, "text"), pa.string())) for column in columns])
    values = zip(*rows, strict=True) if rows else [()] * len(schema)
    try:
        return pa.Table.from_arrays([pa.array(v, f.type) for v, f in zip(values, schema, strict=True)], schema=schema)
    except pa.ArrowException:
        raise WarehouseShapeError("A decimal has more digits than decimal(38, 10) holds. ROUND it in the SQL.") from None


def _batch(piece: pa.Table) -> pa.RecordBatch:
    """An empty result still says which columns it has."""
    import pyarrow as pa

    return (piece.to_batches() or [pa.RecordBatch.from_pylist([], schema=piece.schema)])[0]


@contextmanager
def _speaking() -> Iterator[None]:
    """psycopg's exceptions as ours, without a value."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        state, said = error.sqlstate or "", error.diag.message_primary
        if isinstance(error, psycopg.OperationalError):
            raise WarehouseUnavailable("The database could not finish. Nothing of the transaction was kept; try again.") from None
        if state == "42601":
            raise WarehouseError(f"The database cannot read the SQL: {said}. Correct the SQL.") from None
        if state[:2] in ("42", "3F"):
            raise WarehouseShapeError(f"The database: {said}. Create it, or correct the SQL that names it.") from None
        raise WarehouseError(f"The database refused the statement (SQLSTATE {state or 'none'}). Correct the SQL.") from None
