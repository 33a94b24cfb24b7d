"""Values on their way into a statement: what PostgreSQL's type of each is, and how the driver carries it."""

from __future__ import annotations

import struct
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from include.domain.errors import WarehouseError
from include.domain.money import PRECISION, from_units, units_of
from include.warehouse import sqltext
from include.warehouse.base import Params

if TYPE_CHECKING:
    import pyarrow as pa


def bound(sql: str, params: Params) -> tuple[str, pa.RecordBatch | None]:
    """The statement with `$1`, `$2` for its names, and their values as one Arrow row."""
    if not params:
        return sql, None
    import pyarrow as pa

    # A time goes as text: for one of its own type the driver sets the session's time zone, and leaves it set.
    numbered = {
        name: f"CAST(${n} AS timestamptz)" if isinstance(value, datetime) else f"${n}"
        for n, (name, value) in enumerate(params.items(), start=1)
    }
    sent = [
        value.isoformat() if isinstance(value, datetime) else as_text(value) if isinstance(value, str) else value
        for value in params.values()
    ]
    arrays = [_of_one(value) for value in sent]
    return sqltext.bind(sql, numbered.__getitem__), pa.RecordBatch.from_arrays(arrays, names=list(params))


def as_text(value: object) -> str | None:
    """The value as PostgreSQL reads it from text."""
    return str.__str__(value) if isinstance(value, str) else None if value is None else str(value)


def _of_one(value: object) -> pa.Array:
    """An array of just this value, put together from its bytes: `pa.array` imports pandas, which is too much for whoever only reads."""
    import pyarrow as pa

    kind = _kind(value)[0]
    match value:
        case None:
            return pa.nulls(1, kind)
        case str():
            text = value.encode()
            return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(struct.pack("<ii", 0, len(text))), pa.py_buffer(text)])
        case bool():
            plain = bytes([value])
        case int():
            plain = value.to_bytes(8, "little", signed=True)
        case Decimal():
            units = units_of(value)
            if abs(units) >= 10**PRECISION or from_units(units) != value:
                raise WarehouseError("A Decimal with more digits than decimal(38, 10) has cannot be bound. Round it first.")
            plain = units.to_bytes(16, "little", signed=True)
        case date():
            plain = struct.pack("<i", (value - date(1970, 1, 1)).days)
    return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(plain)])


def sql_type(value: object) -> str:
    """The type to CAST the value's text to. Raises WarehouseError for a value that cannot be bound."""
    return _kind(value)[1]


def _kind(value: object) -> tuple[pa.DataType, str]:
    import pyarrow as pa

    from include.domain.shapes import INSTANT, MONEY

    match value:
        case None:
            return pa.null(), "text"
        case bool():
            return pa.bool_(), "boolean"
        case int():
            return pa.int64(), "bigint"
        case str():
            return pa.string(), "text"
        case Decimal():
            return MONEY, "numeric"
        case datetime():
            return INSTANT, "timestamptz"
        case date():
            return pa.date32(), "date"
    raise WarehouseError(
        f"A value of type {type(value).__name__} cannot be bound. Give text, an int, a Decimal, a bool, a date or an aware time."
    )
