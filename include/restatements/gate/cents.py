"""Money as CJ keeps it: in the smallest unit of the order's currency, with lines that come to the amount.

CJ posts an amount finer than a cent in cents, and its sum closes to the cent: amount = sum of unit price x quantity - sum of item discounts. A shop
whose prices include the tax knows its net amounts only rounded, each for itself: the lines then miss the order's amount by a cent here and there.

    amounts    amount and discount of the order are rounded to the currency's smallest unit, half up: as shops, and SQL's ROUND over decimals, do.
               So what is sent, hashed and compared is what CJ can hold
    lines      each comes to its own total, rounded the same way. What is left to the amount, at most one unit a line, is put on the lines, the
               dearest first. Of a line that changed, the unit price stays where it comes to the total or more, and the rest is its discount;
               otherwise it is the smallest that does

The order's amount is never changed to fit its lines. Lines that miss it by more are left as they are, and the gate holds the order back. The same
order gives the same lines whatever order they come in, and lines that were brought to the cent stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.domain.currencies import minor_units
from include.domain.money import LARGEST_AMOUNT, SCALE, from_units, units_of
from include.domain.shapes import ITEM, MONEY
from include.restatements.gate.items import Flags, Ints, in_int64, item_findings
from include.restatements.gate.storable import LARGEST_QUANTITY

ROUNDED, SETTLED = "rounded", "settled"
"""What was done to an order: money finer than its currency was rounded; a difference between its lines and its amount was put on the lines."""

_LARGEST = units_of(LARGEST_AMOUNT)


class Line(NamedTuple):
    """An item; its money in units of the last decimal that is kept."""

    sku: str
    quantity: int
    price: int
    discount: int

    @property
    def net(self) -> int:
        return self.price * self.quantity - self.discount


def in_cents(table: pa.Table, own_currencies: Mapping[str, str]) -> tuple[pa.Table, Counter[str]]:
    """`table` (shapes.CHANGES) with money in the smallest unit of each order's currency, and how many orders that changed, by what was done.

    `own_currencies` are those of the enterprises' advertisers, for orders that name none. A cancellation is left alone: none of this goes to CJ. The
    same object where nothing was to be done.
    """
    steps = _steps(table, own_currencies)
    sent = ~pc.fill_null(pc.equal(table["change_type"], "cancelled"), False).to_numpy()
    items = _whole(table["items"])
    lengths = pc.fill_null(pc.list_value_length(items), 0).to_numpy()
    of_line = np.repeat(steps, lengths)
    fine_lines = np.zeros(len(of_line), np.bool_)
    for prices in items.flatten().flatten()[2:]:
        fine_lines |= _finer(prices, of_line)
    with_fine_lines = np.zeros(len(items), np.bool_)
    with_fine_lines[np.repeat(np.arange(len(items)), lengths)[fine_lines]] = True
    open_sums = ~item_findings(items, _whole(table["amount"])).add_up
    finer = {name: sent & _finer(_whole(table[name]), steps) for name in ("amount", "discount")}
    rounded = sent & with_fine_lines | finer["amount"] | finer["discount"]
    for name, rows in finer.items():
        if rows.any():
            column = _whole(table[name])
            values = [from_units(_half_up(units_of(column[row].as_py()), int(steps[row]))) for row in np.flatnonzero(rows)]
            table = _with(table, name, pc.replace_with_mask(column, pa.array(rows), pa.array(values, MONEY)))
    changed, put = _settled_lines(items, lengths, _whole(table["amount"]), steps, np.flatnonzero(sent & (rounded | open_sums)))
    if changed:
        table = _with(table, "items", _changed(items, lengths, changed))
    return table, +Counter({ROUNDED: int(rounded.sum()), SETTLED: put})


def settled(lines: list[Line], amount: int, step: int) -> tuple[list[Line], bool] | None:
    """The `lines` so that they come to `amount`, in multiples of `step`, which it is one of. And whether a difference was put on them.

    None where there is more of it than one step a line.
    """
    totals = [_half_up(line.net, step) for line in lines]
    left = (amount - sum(totals)) // step
    if left:
        unit = step if left > 0 else -step
        dearest = sorted(range(len(lines)), key=lambda n: (-lines[n].net, lines[n]))
        takers = [n for n in dearest if lines[n].quantity > 0 and totals[n] + unit >= 0][: abs(left)]
        if len(takers) < abs(left):
            return None
        for n in takers:
            totals[n] += unit
    return [_coming_to(line, total, step) for line, total in zip(lines, totals, strict=True)], left != 0


def _coming_to(line: Line, total: int, step: int) -> Line:
    """The line with unit price and discount in steps, and unit price x quantity - discount = total."""
    if line.price % step == line.discount % step == 0 and line.net == total:
        return line
    price = _half_up(line.price, step)
    if line.quantity and price * line.quantity < total:
        price = -(-total // (line.quantity * step)) * step
    return line._replace(price=price, discount=price * line.quantity - total)


def _settled_lines(items: pa.Array, lengths: Ints, amounts: pa.Array, steps: Ints, doubtful: Ints) -> tuple[dict[int, Line], int]:
    """The lines that change, by their place among all lines; and in how many orders a difference was put on lines."""
    changed: dict[int, Line] = {}
    put = 0
    if not len(doubtful):
        return changed, put
    skus, quantities, prices, discounts = items.flatten().flatten()
    given = pc.and_(quantities.is_valid(), prices.is_valid()).to_numpy(zero_copy_only=False)
    quantities, prices, discounts = pc.fill_null(quantities, 0).to_numpy(), _Units(prices), _Units(discounts)
    ends = np.cumsum(lengths).tolist()
    for row in doubtful.tolist():
        places = range(ends[row] - int(lengths[row]), ends[row])
        amount = amounts[row].as_py()
        if not places or amount is None or not given[places.start : places.stop].all():
            continue
        names = skus[places.start : places.stop].to_pylist()
        lines = [Line(name or "", int(quantities[n]), prices[n], discounts[n]) for name, n in zip(names, places, strict=True)]
        found = settled(lines, units_of(amount), int(steps[row])) if all(map(_can_be_settled, lines)) else None
        if found is not None:
            put += found[1]
            changed.update((n, after) for n, before, after in zip(places, lines, found[0], strict=True) if after is not before)
    return changed, put


def _can_be_settled(line: Line) -> bool:
    """Whether its numbers can be carried and go together: of the others the gate says what is wrong."""
    return 0 <= line.quantity <= LARGEST_QUANTITY and 0 <= line.price < _LARGEST and 0 <= line.discount < _LARGEST and line.net >= 0


def _changed(items: pa.Array, lengths: Ints, changed: Mapping[int, Line]) -> pa.Array:
    """`items` with the money of some lines written anew."""
    sku, quantity, price, discount = items.flatten().flatten()
    places = sorted(changed)
    mask = np.zeros(len(sku), np.bool_)
    mask[places] = True
    price = pc.replace_with_mask(price, pa.array(mask), pa.array([from_units(changed[n].price) for n in places], MONEY))
    discount = pc.replace_with_mask(discount, pa.array(mask), pa.array([from_units(changed[n].discount) for n in places], MONEY))
    starts = pa.array(np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]), pa.int32())
    offsets = pc.if_else(pa.concat_arrays([items.is_valid(), pa.array([True])]), starts, None)
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays([sku, quantity, price, discount], fields=list(ITEM)))


class _Units:
    """A column of money, read as units one by one."""

    def __init__(self, column: pa.Array) -> None:
        self._column = column
        self._units, self._fits = in_int64(column)

    def __getitem__(self, n: int) -> int:
        return int(self._units[n]) if self._fits[n] else units_of(self._column[n].as_py())


def _half_up(units: int, step: int) -> int:
    """To the nearest multiple of `step`; a half away from zero."""
    whole = (abs(units) + step // 2) // step * step
    return whole if units >= 0 else -whole


def _steps(table: pa.Table, own_currencies: Mapping[str, str]) -> Ints:
    """For each order the smallest unit of its currency, in units of the last decimal kept."""
    own = _each(_whole(table["enterprise_id"]), lambda enterprise: _step(own_currencies.get(enterprise)))
    named = _whole(table["currency"])
    return np.where(named.is_valid().to_numpy(zero_copy_only=False), _each(named, _step), own)


def _step(currency: str | None) -> int:
    return 10 ** (SCALE - minor_units(currency))


def _each(texts: pa.Array, value: Any) -> Ints:
    coded = texts.dictionary_encode()
    values = np.array([*map(value, coded.dictionary.to_pylist()), _step(None)], np.int64)
    return values[coded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)]


def _finer(column: pa.Array, steps: Ints) -> Flags:
    """Whether each amount has digits below its step. What is too large to be sent is left as it is."""
    units, fits = in_int64(column)
    found = units % steps != 0
    for row in np.flatnonzero(~fits):
        exact = units_of(column[row].as_py())
        found[row] = abs(exact) < _LARGEST and exact % int(steps[row]) != 0
    return found


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), column)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return (
        column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    )
