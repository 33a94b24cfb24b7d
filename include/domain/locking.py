"""Until when CJ takes a correction. An open-ended order has no such day; CJ gives it a far one."""

from __future__ import annotations

from datetime import UTC, datetime

NO_LOCK_FROM = datetime(2099, 1, 1, tzinfo=UTC)
"""Lock dates from here on stand for none: CJ gives open-ended orders 2099-12-31, and locks them once they are accepted."""


def lock_of(locking_date: datetime | None) -> datetime | None:
    """When CJ locks it; None where no day is set."""
    return locking_date if locking_date is not None and locking_date < NO_LOCK_FROM else None
