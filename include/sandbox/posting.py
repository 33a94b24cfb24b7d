"""What a processed order looks like in money: the figures of its records in Commission Detail.

All figures are in the advertiser's functional currency but `discount_orig`. An order in another currency is converted at the account's
rate and rounded to the decimals its own currency has. Commission and fee are the tracker's rates on the amount after the order discount, rounded half up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from include.domain.money import CENT, ZERO, money, money_text
from include.domain.states import LockingMethod
from include.sandbox.accounts import Account, Tracker
from include.sandbox.clock import next_second

FAR = "2099-12-31T00:00:00Z"
"""The locking date of an open-ended order nobody has settled."""

PRICES = 1 << 16
"""How many different amounts are remembered parsed: a shop has few prices, and parsing strictly is the dearest step of posting."""

_amount = lru_cache(maxsize=PRICES)(money)

DECIMALS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Decimals a currency has where it is not two (ISO 4217)."""

LEDGER_REASON = {
    "BadDebt": "BAD_DEBT",
    "Bankruptcy": "BANKRUPTCY",
    "BookingCanceled": "BOOKING_CANCELED",
    "CannotShipSoldOut": "CANT_SHIP_OR_SOLD_OUT",
    "Compliance": "COMPLIANCE",
    "DuplicateOrder": "DUPLICATED_ORDER",
    "InvalidCreditCard": "INVALID_CREDIT_CARD",
    "Other": "OTHER_REASON",
    "ReturnedMerchandise": "RETURNED_MERCHANDISE",
    "UnqualifiedLead": "UNQUALIFIED_LEAD",
}
"""CJ spells correction reasons differently where it is written to and where it is read."""

Item = tuple[str, int, str, str | None]
"""An item as sent: SKU, quantity, unit price, line discount."""

PostedItem = tuple[str, int, str, str | None, str]
"""An item as posted: SKU, quantity, unit sale amount, line discount, commission."""


class Figures(NamedTuple):
    """One record's money, as text; a reversal is the same with the signs turned."""

    sale: str
    discount: str | None
    discount_orig: str | None
    commission: str
    fee: str
    coupon: str | None
    items: Sequence[PostedItem]


def figures(
    account: Account, tracker: Tracker, rate: Decimal, amount: str, discount: str | None, coupon: str | None, items: Sequence[Item],
    commissionable: bool,
) -> Figures:  # fmt: skip
    """The figures of an order's current state. `rate` is 1 for an order in the functional currency."""
    own = account.currency
    total, off = _converted(_amount(amount), rate, own), _converted(_amount(discount), rate, own) if discount is not None else None
    net = total - (off or ZERO)
    percent = tracker.commission_rate if commissionable else ZERO
    posted: list[PostedItem] = []
    for sku, quantity, price, line_off in items:
        unit = _converted(_amount(price), rate, own)
        line_discount = _converted(_amount(line_off), rate, own) if line_off is not None else None
        line = unit * quantity - (line_discount or ZERO)
        posted.append(
            (sku, quantity, money_text(unit), None if line_discount is None else money_text(line_discount), _cents(line * percent))
        )
    return Figures(
        sale=money_text(net if account.sale_amount_basis == "net" else total),
        discount=None if off is None else money_text(off),
        discount_orig=None if discount is None else money_text(_amount(discount)),
        commission=_cents(net * percent),
        fee=_cents(net * tracker.fee_rate) if commissionable else "0.00",
        coupon=coupon,
        items=posted,
    )


def reversal(before: Figures) -> Figures:
    """The prior state taken back in full. Unit prices keep their sign: the quantity carries it."""
    return Figures(
        _turned(before.sale) or "0.00",
        _turned(before.discount),
        _turned(before.discount_orig),
        _turned(before.commission) or "0.00",
        _turned(before.fee) or "0.00",
        before.coupon,
        [(sku, -quantity, unit, _turned(off), _turned(commission) or "0.00") for sku, quantity, unit, off, commission in before.items],
    )


def zeros(before: Figures) -> Figures:
    """What a cancelled order comes to."""
    none = "0.00"
    return Figures(none, none, none, none, none, before.coupon, [(item[0], 0, none, none, none) for item in before.items])


def items_total(items: Sequence[Item]) -> str:
    """What an order without an amount is taken to be worth: its items after their discounts, never below zero."""
    total = sum((money(price) * quantity - money(off or "0") for _, quantity, price, off in items), ZERO)
    return money_text(max(total, ZERO))


def in_minor_units(amount: str, discount: str | None, items: list[Item], currency: str) -> tuple[str, str | None, list[Item]]:
    """An order as a CJ posts it that keeps no more decimals than its currency has, each figure rounded half up."""

    def kept(text: str) -> str:
        return money_text(_minor(_amount(text), currency))

    lines: list[Item] = [(sku, quantity, kept(price), off and kept(off)) for sku, quantity, price, off in items]
    return kept(amount), discount and kept(discount), lines


def locking_date(tracker: Tracker, event: datetime, posted: datetime) -> str:
    """When an order that posts now will lock. FIXED_DATE is the sandbox's choice: midnight UTC on the 10th of the next month."""
    if tracker.locking_method == LockingMethod.OPEN_ENDED:
        return FAR
    if tracker.locking_method == LockingMethod.IMMEDIATE:
        return next_second(posted)
    if tracker.locking_method == LockingMethod.FIXED_DURATION:
        return next_second(event + timedelta(days=tracker.lock_days))
    following = (posted.replace(day=1) + timedelta(days=32)).replace(day=10, hour=0, minute=0, second=0, microsecond=0)
    return next_second(following)


def action_type(items: Sequence[Any]) -> str:
    """CJ's name for an action with items, or without."""
    return "item_sale" if items else "sim_sale"


def _minor(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(money(1).scaleb(-DECIMALS.get(currency, 2)), ROUND_HALF_UP)


def _converted(amount: Decimal, rate: Decimal, currency: str) -> Decimal:
    return amount if rate == 1 else _minor(amount * rate, currency)


def _cents(amount: Decimal) -> str:
    return str(amount.quantize(CENT, ROUND_HALF_UP) + ZERO)


def _turned(text: str | None) -> str | None:
    if text is None or not text.strip("0."):
        return text
    return text[1:] if text[0] == "-" else "-" + text
