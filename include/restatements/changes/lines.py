"""One order's items from their JSON text, a value at a time: what a shop's tables hold, and in words what cannot be read.

A quantity is a whole number however it is written (2, "2", 2.0000), a SKU may be a number, and a line may be given by its total. Words never hold a
value: of a text its shape is told, every digit a 9 and every letter an a.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

from include.domain.money import PRECISION, SCALE, ZERO, NotMoney, from_units, money, units_of
from include.domain.shapes import ITEM

LINE_TOTAL = "line_total"
"""What a line comes to after its discount; unit price and discount are worked out so that they give it."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_MEMBERS = (*ITEM.names, LINE_TOTAL)
_CENT_UNITS = 10 ** (SCALE - 2)
_SHOWN = 24

MOMENT = r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})"
"""A time that says its zone."""


class Unreadable(ValueError):
    """A text cannot be read exactly. The message says what was found, and holds no value."""


def amount_of(text: str, given: object = None) -> Decimal:
    """An exact amount from a text, or from the text of the number that was `given`. Raises Unreadable."""
    found = kind(text if given is None else given)
    if not _NUMBER.fullmatch(text):
        raise Unreadable(f"{found} is no plain number")
    try:
        return money(text)
    except (NotMoney, ArithmeticError) as problem:
        raise Unreadable(f"{found}: {_of_a_float(text, str(problem))}") from None


def items_of(text: str | None) -> list[dict[str, object]] | None:
    """The items (shapes.ITEM as dictionaries), None for no text and for `null`. Raises Unreadable, which names the line and the member."""
    if text is None or not text.strip():
        return None
    try:
        found = json.loads(text, parse_float=_Fraction, parse_constant=_Constant, object_pairs_hook=_Object)
    except json.JSONDecodeError as problem:
        raise Unreadable(f"it is no JSON from character {problem.pos + 1} on") from None
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON that can be read: a number too long, or lists too deep in each other") from None
    if found is None:
        return None
    if not isinstance(found, list):
        raise Unreadable(f"it is {kind(found)}, and no list")
    return [_item(item, number) for number, item in enumerate(found, 1)]


def id_of(text: str) -> int | None:
    """A plain whole number of at most 18 digits from a text, None for an empty one. Raises Unreadable."""
    if not text.strip():
        return None
    if not re.fullmatch("[0-9]{1,18}", text):
        raise Unreadable(f"{kind(text)} is no whole number of at most 18 digits")
    return int(text)


def instant_of(text: str) -> datetime | None:
    """A moment from an ISO text with its zone, None for an empty one. Raises Unreadable."""
    if not text.strip():
        return None
    try:
        if not re.fullmatch(MOMENT, text, re.ASCII):
            raise ValueError
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(f"{kind(text)} is no time with its zone, like 2026-03-01 18:30:00+00:00") from None


def flag_of(text: str) -> bool | None:
    """A yes or no from the texts `true` and `false`, None for an empty one. Raises Unreadable."""
    if not text.strip():
        return None
    if text not in ("true", "false"):
        raise Unreadable(f"{kind(text)} is neither true nor false")
    return text == "true"


