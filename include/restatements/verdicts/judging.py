"""One round of verdicts: what is open in the tables, beside what CJ holds now.

It works from the tables alone. What an unknown outcome came to is settled here, and nowhere else. The rules are
`include.restatements.rules.verdicts`.
"""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from include.domain.account import Account
from include.domain.states import Operation
from include.restatements.journal.journal import ChunkRef, Journal, run_folder
from include.restatements.journal.loading import UNANSWERED, load_chunk
from include.restatements.rules.verdicts import verdicts_sql
from include.restatements.settings import Settings
from include.sql import filled
from include.warehouse.base import Session

VERDICT_COLUMNS = (
    "run_id, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, status, reason, submitted_amount, posted_amount, "
    "difference, currency, submitted_at, posted_at, locking_date, days_to_lock, commission_at_risk, attempts, within_band, checked_at"
)
"""Of cj.verdicts, as include/sql/verdicts.sql gives them."""


def judge(session: Session, journal: Journal, settings: Settings, accounts: list[Account], now: datetime) -> None:
    """One round of verdicts for these accounts, inside the caller's transaction. `now` is CJ's time."""
    _load_open_chunks(session, journal, settings)
    session.execute("DELETE FROM cj.accounts_now; DELETE FROM cj.open_orders; DELETE FROM cj.verdicts")
    accounts = list({a.advertiser_id: a for a in accounts}.values())  # two enterprises may be of one advertiser
    session.append(
        "cj.accounts_now",
        pa.table(
            {
                "advertiser_id": [a.advertiser_id for a in accounts],
                "functional_currency": [a.currency for a in accounts],
                "sale_amount_basis": [a.sale_amount_basis for a in accounts],
            }
        ),
    )
    session.execute(filled("open_orders"))
    session.analyze("cj.open_orders")
    session.execute(
        f"INSERT INTO cj.verdicts ({VERDICT_COLUMNS}) {verdicts_sql()}",
        {
            "now": now,
            "processing_seconds": round(settings.processing_minutes * 60),
            "deadline_seconds": round(settings.deadline_hours * 3600),
            "currency_band": settings.currency_band,
        },
    )
    session.analyze("cj.verdicts")
    session.execute(filled("verdicts_apply"), {"now": now})
    session.analyze("cj.reconciliation", "cj.verdicts_log")
    session.execute("DELETE FROM cj.open_orders; DELETE FROM cj.verdicts")


def _load_open_chunks(session: Session, journal: Journal, settings: Settings) -> None:
    """What has an answer now and is not in the tables yet: runs that ended before their `publish`, answers that came late."""
    advertisers = {a.enterprise_id: a.advertiser_id for a in settings.accounts}
    open_chunks = session.rows(
        "SELECT DISTINCT run_id, chunk_id, operation FROM cj.planned "
        "UNION SELECT DISTINCT run_id, chunk_id, operation FROM cj.submissions "
        "WHERE mode = 'live' AND (outcome = 'unknown' OR error_message = :unanswered)",
        {"unanswered": UNANSWERED},
    )
    for row in open_chunks:
        ref = ChunkRef(run_folder(str(row["run_id"])), Operation(str(row["operation"])), str(row["chunk_id"]))
        load_chunk(session, journal, str(row["run_id"]), ref, advertisers)
