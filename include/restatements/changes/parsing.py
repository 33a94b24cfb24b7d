"""Text columns to exact values, a column at a time; a value at a time only for the few rows the fast way refuses.

Both ways give the same answer. The fast way never lets a number pass through a float: decimals are read from their digits.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from include.domain.money import PRECISION, SCALE
from include.domain.shapes import CHANGES, INSTANT, ITEM, ITEMS, MONEY
from include.restatements.changes.lines import LINE_TOTAL, MOMENT, Unreadable, amount_of, flag_of, id_of, instant_of, items_of

_PLAIN = r"^[+-]?[0-9]{1,28}(\.[0-9]{1,10})?$"
_GIVEN = pa.list_(pa.struct([*ITEM, (LINE_TOTAL, MONEY)]))
_LINE = pa.schema([("n", pa.int64()), ("i", pa.list_(_GIVEN))])
_LARGEST = Decimal((0, (9,) * PRECISION, -SCALE))
#: Where the fast way refuses a batch, halves of it are tried, down to this size: one bad row costs its neighbours little.
_SMALLEST = 256


def parsed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of text columns as shapes.CHANGES; `malformed` names the first column of a row that could not be parsed, and what was found there."""
    malformed = pa.nulls(batch.num_rows, pa.string())
    columns: dict[str, pa.Array] = {name: batch.column(name) for name in batch.schema.names}
    for name, (read, read_one) in _PARSED.items():
        text = columns[name]
        if not pa.types.is_string(text.type):
            continue
        columns[name] = read(text)
        doubtful = pc.and_(pc.and_(pc.is_valid(text), pc.is_null(columns[name])), pc.is_null(malformed))
        if doubtful.true_count:
            found = [_found(name, read_one, one) for one in text.filter(doubtful).to_pylist()]
            malformed = pc.replace_with_mask(malformed, doubtful, pa.array(found, pa.string()))
    columns["malformed"] = malformed
    columns["was_new"] = pc.coalesce(columns["was_new"], pc.equal(columns["change_type"], "new"))
    return pa.RecordBatch.from_arrays([columns[field.name] for field in CHANGES], schema=CHANGES)


def parsed_money(text: pa.Array) -> pa.Array:
    """decimal128(38, 10) from text; null for null, for an empty text, and where it is not a number that fits exactly."""
    plain = pc.fill_null(pc.match_substring_regex(text, _PLAIN), False)
    amounts = pc.cast(pc.if_else(plain, text, None), MONEY)
    rest = pc.and_(pc.is_valid(text), pc.invert(plain))
    if not rest.true_count:
        return amounts
    slow = pa.array([_or_none(_amount, value) for value in text.filter(rest).to_pylist()], MONEY)
    return pc.replace_with_mask(amounts, rest, slow)


def parsed_ids(text: pa.Array) -> pa.Array:
    """int64 from text; null where it is not a plain whole number of at most 18 digits."""
    plain = pc.fill_null(pc.match_substring_regex(text, "^[0-9]{1,18}$"), False)
    return pc.cast(pc.if_else(plain, text, None), pa.int64())


def parsed_flags(text: pa.Array) -> pa.Array:
    """Booleans from the texts `true` and `false`; null for every other."""
    known = pc.is_in(text, pa.array(["true", "false"]))
    return pc.if_else(known, pc.equal(text, "true"), None)


def parsed_instants(text: pa.Array) -> pa.Array:
    """Moments in UTC from ISO texts that say their zone; null for every other."""
    plain = pc.if_else(pc.fill_null(pc.match_substring_regex(text, f"^{MOMENT}$"), False), text, None)
    try:
        return pc.cast(plain, INSTANT)
    except pa.ArrowInvalid:  # one is of a day that there is not
        return pa.array([None if value is None else _or_none(instant_of, value) for value in plain.to_pylist()], INSTANT)


def parsed_items(text: pa.Array) -> pa.Array:
    """shapes.ITEMS from JSON text; null for null, for an empty text, and for what is not a list of items with exact values."""
    try:
        return _items_at_once(text)
    except pa.ArrowInvalid:
        if len(text) <= _SMALLEST:
            return pa.array([_or_none(items_of, value) for value in text.to_pylist()], ITEMS)
        half = len(text) // 2
        return pa.concat_arrays([parsed_items(text[:half]), parsed_items(text[half:])])


