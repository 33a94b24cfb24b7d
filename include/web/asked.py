"""What an address asks for. Whatever does not make sense is left aside: a link that somebody mistyped still shows a page."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from include.domain.money import NotMoney, money, money_text

PAGE_ROWS = 50
MOST_ROWS = 500
"""Of one answer of the JSON API."""

WALK: Mapping[str, str] = MappingProxyType(
    {
        "after": "the place after which the list goes on: `next` of the answer before",
        "limit": f"rows, {PAGE_ROWS} without it, at most {MOST_ROWS}",
    }
)
"""How a long list is gone through, as filters of its page."""

_LONGEST = 200


@dataclass(frozen=True)
class Asked:
    """One request: the names in its path, what stands after the `?`, and when."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def text(self, name: str) -> str | None:
        """A filter's text, without the blanks around it; None where nothing was given."""
        value = self.query.get(name, "").strip()[:_LONGEST].replace("\x00", "")
        return value or None

    def one_of(self, name: str, words: Any) -> str | None:
        """A filter that is one of these words; None where nothing or something else was given."""
        value = self.text(name)
        return value if value in set(words) else None

    def day(self, name: str) -> datetime | None:
        """The beginning of a UTC day, from `2026-11-19`."""
        try:
            found = date.fromisoformat(self.query.get(name, "").strip())
        except ValueError:
            return None
        return datetime(found.year, found.month, found.day, tzinfo=UTC)

    def day_after(self, name: str) -> datetime | None:
        """The end of a UTC day."""
        begin = self.day(name)
        try:
            return None if begin is None else begin + timedelta(days=1)
        except OverflowError:
            return None

    @property
    def rows(self) -> int:
        """How many rows of a list."""
        given = self.query.get("limit", "")
        return min(max(int(given), 1), MOST_ROWS) if given.isascii() and given.isdigit() and len(given) < 6 else PAGE_ROWS

    def after(self, kinds: str, *names: str) -> tuple[frozenset[str], dict[str, Any]]:
        """The place after which the list goes on (`place_after`), of these kinds: what its statement is made with, and bound to (`after_` and each name).
        Both are empty where it is the list's beginning.
        """
        place = read_place(self.query.get("after"), kinds)
        if place is None:
            return frozenset(), {}
        return frozenset({"after"}), dict(zip([f"after_{name}" for name in names], place, strict=True))


def place_after(*key: Any) -> str:
    """The place in a long list after the row with this key: text for an address."""
    plain = [_written(value) for value in key]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).decode().rstrip("=")


def _written(value: Any) -> list[str]:
    if isinstance(value, Decimal):
        return ["m", money_text(value)]
    if isinstance(value, datetime):
        return ["t", value.astimezone(UTC).isoformat()]
    return ["i", str(value)] if isinstance(value, int) else ["s", str(value)]


def read_place(text: str | None, kinds: str) -> tuple[Any, ...] | None:
    """The key that `place_after` wrote, where it is one of these kinds (a letter each: m, t, i, s); None for anything else."""
    if not text or len(text) > 2000:
        return None
    try:
        plain = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if [part[0] for part in plain] != list(kinds):
            return None
        return tuple(_READ[kind](value) for kind, value in plain)
    except (ValueError, TypeError, KeyError, IndexError, NotMoney):
        return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) >= 2**63:
        raise ValueError("no bigint")
    return number


_READ: Mapping[str, Any] = {"m": money, "t": _moment, "i": _whole, "s": lambda text: str(text).replace("\x00", "")}
