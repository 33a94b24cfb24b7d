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


def test_what_is_off_by_just_three_cents_and_a_half_is_not_rounding(ground: Ground) -> None:
    assert in_pounds(ground, ("100", "100"), ("100", "100"), ("0.035", "0.07"))[-1] is False


@pytest.mark.parametrize(("small", "counts"), [("10", True), ("9.99", False)])
def test_the_rate_is_read_from_orders_of_ten_and_more(ground: Ground, small: str, counts: bool) -> None:
    """Two orders say 1.50 and one says 1.27: the middle is theirs only where they are large enough to tell."""
    held = str(Decimal(small) * Decimal("1.5"))
    assert in_pounds(ground, ("100", "127"), ("100", "127"), *[(small, held)] * 3) == [not counts] * 2 + [counts] * 3


@pytest.mark.parametrize(("small", "counts"), [("4", True), ("3.99", False)])
def test_or_from_those_half_as_large_as_the_largest(ground: Ground, small: str, counts: bool) -> None:
    held = str(Decimal(small) * Decimal("1.5"))
    assert in_pounds(ground, ("8", "10.16"), ("8", "10.16"), *[(small, held)] * 3) == [not counts] * 2 + [counts] * 3


def test_no_rate_is_read_from_what_changed_nor_from_another_currency_nor_from_another_advertiser(ground: Ground) -> None:
    for place, other in enumerate([{"change_type": "restated"}, {"currency": "EUR"}, {"advertiser_id": "9"}]):
        for copy in range(3):
            key = f"p{place}{copy}"
            ground.order(**{"position": 10 + 3 * place + copy, "order_id": key, "currency": "GBP", "change_type": "new"} | other)
            ground.record(order_id=key, advertiser_id=other.get("advertiser_id", "2"), sale_amount="200")
    assert in_pounds(ground, ("100", "127"), ("100", "127"), ("100", "131"))[:3] == [True, True, False]


def test_the_smallest_orders_tell_a_rate_where_there_are_no_others(ground: Ground) -> None:
    assert in_pounds(ground, ("0.70", "0.889"), ("0.70", "0.889")) == [True] * 2


def test_an_order_of_which_cj_holds_nothing_tells_no_rate(ground: Ground) -> None:
    assert in_pounds(ground, ("100", "127"), ("100", "127"), ("100", "0"), ("100", "0")) == [True, True, False, False]


@pytest.mark.parametrize(
    ("amount", "held", "so"), [("0", "0", True), ("0", "0.03", False), ("0.02", "0", False), ("1", "1.27", True), ("0.79", "1", True)]
)
def test_only_nothing_itself_is_held_without_a_rate(ground: Ground, amount: str, held: str, so: bool) -> None:
    assert in_pounds(ground, ("100", "127"), ("100", "127"), (amount, held))[-1] is so


