"""Fetching one piece ahead changes neither the pieces nor when their errors come, and leaves nothing running."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from include.restatements.changes.read_ahead import one_ahead


class Source:
    """Numbers, and what became of them."""

    def __init__(self, many: int, broken_at: int | None = None) -> None:
        self.many, self.broken_at, self.given, self.closed = many, broken_at, 0, False

    def __call__(self) -> Iterator[int]:
        try:
            for number in range(self.many):
                if number == self.broken_at:
                    raise LookupError(f"no {number}")
                self.given += 1
                yield number
        finally:
            self.closed = True


def test_every_piece_comes_in_order() -> None:
    assert list(one_ahead(Source(100)())) == list(range(100))
    assert list(one_ahead([])) == []


def test_an_error_comes_where_the_piece_would() -> None:
    pieces = one_ahead(Source(10, broken_at=3)())
    assert [next(pieces) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(LookupError, match="no 3"):
        next(pieces)


def test_never_more_than_one_piece_is_fetched_before_it_is_asked_for() -> None:
    source = Source(10)
    for number in one_ahead(source()):
        assert source.given <= number + 2


def test_stopping_early_closes_the_source_and_leaves_no_thread() -> None:
    source = Source(10)
    pieces = one_ahead(source())
    assert next(pieces) == 0
    pieces.close()  # type: ignore[attr-defined]
    assert source.closed
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
