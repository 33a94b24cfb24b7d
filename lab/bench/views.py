"""The pages over many nights, on PostgreSQL: each from the request to the last byte of the answer, as somebody waits for it.

As many states were sent as the size says, in nights of ten thousand; a hundredth of them is held back; of the breaks a tenth has been taken note of. Once with
the usual share of breaks, and once as on the morning after a setting was wrong, when every state is one.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from include.restatements.report.collect import collect
from include.restatements.report.kept import kept
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from include.web.app import create_app
from include.web.reading import Patience, Warehouse, load_driver
from lab.bench.ground import NIGHT, ORDER_COLUMNS, create_database
from lab.bench.history import History, fill
from lab.bench.measuring import Clock

NIGHTLY = 10_000
TIMES = 5
USUAL, ALL = 3, 200
"""Breaks of two hundred states."""

_HELD = """
    INSERT INTO cj.quarantine (run_id, enterprise_id, action_tracker_id, order_id, updated_at, stage, reason, detail, quarantined_at, rule, plan_number)
    SELECT s.run_id, s.enterprise_id, s.action_tracker_id, s.order_id, s.updated_at, 'eligibility', 'locked', 'It is locked.',
        s.submitted_at + INTERVAL '243 days', 'locked', s.plan_number + 5
    FROM cj.submissions AS s WHERE s.attempt = 1 AND RIGHT(s.order_id, 2) = '07'
"""
"""Held back since: within the last thirty nights, all of them."""

_NOTED = """
    INSERT INTO cj.acknowledgements
    SELECT r.enterprise_id, r.action_tracker_id, r.order_id, r.updated_at, r.advertiser_id, r.status, r.reason, r.submitted_amount, r.posted_amount,
        r.commission_at_risk, r.locking_date, 'The partner was asked.', 'ana', r.order_id, r.checked_at
    FROM cj.reconciliation AS r WHERE r.status = 'missing' AND RIGHT(r.order_id, 1) = '1'
"""

_ROUND = """
    INSERT INTO cj.reconciliation_runs (reconciliation_run_id, checked_at, orders, awaiting, late, matched, mismatched, missing, superseded,
        other_basis_matches_all) VALUES ('round', :now, 0, 0, 0, 0, 0, 0, 0, FALSE)
"""

_ACCOUNT = """
    INSERT INTO cj.account_states (change, conn_id, enterprise_id, advertiser_id, currency, mode, reached, seen_at)
    VALUES (1, 'cj', '1500001', '5500001', 'USD', 'live', TRUE, :now)
"""

PAGES = (
    "/", "/breaks", "/breaks?sort=lock", "/breaks?which=all", "/breaks?which=all&reason=closed", "/breaks?which=all&partner=7100001", "/breaks?which=all&order=-77",
    "/breaks?which=all&noted=yes", "/breaks?which=all&noted=no", "/breaks?which=all&locks=30", "/breaks?which=all&from=2026-11-01&to=2026-11-07", "/orders?id=past-400",
    "/orders/1500001/401/past-400", "/runs", "/held", "/held?order=07", "/held?rule=locked",
)  # fmt: skip


def prepare(session: Session, orders: int, breaks: int) -> None:
    """The tables, filled, with the figures that a reconciliation keeps."""
    session.create_tables()
    session.execute(f"CREATE TABLE order_changes ({ORDER_COLUMNS})")
    fill(session, History(orders, max(orders // NIGHTLY, 1), breaks=breaks))
    for statement in (_HELD, _NOTED):
        session.execute(statement)
    for statement in (_ROUND, _ACCOUNT):
        session.execute(statement, {"now": NIGHT})
    session.analyze("cj.quarantine", "cj.acknowledgements")
    figures = kept(collect(session, checked_at=NIGHT, currencies={"5500001": "USD"}))
    session.execute("UPDATE cj.reconciliation_runs SET figures = :figures", {"figures": figures})


def look(clock: Clock, orders: int, folder: str, uri: str, breaks: int) -> dict[str, Any]:
    """Every view several times: the seconds of each, its median counting, and how large its answer is."""
    location = WarehouseLocation("postgres", uri=create_database(uri, f"views_{breaks}"))
    with open_warehouse(location) as session:
        prepare(session, orders, breaks)
    where = Warehouse(lambda: location)
    load_driver(where)
    root = FastAPI()
    root.mount("/cj", create_app(lambda: None, where, patience=Patience(600, 600)))
    with TestClient(root) as client:
        views = {path: _waited(client, f"/cj{path}") for path in (*PAGES, *_further(client, orders))}
        with clock.phase("a CSV of every break"):
            file = client.get("/cj/breaks.csv?which=all")
    return {"views": views, "rows_in_file": file.text.count("\n") - 1 if file.status_code == 200 else 0}


def _further(client: TestClient, orders: int) -> Iterator[str]:
    """One night, and the place after two hundred pages of breaks, or as far as they go."""
    yield f"/runs/history-{max(orders // NIGHTLY // 2, 0)}"
    after = ""
    for _ in range(20):
        told = client.get(f"/cj/api/v1/breaks?which=all&limit=500{after}").json()["next"]
        if told is None:
            break
        after = f"&after={told}"
    yield f"/breaks?which=all{after}"


def _waited(client: TestClient, path: str) -> float:
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        answer = client.get(path)
        seconds.append(time.perf_counter() - began)
        if answer.status_code not in (200, 303):
            raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text[-500:]}")
    return statistics.median(seconds)
