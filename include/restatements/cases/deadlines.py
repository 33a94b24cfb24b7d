"""When CJ's answer is due, and when a case closes by itself.

CJ says *within 72 business hours, the vast majority within the first 24 to 48*. That may be three business days, or 72 hours of an open desk: both are worked
out; the early one is when to look, the late one when to ask. After an answer the case closes by itself if nothing is said for 72 hours, by the clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.restatements.cases.desk import Calendar

PROMISED, USUAL, QUIET = timedelta(hours=72), timedelta(hours=48), timedelta(hours=72)
"""Within which CJ answers; within which it mostly does; after which an answered case closes."""


@dataclass(frozen=True)
class Due:
    """Aware UTC. `late` is None where the desk's hours are not known."""

    usual: datetime
    early: datetime
    late: datetime | None


def due(filed_at: datetime, calendar: Calendar) -> Due:
    """When an answer is due to what was filed, or said, at `filed_at`."""
    early = _after(filed_at, PROMISED, calendar.business_days(filed_at))
    usual = _after(filed_at, USUAL, calendar.business_days(filed_at))
    assert early is not None
    assert usual is not None
    return Due(usual, early, _after(filed_at, PROMISED, calendar.desk_hours(filed_at)))


def closes_at(answered_at: datetime) -> datetime:
    """When a case closes by itself that nobody replies to."""
    return answered_at.astimezone(UTC) + QUIET


def _after(start: datetime, length: timedelta, spans: Iterable[tuple[datetime, datetime]]) -> datetime | None:
    """The instant at which `length` of the spans has passed since `start`. By the instants: a day of daylight saving has 23 or 25 hours."""
    left = length
    for begin, end in ((b.astimezone(UTC), e.astimezone(UTC)) for b, e in spans):
        begin = max(begin, start.astimezone(UTC))
        if begin < end:
            if end - begin >= left:
                return begin + left
            left -= end - begin
    return None
