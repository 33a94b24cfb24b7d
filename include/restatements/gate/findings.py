"""From order changes to findings: the frame that Great Expectations judges.

A finding is a length, a count, a member of an enumeration or the answer to an exact question ("do the items add up?"). Money, ids and texts
stay behind in Arrow, so money never becomes a float and nothing of a person can reach a validation result. Which finding
breaks which rule is not decided here but in `expectations/order_changes.json`.

What a cancellation does not carry is not judged on one: CJ's `OrderCancelRequest` has the order's identity, `updateTime`, `status` and
`correctionReason` alone, and an order that is undone often has a basket that no longer adds up.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from include.domain.errors import WarehouseShapeError
from include.domain.money import ZERO
from include.domain.personal import EMAIL
from include.domain.shapes import INSTANT, KEY, MONEY
from include.restatements.gate.items import MAX_ITEMS, item_findings
from include.restatements.gate.parameters import (
    advertiser_vertical_known,
    each_text,
    names_with_text,
    vertical_names_known,
    without_control,
)
from include.restatements.gate.storable import in_range, plain

ORDER_ID = r"^[A-Za-z0-9_-]*$"


def findings(table: pa.Table, now: datetime, combine_items: bool) -> pd.DataFrame:
    """One row per row of `table` (shapes.CHANGES, sorted by KEY, no key spread over two tables); columns as the suite names them.

    Flags are True where the rule holds or does not apply. Raises WarehouseShapeError if the rows are not sorted.
    """
    rows = {name: one_array(table[name]) for name in table.column_names}
    cancelled = pc.fill_null(pc.equal(rows["change_type"], "cancelled"), False)
    state = {name: pc.if_else(cancelled, pa.scalar(None, column.type), column) for name, column in rows.items() if name != "items"}
    return pd.DataFrame(
        {
            "malformed": _members(rows["malformed"]),
            "enterprise_id": _members(rows["enterprise_id"]),
            "action_tracker_id": _number(rows["action_tracker_id"]),
            "order_id_length": _number(pc.utf8_length(rows["order_id"])),
            "order_id_without_email": _no_match(rows["order_id"], EMAIL),
            "sid_without_email": _no_match(state["sid"], EMAIL),
            "order_id_plain": _flag(pc.match_substring_regex(rows["order_id"], ORDER_ID)),
            "key_unique": _unique_keys(rows),
            "change_type": _members(rows["change_type"]),
            **_times(rows, cancelled, now),
            **_order_money(state, cancelled),
            "currency": _members(state["currency"]),
            "coupon_length": _number(pc.utf8_length(state["coupon"])),
            "cj_event_length": _number(pc.utf8_length(state["cj_event"])),
            "sid_length": _number(pc.utf8_length(state["sid"])),
            **{f"{name}_plain": _flag(plain(state[name])) for name in ("coupon", "cj_event", "sid")},
            **_attribution(state),
            "status": _members(state["status"]),
            "cancellation_status": _members(pc.if_else(cancelled, rows["status"], pa.scalar(None, pa.string()))),
            "correction_reason": _members(rows["correction_reason"]),
            **_items(rows["items"], state["amount"], cancelled, combine_items),
            "custom_parameters_valid": each_text(state["custom_parameters"], names_with_text),
            "custom_parameters_plain": each_text(state["custom_parameters"], without_control),
            "vertical_parameters_plain": each_text(state["vertical_parameters"], without_control),
            "vertical_parameters_valid": each_text(state["vertical_parameters"], names_with_text),
            "vertical_parameter_names_known": each_text(state["vertical_parameters"], vertical_names_known),
            "advertiser_vertical_known": each_text(state["vertical_parameters"], advertiser_vertical_known),
        },
        copy=False,
    )


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """The column in one piece."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _times(rows: dict[str, pa.Array], cancelled: pa.Array, now: datetime) -> dict[str, Any]:
    event, updated, present = rows["event_time"], rows["updated_at"], pa.scalar(now, INSTANT)
    maybe_new = pc.or_kleene(pc.equal(rows["change_type"], "new"), rows["was_new"])
    needed = pc.and_(pc.fill_null(maybe_new, False), pc.invert(cancelled))
    return {
        "event_time_given": _flag(pc.or_(event.is_valid(), pc.invert(needed))),
        "event_time_in_range": _flag(pc.or_kleene(in_range(event), cancelled)),
        "updated_at_in_range": _flag(in_range(updated)),
        "event_time_past": _flag(pc.less_equal(event, present)),
        "updated_at_given": _flag(updated.is_valid()),
        "updated_at_past": _flag(pc.less_equal(updated, present)),
        "updated_after_event": _flag(pc.greater_equal(updated, event)),
    }


