"""One order for every way a row can be wrong. The gate must hold each of them back, and nothing else because of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from include.demo.catalogue import Catalogue
from include.demo.orders import FIXED_DATE, Change
from include.demo.story_types import Night
from include.domain.money import money

CENTS = ("amount", "discount")


def dirty_changes(catalogue: Catalogue, night: Night) -> list[tuple[str, Change]]:
    """(kind, row) for each kind of dirt, all touched in the night's interval, each another order that a publisher brought."""
    made = []
    for minute, (kind, (change_type, wrong)) in enumerate(_wrongs(night).items()):
        order = catalogue.order(night.at(-48), affiliate=True, tracker=FIXED_DATE, lines=120 if kind == "more than 100 items" else 3)
        plain = replace(order, coupon=None, discount=0, custom_parameters=None, vertical_parameters=None)
        override = {column: money(value) if column in CENTS and value is not None else value for column, value in wrong.items()}
        made.append((kind, Change(plain, change_type, night.at(10 + minute / 60), override=override)))
    return made


def _wrongs(night: Night) -> dict[str, tuple[str, dict[str, Any]]]:
    """Kind -> (change type, the columns that are wrong). Amounts in text."""
    return {
        "order id is an e-mail address": ("restated", {"order_id": "jane.doe@example.com"}),
        "order id too long": ("restated", {"order_id": "SO-" + "4" * 97}),
        "order id empty": ("restated", {"order_id": ""}),
        "unknown enterprise": ("restated", {"enterprise_id": "9999999"}),
        "no action tracker": ("restated", {"action_tracker_id": None}),
        "negative action tracker": ("restated", {"action_tracker_id": -401}),
        "unknown change type": ("restated", {"change_type": "refunded"}),
        "no amount": ("restated", {"amount": None}),
        "negative amount": ("restated", {"amount": "-12.75", "items": None}),
        "negative discount": ("restated", {"discount": "-1.00"}),
        "discount above the amount": ("restated", {"amount": "12.75", "discount": "20.00", "items": _items()}),
        "items do not add up": ("restated", {"amount": "13.75", "items": _items()}),
        "currency in words": ("restated", {"currency": "Dollars"}),
        "currency empty": ("restated", {"currency": ""}),
        "coupon too long": ("restated", {"coupon": "X" * 257}),
        "items are no JSON": ("restated", {"items": "[{sku: 22423"}),
        "items are no list": ("restated", {"items": '{"sku": "22423"}'}),
        "item without a SKU": ("restated", {"amount": "12.75", "items": _items(sku="")}),
        "SKU too long": ("restated", {"amount": "12.75", "items": _items(sku="K" * 101)}),
        "negative quantity": ("restated", {"amount": "0.00", "items": _items(quantity=-1)}),
        "fraction of a piece": ("restated", {"amount": "19.13", "items": _items(quantity=1.5)}),
        "negative unit price": ("restated", {"amount": "0.00", "items": _items(unit_price="-12.75")}),
        "negative item discount": ("restated", {"amount": "13.75", "items": _items(discount="-1.00")}),
        "item discount above its line": ("restated", {"amount": "0.00", "items": _items(discount="20.00")}),
        "more than 100 items": ("restated", {}),
        "placed in the future": ("restated", {"event_time": night.end + timedelta(days=3)}),
        "no time of order": ("new", {"event_time": None}),
        "unknown status": ("restated", {"status": "Approved"}),
        "cancelled with a restatement's status": ("cancelled", {"status": "Accepted"}),
        "unknown correction reason": ("restated", {"correction_reason": "Returned"}),
        "cj event too long": ("new", {"cj_event": "e" * 65}),
        "sid too long": ("new", {"sid": "s" * 65}),
        "custom parameters are no object": ("new", {"custom_parameters": "newCustomer=true"}),
        "unknown vertical parameter": ("new", {"vertical_parameters": '{"shoeSize": "42"}'}),
    }


def _items(**wrong: object) -> str:
    """A basket of one teapot, with something wrong about it."""
    return json.dumps([{"sku": "22423", "quantity": 1, "unit_price": "12.75", "discount": "0.00"} | wrong])
