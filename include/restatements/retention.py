"""How long the tables keep what this package wrote, inside the caller's transaction, which holds the lock cj.plan.

The journal keeps all of it. What CJ wrote is never taken away: by its records CJ's state of an order is known, however old it is.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from include.restatements.settings import Settings
from include.sql import filled
from include.warehouse.base import Session

log = logging.getLogger(__name__)

AT_ONCE = 100_000
"""States that one round looks at: after the setting is given, years of them are left to the next rounds."""


def forget_skipped(session: Session, settings: Settings, now: datetime) -> None:
    """Skips older than `keep_skipped_days` at `now` (CJ's time) go, inside the caller's transaction; those that still wait stay."""
    same = "n.enterprise_id = cj.skipped.enterprise_id AND n.action_tracker_id = cj.skipped.action_tracker_id AND n.order_id = cj.skipped.order_id"
    session.execute(
        "DELETE FROM cj.skipped WHERE skipped_at < :before AND (reason NOT IN ('waiting', 'superseded') "
        f"OR EXISTS (SELECT 1 FROM cj.skipped AS n WHERE {same} AND n.plan_number > cj.skipped.plan_number) "
        f"OR EXISTS (SELECT 1 FROM cj.quarantine AS n WHERE {same} AND n.plan_number > cj.skipped.plan_number) "
        f"OR EXISTS (SELECT 1 FROM cj.submissions AS n WHERE {same} AND n.mode = 'live' AND n.plan_number > cj.skipped.plan_number))",
        {"before": now - timedelta(days=settings.keep_skipped_days)},
    )


def forget_settled(session: Session, settings: Settings, now: datetime) -> None:
    """What was sent, judged, skipped and held back of orders that were settled for good `keep_settled_days` before `now` (CJ's time) goes.

    Raises what the session raises: then nothing has gone.
    """
    if settings.keep_settled_days is None:
        return
    before = now - timedelta(days=settings.keep_settled_days)
    session.execute("DELETE FROM cj.settled_orders")
    session.execute(filled("settled_found"), {"before": before, "most": AT_ONCE})
    session.analyze("cj.settled_orders")
    session.execute(filled("settled_kept"), {"before": before})
    if states := int(str(session.rows("SELECT COUNT(*) AS states FROM cj.settled_orders")[0]["states"])):
        session.execute(filled("settled_forget"))
        log.info(
            "%d states of orders that CJ locked long ago were taken out, as cj_keep_settled_days says; the journal keeps them.", states
        )
