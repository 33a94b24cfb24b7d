"""An empty text is no text: the shop's table has one where nothing was entered, and CJ would take it for a coupon, an event, a currency of no letters.

So it is for every column that may be null, and for the values of parameters; blanks alone are empty too. A list of no items is no items, but
on an order of nothing: there it says that nothing is left.
"""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.domain.money import CENT, ZERO
from include.domain.shapes import MONEY

OPTIONAL_TEXTS = ("change_type", "currency", "coupon", "status", "correction_reason", "cj_event", "sid")
PARAMETERS = ("custom_parameters", "vertical_parameters")

_EMPTY_VALUE = r':\s*"\s*"'
_PAIR = re.compile(_EMPTY_VALUE)


def without_blanks(table: pa.Table) -> pa.Table:
    """`table` (shapes.CHANGES) with null for every empty text and list, and without the parameters of one. The same object where there is none."""
    for name in (*OPTIONAL_TEXTS, *PARAMETERS):
        column = table[name]
        empty = pc.fill_null(pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(column)), 0), False)
        if pc.any(empty).as_py():
            column = pc.if_else(empty, pa.scalar(None, pa.string()), column)
        if name in PARAMETERS and pc.any(pc.match_substring_regex(column, _EMPTY_VALUE)).as_py():
            column = pa.chunked_array([_without_empty_values(chunk) for chunk in column.chunks], pa.string())
        if column is not table[name] and not column.equals(table[name]):
            table = _with(table, name, column)
    empty = pc.and_(
        pc.equal(pc.list_value_length(table["items"]), 0),
        pc.not_equal(pc.fill_null(table["amount"], pa.scalar(CENT, MONEY)), pa.scalar(ZERO, MONEY)),
    )
    empty = pc.fill_null(empty, False)
    if pc.any(empty).as_py():
        kept = pc.if_else(empty.combine_chunks(), None, pa.array(np.arange(len(table))))
        table = _with(table, "items", table["items"].take(kept))
    return table


def _with(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), column)


def _without_empty_values(column: pa.Array) -> pa.Array:
    coded = column.dictionary_encode()
    return pa.array([_kept(text) for text in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def _kept(text: str) -> str | None:
    """The parameters that say something, None where there are none. What is no object of texts stays as it is: the gate holds it back."""
    if not _PAIR.search(text):
        return text
    try:
        bag = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(bag, dict) or not all(isinstance(value, str) for value in bag.values()):
        return text
    kept = {name: value for name, value in bag.items() if not name or value.strip()}
    return json.dumps(kept, ensure_ascii=False) if kept else None
