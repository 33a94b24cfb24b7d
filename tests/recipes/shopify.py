"""An invented Shopify shop, and its tables as Fivetran lands them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, ClassVar

from tests.recipes import situations as s
from tests.recipes.orders import Back, Line, Order, rounded
from tests.recipes.playing import Rows, landed_at, seen_at

FLOAT, TEXT, BIG, TIME, YES = "double precision", "text", "bigint", "timestamp with time zone", "boolean"

#: Money is landed as floating point, and in both currencies as a JSON text.
TABLES = {
    'shopify."order"': {
        "id": BIG, "name": TEXT, "created_at": TIME, "updated_at": TIME, "cancelled_at": TIME, "cancel_reason": TEXT, "test": YES, "currency": TEXT,
        "presentment_currency": TEXT, "taxes_included": YES, "financial_status": TEXT, "total_line_items_price": FLOAT,
        "total_line_items_price_set": TEXT, "total_tip_received": FLOAT, "_fivetran_deleted": YES, "_fivetran_synced": TIME,
    },
    "shopify.order_line": {
        "id": BIG, "order_id": BIG, '"index"': BIG, "sku": TEXT, "title": TEXT, "variant_id": BIG, "quantity": FLOAT, "price": FLOAT, "price_set": TEXT,
        "gift_card": YES, "_fivetran_synced": TIME,
    },
    "shopify.discount_application": {"order_id": BIG, '"index"': BIG, "allocation_method": TEXT, "code": TEXT, "target_type": TEXT},
    "shopify.discount_allocation": {
        "order_line_id": BIG, '"index"': BIG, "discount_application_index": BIG, "amount": FLOAT, "amount_set_presentment_money_amount": FLOAT,
        "amount_set_shop_money_amount": FLOAT,
    },
    "shopify.tax_line": {"order_line_id": BIG, '"index"': BIG, "price": FLOAT, "price_set": TEXT, "rate": FLOAT},
    "shopify.refund": {"id": BIG, "order_id": BIG, "created_at": TIME, "_fivetran_synced": TIME},
    "shopify.order_line_refund": {
        "id": BIG, "refund_id": BIG, "order_line_id": BIG, "quantity": FLOAT, "restock_type": TEXT, "subtotal": FLOAT, "subtotal_set": TEXT,
        "total_tax": FLOAT, "total_tax_set": TEXT, "_fivetran_synced": TIME,
    },
    "shopify.order_adjustment": {
        "id": BIG, "order_id": BIG, "refund_id": BIG, "amount": FLOAT, "amount_set": TEXT, "tax_amount": FLOAT, "kind": TEXT, "_fivetran_synced": TIME,
    },
    'shopify."transaction"': {"id": BIG, "order_id": BIG, "kind": TEXT, "gateway": TEXT, "amount": FLOAT, "created_at": TIME, "_fivetran_synced": TIME},
    "shopify.order_discount_code": {"order_id": BIG, '"index"': BIG, "code": TEXT, "amount": FLOAT, "type": TEXT},
    "shopify.order_note_attribute": {"order_id": BIG, "name": TEXT, "value": TEXT},
}  # fmt: skip

#: The shop's own currency is worth this many of the shopper's; its own amounts must never be taken for the shopper's.
SHOP_RATE = {"USD": Fraction(1), "EUR": Fraction(11, 10), "JPY": Fraction(1, 150)}


def off_one_line(shop: s.Shop, order: Order, rng: Random) -> None:
    s.goods(shop, order, rng, own=Decimal("2.00"))
    order.backs.append(shop.back(order, s.later(rng), {0: 1}))


def a_tip(shop: s.Shop, order: Order, rng: Random) -> None:
    # A billiard cue's tip is goods, whatever its title.
    s.goods(shop, order, rng, 1, title="Tip")
    order.lines.append(shop.line(order, Decimal("3.00"), 1, tip=True))


class Shopify(s.Shop):
    situations: ClassVar[Mapping[str, s.Story]] = {
        "an order, as placed": s.as_placed,
        "a code on the whole order": s.with_a_code,
        "a discount on single lines": off_one_line,
        "pieces of a line come back": s.pieces_come_back,
        "money back without a line": s.money_without_a_line,
        "a fee kept back of a refund": s.a_fee_kept_back,
        "a partial refund, then the rest": s.a_part_then_the_rest,
        "an exchange": s.an_exchange,
        "an edit adds a line": s.an_edit_adds,
        "an edit takes a line off": s.an_edit_takes_off,
        "prices include the tax": s.tax_in_the_price,
        "a code worth less than the shop's rounding": s.less_than_its_rounding,
        "a gift card is bought": s.a_gift_card_bought,
        "a gift card pays": s.a_gift_card_pays,
        "a tip": a_tip,
        "shipping, and shipping given back": s.shipping,
        "a line without SKU": s.without_a_sku,
        "shipped in parts": s.shipped_in_parts,
        "another currency than the shop's": s.another_currency,
        "a code of 100 %": s.a_full_code,
        "cancelled before payment": s.cancelled_before_payment,
        "cancelled after payment": s.cancelled_after_payment,
        "a test order": s.a_test_order,
        "two changes in one day": s.twice_in_a_day,
        "a change that arrives late": s.it_arrives_late,
    }

    def line(self, order: Order, price: Decimal, quantity: int, *, code: int = 0, own: Decimal = Decimal(0), **told: Any) -> Line:
        included, rate = bool(order.told.get("taxes_included")), Fraction(19, 100)
        bought = price * quantity - own
        share = rounded(Fraction(bought) * code / 100, order.currency)
        paid = bought - share
        tax = rounded(Fraction(paid) * rate / (1 + rate if included else 1), order.currency)
        taken = Fraction(paid - tax if included else paid)
        listed = taken if not share else Fraction(bought) / (1 + rate if included else 1)
        place = len(order.lines)
        sku, variant = told.get("sku", f"SKU-{order.number}-{place % 2}"), told.get("variant", 5000 + place)
        reported = sku or (str(variant) if variant else "custom")
        kept = {"price": price, "own": own, "code": share, "tax": tax, "paid": paid, "sku": sku, "variant": variant, "title": "Cap", **told}
        if told.get("tip"):
            kept |= {"title": "Tip", "variant": None, "sku": None}
        sold = not (told.get("tip") or told.get("gift_card"))
        return Line(sku, quantity, listed, taken, reported, sold, told.get("added_at"), kept)

    def back(
        self, order: Order, at: datetime, pieces: Mapping[int, int], *, extra: Decimal = Decimal(0), goods: bool = True, **told: Any
    ) -> Back:
        found, sums = {}, {}
        for place, number in pieces.items():
            line = order.lines[place]
            before = sum(b.pieces[place][0] for b in order.backs if place in b.pieces)

            def share(of: Decimal, line: Line = line, before: int = before, number: int = number) -> Decimal:
                """Of the line's money, in whole cents that add up over its refunds."""
                until, since = (Fraction(of) * n / line.quantity for n in (before + number, before))
                return rounded(until, order.currency) - rounded(since, order.currency)

            subtotal, tax = share(line.told["paid"]), share(line.told["tax"])
            sums[place] = (subtotal, tax)
            found[place] = (number, Fraction(subtotal - tax if order.told.get("taxes_included") else subtotal))
        return Back(at, found, Fraction(extra), goods, {"sums": sums, "extra": extra, **told})


