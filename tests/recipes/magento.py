"""An invented Magento shop, and a copy of its tables as Fivetran lands it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, ClassVar

from tests.recipes import situations as s
from tests.recipes.orders import Back, Line, Order, rounded
from tests.recipes.playing import Rows, landed_at, seen_at

TEXT, BIG, TIME, MONEY, PIECES = "text", "bigint", "timestamp with time zone", "decimal(20, 4)", "decimal(12, 4)"
COPIED = {"_fivetran_deleted": "boolean", "_fivetran_synced": TIME}
#: Each amount in the order's currency and in the website's.
SUMS = ["row_total", "discount_amount", "discount_tax_compensation_amount"]
BOTH = {f"{base}{name}": MONEY for name in SUMS for base in ("", "base_")}
ADJUSTMENTS = {f"{base}adjustment_{sign}": MONEY for sign in ("positive", "negative") for base in ("", "base_")}

TABLES = {
    "magento.sales_order": {
        "entity_id": BIG, "increment_id": TEXT, "original_increment_id": TEXT, "relation_parent_id": TEXT, "relation_child_id": TEXT,
        "edit_increment": BIG, "state": TEXT, "store_id": BIG, "coupon_code": TEXT, "order_currency_code": TEXT, "base_currency_code": TEXT,
        "shipping_amount": MONEY, "gift_cards_amount": MONEY, "cj_event": TEXT, "created_at": TIME, "updated_at": TIME, **COPIED,
    },
    "magento.sales_order_item": {
        "item_id": BIG, "order_id": BIG, "parent_item_id": BIG, "product_type": TEXT, "sku": TEXT, "qty_ordered": PIECES, "qty_canceled": PIECES,
        "price": MONEY, **BOTH, "updated_at": TIME, **COPIED,
    },
    "magento.sales_creditmemo": {
        "entity_id": BIG, "order_id": BIG, "state": BIG, "shipping_amount": MONEY, **ADJUSTMENTS, "created_at": TIME, "updated_at": TIME, **COPIED,
    },
    "magento.sales_creditmemo_item": {"entity_id": BIG, "parent_id": BIG, "order_item_id": BIG, "qty": PIECES, **BOTH, **COPIED},
}  # fmt: skip

RATE = Fraction(19, 100)
BASE_RATE = {"USD": Fraction(1), "EUR": Fraction(11, 10), "JPY": Fraction(1, 150)}


def a_configurable(shop: s.Shop, order: Order, rng: Random) -> None:
    s.goods(shop, order, rng, 2, kind="configurable")
    order.backs.append(shop.back(order, s.later(rng), {0: 1}))


def a_bundle_of_priced_parts(shop: s.Shop, order: Order, rng: Random) -> None:
    order.coupon = "SPRING15"
    s.goods(shop, order, rng, 2, kind="part", code=15)
    order.backs.append(shop.back(order, s.later(rng), {1: 1}))


def a_bundle_with_a_price(shop: s.Shop, order: Order, rng: Random) -> None:
    s.goods(shop, order, rng, 1, kind="bundle")


def the_rest_is_cancelled(shop: s.Shop, order: Order, rng: Random) -> None:
    s.with_a_code(shop, order, rng)
    at, line = s.later(rng), order.lines[0]
    order.backs.append(Back(at, {0: (1, line.paid / line.quantity)}, goods=False, told={"cancelled": True}))


def an_edit(shop: s.Shop, order: Order, rng: Random) -> None:
    s.an_edit_adds(shop, order, rng)
    first = order.lines[0]
    order.told["edited_at"] = order.touched[0]
    order.backs.append(Back(order.touched[0], {0: (first.quantity, first.paid)}, goods=False, told={"edit": True}))


def an_exchange(shop: s.Shop, order: Order, rng: Random) -> None:
    s.goods(shop, order, rng)
    order.backs.append(shop.back(order, s.later(rng), {1: 1}))


def not_paid_yet(shop: s.Shop, order: Order, rng: Random) -> None:
    s.goods(shop, order, rng)
    order.told |= {"state": "pending_payment", "click": True}
    order.reported = order.attributed = False
    order.unpaid = True


class Magento(s.Shop):
    situations: ClassVar[Mapping[str, s.Story]] = {
        "an order, as placed": s.as_placed,
        "a code on the order": s.with_a_code,
        "a configurable product": a_configurable,
        "a bundle whose parts have prices": a_bundle_of_priced_parts,
        "a bundle with a price of its own": a_bundle_with_a_price,
        "pieces of a line come back": s.pieces_come_back,
        "money back without a line": s.money_without_a_line,
        "a fee kept back of a refund": s.a_fee_kept_back,
        "a credit memo that is cancelled": s.a_refund_taken_back,
        "a partial refund, then the rest": s.a_part_then_the_rest,
        "an exchange": an_exchange,
        "an edit": an_edit,
        "the rest is not shipped but cancelled": the_rest_is_cancelled,
        "prices include the tax, rows are rounded": s.tax_in_the_price,
        "a code worth less than the shop's rounding": s.less_than_its_rounding,
        "a gift card is bought": s.a_gift_card_bought,
        "a gift card pays": s.a_gift_card_pays,
        "shipping, and shipping given back": s.shipping,
        "shipping alone given back": s.shipping_alone,
        "shipped in parts": s.shipped_in_parts,
        "another currency than the website's": s.another_currency,
        "a code of 100 %": s.a_full_code,
        "not paid yet": not_paid_yet,
        "cancelled before payment": s.cancelled_before_payment,
        "cancelled after payment": s.cancelled_after_payment,
        "a test order": s.a_test_order,
        "two changes in one day": s.twice_in_a_day,
        "a change that arrives late": s.it_arrives_late,
    }

    def line(self, order: Order, price: Decimal, quantity: int, *, code: int = 0, **told: Any) -> Line:
        factor = 1 + RATE if order.told.get("taxes_included") else Fraction(1)
        shown = price * quantity
        discount = rounded(Fraction(shown) * code / 100, order.currency)
        sums = {
            "row_total": rounded(Fraction(shown) / factor, order.currency), "discount_amount": discount,
            "discount_tax_compensation_amount": rounded(Fraction(discount) * (1 - 1 / factor), order.currency),
        }  # fmt: skip
        place = len(order.lines)
        sku = f"SKU-{order.number}-{place % 2}"
        unit = rounded(Fraction(price) / factor, order.currency)
        kept = {"sums": sums, "price": unit, "kind": "simple", **told}
        sold = not told.get("gift_card")
        return Line(sku, quantity, Fraction(sums["row_total"]), Fraction(_net(sums)), sku, sold, told.get("added_at"), kept)

    def back(
        self, order: Order, at: datetime, pieces: Mapping[int, int], *, extra: Decimal = Decimal(0), goods: bool = True, **told: Any
    ) -> Back:
        """A credit memo, whose sums are in cents that add up over the order's memos."""
        found, sums = {}, {}
        for place, number in pieces.items():
            line = order.lines[place]
            before = sum(b.pieces[place][0] for b in order.backs if place in b.pieces)
            of_it = {
                name: rounded(Fraction(total) * (before + number) / line.quantity, order.currency)
                - rounded(Fraction(total) * before / line.quantity, order.currency)
                for name, total in line.told["sums"].items()
            }
            sums[place], found[place] = of_it, (number, Fraction(_net(of_it)))
        return Back(at, found, Fraction(extra), goods, {"sums": sums, "extra": extra, **told})


