"""Items are checked to the last digit, whatever the size of the numbers."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.domain.shapes import CHANGES, ITEMS, MONEY
from include.restatements.gate.items import COMBINED_SKU, MAX_ITEMS, combine_small_lines, combined, item_findings

LARGEST = Decimal("9" * 28 + "." + "9" * 10)
SMALLEST = Decimal("0.0000000001")

moneys = st.one_of(
    st.decimals(min_value=0, max_value=1000, places=2),
    st.decimals(min_value=0, max_value=10**9, places=10),
    st.integers(0, 10**38 - 1).map(lambda n: Decimal(n).scaleb(-10) if n < 10**28 else Decimal(f"{n // 10**10}.{n % 10**10:010d}")),
)
lines = st.builds(
    lambda price, quantity, share: {"sku": "S", "quantity": quantity, "unit_price": price, "discount": share},
    moneys,
    st.one_of(st.integers(0, 5), st.integers(0, 2**63 - 1)),
    st.one_of(st.none(), moneys),
)


def net(items: list[dict[str, Any]]) -> Fraction:
    return sum((Fraction(i["unit_price"]) * i["quantity"] - Fraction(i["discount"] or 0) for i in items), Fraction(0))


def add_up(items: list[dict[str, Any]] | None, amount: Decimal | None) -> bool:
    return bool(item_findings(pa.array([items], ITEMS), pa.array([amount], MONEY)).add_up[0])


def line(price: Decimal, quantity: int = 1, discount: Decimal | None = None) -> dict[str, Any]:
    return {"sku": "S", "quantity": quantity, "unit_price": price, "discount": discount}


def test_amounts_of_28_digits_add_up_exactly_and_one_unit_off_does_not() -> None:
    assert add_up([line(LARGEST)], LARGEST)
    assert not add_up([line(LARGEST)], Decimal("9" * 28 + "." + "9" * 9 + "8"))
    huge = Decimal("1234567890123456789012345678.0123456789")
    assert add_up([line(huge, 2, SMALLEST)], Decimal("2469135780246913578024691356.0246913577"))
    assert not add_up([line(huge, 2, SMALLEST)], Decimal("2469135780246913578024691356.0246913578"))


def test_a_total_that_wraps_around_64_bits_does_not_add_up_to_what_it_wraps_to() -> None:
    price = Decimal(2**32).scaleb(-10)
    assert not add_up([line(price, 2**32)], Decimal(0))
    assert add_up([line(price, 2**32)], Decimal("1844674407.3709551616"))


def test_cj_s_sample_order_adds_up() -> None:
    sample = [
        line(Decimal("22.99"), 2, Decimal("5.00")),
        line(Decimal("21.99"), 3, Decimal("7.50")),
        line(Decimal("25.99"), 1, Decimal("2.50")),
    ]
    assert add_up(sample, Decimal("122.94"))
    assert not add_up(sample, Decimal("137.94"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.one_of(st.none(), st.lists(lines, max_size=4)), st.one_of(st.none(), moneys), st.booleans()), max_size=5))
def test_findings_agree_with_fractions_for_any_order(orders: list[tuple[list[dict[str, Any]] | None, Decimal | None, bool]]) -> None:
    rows: list[tuple[list[dict[str, Any]] | None, Decimal | None]] = []
    for items, amount, exact in orders:
        with localcontext(prec=60):
            total = net(items or [])
            fits = 0 <= total < 10**28
            rows.append((items, Decimal(total.numerator) / Decimal(total.denominator) if exact and fits else amount))
    found = item_findings(pa.array([i for i, _ in rows], ITEMS), pa.array([a for _, a in rows], MONEY))
    for n, (items, amount) in enumerate(rows):
        assert found.add_up[n] == (items is None or amount is None or net(items) == Fraction(amount))
        assert found.discount_within_line[n] == all(net([i]) >= 0 for i in items or [])
        assert found.count[n] == len(items or [])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(moneys, st.integers(0, 9)), min_size=1, max_size=250))
def test_combining_lines_keeps_the_amount_and_never_leaves_more_than_a_hundred(parts: list[tuple[Decimal, int]]) -> None:
    before = [line(min(price, Decimal(10**20)), quantity) | {"sku": f"S{n}"} for n, (price, quantity) in enumerate(parts)]
    after = combined(before)
    assert net(after) == net(before)
    assert len(after) == min(len(before), MAX_ITEMS)
    kept = [one for one in after if one["sku"] != COMBINED_SKU]
    assert kept == [one for one in before if one in kept]
    assert combined(before) == after


def test_only_orders_over_a_hundred_items_are_touched() -> None:
    crowd, few = [line(Decimal(n), 1, None) for n in range(1, 151)], [line(Decimal(3))]
    table = pa.Table.from_pylist(
        [{"order_id": "A", "items": few}, {"order_id": "B", "items": crowd}, {"order_id": "C", "items": None}], CHANGES
    )
    items = combine_small_lines(table)["items"].to_pylist()
    assert (items[0], items[2]) == (few, None)
    assert items[1][:-1] == crowd[51:]
    assert items[1][-1] == {"sku": COMBINED_SKU, "quantity": 1, "unit_price": Decimal(sum(range(1, 52))), "discount": Decimal(0)}


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_slices_of_a_larger_batch_are_judged_like_batches_of_their_own(offset: int) -> None:
    items = pa.array([[line(Decimal(1))], None, [line(Decimal(2), 2)], [line(Decimal(5))]], ITEMS).slice(offset)
    amount = pa.array([Decimal(1), None, Decimal(4), Decimal(6)], MONEY).slice(offset)
    assert item_findings(items, amount).add_up.tolist() == [True, True, True, False][offset:]