def name(order: Order) -> str:
    return str(order.number)


def land(order: Order, until: datetime) -> Rows:
    """The order's rows as they have landed by `until`."""
    at = seen_at(order, until)
    if at is None:
        return {}
    landed = landed_at(order, at)
    cancelled = order.cancelled if order.cancelled and order.cancelled <= at else None
    key, included = order.number * 10, bool(order.told.get("taxes_included"))
    lines = [(key * 10 + place, line) for place, line in enumerate(order.lines) if (line.added_at or at) <= at]
    first = sum((line.told["price"] * line.quantity for _, line in lines if not line.added_at), Decimal(0))
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    rows['shopify."order"'].append(
        {
            "id": key, "name": f"#{order.number}", "created_at": order.placed, "updated_at": at, "cancelled_at": cancelled,
            "cancel_reason": order.told.get("reason") if cancelled else None, "test": order.test, "currency": "USD",
            "presentment_currency": order.currency, "taxes_included": included,
            "financial_status": "voided" if cancelled and not order.told.get("paid") else "paid", "_fivetran_deleted": False,
            "_fivetran_synced": landed, "total_tip_received": Decimal(0), **_both(order, "total_line_items_price", first),
        }
    )  # fmt: skip
    for line_id, line in lines:
        _land_line(rows, order, line_id, line, landed)
    for number, back in enumerate(b for b in order.backs if b.at <= at):
        _land_back(rows, order, key * 10 + number, back, landed)
    rows['shopify."transaction"'].append(
        {
            "id": key, "order_id": key, "kind": "sale", "gateway": "gift_card" if "paid_by_gift_card" in order.told else "shopify_payments",
            "amount": order.told.get("paid_by_gift_card", first), "created_at": order.placed, "_fivetran_synced": landed,
        }
    )  # fmt: skip
    if order.coupon:
        rows["shopify.order_discount_code"].append(
            {"order_id": key, "index": 1, "code": order.coupon, "amount": Decimal(1), "type": "percentage"}
        )
    rows["shopify.order_note_attribute"].append({"order_id": key, "name": "gift_message", "value": "Enjoy"})
    if order.attributed:
        rows["shopify.order_note_attribute"].append({"order_id": key, "name": "cj_event", "value": f"click{order.number}"})
    return rows


