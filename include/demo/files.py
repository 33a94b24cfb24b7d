"""The demo shop on disk: the warehouse's `order_changes`, and the seed directory the sandbox starts from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.demo.catalogue import PUBLISHERS
from include.demo.orders import ADVERTISER, ENTERPRISE, FIXED_DATE, FIXED_DURATION, OPEN_ENDED, Change, PixelOrder
from include.demo.shop import Shop
from include.demo.story_types import Storyline
from include.demo.storyline import EXCLUDED_COUPON
from include.domain.shapes import CHANGES, INSTANT

TOKEN = "sandbox-token"
LATER, APPEARS_AT = "later.parquet", "appears_at"

#: The contract's columns of `order_changes`, as a shop's warehouse has them: items are text there, and what the package works out is not.
ORDER_CHANGES = pa.schema(
    [field.with_type(pa.string()) if field.name == "items" else field for field in CHANGES if field.name not in ("was_new", "malformed")]
)

#: The sandbox's `orders.parquet`: the orders CJ holds by the pixel. Amounts are text; see `write_seed_tables`.
SEED_ORDERS = pa.schema(
    [
        ("enterprise_id", pa.string()),
        ("action_tracker_id", pa.int64()),
        ("order_id", pa.string()),
        ("amount", pa.string()),
        ("discount", pa.string()),
        ("currency", pa.string()),
        ("coupon", pa.string()),
        ("items", pa.string()),
        ("event_time", INSTANT),
        ("posted_at", INSTANT),
        ("publisher_id", pa.string()),
        ("locking_date", INSTANT),
        ("action_status", pa.string()),
        ("commissionable", pa.bool_()),
    ]
)


def write_warehouse(path: Path, changes: Iterable[Change], until: datetime | None = None) -> int:
    """Replaces `order_changes` in the DuckDB file by the rows that had arrived before `until` (all, if None); returns how many.

    A warehouse that is played night by night calls this before each night: what a night cannot know yet is not there.
    """
    rows = [row for row in (change.row() for change in changes) if until is None or row["arrives_at"] < until]  # type: ignore[operator]
    load_order_changes(path, _table(rows, ORDER_CHANGES))
    return len(rows)


def load_order_changes(path: Path, order_changes: pa.Table) -> None:
    """Replaces the table `order_changes` of the DuckDB file; money stays decimal, times are timestamptz."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("arrived", order_changes)
        connection.execute("CREATE OR REPLACE TABLE order_changes AS SELECT * FROM arrived")


def write_seed(directory: Path, pixel: Iterable[PixelOrder], starts_at: datetime) -> None:
    """Writes what a sandbox starts from at `starts_at`, and what its pixel reports later: see `write_seed_tables`."""
    reported = list(pixel)
    appears = pa.array([held.appears or held.posted for held in reported], INSTANT)
    write_seed_tables(
        directory, _table([held.row(PUBLISHERS) for held in reported], SEED_ORDERS).append_column(APPEARS_AT, appears), starts_at
    )


def write_seed_tables(directory: Path, pixel: pa.Table, starts_at: datetime) -> None:
    """Writes `accounts.json`, `orders.parquet` (what CJ shows before `starts_at`: SEED_ORDERS) and `later.parquet` (the rest, and `appears_at`).

    `pixel` is SEED_ORDERS and `appears_at`: when Commission Detail first shows the order, which may be a while after it posted.

    Commission ids rise as orders post, and the ledger is read past the newest id. So an order that posts later has to reach CJ later:
    `include.demo.stage.move_to` sees to that.
    """
    write_accounts(directory)
    pixel = pixel.sort_by([(APPEARS_AT, "ascending"), ("posted_at", "ascending"), ("order_id", "ascending")])
    posted = pc.less(pixel[APPEARS_AT], pa.scalar(starts_at, INSTANT))
    pq.write_table(pixel.filter(posted).drop_columns([APPEARS_AT]), directory / "orders.parquet", compression="zstd")
    pq.write_table(pixel.filter(pc.invert(posted)), directory / LATER, compression="zstd")


def write_accounts(directory: Path) -> None:
    """Writes the seed's `accounts.json`: one advertiser in USD, three action trackers, ten publishers."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "accounts.json").write_text(json.dumps(ACCOUNTS, indent=2) + "\n", encoding="utf-8")


def write_storyline(directory: Path, story: Storyline) -> None:
    """Writes `faults.json`, what the sandbox is told to do behind everybody's back, and `storyline.json`, what must come of it all."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "faults.json").write_text(json.dumps(list(story.faults), indent=2) + "\n", encoding="utf-8")
    (directory / "storyline.json").write_text(json.dumps(story.as_json(), indent=2) + "\n", encoding="utf-8")


def write_shop(warehouse: Path, seed_directory: Path, shop: Shop, until: datetime | None = None) -> int:
    """Writes everything. Returns the number of rows in `order_changes`."""
    write_seed(seed_directory, shop.pixel, shop.story.nights[0].runs_at)
    write_storyline(seed_directory, shop.story)
    return write_warehouse(warehouse, shop.changes, until)


def _table(rows: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.table({field.name: pa.array([row[field.name] for row in rows], field.type) for field in schema}, schema=schema)


def _tracker(number: int, name: str, locking_method: str, lock_days: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "locking_method": locking_method,
        "lock_days": lock_days,
        "commission_rate": "0.08",
        "fee_rate": "0.02",
    }


ACCOUNTS = [
    {
        "token": TOKEN,
        "enterprise_id": ENTERPRISE,
        "advertiser_id": ADVERTISER,
        "advertiser_name": "Wren & Kettle",
        "currency": "USD",
        "sale_amount_basis": "net",
        "rates": {"EUR": "1.08", "GBP": "1.27"},
        "action_trackers": [
            _tracker(FIXED_DATE, "Online sale", "FIXED_DATE", 30),
            _tracker(OPEN_ENDED, "Tea tours and stays", "OPEN_ENDED", 0),
            _tracker(FIXED_DURATION, "App sale", "FIXED_DURATION", 30),
        ],
        "publishers": [{"id": number, "name": name} for number, name in PUBLISHERS],
        "excluded_coupons": [EXCLUDED_COUPON],
    }
]
