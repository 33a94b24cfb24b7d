"""CJ's limits, kept on our side so that they are never met on CJ's.

Tracking API: "limit submissions to a maximum of 10,000 orders at a time", at most 100 items an order. Commission Detail: 200 calls in
5 minutes, ranges of at most 31 days, 10,000 records a page.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from include.cj.errors import CJWindowTooLong
from include.domain.account import MAX_ORDERS_PER_REQUEST

__all__ = ["MAX_ORDERS_PER_REQUEST"]  # re-exported: said once, in settings

MAX_REQUEST_BYTES = 100_000_000
"""Seen in other integrations: batches over 100 MB are refused."""
READ_CALLS = 200
READ_CALLS_SECONDS = 300.0
MAX_WINDOW = timedelta(days=31)


class SlidingWindow:
    """At most `calls` calls in any `seconds`; `acquire` waits for the next free slot. Safe between threads.

    Known limitation: it counts one process. Several processes reading one account share CJ's allowance, and CJ's 429 sorts them out.
    """

    def __init__(
        self,
        calls: int = READ_CALLS,
        seconds: float = READ_CALLS_SECONDS,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = calls
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._taken: deque[float] = deque()
        self._lock = threading.Lock()

    def acquire(self) -> float:
        """Takes a slot, waiting if there is none; returns the seconds waited."""
        waited = 0.0
        while (wait := self._try()) > 0:
            self._sleep(wait)
            waited += wait
        return waited

    def try_acquire(self) -> bool:
        """Takes a slot if one is free at once."""
        return self._try() == 0.0

    def _try(self) -> float:
        with self._lock:
            now = self._clock()
            while self._taken and self._taken[0] <= now - self._seconds:
                self._taken.popleft()
            if len(self._taken) < self._calls:
                self._taken.append(now)
                return 0.0
            return max(self._taken[0] + self._seconds - now, 0.001)


_reads: dict[tuple[str, str], SlidingWindow] = {}
_reads_lock = threading.Lock()


def reads_of(commissions_url: str, advertiser_id: str) -> SlidingWindow:
    """The one window that all clients of this process share for an account's reads."""
    with _reads_lock:
        return _reads.setdefault((commissions_url, advertiser_id), SlidingWindow())


def windows(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """`[start, end)` as consecutive half-open ranges of at most 31 days, as Commission Detail takes them. Times are aware."""
    while start < end:
        until = min(start + MAX_WINDOW, end)
        yield start, until
        start = until


def check_window(since: datetime | None, before: datetime | None) -> None:
    """Raises CJWindowTooLong for a range over 31 days."""
    if since and before and before - since > MAX_WINDOW:
        raise CJWindowTooLong(
            f"Commission Detail was asked for {since:%Y-%m-%d} to {before:%Y-%m-%d}; CJ takes at most {MAX_WINDOW.days} days. Split the range."
        )