def _amount(text: str) -> Decimal | None:
    return amount_of(text) if text.strip() else None


_PARSED: dict[str, tuple[Callable[[pa.Array], pa.Array], Callable[[str], object]]] = {
    "amount": (parsed_money, _amount),
    "discount": (parsed_money, _amount),
    "items": (parsed_items, items_of),
    "was_new": (parsed_flags, flag_of),
    "ad_id": (parsed_ids, id_of),
    "promotional_property_id": (parsed_ids, id_of),
    "event_time": (parsed_instants, instant_of),
    "updated_at": (parsed_instants, instant_of),
}
"""How a column that may come as text is read: as a whole, and one text at a time, which says what was found where it cannot be. In the order in which
a row's first wrong text is named."""


def _or_none(read_one: Callable[[str], Any], text: str) -> Any:
    try:
        return read_one(text)
    except Unreadable:
        return None


def _found(name: str, read_one: Callable[[str], object], text: str) -> str | None:
    try:
        read_one(text)
    except Unreadable as problem:
        return f"{name}: {problem}"
    return None


def _items_at_once(text: pa.Array) -> pa.Array:
    """All rows as one newline-delimited document. Each line carries its row number, so that no text can shift the rows after it."""
    if not len(text):
        return pa.array([], ITEMS)
    numbers = pa.array(range(len(text)), pa.int64())
    prefix = pc.binary_join_element_wise('{"n":', pc.cast(numbers, pa.string()), ',"i":[', "")
    lines = pc.binary_join_element_wise(prefix, pc.fill_null(text, "null"), "]}\n", "")
    document = lines.buffers()[2]
    start, end = _bounds(lines)
    read = pj.read_json(
        pa.BufferReader(document.slice(start, end - start)),
        read_options=pj.ReadOptions(use_threads=True, block_size=1 << 22),
        parse_options=pj.ParseOptions(explicit_schema=_LINE, newlines_in_values=False, unexpected_field_behavior="ignore"),
    ).combine_chunks()
    if read.num_rows != len(text) or not pc.all(pc.equal(read["n"], pa.chunked_array([numbers]))).as_py():
        raise pa.ArrowInvalid("a text holds more or less than one value")
    outer = _one_chunk(read["i"])
    if outer.null_count or not pc.all(pc.equal(pc.list_value_length(outer), 1)).as_py():
        raise pa.ArrowInvalid("a text holds more or less than one value")
    items = outer.flatten()
    each = items.flatten()
    if each.null_count:
        raise pa.ArrowInvalid("an item is null")
    if any(_too_large(each.field(name)) for name in ("unit_price", "discount")):
        raise pa.ArrowInvalid("a price has too many digits")
    return _without_totals(text, items)


def _without_totals(text: pa.Array, items: pa.Array) -> pa.Array:
    """`items` in shapes.ITEMS; those of which a line is given by its total are read one by one."""
    totals = items.flatten().field(LINE_TOTAL).is_valid()
    lengths = pc.fill_null(pc.list_value_length(items), 0)
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
    offsets = pc.if_else(pa.concat_arrays([items.is_valid(), pa.array([True])]), offsets, None)
    plain = pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(items.flatten().flatten()[: len(ITEM)], fields=list(ITEM)))
    if not totals.true_count:
        return plain
    by_total = np.zeros(len(items), np.bool_)
    by_total[pc.list_parent_indices(items).filter(totals).to_numpy()] = True
    rows = pa.array([_or_none(items_of, one) for one in text.filter(pa.array(by_total)).to_pylist()], ITEMS)
    turn = np.arange(len(items))
    turn[by_total] = len(items) + np.arange(len(rows))
    return pa.concat_arrays([plain, rows]).take(pa.array(turn))


def _too_large(prices: pa.Array) -> bool:
    """Arrow's JSON reader lets through what fits 128 bits and has 39 digits."""
    ends = pc.min_max(prices).as_py()
    return ends["max"] is not None and max(ends["max"], ends["min"].copy_negate()) > _LARGEST


def _bounds(lines: pa.StringArray) -> tuple[int, int]:
    offsets = pa.Array.from_buffers(pa.int32(), len(lines) + 1, [None, lines.buffers()[1]], offset=lines.offset)
    return offsets[0].as_py(), offsets[-1].as_py()


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
