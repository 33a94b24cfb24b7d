"""What CJ and every warehouse can carry: text without control characters, amounts that can be summed up, times of a calendar.

A NUL in a SKU would be sent, and afterwards stop what reads the order back; an infinite time is a number like any other to a comparison.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from include.domain.money import LARGEST_AMOUNT
from include.domain.shapes import INSTANT, MONEY

CONTROL = r"\p{Cc}"
"""A control character: NUL, tab, line break, escape and their like."""

LARGEST_QUANTITY = 2**31 - 1
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, tzinfo=UTC)
"""No order is older or younger; minus infinity is, and so is what PostgreSQL's driver makes of infinity."""

_NUL = "\x00"
_REPLACED = "\ufffd"


def plain(texts: pa.Array) -> pa.Array:
    """Whether there is no control character in them; null for null."""
    return pc.invert(pc.match_substring_regex(texts, CONTROL))


def in_range(values: pa.Array) -> pa.Array:
    """Whether amounts or times are such as can be carried; null for null."""
    if values.type == MONEY:
        return pc.and_(pc.less(values, pa.scalar(LARGEST_AMOUNT, MONEY)), pc.greater(values, pa.scalar(-LARGEST_AMOUNT, MONEY)))
    return pc.and_(pc.greater_equal(values, pa.scalar(FIRST, INSTANT)), pc.less_equal(values, pa.scalar(LAST, INSTANT)))


def kept_text(texts: pa.Array) -> pa.Array:
    """The texts as every warehouse stores them, for a row that is held back: U+FFFD for NUL."""
    return pc.replace_substring(texts, _NUL, _REPLACED)


def kept_time(times: pa.Array) -> pa.Array:
    """The times as every warehouse stores them; null where they cannot be."""
    return pc.if_else(in_range(times), times, pa.scalar(None, times.type))


def without_the_unstorable(table: pa.Table) -> pa.Table:
    """`table` (shapes.CHANGES) with null where a cancellation has something that no warehouse stores: it is not sent, so it was not judged."""
    cancelled = pc.fill_null(pc.equal(table["change_type"], "cancelled"), False)
    if not pc.any(cancelled).as_py():
        return table
    for number, field in enumerate(table.schema):
        if field.name in _NOT_SENT:
            column = table[field.name]
            lost = pc.and_(cancelled, pc.invert(pc.fill_null(_storable(column), True)))
            if pc.any(lost).as_py():
                table = table.set_column(number, field, _nulled(column, lost))
    return table


_NOT_SENT = frozenset(
    {"event_time", "amount", "discount", "currency", "coupon", "items", "cj_event", "sid", "custom_parameters", "vertical_parameters"}
)
"""What a cancellation has and CJ's input type for one has not."""


def _storable(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    if pa.types.is_list(column.type):
        return _items_storable(column.combine_chunks())
    if pa.types.is_string(column.type):
        return pc.invert(pc.match_substring(column, _NUL))
    return in_range(column)


def _items_storable(lists: pa.ListArray) -> pa.Array:
    there = lists.drop_null()  # what lies under a null list is no item of it
    items, orders = pc.list_flatten(there), pc.indices_nonzero(lists.is_valid()).take(pc.list_parent_indices(there))
    sku, quantity = pc.struct_field(items, "sku"), pc.struct_field(items, "quantity")
    too_many = pc.or_(pc.greater(quantity, LARGEST_QUANTITY), pc.less(quantity, -LARGEST_QUANTITY))
    lost = pc.or_(pc.fill_null(pc.match_substring(sku, _NUL), False), pc.fill_null(too_many, False))
    return pc.invert(pc.is_in(pa.array(range(len(lists)), orders.type), orders.filter(lost)))


def _nulled(column: pa.ChunkedArray, lost: pa.Array | pa.ChunkedArray) -> pa.Array:
    keep = pc.invert(lost).to_pylist()
    if not pa.types.is_list(column.type):
        return pc.if_else(lost, pa.scalar(None, column.type), column)
    return pa.array([items if kept else None for items, kept in zip(column.to_pylist(), keep, strict=True)], column.type)
