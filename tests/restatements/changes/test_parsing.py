"""Amounts and items from their text: exact to the last digit, however a shop writes them; and what cannot be read, in words."""

from __future__ import annotations

import json
from decimal import Decimal, localcontext

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.domain.shapes import CHANGES, ITEMS
from include.restatements.changes.extraction import ALLOWED
from include.restatements.changes.lines import by_total
from include.restatements.changes.parsing import parsed, parsed_items, parsed_money

FLOAT = "It was a floating-point number: make it a decimal in the query"

MONEY = st.decimals(min_value=Decimal("-1e27"), max_value=Decimal("1e27"), allow_nan=False, places=None).filter(
    lambda d: -int(d.as_tuple().exponent) <= 10 and d.adjusted() < 28
)


@given(st.lists(st.one_of(st.none(), MONEY), max_size=8))
@settings(max_examples=200, deadline=None)
def test_money_survives_to_the_last_digit_however_it_is_written(amounts: list[Decimal | None]) -> None:
    for write in (str, "{:f}".format):
        texts = pa.array([None if a is None else write(a) for a in amounts], pa.string())
        assert parsed_money(texts).to_pylist() == amounts


# NUL marks numbers in `_json`.
SKU = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
ITEM = st.fixed_dictionaries(
    {}, optional={"sku": SKU, "quantity": st.integers(-(2**63), 2**63 - 1), "unit_price": MONEY, "discount": st.none() | MONEY, "note": SKU}
)


def _json(items: list[dict[str, object]] | None, number: bool, indent: int | None) -> str | None:
    if items is None:
        return None
    text = json.dumps(items, default=lambda d: f"\x00{d}\x00" if number else str(d), indent=indent, ensure_ascii=bool(indent))
    return text.replace('"\\u0000', "").replace('\\u0000"', "") if number else text


@given(st.lists(st.none() | st.lists(ITEM, max_size=3), max_size=6), st.booleans(), st.sampled_from([None, 2]))
@settings(max_examples=200, deadline=None)
def test_items_survive_exactly_as_strings_or_numbers_compact_or_indented(
    orders: list[list[dict[str, object]] | None], number: bool, indent: int | None
) -> None:
    expected = [None if items is None else [{f.name: i.get(f.name) for f in ITEMS.value_type} for i in items] for items in orders]
    found = parsed_items(pa.array([_json(items, number, indent) for items in orders], pa.string()))
    assert found.type == ITEMS
    assert found.to_pylist() == expected


@pytest.mark.parametrize(
    "text",
    [
        "{}", "7", '"a"', "[1]", "[[]]", "[null]", "[], []", "[{]", "[]\n[]", '[{"sku": true}]', '[{"sku": "a", "sku": "b"}]', '[{"sku": "\\ud800"}]',
        '[{"sku": 1e5}]', '[{"sku": NaN}]', '[{"quantity": 2.5}]', '[{"quantity": "2.5"}]', '[{"quantity": true}]', '[{"quantity": 9223372036854775808}]',
        '[{"quantity": "two"}]', '[{"quantity": Infinity}]', '[{"quantity": 1e999999999999}]', '[{"quantity": []}]', '[{"line_total": "1,5"}]',
        '[{"unit_price": "NaN"}]', '[{"unit_price": NaN}]', '[{"unit_price": Infinity}]', '[{"unit_price": "1,5"}]', '[{"unit_price": {}}]',
        '[{"unit_price": "1_0"}]', '[{"unit_price": " 1"}]', '[{"unit_price": true}]', '[{"unit_price": 0.12345678901}]',
        '[{"discount": 1e999999999999}]', '[{"discount": 1e28}]', "[" * 5_000,
    ],
)  # fmt: skip
def test_items_that_are_not_exact_are_null_alone_and_among_many(text: str) -> None:
    good = '[{"sku": "g", "quantity": 1, "unit_price": 0.1}]'
    texts = [good] * 700
    texts[350] = text
    found = parsed_items(pa.array(texts)).to_pylist()
    assert [row is None for row in found] == [n == 350 for n in range(700)]
    assert parsed_items(pa.array([text])).to_pylist() == [None]


