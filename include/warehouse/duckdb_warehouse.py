"""DuckDB: the embedded default, one file.

One process at a time may hold the file; whoever comes second waits, with jitter, up to `wait_seconds`. A process killed in a transaction loses
only that transaction. While a result is open, DuckDB takes no other statement on the connection, and another connection would be another
transaction: so `stream` puts its result into a temporary table, which spills beside the file, and reads it back in pieces.

duckdb and pyarrow are imported where a file is opened, so that a location costs neither.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from include.domain.errors import SettingError, WarehouseError, WarehouseShapeError, WarehouseUnavailable
from include.warehouse import sqltext
from include.warehouse.base import Params, Session
from include.warehouse.duckdb_file import other_kind
from include.warehouse.duckdb_snapshot import copied, newest_first
from include.warehouse.location import ConnectionParts, WarehouseLocation
from include.warehouse.schema import lasting_tables

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

CONNECTION = "type duckdb with the file in host"
ALIASES: tuple[str, ...] = ()
DRIVER = "duckdb"

MEMORY_LIMIT = "2GB"
READING_LIMIT = "512MB"
"""Of whoever reads a snapshot."""

NOT_IN_A_SNAPSHOT = frozenset({"unjudged", "replan_news"})
"""What no page shows, and is of the moment."""
_NULL_IN_A_SNAPSHOT = {"commissions": "items"}
"""What no page shows of a table, and is large."""

_NO_FILES = (":memory:", "md:", "motherduck:")
"""DuckDB's names of what is no file; what follows them may be a token."""

_TYPES = {
    "VARCHAR": "text",
    "DOUBLE": "double",
    "FLOAT": "double",
    "BOOLEAN": "boolean",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "TIMESTAMP": "timestamp",
    "DATE": "date",
    "JSON": "json",
    '"NULL"': "null",
} | dict.fromkeys(
    ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"], "integer"
)

_locks: dict[tuple[str, str], threading.Lock] = {}
_locks_guard = threading.Lock()


@dataclass(frozen=True)
class DuckDBLocation(WarehouseLocation):
    """A file, and how much DuckDB may hold in memory before it spills beside it."""

    memory_limit: str = MEMORY_LIMIT


def location(parts: ConnectionParts) -> WarehouseLocation:
    """The file in the connection's host, by its whole path. Raises SettingError."""
    if not parts.host:
        raise SettingError(f"Connection {parts.conn_id!r} has no host: put the path of the DuckDB file there.")
    for prefix in _NO_FILES:
        if parts.host.lower().startswith(prefix):
            raise SettingError(
                f"Connection {parts.conn_id!r}: host begins with {prefix!r}, which is no file on this machine. Put the path of one there."
            )
    return DuckDBLocation("duckdb", path=str(parts.root / Path(parts.host).expanduser()))


def connect(location: WarehouseLocation) -> Session:
    """Open the file, waiting while another process holds it. Raises WarehouseUnavailable when the wait is over, SettingError for a bad path, or
    a file that is none of DuckDB's."""
    if not location.path:
        raise SettingError("The warehouse connection is of type 'duckdb' and names no file. Put the file's path into its host.")
    return DuckDBSession(location, _open(location))


def connect_to_read(location: WarehouseLocation) -> Session:
    """The newest snapshot of the file. Raises WarehouseUnavailable where no task has left one yet, SettingError as `connect` does."""
    import duckdb

    if not location.path:
        raise SettingError("The warehouse connection is of type 'duckdb' and names no file. Put the file's path into its host.")
    for copy in newest_first(location.path):
        try:
            connection = duckdb.connect(str(copy.file), read_only=True, config={"memory_limit": READING_LIMIT, "threads": 2})
        except duckdb.IOException:
            continue  # a newer one took its place just now
        connection.execute("SET TimeZone = 'UTC'")
        session = DuckDBSession(location, connection)
        session.as_of = copy.left_at
        return session
    raise WarehouseUnavailable(
        f"There is no copy of {location.path} to look at yet: each task of the package leaves one beside the file when it has finished. "
        "Run cj_restatements or cj_reconciliation once."
    )


