"""An invented WooCommerce shop, and a copy of its tables (HPOS) as Airbyte lands it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, ClassVar

from tests.recipes import situations as s
from tests.recipes.orders import Back, Line, Order, rounded
from tests.recipes.playing import Rows, landed_at, seen_at

TEXT, BIG, STAMP, MONEY = "text", "bigint", "timestamp", "decimal(26, 8)"
COPIED = {"_airbyte_extracted_at": "timestamp with time zone", "_ab_cdc_deleted_at": TEXT}
ORDERS, ORDER_META = "woocommerce.wp_wc_orders", "woocommerce.wp_wc_orders_meta"
ITEMS, ITEM_META = "woocommerce.wp_woocommerce_order_items", "woocommerce.wp_woocommerce_order_itemmeta"
PRODUCTS = "woocommerce.wp_wc_product_meta_lookup"

#: Times are MySQL's, without a zone; what belongs to a line is a text in its meta.
TABLES = {
    ORDERS: {
        "id": BIG, "status": TEXT, "currency": TEXT, "type": TEXT, "tax_amount": MONEY, "total_amount": MONEY, "parent_order_id": BIG,
        "payment_method": TEXT, "date_created_gmt": STAMP, "date_updated_gmt": STAMP, **COPIED,
    },
    ORDER_META: {"id": BIG, "order_id": BIG, "meta_key": TEXT, "meta_value": TEXT, **COPIED},
    ITEMS: {"order_item_id": BIG, "order_item_name": TEXT, "order_item_type": TEXT, "order_id": BIG, **COPIED},
    ITEM_META: {"meta_id": BIG, "order_item_id": BIG, "meta_key": TEXT, "meta_value": TEXT, **COPIED},
    PRODUCTS: {"product_id": BIG, "sku": TEXT, **COPIED},
}  # fmt: skip

RATE = Fraction(19, 100)


def a_tip(shop: s.Shop, order: Order, rng: Random) -> None:
    s.a_tip(shop, order, rng)
    order.backs.append(shop.back(order, s.later(rng), {}, fee=Decimal("3.00")))


def by_hand(shop: s.Shop, order: Order, rng: Random) -> None:
    s.goods(shop, order, rng)
    at = s.later(rng)
    order.told["status"] = (at, "wc-refunded")
    order.backs.append(replace(shop.back(order, at, _all_of(order)), told={"by_hand": True}))


def payment_failed(shop: s.Shop, order: Order, rng: Random) -> None:
    s.goods(shop, order, rng)
    at = s.later(rng) if order.reported else order.placed.replace(hour=13)
    order.told |= {"status": (at, "wc-failed"), "click": order.attributed}
    # CJ knows it by its tag, or not at all: what fails before its first night is not created.
    order.attributed = order.reported
    order.backs.append(replace(shop.back(order, at, _all_of(order)), told={"no_refund": True}))


def not_paid_yet(shop: s.Shop, order: Order, rng: Random) -> None:
    s.goods(shop, order, rng)
    order.told |= {"status": (order.placed, "wc-pending"), "click": True}
    order.reported = order.attributed = False
    order.unpaid = True


def a_product_without_a_sku(shop: s.Shop, order: Order, rng: Random) -> None:
    s.without_a_sku(shop, order, rng)
    order.lines.append(shop.line(order, s.price(rng), 2, sku="", variant=0, product=0))


def _all_of(order: Order) -> dict[int, int]:
    return {place: line.quantity for place, line in enumerate(order.lines)}


class WooCommerce(s.Shop):
    situations: ClassVar[Mapping[str, s.Story]] = {
        "an order, as placed": s.as_placed,
        "a code on the order": s.with_a_code,
        "pieces of a line come back": s.pieces_come_back,
        "money back without a line": s.money_without_a_line,
        "a partial refund, then the rest": s.a_part_then_the_rest,
        "set to refunded by hand": by_hand,
        "a refund that is deleted": s.a_refund_taken_back,
        "an exchange": s.an_exchange,
        "an edit adds a line": s.an_edit_adds,
        "an edit takes a line off": s.an_edit_takes_off,
        "prices include the tax": s.tax_in_the_price,
        "a code worth less than the shop's rounding": s.less_than_its_rounding,
        "a gift card is bought": s.a_gift_card_bought,
        "a gift card pays": s.a_gift_card_pays,
        "a tip, or another fee": a_tip,
        "shipping, and shipping given back": s.shipping,
        "shipping alone given back": s.shipping_alone,
        "a line without SKU": a_product_without_a_sku,
        "shipped in parts": s.shipped_in_parts,
        "another currency than the shop's": s.another_currency,
        "a code of 100 %": s.a_full_code,
        "not paid yet": not_paid_yet,
        "a payment that failed": payment_failed,
        "cancelled before payment": s.cancelled_before_payment,
        "cancelled after payment": s.cancelled_after_payment,
        "a test order": s.a_test_order,
        "two changes in one day": s.twice_in_a_day,
        "a change that arrives late": s.it_arrives_late,
    }

    def line(self, order: Order, price: Decimal, quantity: int, *, code: int = 0, **told: Any) -> Line:
        factor = 1 + RATE if order.told.get("taxes_included") else Fraction(1)
        shown = price * quantity
        taken = shown - rounded(Fraction(shown) * code / 100, order.currency)
        # WooCommerce keeps six decimals of what is left without the tax.
        before, after = (_six(Fraction(shown) / factor), _six(Fraction(taken) / factor))
        place = len(order.lines)
        sku, variant, product = (
            told.get("sku", f"SKU-{order.number}-{place % 2}"),
            told.get("variant", 0),
            told.get("product", order.number * 10 + place),
        )
        reported = sku or (str(variant) if variant else str(product) if product else "custom")
        kept = {
            "before": before,
            "after": after,
            "tax": _six(Fraction(after) * RATE),
            "product": product,
            **told,
            "sku": sku,
            "variant": variant or 0,
        }
        sold = not (told.get("tip") or told.get("gift_card"))
        return Line(sku, quantity, Fraction(before), Fraction(after), reported, sold, told.get("added_at"), kept)

    def back(
        self, order: Order, at: datetime, pieces: Mapping[int, int], *, extra: Decimal = Decimal(0), goods: bool = True, **told: Any
    ) -> Back:
        """A refund, whose lines are in cents; or, where no goods come back and nothing is cancelled, an edit that deletes lines."""
        found, sums = {}, {}
        for place, number in pieces.items():
            line = order.lines[place]
            net, tax = (rounded(Fraction(line.told[part]) * number / line.quantity, order.currency) for part in ("after", "tax"))
            sums[place], found[place] = (net, tax), (number, Fraction(net))
        return Back(at, found, Fraction(extra), goods, {"sums": sums, "extra": extra, "edit": not goods and order.cancelled != at, **told})


def _six(amount: Fraction) -> Decimal:
    return rounded(amount * 10_000, "USD") / 10_000


def name(order: Order) -> str:
    return str(order.number)


def land(order: Order, until: datetime) -> Rows:
    """The order's rows as they have landed by `until`."""
    at = seen_at(order, until)
    if at is None:
        return {}
    copy = _Copy(order, landed_at(order, at))
    backs = [b for b in order.backs if b.at <= at]
    deleted = {place: b.at for b in backs if b.told.get("edit") for place in b.pieces}
    copy.document(order.number, "shop_order", _status(order, at), order.placed, order.written(at), Decimal("99.99"), None)
    for place, line in enumerate(order.lines):
        if (line.added_at or at) <= at:
            copy.line(place, line, deleted.get(place))
    if "shipping" in order.told:
        copy.item(order.number, 50, "shipping", {"cost": order.told["shipping"], "total_tax": Decimal("1.31")})
    if order.coupon:
        copy.item(order.number, 60, "coupon", {"discount_amount": Decimal(1)}, order.coupon)
    if "paid_by_gift_card" in order.told:
        copy.item(order.number, 70, "gift_card", {"amount": order.told["paid_by_gift_card"]})
    for number, back in enumerate(backs):
        if not (back.told.get("edit") or back.told.get("no_refund")):
            copy.refund(number, back, deleted=back.undone if back.undone and back.undone <= at else None)
    copy.meta("_cart_hash", "f00")
    if order.told.get("click", order.attributed):
        copy.meta("_cj_event", f"click{order.number}")
    copy.meta("_wcpay_mode", "test" if order.test else "prod")
    return copy.rows


