"""The rehearsal's shop: a night of plain orders in PostgreSQL, and a CJ that holds what the pixel reported of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from include.commands.demo import NIGHTLY_AT
from include.domain.shapes import KEY
from include.sandbox.control import SandboxControl
from include.warehouse.base import WarehouseLocation, open_warehouse
from lab.bulk import write_bulk
from lab.comparison import Comparison, compare

LATE_HOURS = NIGHTLY_AT
"""A day of this shop begins at midnight, a night's interval at two: what changed between the two is picked as late."""

_ORDER_CHANGES = """
CREATE TABLE order_changes (
    enterprise_id text, action_tracker_id bigint, order_id text, change_type text, event_time timestamptz, updated_at timestamptz,
    amount numeric(38, 10), discount numeric(38, 10), currency text, coupon text, items text, status text, correction_reason text,
    cj_event text, ad_id bigint, promotional_property_id bigint, sid text, custom_parameters text, vertical_parameters text
)
"""


def newest_night(now: datetime) -> datetime:
    """The end of the newest interval of the nightly DAG that is over: the one it runs when it is unpaused."""
    tick = now.astimezone(UTC).replace(hour=NIGHTLY_AT, minute=0, second=0, microsecond=0)
    return tick if tick <= now else tick - timedelta(days=1)


def write_night(folder: Path, location: WarehouseLocation, night: datetime, orders: int) -> None:
    """Writes the seed of the sandbox into `folder`, and the table `order_changes` into the warehouse."""
    write_bulk(folder, night, orders)
    changes = pq.ParquetFile(folder / "order_changes.parquet")
    with open_warehouse(location) as session:
        session.execute(_ORDER_CHANGES)
        session.append("order_changes", changes.iter_batches())
        session.execute("CREATE INDEX ON order_changes (updated_at); CREATE INDEX ON order_changes (order_id); ANALYZE order_changes")


def compared(location: WarehouseLocation, control: SandboxControl, run_id: str) -> Comparison:
    """CJ against the warehouse, order by order; the last words are those of this run."""
    key = ", ".join(KEY)
    with open_warehouse(location) as session:
        should = session.table(f"SELECT {key}, change_type, amount, discount, items FROM order_changes")
        words = session.table(
            f"SELECT {key}, 'submissions' AS \"table\", outcome AS reason FROM cj.submissions WHERE run_id = :run_id UNION ALL "
            f"SELECT {key}, 'quarantine', reason FROM cj.quarantine WHERE run_id = :run_id UNION ALL "
            f"SELECT {key}, 'skipped', reason FROM cj.skipped WHERE run_id = :run_id",
            {"run_id": run_id},
        )
    return compare(should, pa.Table.from_batches(_held(control)), words)


def live_posts(control: SandboxControl) -> Counter[int]:
    """How many orders CJ was sent how often: `{1: 150000}` is what must come of a night."""
    return Counter(Counter((line["action_tracker_id"], line["order_id"]) for line in control.submissions()).values())


def _held(control: SandboxControl, size: int = 20_000) -> Iterator[pa.RecordBatch]:
    schema = pa.schema(
        [("enterprise_id", pa.string()), ("action_tracker_id", pa.int64()), ("order_id", pa.string())]
        + [(name, pa.string()) for name in ("amount", "discount", "items")]
    )
    rows: list[dict[str, Any]] = []
    for order in control.orders():
        items = [] if order["cancelled"] else order["items"]
        rows.append({name: order[name] for name in (*KEY, "amount", "discount")} | {"items": orjson.dumps(items).decode()})
        if len(rows) == size:
            yield pa.RecordBatch.from_pylist(rows, schema=schema)
            rows = []
    yield pa.RecordBatch.from_pylist(rows, schema=schema)
