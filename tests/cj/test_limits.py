"""CJ's rates are kept on our side."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.cj import limits
from include.cj.errors import CJWindowTooLong
from include.cj.limits import MAX_WINDOW, SlidingWindow, check_window, reads_of, windows


class Hours:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 100.0
        self.lock = threading.Lock()

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.at += seconds


def test_the_201st_call_waits_until_the_first_is_five_minutes_old() -> None:
    clock = Hours()
    window = SlidingWindow(clock=clock, sleep=clock.sleep)
    assert sum(window.acquire() for _ in range(200)) == 0
    clock.at += 120
    assert window.acquire() == pytest.approx(180)
    assert sum(window.acquire() for _ in range(199)) == 0


@given(gaps=st.lists(st.floats(0, 30), min_size=1, max_size=40), calls=st.integers(1, 5))
def test_no_span_ever_holds_more_calls_than_allowed(gaps: Any, calls: Any) -> None:
    clock = Hours()
    window = SlidingWindow(calls, 60.0, clock=clock, sleep=clock.sleep)
    taken = []
    for gap in gaps:
        clock.at += gap
        window.acquire()
        taken.append(clock.at)
    for n in range(len(taken) - calls):
        assert taken[n + calls] - taken[n] >= 60.0 - 1e-6


def test_threads_share_one_count() -> None:
    clock = Hours()
    window = SlidingWindow(200, 60.0, clock=clock, sleep=clock.sleep)
    waits: list[float] = []
    threads = [threading.Thread(target=lambda: waits.extend(window.acquire() for _ in range(25))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert waits == [0.0] * 200
    assert window.acquire() == 60.0


def test_clients_of_one_account_share_one_window_and_others_have_their_own() -> None:
    assert reads_of("https://a", "1") is reads_of("https://a", "1")
    assert reads_of("https://a", "1") is not reads_of("https://a", "2")


moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone comes beside it


@given(moments, moments)
def test_windows_cover_the_range_once_and_none_is_too_long(start: Any, end: Any) -> None:
    found = list(windows(start, end))
    assert sum(((b - a) for a, b in found), timedelta(0)) == max(end - start, timedelta(0))
    assert all(timedelta(0) < b - a <= MAX_WINDOW for a, b in found)
    assert all(left[1] == right[0] for left, right in itertools.pairwise(found))
    assert not found or (found[0][0], found[-1][1]) == (start, end)


def test_31_days_are_allowed_and_a_second_more_is_not() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    check_window(start, start + timedelta(days=31))
    check_window(start, None)
    with pytest.raises(CJWindowTooLong):
        check_window(start, start + timedelta(days=31, seconds=1))


def test_the_limits_are_those_cj_documents() -> None:
    assert (200, 300.0, timedelta(days=31)) == (limits.READ_CALLS, limits.READ_CALLS_SECONDS, limits.MAX_WINDOW)
    assert (limits.MAX_ORDERS_PER_REQUEST, limits.MAX_REQUEST_BYTES) == (10_000, 100_000_000)


@pytest.mark.parametrize(("age", "free"), [(299.999, False), (300.0, True)])
def test_a_place_is_free_again_when_its_call_is_five_minutes_old(age: float, free: bool) -> None:
    clock = Hours()
    window = SlidingWindow(clock=clock, sleep=clock.sleep)
    for _ in range(200):
        assert window.try_acquire()
    assert not window.try_acquire()
    clock.at += age
    assert window.try_acquire() is free


def test_a_place_that_is_not_free_is_not_taken_by_asking() -> None:
    clock = Hours()
    window = SlidingWindow(1, 60.0, clock=clock, sleep=clock.sleep)
    assert window.try_acquire()
    assert [window.try_acquire() for _ in range(5)] == [False] * 5
    clock.at += 60
    assert window.acquire() == 0


@pytest.mark.parametrize(("days", "seconds", "cut"), [(31, 0, 1), (31, 1, 2), (62, 0, 2), (62, 1, 3), (0, 1, 1), (0, 0, 0)])
def test_a_range_is_cut_after_31_days_and_not_before(days: int, seconds: int, cut: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert len(list(windows(start, start + timedelta(days=days, seconds=seconds)))) == cut


@pytest.mark.parametrize("left", [0.25, 1.0, 299.75])
def test_a_call_waits_for_the_next_free_place_and_no_longer(left: float) -> None:
    clock = Hours()
    window = SlidingWindow(1, 300.0, clock=clock, sleep=clock.sleep)
    window.acquire()
    clock.at += 300.0 - left
    assert window.acquire() == left
