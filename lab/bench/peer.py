"""The peer: what a data engineer would write for the same night, in an afternoon, with pandas.

It is meant fairly: one query, vectorised where pandas offers it, prices and times written correctly where that costs a line, one connection kept
open, chunks of 10,000. It keeps nothing: what it sent and saw ends with its process (peer_keeping.py is the one that keeps), so that it reads CJ's month
again each night. It does not have what the package has beyond speed: no exact decimals, no Test Mode, no journal, no reasons.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import starmap
from typing import Any

import httpx
import pandas as pd

from lab.bench.ground import CHUNK, INTERVAL
from lab.bench.measuring import Clock, watch_http

CHANGES = """
SELECT DISTINCT ON (enterprise_id, action_tracker_id, order_id) * FROM order_changes
WHERE updated_at >= %(start)s AND updated_at < %(end)s
ORDER BY enterprise_id, action_tracker_id, order_id, updated_at DESC
"""

MUTATIONS = {
    "create": "mutation CreateOrders($orders: [OrderCreateRequest!]!) { createOrders(newOrders: $orders) { orders { orderId } errors { message } } }",
    "restate": "mutation RestateOrders($orders: [OrderRestateRequest!]!) { restateOrders(restatedOrders: $orders) { orders { orderId } errors { message } } }",
    "cancel": "mutation CancelOrders($orders: [OrderCancelRequest!]!) { cancelOrders(cancelledOrders: $orders) { orders { orderId } errors { message } } }",
}
_KEYS = {"enterprise_id": "enterpriseId", "action_tracker_id": "actionTrackerId", "order_id": "orderId"}
_STATE = {"amount": "amount", "discount": "discount", "currency": "currency", "items": "items"}
FIELDS = {
    "create": _KEYS | {"event_time": "eventTime", "cj_event": "cjEvent"} | _STATE,
    "restate": _KEYS | {"updated_at": "updateTime", "cj_event": "cjEvent"} | _STATE | {"correction_reason": "correctionReason"},
    "cancel": _KEYS | {"updated_at": "updateTime", "correction_reason": "correctionReason"},
}

_COMMISSIONS = """
{ advertiserCommissions(forAdvertisers: ["%(advertiser)s"], sincePostingDate: "%(since)s", beforePostingDate: "%(before)s"%(cursor)s) {
    count payloadComplete maxCommissionId records { %(fields)s } } }
"""
_RECORD = """
    commissionId advertiserId actionTrackerId actionTrackerName orderId actionType actionStatus publisherId publisherName eventDate postingDate
    lockingDate lockingMethod validationStatus original originalActionId correctionReason saleAmountAdvCurrency orderDiscountAdvCurrency
    orderDiscountOrigCurrency advCommissionAmountAdvCurrency cjFeeAdvCurrency coupon
    items { commissionItemId sku quantity perItemSaleAmountAdvCurrency discountAdvCurrency totalCommissionAdvCurrency }
"""


def read_changes(uri: str, keep_text: bool = False) -> pd.DataFrame:
    """The night's orders, each in its newest state, with the lines of their JSON text as lists; and the text too, as `text`, for who keeps it."""
    import sqlalchemy

    engine = sqlalchemy.create_engine("postgresql+psycopg2://", creator=_connector(uri))
    with engine.connect() as connection:
        changes = pd.read_sql(CHANGES, connection, params={"start": INTERVAL[0], "end": INTERVAL[1]})
    if keep_text:
        changes["text"] = changes["items"]
    changes["items"] = [json.loads(text) if isinstance(text, str) else None for text in changes["items"]]
    return changes


def _connector(uri: str) -> Any:
    import psycopg2  # type: ignore[import-untyped]

    return lambda: psycopg2.connect(uri)


def validate(changes: pd.DataFrame) -> bool:
    """One run of Great Expectations over the whole frame, but for the lists of items, which no rule is about."""
    import great_expectations as gx
    import great_expectations.expectations as gxe

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    definition = context.data_sources.add_pandas("night").add_dataframe_asset("changes").add_batch_definition_whole_dataframe("all")
    suite = gx.ExpectationSuite(
        name="changes",
        expectations=[
            *(
                gxe.ExpectColumnValuesToNotBeNull(column=c)
                for c in ("enterprise_id", "action_tracker_id", "order_id", "event_time", "updated_at")
            ),
            gxe.ExpectColumnValuesToBeInSet(column="change_type", value_set=["new", "restated", "cancelled"]),
            gxe.ExpectColumnValuesToBeInSet(column="enterprise_id", value_set=["1500001"]),
            gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="discount", min_value=0),
            gxe.ExpectColumnValuesToMatchRegex(column="currency", regex="^[A-Z]{3}$"),
            gxe.ExpectColumnValueLengthsToBeBetween(column="order_id", min_value=1, max_value=96),
            gxe.ExpectCompoundColumnsToBeUnique(column_list=["enterprise_id", "action_tracker_id", "order_id"]),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="updated_at", column_B="event_time", or_equal=True),
        ],
    )
    result = definition.get_batch(batch_parameters={"dataframe": changes.drop(columns="items")}).validate(suite, result_format="SUMMARY")
    return bool(result.success)


