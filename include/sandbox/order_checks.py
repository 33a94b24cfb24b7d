"""The last stage of a tracking request: each order's fields. Test Mode and live check the same.

Messages are CJ's where its documentation gives them (`Order may not have more than 100 items`, `Order may not have a ... in the future`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from include.domain.money import NotMoney, money

MAX_ITEMS = 100
_order_id = re.compile(r"[A-Za-z0-9_-]{1,96}").fullmatch
_currency = re.compile(r"[A-Z]{3}").fullmatch
_LENGTHS = (("cjEvent", 64), ("sid", 64), ("coupon", 256))
_SHORT_ENOUGH = 11  # characters: shorter amounts cannot break a limit of `money`

FieldError = tuple[str, str]
"""What is wrong, and the field it is wrong with."""


def field_errors(order: Mapping[str, Any], now: datetime) -> list[FieldError]:
    """Everything CJ would refuse about one order whose types are right."""
    errors: list[FieldError] = []
    if not _order_id(order["orderId"]):
        errors.append(("Order may only have an orderId of 1 to 96 letters, digits, '-' and '_'", "orderId"))
    for name in ("eventTime", "updateTime"):
        text = order.get(name)
        if text is not None and datetime.fromisoformat(text) > now:
            errors.append((f"Order may not have a {name} in the future", name))
    currency = order.get("currency")
    if currency is not None and not _currency(currency):
        what = "an empty currency" if not currency else "a currency that is not an ISO 4217 code"
        errors.append((f"Order may not have {what}", "currency"))
    for name, limit in _LENGTHS:
        text = order.get(name)
        if text is not None and len(text) > limit:
            errors.append((f"Order may not have a {name} longer than {limit} characters", name))
    for name in ("amount", "discount"):
        errors += _amount_errors(order.get(name), name, name)
    items = order.get("items")
    if items:
        errors += _item_errors(items)
    return errors


def _item_errors(items: list[Mapping[str, Any]]) -> list[FieldError]:
    errors: list[FieldError] = []
    if len(items) > MAX_ITEMS:
        return [(f"Order may not have more than {MAX_ITEMS} items", "items")]
    for index, item in enumerate(items):
        sku = item["sku"]
        if not sku or len(sku) > 100:
            errors.append(("Item may only have a sku of 1 to 100 characters", f"items[{index}].sku"))
        for name in ("unitPrice", "discount"):
            text = item.get(name)
            if text is not None and len(text) > _SHORT_ENOUGH:
                errors += _amount_errors(text, name, f"items[{index}].{name}")
    return errors


def _amount_errors(text: str | None, name: str, field: str) -> list[FieldError]:
    if text is None or len(text) <= _SHORT_ENOUGH:
        return []
    try:
        money(text)
    except NotMoney as reason:
        return [(f"Order may not have this {name}: {reason}", field)]
    return []
