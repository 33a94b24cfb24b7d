"""One round of verdicts: what is open in the tables, beside what CJ holds now.

It works from the tables alone. What an unknown outcome came to is settled here, and nowhere else. The rules are
`include.restatements.rules.verdicts`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from include.domain.account import Account
from include.domain.shapes import INSTANT
from include.restatements.rules.verdicts import verdicts_sql
from include.restatements.settings import Settings
from include.sql import filled
from include.warehouse.base import Session

VERDICT_COLUMNS = (
    "run_id, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, status, reason, submitted_amount, posted_amount, "
    "difference, currency, submitted_at, plan_number, posted_at, locking_date, days_to_lock, commission_at_risk, attempts, within_band, checked_at, reading, "
    "rate, amount_checked"
)
"""Of cj.verdicts, as include/sql/verdicts.sql gives them."""

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Until when an account was read whole that never was: nothing of it is given up."""


def judge(session: Session, settings: Settings, accounts: list[Account], now: datetime) -> None:
    """One round of verdicts for these accounts, inside the caller's transaction. `now` is CJ's time."""
    session.execute("DELETE FROM cj.accounts_now; DELETE FROM cj.open_orders; DELETE FROM cj.verdicts")
    accounts = list({a.advertiser_id: a for a in accounts}.values())  # two enterprises may be of one advertiser
    judged, reading = _readings(session)
    whole = _read_whole(session)
    session.append(
        "cj.accounts_now",
        pa.table(
            {
                "advertiser_id": [a.advertiser_id for a in accounts],
                "functional_currency": [a.currency for a in accounts],
                "sale_amount_basis": [a.sale_amount_basis for a in accounts],
                "judged_reading": pa.array([judged.get(a.advertiser_id, 0) for a in accounts], pa.int64()),
                "read_whole_until": pa.array([whole.get(a.advertiser_id, NEVER) for a in accounts], INSTANT),
            }
        ),
    )
    session.execute(filled("open_orders"), {"judged_since": min((judged.get(a.advertiser_id, 0) for a in accounts), default=0)})
    session.analyze("cj.open_orders")
    session.execute(
        f"INSERT INTO cj.verdicts ({VERDICT_COLUMNS}) {verdicts_sql()}",
        {
            "now": now,
            "pairs_since": now - timedelta(hours=settings.deadline_hours),
            "processing_seconds": round(settings.processing_minutes * 60),
            "deadline_seconds": round(settings.deadline_hours * 3600),
            "currency_band": settings.currency_band,
            "reading": reading,
        },
    )
    session.analyze("cj.verdicts")
    session.execute(filled("verdicts_apply"), {"now": now})
    session.execute(filled("rates_seen"), {"now": now, "reading": reading})
    session.analyze_grown("cj.reconciliation", "cj.verdicts_log")
    session.execute(
        "INSERT INTO cj.judged_readings (advertiser_id, reading, checked_at) SELECT advertiser_id, CAST(:reading AS bigint), :now FROM cj.accounts_now",
        {"reading": reading, "now": now},
    )
    session.execute(filled("judged"))
    session.execute("DELETE FROM cj.open_orders; DELETE FROM cj.verdicts")


def _readings(session: Session) -> tuple[dict[str, int], int]:
    """Up to which reading each advertiser's orders were judged before, and the last reading there is now."""
    rows = session.rows("SELECT advertiser_id, MAX(reading) AS reading FROM cj.judged_readings GROUP BY advertiser_id")
    newest = session.rows("SELECT MAX(reading) AS newest FROM cj.ledger_reads")[0]["newest"]
    return {str(row["advertiser_id"]): int(str(row["reading"])) for row in rows}, newest if isinstance(newest, int) else 0


def _read_whole(session: Session) -> dict[str, datetime]:
    """Until when each advertiser's records were read without the cursor."""
    rows = session.rows(
        "SELECT advertiser_id, MAX(complete_until) AS until FROM cj.ledger_reads WHERE kind <> 'cursor' GROUP BY advertiser_id"
    )
    return {str(row["advertiser_id"]): until for row in rows if isinstance(until := row["until"], datetime)}
