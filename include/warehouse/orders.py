"""Where the orders are when that is not the warehouse: another database, which is only read.

`OrdersSource.open()` gives an `OrdersReader`: it tells a query's columns and streams its rows as Arrow, and no more is asked of it. A database that is
one of our kinds of warehouse is read through its own `Session` (`SessionSource`); every other through its driver's cursors (`include.warehouse.dbapi`).

What it does not do: sort, join or write. The rows are laid down on this machine and put in order there (`include.restatements.changes.orders`), since a
replica takes no temporary table and every database sorts text in its own way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from include.domain.errors import RestatementsError, SettingError, WarehouseShapeError
from include.warehouse.base import Params, Session, open_warehouse
from include.warehouse.location import WarehouseLocation

if TYPE_CHECKING:
    import pyarrow as pa


UNKNOWN = "unknown"
"""What a driver's column is called whose type it does not tell: then the values do."""


@dataclass(frozen=True)
class Dialect:
    """What a database of orders has otherwise than a warehouse of ours."""

    ours: bool = False
    """It reads the SQL this package writes, `CAST(x AS text)` say; else a column is asked for by its bare name."""
    stands_for: Mapping[str, str] = field(default_factory=dict)
    """A type that it has not, and the one that is taken in its place: `{"boolean": "integer"}`."""
    advice: Mapping[str, str] = field(default_factory=dict)
    """What to do about a type that is refused, in its own SQL; `{column}` is the column."""


class UnfitColumn(WarehouseShapeError):
    """A row shows that a column is of a type that is not taken: the driver did not say so before."""

    def __init__(self, column: str, kind: str) -> None:
        super().__init__(f"Column {column} is {kind}, which is not taken. Correct it in the order changes SQL.")
        self.column, self.kind = column, kind


class OrdersReader(ABC):
    """One connection to the database of the orders. Every method raises what a `Session` raises; each sentence names the Airflow connection."""

    def __init__(self, conn_id: str, dialect: Dialect) -> None:
        self.conn_id, self.dialect = conn_id, dialect

    @abstractmethod
    def columns_of(self, sql: str) -> dict[str, str]:
        """The columns a query would give and their types, as `Session.columns_of` names them; `unknown` where the driver does not say."""

    @abstractmethod
    def stream(self, sql: str, params: Params, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """A large result in flat memory, its columns in `schema`. Raises UnfitColumn."""

    @abstractmethod
    def table(self, sql: str, params: Params, schema: pa.Schema) -> pa.Table:
        """A small result, its columns in `schema`. Raises UnfitColumn."""


class OrdersSource(ABC):
    """Where the orders are. Printing it shows no password."""

    conn_id: str

    @abstractmethod
    def open(self) -> AbstractContextManager[OrdersReader]:
        """A reader, closed at the end. Raises SettingError for what a person must correct, WarehouseUnavailable for what may pass by itself."""


@dataclass(frozen=True)
class SessionSource(OrdersSource):
    """A database of one of our own kinds."""

    location: WarehouseLocation
    conn_id: str

    def __str__(self) -> str:
        return str(self.location)

    @contextmanager
    def open(self) -> Iterator[OrdersReader]:
        if self.location.path and not Path(self.location.path).exists():
            raise SettingError(
                f"Connection {self.conn_id!r}: there is no file {self.location.path}. Put the file that holds the orders into its host."
            )
        with ExitStack() as opened:
            with _named(self.conn_id):
                session = opened.enter_context(open_warehouse(self.location))
            yield _SessionReader(self.conn_id, session)


class _SessionReader(OrdersReader):
    def __init__(self, conn_id: str, session: Session) -> None:
        super().__init__(conn_id, Dialect(ours=True))
        self._session = session

    def columns_of(self, sql: str) -> dict[str, str]:
        with _named(self.conn_id):
            return self._session.columns_of(sql)

    def stream(self, sql: str, params: Params, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        with _named(self.conn_id):
            for batch in self._session.stream(sql, params, exclusive=True):
                yield batch.cast(schema)

    def table(self, sql: str, params: Params, schema: pa.Schema) -> pa.Table:
        # Not as a stream: there each value of a PostgreSQL statement is a question of its own to the server.
        with _named(self.conn_id):
            return self._session.table(sql, params).cast(schema)


@contextmanager
def _named(conn_id: str) -> Iterator[None]:
    """A session calls what it reads the warehouse. Here that would send a person to the wrong connection."""
    try:
        yield
    except RestatementsError as error:
        said = str(error).replace("The warehouse", "the database", 1).replace("the connection", f"connection {conn_id!r}")
        raise type(error)(f"Connection {conn_id!r}: {said}") from None
