"""Rows and Arrow of any driver, a column at a time, in the few types that orders are laid down in. Exact, or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from include.warehouse.orders import UnfitColumn

if TYPE_CHECKING:
    import pyarrow as pa

Rows = Sequence[Sequence[Any]]


def batch_of_rows(names: Sequence[str], rows: Rows, schema: pa.Schema, zoneless_is_utc: bool) -> pa.RecordBatch:
    """The rows of a cursor with columns `names`; a column of `schema` that they have not is null. Raises UnfitColumn."""
    import pyarrow as pa

    place = {name: n for n, name in enumerate(names)}
    arrays = []
    for field in schema:
        if field.name not in place:
            arrays.append(pa.nulls(len(rows), field.type))
            continue
        n, read = place[field.name], _reader(field, zoneless_is_utc)
        try:
            arrays.append(pa.array([None if row[n] is None else read(row[n]) for row in rows], field.type))
        except (pa.ArrowInvalid, OverflowError):
            raise UnfitColumn(field.name, "a number of more than 18 digits") from None
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def batch_of_arrow(piece: pa.Table | pa.RecordBatch, schema: pa.Schema, zoneless_is_utc: bool) -> Iterator[pa.RecordBatch]:
    """The same of a driver's Arrow. Raises UnfitColumn."""
    import pyarrow as pa

    table = pa.Table.from_batches([piece]) if isinstance(piece, pa.RecordBatch) else piece
    place = {name.lower(): n for n, name in enumerate(table.column_names)}
    columns = [
        _arrow(table.column(place[field.name]), field, zoneless_is_utc) if field.name in place else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    yield from pa.Table.from_arrays(columns, schema=schema).to_batches()


def _reader(field: pa.Field, zoneless_is_utc: bool) -> Callable[[Any], Any]:
    import pyarrow as pa

    name = field.name
    if pa.types.is_timestamp(field.type):
        return lambda value: _instant(name, value, zoneless_is_utc)
    if pa.types.is_int64(field.type):
        return lambda value: _whole(name, value)
    if pa.types.is_boolean(field.type):
        return lambda value: _flag(name, value)
    if name == "was_new":
        return _flag_text
    return lambda value: _text(name, value)


def _text(name: str, value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
        case bytes() | bytearray():
            try:
                return value.decode("utf-8")
            except UnicodeDecodeError:
                raise UnfitColumn(name, "binary") from None
    raise UnfitColumn(name, _kind(value))


def _flag_text(value: Any) -> str:
    """`true` and `false` where it is one of the two; any other as a text that is neither, and holds its row back."""
    if isinstance(value, int) and value in (0, 1):
        return "true" if value else "false"
    return _text("was_new", value)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnfitColumn(name, _kind(value))
    return value


def _whole(name: str, value: Any) -> int:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnfitColumn(name, _kind(value))
    return value


def _instant(name: str, value: Any, zoneless_is_utc: bool) -> datetime | None:
    if isinstance(value, str) and value.startswith("0000-00-00"):
        return None  # MySQL's way to say that there is none
    if not isinstance(value, datetime):
        raise UnfitColumn(name, _kind(value))
    if value.tzinfo is None and not zoneless_is_utc:
        raise UnfitColumn(name, "timestamp")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _kind(value: Any) -> str:
    """What a value is, in the words of `Session.columns_of`."""
    kinds: list[tuple[type | tuple[type, ...], str]] = [
        (bool, "boolean"), (int, "integer"), (float, "double"), (Decimal, "decimal"), (str, "text"), (datetime, "timestamp"), (date, "date"),
        ((dict, list, tuple), "an object that the driver has read already: CAST it to a text"),
    ]  # fmt: skip
    return next((word for kind, word in kinds if isinstance(value, kind)), type(value).__name__)


def _arrow(column: pa.ChunkedArray, field: pa.Field, zoneless_is_utc: bool) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    given, wanted, name = column.type, field.type, field.name
    if given == wanted or pa.types.is_null(given):
        return pc.cast(column, wanted)
    if pa.types.is_floating(given):
        raise UnfitColumn(name, "double")
    if pa.types.is_timestamp(wanted):
        if not pa.types.is_timestamp(given):
            raise UnfitColumn(name, str(given))
        if given.tz is None and not zoneless_is_utc:
            raise UnfitColumn(name, "timestamp")
        # Finer than a microsecond no order is: the rest is left.
        return pc.cast(column, wanted, safe=False)
    plain = pa.types.is_string(given) or pa.types.is_large_string(given) or pa.types.is_string_view(given)
    numbers = pa.types.is_integer(given) or pa.types.is_decimal(given)
    fits = (pa.types.is_string(wanted) and (plain or numbers or pa.types.is_boolean(given))) or (pa.types.is_int64(wanted) and numbers)
    if not fits:
        raise UnfitColumn(name, str(given))
    try:
        return pc.cast(column, wanted)
    except pa.ArrowInvalid:
        raise UnfitColumn(name, str(given)) from None
