"""What goes to CJ is in the smallest unit of its currency, and its lines come to the amount; the amount is never changed to fit them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from babel.numbers import get_currency_precision
from hypothesis import given, settings
from hypothesis import strategies as st

from include.cj.payload import content_hashes
from include.domain.currencies import minor_units
from include.domain.money import from_units, units_of
from include.domain.shapes import CHANGES
from include.restatements.gate.cents import SETTLED, Line, in_cents, settled
from include.restatements.gate.gate import Gate, Inspected
from include.restatements.gate.suite import rules
from tests.restatements.gate.test_gate import NOW, item, order

CENT = Decimal("0.01")
STEP = units_of(CENT)


def line(price: str, quantity: int = 1, discount: str | None = None, sku: str = "S") -> dict[str, Any]:
    return item(sku=sku, quantity=quantity, unit_price=Decimal(price), discount=None if discount is None else Decimal(discount))


def judged(rows: Iterable[dict[str, Any]], results: Path, **own: str) -> tuple[Inspected, dict[str, int]]:
    gate = Gate(NOW, Decimal(1), results, frozenset({"1500001"}), own_currencies=own)
    (seen,) = gate.inspect([pa.Table.from_pylist(list(rows), CHANGES)])
    assert gate.result is not None
    return seen, gate.result.in_cents


def total(lines: list[dict[str, Any]]) -> Decimal:
    return sum((one["unit_price"] * one["quantity"] - (one["discount"] or 0) for one in lines), Decimal(0))


def settled_to(lines: list[dict[str, Any]], amount: Decimal) -> tuple[list[dict[str, Any]], bool] | None:
    given = [Line(one["sku"], one["quantity"], units_of(one["unit_price"]), units_of(one["discount"])) for one in lines]
    found = settled(given, units_of(amount), STEP)
    return found and (
        [item(sku=x.sku, quantity=x.quantity, unit_price=from_units(x.price), discount=from_units(x.discount)) for x in found[0]],
        found[1],
    )


def brought(lines: list[dict[str, Any]], amount: str) -> list[tuple[str, int, str]] | None:
    found = settled_to(lines, Decimal(amount))
    return found and [(f"{one['unit_price']:.2f}", one["quantity"], f"{one['discount'] or 0:.2f}") for one in found[0]]


@pytest.mark.parametrize(
    ("lines", "amount", "found"),
    [
        ([line("16.6583")], "16.66", [("16.66", 1, "0.00")]),
        ([line("8.4034", 10)], "84.03", [("8.41", 10, "0.07")]),
        ([line("3.3333333334", 3, "0.0000000002")], "10.00", [("3.34", 3, "0.02")]),
        ([line("10.255", 2, "0.51")], "20.00", [("10.26", 2, "0.52")]),
        ([line("0.125", 8)], "1.00", [("0.13", 8, "0.04")]),
        # Nothing is finer than a cent: only what misses the amount is touched, the dearest line first.
        ([line("8.40"), line("16.81")], "25.22", [("8.40", 1, "0.00"), ("16.82", 1, "0.00")]),
        ([line("8.40"), line("16.81")], "25.20", [("8.40", 1, "0.00"), ("16.81", 1, "0.01")]),
        ([line("8.40"), line("16.81", discount="1.00")], "24.23", [("8.41", 1, "0.00"), ("16.81", 1, "0.99")]),
        ([line("8.40", 2), line("0.00")], "16.81", [("8.41", 2, "0.01"), ("0.00", 1, "0.00")]),
        ([line("8.40"), line("16.81")], "25.21", [("8.40", 1, "0.00"), ("16.81", 1, "0.00")]),
        # A line that comes to nothing cannot come to less, nor one of no pieces to more.
        ([line("5.00"), line("0.00")], "4.98", None),
        ([line("5.00"), line("7.00", 0)], "5.02", None),
        ([line("8.40"), line("16.81")], "25.24", None),
        ([line("8.40"), line("16.81")], "25.18", None),
    ],
)  # fmt: skip
def test_lines_come_to_the_amount_by_a_cent_a_line_at_most(
    lines: list[dict[str, Any]], amount: str, found: list[tuple[str, int, str]] | None
) -> None:
    assert brought(lines, amount) == found


@pytest.mark.parametrize(
    ("currency", "amount", "kept"),
    [
        ("USD", "16.6583", "16.66"), ("USD", "16.665", "16.67"), ("USD", "16.6649999999", "16.66"), ("JPY", "1200.5", "1201"), ("KWD", "1.2345", "1.235"),
        ("RSD", "19.99", "19.99"), (None, "1200.5", "1201"), ("EUR", "0.004", "0.00"),
    ],
)  # fmt: skip
def test_amount_and_discount_are_rounded_half_up_to_the_decimals_of_their_currency(
    tmp_path: Path, currency: str | None, amount: str, kept: str
) -> None:
    own = {"1500001": "JPY"}
    rows = [order(currency=currency, amount=Decimal(amount), discount=None, items=None)]
    rows.append(order(order_id="ORD-2", currency=currency, amount=Decimal(5000), discount=Decimal(amount), items=None))
    seen, done = judged(rows, tmp_path, **own)
    assert seen.bad.num_rows == 0
    assert (seen.good["amount"][0].as_py(), seen.good["discount"][1].as_py()) == (Decimal(kept), Decimal(kept))
    assert done == ({"rounded": 2} if Decimal(amount) != Decimal(kept) else {})


def test_decimals_are_those_of_iso_4217_and_not_those_that_are_printed() -> None:
    (listed,) = (rule.kwargs["value_set"] for rule in rules() if rule.reason == "currency_unknown")
    printed_otherwise = {code for code in listed if minor_units(code) != get_currency_precision(code)}
    assert printed_otherwise == set(PRINTED_WITHOUT.split())
    assert {get_currency_precision(code) for code in printed_otherwise} == {0}
    assert (minor_units("JPY"), minor_units("KWD"), minor_units("USD"), minor_units(None)) == (0, 3, 2, 2)


PRINTED_WITHOUT = "AFN ALL IQD IRR KPW LAK LBP MGA MMK RSD SOS SYP YER"


def test_what_is_held_back_for_its_sum_is_held_back_as_it_was_given(tmp_path: Path) -> None:
    rows = [order(order_id="A", items=[line("8.40"), line("16.81")], amount=Decimal("25.24")), order(order_id="B", items=[line("20.00")])]
    seen, done = judged(rows, tmp_path)
    assert (seen.bad["reason"].to_pylist(), seen.good.to_pylist(), done) == (["items_do_not_add_up"], rows[1:], {})
    unfinished = order(items=[line("20.00"), item(quantity=None)], amount=Decimal("20.01"))
    assert judged([unfinished], tmp_path)[0].bad["reason"].to_pylist() == ["item_quantity_invalid"]


def test_a_cancellation_is_left_alone(tmp_path: Path) -> None:
    gone = order(change_type="cancelled", amount=Decimal("16.6583"), items=[line("16.6583")])
    seen, done = judged([gone], tmp_path)
    assert (seen.good.to_pylist(), done, seen.as_given) == ([gone], {}, None)


GROSS = st.lists(st.tuples(st.integers(1, 30_000), st.integers(1, 9)), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(GROSS, st.sampled_from(["1.19", "1.20", "1.07", "1.0825"]), st.sampled_from(["row totals", "unit prices of four decimals"]))
def test_a_shop_with_the_tax_in_its_prices_closes_to_the_cent_whatever_it_rounds(gross: list[tuple[int, int]], tax: str, way: str) -> None:
    """The order's net is rounded once, each line's for itself. The amount stays, every line stays within a cent and a half of its own net."""
    with_tax = [(Decimal(cents) / 100, quantity) for cents, quantity in gross]
    amount = (sum((price * quantity for price, quantity in with_tax), Decimal(0)) / Decimal(tax)).quantize(CENT, ROUND_HALF_UP)
    lines = []
    for n, (price, quantity) in enumerate(with_tax):
        net = (price * quantity / Decimal(tax)).quantize(CENT, ROUND_HALF_UP)
        unit = (net / quantity).quantize(CENT, ROUND_UP)
        four = (price / Decimal(tax)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        lines.append(
            line(str(unit), quantity, str(unit * quantity - net), f"S{n}")
            if way == "row totals"
            else line(str(four), quantity, None, f"S{n}")
        )
    found = settled_to(lines, amount)
    assert found is not None
    assert total(found[0]) == amount
    for before, after in zip(lines, found[0], strict=True):
        assert after["unit_price"] == after["unit_price"].quantize(CENT) and (after["discount"] or 0) >= 0
        assert abs(total([after]) - total([before])) <= Decimal("0.015")
    again = settled_to(found[0], amount)
    assert again == (found[0], False)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 3), st.integers(0, 3000)), min_size=1, max_size=4), st.integers(-3, 3))
def test_the_same_lines_in_another_order_are_the_same_state(parts: list[tuple[str, int, int]], off: int) -> None:
    lines = [line(str(Decimal(thousandths) / 1000), quantity, None, sku) for sku, quantity, thousandths in parts]
    amount = max(total(lines).quantize(CENT) + off * CENT, Decimal(0))
    rows = [order(order_id=f"O{n}", amount=amount, discount=None, items=list(turn)) for n, turn in enumerate(itertools.permutations(lines))]
    table, _ = in_cents(pa.Table.from_pylist(rows, CHANGES), {})
    hashes = content_hashes(table, pa.array([False] * len(rows)), pa.scalar("USD", pa.string()))
    assert len(set(hashes.to_pylist())) == 1


def test_a_night_of_a_shop_with_the_tax_in_its_prices_goes_on_and_says_what_was_done(tmp_path: Path) -> None:
    rows = []
    for n in range(300):
        parts = [(Decimal(499 + 37 * n % 9000) / 100, 1 + n % 3), (Decimal(1999 + 91 * n % 7000) / 100, 1)]
        amount = (sum(price * quantity for price, quantity in parts) / Decimal("1.19")).quantize(CENT, ROUND_HALF_UP)
        nets = [(price * quantity / Decimal("1.19")).quantize(CENT, ROUND_HALF_UP) for price, quantity in parts]
        lines = [line(str(net), 1, None, f"S{k}") for k, net in enumerate(nets)]
        rows.append(order(order_id=f"ORD-{n:03d}", amount=amount, discount=None, items=lines))
    missed = [row for row in rows if total(row["items"]) != row["amount"]]
    seen, done = judged(rows, tmp_path)
    assert len(missed) > 50
    assert (seen.bad.num_rows, done) == (0, {SETTLED: len(missed)})
    assert seen.good["amount"].to_pylist() == [row["amount"] for row in rows]
    assert all(total(row["items"]) == row["amount"] for row in seen.good.to_pylist())
