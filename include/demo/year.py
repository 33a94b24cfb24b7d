"""The figures of a real online shop's year, and how to draw from them.

Measured on 541,909 invoice lines of a UK online gift shop (R package `onlineretail`, CC0; Chen, Sain and Guo 2012), returns matched to
the orders they undo: 18,402 orders, 3,769 later changes. Each `Spread` is the inverse of a measured distribution: value at percentile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Spread:
    """A measured distribution: `values[i]` is the value at `percentiles[i]`. Between two points it is straight on a log scale."""

    percentiles: tuple[float, ...]
    values: tuple[float, ...]

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        return self.at(rng.random(size) * 100)

    def at(self, percentiles: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp(np.interp(percentiles, self.percentiles, np.log(self.values)))


LINES = Spread((0, 7.1, 10, 25, 50, 75, 90, 95, 98.9, 99.7, 100), (1, 1.4, 2, 7, 15, 27, 46, 62, 100, 160, 541))
"""Lines an order: mean 21; 7.1 % have one."""
OVER_100_ITEMS = 1 / 90
"""Share of orders that CJ cannot take as they are (204 of 18,402)."""
QUANTITY = Spread((0, 16.2, 25, 50, 75, 90, 95, 99, 100), (1, 1.4, 2, 6, 12, 24, 40, 126, 500))
"""Pieces a line; wholesale orders are large."""
UNIT_PRICE = Spread((0, 1, 5, 10, 25, 50, 75, 90, 95, 99, 100), (0.10, 0.21, 0.42, 0.55, 1.25, 1.95, 3.75, 6.25, 8.50, 12.75, 40))
CHEAP_IN_BULK = 0.43
"""Rank correlation between a line's price and its quantity, with a minus: cheap things are bought by the dozen."""
SKUS = 3659
SAME_SKU_AT_TWO_PRICES = 0.0023
"""Share of orders that hold one SKU at two prices."""

CHANGES_PER_CHANGED_ORDER = 1.18
ROWS_THAT_ARE_CHANGES = 0.17
"""Share of a day's rows that change an older order; the others are new ones."""
CANCELLED_OF_CHANGES = 0.036
"""Share of changes that leave nothing of the order."""
DAYS_TO_CHANGE = Spread(
    (0, 1, 5, 10, 25, 50, 75, 90, 95, 99, 100), (0.001, 0.0014, 0.0167, 1.27, 4.89, 9.67, 29.0, 81.5, 132.8, 238.6, 340)
)
"""Days between an order and its return; months late is ordinary."""
RETURNED_SHARE = Spread((0, 5, 10, 25, 50, 75, 90, 95, 100), (0.001, 0.0037, 0.0063, 0.0143, 0.0338, 0.0816, 0.230, 0.641, 0.99))
"""Part of the order's amount that its first return takes back."""
FIRST_HOUR = 7
HOURS = (0.002, 0.030, 0.075, 0.120, 0.123, 0.169, 0.142, 0.122, 0.110, 0.059, 0.029, 0.010, 0.009)
"""Share of orders placed in each hour of the day (UTC), from the first on."""


def hours(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Hours since midnight, as the year's customers order."""
    share = np.array(HOURS)
    return FIRST_HOUR + rng.choice(len(HOURS), size=size, p=share / share.sum()) + rng.random(size)
