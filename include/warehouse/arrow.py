"""One Arrow type per kind of value, whatever the driver gives: see `include.warehouse.base`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from include.domain.errors import WarehouseShapeError
from include.domain.shapes import INSTANT, MONEY

OwnType: TypeAlias = Callable[[pa.DataType], pa.DataType | None]
"""What a driver's own types travel with: `Session.own_type`."""


def common_type(kind: pa.DataType, own: OwnType) -> pa.DataType:
    """The type a column travels with after the warehouse."""
    if (said := own(kind)) is not None:
        return said
    if pa.types.is_decimal(kind):
        return MONEY
    if isinstance(kind, pa.BaseExtensionType):
        return pa.string()
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_timestamp(kind):
        return INSTANT if kind.tz else pa.timestamp("us")
    return kind


def common_batch(batch: pa.RecordBatch, own: OwnType) -> pa.RecordBatch:
    """The batch in the few types every warehouse reads and writes."""
    schema = pa.schema([(f.name, common_type(f.type, own)) for f in batch.schema])
    return pa.RecordBatch.from_arrays([_cast(batch.column(i), f) for i, f in enumerate(schema)], schema=schema)


def common_table(table: pa.Table, own: OwnType) -> pa.Table:
    """The table in the few types every warehouse reads and writes."""
    schema = pa.schema([(f.name, common_type(f.type, own)) for f in table.schema])
    return pa.Table.from_arrays([_cast(table.column(i), f) for i, f in enumerate(schema)], schema=schema)


def fitted(data: pa.Table, columns: pa.Schema, table: str, own: OwnType) -> pa.Table:
    """The data in the types of the table's own columns. Raises WarehouseShapeError where a column is unknown or a value does not fit."""
    wanted = {f.name: f.type for f in columns}
    unknown = [name for name in data.column_names if name not in wanted]
    if unknown:
        raise WarehouseShapeError(
            f"Table {table} has no column {', '.join(unknown)}. Add it to the table, or leave it out of what is written."
        )
    schema = pa.schema([(name, _storable(wanted[name], own)) for name in data.column_names])
    return pa.Table.from_arrays([_cast(data.column(f.name), f) for f in schema], schema=schema)


def _storable(kind: pa.DataType, own: OwnType) -> pa.DataType:
    return common_type(kind, own) if not pa.types.is_decimal(kind) else kind


def _cast(column: pa.Array | pa.ChunkedArray, wanted: pa.Field) -> pa.Array | pa.ChunkedArray:
    if isinstance(column.type, pa.BaseExtensionType):
        column = _storage(column)
    if column.type == wanted.type:
        return column
    try:
        return pc.cast(column, wanted.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise WarehouseShapeError(
            f"Column {wanted.name} holds a value of type {column.type} that is not exactly a {wanted.type}. "
            "CAST or ROUND it in the SQL, or correct the table's column type."
        ) from None


def _storage(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    if isinstance(column, pa.ChunkedArray):
        return pa.chunked_array([chunk.storage for chunk in column.chunks], type=column.type.storage_type)
    return column.storage


_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


def python_rows(table: pa.Table | pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows of a `common_table` as Python values. Arrow's own `to_pylist` imports pandas for an instant; whoever only reads does not pay for that."""
    return [dict(zip(table.column_names, row, strict=True)) for row in python_tuples(table)]


def python_tuples(table: pa.Table | pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """The same without the names: of tens of thousands of rows a dictionary each takes longer than to read them."""
    return zip(*(_python_values(column) for column in table.columns), strict=True)


def _python_values(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    if column.type != INSTANT:
        return list(column.to_pylist())
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    micros = [n for chunk in chunks for n in chunk.view(pa.int64()).to_pylist()]
    return [None if n is None else _BEGIN + timedelta(microseconds=n) for n in micros]
