"""What the plan makes of orders that CJ converted, at the boundaries of the rate that the others show; and what is at stake."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.rules.ground import Ground


def in_pounds(ground: Ground, *sales: tuple[str, str], change_type: str = "new", **other: Any) -> list[bool]:
    """Orders in GBP at what CJ made of each: (as the warehouse says, as CJ holds). Which of them are held so."""
    for place, (amount, held) in enumerate(sales):
        ground.order(
            **{"position": place, "order_id": f"o{place}", "currency": "GBP", "change_type": change_type, "amount": amount} | other
        )
        ground.record(order_id=f"o{place}", sale_amount=held)
    return [bool(row["held_so"]) for row in ground.plan()]


def test_of_a_converted_order_only_what_nothing_happened_to_is_held_so(ground: Ground) -> None:
    assert in_pounds(ground, ("100", "127"), ("200", "254"), ("300", "381")) == [True] * 3


def test_a_converted_order_that_changed_is_never_held_so(ground: Ground) -> None:
    assert in_pounds(ground, ("100", "127"), ("200", "254"), change_type="restated") == [False] * 2


@pytest.mark.parametrize(("held", "so"), [("130.80", True), ("130.82", False), ("123.20", True), ("123.18", False)])
def test_within_three_per_cent_of_the_rate_the_others_show(ground: Ground, held: str, so: bool) -> None:
    assert in_pounds(ground, ("100", "127"), ("100", "127"), ("100", held)) == [True, True, so]


@pytest.mark.parametrize(("held", "so"), [("125", True), ("125.01", False), ("75", True), ("74.99", False)])
def test_the_band_itself_is_near_enough(ground: Ground, held: str, so: bool) -> None:
    for place, sale in enumerate(("100", "100", held)):
        ground.order(position=place, order_id=f"o{place}", currency="GBP", change_type="new").record(order_id=f"o{place}", sale_amount=sale)
    assert ground.plan(currency_band="0.25")[2]["held_so"] is so


@pytest.mark.parametrize(("held", "so"), [("0.030", True), ("0.047", True), ("0.048", False)])
def test_or_within_what_rounding_to_the_cent_explains(ground: Ground, held: str, so: bool) -> None:
    """0.01 is 0.0127: three cents and a half are CJ's own rounding."""
    assert in_pounds(ground, ("100", "127"), ("100", "127"), ("0.01", held))[-1] is so


@pytest.mark.parametrize(("small", "counts"), [("10", True), ("9.99", False)])
def test_the_rate_is_read_from_orders_of_ten_and_more(ground: Ground, small: str, counts: bool) -> None:
    """Two orders say 1.50 and one says 1.27: the middle is theirs only where they are large enough to tell."""
    held = str(Decimal(small) * Decimal("1.5"))
    assert in_pounds(ground, ("100", "127"), (small, held), (small, held)) == [not counts, counts, counts]


@pytest.mark.parametrize(("small", "counts"), [("4", True), ("3.99", False)])
def test_or_from_those_half_as_large_as_the_largest(ground: Ground, small: str, counts: bool) -> None:
    held = str(Decimal(small) * Decimal("1.5"))
    assert in_pounds(ground, ("8", "10.16"), (small, held), (small, held)) == [not counts, counts, counts]


def test_no_rate_is_read_from_what_changed_nor_from_another_currency_nor_from_another_advertiser(ground: Ground) -> None:
    for place, other in enumerate([{"change_type": "restated"}, {"currency": "EUR"}, {"advertiser_id": "9"}]):
        for copy in range(3):
            key = f"p{place}{copy}"
            ground.order(**{"position": 10 + 3 * place + copy, "order_id": key, "currency": "GBP", "change_type": "new"} | other)
            ground.record(order_id=key, advertiser_id=other.get("advertiser_id", "2"), sale_amount="200")
    assert in_pounds(ground, ("100", "127"), ("100", "127"), ("100", "131"))[:3] == [True, True, False]


def test_the_smallest_orders_tell_a_rate_where_there_are_no_others(ground: Ground) -> None:
    assert in_pounds(ground, ("0.70", "0.889")) == [True]


def test_an_order_of_which_cj_holds_nothing_tells_no_rate(ground: Ground) -> None:
    assert in_pounds(ground, ("100", "127"), ("100", "0"), ("100", "0")) == [True, False, False]


def test_an_order_over_nothing_has_no_rate_on_either_warehouse(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        assert in_pounds(Ground(session), ("0", "127"), ("100", "127"), ("0", "0")) == [False, True, True]


@pytest.mark.parametrize(("held", "so"), [("0", True), ("127", False)])
def test_where_no_rate_is_known_only_nothing_is_the_same(ground: Ground, held: str, so: bool) -> None:
    assert in_pounds(ground, ("0", held)) == [so]


@pytest.mark.parametrize(("discount", "held", "so"), [("10", "10", True), (None, "0", True), ("10", "9.99", False), (None, "10", False)])
def test_the_discount_of_a_converted_order_is_compared_in_its_own_currency(
    ground: Ground, discount: str | None, held: str, so: bool
) -> None:
    ground.order(currency="GBP", change_type="new", amount=str(100 + int(discount or 0)), discount=discount)
    ground.record(sale_amount="127", order_discount="12.70", order_discount_orig_currency=held)
    assert ground.plan()[0]["held_so"] is so


@pytest.mark.parametrize(("currency", "so"), [(None, True), ("USD", True), ("GBP", False)])
def test_no_currency_is_the_advertisers_own(ground: Ground, currency: str | None, so: bool) -> None:
    ground.order(currency=currency).record()
    assert ground.plan()[0]["held_so"] is so


@pytest.mark.parametrize(
    ("order", "record", "at_stake"),
    [
        ({"amount": "60.00"}, {}, "4.00"),
        ({"amount": "150.00"}, {}, "5.00"),
        ({"change_type": "cancelled"}, {}, "10.00"),
        ({"change_type": "cancelled", "currency": "GBP"}, {}, "10.00"),
        ({"amount": "60.00", "currency": "GBP"}, {}, "0"),
        ({"amount": "60.00"}, {"sale_amount": "0"}, "0"),
        ({"amount": "60.00"}, {"sale_amount": None}, "0"),
        ({"change_type": "cancelled"}, {"sale_amount": "0"}, "0"),
        ({"amount": "80.00", "discount": "20.00"}, {}, "4.00"),
        ({"amount": "60.00", "discount": "20.00", "sale_amount_basis": "gross"}, {}, "4.00"),
    ],
)
def test_at_stake_is_what_paying_for_the_wrong_state_would_cost(
    ground: Ground, order: dict[str, Any], record: dict[str, Any], at_stake: str
) -> None:
    ground.order(**order).record(**record)
    assert ground.plan()[0]["at_stake"] == Decimal(at_stake)
