"""An amount comes in exactly or not at all, and leaves with every digit it came with."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.domain.money import NotMoney, exact_sum, from_units, is_plain_number, money, money_text, nearest_money, units_of

AMOUNTS = st.decimals(min_value=0, max_value=Decimal("9999999999999999999999999999.9999999999"), places=10)


@given(AMOUNTS)
def test_what_leaves_is_what_came(amount: Decimal) -> None:
    assert money(money_text(money(str(amount)))) == amount
    assert "E" not in money_text(amount)


@pytest.mark.parametrize(
    "bad",
    ["1e9999999999", "1e-9999999999", "NaN", "Infinity", "", "12,50", "0.00000000001", "1" + "0" * 28, "12345678901234567890.12345678901"],
)
def test_what_is_no_amount_is_refused(bad: str) -> None:
    with pytest.raises(NotMoney):
        money(bad)


@pytest.mark.parametrize("bad", [1.5, True, None, b"1"])
def test_a_float_has_lost_its_cents_already(bad: object) -> None:
    with pytest.raises(NotMoney):
        money(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given_text", "sent"),
    [("200.75", "200.75"), ("0", "0.00"), ("1E+2", "100.00"), ("0.0125000", "0.0125"), ("0E-10", "0.00"), ("0.0000000001", "0.0000000001")],
)
def test_amounts_travel_as_plain_digits(given_text: str, sent: str) -> None:
    assert money_text(money(given_text)) == sent


def test_a_sum_keeps_every_digit() -> None:
    assert exact_sum([money("9999999999999999999999999999"), money("0.0000000001")]) == Decimal("9999999999999999999999999999.0000000001")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**17), max_value=10**17, places=14))
def test_the_nearest_money_of_an_amount_and_of_its_reversal_add_up_to_nothing_and_are_never_half_a_place_off(amount: Decimal) -> None:
    there, back = nearest_money(f"{amount:f}"), nearest_money(f"{-amount:f}")
    assert there == -back
    assert money(there) == there
    assert abs(there - amount) <= Decimal("0.00000000005")


@pytest.mark.parametrize(
    "text", ["", " 1", "1_000", "Infinity", "NaN", "0x1", "1,5", "1e", "1" * 19, "1e18", "-1e400", "1e999999999999999999999"]
)
def test_what_is_no_number_or_beyond_the_largest_has_no_nearest_money(text: str) -> None:
    with pytest.raises(NotMoney):
        nearest_money(text)


@pytest.mark.parametrize(
    ("read", "text", "told"),
    [
        (money, "1" + "0" * 28, "an amount may have at most 28 digits before the point"),
        (money, "1e-11", "an amount may have at most 10 decimal places"),
        (money, "1.00000000001", "an amount may have at most 10 decimal places"),
        (nearest_money, "1e18", "an amount must be below 1000000000000000000"),
    ],
)
def test_an_amount_that_does_not_fit_is_told_what_would(read: Callable[[str], Decimal], text: str, told: str) -> None:
    with pytest.raises(NotMoney) as raised:
        read(text)
    assert str(raised.value) == told


@pytest.mark.parametrize(("length", "is_one"), [(10_000, True), (10_001, False)])
def test_a_number_of_ten_thousand_characters_is_the_longest_that_is_read(length: int, is_one: bool) -> None:
    assert is_plain_number("1".zfill(length)) is is_one


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        (None, 0),
        ("0.00", 0),
        ("1", 10_000_000_000),
        ("-12.50", -125_000_000_000),
        ("1E+2", 1_000_000_000_000),
        ("0.0000000001", 1),
        ("-0.0000000010", -10),
        ("0.00000000010", 1),
        ("2.50000000000000", 25_000_000_000),
    ],
)
def test_an_amount_is_a_whole_number_of_the_last_place_and_back(amount: str | None, units: int) -> None:
    assert units_of(None if amount is None else money(amount)) == units
    assert from_units(units) == Decimal(amount or 0)
