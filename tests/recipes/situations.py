"""What happens to orders, whatever the shop's software: each situation is played by an order that CJ's tag reported, one it missed, and one nobody brought.

A shop says what it has (`Shop.situations`) and how it writes down what happens; its page's table has a row for each of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, ClassVar

from tests.recipes.orders import Back, Line, Order
from tests.recipes.playing import DAYS

Story = Callable[["Shop", Order, Random], None]


class Shop(ABC):
    """How one software sells and takes back."""

    situations: ClassVar[Mapping[str, Story]]

    @abstractmethod
    def line(self, order: Order, price: Decimal, quantity: int, *, code: int = 0, **told: Any) -> Line:
        """A line of `quantity` pieces at a listed price; `code` is the percentage that the order's code takes off."""

    @abstractmethod
    def back(
        self, order: Order, at: datetime, pieces: Mapping[int, int], *, extra: Decimal = Decimal(0), goods: bool = True, **told: Any
    ) -> Back:
        """Pieces that come back, by the line's place, and money without a line."""

    def orders(self, seed: int) -> list[Order]:
        """Three orders of each situation."""
        rng, orders = Random(seed), list[Order]()
        for situation, story in self.situations.items():
            for variant in range(3):
                number = 1001 + len(orders)
                # CJ knows a reported order whether or not the shop kept the click.
                attributed = variant == 1 or (variant == 0 and number % 2 == 0)
                placed = DAYS[0] + timedelta(hours=rng.randint(7, 10), minutes=rng.randint(0, 59))
                order = Order(number, situation, placed, "USD", attributed, reported=variant == 0)
                story(self, order, rng)
                orders.append(order)
        return orders


def later(rng: Random) -> datetime:
    """An afternoon: the day's own, or one of the next two."""
    return rng.choice(DAYS) + timedelta(hours=rng.randint(12, 18), minutes=rng.randint(0, 59))


def price(rng: Random) -> Decimal:
    return Decimal(rng.randint(500, 9999)) / 100


def goods(shop: Shop, order: Order, rng: Random, lines: int = 2, **told: Any) -> None:
    for _ in range(lines):
        order.lines.append(shop.line(order, price(rng), rng.randint(2, 5), **told))


def as_placed(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)


def with_a_code(shop: Shop, order: Order, rng: Random) -> None:
    order.coupon = "SPRING15"
    goods(shop, order, rng, 3, code=15)


def pieces_come_back(shop: Shop, order: Order, rng: Random) -> None:
    with_a_code(shop, order, rng)
    order.backs.append(shop.back(order, later(rng), {0: 1}))


def money_without_a_line(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    order.backs.append(shop.back(order, later(rng), {}, extra=Decimal("4.50")))


def a_fee_kept_back(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    at = later(rng)
    order.backs.append(shop.back(order, at, {}, extra=Decimal("5.00")))
    order.backs.append(shop.back(order, at + timedelta(hours=1), {0: 1}, extra=Decimal("-3.00")))


def a_part_then_the_rest(shop: Shop, order: Order, rng: Random) -> None:
    with_a_code(shop, order, rng)
    first, second = sorted([later(rng), later(rng) + timedelta(minutes=61)])
    # In the end more than was paid: what is off the order cannot be more than what is left of it.
    order.backs.append(shop.back(order, first, {0: 1, 1: 1}, extra=Decimal("2.00")))
    order.backs.append(shop.back(order, second, {n: line.quantity - (n < 2) for n, line in enumerate(order.lines)}))


def an_exchange(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    at = later(rng)
    order.backs.append(shop.back(order, at, {1: 1}))
    order.lines.append(shop.line(order, price(rng), 1, added_at=at))
    order.touched.append(at)


def an_edit_adds(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    at = later(rng)
    order.lines.append(shop.line(order, price(rng), 2, added_at=at))
    order.touched.append(at)


def an_edit_takes_off(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    order.backs.append(shop.back(order, later(rng), {1: order.lines[1].quantity}, goods=False))


def tax_in_the_price(shop: Shop, order: Order, rng: Random) -> None:
    order.told["taxes_included"] = True
    with_a_code(shop, order, rng)
    goods(shop, order, rng)
    order.backs.append(shop.back(order, later(rng), {0: 1, 4: 1}))


def less_than_its_rounding(shop: Shop, order: Order, rng: Random) -> None:
    # The shop rounds what it pays back by more than the code is worth: a discount below zero would be held back.
    order.told["taxes_included"], order.coupon = True, "PENNY"
    order.lines.append(shop.line(order, Decimal("0.29"), 4, code=1))
    order.backs.append(shop.back(order, later(rng), {0: 3}))


def a_gift_card_bought(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng, 1)
    order.lines.append(shop.line(order, Decimal("50.00"), 1, gift_card=True))


def a_gift_card_pays(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    order.told["paid_by_gift_card"] = Decimal("5.00")
    order.touched.append(later(rng))


def a_tip(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng, 1)
    order.lines.append(shop.line(order, Decimal("3.00"), 1, tip=True))


def shipping(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    order.told["shipping"] = Decimal("6.90")
    order.backs.append(shop.back(order, later(rng), {0: 1}, shipping=Decimal("6.90")))


def shipping_alone(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    order.told["shipping"] = Decimal("6.90")
    order.backs.append(shop.back(order, later(rng), {}, shipping=Decimal("6.90")))


def without_a_sku(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng, 1)
    order.lines.append(shop.line(order, price(rng), 3, sku=None, variant=None))
    order.lines.append(shop.line(order, price(rng), 1, sku="", variant=770))
    order.backs.append(shop.back(order, later(rng), {1: 1}))


def shipped_in_parts(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    order.touched += [later(rng), later(rng)]


def another_currency(shop: Shop, order: Order, rng: Random) -> None:
    order.currency = rng.choice(["EUR", "EUR", "JPY"])
    for _ in range(2):
        order.lines.append(shop.line(order, Decimal(rng.randint(20, 900)), 3))
    order.backs.append(shop.back(order, later(rng), {0: 1}))


def a_full_code(shop: Shop, order: Order, rng: Random) -> None:
    order.coupon = "FRIENDS100"
    goods(shop, order, rng, code=100)


def cancelled_before_payment(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    order.cancelled = later(rng)
    order.told["reason"] = "inventory"


def cancelled_after_payment(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    order.told["reason"], order.cancelled = "customer", later(rng)
    order.told["paid"] = True
    order.backs.append(shop.back(order, order.cancelled, {n: line.quantity for n, line in enumerate(order.lines)}, goods=False))


def a_test_order(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    order.test = True


def twice_in_a_day(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    at = later(rng)
    order.backs += [shop.back(order, at, {0: 1})]
    order.backs += [shop.back(order, at + timedelta(hours=2), {0: 1, 1: 1})]


def a_refund_taken_back(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    first, second = sorted([later(rng), later(rng) + timedelta(minutes=61)])
    order.backs.append(replace(shop.back(order, first, {0: 1}, extra=Decimal("1.00")), undone=second))


def it_arrives_late(shop: Shop, order: Order, rng: Random) -> None:
    goods(shop, order, rng)
    order.late = True
    order.backs.append(shop.back(order, DAYS[1] + timedelta(hours=13), {0: 1}))
