"""Marks add up as amounts do."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from include.domain.marks import items_marks, sku_hash
from include.domain.shapes import ITEMS, MARK

Lists = st.lists(st.none() | st.lists(st.tuples(st.text(max_size=5), st.integers(-(2**31), 2**31)), max_size=5), max_size=6)


def marks(lists: Any, kind: Any = ITEMS) -> Any:
    given_ = [None if items is None else [{"sku": s, "quantity": q} for s, q in items] for items in lists]
    return items_marks(pa.array(given_, kind))


def reference(lists: Any) -> Any:
    return [None if items is None else sum(q * sku_hash(s) for s, q in items) for items in lists]


@settings(max_examples=150, deadline=None)
@given(Lists)
def test_a_mark_is_the_sum_of_quantity_times_hash(lists: Any) -> None:
    found = marks(lists)
    assert found.type == MARK
    assert found.to_pylist() == reference(lists)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.tuples(st.text(max_size=3), st.integers(-(2**62), 2**62)), min_size=1, max_size=2), min_size=1, max_size=3))
def test_quantities_no_shop_has_are_exact_too(lists: Any) -> None:
    assert marks(lists).to_pylist() == reference(lists)


@settings(max_examples=50, deadline=None)
@given(Lists, st.integers(0, 3), st.integers(0, 6))
def test_a_slice_has_the_marks_of_its_own_rows(lists: Any, start: Any, length: Any) -> None:
    given_ = pa.array([None if i is None else [{"sku": s, "quantity": q} for s, q in i] for i in lists], ITEMS)
    assert items_marks(given_.slice(start, length)).to_pylist() == reference(lists[start : start + length])
    assert items_marks(pa.chunked_array([given_, given_])).to_pylist() == reference(lists) * 2


def test_a_reversal_and_a_new_state_add_up_to_the_new_state() -> None:
    old, reversal, new = marks([[("A", 2), ("B", 1)], [("B", -1), ("A", -2)], [("A", 1)]]).to_pylist()
    assert old + reversal + new == new == sku_hash("A")


def test_a_null_basket_has_no_mark_and_an_empty_one_has_zero() -> None:
    assert marks([None, []]).to_pylist() == [None, 0]
    assert marks([]).to_pylist() == []
    assert items_marks(pa.array([[{"sku": None, "quantity": 1}, {"sku": "A", "quantity": None}]], ITEMS)).to_pylist() == [sku_hash("")]


def test_a_hash_stays_the_same_for_ever_because_the_warehouse_keeps_it() -> None:
    assert sku_hash("SKU-1") == 695752466064767901
    assert all(0 <= sku_hash(str(n)) < 2**60 for n in range(100))
