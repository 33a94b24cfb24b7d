"""Plain orders by the million, for measuring: one night's changes and what CJ holds of them, written in batches with flat memory.

    python -m lab.bulk --directory DIR --night 2026-11-19 --orders 1000000

writes `order_changes.parquet` (the contract's columns, money as decimal(38, 10)), `orders.parquet` and `accounts.json` (the sandbox's seed).
Everything follows from the order's number, so the same arguments give the same rows. Of a hundred orders, by number:

    0-59   restated: CJ holds the full order, one piece of its first item came back
    60-69  unchanged: CJ holds this very state
    70-79  cancelled: CJ holds the full order
    80-84  missed: new, a publisher's, and CJ has never heard of it
    85-99  nobody's: new, without attribution

An order has one to four items, 2.5 on average. All of them pass every rule: dirt is the demo shop's business.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from include.demo.__main__ import instant
from include.demo.catalogue import PUBLISHERS
from include.demo.files import ORDER_CHANGES, SEED_ORDERS, write_accounts
from include.demo.orders import ENTERPRISE, FIXED_DATE

BATCH, ROWS_A_GROUP = 200_000, 50_000
"""Orders a statement and rows a Parquet group: what bounds the memory."""
SHARES = {"restated": 0.60, "unchanged": 0.10, "cancelled": 0.10, "missed": 0.05, "nobody's": 0.15}

_CENTS = "concat(({0}) // 100, '.', lpad((({0}) % 100)::text, 2, '0'))"
_ITEM = (
    """concat('{{"sku": "', {item}.sku, '", "quantity": ', {item}.quantity, ', "unit_price": "', """
    + _CENTS.format("{item}.cents")
    + """, '", "discount": "0.00"}}')"""
)

# Hashes of DuckDB differ between versions, so numbers are scattered by multiplication alone: 7919 and 104729 are prime.
_ORDERS = f"""
CREATE OR REPLACE TEMP TABLE orders AS
WITH numbered AS (SELECT range AS n, range % 100 AS kind FROM range($first, $last)),
full_orders AS (
    SELECT n, kind, list_transform(range(1 + (n * 7919 // 100) % 4), lambda k: {{
        'sku': concat('SKU-', lpad(((n * 31 + k * 911) % 3659)::text, 4, '0')),
        'quantity': 2 + (n * 13 + k * 7) % 11,
        'cents': 50 + (n * 104729 + k * 7919) % 1950
    }}) AS items FROM numbered
),
both_states AS (
    SELECT n, kind, items AS held_items,
        CASE WHEN kind < 60
            THEN list_prepend({{'sku': items[1].sku, 'quantity': items[1].quantity - 1, 'cents': items[1].cents}}, items[2:])
            ELSE items END AS new_items
    FROM full_orders
)
SELECT n, kind, concat('SO-', lpad(n::text, 9, '0')) AS order_id,
    $midnight::timestamptz - to_days((3 + n % 5)::integer) + to_seconds((n * 7919 % 43200)::double) AS older,
    $midnight::timestamptz - to_days(1) + to_seconds((n * 104729 % 86400)::double) AS today,
    list_sum(list_transform(held_items, lambda i: i.quantity * i.cents)) AS held_cents,
    list_sum(list_transform(new_items, lambda i: i.quantity * i.cents)) AS new_cents,
    concat('[', list_aggregate(list_transform(held_items, lambda i: {_ITEM.format(item="i")}), 'string_agg', ', '), ']') AS held_json,
    concat('[', list_aggregate(list_transform(new_items, lambda i: {_ITEM.format(item="i")}), 'string_agg', ', '), ']') AS new_json
