"""CJ's state against the warehouse's, order by order: a fast loop that leaves CJ wrong has lost.

Both sides become one row an order (amount less nothing, discount, pieces by SKU) and are joined whole. What the warehouse says is worked out from
`order_changes` alone, what CJ holds is asked of the sandbox; nothing of the package's own tables is believed.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from lab.bench.ground import Ground

_HELD = pa.schema(
    [
        ("order_id", pa.string()),
        ("action_tracker_id", pa.int64()),
        ("amount", pa.string()),
        ("discount", pa.string()),
        ("pieces", pa.string()),
        ("live_posts", pa.int64()),
    ]
)
_BATCH = 50_000

_COMPARE = """
WITH said AS (
    SELECT order_id, action_tracker_id, cj_event IS NOT NULL AS attributed,
        CASE WHEN change_type = 'cancelled' THEN 0 ELSE amount END AS amount, CASE WHEN change_type = 'cancelled' THEN 0 ELSE coalesce(discount, 0) END AS discount,
        CASE WHEN change_type = 'cancelled' THEN '' ELSE coalesce((
            SELECT string_agg(concat(sku, ' x ', pieces), ', ' ORDER BY sku) FROM (
                SELECT i.sku AS sku, sum(i.quantity) AS pieces FROM (
                    SELECT unnest(from_json(items, '[{"sku": "VARCHAR", "quantity": "BIGINT"}]')) AS i
                ) GROUP BY 1
            )
        ), '') END AS pieces
    FROM read_parquet($said)
),
held AS (
    SELECT order_id, action_tracker_id, amount::decimal(38, 10) AS amount, coalesce(discount::decimal(38, 10), 0) AS discount, pieces, live_posts
    FROM read_parquet($held)
)
SELECT
    count(*) AS orders,
    count(*) FILTER (s.attributed AND h.order_id IS NOT NULL AND h.amount = s.amount AND h.discount = s.discount AND h.pieces = s.pieces) AS agreed,
    count(*) FILTER (NOT s.attributed AND h.order_id IS NULL) AS nobodys,
    coalesce(sum(h.live_posts), 0)::bigint AS live_posts,
    min(coalesce(s.order_id, h.order_id)) FILTER (
        NOT coalesce(CASE WHEN s.attributed THEN h.amount = s.amount AND h.discount = s.discount AND h.pieces = s.pieces ELSE h.order_id IS NULL END, false)
    ) AS first_difference
FROM said AS s FULL JOIN held AS h USING (order_id, action_tracker_id)
"""


@dataclass(frozen=True)
class Truth:
    """`orders` = `agreed` + `nobodys` (orders no publisher brought, rightly unknown to CJ) + `differ`."""

    orders: int
    agreed: int
    nobodys: int
    live_posts: int
    first_difference: str | None

    @property
    def differ(self) -> int:
        return self.orders - self.agreed - self.nobodys


def compared(ground: Ground, url: str, file: Path) -> Truth:
    """Compares every order either side knows, after everything due has posted."""
    from include.sandbox.control import SandboxControl

    with SandboxControl(url, timeout=3600) as control, pq.ParquetWriter(file, _HELD) as writer:
        held = map(_row, control.orders())
        while rows := list(itertools.islice(held, _BATCH)):
            writer.write_table(pa.Table.from_pylist(rows, schema=_HELD))
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '2GB'")
        found = connection.execute(_COMPARE, {"said": f"{ground.folder}/order_changes.parquet", "held": str(file)}).fetchone()
    assert found is not None
    return Truth(*found)


def _row(order: dict[str, Any]) -> dict[str, Any]:
    gone = order["cancelled"]
    pieces: dict[str, int] = {}
    for item in [] if gone else order["items"]:
        pieces[item["sku"]] = pieces.get(item["sku"], 0) + item["quantity"]
    return {
        "order_id": order["order_id"], "action_tracker_id": order["action_tracker_id"], "live_posts": order["live_posts"],
        "amount": "0" if gone else order["amount"], "discount": "0" if gone else order["discount"],
        "pieces": ", ".join(f"{sku} x {n}" for sku, n in sorted(pieces.items()) if n),
    }  # fmt: skip
