"""PostgreSQL through ADBC: results arrive as Arrow, rows leave by COPY, no row is a Python object on the way.

Transactions are the driver's (autocommit off), not a BEGIN of ours: with autocommit on, ADBC puts BEGIN and COMMIT around every statement
with parameters and would commit ours half way. `stream` reads a server-side cursor, so that other statements may run in between; an exclusive
stream is one COPY, where PostgreSQL takes no parameters, so the values wait in settings of the transaction (`set_config`).

A pooler in transaction mode may give each transaction another server connection. So every statement is in a transaction, and whatever we set ends with
it: ADBC prepares and then executes, which would otherwise be two connections' business, and a session's setting would be left to whoever comes next.

The driver and pyarrow are imported where a server is asked, so that a location costs neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import count
from typing import TYPE_CHECKING

from include.domain.errors import SettingError, WarehouseError
from include.warehouse import schema, sqltext
from include.warehouse.base import Circumstance, Params, Session
from include.warehouse.location import WarehouseLocation
from include.warehouse.postgres_circumstances import circumstances_of
from include.warehouse.postgres_connection import connection_to, location
from include.warehouse.postgres_indexes import INDEXES
from include.warehouse.postgres_values import as_text, bound, sql_type
from include.warehouse.postgres_words import not_connected, speaking

if TYPE_CHECKING:
    import adbc_driver_postgresql.dbapi as driver
    import pyarrow as pa

__all__ = ["ALIASES", "CONNECTION", "DRIVER", "PostgresSession", "connect", "connect_to_read", "location"]  # what a kind's module holds

CONNECTION = "type postgres"
ALIASES = ("postgresql", "pg")
DRIVER = "adbc_driver_postgresql.dbapi"

_TYPES = {
    "int2": "integer", "int4": "integer", "int8": "integer", "numeric": "decimal", "float4": "double", "float8": "double",
    "bool": "boolean", "timestamptz": "timestamptz", "timestamp": "timestamp", "date": "date", "json": "json", "jsonb": "json",
    "text": "text", "varchar": "text", "bpchar": "text", "unknown": "text",
}  # fmt: skip

#: In force in each of our transactions, and no longer. A server that compiles statements (`jit`) is as long about the verdicts of a large night as about judging them.
_SETTINGS = ("TimeZone = 'UTC'", "work_mem = '64MB'", "random_page_cost = 1.1", "jit = off")

_TAKES_NO_TRANSACTION = re.compile(r"(CREATE|DROP)\s+DATABASE\b|ALTER\s+SYSTEM\b|VACUUM\b", re.IGNORECASE)

#: Nobody needs their rows after a crash, so nothing is written down to bring them back.
_WORKING = tuple(name for name in schema.working_tables() if name != "working_version")


def connect(location: WarehouseLocation) -> Session:
    """Connect by the location's libpq URI. Raises WarehouseUnavailable where no server answers, SettingError where it turns us away."""
    import adbc_driver_manager as adbc

    if not location.uri:
        raise SettingError("The warehouse connection is of type 'postgres' and says no host. Fill in host, database, login and password.")
    try:
        connection = connection_to(location.uri)
    except adbc.Error as error:
        raise not_connected(str(error), str(location)) from None
    return PostgresSession(location, connection)


def connect_to_read(location: WarehouseLocation) -> Session:
    """A connection like any other, which is not waited for long. Raises as `connect` does."""
    waits = "connect_timeout" in location.uri
    return connect(location if waits else replace(location, uri=f"{location.uri}{'&' if '?' in location.uri else '?'}connect_timeout=3"))


