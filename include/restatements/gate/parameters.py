"""CJ's two bags of parameters: JSON objects of text in the warehouse, checked text by text.

A text is parsed once however many orders carry it. Names and values never leave this module: the answers are flags.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from include.cj.parameters import ADVERTISER_VERTICALS, VERTICAL_PARAMETERS

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def names_with_text(text: str) -> bool:
    """Whether `text` is a JSON object whose names are not empty and whose values are all text."""
    bag = _parsed(text)
    return isinstance(bag, dict) and all(name and isinstance(value, str) for name, value in bag.items())


def vertical_names_known(text: str) -> bool:
    """Whether every name is a vertical parameter of CJ's. True for what `names_with_text` already refuses."""
    bag = _parsed(text)
    return not isinstance(bag, dict) or bag.keys() <= VERTICAL_PARAMETERS


def advertiser_vertical_known(text: str) -> bool:
    """Whether `advertiserVertical`, if it is there as text, is one of CJ's four."""
    bag = _parsed(text)
    vertical = bag.get("advertiserVertical") if isinstance(bag, dict) else None
    return not isinstance(vertical, str) or vertical in ADVERTISER_VERTICALS


def without_control(text: str) -> bool:
    """Whether no name and no text has a control character. True for what `names_with_text` already refuses."""
    bag = _parsed(text)
    return not isinstance(bag, dict) or not any(_CONTROL.search(part) for pair in bag.items() for part in pair if isinstance(part, str))


def each_text(column: pa.Array, rule: Callable[[str], bool]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """`rule` for every row of a string column; True for nulls."""
    if column.null_count == len(column):
        return np.ones(len(column), np.bool_)
    coded = column.dictionary_encode()
    verdicts = np.array([*(rule(text) for text in coded.dictionary.to_pylist()), True])
    return verdicts[coded.indices.fill_null(len(verdicts) - 1).to_numpy(zero_copy_only=False)]


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
