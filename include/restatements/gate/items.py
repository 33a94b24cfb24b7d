"""What can be said about the items of an order, exactly and a column at a time.

Line totals are 128-bit decimals times 64-bit integers, more than any Arrow or NumPy type holds. So every order is first tried in
64-bit integers, at a scale that loses no digit and only where a bound proves that nothing can overflow; the few orders
beyond that bound are computed in Python's integers, which have no end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from include.domain.money import ZERO, from_units, units_of
from include.domain.shapes import ITEM, ITEMS
from include.restatements.gate.storable import in_range, plain

MAX_ITEMS = 100
"""CJ: `Order may not have more than 100 items`."""

COMBINED_SKU = "COMBINED-SMALL-LINES"
"""The SKU of the one line that stands for the smallest ones of an order with too many."""

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

#: A line total below this, times the lines of an order that takes the fast way, stays below 2**62.
_LINE_BOUND, _LINES_BOUND = 2.0**53, 256


@dataclass(frozen=True)
class ItemFindings:
    """One entry an order; True where the rule holds or does not apply. `count` is the number of items (0 for none)."""

    count: Ints
    sku_given: Flags
    sku_plain: Flags
    longest_sku: Ints
    quantity_valid: Flags
    largest_quantity: Ints
    unit_price_valid: Flags
    prices_in_range: Flags
    discount_not_negative: Flags
    discount_within_line: Flags
    add_up: Flags


def item_findings(items: pa.ListArray, amount: pa.Decimal128Array) -> ItemFindings:
    """Checks `items` (shapes.ITEMS) against each other and against `amount`, row by row.

    amount = sum of unit price x quantity - sum of item discounts, exactly (CJ's sample files close to the cent only so). A null list, and an
    order without an amount, has nothing to add up; an empty list has, and adds up to nothing. A missing item discount counts as zero.
    """
    lengths = pc.fill_null(pc.list_value_length(items), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    owner = np.repeat(np.arange(len(items)), lengths)
    lines = items.flatten()
    sku, quantity, price, discount = lines.flatten()
    sku_length = _numpy(pc.fill_null(pc.utf8_length(sku), 0))
    quantities = _numpy(pc.fill_null(quantity, 0))
    price_sign, discount_sign = _signs(price), _signs(discount)
    quantity_valid = _numpy(quantity.is_valid()) & (quantities >= 0)
    price_valid = _numpy(price.is_valid()) & (price_sign >= 0)
    complete = _all_of(owner, quantity_valid & price_valid & (discount_sign >= 0), len(items))
    within, adds_up = _sums(items, lengths, owner, quantities, price, discount, amount, complete)
    return ItemFindings(
        count=lengths,
        sku_given=_all_of(owner, sku_length > 0, len(items)),
        sku_plain=_all_of(owner, _numpy(pc.fill_null(plain(sku), True)), len(items)),
        longest_sku=_largest_of(lengths, sku_length),
        quantity_valid=_all_of(owner, quantity_valid, len(items)),
        largest_quantity=_largest_of(lengths, quantities),
        unit_price_valid=_all_of(owner, price_valid, len(items)),
        prices_in_range=_all_of(owner, _numpy(pc.fill_null(pc.and_kleene(in_range(price), in_range(discount)), True)), len(items)),
        discount_not_negative=_all_of(owner, discount_sign >= 0, len(items)),
        discount_within_line=within,
        add_up=adds_up,
    )


def _sums(
    items: pa.ListArray,
    lengths: Ints,
    owner: Ints,
    quantities: Ints,
    price: pa.Array,
    discount: pa.Array,
    amount: pa.Array,
    complete: Flags,
) -> tuple[Flags, Flags]:
    """Whether each line's discount is within its total, and whether the lines add up; both True where `complete` is False."""
    (prices, price_fits), (discounts, discount_fits), (amounts, amount_fits) = (in_int64(column) for column in (price, discount, amount))
    step = _common_step(prices, discounts, amounts)
    prices, discounts, amounts = prices // step, discounts // step, amounts // step
    small = price_fits & discount_fits & (prices.astype(np.float64) * quantities < _LINE_BOUND) & (discounts < _LINE_BOUND)
    fast = _all_of(owner, small, len(items)) & amount_fits & (lengths <= _LINES_BOUND)
    with np.errstate(over="ignore"):  # a running sum that wraps still has the right differences; what wraps by itself is not `fast`
        totals = prices * quantities
        running = np.concatenate([np.zeros(1, np.int64), np.cumsum(totals - discounts)])
        net = np.diff(running[np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])])
    within = _all_of(owner, discounts <= totals, len(items))
    comparable = _numpy(items.is_valid()) & _numpy(amount.is_valid())
    adds_up = (net == amounts) | ~comparable
    for row in np.flatnonzero(~fast & complete):
        within[row], adds_up[row] = _exactly(items[row].as_py(), amount[row].as_py())
    return within | ~complete, adds_up | ~complete