@pytest.mark.parametrize(
    ("text", "sku", "quantity"),
    [
        ('[{"sku": "A", "quantity": 2.0000}]', "A", 2), ('[{"sku": "A", "quantity": "2"}]', "A", 2), ('[{"sku": "A", "quantity": "2.0000"}]', "A", 2),
        ('[{"sku": "A", "quantity": 2e0}]', "A", 2), ('[{"sku": 4006381, "quantity": 2}]', "4006381", 2), ('[{"sku": 10.50, "quantity": 2}]', "10.50", 2),
        ('[{"sku": "A", "quantity": ""}]', "A", None), ('[{"sku": "A", "quantity": 2, "unit_price": " ", "discount": ""}]', "A", 2),
        ('[{"sku": "A", "quantity": 2, "note": {"a": 1, "a": 2}}]', "A", 2),
    ],
)  # fmt: skip
def test_a_whole_quantity_and_a_sku_are_read_however_a_shop_writes_them(text: str, sku: str, quantity: int | None) -> None:
    item = {"sku": sku, "quantity": quantity, "unit_price": None, "discount": None}
    assert parsed_items(pa.array([text, None, "[]"])).to_pylist() == [[item], None, []]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[{"sku": "A"}, {"sku": "B", "quantity": "two"}]', "line 2, quantity: a text like 'aaa' is no whole number"),
        ('[{"quantity": 2.5}]', "line 1, quantity: a number like 9.9 is no whole number"),
        ('[{"unit_price": 16.658299999999998}]', "line 1, unit_price: a number like 99.999999999999999: an amount may have at most 10 decimal places. " + FLOAT),
        ('[{"unit_price": "12,50"}]', "line 1, unit_price: a text like '99,99' is no plain number"),
        ('[{"discount": NaN}]', "line 1, discount: no number (NaN or infinite) is no amount"),
        ('[{"discount": "jane.doe@example.com +49 170 1234567"}]', "line 1, discount: a text like 'aaaa.aaa@aaaaaaa.aaa +99…' is no plain number"),
        ('[{"sku": ["A"]}]', "line 1, sku: a list is no SKU"),
        ('[{"sku": "A", "sku": "B"}]', "line 1 gives a member twice"),
        ('[{"sku": "A"}, null]', "line 2 is null, and no object"),
        ('{"sku": "A"}', "it is an object, and no list"),
        ('[{"sku": "A"', "it is no JSON from character 13 on"),
        ("[" * 5_000, "it is no JSON that can be read: a number too long, or lists too deep in each other"),
        ('[{"quantity": 2, "unit_price": 9e27, "line_total": 1}]', "line 1: its line_total is more than can be kept below unit_price x quantity"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_by_line_and_member_and_never_by_its_value(text: str, found: str) -> None:
    texts = {name: [text if name == "items" else None] for name in ALLOWED}
    (row,) = parsed(
        pa.RecordBatch.from_pydict({name: pa.array(column, _IN.get(name, pa.string())) for name, column in texts.items()})
    ).to_pylist()
    assert (row["items"], row["malformed"]) == (None, f"items: {found}")


_IN = {name: CHANGES.field(name).type for name in ALLOWED if name not in ("amount", "discount", "items")}


@pytest.mark.parametrize(
    ("line", "unit_price", "discount"),
    [
        ('"quantity": 3, "line_total": "10.00"', "3.34", "0.02"),
        ('"quantity": "3.0000", "line_total": 10', "3.34", "0.02"),
        ('"quantity": 2, "line_total": 40.98, "unit_price": 22.99', "22.99", "5.00"),
        ('"quantity": 2, "line_total": 40.98, "unit_price": 22.99, "discount": 99', "22.99", "5.00"),
        ('"quantity": 2, "line_total": 40.98, "unit_price": 20', "20.49", "0.00"),
        ('"quantity": 3, "line_total": 0.0001', "0.0000333334", "0.0000000002"),
        ('"quantity": 0, "line_total": 0, "unit_price": 5', "5", "0"),
        ('"quantity": 4, "line_total": 0', "0", "0"),
        ('"quantity": 2, "line_total": null, "unit_price": 5', "5", None),
    ],
)  # fmt: skip
def test_a_line_may_be_given_by_its_total(line: str, unit_price: str, discount: str | None) -> None:
    plain = '[{"sku": "B", "quantity": 1, "unit_price": 7}]'
    found = parsed_items(pa.array([plain, None, f'[{{"sku": "A", {line}}}]', "[]", plain])).to_pylist()
    assert [found[n] for n in (1, 3)] == [None, []]
    assert found[0] == found[4] == [{"sku": "B", "quantity": 1, "unit_price": Decimal(7), "discount": None}]
    (item,) = found[2]
    assert (item["unit_price"], item["discount"]) == (Decimal(unit_price), discount and Decimal(discount))


@given(
    st.integers(1, 10**6), st.none() | st.decimals(0, 10**6, places=2), st.decimals(0, 10**9, places=2) | st.decimals(0, 10**9, places=10)
)
@settings(max_examples=200, deadline=None)
def test_a_line_given_by_its_total_comes_to_it_to_the_last_digit(quantity: int, unit_price: Decimal | None, total: Decimal) -> None:
    with localcontext(prec=60):
        price, discount = by_total(quantity, unit_price, total)
        assert price * quantity - discount == total
        assert price >= 0 and discount >= 0
        if unit_price is not None and unit_price * quantity >= total:
            assert price == unit_price
        elif total == round(total, 2):
            assert price == round(price, 2) and discount < quantity * Decimal("0.01")


def test_no_text_shifts_the_rows_after_it() -> None:
    texts = ['[{"sku": "a', '"}]', "[]]} {[", '[{"sku": "d"}]']
    assert [row and row[0]["sku"] for row in parsed_items(pa.array(texts)).to_pylist()] == [None, None, None, "d"]