def chunks(changes: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Chunks of 10,000 by operation. Orders nobody brought are left out: no publisher is owed anything."""
    changes = changes[changes["cj_event"].notna()]
    for operation, kind in (("create", "new"), ("restate", "restated"), ("cancel", "cancelled")):
        mine = changes[changes["change_type"] == kind]
        for start in range(0, len(mine), CHUNK):
            yield operation, mine.iloc[start : start + CHUNK]


def body(operation: str, chunk: pd.DataFrame) -> str:
    """The JSON of one request: a list of dicts, nulls left out, money as text with cents, times as ISO text."""
    orders = chunk[list(FIELDS[operation])].rename(columns=FIELDS[operation]).to_dict("records")
    return json.dumps({"query": MUTATIONS[operation], "variables": {"orders": [_order(order) for order in orders]}})


def _order(order: dict[Any, Any]) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    for name, value in order.items():
        if name == "items":
            if value:
                sent[name] = [
                    {"sku": i["sku"], "quantity": i["quantity"], "unitPrice": i["unit_price"], "discount": i["discount"]} for i in value
                ]
        elif pd.isna(value):
            continue
        elif name in ("amount", "discount"):
            sent[name] = f"{value:.2f}"
        elif isinstance(value, datetime):
            sent[name] = value.isoformat().replace("+00:00", "Z")
        else:
            sent[name] = value
    return sent


def post(http: httpx.Client, url: str, text: str) -> list[str]:
    """Sends one request; the ids of the orders that CJ took. Anything it refuses ends the night."""
    answer = http.post(url, content=text)
    answer.raise_for_status()
    said = answer.json()
    if said.get("errors"):
        raise RuntimeError(said["errors"][0]["message"])
    result = next(iter(said["data"].values()))
    if result["errors"]:
        raise RuntimeError(result["errors"][0]["message"])
    return [order["orderId"] for order in result["orders"]]


def page_frames(http: httpx.Client, url: str, advertiser: str, since: datetime, before: datetime) -> Iterator[pd.DataFrame]:
    """CJ's records of a window, page by page."""
    cursor = ""
    while True:
        answer = http.post(url, json={"query": commissions_query(advertiser, since, before, cursor)})
        answer.raise_for_status()
        page = answer.json()["data"]["advertiserCommissions"]
        yield _frame(page["records"])
        if page["payloadComplete"]:
            return
        cursor = page["maxCommissionId"]


def pages(http: httpx.Client, url: str, advertiser: str, since: datetime, before: datetime) -> pd.DataFrame:
    """The whole window in one frame."""
    return pd.concat(page_frames(http, url, advertiser, since, before), ignore_index=True).drop_duplicates("commissionId")


def _frame(records: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(records)
    money = [c for c in frame.columns if c.endswith("Currency")]
    frame[money] = frame[money].apply(pd.to_numeric)
    for name in ("postingDate", "eventDate", "lockingDate"):
        frame[name] = pd.to_datetime(frame[name], format="ISO8601")
    return frame


def commissions_query(advertiser: str, since: datetime, before: datetime, cursor: str, fields: str = _RECORD) -> str:
    """One page: from the window's beginning, or from the cursor that the page before gave."""
    at = f', sinceCommissionId: "{cursor}"' if cursor else ""
    bounds = {"since": instant(since), "before": instant(before), "cursor": at}
    return _COMMISSIONS % {"advertiser": advertiser, "fields": fields, **bounds}


def instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def summed(records: pd.DataFrame) -> pd.DataFrame:
    """What CJ holds of each order: the sum of its records."""
    return records.groupby(["action_tracker_id", "order_id"], as_index=False).agg(
        held=("sale_amount", "sum"), held_discount=("order_discount", "sum"), newest=("posting_date", "max")
    )


def merge(submitted: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """The orders sent, with what CJ holds of each beside it and the verdict."""
    both = submitted.merge(held, on=["action_tracker_id", "order_id"], how="left")
    both["verdict"] = "mismatched"
    both.loc[((both["amount"] - both["discount"].fillna(0)).round(2) == both["held"].round(2)), "verdict"] = "matched"
    both.loc[both["held"].isna() | (both["newest"] < both["submitted_at"]), "verdict"] = "missing"
    return both


def counted(verdicts: pd.DataFrame) -> dict[str, int]:
    """Orders by verdict."""
    return {str(name): int(count) for name, count in verdicts["verdict"].value_counts().items()}


# -- the steps -------------------------------------------------------------------------------------------------------------------------


def extract(clock: Clock, orders: int, folder: str, uri: str) -> dict[str, Any]:
    import sqlalchemy  # noqa: F401

    with clock.phase():
        changes = read_changes(uri)
    return {"rows": len(changes)}


def validation(clock: Clock, orders: int, folder: str, uri: str, broken: str = "") -> dict[str, Any]:
    import great_expectations.expectations  # noqa: F401

    changes = _from_files(folder)
    if broken:
        changes[broken] = "broken"
    with clock.phase():
        passed = validate(changes)
    return {"passed": passed}


def payload(clock: Clock, orders: int, folder: str, uri: str) -> dict[str, Any]:
    changes = _from_files(folder)
    changes["items"] = [json.loads(text) if isinstance(text, str) else None for text in changes["items"]]
    sent = size = 0
    with clock.phase():
        for operation, chunk in chunks(changes):
            size += len(body(operation, chunk))
            sent += len(chunk)
    return {"rows": sent, "bytes": size}


def _from_files(folder: str) -> pd.DataFrame:
    changes = pd.read_parquet(f"{folder}/order_changes.parquet")
    return changes.assign(amount=changes["amount"].astype(float), discount=changes["discount"].astype(float))


def report_pages(clock: Clock, orders: int, folder: str, uri: str, url: str, token: str) -> dict[str, Any]:
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=600) as http, clock.phase():
        records = pages(http, f"{url}/peer", "5500001", *INTERVAL)
    return {"rows": len(records)}


def reconciliation(clock: Clock, folder: str, orders: int) -> dict[str, Any]:
    with clock.phase():
        submitted = pd.read_parquet(f"{folder}/submissions.parquet")
        records = pd.read_parquet(f"{folder}/commissions.parquet")
        submitted[["amount", "discount"]] = submitted[["amount", "discount"]].astype(float)
        records[["sale_amount", "order_discount"]] = records[["sale_amount", "order_discount"]].astype(float)
        counts = counted(merge(submitted, summed(records)))
    return {"rows": sum(counts.values()), "counts": counts}


def evening(clock: Clock, uri: str, url: str, token: str) -> tuple[int, pd.DataFrame]:
    """The night's first half: read, validate, send. How many orders CJ took, and the frame that the second half finds in memory."""
    watch_http()
    with clock.phase("extract"):
        changes = read_changes(uri)
    with clock.phase("validate"):
        validate(changes)
    with tracking(token) as http, clock.phase("submit"):
        sent = taken(http, url, starmap(body, chunks(changes)))
    return sent, changes


def taken(http: httpx.Client, url: str, bodies: Iterable[str]) -> int:
    """Sends each request; how many orders CJ took."""
    return sum(len(post(http, f"{url}/graphql", one)) for one in bodies)


def tracking(token: str) -> httpx.Client:
    """For requests that were made as text."""
    return httpx.Client(headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"}, timeout=1800)


def reading(token: str) -> httpx.Client:
    return httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=1800)


def submitted_of(changes: pd.DataFrame) -> pd.DataFrame:
    """What the verdicts are about: the orders sent, a cancelled one as nothing."""
    submitted = changes[changes["cj_event"].notna()].assign(submitted_at=pd.Timestamp(INTERVAL[1]))
    submitted.loc[submitted["change_type"] == "cancelled", ["amount", "discount"]] = 0
    return submitted


def night(clock: Clock, orders: int, folder: str, uri: str, url: str, token: str) -> dict[str, Any]:
    """The whole loop, warehouse to verdict. CJ's clock moves over its hour in between, outside the measurement."""
    from lab.bench.night import after_the_hour

    clock.watch_server(uri)
    sent, changes = evening(clock, uri, url, token)
    now = after_the_hour(url)
    with clock.phase("pages"), reading(token) as http:
        records = pages(http, f"{url}/query", "5500001", month_of_the_night(), now)
    with clock.phase("reconcile"):
        names = {
            "actionTrackerId": "action_tracker_id", "orderId": "order_id", "saleAmountAdvCurrency": "sale_amount",
            "orderDiscountAdvCurrency": "order_discount", "postingDate": "posting_date",
        }  # fmt: skip
        records = records.rename(columns=names)
        records["action_tracker_id"] = records["action_tracker_id"].astype("int64")
        counts = counted(merge(submitted_of(changes), summed(records)))
    return {"rows": sent, "counts": counts}


def month_of_the_night() -> datetime:
    """From when on CJ's records count."""
    return INTERVAL[1].replace(day=1)


def small_night(clock: Clock, orders: int, folder: str, uri: str, url: str, token: str) -> dict[str, Any]:
    return {"rows": evening(clock, uri, url, token)[0]}