def _status(order: Order, at: datetime) -> str:
    if order.cancelled and order.cancelled <= at:
        return "wc-cancelled"
    since, status = order.told.get("status", (at, "wc-processing"))
    return status if since <= at else "wc-on-hold"


class _Copy:
    """The rows of one order, as they were copied at a moment."""

    def __init__(self, order: Order, landed: datetime) -> None:
        self.order, self.landed = order, landed
        self.rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}

    def _add(self, table: str, row: dict[str, Any], deleted: datetime | None = None) -> None:
        mark = {"_airbyte_extracted_at": self.landed, "_ab_cdc_deleted_at": deleted.isoformat() if deleted else None}
        self.rows[table].append(row | mark)

    def document(
        self, key: int, kind: str, status: str, created: datetime, updated: datetime, total: Decimal, parent: int | None,
        deleted: datetime | None = None,
    ) -> None:  # fmt: skip
        at = {"date_created_gmt": created.replace(tzinfo=None), "date_updated_gmt": updated.replace(tzinfo=None)}
        row = {"id": key, "type": kind, "status": status, "currency": self.order.currency, "total_amount": total, "parent_order_id": parent}
        self._add(ORDERS, row | at, deleted)

    def meta(self, key: str, value: str) -> None:
        self._add(ORDER_META, {"id": 1, "order_id": self.order.number, "meta_key": key, "meta_value": value})

    def item(
        self, document: int, place: int, kind: str, meta: Mapping[str, object], called: str = "Cap", deleted: datetime | None = None
    ) -> None:  # fmt: skip
        """An item and its meta. The meta of a deleted one is still there, as where a connector has not come to it yet."""
        key = document * 100 + place
        self._add(ITEMS, {"order_item_id": key, "order_item_name": called, "order_item_type": kind, "order_id": document}, deleted)
        for name, value in meta.items():
            self._add(ITEM_META, {"meta_id": key, "order_item_id": key, "meta_key": name, "meta_value": str(value)})

    def line(self, place: int, line: Line, deleted: datetime | None) -> None:
        told = line.told
        stale = {"meta_id": 0, "order_item_id": self.order.number * 100 + place, "meta_key": "_qty", "meta_value": "99"}
        self._add(ITEM_META, stale, self.order.placed)
        money = {"_line_total": told["after"], "_line_tax": told["tax"]}
        if told.get("tip"):
            self.item(self.order.number, place, "fee", money, deleted=deleted)
            return
        gift = {"wc_gc_giftcard_amount": told["after"]} if told.get("gift_card") else {}
        product = {"_qty": line.quantity, "_product_id": told["product"], "_variation_id": told["variant"]}
        self.item(self.order.number, place, "line_item", {**product, "_line_subtotal": told["before"], **money, **gift}, deleted=deleted)
        if told["product"]:
            self._add(PRODUCTS, {"product_id": told["product"], "sku": told["sku"] or ""})

    def refund(self, number: int, back: Back, deleted: datetime | None) -> None:
        """A child order: its lines and its total are below zero."""
        key = self.order.number * 10 + number
        total = back.told.get("extra", Decimal(0))
        for place, (net, tax) in back.told.get("sums", {}).items():
            meta = {"_qty": -back.pieces[place][0], "_line_total": -net, "_line_subtotal": -net, "_line_tax": -tax}
            self.item(key, place, "line_item", {**meta, "_refunded_item_id": self.order.number * 100 + place}, deleted=deleted)
            total += net + tax
        if shipping := back.told.get("shipping"):
            self.item(key, 50, "shipping", {"cost": -shipping, "total_tax": "-1.31", "_refunded_item_id": self.order.number * 100 + 50})
            total += shipping + Decimal("1.31")
        if fee := back.told.get("fee"):
            self.item(key, 40, "fee", {"_line_total": -fee, "_line_tax": "0"})
            total += fee
        if back.told.get("by_hand"):
            total = Decimal("99.99")
        self.document(key, "shop_order_refund", "wc-completed", back.at, back.at, -total, self.order.number, deleted)
