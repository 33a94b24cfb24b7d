"""CJ's state against the warehouse's, order by order, to the penny: the last question of a rehearsal.

Every order the warehouse knows ends in exactly one of three: CJ holds what the warehouse says; the loop said why it does not (a quarantine or
a skip row is its last word); or it is a difference, and the rehearsal has failed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa

from include.domain.money import ZERO, money
from include.domain.shapes import KEY
from include.domain.states import Skip

EXCUSES = frozenset({Skip.NOT_IN_CJ, Skip.NEVER_SENT, Skip.WAITING})
"""Skips that may leave CJ with another state. `unchanged` is none: it claims that CJ already agrees."""


class OrderKey(NamedTuple):
    """What names an order at CJ."""

    enterprise_id: str
    action_tracker_id: int
    order_id: str


@dataclass(frozen=True)
class OrderState:
    """What somebody pays for. An order that is cancelled, or that CJ does not hold, is worth nothing: `NOTHING`."""

    amount: Decimal
    discount: Decimal
    pieces: Mapping[str, int]
    """Quantity by SKU; empty where there is no basket."""

    def __str__(self) -> str:
        return f"{self.amount} less {self.discount}, {sum(self.pieces.values())} pieces" if self != NOTHING else "nothing"


NOTHING = OrderState(ZERO, ZERO, {})


@dataclass(frozen=True)
class Difference:
    """An order that is one thing in the warehouse and another at CJ."""

    key: OrderKey
    should: OrderState
    held: OrderState
    last_word: str
    """What the loop said of it last, as `table: reason`; `nothing` if it never spoke of it."""

    def __str__(self) -> str:
        return f"order {self.key.order_id}: the warehouse says {self.should}, CJ holds {self.held}; last word: {self.last_word}"


@dataclass(frozen=True)
class Comparison:
    """`orders` = `agreed` + all of `held_back` + `differences`."""

    orders: int
    agreed: int
    held_back: Mapping[str, int]
    """Orders CJ does not agree on and the loop said why, by `table: reason`."""
    differences: tuple[Difference, ...] = field(default=())


def compare(warehouse: pa.Table, cj: pa.Table, last_words: pa.Table) -> Comparison:
    """Compares every order either side knows.

    `warehouse`: the newest state of each order: KEY, change_type, amount and discount (decimal, text or null), items (JSON text or null).
    `cj`: what CJ holds now, in the order's own currency: KEY, amount, discount, items; a cancelled order may be there with 0 or be absent.
    `last_words`: at most one row an order: KEY, table (`submissions`, `quarantine`, `skipped`), reason (text or null).

    A missing discount counts as none. An order only CJ knows is a difference. Raises ValueError if a table holds an order twice.
    """
    should = {key: _should(row) for key, row in _by_key(warehouse, "warehouse").items()}
    held = {key: _state(row) for key, row in _by_key(cj, "cj").items()}
    words = _by_key(last_words, "last_words")
    agreed, held_back, differences = 0, Counter[str](), []
    for key in sorted(should.keys() | held.keys()):
        expected, found = should.get(key, NOTHING), held.get(key, NOTHING)
        if expected == found:
            agreed += 1
            continue
        word = words.get(key)
        said = f"{word['table']}: {word['reason']}" if word else "nothing"
        if word and key in should and (word["table"] == "quarantine" or (word["table"] == "skipped" and word["reason"] in EXCUSES)):
            held_back[said] += 1
        else:
            differences.append(Difference(key, expected, found, said))
    return Comparison(len(should.keys() | held.keys()), agreed, dict(sorted(held_back.items())), tuple(differences))


def _by_key(table: pa.Table, name: str) -> dict[OrderKey, dict[str, Any]]:
    rows = {OrderKey(*(row[column] for column in KEY)): row for row in table.to_pylist()}
    if len(rows) != table.num_rows:
        raise ValueError(
            f"The table {name!r} holds {table.num_rows - len(rows)} orders more than once; a comparison needs one state an order."
        )
    return rows


def _should(row: Mapping[str, Any]) -> OrderState:
    return NOTHING if row["change_type"] == "cancelled" else _state(row)


def _state(row: Mapping[str, Any]) -> OrderState:
    pieces: Counter[str] = Counter()
    for item in json.loads(row["items"]) if row["items"] else []:
        pieces[item["sku"]] += int(item["quantity"])
    return OrderState(_amount(row["amount"]), _amount(row["discount"]), {sku: n for sku, n in sorted(pieces.items()) if n})


def _amount(value: Decimal | str | None) -> Decimal:
    return ZERO if value is None else money(value)
