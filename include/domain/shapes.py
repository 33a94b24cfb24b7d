"""The Arrow shapes that travel between the stages. One place, so that a column has one type everywhere.

Money is `decimal128(38, 10)`, times are microseconds in UTC, items are a list of structs.
"""

from __future__ import annotations

import pyarrow as pa

from include.domain.money import PRECISION, SCALE

MONEY = pa.decimal128(PRECISION, SCALE)
INSTANT = pa.timestamp("us", tz="UTC")
#: Sum over items of quantity x a 60-bit hash of the SKU (`include.domain.marks`); adds up over records as amounts do.
MARK = pa.decimal128(38, 0)

ITEM = pa.struct([("sku", pa.string()), ("quantity", pa.int64()), ("unit_price", MONEY), ("discount", MONEY)])
ITEMS = pa.list_(ITEM)

#: The order key, in the order everything is sorted by.
KEY = ("enterprise_id", "action_tracker_id", "order_id")

#: One row per order touched, in its newest state: `include/sql/order_changes.sql` after parsing, sorted by KEY.
#: `malformed` names the first column whose text could not be parsed (its value is then null), and behind `: ` what was found there, without a value;
#: the gate holds such rows back.
CHANGES = pa.schema(
    [
        ("enterprise_id", pa.string()),
        ("action_tracker_id", pa.int64()),
        ("order_id", pa.string()),
        ("change_type", pa.string()),
        ("was_new", pa.bool_()),
        ("event_time", INSTANT),
        ("updated_at", INSTANT),
        ("amount", MONEY),
        ("discount", MONEY),
        ("currency", pa.string()),
        ("coupon", pa.string()),
        ("items", ITEMS),
        ("status", pa.string()),
        ("correction_reason", pa.string()),
        ("cj_event", pa.string()),
        ("ad_id", pa.int64()),
        ("promotional_property_id", pa.int64()),
        ("sid", pa.string()),
        ("custom_parameters", pa.string()),
        ("vertical_parameters", pa.string()),
        ("malformed", pa.string()),
    ]
)

#: What a chunk's Parquet file holds: the state to send, in the order it is sent.
CHUNK = pa.schema(
    [f for f in CHANGES if f.name not in ("change_type", "was_new", "malformed")]
    + [
        ("payload_hash", pa.string()),
        ("attempt", pa.int32()),
        ("items_mark", MARK),
        # The plan that cut it, and the last reading of Commission Detail that plan knew: what orders it among others, and what is news to it.
        ("plan_number", pa.int64()),
        ("known_reading", pa.int64()),
        # Whether it is the state the order was placed with.
        ("untouched", pa.bool_()),
    ]
)