def _net(sums: Mapping[str, Decimal]) -> Decimal:
    return sums["row_total"] - sums["discount_amount"] + sums["discount_tax_compensation_amount"]


def name(order: Order) -> str:
    return f"{order.number:09}"


def land(order: Order, until: datetime) -> Rows:
    """The order's rows as they have landed by `until`."""
    at = seen_at(order, until)
    if at is None:
        return {}
    copy = _Copy(order, landed_at(order, at))
    written = order.written(at)
    edited = order.told.get("edited_at")
    edited = edited if edited and edited <= at else None
    backs = [b for b in order.backs if b.at <= at]
    cancelled = order.cancelled is not None and order.cancelled <= at
    state = "canceled" if cancelled else order.told.get("state", "processing")
    click = f"click{order.number}" if order.told.get("click", order.attributed) else None
    copy.edition(order.number, 0, "canceled" if edited else state, order.placed, edited or written, click, replaced=edited is not None)
    copy.lines(order.number, {place: line for place, line in enumerate(order.lines) if not line.added_at}, backs, edited or written)
    if edited:
        # The new edition has the lines that are left and those that were added, and nobody's click.
        gone = {place for b in backs if b.told.get("edit") for place in b.pieces}
        copy.edition(order.number, 1, state, edited, written, None, replaced=False)
        copy.lines(order.number * 10, {place: line for place, line in enumerate(order.lines) if place not in gone}, [], written)
    for number, back in enumerate(b for b in backs if not (b.told.get("cancelled") or b.told.get("edit"))):
        copy.memo(number, back, undone=back.undone if back.undone and back.undone <= at else None)
    return copy.rows


