"""What the warehouse says: the orders an interval touched, each in its newest state.

How it works: the user's SQL (`include/sql/order_changes.sql`) is wrapped, so that money leaves the warehouse as text, ids as bigint and rows in the
binary order of their key. `parsing` turns the text columns into exact decimals and lists of items, a column at a time.

What it does not do: judge. A row whose text cannot be parsed goes on with that value null and the column's name in `malformed`; the gate
holds it back. Only a query that cannot give the contract's columns is refused, before a row is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from include.domain.errors import SettingError, WarehouseError, WarehouseShapeError, WarehouseUnavailable
from include.domain.shapes import CHANGES, KEY
from include.restatements.changes.parsing import parsed
from include.restatements.changes.read_ahead import one_ahead
from include.restatements.settings import Run
from include.sql import sql_text
from include.warehouse import sqltext
from include.warehouse.base import BATCH_ROWS, Session
from include.warehouse.orders import UNKNOWN, Dialect, OrdersReader

SHIPPED = "include/sql/order_changes.sql"
EITHER = f"{SHIPPED}, or the file that Variable cj_order_changes_sql names"

#: The replanned orders' SQL has no upper bound: their newest state counts, whenever it was.
END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)

_TEXT = ("text",)
_ID_TEXT = ("text", "integer")
_INTEGER = ("integer",)
# As text too: PostgreSQL calls a bare NULL text.
_INTEGER_TEXT = ("integer", "text")
_MONEY = ("decimal", "integer", "text")
_INSTANT = ("timestamptz",)
_JSON = ("text", "json")

#: How many orders one statement names.
IDS_AT_ONCE = 1_000

#: What the query's columns may be in the warehouse, by the names `Session.columns_of` gives.
ALLOWED: dict[str, tuple[str, ...]] = {
    "enterprise_id": _ID_TEXT,
    "action_tracker_id": _INTEGER,
    "order_id": _ID_TEXT,
    "change_type": _TEXT,
    "was_new": ("boolean", "text"),
    "event_time": _INSTANT,
    "updated_at": _INSTANT,
    "amount": _MONEY,
    "discount": _MONEY,
    "currency": _TEXT,
    "coupon": _TEXT,
    "items": _JSON,
    "status": _TEXT,
    "correction_reason": _TEXT,
    "cj_event": _ID_TEXT,
    "ad_id": _INTEGER_TEXT,
    "promotional_property_id": _INTEGER_TEXT,
    "sid": _ID_TEXT,
    "custom_parameters": _JSON,
    "vertical_parameters": _JSON,
}

#: What a shop may have none of: then the query may leave the column out, and null is what is meant.
LEFT_OUT = frozenset(
    {
        "was_new", "status", "correction_reason", "cj_event", "ad_id", "promotional_property_id", "sid", "custom_parameters",
        "vertical_parameters",
    }
)  # fmt: skip
#: What may be null in every row, so that a bare NULL will do. To lose these by a misspelled name would cost money: they are never left out.
_NULL = LEFT_OUT | {"discount", "currency", "coupon", "items"}

_BIGINTS = frozenset({"action_tracker_id", "ad_id", "promotional_property_id"})
_READ_FROM_TEXT = frozenset(name for name, kinds in ALLOWED.items() if "text" in kinds) & (_BIGINTS | {"was_new"})
_PARAMETERS = frozenset({"interval_start", "interval_end"})
_OUR_OWN = Dialect(ours=True)
_WHOLE = re.compile("0|[1-9][0-9]{0,17}")


def order_changes_sql(path: str | None = None) -> str:
    """The user's query: the shipped file, or the one at `path` (Variable cj_order_changes_sql). Raises SettingError where it cannot be read."""
    if path is None:
        return sql_text("order_changes")
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingError(
            f"Variable cj_order_changes_sql names {path!r}, which cannot be read as UTF-8 text. Give the path of an SQL file, or leave it out."
        ) from None


def file_to_edit(path: str | None) -> str:
    """Where `order_changes_sql(path)` is found, for a sentence that sends somebody there."""
    return SHIPPED if path is None else f"{path} (Variable cj_order_changes_sql)"


def check_shape(session: Session | OrdersReader, sql: str, file: str = EITHER) -> dict[str, str]:
    """The query's columns and their types, `null` where it is always null. `file` is where it can be edited. Asked of where the orders are.

    Refuses a query that does not give the contract's columns, before anything is read. Raises SettingError for a text that is not one query
    over :interval_start and :interval_end; WarehouseError for one that the warehouse cannot read; WarehouseShapeError naming the missing table, or the first wrong columns with the type found and the types wanted.
    """
    query = one_query(sql, file)
    try:
        columns = session.columns_of(query)
    except WarehouseUnavailable:
        raise
    except WarehouseError as error:
        raise type(error)(f"The order changes SQL cannot run. {error} The place to edit is {file}.") from None
    dialect = session.dialect if isinstance(session, OrdersReader) else _OUR_OWN
    wrong = [sentence for name in ALLOWED if (sentence := _complaint(name, columns.get(name), dialect))]
    if wrong:
        raise _does_not_fit(session, wrong, file)
    return columns


