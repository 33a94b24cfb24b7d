"""One call ahead of its reader: while a page is worked on, the next one is already under way.

A thread of its own makes the call; its result, or its error, is handed out when the reader asks for that very request, and not before. There is
never more than one, so at most two answers are in memory: the one being worked on and the one that comes.
What it does not do: decide what is asked next, or ask again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """Makes `call(request, wanted)` ahead. Use as a context manager, which leaves neither thread nor call behind.

    `wanted()` turns False when the result is given up: the call may stop early, with any error. One that waits for CJ's first byte is waited for.
    """

    def __init__(self, call: Callable[[bytes, Callable[[], bool]], T]) -> None:
        self._call = call
        self._thread: ThreadPoolExecutor | None = None
        self._under_way: tuple[bytes, Future[T], threading.Event] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._give_up()
        if self._thread is not None:
            self._thread.shutdown(wait=True)

    def begin(self, request: bytes) -> None:
        """Start the call for `request`; one that is still under way is given up."""
        self._give_up()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cj-ahead")
        given_up = threading.Event()
        self._under_way = (request, self._thread.submit(self._call, request, lambda: not given_up.is_set()), given_up)

    def take(self, request: bytes) -> T | None:
        """What came of the call for `request`, waiting for it, or its error; None when another or none is under way, which is given up."""
        if self._under_way is None or self._under_way[0] != request:
            self._give_up()
            return None
        _, result, _ = self._under_way
        self._under_way = None
        return result.result()

    def _give_up(self) -> None:
        if self._under_way is not None:
            _, result, given_up = self._under_way
            given_up.set()
            result.cancel()  # behind one that was given up before, it may not even have begun
            self._under_way = None
