"""One name for one desired state: what CJ would hold decides, not how the warehouse spells it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.cj.payload import content_hashes, former_hashes
from include.domain.shapes import CHANGES

ITEMS: list[dict[str, Any]] = [
    {"sku": "A", "quantity": 2, "unit_price": Decimal("22.99"), "discount": Decimal("5")},
    {"sku": "B", "quantity": 1, "unit_price": Decimal("9.5"), "discount": None},
    {"sku": "A", "quantity": 1, "unit_price": Decimal("0.0125"), "discount": None},
]
STATE: dict[str, Any] = {
    "enterprise_id": "1501",
    "action_tracker_id": 4001,
    "order_id": "ORD-1",
    "updated_at": datetime(2026, 3, 1, tzinfo=UTC),
    "amount": Decimal("122.94"),
    "discount": Decimal("1.10"),
    "currency": "USD",
    "coupon": "SPRING",
    "items": ITEMS,
    "status": "Accepted",
    "correction_reason": "Other",
    "cj_event": "e-1",
    "custom_parameters": '{"a": "1", "b": "2"}',
    "vertical_parameters": '{"city": "Paris"}',
}


OWN = pa.scalar("USD", pa.string())
"""The advertiser's own currency at CJ."""


def hashes(*states: Any, cancelled: bool = False) -> Any:
    table = pa.Table.from_pylist(list(states), CHANGES)
    return content_hashes(table, pa.array([cancelled] * len(states)), OWN).to_pylist()


COUNTS: list[dict[str, Any]] = [
    {"amount": Decimal("122.95")}, {"amount": None}, {"discount": Decimal("1.11")}, {"discount": None},
    {"currency": "EUR"}, {"coupon": "AUTUMN"}, {"coupon": None}, {"items": None},
    {"items": ITEMS[:2]}, {"items": [*ITEMS, ITEMS[0]]}, {"items": [ITEMS[0] | {"quantity": 3}, *ITEMS[1:]]},
    {"items": [ITEMS[0] | {"unit_price": Decimal("22.98")}, *ITEMS[1:]]}, {"items": [ITEMS[0] | {"discount": None}, *ITEMS[1:]]},
    {"items": [ITEMS[0] | {"sku": "a"}, *ITEMS[1:]]}, {"status": "Pending"}, {"status": None}, {"correction_reason": "BadDebt"},
    {"custom_parameters": '{"a": "1"}'}, {"custom_parameters": None}, {"vertical_parameters": '{"city": "Rome"}'},
]  # fmt: skip


def test_every_part_of_the_state_counts_and_no_two_changes_look_alike() -> None:
    found = hashes(STATE, *(STATE | change for change in COUNTS))
    assert len(set(found)) == len(COUNTS) + 1
    assert all(len(h) == 32 for h in found)


@pytest.mark.parametrize(
    "change",
    [
        {"updated_at": datetime(2027, 1, 1, tzinfo=UTC)},
        {"cj_event": "e-2"},
        {"event_time": datetime(2025, 1, 1, tzinfo=UTC), "ad_id": 1, "promotional_property_id": 2, "sid": "s"},
        {"amount": Decimal("122.940")},
        {"custom_parameters": ' {"b":"2","a":1} '},
        {"vertical_parameters": '{"city":"\\u0050aris", "rooms": null}'},
        *({"items": list(order)} for order in itertools.permutations(ITEMS)),
    ],
)
def test_the_same_state_in_another_spelling_has_the_same_name(change: Any) -> None:
    first, second = hashes(STATE, STATE | change)
    assert first == second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"currency": None}, {"currency": "USD"}),
        ({"discount": None}, {"discount": Decimal("0.00")}),
        ({"items": None}, {"items": []}),
        ({"items": ITEMS}, {"items": [ITEMS[0], ITEMS[1] | {"discount": Decimal("0.00")}, ITEMS[2]]}),
    ],
)
def test_null_and_what_it_stands_for_are_one_state(one: Any, other: Any) -> None:
    first, second, third = hashes(STATE | one, STATE | other, STATE)
    assert first == second
    assert (first == third) == (one in ({"items": ITEMS}, {"currency": None}))


def test_no_currency_is_that_of_each_row_s_own_advertiser() -> None:
    table = pa.Table.from_pylist([STATE | {"currency": c} for c in (None, None, "EUR")], CHANGES)
    first, second, third = content_hashes(table, pa.array([False] * 3), pa.array(["USD", "EUR", "USD"])).to_pylist()
    assert first == hashes(STATE)[0] and first != second == third


def test_an_empty_parameter_object_is_the_same_as_none() -> None:
    first, second = hashes(STATE | {"custom_parameters": "{}"}, STATE | {"custom_parameters": None})
    assert first == second


def test_of_a_cancellation_only_status_and_reason_count() -> None:
    changes = [c for c in COUNTS if not set(c) & {"status", "correction_reason"}]
    assert len(set(hashes(STATE, *(STATE | c for c in changes), cancelled=True))) == 1
    assert len(set(hashes(STATE, STATE | {"status": "Declined"}, STATE | {"correction_reason": None}, cancelled=True))) == 3
    assert hashes(STATE, cancelled=True) != hashes(STATE)


def test_text_that_is_no_json_has_a_name_too_so_that_the_gate_can_still_hold_the_row_back() -> None:
    first, second = hashes(STATE | {"custom_parameters": "{oops"}, STATE | {"custom_parameters": "{ooops"})
    assert first != second


@settings(max_examples=100, deadline=None)
@given(
    a=st.lists(st.none() | st.text("1:~,[;x", max_size=4), min_size=2, max_size=2),
    b=st.lists(st.none() | st.text("1:~,[;x", max_size=4), min_size=2, max_size=2),
)
def test_no_text_can_imitate_the_boundary_between_two_fields(a: Any, b: Any) -> None:
    first, second = hashes(*({**STATE, "currency": x[0], "coupon": x[1]} for x in (a, b)))
    assert (first == second) == (a == b)


def test_names_do_not_depend_on_how_the_table_is_cut() -> None:
    states = [STATE | change for change in COUNTS]
    table = pa.Table.from_pylist(states, CHANGES)
    cut = pa.concat_tables([table.slice(0, 7), table.slice(7)])
    flags = pa.chunked_array([[False] * 3, [False] * (len(states) - 3)])
    whole = content_hashes(table, pa.array([False] * len(states)), OWN)
    assert content_hashes(cut, flags, OWN).equals(whole)
    assert content_hashes(table.slice(5, 3), pa.array([False] * 3), OWN).equals(whole.slice(5, 3))


def test_a_name_stays_the_same_for_ever_because_the_warehouse_keeps_it() -> None:
    table, flags = pa.Table.from_pylist([STATE, STATE | {"items": [ITEMS[0]]}], CHANGES), pa.array([False, False])
    assert former_hashes(table, flags).to_pylist() == ["2e0e78ee95ae0587e05851ab9ad192ea", "974e31d80ca0b87f203114a2214acb21"]
    assert content_hashes(table, flags, OWN).to_pylist() == ["b2ac1c151e69f1ed3539ff2bba357a01", "974e31d80ca0b87f203114a2214acb21"]
