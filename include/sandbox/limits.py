"""Commission Detail's rates: 200 calls in 5 minutes, 120 connections. They run on real time: a moved clock buys no calls."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

from include.sandbox.knobs import Knobs


class TooMany(Exception):
    """HTTP 429. `wait` is in seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"Too many calls; wait {wait} s.")
        self.wait = wait


class Limits:
    """CJ's rates: calls a span for each token, and calls open at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, deque[float]] = {}
        self._open = 0

    @contextmanager
    def one_call(self, who: str, knobs: Knobs) -> Iterator[None]:
        """Counts one call by `who`, and one connection while it lasts. Raises TooMany."""
        with self._lock:
            if knobs.rate_limit:
                self._admit(who, knobs)
            self._open += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1

    def _admit(self, who: str, knobs: Knobs) -> None:
        if self._open >= knobs.max_connections:
            raise TooMany(1)
        now = time.monotonic()
        calls = self._calls.setdefault(who, deque())
        while calls and calls[0] <= now - knobs.rate_seconds:
            calls.popleft()
        if len(calls) >= knobs.rate_calls:
            raise TooMany(max(1, ceil(calls[0] + knobs.rate_seconds - now)) if calls else 1)
        calls.append(now)
