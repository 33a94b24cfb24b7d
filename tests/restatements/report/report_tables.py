"""Hand-made tables of schema cj for the report's tests: small enough to add up by hand, with one of everything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from include.warehouse.base import Session

CHECKED = datetime(2026, 11, 20, 6, tzinfo=UTC)
SENT = datetime(2026, 11, 20, 2, tzinfo=UTC)
RUN, EARLIER, ELSEWHERE = "night-2026-11-19", "night-2026-11-18", "night-2026-10-01"
OWN = {"5500001": "USD"}


def append(session: Session, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.append(table, pa.Table.from_pylist(rows))


def key(order_id: str, tracker: int = 401) -> dict[str, Any]:
    return {"enterprise_id": "1500001", "action_tracker_id": tracker, "order_id": order_id, "updated_at": SENT - timedelta(hours=8)}


def submission(order_id: str, *, run: str = RUN, mode: str = "live", outcome: str = "accepted", **other: Any) -> dict[str, Any]:
    return {
        "run_id": run,
        "chunk_id": "c1",
        "operation": "restate",
        "mode": mode,
        "advertiser_id": "5500001",
        **key(order_id),
        "payload_hash": "h",
        "attempt": 1,
        "outcome": outcome,
        "submitted_at": SENT,
        "error_message": None,
        **other,
    }


def verdict(order_id: str, status: str, submitted: str, posted: str | None = None, **other: Any) -> dict[str, Any]:
    amounts = {"submitted_amount": Decimal(submitted), "posted_amount": None if posted is None else Decimal(posted)}
    difference = None if posted is None else Decimal(posted) - Decimal(submitted)
    return {
        "run_id": RUN,
        "advertiser_id": "5500001",
        **key(order_id),
        "operation": "restate",
        "status": status,
        "reason": None,
        **amounts,
        "difference": difference,
        "currency": "USD",
        "submitted_at": SENT,
        "posted_at": None,
        "locking_date": None,
        "days_to_lock": None,
        "commission_at_risk": None,
        "attempts": 1,
        "within_band": False,
        "checked_at": CHECKED,
        **other,
    }


def held(order_id: str | None, stage: str, reason: str, detail: str | None = None, *, run: str = RUN) -> dict[str, Any]:
    identity = {**key("x"), "order_id": order_id}
    at = SENT - (timedelta(days=1) if run == EARLIER else timedelta(minutes=5))
    return {"run_id": run, **identity, "stage": stage, "reason": reason, "detail": detail, "quarantined_at": at}


def skipped(order_id: str, reason: str) -> dict[str, Any]:
    return {"run_id": RUN, **key(order_id), "reason": reason, "skipped_at": SENT - timedelta(minutes=5)}


def commission(commission_id: str, order_id: str, amount: str, fee: str | None) -> dict[str, Any]:
    return {
        "commission_id": commission_id,
        "advertiser_id": "5500001",
        "action_tracker_id": 401,
        "order_id": order_id,
        "action_type": "sim_sale",
        "action_status": "new",
        "publisher_id": "7",
        "posting_date": SENT,
        "original": True,
        "adv_commission_amount": Decimal(amount),
        "cj_fee": None if fee is None else Decimal(fee),
        "items_mark": Decimal(0),
        "ingested_at": SENT,
    }


def checked_run(other_basis: bool = False) -> dict[str, Any]:
    counts = dict.fromkeys(("orders", "awaiting", "late", "matched", "mismatched", "missing", "superseded"), 0)
    return {"reconciliation_run_id": "recon-1", "checked_at": CHECKED, **counts, "other_basis_matches_all": other_basis}


def plan(number: int, run: str) -> dict[str, Any]:
    return {"plan_number": number, "run_id": run, "reading": 1, "planned_at": SENT}


def planned(order_id: str, run: str) -> dict[str, Any]:
    """An order that is on its way to CJ."""
    return {"run_id": run, "chunk_id": "c1", "operation": "restate", **key(order_id), "planned_at": SENT}


def one_of_everything(session: Session) -> None:
    """A night with every verdict, three currencies, a break of an older run, and rows of a run the report is not about."""
    soon, gone = CHECKED + timedelta(days=1), CHECKED - timedelta(days=2)
    sent = ["M-1", "M-2", "M-3", "W-1", "L-1", "B-1", "B-2", "B-3", "S-1", "N-1"]
    append(session, "cj.submissions", [submission(order_id) for order_id in sent if order_id != "N-1"])
    append(
        session,
        "cj.submissions",
        [submission("N-1", outcome="unknown"), submission("B-2", run=EARLIER, submitted_at=SENT - timedelta(days=1))],
    )
    append(session, "cj.submissions", [submission("R-1", outcome="rejected", error_message="Invalid value for a@b.example")])
    append(session, "cj.submissions", [submission("R-1", mode="test"), submission("T-1", mode="test", outcome="rejected")])
    append(session, "cj.submissions", [submission("OLD-1", run=ELSEWHERE, submitted_at=SENT - timedelta(days=49))])
    minutes = {"M-1": 62, "M-2": 70, "M-3": 190, "B-1": 65}
    posted: dict[str, dict[str, Any]] = {order_id: {"posted_at": SENT + timedelta(minutes=n)} for order_id, n in minutes.items()}
    append(
        session,
        "cj.reconciliation",
        [
            verdict("M-1", "matched", "100.10", "100.10", **posted["M-1"]),
            verdict("M-2", "matched", "50.00", currency="EUR", within_band=True, **posted["M-2"]),
            verdict("M-3", "matched", "0.0125", "0.0125", **posted["M-3"]),
            verdict("W-1", "awaiting", "10.00"),
            verdict("L-1", "late", "20.00"),
            verdict(
                "B-1",
                "mismatched",
                "80.00",
                "100.00",
                reason="amount",
                commission_at_risk=Decimal("1.605"),
                locking_date=soon,
                days_to_lock=1,
                **posted["B-1"],
            ),
            verdict(
                "B-2",
                "missing",
                "0.00",
                reason="locked",
                commission_at_risk=Decimal("12.345"),
                locking_date=gone,
                days_to_lock=-2,
                attempts=2,
            ),
            verdict("B-3", "missing", "1000.50", reason="unknown", currency="GBP", commission_at_risk=Decimal("3.10")),
            verdict("S-1", "superseded", "7.00"),
            verdict(
                "OLD-1",
                "missing",
                "9999.00",
                run_id=ELSEWHERE,
                commission_at_risk=Decimal("999.00"),
                submitted_at=SENT - timedelta(days=49),
            ),
        ],
    )
    append(
        session,
        "cj.quarantine",
        [
            held("Q-1", "eligibility", "locked"),
            held("Q-1", "eligibility", "locked", run=EARLIER),
            held("Q-2", "validation", "items_do_not_add_up", "The items do not add up to the amount."),
            held(None, "validation", "order_id_missing"),
            held(None, "validation", "order_id_missing"),
            held("Q-3", "test_mode", "refused", "Order a@b.example may not have more than 100 items"),
        ],
    )
    append(session, "cj.commissions", [commission("1", "Q-1", "5.00", "1.25"), commission("2", "Q-1", "-1.00", None)])
    append(session, "cj.skipped", [skipped("K-1", "unchanged"), skipped("K-2", "unchanged"), skipped("K-3", "not_in_cj")])
    reads = {"advertiser_id": "5500001", "cursor_commission_id": "2", "kind": "cursor", "read_from": SENT, "records": 2, "read_at": CHECKED}
    append(session, "cj.ledger_reads", [{**reads, "complete_until": CHECKED - timedelta(minutes=m)} for m in (90, 15)])
    append(session, "cj.reconciliation_runs", [checked_run()])
    append(session, "cj.plans", [plan(1, ELSEWHERE), plan(2, EARLIER), plan(3, RUN)])