FROM both_states
"""

_ORDER_CHANGES = f"""
SELECT '{ENTERPRISE}' AS enterprise_id, {FIXED_DATE}::bigint AS action_tracker_id, order_id,
    CASE WHEN kind < 70 THEN 'restated' WHEN kind < 80 THEN 'cancelled' ELSE 'new' END AS change_type,
    CASE WHEN kind < 80 THEN older ELSE today END AS event_time, today AS updated_at,
    CASE WHEN kind BETWEEN 70 AND 79 THEN 0 ELSE (new_cents::decimal(38, 2) * 0.01) END::decimal(38, 10) AS amount, 0::decimal(38, 10) AS discount,
    'USD' AS currency, NULL::text AS coupon, CASE WHEN kind BETWEEN 70 AND 79 THEN NULL ELSE new_json END AS items, NULL::text AS status,
    CASE WHEN kind < 60 OR kind BETWEEN 70 AND 79 THEN 'ReturnedMerchandise' END AS correction_reason,
    CASE WHEN kind < 85 THEN lpad(n::text, 32, '0') END AS cj_event, NULL::bigint AS ad_id, NULL::bigint AS promotional_property_id,
    NULL::text AS sid, NULL::text AS custom_parameters, NULL::text AS vertical_parameters
FROM orders ORDER BY n
"""

_SEED = f"""
SELECT '{ENTERPRISE}' AS enterprise_id, {FIXED_DATE}::bigint AS action_tracker_id, order_id,
    {_CENTS.format("held_cents")} AS amount, '0.00' AS discount, 'USD' AS currency, NULL::text AS coupon, held_json AS items,
    older AS event_time, older + INTERVAL 20 MINUTE AS posted_at, list_value({", ".join(f"'{number}'" for number, _ in PUBLISHERS)})[1 + n % 10] AS publisher_id,
    $midnight::timestamptz + to_days(30) AS locking_date, NULL::text AS action_status, true AS commissionable
FROM orders WHERE kind < 80 ORDER BY n
"""


def write_bulk(directory: Path, night: datetime, orders: int) -> None:
    """Writes `order_changes.parquet`, `orders.parquet` and `accounts.json`, for the run of `night` (aware; its UTC date counts)."""
    midnight = night.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    write_accounts(directory)
    changes, seed = directory / "order_changes.parquet", directory / "orders.parquet"
    with (
        duckdb.connect() as connection,
        pq.ParquetWriter(changes, ORDER_CHANGES, compression="zstd") as change_writer,
        pq.ParquetWriter(seed, SEED_ORDERS, compression="zstd") as seed_writer,
    ):
        connection.execute("SET TimeZone = 'UTC'")
        for first in range(0, orders, BATCH):
            connection.execute(_ORDERS, {"first": first, "last": min(first + BATCH, orders), "midnight": midnight})
            _append(connection, _ORDER_CHANGES, {}, change_writer, ORDER_CHANGES)
            _append(connection, _SEED, {"midnight": midnight}, seed_writer, SEED_ORDERS)


def load_bulk(warehouse: Path, directory: Path) -> None:
    """Replaces `order_changes` in the DuckDB file by what `write_bulk` wrote, without passing through Python."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        source = connection.read_parquet(str(directory / "order_changes.parquet"))
        connection.register("written", source)
        connection.execute("CREATE OR REPLACE TABLE order_changes AS SELECT * FROM written")


def _append(connection: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Any], writer: pq.ParquetWriter, schema: pa.Schema) -> None:
    for batch in connection.sql(sql, params=values).to_arrow_reader(ROWS_A_GROUP):
        writer.write_batch(batch.cast(schema))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lab.bulk", description="Write plain orders by the million, for measuring.")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--night", type=instant, required=True, help="the date of the nightly run; its data interval is the day before")
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--warehouse", type=Path, help="DuckDB file to load the changes into as well")
    args = parser.parse_args()
    started = time.monotonic()
    write_bulk(args.directory, args.night, args.orders)
    if args.warehouse:
        load_bulk(args.warehouse, args.directory)
    print(f"{args.orders:,} orders in {args.directory}, {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