class PostgresSession(Session):
    """See `Session`."""

    def __init__(self, location: WarehouseLocation, connection: driver.Connection) -> None:
        super().__init__(location)
        self._connection = connection
        # Not the DB-API's commit and rollback: opened with autocommit, they do nothing, and leaving a transaction would then commit it.
        self._driver = connection.adbc_connection
        self._numbers = count()
        self._by_bytes: bool | None = None

    @contextmanager
    def _in_a_transaction(self) -> Iterator[None]:
        """The open one, or one for this statement alone."""
        if self.in_transaction:
            yield
        else:
            with self.transaction():
                yield

    def _run(self, sql: str, params: Params) -> int:
        if _TAKES_NO_TRANSACTION.match(_opening(sql)):
            return self._run_here(sql, params)
        with self._in_a_transaction():
            return self._run_here(sql, params)

    def _run_here(self, sql: str, params: Params) -> int:
        text, values = bound(sql, params)
        with speaking(), self._connection.cursor() as cursor:
            if values is None:
                cursor.execute(text)
            elif _returns_rows(sql):
                cursor.execute(text, values)
            else:
                cursor.executemany(text, values)
            changed = max(cursor.rowcount, 0)
            if _returns_rows(sql):
                cursor.fetch_arrow_table()
                return 0
            return changed

    def _fetch(self, sql: str, params: Params) -> pa.Table:
        text, values = bound(sql, params)
        with self._in_a_transaction(), speaking(), self._connection.cursor() as cursor:
            if not re.match(r"(SELECT|WITH|VALUES)\b", _opening(sql), re.IGNORECASE):
                _without_copy(cursor)
            cursor.execute(text, values)
            return cursor.fetch_arrow_table()

    def _stream(self, sql: str, params: Params, batch_rows: int) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        name = f"stream_{next(self._numbers)}"
        # The whole result will be read, so the plan for it is wanted, not the one for the first rows.
        self._run("SET LOCAL cursor_tuple_fraction = 1", {})
        self._run(f"DECLARE {name} NO SCROLL CURSOR FOR\n{sql}", params)
        try:
            while True:
                piece = self._page(name, batch_rows)
                yield from piece.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=piece.schema)]
                if piece.num_rows < batch_rows:
                    return
        finally:
            self._forget(name)

    def _page(self, name: str, batch_rows: int) -> pa.Table:
        with speaking(), self._connection.cursor() as cursor:
            _without_copy(cursor)
            cursor.execute(f"FETCH FORWARD {batch_rows:d} FROM {name}")
            return cursor.fetch_arrow_table()

    def _forget(self, name: str) -> None:
        try:
            self._run(f"CLOSE {name}", {})
        except WarehouseError:
            # A failed transaction has closed its cursors.
            return

    def _stream_exclusive(self, sql: str, params: Params, batch_rows: int) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        text = self._set_aside(sql, params)
        with speaking():
            cursor = self._connection.cursor()
        try:
            with speaking():
                schema = cursor.adbc_execute_schema(text)
                cursor.execute(_with_numerics_as_text(text, schema))
                reader = cursor.fetch_record_batch()
            empty = True
            while (batch := _next(reader)) is not None:
                for start in range(0, batch.num_rows, batch_rows):
                    empty = False
                    yield _of_schema(batch.slice(start, batch_rows), schema)
            if empty:
                yield pa.RecordBatch.from_pylist([], schema=schema)
        finally:
            cursor.close()

    def _set_aside(self, sql: str, params: Params) -> str:
        """The statement with its values in settings of this transaction, for statements that take no parameters."""
        types = {}
        for number, (name, value) in enumerate(params.items()):
            types[name] = f"CAST(current_setting('cj.value_{number}') AS {sql_type(value)})" if value is not None else "NULL"
            text = value.isoformat() if isinstance(value, date) else as_text(value)
            self._fetch(f"SELECT set_config('cj.value_{number}', :value, true)", {"value": text or ""})
        return sqltext.bind(sql, types.__getitem__)

    def _insert(self, table: str, data: pa.Table) -> None:
        schema, _, name = table.rpartition(".")
        with self._in_a_transaction(), speaking(), self._connection.cursor() as cursor:
            cursor.adbc_ingest(name, data, mode="append", db_schema_name=schema or None)

    def _analyze(self, table: str) -> None:
        self._run(f"ANALYZE {table}", {})

    def _has_grown(self, table: str) -> bool:
        found = self._fetch(
            "SELECT pg_relation_size(c.oid) * 10 >= CAST(c.relpages AS bigint) * CAST(current_setting('block_size') AS bigint) * 11 AS grown "
            "FROM pg_class AS c WHERE c.oid = to_regclass(:table)",
            {"table": table},
        )
        return found["grown"].to_pylist() == [True]

    def _begin(self, snapshot: bool) -> None:
        with speaking():
            self._driver.set_autocommit(False)
        # Also makes the driver send its BEGIN, which it puts off to the first statement.
        self._run_here(f"SET TRANSACTION ISOLATION LEVEL {'REPEATABLE READ' if snapshot else 'READ COMMITTED'}", {})
        for setting in _SETTINGS:
            self._run_here(f"SET LOCAL {setting}", {})

    def _commit(self) -> None:
        with speaking():
            self._driver.commit()
            self._driver.set_autocommit(True)

    def _rollback(self) -> None:
        with speaking():
            self._driver.rollback()
            self._driver.set_autocommit(True)

    def only_read(self, seconds: int) -> None:
        self._run_here("SET TRANSACTION READ ONLY", {})
        for setting in (f"statement_timeout = {seconds * 1000:d}", f"lock_timeout = {seconds * 1000:d}"):
            self._run_here(f"SET LOCAL {setting}", {})

    def _lock(self, name: str) -> None:
        self._fetch("SELECT CAST(pg_advisory_xact_lock(hashtextextended(:name, 0)) AS text)", {"name": f"cj_restatements {name}"})

    def indexes(self) -> tuple[str, ...]:
        return INDEXES

    def working_tables(self) -> tuple[str, ...]:
        return tuple(f"ALTER TABLE cj.{name} SET UNLOGGED" for name in _WORKING)

    def readers(self, table: str) -> tuple[str, ...]:
        found = self._fetch(
            "SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(CAST(r.rolname AS text)) END "
            "|| CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS reader "
            "FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee "
            "WHERE c.oid = to_regclass(:table) AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner ORDER BY 1",
            {"table": table},
        )
        return tuple(found["reader"].to_pylist())

    def _relations(self, schema: str) -> set[str]:
        found = self._fetch(
            "SELECT CAST(c.relname AS text) AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
            "WHERE n.nspname = CAST(:schema AS text)",
            {"schema": schema},
        )
        return set(found["name"].to_pylist())

    def _describe(self, sql: str) -> dict[str, str]:
        numbered = {name: f"${n}" for n, name in enumerate(sqltext.names(sql), start=1)}
        with self._in_a_transaction(), speaking(), self._connection.cursor() as cursor:
            schema = cursor.adbc_execute_schema(sqltext.bind(sql, numbered.__getitem__))
        return {f.name: _type_name(f) for f in schema}

    def circumstances(self) -> list[Circumstance]:
        return circumstances_of(self)

    def own_type(self, kind: pa.DataType) -> pa.DataType | None:
        from include.domain.shapes import MONEY

        return MONEY if _is_numeric(kind) else None

    def binary_order(self, expression: str) -> str:
        # Where the database sorts by bytes anyway, saying so in its own words lets a sort that was made before serve again.
        return f'{expression} COLLATE "{"default" if self._sorts_by_bytes() else "C"}"'

    def _sorts_by_bytes(self) -> bool:
        if self._by_bytes is None:
            found = self._fetch(
                "SELECT CAST(datcollate AS text) AS rules, CAST(datlocprovider AS text) AS provider, pg_encoding_to_char(encoding) AS encoding "
                "FROM pg_database WHERE datname = current_database()",
                {},
            ).to_pylist()[0]
            # The builtin provider has no other rules; ICU's never are.
            bytewise = found["provider"] == "b" or (found["provider"] == "c" and found["rules"] in ("C", "POSIX", "C.UTF-8", "C.utf8"))
            self._by_bytes = bytewise and found["encoding"] == "UTF8"
        return self._by_bytes

    def close(self) -> None:
        import adbc_driver_manager as adbc

        try:
            self._connection.close()
        except (adbc.Error, RuntimeError):
            # Nothing is left to save: what was not committed is rolled back by the server.
            return


