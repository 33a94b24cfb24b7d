"""What CJ holds of every open order, kept from plan to plan: the money gate compares each night with all of it, and folding it anew would cost the whole of
what is open every night.

cj.held_open is made of cj.commissions alone. A plan makes anew what was read or moved since the plan before; whatever it is brought up to, it is what the
records come to. Where the readings began anew it is made whole.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from include.domain.account import Account
from include.restatements.settings import Run, Settings
from include.sql import filled
from include.warehouse.base import Session


def bring_up(session: Session, advertiser_id: str, reading: int) -> None:
    """Inside the caller's transaction, in which `reading` was the last one before any record was looked at: what is read meanwhile is of a later one, and is
    looked at again. Raises WarehouseError.
    """
    mine = {"advertiser_id": advertiser_id}
    found = session.rows("SELECT MAX(reading) AS reading FROM cj.held_open_until WHERE advertiser_id = :advertiser_id", mine)[0]["reading"]
    until = found if isinstance(found, int) and found <= reading else None
    if until is None:
        session.execute(filled("gate_held", whole=True), mine)
    else:
        session.execute(filled("gate_held_news"), mine | {"until": until})
        session.analyze("cj.held_news")
        session.execute(filled("gate_held", whole=False), mine)
    session.analyze_grown("cj.held_open")
    session.execute("DELETE FROM cj.held_open_until WHERE advertiser_id = :advertiser_id", mine)
    session.execute(
        "INSERT INTO cj.held_open_until (advertiser_id, reading) VALUES (:advertiser_id, :reading)", mine | {"reading": reading}
    )


def open_days(session: Session, run: Run, settings: Settings, account: Account, now: datetime) -> list[dict[str, object]]:
    """What is open of an account by the day it was placed: the rows of gate_open.sql. `now` is CJ's present."""
    return session.rows(
        filled("gate_open"),
        {
            "advertiser_id": account.advertiser_id,
            "sale_amount_basis": account.sale_amount_basis,
            "process_by": now + timedelta(minutes=settings.processing_minutes),
            "interval_start": run.interval_start,
            "interval_end": run.interval_end,
            "day_before": run.before,
        },
    )