def kind(value: object) -> str:
    """What a value of JSON is, in words, without its content."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case _Constant():
            return "no number (NaN or infinite)"
        case str():
            return f"a text like {shape(value)!r}" if value.strip() else "an empty text"
        case int() | Decimal():
            return f"a number like {shape(value.text if isinstance(value, _Fraction) else str(value))}"
        case list():
            return "a list"
        case _:
            return "an object"


def shape(text: str) -> str:
    """The text with every digit a 9, every letter an a and everything unusual a ?; cut short."""
    shown = "".join("9" if c.isdecimal() else "a" if c.isalpha() else c if c.isascii() and c.isprintable() else "?" for c in text[:_SHOWN])
    return shown + ("…" if len(text) > _SHOWN else "")


def by_total(quantity: int | None, unit_price: Decimal | None, total: Decimal) -> tuple[Decimal, Decimal]:
    """Unit price and line discount of a line that comes to `total`: unit price x quantity - discount = total, to the last digit.

    The unit price stays as it is given where it does not come to less than the total; otherwise it is the smallest that does, in the decimals the
    total has and at least two. Raises Unreadable where the discount has more digits than are kept.
    """
    if quantity is None or quantity <= 0:  # nothing can be worked out; the gate holds it back for the quantity, or for the sum
        return (total if unit_price is None or total else unit_price), ZERO
    whole, price = units_of(total), None if unit_price is None else units_of(unit_price)
    if price is None or price * quantity < whole or whole < 0:
        step = _CENT_UNITS if whole % _CENT_UNITS == 0 else 1
        price = -(-whole // (quantity * step)) * step
    discount = price * quantity - whole
    if discount >= 10**PRECISION:
        raise Unreadable("its line_total is more than can be kept below unit_price x quantity")
    return from_units(price), from_units(discount)


class _Fraction(Decimal):
    """A number with a point or an exponent, and how it was written."""

    text: str

    def __new__(cls, text: str) -> _Fraction:
        number = super().__new__(cls, text)
        number.text = text
        return number


class _Constant(str):
    """NaN, Infinity or -Infinity: JSON as Python and JavaScript write it, and no number."""


class _Object(dict[str, object]):
    """A JSON object that remembers whether a name came twice: then nobody can say which value counts."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        self.twice = len(self) != len(pairs)


def _item(item: object, number: int) -> dict[str, object]:
    if not isinstance(item, _Object):
        raise Unreadable(f"line {number} is {kind(item)}, and no object")
    if item.twice:
        raise Unreadable(f"line {number} gives a member twice")
    read: dict[str, object] = {}
    for name in _MEMBERS:
        value = item.get(name)
        try:
            read[name] = _READ[name](value)
        except Unreadable as problem:
            raise Unreadable(f"line {number}, {name}: {problem}") from None
    total = read.pop(LINE_TOTAL)
    if isinstance(total, Decimal):
        quantity, price = read["quantity"], read["unit_price"]
        assert quantity is None or isinstance(quantity, int)
        assert price is None or isinstance(price, Decimal)
        try:
            read["unit_price"], read["discount"] = by_total(quantity, price, total)
        except Unreadable as problem:
            raise Unreadable(f"line {number}: {problem}") from None
    return read


def _sku(value: object) -> str | None:
    if isinstance(value, str) and not isinstance(value, _Constant):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unreadable("half of a character (a lone surrogate)") from None
        return value
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return None if value is None else str(value)
    if isinstance(value, _Fraction) and not re.search("[eE]", value.text):
        return value.text
    raise Unreadable(f"{kind(value)} is no SKU")


def _quantity(value: object) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    number = value
    if isinstance(value, (str, _Fraction)):
        with suppress(Unreadable):
            units = units_of(amount_of(value.text if isinstance(value, _Fraction) else value))
            number = value if units % 10**SCALE else units // 10**SCALE
    if not isinstance(number, int) or isinstance(number, bool) or not -(2**63) <= number < 2**63:
        raise Unreadable(f"{kind(value)} is no whole number")
    return number


def _price(value: object) -> Decimal | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, (bool, _Constant)) or not isinstance(value, (str, int, Decimal)):
        raise Unreadable(f"{kind(value)} is no amount")
    return amount_of(value.text if isinstance(value, _Fraction) else str(value), value)


_READ = {"sku": _sku, "quantity": _quantity, "unit_price": _price, "discount": _price, LINE_TOTAL: _price}


def _of_a_float(text: str, problem: str) -> str:
    decimals = len(text.partition(".")[2])
    return f"{problem}. It was a floating-point number: make it a decimal in the query" if decimals > SCALE else problem
