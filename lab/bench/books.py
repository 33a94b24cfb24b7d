"""A big book to reconcile, made in SQL: every order submitted once, and CJ's records of it. 2.18 records an order.

Of a hundred orders, by number: 0-55 restated and posted, 56-58 posted with another amount, 59-99 create, posted as sent except 96-99, which CJ dropped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from include.warehouse.base import WarehouseLocation, open_warehouse
from lab.bench.ground import create_database

_SUBMITTED = "TIMESTAMPTZ '2026-11-18 02:00:00+00'"

_SUBMISSIONS = f"""
SELECT 'bench' AS run_id, concat('c', n // 10000) AS chunk_id, CASE WHEN n % 100 < 59 THEN 'restate' ELSE 'create' END AS operation, 'live' AS mode,
    '5500001' AS advertiser_id, '1500001' AS enterprise_id, 401::bigint AS action_tracker_id, concat('SO-', lpad(n::text, 9, '0')) AS order_id,
    {_SUBMITTED} - INTERVAL 1 HOUR AS updated_at, ((1000 + n * 104729 % 90000)::decimal(38, 2) * 0.01)::decimal(38, 10) AS amount,
    0::decimal(38, 10) AS discount, 'USD' AS currency, NULL::text AS coupon, NULL::text AS status, NULL::text AS correction_reason,
    (1 + n % 7)::decimal(38, 0) AS items_mark, md5(n::text) AS payload_hash, 1 AS attempt, 'accepted' AS outcome, 's' AS submission_id,
    'b' AS batch_id, {_SUBMITTED} AS submitted_at, NULL::text AS error_message, NULL::timestamptz AS settled_at, 1::bigint AS plan_number, 0::bigint AS known_reading
FROM range($first, $last) AS t (n)
"""

_RECORDS = f"""
SELECT (1000000000 + n * 3 + k)::text AS commission_id, '5500001' AS advertiser_id, 401::bigint AS action_tracker_id, 'Online sale' AS action_tracker_name,
    concat('SO-', lpad(n::text, 9, '0')) AS order_id, 'sale' AS action_type, 'new' AS action_status, '7100001' AS publisher_id, 'Publisher' AS publisher_name,
    {_SUBMITTED} - INTERVAL 3 DAY AS event_date, CASE WHEN k = 0 AND n % 100 < 59 THEN {_SUBMITTED} - INTERVAL 2 DAY ELSE {_SUBMITTED} + INTERVAL 1 HOUR END AS posting_date,
    {_SUBMITTED} + INTERVAL 20 DAY AS locking_date, 'FIXED_DATE' AS locking_method, 'AUTOMATED' AS validation_status, k = 0 AS original,
    (1000000000 + n * 3)::text AS original_action_id, NULL::text AS correction_reason,
    CASE k WHEN 1 THEN -before WHEN 2 THEN after ELSE CASE WHEN n % 100 < 59 THEN before ELSE after END END::decimal(38, 10) AS sale_amount,
    0::decimal(38, 10) AS order_discount, 0::decimal(38, 10) AS order_discount_orig_currency,
    (CASE k WHEN 1 THEN -1 ELSE 1 END * 0.8)::decimal(38, 10) AS adv_commission_amount, (CASE k WHEN 1 THEN -1 ELSE 1 END * 0.2)::decimal(38, 10) AS cj_fee,
    NULL::text AS coupon, (CASE k WHEN 1 THEN -(1 + n % 7) ELSE 1 + n % 7 END)::decimal(38, 0) AS items_mark, {_SUBMITTED} + INTERVAL 2 HOUR AS ingested_at,
    CASE WHEN k = 0 AND n % 100 < 59 THEN 0 ELSE 1 END::bigint AS reading
FROM (
    SELECT n, unnest(CASE WHEN n % 100 < 59 THEN [0, 1, 2] WHEN n % 100 < 96 THEN [0] ELSE [] END) AS k,
        (1000 + n * 104729 % 90000)::decimal(38, 2) * 0.01 + 5 AS before,
        (1000 + n * 104729 % 90000)::decimal(38, 2) * 0.01 + CASE WHEN n % 100 BETWEEN 56 AND 58 THEN 1 ELSE 0 END AS after
    FROM range($first, $last) AS t (n)
)
"""
# Without it nothing could be called missing: what is given up was looked for.
_READ_WHOLE = f"""
INSERT INTO cj.ledger_reads (advertiser_id, cursor_commission_id, kind, read_from, complete_until, records, read_at, reading)
VALUES ('5500001', '1', 'first', {_SUBMITTED} - INTERVAL '30 days', {_SUBMITTED} + INTERVAL '3 days', 1, {_SUBMITTED} + INTERVAL '3 days', 1)
"""
_BATCH = 500_000


def write(folder: Path, orders: int) -> dict[str, Any]:
    """`submissions.parquet` and `commissions.parquet` for the peer, `warehouse.duckdb` with the same rows for us."""
    folder.mkdir(parents=True)
    location = WarehouseLocation("duckdb", path=str(folder / "warehouse.duckdb"))
    with open_warehouse(location) as session:
        session.create_tables()
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET memory_limit = '1GB'")
        for first in range(0, orders, _BATCH):
            bounds = {"first": first, "last": min(first + _BATCH, orders)}
            connection.execute(f"INSERT INTO cj.submissions BY NAME {_SUBMISSIONS}", bounds)
            connection.execute(f"INSERT INTO cj.commissions BY NAME {_RECORDS}", bounds)
        connection.execute(_READ_WHOLE)
        for name in ("submissions", "commissions"):
            connection.execute(f"COPY cj.{name} TO '{folder}/{name}.parquet' (FORMAT parquet, COMPRESSION zstd)")
    with open_warehouse(location) as session:
        session.create_tables(whole=True)  # adds up what the records say of their action tracker
    return {"folder": str(folder), "orders": orders}


def load(uri: str, folder: Path) -> str:
    """The same rows in a PostgreSQL database of their own beside `uri`. Returns its address."""
    location = WarehouseLocation("postgres", uri=create_database(uri, "books"))
    with open_warehouse(location) as session:
        session.create_tables()
        for name in ("submissions", "commissions"):
            with pq.ParquetFile(folder / f"{name}.parquet") as file:
                session.append(f"cj.{name}", file.iter_batches(65_536))
        session.execute(_READ_WHOLE)
        session.create_tables(whole=True)
        session.analyze("cj.submissions", "cj.commissions")
    return location.uri


def expected(orders: int) -> dict[str, int]:
    """The verdicts the book was made for."""
    whole, rest = divmod(orders, 100)
    mismatched = whole * 3 + max(0, min(rest, 59) - 56)
    missing = whole * 4 + max(0, rest - 96)
    return {"matched": orders - mismatched - missing, "mismatched": mismatched, "missing": missing}
