"""Columns of Arrow as texts of JSON, in exactly the bytes that orjson would write, and no float in between. No value is an object of Python's on the way."""

from __future__ import annotations

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from include.domain.money import ZERO, money_text
from include.domain.shapes import INSTANT, MONEY

#: What JSON writes otherwise than as it is; everything else, also beyond ASCII, orjson leaves alone.
_SPECIAL = r'["\\\x00-\x1f]'
_NOTHING, _NONE = pa.scalar(""), pa.scalar(0, pa.int32())


def money_texts(amounts: pa.Array) -> pa.Array:
    """`money_text` for a column: plain digits, at least two decimals, none gained or lost. Null stays null."""
    amounts = amounts.cast(MONEY)
    try:
        return amounts.cast(pa.decimal128(38, 2)).cast(pa.string())
    except pa.ArrowInvalid:  # more than two decimals somewhere
        pass
    texts = amounts.cast(pa.string())
    texts = pc.binary_join_element_wise(pc.utf8_slice_codeunits(texts, 0, -8), pc.ascii_rtrim(pc.utf8_slice_codeunits(texts, -8), "0"), "")
    # Arrow writes an exponent below a millionth, zero included.
    small = pc.and_(pc.less(amounts, pa.scalar(1, MONEY)), pc.greater(amounts, pa.scalar(-1, MONEY)))
    rewritten = [money_text(amount.as_py()) for amount in amounts.filter(small)]
    return pc.replace_with_mask(texts, pc.fill_null(small, False), pa.array(rewritten, pa.string()))


def shortest_texts(amounts: pa.Array) -> pa.Array:
    """A column of MONEY in plain digits, without the zeros behind them: `12.3`, `100`, `0`. Null stays null."""
    written = amounts.cast(pa.string())
    texts = pc.if_else(pc.equal(amounts, pa.scalar(ZERO, MONEY)), "0", pc.ascii_rtrim(pc.ascii_rtrim(written, "0"), "."))
    tiny = pc.match_substring(texts, "E")  # Arrow writes an exponent below a millionth
    if not pc.any(tiny).as_py():
        return texts
    rewritten = [money_text(amount.as_py()) for amount in amounts.filter(tiny)]
    return pc.replace_with_mask(texts, pc.fill_null(tiny, False), pa.array(rewritten, pa.string()))


def instant_texts(times: pa.Array) -> pa.Array:
    """ISO 8601 in UTC with `Z`, microseconds exact, no zeros behind them: `2026-03-01T12:00:00.25Z`. Null stays null."""
    texts = times.cast(INSTANT).cast(pa.timestamp("us")).cast(pa.string())
    texts = pc.utf8_replace_slice(texts, 10, 11, "T")
    return pc.binary_join_element_wise(pc.ascii_rtrim(pc.ascii_rtrim(texts, "0"), "."), pa.scalar("Z"), "")


def inside_quotes(column: pa.Array) -> pa.Array:
    """What stands between the quotes: amounts and times as above, texts with what JSON writes otherwise."""
    if pa.types.is_decimal(column.type):
        return money_texts(column)
    if pa.types.is_timestamp(column.type):
        return instant_texts(column)
    special = pc.match_substring_regex(column, _SPECIAL)
    if not pc.any(special).as_py():
        return column
    escaped = [orjson.dumps(text).decode()[1:-1] for text in column.filter(special).to_pylist()]
    return pc.replace_with_mask(column, pc.fill_null(special, False), pa.array(escaped, pa.string()))


def lists_joined(lists: pa.Array, elements: pa.Array, separator: pa.Scalar) -> pa.Array:
    """The texts of `elements`, one for each of `lists.flatten()`, joined list by list. Null stays null."""
    grouped = pa.ListArray.from_arrays(offsets_of(pc.fill_null(pc.list_value_length(lists), _NONE)), elements)
    return pc.if_else(lists.is_valid(), pc.binary_join(grouped, separator), pa.scalar(None, pa.string()))


def joined(*parts: pa.Array | str) -> pa.Array:
    """Texts and columns side by side; null where a column is null."""
    return pc.binary_join_element_wise(*(pa.scalar(part) if isinstance(part, str) else part for part in parts), _NOTHING)


def offsets_of(lengths: pa.Array) -> pa.Array:
    """Where each of lists of these lengths begins, and the last ends."""
    return pa.concat_arrays([pa.repeat(pa.scalar(0, lengths.type), 1), pc.cumulative_sum(lengths)])


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column in one piece."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