def _open(location: WarehouseLocation) -> duckdb.DuckDBPyConnection:
    import duckdb

    memory = location.memory_limit if isinstance(location, DuckDBLocation) else MEMORY_LIMIT
    path = Path(location.path)
    deadline = time.monotonic() + location.wait_seconds
    pause = 0.02
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"The warehouse file {path} cannot be opened: {error.strerror}. Correct the path.") from None
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": memory, "temp_directory": f"{path}.tmp"}
    while True:
        try:
            connection = duckdb.connect(str(path), config=config)
            connection.execute("SET TimeZone = 'UTC'")
            break
        except duckdb.Error as error:
            text = str(error)
            if "Could not set lock" not in text:
                # Of an IOException it is known that this process does not hold the file, which closing it would unlock.
                if isinstance(error, duckdb.IOException) and path.is_file() and path.stat().st_size and (kind := other_kind(path)):
                    raise _no_duckdb_file(path, kind) from None
                raise SettingError(f"The warehouse file {path} cannot be opened: {_first_line(text)}. Correct the path.") from None
            if time.monotonic() >= deadline:
                raise WarehouseUnavailable(
                    f"The warehouse file {path} is still held by another process after {location.wait_seconds:g} s. "
                    "Close whatever has it open (a notebook, a shell, another task), then try again."
                ) from None
        time.sleep(random.uniform(pause / 2, pause))
        pause = min(pause * 1.5, 0.5)
    kept = connection.execute(
        "SELECT path IS NOT NULL AND type = 'duckdb' FROM duckdb_databases() WHERE database_name = current_database()"
    )
    if kept.fetchall() != [(True,)]:
        # Some files DuckDB shows as a view in memory, and another kind of database through an extension.
        connection.close()
        raise _no_duckdb_file(path, other_kind(path) or "DuckDB holds it in memory")
    return connection


def _no_duckdb_file(path: Path, kind: str) -> SettingError:
    return SettingError(f"The warehouse file {path} is not a DuckDB file ({kind}): nothing written would be kept. Name a .duckdb file.")


class DuckDBSession(Session):
    """See `Session`."""

    held_alone = True

    def __init__(self, location: WarehouseLocation, connection: duckdb.DuckDBPyConnection) -> None:
        super().__init__(location)
        self._connection = connection
        self._numbers = count()
        self._locks = ExitStack()

    def translated(self, statement: str) -> str:
        return sqltext.found_by_row(super().translated(statement))

    def _run(self, sql: str, params: Params) -> int:
        with _speaking():
            done = self._connection.execute(sqltext.bind(sql, "${}".format), dict(params))
            counts = done.description is not None and [column[0] for column in done.description] == ["Count"]
            answer = done.fetchall()
        return int(answer[0][0]) if counts and answer else 0

    def _fetch(self, sql: str, params: Params) -> pa.Table:
        with _speaking():
            return self._connection.sql(sqltext.bind(sql, "${}".format), params=dict(params)).to_arrow_table()

    def _stream(self, sql: str, params: Params, batch_rows: int) -> Iterator[pa.RecordBatch]:
        name = f"temp.stream_{next(self._numbers)}"
        self._run(f"CREATE TEMP TABLE {name} AS SELECT *, row_number() OVER () - 1 AS stream_row FROM (\n{sql}\n) AS streamed", params)
        try:
            total = self._fetch(f"SELECT count(*) AS n FROM {name}", {})["n"][0].as_py()
            # An empty result still says which columns it has.
            for start in range(0, max(total, 1), batch_rows):
                piece = self._fetch(
                    f"SELECT * EXCLUDE (stream_row) FROM {name} WHERE stream_row >= :first AND stream_row < :last ORDER BY stream_row",
                    {"first": start, "last": start + batch_rows},
                )
                yield from piece.combine_chunks().to_batches() or [_empty(piece.schema)]
        finally:
            self._forget(name)

    def _forget(self, name: str) -> None:
        try:
            self._run(f"DROP TABLE IF EXISTS {name}", {})
        except WarehouseError:
            # A failed transaction takes its temporary table with it.
            return

    def _stream_exclusive(self, sql: str, params: Params, batch_rows: int) -> Iterator[pa.RecordBatch]:
        with _speaking():
            reader = self._connection.sql(sqltext.bind(sql, "${}".format), params=dict(params)).to_arrow_reader(batch_rows)
        try:
            schema, batches = reader.schema, 0
            while (batch := _next(reader)) is not None:
                batches += 1
                yield batch
            if not batches:
                yield _empty(schema)
        finally:
            reader.close()
            del reader

    def _insert(self, table: str, data: pa.Table) -> None:
        columns = ", ".join(f'"{name}"' for name in data.column_names)
        with _speaking():
            self._connection.register("appended_rows", data)
            try:
                self._connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM appended_rows").fetchall()
            finally:
                self._connection.unregister("appended_rows")

    def unpacked(self, table: str, key: str, column: str) -> str:
        return f"""(SELECT {key}, UNNEST(from_json({column}, '["JSON"]')) AS element FROM {table})"""

    def leave_snapshot(self) -> None:
        import duckdb

        with _speaking():
            try:
                with copied(self.location.path) as file:
                    self._copy_into(file)
            except (duckdb.IOException, OSError) as error:
                raise WarehouseError(
                    f"The copy beside {self.location.path} could not be written: {_kind_of(error)}. Give the folder {self.location.path}.snapshots "
                    "room, and this user the right to write there."
                ) from None

    def _copy_into(self, file: Path) -> None:
        self._connection.execute(f"ATTACH '{str(file).replace(chr(39), chr(39) * 2)}' AS snapshot")
        try:
            with self.transaction():
                self._connection.execute("CREATE SCHEMA snapshot.cj")
                for name in sorted(lasting_tables() - NOT_IN_A_SNAPSHOT):
                    left_out = f" REPLACE (CAST(NULL AS text) AS {column})" if (column := _NULL_IN_A_SNAPSHOT.get(name)) else ""
                    self._connection.execute(f"CREATE TABLE snapshot.cj.{name} AS SELECT *{left_out} FROM cj.{name}")
        finally:
            self._connection.execute("DETACH snapshot")

    def _begin(self, snapshot: bool) -> None:
        self._run("BEGIN TRANSACTION", {})

    def _commit(self) -> None:
        try:
            self._run("COMMIT", {})
        finally:
            self._locks.close()

    def _rollback(self) -> None:
        try:
            self._run("ROLLBACK", {})
        finally:
            self._locks.close()

    def _lock(self, name: str) -> None:
        """Other processes cannot have the file open; what is left are other sessions of this process."""
        with _locks_guard:
            lock = _locks.setdefault((str(Path(self.location.path).resolve()), name), threading.Lock())
        if not lock.acquire(timeout=self.location.wait_seconds):
            raise WarehouseUnavailable(f"Another transaction has held {name!r} for {self.location.wait_seconds:g} s. Try again.")
        self._locks.callback(lock.release)

    def _relations(self, schema: str) -> set[str]:
        found = self._fetch(
            "SELECT table_name AS name FROM information_schema.tables WHERE table_catalog = current_database() AND table_schema = :schema "
            "UNION ALL SELECT index_name FROM duckdb_indexes() WHERE database_name = current_database() AND schema_name = :schema",
            {"schema": schema},
        )
        return set(found["name"].to_pylist())

    def _describe(self, sql: str) -> dict[str, str]:
        nothing = dict.fromkeys(sqltext.names(sql))
        with _speaking():
            relation = self._connection.sql(sqltext.bind(sql, "${}".format), params=nothing)
            return {name: _type_name(str(kind)) for name, kind in zip(relation.columns, relation.types, strict=True)}

    def close(self) -> None:
        self._connection.close()
        self._locks.close()


