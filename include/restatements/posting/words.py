"""CJ's words about a chunk without the chunk's own values: Test Mode may repeat a sid, a parameter or a coupon, and that may be a person's.

How it works: every text and parameter that the chunk holds, and was or might have been sent, is looked for in the words and taken out, whatever stands
around it. What it does not do: take out numbers, dates and CJ's own enumerations, which name nobody and make the words worth reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from include.domain.personal import HIDDEN, without_emails

_TEXTS = ("sid", "cj_event", "coupon")
_PARAMETERS = ("custom_parameters", "vertical_parameters")
_SHORTEST = 3
"""A value of one or two characters stands in any sentence, and alone names nobody: it is taken out where it stands alone."""


def without_values(words: str, chunk: pa.Table) -> str:
    """`words` with [hidden] for every value of `chunk` (shapes.CHUNK) that may be a person's, in any case of its letters; longest first."""
    if not words:
        return words
    lowered = words.casefold()
    found = [value for value in _values(chunk) if value.casefold() in lowered]
    for value in sorted(found, key=len, reverse=True):
        words = re.sub(_standing(value), HIDDEN, words, flags=re.IGNORECASE)
    return without_emails(words)


def _standing(value: str) -> str:
    return re.escape(value) if len(value) >= _SHORTEST else rf"(?<!\w){re.escape(value)}(?!\w)"


def _values(chunk: pa.Table) -> set[str]:
    found = set[str]()
    for name in _TEXTS:
        found.update(pc.unique(chunk[name]).drop_null().to_pylist())
    for name in _PARAMETERS:
        for text in pc.unique(chunk[name]).drop_null().to_pylist():
            found.update(_texts_of(text))
    return {form for value in found if value.strip() for form in (value, orjson.dumps(value).decode()[1:-1])}


def _texts_of(text: str) -> Iterator[str]:
    with suppress(orjson.JSONDecodeError):
        bag = orjson.loads(text)
        if isinstance(bag, dict):
            yield from (str(value) for value in bag.values() if isinstance(value, (str, int, float)) and not isinstance(value, bool))
