"""CJ's words are kept without any value that the chunk holds, and else as CJ gave them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from include.domain.shapes import CHUNK
from include.restatements.posting.words import without_values

ROWS = [
    {
        "order_id": "SO-1", "sid": "member-7", "cj_event": "f00dfeed", "coupon": "FOR-ADA",
        "custom_parameters": '{"who": "Ada \\u201cL\\u201d Byron", "age": 36, "x": "A"}', "vertical_parameters": '{"brand": "Acme (EU)"}',
    },
    {"order_id": "SO-2", "sid": "member-77", "custom_parameters": "no JSON"},
]  # fmt: skip
CHUNK_OF_TWO = pa.Table.from_pylist(ROWS, CHUNK)


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("", ""),
        ("Order may not have more than 100 items", "Order may not have more than 100 items"),
        ("sid member-77 is too long", "sid [hidden] is too long"),
        ("sid 'MEMBER-7' is unknown; event=f00dfeed.", "sid '[hidden]' is unknown; event=[hidden]."),
        ("coupon for-ada expired", "coupon [hidden] expired"),
        ("who: Ada “L” Byron, brand: Acme (EU)!", "who: [hidden], brand: [hidden]!"),
        ('x may not be "A", an Apple or 36', 'x may not be "[hidden]", an Apple or [hidden]'),
        ("write to ada@example.org", "write to [hidden]"),
    ],
)
def test_no_value_of_the_chunk_is_left_in_cjs_words(words: str, kept: str) -> None:
    assert without_values(words, CHUNK_OF_TWO) == kept
