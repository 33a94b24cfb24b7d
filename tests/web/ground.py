"""The pages over real HTTP, on hand-made tables: what the report's tests add up by hand, with accounts, plans and a story or two besides."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pyarrow as pa
import uvicorn
from fastapi import FastAPI, HTTPException, Request

from include.restatements.report.collect import collect
from include.restatements.report.kept import kept
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from include.web.app import create_app
from include.web.reading import Patience, Warehouse
from tests.restatements.report import report_tables as tables
from tests.restatements.report.report_tables import CHECKED, OWN, RUN, SENT, append
from tests.web.partner_tables import saw_a_sale

MAY = {"X-Who": "analyst"}
PREFIX = "/airflow/cj"
"""As under a proxy that puts Airflow below a path of its own."""


LONG = Patience(300, 600)
"""No test is about how fast this machine is."""

CASE, DIGEST = "1500001-lost-restate-1", "0123456789ab"

DOCS = b"<script>alert(1)</script><h1>Rules</h1>"
"""What somebody else's page may hold."""


def access(request: Request) -> None:
    """As Airflow's: 401 for nobody, 403 for somebody who may not."""
    who = request.headers.get("X-Who")
    if who is None:
        raise HTTPException(401, "Not authenticated")
    if who != MAY["X-Who"]:
        raise HTTPException(403, "Forbidden")


@dataclass(frozen=True)
class Served:
    """The pages behind a port."""

    url: str
    app: Any

    def get(self, path: str, headers: Any = None, **params: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", headers=MAY if headers is None else headers, params=params or None, timeout=300)

    def page(self, path: str, **params: str) -> str:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.text

    def json(self, path: str, **params: str) -> Any:
        answer = self.get(f"/api/v1{path}", **params)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def served(
    location: WarehouseLocation,
    patience: Patience = LONG,
    prelock_file: Callable[[str, str], bytes | None] = lambda *_: b"a review",
    attachment: Callable[[str, str, str], bytes | None] = lambda *_: b"an order",
) -> Iterator[Served]:
    """The app as it is mounted in Airflow, until the block ends."""
    app = create_app(
        access,
        Warehouse(lambda: location),
        data_docs=lambda run: DOCS if run == RUN else None,
        prelock_file=prelock_file,
        attachment=attachment,
        patience=patience,
    )
    root = FastAPI()
    root.mount(PREFIX, app)
    server = uvicorn.Server(uvicorn.Config(root, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not (server.started and server.servers):
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(f"http://127.0.0.1:{port}{PREFIX}", app)
    finally:
        server.should_exit = True
        thread.join(10)


def account(conn_id: str = "cj", reached: bool = True, said: str | None = None, advertiser_id: str = "5500001") -> dict[str, Any]:
    return {
        "change": 1, "conn_id": conn_id, "enterprise_id": "1500001", "advertiser_id": advertiser_id, "currency": "USD", "mode": "live", "reached": reached,
        "said": said, "seen_at": SENT,
    }  # fmt: skip


def case(case_id: str = CASE, **other: Any) -> dict[str, Any]:
    """A ready case about one order that was lost."""
    return {
        "case_id": case_id, "kind": "lost", "enterprise_id": "1500001", "advertiser_id": "5500001", "operation": "restate", "reason": "unknown", "digest": DIGEST,
        "subject": "Restatements API: 1 restatement accepted", "description": "What we tried:\nTo restate B-2.", "line": "1-800-761-1072", "orders": 1, "unpriced": 0,
        "attachments": '[{"name": "orders-1.txt", "bytes": 8}, {"name": "overview.pdf", "bytes": 8}]', "at_risk": Decimal("5.25"), "currency": "USD", "state": "ready",
        **other,
    }  # fmt: skip


def filled(location: WarehouseLocation, *, empty: bool = False) -> None:
    """One of everything, with the figures a reconciliation would have kept."""
    with open_warehouse(location) as session:
        session.create_tables()
        if not empty:
            tables.one_of_everything(session)
            append(session, "cj.account_states", [account()])
            record = tables.commission("31", "B-1", "8.00", "2.00") | {"sale_amount": Decimal("100.00"), "publisher_name": "The Gift Edit"}
            append(session, "cj.commissions", [record])
            append(session, "cj.cases", [case()])
            append(session, "cj.case_orders", [{"case_id": CASE, **tables.key("B-2")}])
            keep_figures(session)
            saw_a_sale(session)
        session.leave_snapshot()


def keep_figures(session: Session) -> None:
    """What `reconcile` does after its round."""
    figures = kept(collect(session, checked_at=CHECKED, run_ids=None, currencies=OWN))
    session.execute("UPDATE cj.reconciliation_runs SET figures = :figures", {"figures": figures})


def many_breaks(location: WarehouseLocation, many: int) -> None:
    """Breaks whose money and lock dates are often the same, and sometimes not known."""
    with open_warehouse(location) as session:
        session.create_tables()
        rows = [
            tables.verdict(
                f"O-{n:04}", "missing" if n % 2 else "mismatched", "10.00", reason="unknown" if n % 2 else "amount",
                commission_at_risk=None if n % 7 == 0 else Decimal(n % 5), locking_date=None if n % 3 == 0 else CHECKED + timedelta(days=n % 4),
            )
            for n in range(many)
        ]  # fmt: skip
        session.append("cj.reconciliation", pa.Table.from_pylist(rows))
        append(session, "cj.reconciliation_runs", [tables.checked_run()])
        append(session, "cj.account_states", [account()])
        session.leave_snapshot()


__all__ = [
    "CHECKED",
    "MAY",
    "OWN",
    "PREFIX",
    "RUN",
    "SENT",
    "Served",
    "access",
    "account",
    "append",
    "filled",
    "many_breaks",
    "served",
    "tables",
]