def _type_name(kind: str) -> str:
    return "decimal" if kind.startswith("DECIMAL") else _TYPES.get(kind, kind.lower())


def _next(reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
    with _speaking():
        try:
            return reader.read_next_batch()
        except StopIteration:
            return None


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pylist([], schema=schema)


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0].rstrip(".!")


@contextmanager
def _speaking() -> Iterator[None]:
    """DuckDB's exceptions as ours. Its messages about data quote the data, so only those about names are passed on."""
    import duckdb
    import pyarrow as pa

    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise WarehouseShapeError(f"DuckDB: {_first_line(str(error))}. Create it, or correct the SQL that names it.") from None
    except (duckdb.ParserException, duckdb.SyntaxException) as error:
        raise WarehouseError(f"DuckDB cannot read the SQL: {_first_line(str(error))}. Correct the SQL.") from None
    except (duckdb.TransactionException, duckdb.ConnectionException) as error:
        raise WarehouseUnavailable(f"DuckDB gave up a transaction: {_kind_of(error)}. Nothing of it was kept; try again.") from None
    except (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.ConstraintException) as error:
        raise WarehouseError(f"DuckDB refused a value: {_kind_of(error)}. Compare the columns' types with the rows.") from None
    except duckdb.Error as error:
        raise WarehouseError(f"DuckDB refused the statement: {_kind_of(error)}. Correct the SQL, or give DuckDB more memory.") from None
    except (pa.ArrowException, OSError) as error:
        raise WarehouseError(f"DuckDB's result could not be read: {_kind_of(error)}. Correct the SQL.") from None


def _kind_of(error: Exception) -> str:
    return type(error).__name__
