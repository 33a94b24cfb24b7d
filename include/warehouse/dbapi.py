"""A database of orders that is none of our kinds: read through the cursors of its driver (DB-API), as Airflow's hook opens it.

Rows come as Arrow where the cursor gives that (`fetch_record_batch` of ADBC, `fetch_arrow_batches` of Snowflake); else they are fetched by the
thousand, from a cursor that leaves the result on the server. Either way nothing passes through a float: a value that is one is refused.

How a driver tells a column's type is told in `include.warehouse.dbapi_dialects`; where it does not, the values do. What does not come: the driver's own words
(`include.warehouse.dbapi_words`), since they may quote a statement with its values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from include.warehouse import sqltext
from include.warehouse.base import Params
from include.warehouse.dbapi_dialects import Driver, driver_of
from include.warehouse.dbapi_words import not_opened, speaking
from include.warehouse.orders import OrdersReader, OrdersSource

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class CursorSource(OrdersSource):
    """A database behind one of Airflow's SQL hooks. `hook` makes the hook: it has `get_conn()` and `placeholder`."""

    conn_id: str
    kind: str
    address: str
    hook: Callable[[], Any] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.kind} at {self.address}"

    @contextmanager
    def open(self) -> Iterator[OrdersReader]:
        hook = self.hook()
        try:
            connection = hook.get_conn()
        except Exception as error:  # noqa: BLE001 - each driver has its own, and a hook more; what is none of theirs is told too
            raise not_opened(error, self.conn_id, self.kind, str(self)) from None
        try:
            yield _CursorReader(self.conn_id, connection, hook.placeholder, driver_of(self.kind))
        finally:
            with suppress(Exception):  # it may be lost already, or in the middle of a result; what brought us here says more
                connection.close()


class _CursorReader(OrdersReader):
    def __init__(self, conn_id: str, connection: Any, placeholder: str, driver: Driver) -> None:
        super().__init__(conn_id, driver.dialect)
        self._connection, self._placeholder, self._driver = connection, placeholder, driver
        with speaking(conn_id):
            driver.prepare(connection)

    def columns_of(self, sql: str) -> dict[str, str]:
        nothing = {name: datetime(2000, 1, 1, tzinfo=UTC) for name in sqltext.names(sql)}
        with speaking(self.conn_id), closing(self._cursor()) as cursor:
            self._execute(cursor, f"SELECT * FROM (\n{sql}\n) touched WHERE 1 = 0", nothing)
            described = {str(column[0]).lower(): self._driver.kind_of(column) for column in cursor.description}
            cursor.fetchall()
        return described

    def stream(self, sql: str, params: Params, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        from include.warehouse.dbapi_values import batch_of_arrow, batch_of_rows

        with speaking(self.conn_id):
            cursor = self._cursor()
            try:
                self._execute(cursor, sql, params)
                names = [str(column[0]).lower() for column in cursor.description]
                if (pieces := _arrow_of(cursor)) is not None:
                    for piece in pieces:
                        yield from (batch_of_arrow(piece, schema, self._driver.zoneless_is_utc))
                    return
                while rows := cursor.fetchmany(ROWS_AT_ONCE):
                    yield batch_of_rows(names, rows, schema, self._driver.zoneless_is_utc)
            finally:
                with suppress(Exception):  # drivers complain of rows that nobody has read
                    cursor.close()

    def table(self, sql: str, params: Params, schema: pa.Schema) -> pa.Table:
        import pyarrow as pa

        return pa.Table.from_batches(list(self.stream(sql, params, schema)), schema)

    def _cursor(self) -> Any:
        return self._driver.cursor(self._connection)

    def _execute(self, cursor: Any, sql: str, params: Params) -> None:
        statement, values = self._bound(sql, params)
        cursor.execute(statement, values)

    def _bound(self, sql: str, params: Params) -> tuple[str, Sequence[object]]:
        """The statement with the driver's own placeholders, and their values in the order in which they stand."""
        values: list[object] = []

        def placed(name: str) -> str:
            values.append(self._driver.sent(params[name]))
            return "\0"

        text = sqltext.bind(sql, placed)
        # Where a placeholder begins with %, each % of the statement itself is written twice.
        text = text.replace("%", "%%") if self._placeholder.startswith("%") else text
        return text.replace("\0", self._placeholder), tuple(values)


def _arrow_of(cursor: Any) -> Iterator[Any] | None:
    """The result in Arrow's tables or batches, where this driver and this result give that."""
    if hasattr(cursor, "fetch_record_batch"):
        return iter(cursor.fetch_record_batch())
    if hasattr(cursor, "fetch_arrow_batches"):
        return iter(cursor.fetch_arrow_batches())
    return None