def _exactly(items: list[dict[str, Any]] | None, amount: Any) -> tuple[bool, bool]:
    lines = [(units_of(i["unit_price"]) * i["quantity"], units_of(i["discount"])) for i in items or ()]
    within = all(discount <= total for total, discount in lines)
    comparable = items is not None and amount is not None
    return within, not comparable or sum(total - discount for total, discount in lines) == units_of(amount)


def in_int64(column: pa.Array) -> tuple[Ints, Flags]:
    """The unscaled values in 64 bits (0 for null and where they do not fit), and where they fit."""
    if len(column) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    column = pc.fill_null(column, pa.scalar(ZERO, column.type))
    limbs = np.frombuffer(column.buffers()[1], np.int64).reshape(-1, 2)[column.offset : column.offset + len(column)]
    low, high = limbs[:, 0], limbs[:, 1]
    fits = high == low >> 63
    return np.where(fits, low, 0), fits


def _common_step(*columns: Ints) -> int:
    """The largest of a few powers of ten that divides every value: most shops use two of the ten decimals, which leaves room for large sums."""
    return next((step for step in (10**8, 10**6, 10**4) if all(not np.any(column % step) for column in columns)), 1)


def _signs(column: pa.Array) -> Ints:
    """-1, 0 or 1; 0 for null."""
    return _numpy(pc.fill_null(pc.cast(pc.sign(column), pa.int64()), 0)) if len(column) else np.zeros(0, np.int64)


def _numpy(column: pa.Array) -> Any:
    return column.to_numpy(zero_copy_only=False)


def _all_of(owner: Ints, flags: Flags, orders: int) -> Flags:
    """True for each order none of whose lines is False."""
    all_so = np.ones(orders, np.bool_)
    all_so[owner[~flags]] = False
    return all_so


def _largest_of(lengths: Ints, values: Ints) -> Ints:
    """The largest value of each order; 0 for one without lines."""
    largest = np.zeros(len(lengths), np.int64)
    if len(values):
        starts = np.cumsum(lengths) - lengths
        largest[lengths > 0] = np.maximum.reduceat(values, starts[lengths > 0])
    return largest


def combine_small_lines(table: pa.Table) -> pa.Table:
    """`table` (shapes.CHANGES, rows that passed the gate) with no order over MAX_ITEMS items: the lines with the smallest totals become one.

    That line has quantity 1, no discount, and the exact sum of what it replaces as its unit price, so the order's amount stays what it was.
    Cancellations are left alone: they carry no items to CJ, so theirs were never judged.
    Lines of equal totals are taken from the end, so the same order always gives the same lines.
    """
    items = table["items"].combine_chunks()
    if isinstance(items, pa.ChunkedArray):
        items = pa.concat_arrays(items.chunks) if items.num_chunks else pa.array([], ITEMS)
    over = _numpy(pc.fill_null(pc.list_value_length(items), 0)) > MAX_ITEMS
    crowded = np.flatnonzero(over & ~_numpy(pc.fill_null(pc.equal(table["change_type"], "cancelled"), False)))
    if not len(crowded):
        return table
    pieces, start = [], 0
    for row in crowded.tolist():
        pieces += [items.slice(start, row - start), pa.array([combined(items[row].as_py())], ITEMS)]
        start = row + 1
    pieces.append(items.slice(start))
    return table.set_column(table.schema.get_field_index("items"), table.schema.field("items"), pa.concat_arrays(pieces))


def combined(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most MAX_ITEMS of the `lines` (shapes.ITEM as dictionaries), in their order, and one line for the rest."""
    if len(lines) <= MAX_ITEMS:
        return lines
    nets = [units_of(line["unit_price"]) * line["quantity"] - units_of(line["discount"]) for line in lines]
    by_size = sorted(range(len(lines)), key=lambda i: (-nets[i], i))
    kept = sorted(by_size[: MAX_ITEMS - 1])
    rest = from_units(sum(nets[i] for i in by_size[MAX_ITEMS - 1 :]))
    return [lines[i] for i in kept] + [dict(zip(ITEM.names, (COMBINED_SKU, 1, rest, ZERO), strict=True))]
