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
"""States that are looked at in one go, and the most that go in a round: after the setting is given, years of them are left to the next rounds."""
MOST_TIMES = 10
"""How often a round looks, where none of those before could go."""


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

    Call it where a round was judged: orders of accounts that are not in cj.accounts_now stay. Raises what the session raises: then nothing has gone.
    """
    if settings.keep_settled_days is None:
        return
    before = now - timedelta(days=settings.keep_settled_days)
    for passed in range(0, AT_ONCE * MOST_TIMES, AT_ONCE):
        session.execute("DELETE FROM cj.settled_orders")
        session.execute(filled("settled_found"), {"before": before, "most": AT_ONCE, "passed": passed})
        found = _states(session)
        session.analyze("cj.settled_orders")
        session.execute(filled("settled_kept"), {"before": before})
        if going := _states(session):
            session.execute(filled("settled_forget"))
            log.info("%d states of orders that CJ locked long ago go, as cj_keep_settled_days says; the journal keeps them.", going)
        if going or found < AT_ONCE:
            return


def _states(session: Session) -> int:
    return int(str(session.rows("SELECT COUNT(*) AS states FROM cj.settled_orders")[0]["states"]))
