"""The sandbox's clock: the real one, moved by an offset that is kept in the state file.

Every answer's `Date` header and every rule reads this clock, so one move takes the whole loop with it.
Two spellings are used throughout: `instant` (microseconds, for receipts and update times) and `second` (whole seconds,
for everything Commission Detail shows). Each sorts as text; they are never compared with each other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.sandbox.store import Store

OFFSET = "clock_offset_microseconds"


class Clock:
    """CJ's present: the machine's clock, moved by what the control API said."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset = timedelta(microseconds=int(store.get_meta(OFFSET, 0)))

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> datetime:
        """Moves the clock, backwards if negative."""
        return self._move(self._offset + timedelta(seconds=seconds))

    def set(self, moment: datetime) -> datetime:
        """Sets the clock; it goes on from there. `moment` is aware."""
        return self._move(moment - datetime.now(UTC))

    def _move(self, offset: timedelta) -> datetime:
        self._store.set_meta(OFFSET, offset // timedelta(microseconds=1))
        self._offset = offset
        return self.now()

    def http_date(self, off: float = 0.0) -> str:
        """The `Date` header, RFC 9110; `off` seconds from the clock."""
        return format_datetime(self.now() + timedelta(seconds=off), usegmt=True)


def parse_instant(text: str) -> datetime:
    """An aware moment from ISO 8601. Raises ValueError if the zone is missing."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it in UTC with 'Z'")
    return moment.astimezone(UTC)


def instant(moment: datetime) -> str:
    """A UTC moment as CJ writes it, to the microsecond."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def second(moment: datetime) -> str:
    """The whole second at or before."""
    return moment.replace(tzinfo=None, microsecond=0).isoformat() + "Z"


def next_second(moment: datetime) -> str:
    """The whole second at or after."""
    return second(moment + timedelta(seconds=1) if moment.microsecond else moment)
