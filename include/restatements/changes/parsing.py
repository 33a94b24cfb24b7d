"""Text columns to exact values, a column at a time; a value at a time only for the few rows the fast way refuses.

Both ways give the same answer. The fast way never lets a number pass through a float: decimals are read from their digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from include.domain.money import PRECISION, SCALE, NotMoney, money
from include.domain.shapes import CHANGES, ITEM, ITEMS, MONEY

_PLAIN = r"^[+-]?[0-9]{1,28}(\.[0-9]{1,10})?$"
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LINE = pa.schema([("n", pa.int64()), ("i", pa.list_(ITEMS))])
_LARGEST = Decimal((0, (9,) * PRECISION, -SCALE))
#: Where the fast way refuses a batch, halves of it are tried, down to this size: one bad row costs its neighbours little.
_SMALLEST = 256


def parsed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of text columns as shapes.CHANGES; `malformed` names the first column of a row that could not be parsed."""
    malformed = pa.nulls(batch.num_rows, pa.string())
    columns: dict[str, pa.Array] = {name: batch.column(name) for name in batch.schema.names}
    for name, read in _READ.items():
        text = columns[name]
        if not pa.types.is_string(text.type):
            continue
        columns[name] = read(text)
        failed = pc.and_(pc.is_valid(text), pc.is_null(columns[name]))
        if name == "items":
            failed = pc.and_(failed, pc.not_equal(pc.fill_null(pc.utf8_trim_whitespace(text), ""), "null"))
        if failed.true_count:
            malformed = pc.if_else(pc.and_(failed, pc.is_null(malformed)), name, malformed)
    columns["malformed"] = malformed
    columns["was_new"] = pc.coalesce(columns["was_new"], pc.equal(columns["change_type"], "new"))
    return pa.RecordBatch.from_arrays([columns[field.name] for field in CHANGES], schema=CHANGES)


def parsed_money(text: pa.Array) -> pa.Array:
    """decimal128(38, 10) from text; null where it is not a number that fits exactly."""
    plain = pc.fill_null(pc.match_substring_regex(text, _PLAIN), False)
    amounts = pc.cast(pc.if_else(plain, text, None), MONEY)
    rest = pc.and_(pc.is_valid(text), pc.invert(plain))
    if not rest.true_count:
        return amounts
    slow = pa.array([_money(value) for value in text.filter(rest).to_pylist()], MONEY)
    return pc.replace_with_mask(amounts, rest, slow)


def parsed_ids(text: pa.Array) -> pa.Array:
    """int64 from text; null where it is not a plain whole number of at most 18 digits."""
    plain = pc.fill_null(pc.match_substring_regex(text, "^[0-9]{1,18}$"), False)
    return pc.cast(pc.if_else(plain, text, None), pa.int64())


def parsed_flags(text: pa.Array) -> pa.Array:
    """Booleans from the texts `true` and `false`; null for every other."""
    known = pc.is_in(text, pa.array(["true", "false"]))
    return pc.if_else(known, pc.equal(text, "true"), None)


def parsed_items(text: pa.Array) -> pa.Array:
    """shapes.ITEMS from JSON text; null for null, and for what is not a list of items with exact values."""
    try:
        return _items_at_once(text)
    except pa.ArrowInvalid:
        if len(text) <= _SMALLEST:
            return pa.array([_items(value) for value in text.to_pylist()], ITEMS)
        half = len(text) // 2
        return pa.concat_arrays([parsed_items(text[:half]), parsed_items(text[half:])])


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
    return items


def _too_large(prices: pa.Array) -> bool:
    """Arrow's JSON reader lets through what fits 128 bits and has 39 digits."""
    ends = pc.min_max(prices).as_py()
    return ends["max"] is not None and max(ends["max"], ends["min"].copy_negate()) > _LARGEST


def _bounds(lines: pa.StringArray) -> tuple[int, int]:
    offsets = pa.Array.from_buffers(pa.int32(), len(lines) + 1, [None, lines.buffers()[1]], offset=lines.offset)
    return offsets[0].as_py(), offsets[-1].as_py()


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


class _Malformed(ValueError):
    """This row's items cannot be read exactly."""


def _money(text: str) -> Decimal | None:
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return money(text)
    except (NotMoney, ArithmeticError):
        return None


def _items(text: str | None) -> list[dict[str, object]] | None:
    if text is None:
        return None
    try:
        found = json.loads(text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_unique)
        return None if found is None else [_item(item) for item in _a_list(found)]
    except (ValueError, RecursionError):
        return None


def _a_list(found: object) -> list[object]:
    if not isinstance(found, list):
        raise _Malformed
    return found


def _item(item: object) -> dict[str, object]:
    if not isinstance(item, dict):
        raise _Malformed
    sku, quantity = item.get("sku"), item.get("quantity")
    if sku is not None:
        if not isinstance(sku, str):
            raise _Malformed
        sku.encode()
    if quantity is not None and (not isinstance(quantity, int) or isinstance(quantity, bool) or not -(2**63) <= quantity < 2**63):
        raise _Malformed
    return {field.name: item.get(field.name) for field in ITEM} | {name: _price(item.get(name)) for name in ("unit_price", "discount")}


def _price(value: object) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise _Malformed
    amount = _money(value if isinstance(value, str) else str(value))
    if amount is None:
        raise _Malformed
    return amount


def _refuse(name: str) -> object:
    raise _Malformed


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Malformed
    return found


#: How each column that may come as text is read. In the order in which a row's first wrong text is named.
_READ: dict[str, Callable[[pa.Array], pa.Array]] = {
    "amount": parsed_money,
    "discount": parsed_money,
    "items": parsed_items,
    "was_new": parsed_flags,
    "ad_id": parsed_ids,
    "promotional_property_id": parsed_ids,
}