class _Copy:
    """The rows of one order, as they were copied at a moment."""

    def __init__(self, order: Order, landed: datetime) -> None:
        self.order, self.landed = order, landed
        self.rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}

    def _add(self, table: str, row: Mapping[str, Any]) -> None:
        self.rows[f"magento.{table}"].append({**row, "_fivetran_deleted": False, "_fivetran_synced": self.landed})

    def _both(self, sums: Mapping[str, Decimal]) -> dict[str, Decimal]:
        base = {f"base_{name}": rounded(Fraction(total) * BASE_RATE[self.order.currency], "USD") for name, total in sums.items()}
        return {**sums, **base}

    def edition(self, number: int, edit: int, state: str, created: datetime, updated: datetime, click: str | None, replaced: bool) -> None:
        order, root = self.order, name(self.order)
        self._add(
            "sales_order",
            {
                "entity_id": number * (10 if edit else 1), "increment_id": f"{root}-{edit}" if edit else root,
                "original_increment_id": root if edit else None, "relation_parent_id": str(number) if edit else None,
                "relation_child_id": str(number * 10) if replaced else None, "edit_increment": edit or None, "state": state,
                "store_id": 999 if order.test else 1, "coupon_code": order.coupon, "order_currency_code": order.currency, "base_currency_code": "USD",
                "shipping_amount": order.told.get("shipping"), "gift_cards_amount": order.told.get("paid_by_gift_card"), "cj_event": click,
                "created_at": created, "updated_at": updated,
            },
        )  # fmt: skip

    def lines(self, document: int, lines: Mapping[int, Line], backs: list[Back], updated: datetime) -> None:
        parts = [line for line in lines.values() if line.told["kind"] == "part"]
        if parts:
            whole = {"row_total": sum((p.told["sums"]["row_total"] for p in parts), Decimal(0))}
            self._item(document, 90, None, "bundle", "BUNDLE-" + "-".join(str(p.sku) for p in parts), 1, 0, Decimal(0), whole, updated)
        for place, line in lines.items():
            kind = line.told["kind"]
            taken = sum(b.pieces[place][0] for b in backs if b.told.get("cancelled") and place in b.pieces)
            shown = "giftcard" if line.told.get("gift_card") else "simple" if kind == "part" else kind
            parent = document * 100 + 90 if kind == "part" else None
            self._item(document, place, parent, shown, str(line.sku), line.quantity, taken, line.told["price"], line.told["sums"], updated)
            if kind in ("configurable", "bundle"):  # the simple product, which has no price of its own
                child = {"row_total": Decimal(0)}
                self._item(
                    document, place + 50, document * 100 + place, "simple", str(line.sku), line.quantity, taken, Decimal(0), child, updated
                )

    def _item(
        self, document: int, place: int, parent: int | None, kind: str, sku: str, pieces: int, taken: int, price: Decimal,
        sums: Mapping[str, Decimal], updated: datetime,
    ) -> None:  # fmt: skip
        self._add(
            "sales_order_item",
            {
                "item_id": document * 100 + place, "order_id": document, "parent_item_id": parent, "product_type": kind, "sku": sku,
                "qty_ordered": pieces, "qty_canceled": taken, "price": price, **self._both(sums), "updated_at": updated,
            },
        )  # fmt: skip

    def memo(self, number: int, back: Back, undone: datetime | None) -> None:
        key, extra = self.order.number * 10 + number, back.told["extra"]
        adjusted = self._both({"adjustment_positive": max(extra, Decimal(0)), "adjustment_negative": max(-extra, Decimal(0))})
        times = {"created_at": back.at, "updated_at": undone or back.at}
        paid = {"shipping_amount": back.told.get("shipping")}
        self._add(
            "sales_creditmemo", {"entity_id": key, "order_id": self.order.number, "state": 3 if undone else 2, **paid, **adjusted, **times}
        )
        for place, sums in back.told["sums"].items():
            row = {"parent_id": key, "qty": back.pieces[place][0]}
            item = self.order.number * 100 + place
            self._add("sales_creditmemo_item", {**row, "entity_id": key * 100 + place, "order_item_id": item, **self._both(sums)})
            if self.order.lines[place].told["kind"] == "configurable":
                self._add("sales_creditmemo_item", {**row, "entity_id": key * 100 + place + 50, "order_item_id": item + 50})
