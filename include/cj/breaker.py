"""A circuit breaker per account: when CJ fails again and again, it is left alone for a while, by every task.

How it works: its state is one small JSON file on the run's storage. `failure` counts transient errors in a row; at `threshold` within
`window` the breaker opens for 1 minute, then 2, 4, … up to 15. When the pause is over, `check` lets one caller through as a probe; its
`success` closes the breaker, its `failure` opens it for longer.

What it does not do: lock. Two workers that ask in the same instant may both probe, and one of two failures counted at once may be lost:
that costs a call or a minute, never an order, because no decision about an order is read from here.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from include.cj.errors import CJError, CJPaused, CJRateLimited
from include.storage.folder import Folder

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=15)
PROBE_LEASE = timedelta(minutes=12)
"""How long a probe may take before another caller may try: longer than the longest call (10 minutes)."""


@dataclass(frozen=True)
class _State:
    failures: int = 0
    first_failure: str | None = None
    pauses: int = 0
    paused_until: str | None = None


class Breaker:
    """`name` is its file in `folder`. `clock` gives aware UTC times, for instance `client.now`. Any `success` forgets all failures."""

    def __init__(
        self, folder: Folder, name: str, clock: Callable[[], datetime], *, threshold: int = 5, window: timedelta = timedelta(minutes=10)
    ) -> None:
        self._folder = folder
        self._name = name
        self._clock = clock
        self._threshold = threshold
        self._window = window

    def check(self) -> None:
        """Raises CJPaused while CJ is left alone. After the pause the first caller goes through, and the others wait for what it finds."""
        state = self._read()
        if state.paused_until is None:
            return
        until, now = _moment(state.paused_until), self._clock()
        # A pause longer than any we set was written by a clock that has since been put right.
        if now < until <= now + PROBE_LEASE + LONGEST_PAUSE:
            raise CJPaused(until)
        self._write(_State(state.failures, state.first_failure, state.pauses, (now + PROBE_LEASE).isoformat()))

    def failure(self, error: Exception) -> None:
        """Counts a transient error. A 429 does not count, it has its own remedy; any other answer of CJ's proves that CJ is there."""
        state = self._read()
        counts = getattr(error, "transient", False) and not isinstance(error, (CJPaused, CJRateLimited))
        if not counts:
            if isinstance(error, CJError) and error.host:
                self.success()
            return
        now = self._clock()
        recent = state.first_failure is not None and now - _moment(state.first_failure) <= self._window
        failures = state.failures + 1 if recent else 1
        first = state.first_failure if recent else now.isoformat()
        if state.pauses == 0 and failures < self._threshold:
            self._write(_State(failures, first))
            return
        pause = min(FIRST_PAUSE * 2 ** min(state.pauses, 10), LONGEST_PAUSE)
        log.warning("CJ failed %d times in a row (%s); it is left alone for %s", failures, type(error).__name__, pause)
        self._write(_State(failures, first, state.pauses + 1, (now + pause).isoformat()))

    def success(self) -> None:
        """CJ answered: closes the breaker and forgets the failures."""
        if self._read() != _State():
            self._folder.remove(self._name)

    def _read(self) -> _State:
        data = self._folder.read(self._name)
        if data is None:
            return _State()
        try:
            return _State(**json.loads(data))
        except (ValueError, TypeError):
            log.warning("The breaker's file cannot be read; it counts as closed")
            return _State()

    def _write(self, state: _State) -> None:
        self._folder.write(self._name, json.dumps(asdict(state)).encode())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