def unfit(reader: OrdersReader, column: str, kind: str) -> WarehouseShapeError:
    """What `check_shape` would have raised, had the driver said beforehand that `column` is of this type."""
    return _does_not_fit(reader, [_complaint(column, kind, reader.dialect) or f"Column {column} is {kind}."], EITHER)


def _does_not_fit(session: Session | OrdersReader, wrong: list[str], file: str) -> WarehouseShapeError:
    where = f" from connection {session.conn_id!r}" if isinstance(session, OrdersReader) else ""
    return WarehouseShapeError(f"The order changes SQL does not give what is needed{where}. {' '.join(wrong)} The place to edit is {file}.")


def left_out(columns: Mapping[str, str]) -> list[str]:
    """The contract's columns that the query does not give, in the contract's order: taken as null."""
    return [name for name in ALLOWED if name not in columns]


def extract(
    session: Session,
    run: Run,
    *,
    sql: str,
    replan_since: datetime | None = None,
    id_lists: int = 1,
    batch_rows: int = BATCH_ROWS,
    exclusive: bool = False,
) -> Iterator[pa.RecordBatch]:
    """The orders touched in the run's interval, as shapes.CHANGES, sorted by shapes.KEY in the binary order of the UTF-8 text.

    With `replan_since`, also the orders listed in cj.replan_keys that changed since then: those that changed longest ago are asked for by their ids
    (`id_lists` times IDS_AT_ONCE of them), so that one old order does not have the whole log read back to it. One statement, so one snapshot; flat memory.
    `exclusive` as in `Session.stream`: faster, since a thread reads ahead; leave the session alone until this is drained or closed.
    Never fewer than one batch; it may be empty.

    Raises what `check_shape` and `Session.stream` raise.
    """
    given = check_shape(session, sql)
    again = _again(session, given["order_id"], replan_since, id_lists) if replan_since is not None else []
    statement = _statement(session, sql, given, again)
    params: dict[str, object] = {"interval_start": run.interval_start, "interval_end": run.interval_end}
    for asked in again:
        params |= asked.params
    once = _Once()
    rows = session.stream(statement, params, batch_rows, exclusive=exclusive)
    # With the session to itself, the next batch is on its way while this one is parsed and judged.
    with closing(one_ahead(rows) if exclusive else rows) as batches:  # type: ignore[type-var]  # both are generators
        for batch in batches:
            yield parsed(once.of(batch) if again else batch)


def _complaint(column: str, found: str | None, dialect: Dialect) -> str | None:
    wanted = ALLOWED[column] + tuple(dialect.stands_for[kind] for kind in ALLOWED[column] if kind in dialect.stands_for)
    if found in (*wanted, UNKNOWN) or (found == "null" and column in _NULL) or (found is None and column in LEFT_OUT):
        return None
    if found is None:
        return f"Column {column} is missing ({' or '.join(wanted)})." + (
            f" Where you have none, say NULL AS {column}." if column in _NULL else ""
        )
    if ALLOWED[column] is _MONEY and found == "double":
        return f"Column {column} is a double, and a double has lost the cents already: make it a decimal where it is stored."
    if ALLOWED[column] is _INSTANT and found in dialect.advice:
        return dialect.advice[found].replace("{column}", column)
    if ALLOWED[column] is _INSTANT and found == "timestamp":
        return f"Column {column} is a timestamp without a time zone: say which zone it is in, for instance {column} AT TIME ZONE 'UTC' AS {column}."
    return f"Column {column} is {found}; it must be {' or '.join(wanted)}."


def one_query(sql: str, file: str = EITHER) -> str:
    """The text's one query. Raises SettingError where it holds another number, or a parameter that nothing is given for."""
    found = sqltext.statements(sql)
    if len(found) != 1:
        raise SettingError(f"The order changes SQL holds {len(found)} statements; it must hold one query. The place to edit is {file}.")
    unknown = set(sqltext.names(found[0])) - _PARAMETERS
    if unknown:
        names = ", ".join(f":{name}" for name in sorted(unknown))
        raise SettingError(
            f"The order changes SQL uses {names}; only :interval_start and :interval_end have values. The place to edit is {file}."
        )
    return found[0]


