"""One piece ahead: while a piece is worked on, the next one is fetched in a thread, so that waiting and working overlap.

What may go wrong: whoever stops early and does not close the iterator leaves the thread at work on the source, a database's connection say.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
_END = object()


def one_ahead(source: Iterable[T]) -> Iterator[T]:
    """The pieces of `source` in their order; at most one is fetched before it is asked for. Its errors are raised where the piece would come.

    `source` runs in another thread, never in two at once: only give it what nobody else uses meanwhile. Closed early, it waits for
    the piece on its way and closes `source`.
    """
    pieces = iter(source)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        coming: Future[T | object] = thread.submit(next, pieces, _END)
        try:
            while (piece := coming.result()) is not _END:
                coming = thread.submit(next, pieces, _END)
                yield piece  # type: ignore[misc]
        finally:
            thread.shutdown()
            if isinstance(pieces, Generator):
                pieces.close()