def test_an_order_over_nothing_has_no_rate_on_either_warehouse(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        assert in_pounds(Ground(session), ("0", "127"), ("100", "127"), ("0", "0"), ("100", "127")) == [False, True, True, True]


# -- the rate comes from other evidence than the order itself ------------------------------------------------------------------------------


def test_an_order_alone_in_its_currency_does_not_prove_itself(ground: Ground) -> None:
    assert in_pounds(ground, ("100", "127")) == [False]


@pytest.mark.parametrize(("held", "so"), [("130.80", True), ("130.82", False), ("12700", False)])
def test_of_two_orders_each_is_compared_with_the_other(ground: Ground, held: str, so: bool) -> None:
    assert in_pounds(ground, ("100", "127"), ("100", held)) == [so or held == "130.82", so]


@pytest.mark.parametrize(
    ("before", "so"),
    [
        ([{}], True),
        ([{"rate": "0.0127"}], False),
        ([{"currency": "EUR"}], False),
        ([{"advertiser_id": "9"}], True),
        ([{"advertiser_id": "9", "functional_currency": "EUR"}], False),
        ([{"rate": "2", "reading": 1}, {"reading": 2}], True),
        ([{"reading": 1}, {"rate": "2", "reading": 2}], False),
        ([{"reading": 1}, {"rate": "2", "reading": 2, "advertiser_id": "9"}], True),
        ([{"order_id": "o0", "plan_number": 3, "orders": 1}], True),  # its own earlier state
    ],
)
def test_an_order_alone_is_compared_with_what_earlier_rounds_showed(ground: Ground, before: list[dict[str, Any]], so: bool) -> None:
    for row in before:
        ground.rate(**row)
    assert in_pounds(ground, ("100", "127")) == [so]


def test_of_two_orders_that_disagree_an_earlier_round_tells_which_is_right(ground: Ground) -> None:
    ground.rate()
    assert in_pounds(ground, ("100", "127"), ("100", "12700")) == [True, False]


def test_this_runs_orders_say_more_than_earlier_rounds(ground: Ground) -> None:
    ground.rate(rate="2")
    assert in_pounds(ground, ("100", "127"), ("100", "127"), ("100", "127")) == [True] * 3


@pytest.mark.parametrize(("held", "so"), [("0", True), ("127", False)])
def test_where_no_rate_is_known_only_nothing_is_the_same(ground: Ground, held: str, so: bool) -> None:
    assert in_pounds(ground, ("0", held)) == [so]


@pytest.mark.parametrize(("discount", "held", "so"), [("10", "10", True), (None, "0", True), ("10", "9.99", False), (None, "10", False)])
def test_the_discount_of_a_converted_order_is_compared_in_its_own_currency(
    ground: Ground, discount: str | None, held: str, so: bool
) -> None:
    ground.order(currency="GBP", change_type="new", amount=str(100 + int(discount or 0)), discount=discount)
    ground.rate().record(sale_amount="127", order_discount="12.70", order_discount_orig_currency=held)
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
        ({"amount": "66.66"}, {}, "3.33"),  # an estimate, in cents
        ({"change_type": "cancelled"}, {"adv_commission_amount": "8.3333"}, "10.3333"),  # what CJ says, as it says it
        ({"change_type": "cancelled"}, {}, "10.00"),
        ({"change_type": "cancelled", "currency": "GBP"}, {}, "10.00"),
        # Unknown is never nothing: what neither the order nor its tracker tells, and what was converted at nobody knows what.
        ({"amount": "60.00", "currency": "GBP"}, {}, None),
        ({"amount": "60.00"}, {"sale_amount": "0"}, None),
        ({"amount": "60.00"}, {"sale_amount": None}, None),
        ({"amount": "60.00"}, {"adv_commission_amount": None}, None),
        ({"amount": "60.00"}, {"cj_fee": None}, None),
        ({"change_type": "cancelled"}, {"cj_fee": None}, None),
        ({"amount": "60.00"}, None, None),
        ({"change_type": "cancelled"}, {"sale_amount": "0"}, "0"),
        ({"amount": "80.00", "discount": "20.00"}, {}, "4.00"),
        (
            {"amount": "60.00", "discount": "20.00", "sale_amount_basis": "gross"},
            {"order_discount": "20.00", "adv_commission_amount": "6.40", "cj_fee": "1.60"},
            "4.00",
        ),
    ],
)
def test_at_stake_is_what_paying_for_the_wrong_state_would_cost(
    ground: Ground, order: dict[str, Any], record: dict[str, Any] | None, at_stake: str | None
) -> None:
    ground.order(**order)
    if record is not None:
        ground.record(**record)
    assert ground.plan()[0]["at_stake"] == (None if at_stake is None else Decimal(at_stake))


@pytest.mark.parametrize(
    ("order", "record", "at_stake"),
    [
        ({"amount": "1000000.00"}, None, "100000.00"),
        ({"amount": "1000000.00", "currency": "GBP"}, None, "127000.00"),
        ({"amount": "1000000.00", "currency": "EUR"}, None, None),
        ({"amount": "120.00", "discount": "20.00"}, None, "10.00"),
        ({"amount": "120.00", "discount": "20.00", "sale_amount_basis": "gross"}, None, "10.00"),
        ({"amount": "60.00"}, {"sale_amount": "0"}, "6.00"),
        ({"amount": "60.00"}, {"adv_commission_amount": None}, "4.00"),
        ({"amount": "60.00"}, {"sale_amount": None}, None),
        ({"amount": "1000000.00", "discount": "500000.00", "currency": "GBP"}, None, "63500.00"),
        ({"change_type": "cancelled"}, {"cj_fee": None}, "10.00"),
        ({"change_type": "cancelled"}, {"adv_commission_amount": None}, "10.00"),
        ({"amount": "60.00", "currency": "GBP"}, {"sale_amount": "127.00", "adv_commission_amount": "10.16", "cj_fee": "2.54"}, "5.08"),
        ({"amount": "60.00", "action_tracker_id": 402}, None, None),
    ],
)
def test_what_the_order_does_not_tell_is_estimated_by_its_tracker_and_the_rate_of_its_currency(
    ground: Ground, order: dict[str, Any], record: dict[str, Any] | None, at_stake: str | None
) -> None:
    """A tenth of what its orders are paid on, over two readings; 1.27 for a pound."""
    ground.order(**order).rate().tracker().tracker(reading=2, sale_amount="320.00", order_discount="20.00", commission="30.00")
    if order.get("sale_amount_basis") != "gross":
        ground.session.execute("UPDATE cj.tracker_readings SET sale_amount = 300 WHERE reading = 2")
    if record is not None:
        ground.record(**record)
    assert ground.plan()[0]["at_stake"] == (None if at_stake is None else Decimal(at_stake))


def test_no_estimate_is_too_large_to_be_kept_on_either_warehouse(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        ground = Ground(session).order(amount="1e20").record(sale_amount="0.0000000001", adv_commission_amount="1e20")
        assert float(ground.plan()[0]["at_stake"]) == pytest.approx(1e27)


def test_a_tracker_that_paid_on_nothing_tells_no_share(ground: Ground) -> None:
    ground.order().tracker(sale_amount="0")
    assert ground.plan()[0]["at_stake"] is None
