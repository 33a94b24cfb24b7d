"""How figures are written in a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def length(span: timedelta) -> str:
    """`3 days`, `2 h 5 min`, `7 min`, without a sign."""
    minutes = round(abs(span).total_seconds() / 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        return f"{days} day{'s' * (days > 1)}"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def moment(when: datetime) -> str:
    """To the minute, in UTC."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def share(part: int, whole: int) -> str:
    """In per cent, never rounded to all or nothing where it is neither."""
    if whole == 0:
        return "none"
    percent = round(1000 * part / whole) / 10
    if 0 < part < whole:
        percent = min(max(percent, 0.1), 99.9)
    return f"{percent:g} %"