def _type_name(column: pa.Field) -> str:
    name = (column.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
    return _TYPES.get(name, name or str(column.type))


def _opening(sql: str) -> str:
    """The statement from its first word on."""
    return re.sub(r"\A(?:\s+|--[^\n]*\n|/\*.*?\*/|\()+", "", sql, flags=re.DOTALL)


def _returns_rows(sql: str) -> bool:
    return re.match(r"(SELECT|VALUES|SHOW|EXPLAIN)\b", _opening(sql), re.IGNORECASE) is not None


def _is_numeric(kind: pa.DataType) -> bool:
    """Numeric arrives as exact text under an opaque type."""
    import pyarrow as pa

    return isinstance(kind, pa.OpaqueType) and kind.type_name == "numeric"


def _with_numerics_as_text(statement: str, schema: pa.Schema) -> str:
    """The statement, with the server writing the digits of its numerics: the driver takes several times as long to. The order of the rows stays."""
    names = {name: '"' + name.replace('"', '""') + '"' for name in schema.names}
    if not any(_is_numeric(f.type) for f in schema) or len(names) < len(schema):
        return statement
    columns = ", ".join(f"CAST({names[f.name]} AS text) AS {names[f.name]}" if _is_numeric(f.type) else names[f.name] for f in schema)
    return f"SELECT {columns} FROM (\n{statement}\n) AS streamed"


def _of_schema(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The numerics that came as text, as the driver would have given them."""
    import pyarrow as pa

    columns = [
        pa.ExtensionArray.from_storage(f.type, column) if _is_numeric(f.type) and column.type == f.type.storage_type else column
        for f, column in zip(schema, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, names=schema.names)


def _without_copy(cursor: driver.Cursor) -> None:
    """PostgreSQL has no COPY of FETCH, SHOW, EXPLAIN."""
    cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})


def _next(reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
    with speaking():
        try:
            return reader.read_next_batch()
        except StopIteration:
            return None
