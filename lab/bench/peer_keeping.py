"""The peer that keeps: the script of peer.py with tables, so that the next night knows what was sent, what CJ said, and what it holds.

What it does: five tables in the warehouse's PostgreSQL, all but the smallest with a primary key, written with pandas' own `to_sql` over ADBC, which is a
binary COPY, the fastest that pandas has. The orders of a request are written once CJ has answered it, with whether the answer names them; each page of
Commission Detail as it comes, records and items; the verdicts last. CJ is read from where the last reading ended, not the whole month again, and an
order's records are summed up by SQL. What earlier nights left is in its tables when the night begins, as it is in the package's.

What it does not do: a process killed between an answer and the rows of it sends those orders again. Amounts are what pandas makes of them, binary
fractions. What CJ changes later about a record (locked, closed) is not looked for. No Test Mode, no reasons, no report.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pandas as pd

from lab.bench import peer
from lab.bench.ground import INTERVAL
from lab.bench.measuring import Clock, watch_http

_TABLES = """
CREATE TABLE sent (
    night date, operation text, enterprise_id text, action_tracker_id bigint, order_id text, updated_at timestamptz, amount double precision,
    discount double precision, currency text, items text, cj_event text, correction_reason text, answered_at timestamptz, accepted boolean,
    PRIMARY KEY (night, enterprise_id, action_tracker_id, order_id)
);
CREATE TABLE records (
    "commissionId" text PRIMARY KEY, "advertiserId" text, "actionTrackerId" bigint, "actionTrackerName" text, "orderId" text, "actionType" text,
    "actionStatus" text, "publisherId" text, "publisherName" text, "eventDate" timestamptz, "postingDate" timestamptz, "lockingDate" timestamptz,
    "lockingMethod" text, "validationStatus" text, original boolean, "originalActionId" text, "correctionReason" text,
    "saleAmountAdvCurrency" double precision, "orderDiscountAdvCurrency" double precision, "orderDiscountOrigCurrency" double precision,
    "advCommissionAmountAdvCurrency" double precision, "cjFeeAdvCurrency" double precision, coupon text
);
CREATE TABLE record_items (
    "commissionId" text, "commissionItemId" text, sku text, quantity bigint, "perItemSaleAmountAdvCurrency" double precision,
    "discountAdvCurrency" double precision, "totalCommissionAdvCurrency" double precision, PRIMARY KEY ("commissionId", "commissionItemId")
);
CREATE TABLE readings (until timestamptz);
CREATE TABLE verdicts (
    night date, enterprise_id text, action_tracker_id bigint, order_id text, amount double precision, held double precision, newest timestamptz,
    verdict text, PRIMARY KEY (night, enterprise_id, action_tracker_id, order_id)
)
"""
_AGAIN = """
DELETE FROM record_items AS i USING records AS r WHERE r."commissionId" = i."commissionId" AND r."postingDate" >= '{since}';
DELETE FROM records WHERE "postingDate" >= '{since}'
"""
"""What a reading that did not end had left, and what lies on the border of the one before."""
_HELD = """
SELECT "actionTrackerId" AS action_tracker_id, "orderId" AS order_id, SUM("saleAmountAdvCurrency") AS held,
    SUM("orderDiscountAdvCurrency") AS held_discount, MAX("postingDate") AS newest
FROM records WHERE "postingDate" >= '{since}' GROUP BY 1, 2
"""
_SENT = [
    "night", "operation", "enterprise_id", "action_tracker_id", "order_id", "updated_at", "amount", "discount", "currency", "items", "cj_event",
    "correction_reason", "answered_at", "accepted",
]  # fmt: skip
_JUDGED = ["night", "enterprise_id", "action_tracker_id", "order_id", "amount", "held", "newest", "verdict"]
NIGHT = INTERVAL[1].date()


@contextmanager
def connected(uri: str) -> Iterator[Any]:
    """A connection that `to_sql` and `read_sql` take, in a schema of its own that has the tables."""
    import adbc_driver_postgresql.dbapi as driver

    with driver.connect(uri, autocommit=True) as connection:
        _run(connection, "DROP SCHEMA IF EXISTS script CASCADE; CREATE SCHEMA script; SET search_path TO script, public")
        _run(connection, _TABLES)
        yield connection


def _run(connection: Any, sql: str) -> None:
    with connection.cursor() as cursor:
        for statement in sql.split(";"):
            cursor.execute(statement)


def _write(connection: Any, table: str, frame: pd.DataFrame) -> None:
    frame.to_sql(table, connection, schema="script", if_exists="append", index=False)


def keep_answer(connection: Any, operation: str, chunk: pd.DataFrame, accepted: list[str]) -> None:
    """The orders of one request, and which of them CJ named."""
    sent = chunk.assign(
        night=NIGHT,
        operation=operation,
        items=chunk["text"],
        answered_at=pd.Timestamp.now("UTC"),
        accepted=chunk["order_id"].isin(accepted),
    )
    _write(connection, "sent", sent[_SENT])


def keep_records(connection: Any, token: str, url: str, since: datetime, before: datetime) -> None:
    """What CJ posted since, page by page."""
    _run(connection, _AGAIN.format(since=since.isoformat()))
    with peer.reading(token) as http:
        for page in peer.page_frames(http, f"{url}/query", "5500001", since, before):
            page["actionTrackerId"] = page["actionTrackerId"].astype("int64")
            items = pd.DataFrame(
                [
                    item | {"commissionId": id_}
                    for id_, items in zip(page["commissionId"], page["items"], strict=True)
                    for item in items or []
                ]
            )
            money = [name for name in items.columns if name.endswith("Currency")]
            items[money] = items[money].apply(pd.to_numeric)
            _write(connection, "records", page.drop(columns="items"))
            _write(connection, "record_items", items)
    _run(connection, f"INSERT INTO readings VALUES ('{before.isoformat()}')")


def night(clock: Clock, orders: int, folder: str, uri: str, url: str, token: str) -> dict[str, Any]:
    """The whole loop, warehouse to verdict. CJ's clock moves over its hour in between, outside the measurement."""
    from lab.bench.night import after_the_hour

    watch_http()
    month = peer.month_of_the_night()
    with connected(uri) as connection:
        once = Clock()
        with once.phase():
            keep_records(connection, token, url, month, INTERVAL[1])
        clock.watch_server(uri)
        with clock.phase("extract"):
            changes = peer.read_changes(uri, keep_text=True)
        with clock.phase("validate"):
            peer.validate(changes)
        sent = 0
        with peer.tracking(token) as http, clock.phase("submit"):
            for operation, chunk in peer.chunks(changes):
                accepted = peer.post(http, f"{url}/graphql", peer.body(operation, chunk))
                keep_answer(connection, operation, chunk, accepted)
                sent += len(accepted)
        now = after_the_hour(url)
        with clock.phase("pages"):
            until = pd.read_sql("SELECT MAX(until) AS until FROM readings", connection)["until"][0]
            keep_records(connection, token, url, until.to_pydatetime(), now)
        with clock.phase("reconcile"):
            held = pd.read_sql(_HELD.format(since=month.isoformat()), connection)
            verdicts = peer.merge(peer.submitted_of(changes), held)
            _write(connection, "verdicts", verdicts.assign(night=NIGHT)[_JUDGED])
            counts = peer.counted(verdicts)
    return {"rows": sent, "counts": counts, "first_reading": once.total()}