def _order_money(state: dict[str, pa.Array], cancelled: pa.Array) -> dict[str, Any]:
    zero = pa.scalar(ZERO, MONEY)
    return {
        "amount_given": _flag(pc.or_(state["amount"].is_valid(), cancelled)),
        "amount_in_range": _flag(in_range(state["amount"])),
        "amount_not_negative": _flag(pc.greater_equal(state["amount"], zero)),
        "discount_not_negative": _flag(pc.greater_equal(state["discount"], zero)),
        "discount_within_amount": _flag(pc.less_equal(state["discount"], state["amount"])),
    }


def _attribution(state: dict[str, pa.Array]) -> dict[str, Any]:
    alone = pc.xor(state["ad_id"].is_valid(), state["promotional_property_id"].is_valid())
    return {
        "ad_id": _number(state["ad_id"]),
        "promotional_property_id": _number(state["promotional_property_id"]),
        "attribution_complete": _flag(pc.or_(state["cj_event"].is_valid(), pc.invert(alone))),
    }


def _items(items: pa.Array, amount: pa.Array, cancelled: pa.Array, combine_items: bool) -> dict[str, Any]:
    found, exempt = item_findings(items, amount), cancelled.to_numpy(zero_copy_only=False)
    count = np.where(exempt, 0, found.count)
    return {
        "item_count": np.minimum(count, MAX_ITEMS) if combine_items else count,
        "item_sku_given": found.sku_given | exempt,
        "longest_sku": np.where(exempt, 0, found.longest_sku),
        "item_sku_plain": found.sku_plain | exempt,
        "item_prices_in_range": found.prices_in_range | exempt,
        "item_quantity_valid": found.quantity_valid | exempt,
        "largest_item_quantity": np.where(exempt, 0, found.largest_quantity),
        "item_unit_price_valid": found.unit_price_valid | exempt,
        "item_discount_not_negative": found.discount_not_negative | exempt,
        "item_discount_within_line": found.discount_within_line | exempt,
        "items_add_up": found.add_up | exempt,
    }


def _unique_keys(rows: dict[str, pa.Array]) -> Any:
    """False for every row that shares its order key with a neighbour. Raises WarehouseShapeError where a key is smaller than the one before."""
    length = len(rows["order_id"])
    same, smaller = pa.repeat(pa.scalar(True), max(length - 1, 0)), pa.repeat(pa.scalar(False), max(length - 1, 0))
    for name in KEY:
        before, after = rows[name].slice(0, max(length - 1, 0)), rows[name].slice(1)
        smaller = pc.or_(smaller, pc.and_(same, pc.fill_null(pc.less(after, before), False)))
        same = pc.and_(same, pc.fill_null(pc.equal(after, before), False))
    if pc.any(smaller).as_py():
        raise unsorted()
    twin = same.to_numpy(zero_copy_only=False)
    return ~(np.append(twin, False) | np.append(False, twin)) if length else np.ones(0, np.bool_)


def unsorted() -> WarehouseShapeError:
    """The error for orders that do not come in the order of their key."""
    return WarehouseShapeError(
        "The order changes are not sorted by enterprise_id, action_tracker_id, order_id, so an order that comes twice could go unseen. "
        'Nothing was sent. End the query with ORDER BY those three columns, in binary order (PostgreSQL: COLLATE "C").'
    )


def _flag(condition: pa.Array) -> Any:
    return pc.fill_null(condition, True).to_numpy(zero_copy_only=False)


def _no_match(column: pa.Array, pattern: str) -> Any:
    return _flag(pc.invert(pc.match_substring_regex(column, pattern)))


def _number(column: pa.Array) -> Any:
    """As float64, NaN for null. Bounds are small whole numbers, so what is lost past 2**53 cannot change a comparison with them."""
    return pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def _members(column: pa.Array) -> Any:
    """A text column with few values, as pandas' Categorical."""
    return column.dictionary_encode().to_pandas()
