"""What the shop sells, and the orders its customers make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import numpy as np

from include.demo import year
from include.demo.orders import FIXED_DATE, FIXED_DURATION, OPEN_ENDED, Line, Order

Choice = TypeVar("Choice")

PUBLISHERS = (
    ("7108602", "Aspire"),
    ("2617611", "Skimlinks"),
    ("3607085", "Capital One Shopping"),
    ("4485850", "Rakuten Rewards"),
    ("5314621", "The Gift Edit"),
    ("6028714", "Wren & Willow Journal"),
    ("6201939", "Paper Lantern Deals"),
    ("6555002", "Kitchen Table Reviews"),
    ("7006123", "Northside Coupons"),
    ("7290458", "Slow Sunday Newsletter"),
)
CURRENCIES = (("USD", 0.70), ("GBP", 0.18), ("EUR", 0.12))
"""The demo's own mix: the real year knows GBP and EUR alone."""
TRACKERS = ((FIXED_DATE, 0.60), (FIXED_DURATION, 0.30), (OPEN_ENDED, 0.10))
COUPONS = ("WELCOME10", "AUTUMN15", "FREESHIP", "ASPIRE20", "TEATIME")
AFFILIATE = 0.30
"""Share of orders that a publisher brought: most of a shop's are nobody's."""


class Catalogue:
    """Deals out orders. The same generator gives the same orders in the same sequence."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.prices = np.maximum(1, np.rint(year.UNIT_PRICE.draw(rng, year.SKUS) * 100)).astype(int)
        self.price_ranks = np.argsort(np.argsort(self.prices, kind="stable")) * 100 / year.SKUS
        self.skus = [str(code) for code in 20_000 + np.cumsum(1 + rng.integers(0, 6, year.SKUS))]
        popularity = 1 / (np.arange(year.SKUS) + 20)
        self.popularity = rng.permutation(popularity / popularity.sum())
        self.next_order = 4_810_000

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def one_of(self, choices: tuple[tuple[Choice, float], ...]) -> Choice:
        shares = np.array([share for _, share in choices])
        return choices[int(self.rng.choice(len(choices), p=shares / shares.sum()))][0]

    def hex(self, length: int) -> str:
        return self.rng.bytes(length // 2).hex()

    def basket(self, lines: int | None = None) -> tuple[Line, ...]:
        rng = self.rng
        count = round(float(year.LINES.draw(rng, 1)[0])) if lines is None else lines
        chosen = rng.choice(year.SKUS, size=count, replace=False, p=self.popularity)
        ranks = np.where(rng.random(count) < year.CHEAP_IN_BULK, 100 - self.price_ranks[chosen], rng.random(count) * 100)
        quantities = np.maximum(1, np.rint(year.QUANTITY.at(ranks))).astype(int)
        basket = [Line(self.skus[sku], int(quantity), int(self.prices[sku])) for sku, quantity in zip(chosen, quantities, strict=True)]
        for index in np.flatnonzero(rng.random(count) < 0.04):
            basket[index] = replace(basket[index], discount=basket[index].total * int(rng.integers(5, 16)) // 100)
        if self.chance(year.SAME_SKU_AT_TWO_PRICES) and count < 100:
            basket.append(replace(basket[0], quantity=1, unit_price=max(1, basket[0].unit_price * 9 // 10), discount=0))
        return tuple(basket)

    def order_id(self) -> str:
        self.next_order += int(self.rng.integers(1, 4))
        return f"SO-{self.next_order}"

    def order(self, placed: datetime, *, affiliate: bool | None = None, tracker: int | None = None, lines: int | None = None) -> Order:
        """An order as it was placed. What is not asked for is drawn."""
        tracker = self.one_of(TRACKERS) if tracker is None else tracker
        affiliate = self.chance(AFFILIATE) if affiliate is None else affiliate
        booking = tracker == OPEN_ENDED and lines is None
        order = Order(
            order_id=self.order_id(),
            tracker=tracker,
            placed=placed,
            currency=self.one_of(CURRENCIES),
            lines=None if booking else self.basket(lines),
            flat_amount=int(self.rng.integers(8_000, 240_000)) if booking else 0,
            cj_event=self.hex(32) if affiliate else None,
            publisher=int(self.rng.integers(0, len(PUBLISHERS))),
            vertical_parameters='{"advertiserVertical": "Travel", "travelType": "Hotel"}' if booking else None,
        )
        if self.chance(0.12):
            order = replace(order, coupon=COUPONS[int(self.rng.integers(0, len(COUPONS)))], discount=order.amount // 10)
        if self.chance(0.10) and not booking:
            order = replace(
                order,
                custom_parameters='{"newCustomer": "true"}',
                vertical_parameters='{"advertiserVertical": "Retail", "customerStatus": "New"}',
            )
        return order
