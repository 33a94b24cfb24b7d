"""A value as a cell of a CSV file that somebody may open in a spreadsheet."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from include.domain.money import money_text

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> str:
    """A value as a cell: exact money, UTC times, nothing for nothing. Text that a spreadsheet would take for a formula gets a quote before it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return money_text(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
    return str(value)
