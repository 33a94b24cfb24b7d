"""The least a step could cost here: the bytes moved and nothing done with them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from lab.bench.ground import INTERVAL
from lab.bench.measuring import Clock


def extract(clock: Clock, orders: int, folder: str, uri: str) -> dict[str, Any]:
    """COPY of the same rows as text."""
    import psycopg2  # type: ignore[import-untyped]

    from include.sql import sql_text

    query = (
        sql_text("order_changes")
        .replace(":interval_start", f"'{INTERVAL[0].isoformat()}'")
        .replace(":interval_end", f"'{INTERVAL[1].isoformat()}'")
    )
    ordered = f"SELECT * FROM ({query}) AS t ORDER BY enterprise_id, action_tracker_id, order_id"
    sink = _Sink()
    with psycopg2.connect(uri) as connection, connection.cursor() as cursor, clock.phase():
        cursor.copy_expert(f"COPY ({ordered}) TO STDOUT", sink)
    return {"bytes": sink.size}


class _Sink(io.RawIOBase):
    """Counts what is written to it."""

    size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.size += len(data)
        return len(data)


def payload(clock: Clock, orders: int, folder: str, uri: str) -> dict[str, Any]:
    """orjson of ready dicts, and reading the chunk's Parquet file."""
    import orjson
    import pyarrow.parquet as pq

    from include.cj.payload import request_body
    from include.domain.states import Operation

    size = 0
    for file in sorted(Path(folder, "chunks").iterdir()):
        with clock.phase():
            chunk = pq.read_table(file)
        ready = orjson.loads(request_body(Operation(file.name.split("-")[0]), chunk))
        with clock.phase():
            size += len(orjson.dumps(ready))
    return {"bytes": size}


def report_pages(clock: Clock, orders: int, folder: str, uri: str, url: str, token: str) -> dict[str, Any]:
    """The same answers fetched and thrown away."""
    import httpx

    pages = len(list(Path(folder, "pages").glob("ours-*.json")))
    size = 0
    with httpx.Client(timeout=600) as http, clock.phase():
        for _ in range(pages):
            size += len(http.post(f"{url}/ours", content=b"{}").content)
    return {"bytes": size}


def reconciliation(clock: Clock, folder: str, orders: int) -> dict[str, Any]:
    """A scan of every column of both Parquet files."""
    import duckdb

    with duckdb.connect() as connection, clock.phase():
        for name in ("submissions", "commissions"):
            connection.sql(f"SELECT bit_xor(hash(t)) FROM read_parquet('{folder}/{name}.parquet') AS t").fetchall()
    return {}


def validation(clock: Clock, orders: int, folder: str, uri: str, broken: str = "") -> dict[str, Any]:
    """The rows read from Parquet and their rules asked as one SQL query."""
    import duckdb

    with duckdb.connect() as connection, clock.phase():
        connection.sql(
            "SELECT count(*) FILTER (enterprise_id IS NULL OR order_id IS NULL OR action_tracker_id IS NULL OR amount < 0 OR discount < 0"
            " OR NOT regexp_full_match(currency, '[A-Z]{3}') OR change_type NOT IN ('new', 'restated', 'cancelled') OR updated_at < event_time"
            " OR len(order_id) > 96), count(DISTINCT (enterprise_id, action_tracker_id, order_id)), sum(len(items))"
            f" FROM read_parquet('{folder}/changes.parquet')"
        ).fetchall()
    return {}
