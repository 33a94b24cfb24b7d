"""The same steps through the package, as the DAGs call it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.domain.account import Account, Token
from include.domain.states import Mode, Operation
from include.restatements.settings import GATE_OFF, Run, Settings
from include.sql import sql_text
from include.warehouse.base import WarehouseLocation, open_warehouse
from include.warehouse.duckdb_warehouse import DuckDBLocation
from lab.bench.ground import CHUNK, INTERVAL, NIGHT
from lab.bench.measuring import Clock, watch_http

RUN = Run("bench", *INTERVAL)


def account(url: str, token: str) -> Account:
    return Account("cj", "1500001", "5500001", Token(token), mode=Mode.LIVE, tracking_url=url, commissions_url=f"{url}/query")


def settings(url: str, token: str, storage: str) -> Settings:
    return Settings((account(url, token),), storage=f"file://{storage}", ledger_days=30, **GATE_OFF)  # type: ignore[arg-type]


def extract(clock: Clock, orders: int, folder: str, uri: str) -> dict[str, Any]:
    from include.restatements.changes import extraction as changes

    rows = 0
    with open_warehouse(WarehouseLocation("postgres", uri=uri)) as session, clock.phase():
        for batch in changes.extract(session, RUN, sql=sql_text("order_changes"), exclusive=True):
            rows += batch.num_rows
    return {"rows": rows}


def inputs(clock: Clock, orders: int, folder: str, uri: str) -> dict[str, Any]:
    """Writes the extracted changes, and the chunks of every operation, for the steps after."""
    from include.domain.shapes import CHANGES
    from include.restatements.changes import extraction as changes

    with (
        open_warehouse(WarehouseLocation("postgres", uri=uri)) as session,
        pq.ParquetWriter(f"{folder}/changes.parquet", CHANGES, compression="zstd") as writer,
    ):
        for batch in changes.extract(session, RUN, sql=sql_text("order_changes"), exclusive=True):
            writer.write_batch(batch)
    for operation, kind in ((Operation.CREATE, "new"), (Operation.RESTATE, "restated"), (Operation.CANCEL, "cancelled")):
        _write_chunks(Path(folder), operation, kind)
    return {}


def _write_chunks(folder: Path, operation: Operation, kind: str) -> None:
    from include.domain.shapes import CHUNK as SHAPE

    (folder / "chunks").mkdir(exist_ok=True)
    changes = pq.read_table(folder / "changes.parquet", filters=(pc.field("change_type") == kind) & pc.field("cj_event").is_valid())
    known = {"payload_hash": pa.array([""] * len(changes)), "attempt": pa.array([1] * len(changes), pa.int32())}
    for field in SHAPE:
        if field.name not in changes.column_names:  # what only the plan knows, and no body holds
            changes = changes.append_column(field.name, known.get(field.name, pa.nulls(len(changes), field.type)))
    changes = changes.select(SHAPE.names)
    for number, start in enumerate(range(0, len(changes), CHUNK)):
        pq.write_table(changes.slice(start, CHUNK), folder / "chunks" / f"{operation.value}-{number:05}.parquet", compression="zstd")


def validation(clock: Clock, orders: int, folder: str, uri: str, broken: str = "") -> dict[str, Any]:
    from include.domain.errors import QuarantineRatioExceeded
    from include.restatements.gate.gate import Gate

    refusal = ""
    source = _Timed(_batches(folder, broken))
    with tempfile.TemporaryDirectory() as results:
        gate = Gate(now=NIGHT, max_quarantine_ratio=Decimal("0.05"), results_dir=Path(results), enterprises=frozenset({"1500001"}))
        with clock.phase():
            try:
                for _ in gate.inspect(source):
                    pass
            except QuarantineRatioExceeded as error:
                refusal = str(error).replace(results, "…")
    # The peer is handed its frame; what reading costs belongs to the extraction on both sides.
    clock.seconds["step"] -= source.seconds
    assert gate.result is not None
    return {"rows": gate.result.rows, "failed": gate.result.failed, "refusal": refusal}


class _Timed:
    """Batches, and the seconds it took to get them."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches, self.seconds = batches, 0.0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        began = time.perf_counter()
        try:
            return next(self._batches)
        finally:
            self.seconds += time.perf_counter() - began


def _batches(folder: str, broken: str) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(f"{folder}/changes.parquet", pre_buffer=False) as file:
        for batch in file.iter_batches(65_536):
            if broken:
                place = batch.schema.get_field_index(broken)
                batch = batch.set_column(place, batch.schema.field(place), pa.array(["broken"] * batch.num_rows))
            yield batch


def payload(clock: Clock, orders: int, folder: str, uri: str) -> dict[str, Any]:
    from include.cj.payload import request_body

    rows = size = 0
    with clock.phase():
        for file in sorted(Path(folder, "chunks").iterdir()):
            chunk = pq.read_table(file)
            size += len(request_body(Operation(file.name.split("-")[0]), chunk))
            rows += len(chunk)
    return {"rows": rows, "bytes": size, "inexact": _inexact(Path(folder))}


