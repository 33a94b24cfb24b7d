"""Orders of an invented shop as what happened to them, and what CJ should hold because of it.

The shop's own sums (what a line cost, what a refund paid back) are facts that each shop's module makes up as that shop does; its tables are written
from the same facts. What CJ should hold is folded from them here, in fractions, and never from a table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

NO_CENTS = frozenset({"JPY"})


class Held(NamedTuple):
    """What CJ is paid by: an order's amount before its discount, that discount, and pieces by SKU."""

    amount: Decimal
    discount: Decimal
    pieces: dict[str, int]


NOTHING = Held(Decimal(0), Decimal(0), {})


@dataclass(frozen=True)
class Line:
    """One line as it was sold. `listed` and `paid` are without tax, before and after the order's code; what the shop wrote down is in `told`."""

    sku: str | None
    quantity: int
    listed: Fraction
    paid: Fraction
    reported_as: str
    """The SKU that CJ's tag reports."""
    commissionable: bool = True
    added_at: datetime | None = None
    told: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Back:
    """Pieces that came back or were taken off, by the line's place, each with the money of it without tax; and money that belongs to no line."""

    at: datetime
    pieces: dict[int, tuple[int, Fraction]]
    extra: Fraction = Fraction(0)
    goods: bool = True
    told: dict[str, Any] = field(default_factory=dict)
    undone: datetime | None = None
    """When the shop took the refund itself back: the order's own row is not written again for that."""


@dataclass
class Order:
    number: int
    situation: str
    placed: datetime
    currency: str
    attributed: bool
    reported: bool
    """Whether CJ's tag told CJ of it."""
    lines: list[Line] = field(default_factory=list)
    backs: list[Back] = field(default_factory=list)
    touched: list[datetime] = field(default_factory=list)
    """Other times at which its row was written: shipments, payments, edits."""
    cancelled: datetime | None = None
    test: bool = False
    unpaid: bool = False
    """It never got as far as the page with CJ's tag."""
    late: bool = False
    """Its changes reach the warehouse after the night of their day."""
    coupon: str | None = None
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def moments(self) -> list[datetime]:
        """When its row was written."""
        return sorted(
            [self.placed, *self.touched, *(b.at for b in self.backs), *filter(None, [self.cancelled, *(b.undone for b in self.backs)])]
        )

    def written(self, at: datetime) -> datetime:
        """When its own row was last written by then."""
        undone = {b.undone for b in self.backs}
        return max(moment for moment in self.moments if moment <= at and moment not in undone)

    @property
    def at_cj(self) -> bool:
        """Whether CJ holds it in the end: the tag told of it, or it names its click."""
        return self.reported or self.attributed

    def held(self, at: datetime) -> Held:
        """What CJ should hold of the order as it stood `at`."""
        if self.test or (self.cancelled is not None and self.cancelled <= at):
            return NOTHING
        return self._sums(at)

    def first(self) -> Held:
        """What the tag on the thank-you page reports: it knows neither of cancellations nor of tests."""
        return self._sums(self.placed)

    def _sums(self, at: datetime) -> Held:
        backs = [b for b in self.backs if b.at <= at and (b.undone is None or b.undone > at)]
        amount = discount = Fraction(0)
        pieces: dict[str, int] = {}
        for place, line in enumerate(self.lines):
            back = [b.pieces[place] for b in backs if place in b.pieces]
            kept = line.quantity - sum(number for number, _ in back)
            if not line.commissionable or kept <= 0 or (line.added_at or at) > at:
                continue
            money = line.paid - sum((money for _, money in back), Fraction(0))
            # Where no code was used, what is left of the line is what is left of its money.
            worth = money if line.listed == line.paid else max(money, line.listed * kept / line.quantity)
            amount, discount = amount + worth, discount + worth - money
            pieces[line.reported_as] = pieces.get(line.reported_as, 0) + kept
        discount = min(amount, discount + max(Fraction(0), sum((b.extra for b in backs), Fraction(0))))
        return Held(rounded(amount, self.currency), rounded(discount, self.currency), pieces)


def rounded(amount: Fraction, currency: str) -> Decimal:
    """In the currency's smallest unit, half up: exactly, since a fraction knows what half is."""
    units = 1 if currency in NO_CENTS else 100
    whole = (amount * units * 2 + 1).numerator // ((amount * units * 2 + 1).denominator * 2)
    return Decimal(whole) / units
