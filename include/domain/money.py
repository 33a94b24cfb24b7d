"""Money: one way in, one way out.

An amount enters through `money()`, is a `Decimal` while it is computed with, and leaves through `money_text()`: plain digits, never
an exponent, at least two decimals, no digit gained or lost. `float` is refused, because a float has already lost the cents.
Elsewhere in the package `float(` and `Decimal(` on amounts are lint errors.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation, localcontext

#: Columns that hold money are `decimal(38, 10)`: 28 digits before the point, 10 after, more than any shop's unit price needs.
PRECISION, SCALE = 38, 10
CENT = Decimal("0.01")
ZERO = Decimal("0.00")
LARGEST_AMOUNT = Decimal(10) ** 18
"""Amounts at and above are not taken, from the shop or from CJ: below it, the sum of ten thousand million of them still fits the columns."""

_EXACT = Context(prec=PRECISION + SCALE, rounding=ROUND_HALF_EVEN)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LONGEST = 10_000


class NotMoney(ValueError):
    """The value cannot be an amount of money. Terminal: the same value will fail again."""


def money(value: str | int | Decimal) -> Decimal:
    """An exact amount from text, an integer or a Decimal.

    Raises NotMoney for floats, NaN, infinities, text that is no number, and amounts that do not fit `decimal(38, 10)`.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise NotMoney(f"an amount must be text, an integer or a Decimal, not {type(value).__name__}")
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise NotMoney("an amount must be a plain decimal number") from None
    if not amount.is_finite():
        raise NotMoney("an amount must be finite")
    if amount and amount.adjusted() >= PRECISION - SCALE:
        raise NotMoney(f"an amount may have at most {PRECISION - SCALE} digits before the point")
    if amount and amount.adjusted() < -SCALE:
        raise NotMoney(f"an amount may have at most {SCALE} decimal places")
    _, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int)
    if exponent >= -SCALE:
        return amount
    trailing = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    if amount and -(exponent + trailing) > SCALE:
        raise NotMoney(f"an amount may have at most {SCALE} decimal places")
    return amount


def nearest_money(text: str) -> Decimal:
    """The amount in a plain number, rounded half to even where it has digits past the column's: a reversal rounds as what it reverses.

    Raises NotMoney for what is no number, and for LARGEST_AMOUNT and above.
    """
    if not is_plain_number(text):
        raise NotMoney("an amount must be a plain decimal number")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise NotMoney("an amount must have an exponent that a number can have") from None
    if amount and amount.adjusted() >= LARGEST_AMOUNT.adjusted():
        raise NotMoney(f"an amount must be below {LARGEST_AMOUNT:f}")
    return amount.quantize(Decimal(1).scaleb(-SCALE), context=_EXACT)


def is_plain_number(text: str) -> bool:
    """Whether the text is digits, with or without a point and an exponent."""
    return len(text) <= _LONGEST and _NUMBER.fullmatch(text) is not None


def money_text(amount: Decimal) -> str:
    """The amount as CJ's `NonNegativeDecimalNumber` travels: `200.75`, `0.00`, `0.0125`; never `2E+2`."""
    text = f"{amount:f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def units_of(amount: Decimal | None) -> int:
    """The amount as a whole number of the last decimal that a column keeps; 0 for none. Exact for whatever `money` gives."""
    if amount is None:
        return 0
    sign, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int)
    whole = int("".join(map(str, digits)))
    whole = whole * 10 ** (exponent + SCALE) if exponent >= -SCALE else whole // 10 ** -(exponent + SCALE)
    return -whole if sign else whole


def from_units(units: int) -> Decimal:
    """The amount that `units_of` gave the units of."""
    return Decimal(f"{units}e-{SCALE}")


def exact_sum(amounts: list[Decimal]) -> Decimal:
    """The sum with no digit rounded away."""
    with localcontext(_EXACT):
        return sum(amounts, ZERO)
