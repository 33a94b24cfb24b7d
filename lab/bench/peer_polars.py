"""The peer of somebody who knows polars: the same script, columns from end to end, on as many cores as there are. Keeps nothing, as peer.py does not.

It is meant fairly: rows come as Arrow through ADBC, bodies and pages are written and read by polars itself, CJ is asked for the fields that are used
alone, and amounts are exact decimals, since ADBC hands them on as text. Great Expectations knows no polars: it gets the columns that it has rules for as a
pandas frame. What is null goes out as a JSON null, which CJ reads as not given.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import starmap
from typing import Any

import httpx
import polars as pl

from lab.bench import peer
from lab.bench.ground import CHUNK, INTERVAL
from lab.bench.measuring import Clock, watch_http

_JUDGED = [
    "enterprise_id", "action_tracker_id", "order_id", "change_type", "event_time", "updated_at", "amount", "discount", "currency", "items",
]  # fmt: skip
_CENTS = pl.Decimal(38, 2)
_LINES = pl.List(pl.Struct({"sku": pl.String, "quantity": pl.Int64, "unit_price": pl.String, "discount": pl.String}))
_USED = {
    "actionTrackerId": "action_tracker_id", "orderId": "order_id", "saleAmountAdvCurrency": "sale_amount", "orderDiscountAdvCurrency": "order_discount",
    "postingDate": "posting_date", "commissionId": "commission_id",
}  # fmt: skip
_PAGE = pl.Schema(
    {
        "data": pl.Struct(
            {
                "advertiserCommissions": pl.Struct(
                    {
                        "payloadComplete": pl.Boolean,
                        "maxCommissionId": pl.String,
                        "records": pl.List(pl.Struct(dict.fromkeys(_USED, pl.String))),
                    }
                )
            }
        )
    }
)


def read_changes(uri: str) -> pl.DataFrame:
    """The night's orders, each in its newest state, money exact to the cent."""
    start, end = (f"'{moment.isoformat()}'" for moment in INTERVAL)
    changes = pl.read_database_uri(peer.CHANGES % {"start": start, "end": end}, uri, engine="adbc")
    return changes.with_columns(pl.col("amount", "discount").ext.storage().cast(_CENTS))


def validate(changes: pl.DataFrame) -> bool:
    """One run of Great Expectations over what it has rules for."""
    return peer.validate(changes.select(_JUDGED).with_columns(pl.col("amount", "discount").cast(pl.Float64)).to_pandas())


def chunks(changes: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Chunks of 10,000 by operation, without the orders nobody brought."""
    for operation, kind in (("create", "new"), ("restate", "restated"), ("cancel", "cancelled")):
        for chunk in changes.filter(pl.col("cj_event").is_not_null(), pl.col("change_type") == kind).iter_slices(CHUNK):
            yield operation, chunk


def body(operation: str, chunk: pl.DataFrame) -> str:
    """The JSON of one request, an order a string that polars wrote."""
    line = pl.element().struct.rename_fields(["sku", "quantity", "unitPrice", "discount"])
    written = {
        "amount": pl.col("amount").cast(pl.String),
        "discount": pl.col("discount").cast(pl.String),
        "event_time": pl.col("event_time").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ"),
        "updated_at": pl.col("updated_at").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ"),
        "items": pl.col("items").str.json_decode(_LINES).list.eval(line),
    }
    fields = [written.get(ours, pl.col(ours)).alias(cjs) for ours, cjs in peer.FIELDS[operation].items()]
    orders = chunk.select(order=pl.struct(fields).struct.json_encode())["order"].str.join(",").item()
    return f'{{"query": "{peer.MUTATIONS[operation]}", "variables": {{"orders": [{orders}]}}}}'


def pages(http: httpx.Client, url: str, advertiser: str, since: datetime, before: datetime) -> pl.DataFrame:
    """CJ's records of a window, of each what the verdicts need."""
    frames, cursor = [], ""
    while True:
        answer = http.post(url, json={"query": peer.commissions_query(advertiser, since, before, cursor, " ".join(_USED))})
        answer.raise_for_status()
        page = pl.read_json(answer.content, schema=_PAGE).unnest("data").unnest("advertiserCommissions")
        frames.append(_frame(page))
        if page["payloadComplete"].item():
            return pl.concat(frames).unique("commission_id")
        cursor = page["maxCommissionId"].item()


def _frame(page: pl.DataFrame) -> pl.DataFrame:
    records = page.select(pl.col("records").explode()).unnest("records").rename(_USED)
    return records.with_columns(
        pl.col("action_tracker_id").cast(pl.Int64),
        pl.col("sale_amount", "order_discount").cast(_CENTS),
        pl.col("posting_date").str.to_datetime(time_unit="us", time_zone="UTC"),
    )


def judged(changes: pl.DataFrame, records: pl.DataFrame) -> dict[str, int]:
    """Orders by verdict: the sum of an order's records against what was sent."""
    held = records.group_by("action_tracker_id", "order_id").agg(held=pl.col("sale_amount").sum(), newest=pl.col("posting_date").max())
    wanted = pl.when(pl.col("change_type") == "cancelled").then(0).otherwise(pl.col("amount") - pl.col("discount").fill_null(0))
    verdict = (
        pl.when(pl.col("held").is_null() | (pl.col("newest") < INTERVAL[1]))
        .then(pl.lit("missing"))
        .when(wanted == pl.col("held"))
        .then(pl.lit("matched"))
        .otherwise(pl.lit("mismatched"))
    )
    sent = changes.filter(pl.col("cj_event").is_not_null()).join(held, on=["action_tracker_id", "order_id"], how="left")
    counts = sent.select(verdict.alias("verdict"))["verdict"].value_counts()
    return dict(counts.iter_rows())


def night(clock: Clock, orders: int, folder: str, uri: str, url: str, token: str) -> dict[str, Any]:
    """The whole loop, warehouse to verdict. CJ's clock moves over its hour in between, outside the measurement."""
    from lab.bench.night import after_the_hour

    clock.watch_server(uri)
    watch_http()
    with clock.phase("extract"):
        changes = read_changes(uri)
    with clock.phase("validate"):
        validate(changes)
    with peer.tracking(token) as http, clock.phase("submit"):
        sent = peer.taken(http, url, starmap(body, chunks(changes)))
    now = after_the_hour(url)
    with clock.phase("pages"), peer.reading(token) as http:
        records = pages(http, f"{url}/query", "5500001", peer.month_of_the_night(), now)
    with clock.phase("reconcile"):
        counts = judged(changes, records)
    return {"rows": sent, "counts": counts}