@dataclass(frozen=True)
class _Asked:
    """Orders of cj.replan_keys that are asked for together: `number` tells them apart from others, and from the interval's own, which have 0."""

    number: int
    since: datetime
    ids: tuple[str | int, ...] | None
    """None: all of them."""

    @property
    def params(self) -> dict[str, object]:
        within: dict[str, object] = {f"since_{self.number}": self.since, f"until_{self.number}": END_OF_TIME}
        return within | {f"id_{self.number}_{n}": value for n, value in enumerate(self.ids or ())}

    @property
    def by_id(self) -> str:
        """Beside the whole key: of the user's query a warehouse takes this one to its index."""
        return "" if self.ids is None else f"order_id IN ({', '.join(f':id_{self.number}_{n}' for n in range(len(self.ids)))}) AND "


def _again(session: Session, kind: str, since: datetime, id_lists: int) -> list[_Asked]:
    """Those that changed longest ago by their ids, the others by when the first of them changed. Where no id can be one of the column's, none."""
    by_id = id_lists * IDS_AT_ONCE
    oldest = session.rows(
        "SELECT order_id, MIN(updated_at) AS since FROM cj.replan_keys GROUP BY order_id ORDER BY MIN(updated_at), order_id LIMIT :many",
        {"many": by_id + 1},
    )
    asked: list[_Asked] = []
    for start in range(0, min(len(oldest), by_id), IDS_AT_ONCE):
        if ids := ids_as(kind, [str(row["order_id"]) for row in oldest[start : min(start + IDS_AT_ONCE, by_id)]]):
            asked.append(_Asked(len(asked) + 1, since, tuple(ids)))
    for row in oldest[by_id:]:
        assert isinstance(row["since"], datetime)
        asked.append(_Asked(len(asked) + 1, max(since, row["since"]), None))
    return asked


def ids_as(kind: str, ids: Sequence[str]) -> list[str] | list[int]:
    """As the column is: a text that is no whole number is no id of a column of numbers."""
    return [int(one) for one in ids if _WHOLE.fullmatch(one)] if kind == "integer" else list(ids)


def _statement(session: Session, sql: str, given: Mapping[str, str], again: Sequence[_Asked]) -> str:
    query = one_query(sql)
    columns = ",\n    ".join(expression(field.name, given.get(field.name)) for field in CHANGES if field.name in ALLOWED)
    # Cast, because an id may be kept as a number, and numbers have neither bytes nor a collation.
    order = ", ".join(session.binary_order(f"CAST({name} AS text)") if name != "action_tracker_id" else name for name in KEY)
    if not again:
        return f"SELECT\n    {columns}\nFROM (\n{query}\n) AS touched\nORDER BY {order}"
    branches = [f"SELECT\n    {columns},\n    0 AS replanned\nFROM (\n{query}\n) AS touched\n"]
    for asked in again:
        within = {"interval_start": f"since_{asked.number}", "interval_end": f"until_{asked.number}"}
        branches.append(
            f"SELECT\n    {columns},\n    {asked.number} AS replanned\nFROM (\n{sqltext.rename(query, within)}\n) AS touched\n"
            f"WHERE {asked.by_id}EXISTS (SELECT 1 FROM cj.replan_keys AS k WHERE k.enterprise_id = CAST(touched.enterprise_id AS text) "
            "AND k.action_tracker_id = touched.action_tracker_id AND k.order_id = CAST(touched.order_id AS text))\n"
        )
    return "SELECT * FROM (\n" + "UNION ALL\n".join(branches) + f") AS picked\nORDER BY {order}, replanned"


def expression(column: str, kind: str | None) -> str:
    """The column as it leaves the warehouse; `kind` is what the query gives it as, None where it does not."""
    value = "NULL" if kind in (None, "null") else column
    if kind == "text" and column in _READ_FROM_TEXT:
        return f"CAST({column} AS text) AS {column}"
    if column == "was_new":
        return f"COALESCE(CAST({value} AS boolean), change_type = 'new') AS was_new"
    if column in _BIGINTS:
        return f"CAST({value} AS bigint) AS {column}"
    if ALLOWED[column] is _INSTANT:
        return column
    return f"CAST({value} AS text) AS {column}"


class _Once:
    """Drops a replanned order that came before: both rows are its newest state, and they stand next to each other.

    An order that the SQL itself gives twice stays twice, for the gate to see.
    """

    def __init__(self) -> None:
        self._last: pa.RecordBatch | None = None

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if not batch.num_rows:
            return batch.drop_columns(["replanned"])
        before = pa.Table.from_batches([self._last or batch.slice(0, 0), batch]).combine_chunks()
        shift = before.num_rows - batch.num_rows

        def previous(name: str) -> pa.Array:
            return pa.concat_arrays([pa.nulls(1 - shift, batch.column(name).type), before.column(name).combine_chunks()[:-1]])

        repeated = pc.greater(batch.column("replanned"), pc.fill_null(previous("replanned"), 1))
        for name in KEY:
            repeated = pc.and_(repeated, pc.fill_null(pc.equal(batch.column(name), previous(name)), False))
        self._last = batch.slice(batch.num_rows - 1)
        return batch.filter(pc.invert(repeated)).drop_columns(["replanned"])