def _land_line(rows: dict[str, list[dict[str, Any]]], order: Order, line_id: int, line: Line, landed: datetime) -> None:
    told, key = line.told, order.number * 10
    rows["shopify.order_line"].append(
        {
            "id": line_id, "order_id": key, "index": line_id % 10, "sku": told["sku"], "title": told["title"], "variant_id": told["variant"],
            "quantity": line.quantity, "gift_card": bool(told.get("gift_card")), "_fivetran_synced": landed, **_both(order, "price", told["price"]),
        }
    )  # fmt: skip
    for index, (amount, method) in enumerate([(told["code"], "across"), (told["own"], "each")]):
        if amount:
            shop = _shop(order, amount)
            rows["shopify.discount_allocation"].append(
                {
                    "order_line_id": line_id, "index": 0, "discount_application_index": index, "amount": shop,
                    "amount_set_presentment_money_amount": amount, "amount_set_shop_money_amount": shop,
                }
            )  # fmt: skip
            applied = {"order_id": key, "index": index, "allocation_method": method, "code": order.coupon, "target_type": "line_item"}
            if applied not in rows["shopify.discount_application"]:
                rows["shopify.discount_application"].append(applied)
    # Two taxes on a line, as a state's and a city's.
    parts = {0: (Decimal("0.14"), told["tax"] // 2), 1: (Decimal("0.05"), told["tax"] - told["tax"] // 2)}
    rows["shopify.tax_line"] += [
        {"order_line_id": line_id, "index": index, "rate": rate, **_both(order, "price", tax)} for index, (rate, tax) in parts.items()
    ]


def _land_back(rows: dict[str, list[dict[str, Any]]], order: Order, refund_id: int, back: Back, landed: datetime) -> None:
    key = order.number * 10
    rows["shopify.refund"].append({"id": refund_id, "order_id": key, "created_at": back.at, "_fivetran_synced": landed})
    for place, (subtotal, tax) in back.told["sums"].items():
        rows["shopify.order_line_refund"].append(
            {
                "id": refund_id * 10 + place, "refund_id": refund_id, "order_line_id": key * 10 + place, "quantity": back.pieces[place][0],
                "restock_type": "return" if back.goods else "cancel", "_fivetran_synced": landed, **_both(order, "subtotal", subtotal),
                **_both(order, "total_tax", tax),
            }
        )  # fmt: skip
    kinds = {"refund_discrepancy": back.told["extra"], "shipping_refund": back.told.get("shipping", Decimal(0))}
    for number, (kind, amount) in enumerate(kinds.items()):
        if amount:
            rows["shopify.order_adjustment"].append(
                {
                    "id": refund_id * 10 + number, "order_id": key, "refund_id": refund_id, "tax_amount": Decimal(0), "kind": kind,
                    "_fivetran_synced": landed, **_both(order, "amount", -amount),
                }
            )  # fmt: skip


def _shop(order: Order, amount: Decimal) -> Decimal:
    return rounded(Fraction(amount) * SHOP_RATE[order.currency], "USD")


def _both(order: Order, column: str, amount: Decimal) -> dict[str, Any]:
    """An amount in the shop's currency, and the JSON of both."""
    shop = _shop(order, amount)
    both = {
        "shop_money": {"amount": str(shop), "currency_code": "USD"},
        "presentment_money": {"amount": str(amount), "currency_code": order.currency},
    }
    return {column: shop, f"{column}_set": json.dumps(both)}
