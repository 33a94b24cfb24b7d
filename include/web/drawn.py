"""What the pictures are drawn of: numbers as text where they are money, since a script turns them into the length of a bar and nothing else."""

from __future__ import annotations

from typing import Any

from include.web.morning import Overview

BARS = 40
"""At most, of the posting lag: more cannot be told apart."""


def nights(it: Overview) -> list[dict[str, Any]]:
    """A bar for each night."""
    return [
        {
            "day": night.day.isoformat(),
            "orders": dict(night.orders),
            "money": {status: one.amount for status, one in night.submitted.items()},
            "currency": next((one.currency for one in night.submitted.values()), ""),
            "rate": night.match_rate,
        }
        for night in it.nights
    ]


def locks(it: Overview) -> dict[str, Any]:
    """A bar for each span of days, in the currency that most accounts have."""
    currencies = [one.currency for lock in it.locks for one in lock.at_risk]
    currency = max(currencies, key=currencies.count, default="")
    return {
        "currency": currency,
        "locks": [
            {"days": lock.days, "amount": next((one.amount for one in lock.at_risk if one.currency == currency), "0")} for lock in it.locks
        ],
    }


def lag(it: Overview) -> dict[str, Any]:
    """Bars of one width, and the one that CJ's hour ends in."""
    if it.lag is None:
        return {"bins": [], "hour": -1}
    last = max(start for start, _ in it.lag.bins)
    width = 5 * max(1, -(-(last // 5 + 1) // BARS))
    bars = [0] * (last // width + 1)
    for start, orders in it.lag.bins:
        bars[start // width] += orders
    hour = 60 // width
    return {"bins": [[_since(n * width), orders] for n, orders in enumerate(bars)], "hour": hour if hour < len(bars) else -1}


def _since(minutes: int) -> str:
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes // 60}:{minutes % 60:02d} h"