def _inexact(folder: Path) -> int:
    """Orders whose amount or update time in the body is not, digit by digit, the warehouse's."""
    import json

    from include.cj.payload import request_body

    wrong = 0
    for file in sorted((folder / "chunks").glob("restate-*"))[:3]:
        chunk = pq.read_table(file)
        sent = json.loads(request_body(Operation.RESTATE, chunk), parse_float=Decimal)["variables"]["orders"]
        for order, amount, moment in zip(sent, chunk["amount"].to_pylist(), chunk["updated_at"].to_pylist(), strict=True):
            from datetime import datetime

            wrong += Decimal(order["amount"]) != amount or datetime.fromisoformat(order["updateTime"]) != moment
    return wrong


def report_pages(clock: Clock, orders: int, folder: str, uri: str, url: str, token: str) -> dict[str, Any]:
    from dataclasses import replace

    from include.cj.client import CJClient

    mine = replace(account(url, token), commissions_url=f"{url}/ours")
    rows = 0
    with CJClient(mine) as client, clock.phase():
        for page in client.commission_pages("5500001", since_posting=INTERVAL[0], before_posting=INTERVAL[1]):
            rows += page.count
    return {"rows": rows}


def reconciliation(clock: Clock, folder: str, orders: int, uri: str = "", memory: str = "1GB") -> dict[str, Any]:
    """The verdicts alone: in the PostgreSQL at `uri`, or else in the book's DuckDB file."""
    from include.restatements.verdicts.judging import judge

    wanted = settings("http://127.0.0.1:9", "none", f"{folder}/storage")
    in_duckdb = DuckDBLocation("duckdb", path=f"{folder}/warehouse.duckdb", memory_limit=memory)
    location = warehouse("postgres", uri) if uri else in_duckdb
    if uri:
        clock.watch_server(uri)
    with open_warehouse(location) as session:
        with clock.phase(), session.transaction():
            judge(session, wanted, list(wanted.accounts), NIGHT.replace(hour=4))
        counts = {
            str(r["status"]): int(str(r["n"])) for r in session.rows("SELECT status, COUNT(*) AS n FROM cj.reconciliation GROUP BY status")
        }
    return {"rows": sum(counts.values()), "counts": counts}


def prepared(clock: Clock, wanted: Settings, location: WarehouseLocation) -> int:
    """Warehouse to the last chunk accepted. Returns how many orders were."""
    from include.restatements.prepare import prepare
    from include.restatements.submit import submit

    with clock.phase("prepare"):
        plan = prepare(RUN, wanted, location)
    with clock.phase("submit"):
        return sum(submit(RUN, wanted, batch).accepted for batch in plan.batches)


def whole(clock: Clock, wanted: Settings, location: WarehouseLocation, url: str) -> dict[str, Any]:
    """The whole loop, warehouse to verdict. CJ's clock moves over its hour in between, outside the measurement."""
    from include.restatements.publish import publish
    from include.restatements.reconcile import reconcile
    from lab.bench.night import after_the_hour

    if location.uri:
        clock.watch_server(location.uri)
    accepted = prepared(clock, wanted, location)
    with clock.phase("publish"):
        publish(RUN, wanted, location)
    after_the_hour(url)
    with clock.phase("reconcile"):
        result = reconcile(wanted, location, "bench")
    return {"rows": accepted, "counts": {k: v for k, v in result.counts.items() if v}}


def warehouse(kind: str, uri: str) -> WarehouseLocation:
    """The warehouse of this kind: `uri` is a server's address, or a file."""
    return WarehouseLocation(kind, uri=uri) if kind == "postgres" else WarehouseLocation(kind, path=uri)


def night(clock: Clock, orders: int, folder: str, uri: str, url: str, token: str, kind: str = "postgres") -> dict[str, Any]:
    """The ledger is what earlier nights left: its first reading, once an account, is measured by itself."""
    from include.restatements.ledger.accounts import read_ledgers

    wanted, location = settings(url, token, f"{folder}/storage"), warehouse(kind, uri)
    watch_http()
    once = Clock()
    with once.phase():
        read_ledgers(wanted, location)
    return whole(clock, wanted, location, url) | {"first_reading": once.total()}


def night_on(
    clock: Clock, orders: int, folder: str, uri: str, url: str, token: str, kind: str, submissions: int = 0, runs: int = 0, days: int = 0
) -> dict[str, Any]:
    """A night on what many nights left, or on nothing: `kind` of warehouse at `uri`, so many states sent by so many runs in so many days."""
    from include.restatements.ledger.accounts import read_ledgers
    from lab.bench.history import History, fill

    wanted, location = settings(url, token, f"{folder}/storage"), warehouse(kind, uri)
    began = time.monotonic()
    with open_warehouse(location) as session:
        session.create_tables()
        if submissions:
            fill(session, History(submissions, runs, days=days))
    filled = time.monotonic() - began
    watch_http()
    read_ledgers(wanted, location, (NIGHT - timedelta(days=30)).date())
    return whole(clock, wanted, location, url) | {"filled": filled}


def small_night(clock: Clock, orders: int, folder: str, uri: str, url: str, token: str) -> dict[str, Any]:
    watch_http()
    return {"rows": prepared(clock, settings(url, token, f"{folder}/storage"), WarehouseLocation("postgres", uri=uri))}
