"""One small interface to the warehouse: one connection, one transaction at a time, Arrow in and out.

`open_warehouse(location)` finds the kind's module by its name (`include.warehouse.location`) and asks its `connect(location)` for a `Session`.
A third warehouse is one more such module (docs/warehouses.md).

What a session gives back looks the same whatever the warehouse: every decimal is `decimal128(38, 10)` (shapes.MONEY), every instant
microseconds in UTC, every text `string`.

What it does not do: retry statements. A `WarehouseUnavailable` is transient, and the scheduler's to retry.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from include.domain.errors import WarehouseError
from include.warehouse import schema, sqltext
from include.warehouse.location import WarehouseLocation, kind_named, not_supported, supported_kinds

if TYPE_CHECKING:
    import pyarrow as pa

    Data: TypeAlias = pa.Table | pa.RecordBatch | pa.RecordBatchReader | Iterable[pa.RecordBatch]

__all__ = ["BATCH_ROWS", "Circumstance", "Params", "Session", "WarehouseLocation", "open_warehouse", "supported_kinds"]

Params: TypeAlias = Mapping[str, object]

BATCH_ROWS = 65_536
_NO_PARAMS: Params = {}


@contextmanager
def open_warehouse(location: WarehouseLocation) -> Iterator[Session]:
    """A session, closed at the end. Open late and close early: a DuckDB file has one writing process.

    Raises SettingError for a kind without a module or a location that is wrong; WarehouseUnavailable where it cannot be reached.
    """
    if location.kind not in supported_kinds():
        raise not_supported("The warehouse connection", location.kind)
    session: Session = kind_named(location.kind).connect(location)
    try:
        yield session
    finally:
        session.close()


@contextmanager
def open_for_reading(location: WarehouseLocation, seconds: int) -> Iterator[Session]:
    """A session in one transaction that only reads, sees one moment, and holds up nobody: each statement ends after `seconds`, where the server can.

    An embedded warehouse is not opened itself, since that would keep its writer out, but the copy that the last finished task left beside it
    (`Session.leave_snapshot`). Raises as `open_warehouse` does, and WarehouseUnavailable for a statement that took too long.
    """
    if location.kind not in supported_kinds():
        raise not_supported("The warehouse connection", location.kind)
    kind = kind_named(location.kind)
    session: Session = getattr(kind, "connect_to_read", kind.connect)(location)
    try:
        with session.transaction(snapshot=True):
            session.only_read(seconds)
            yield session
    finally:
        session.close()


@dataclass(frozen=True)
class Circumstance:
    """Something between here and the warehouse, in a sentence; with a `remedy` where it is better changed."""

    sentence: str
    remedy: str = ""
    stops: bool = False
    """It would end a night."""


class Session(ABC):
    """One connection to the warehouse. Not shared between threads.

    Outside `transaction()` every call stands alone. Parameters are written `:name` in the SQL and bound by the driver; names the text does
    not use are ignored. Every method raises WarehouseUnavailable, WarehouseShapeError or WarehouseError; none of them with row values.
    """

    spelling: ClassVar[Mapping[str, str]] = {}
    """How this warehouse spells our types, where it does not read them as they are: `{"timestamp with time zone": "timestamp_tz"}`."""
    held_alone: ClassVar[bool] = False  # nobody else can open the warehouse meanwhile, so it is open no longer than work is done in it

    def __init__(self, location: WarehouseLocation) -> None:
        self.location = location
        self.in_transaction = False
        self._streaming = False
        self._columns: dict[str, pa.Schema] = {}

    # -- statements ------------------------------------------------------------------------------------------------------------------

    def execute(self, sql: str, params: Params = _NO_PARAMS) -> int:
        """Run one or more statements, separated by `;`. Returns how many rows they changed."""
        self._ready()
        self._columns.clear()
        changed = [self._run(self.translated(statement), self._used(statement, params)) for statement in sqltext.statements(sql)]
        return sum(count for count in changed if count > 0)

    def rows(self, sql: str, params: Params = _NO_PARAMS) -> list[dict[str, object]]:
        """A small result as Python values: Decimal, aware datetime, str, int, bool, None."""
        from include.warehouse import arrow

        return arrow.python_rows(self.table(sql, params))

    def table(self, sql: str, params: Params = _NO_PARAMS) -> pa.Table:
        """A whole result in memory."""
        from include.warehouse import arrow

        self._ready()
        statement = self._single(sql)
        return arrow.common_table(self._fetch(statement, self._used(statement, params)), self.own_type)

    def stream(
        self, sql: str, params: Params = _NO_PARAMS, batch_rows: int = BATCH_ROWS, *, exclusive: bool = False
    ) -> Iterator[pa.RecordBatch]:
        """A large result in flat memory, of one snapshot, in batches of at most about `batch_rows`.

        Other statements may run between the batches; the result does not see them. `exclusive` promises that none will until the stream
        is drained or closed, which reads faster. Outside a transaction the stream is one of its own.
        """
        self._ready()
        statement = self._single(sql)
        used = self._used(statement, params)
        source = self._stream_exclusive if exclusive else self._stream
        if self.in_transaction:
            yield from self._streamed(source(statement, used, batch_rows), exclusive)
            return
        with self.transaction():
            yield from self._streamed(source(statement, used, batch_rows), exclusive)

    def each(self, sql: str, params: Params = _NO_PARAMS) -> Iterator[dict[str, Any]]:
        """The rows of a long result as Python values, in flat memory. No other statement runs until it is drained or closed."""
        from include.warehouse import arrow

        for batch in self.stream(sql, params, exclusive=True):
            yield from arrow.python_rows(batch)

    def append(self, table: str, data: Data) -> int:
        """Insert rows by column name, in bulk, in the current transaction; columns not given are null. Returns how many.

        `data` may itself come from `stream` of this session: it is pulled between the inserts, never during one.
        """
        self._ready()
        return sum(self._append(table, piece) for piece in _pieces(data))

    def analyze(self, *tables: str) -> None:
        """Tell the warehouse's planner that these tables were just filled in bulk, where it does not notice by itself.

        Without it a planner believes that a table filled in this transaction is empty, and joins it row by row: hours instead of seconds.
        """
        self._ready()
        for table in tables:
            self._analyze(table)

    def analyze_grown(self, *tables: str) -> None:
        """The same of tables that keep their rows, each where it has grown by a tenth or more since it was last done.

        Of a long history it would cost more than a night's rows are worth.
        """
        self._ready()
        for table in tables:
            if self._has_grown(table):
                self._analyze(table)

    def _analyze(self, table: str) -> None:  # noqa: B027 - a warehouse may have nothing to do here
        """Nothing, where statistics are always fresh."""

    def _has_grown(self, table: str) -> bool:
        """Whether it has a tenth more rows, or of their bytes, than its statistics are of."""
        return False

    # -- transactions ----------------------------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self, *, snapshot: bool = False) -> Iterator[Session]:
        """All or nothing: commits at the end, rolls back on an error. `snapshot`: all its reads see one moment (for reading, not writing)."""
        self._ready()
        if self.in_transaction:
            raise WarehouseError("A transaction is open already. Finish it (or the stream that opened it) before beginning another.")
        self._begin(snapshot)
        self.in_transaction = True
        try:
            yield self
        except BaseException:
            self.in_transaction = False
            self._abandon()
            raise
        self.in_transaction = False
        try:
            self._commit()
        except WarehouseError:
            self._abandon()
            raise

    as_of: datetime | None = None
    """Of which moment the rows are, where they are a copy's; None where they are the warehouse's own."""

    def only_read(self, seconds: int) -> None:  # noqa: B027 - see there
        """Inside a transaction: nothing is written in it, and no statement of it takes longer. Nothing to do where readers hold up nobody."""

    def leave_snapshot(self) -> None:  # noqa: B027 - see there
        """A copy of our tables for whoever only reads. Nothing to do where a server answers readers while others write."""

    def serialize(self, name: str) -> None:
        """Inside a transaction: wait until no other transaction holds `name`, then hold it to the end.

        Call it first in its transaction, so that everything read afterwards is what the others left.
        """
        if not self.in_transaction:
            raise WarehouseError(f"serialize({name!r}) needs a transaction to hold the name for. Call it inside transaction().")
        self._ready()
        self._lock(name)

    def _abandon(self) -> None:
        try:
            self._rollback()
        except WarehouseError:
            # A lost connection has rolled back already; the error that brought us here says more.
            return

    # -- shapes ----------------------------------------------------------------------------------------------------------------------

    def create_tables(self, *, whole: bool = False, kept: bool = True) -> None:
        """The tables of schema cj, in the newest version (include.warehouse.schema): one small query where they are that already.

        `whole` also brings back what was dropped by hand; not `kept`, it is only tried. Safe when two do it at once. Raises WarehouseShapeError on a newer package's schema.
        """
        schema.bring_up_to_date(self, whole=whole, kept=kept)

    def indexes(self) -> tuple[str, ...]:
        """`CREATE INDEX IF NOT EXISTS name ON …` where the warehouse profits."""
        return ()

    def working_tables(self) -> tuple[str, ...]:
        """What makes the tables that are emptied in the transaction that fills them cheaper, where the warehouse can."""
        return ()

    def unpacked(self, table: str, key: str, column: str) -> str:
        """In brackets, a query for a row for each element of the JSON list in `column`: `key` and `element`. Asked for some keys, it reads those rows alone."""
        elements = f"CROSS JOIN LATERAL jsonb_array_elements(CAST(r.{column} AS jsonb)) AS e (element)"
        return f"(SELECT r.{key}, e.element FROM {table} AS r {elements})"

    def readers(self, table: str) -> tuple[str, ...]:
        """Who was granted to read the table, as GRANT writes them. Nobody where there are no rights."""
        return ()

    def has_schema(self, name: str) -> bool:
        """Whether there is such a schema that this login has a right to."""
        found = self.rows(
            "SELECT COUNT(*) AS n FROM information_schema.schemata WHERE catalog_name = current_database() AND schema_name = :name",
            {"name": name},
        )
        return found != [{"n": 0}]

    def has_table(self, schema: str, name: str) -> bool:
        """Whether there is such a table or view."""
        return name in self._relations(schema)

    def columns_of(self, sql: str) -> dict[str, str]:
        """The columns a query would give and their types, without running it. Parameters need no values.

        Types, whatever the warehouse: `text` `integer` `decimal` `double` `boolean` `timestamptz` `timestamp` `date` `json`; others as it names them.
        A bare NULL is `null`, or `text` where the warehouse makes no difference.
        """
        self._ready()
        return self._describe(self._single(sql))

    def translated(self, statement: str) -> str:
        """One of our statements as this warehouse reads it, or reads it best. Names of values stay `:name`."""
        return sqltext.respelled(statement, self.spelling)

    def own_type(self, kind: pa.DataType) -> pa.DataType | None:
        """What a column travels with whose Arrow type only this driver has; None for all that are Arrow's own."""
        return None

    def circumstances(self) -> list[Circumstance]:
        """What is to be known of the way to the server; nothing where there is none."""
        return []

    def binary_order(self, expression: str) -> str:
        """The expression, ordered by the bytes of its UTF-8 text instead of by a language's rules."""
        return expression

    # -- what a warehouse supplies ---------------------------------------------------------------------------------------------------

    @abstractmethod
    def _run(self, sql: str, params: Params) -> int: ...

    @abstractmethod
    def _fetch(self, sql: str, params: Params) -> pa.Table: ...

    @abstractmethod
    def _stream(self, sql: str, params: Params, batch_rows: int) -> Iterator[pa.RecordBatch]:
        """Batches between which other statements may run. Always inside a transaction."""

    @abstractmethod
    def _stream_exclusive(self, sql: str, params: Params, batch_rows: int) -> Iterator[pa.RecordBatch]:
        """Batches as fast as they come; the connection is theirs. Always inside a transaction."""

    @abstractmethod
    def _insert(self, table: str, data: pa.Table) -> None:
        """Bulk insert of columns that have the table's own types already."""

    @abstractmethod
    def _begin(self, snapshot: bool) -> None: ...

    @abstractmethod
    def _commit(self) -> None: ...

    @abstractmethod
    def _rollback(self) -> None: ...

    @abstractmethod
    def _lock(self, name: str) -> None: ...

    @abstractmethod
    def _relations(self, schema: str) -> set[str]:
        """Tables, views and indexes."""

    @abstractmethod
    def _describe(self, sql: str) -> dict[str, str]: ...

    @abstractmethod
    def close(self) -> None: ...

    # -- shared ----------------------------------------------------------------------------------------------------------------------

    def _ready(self) -> None:
        if self._streaming:
            raise WarehouseError("An exclusive stream is still open on this session. Drain or close it before anything else.")

    def _streamed(self, batches: Iterator[pa.RecordBatch], exclusive: bool) -> Iterator[pa.RecordBatch]:
        from include.warehouse import arrow

        self._streaming = exclusive
        try:
            with closing(batches):  # type: ignore[type-var]  # both sources are generators
                for batch in batches:
                    yield arrow.common_batch(batch, self.own_type)
        finally:
            self._streaming = False

    def _append(self, table: str, data: pa.Table) -> int:
        from include.warehouse import arrow

        if table not in self._columns:
            self._columns[table] = self._fetch(f"SELECT * FROM {table} WHERE 1 = 0", {}).schema
        self._insert(table, arrow.fitted(data, self._columns[table], table, self.own_type))
        return data.num_rows

    def _single(self, sql: str) -> str:
        found = sqltext.statements(sql)
        if len(found) != 1:
            raise WarehouseError(f"One query was expected and the text holds {len(found)} statements. Leave one.")
        return self.translated(found[0])

    @staticmethod
    def _used(statement: str, params: Params) -> dict[str, object]:
        used: dict[str, object] = {}
        for name in sqltext.names(statement):
            if name not in params:
                given = ", ".join(f":{p}" for p in params) or "none"
                raise WarehouseError(f"The SQL uses :{name}, and no value is given for it. Given: {given}. Correct the name in the SQL.")
            value = params[name]
            if isinstance(value, datetime) and value.tzinfo is None:
                raise WarehouseError(f"The value of :{name} is a time without a zone. Times are aware; give it UTC.")
            if isinstance(value, float):
                raise WarehouseError(f"The value of :{name} is a float. Give an int or a Decimal, so that no digit is lost.")
            used[name] = value
        return used


def _pieces(data: Data) -> Iterator[pa.Table]:
    """The data in tables big enough for one bulk insert each, pulled one at a time."""
    import pyarrow as pa

    if isinstance(data, pa.RecordBatch):
        data = [data]
    if isinstance(data, pa.Table):
        if data.num_rows:
            yield data
        return
    waiting: list[pa.RecordBatch] = []
    for batch in data:
        if batch.num_rows:
            waiting.append(batch)
        if sum(b.num_rows for b in waiting) >= BATCH_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)
