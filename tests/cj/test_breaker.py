"""After several failures in a row CJ is left alone, by everybody who shares the file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.cj import errors as e
from include.cj.breaker import FIRST_PAUSE, LONGEST_PAUSE, PROBE_LEASE, Breaker
from include.storage.local import LocalFolder

FILE = "breakers/cj.json"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path)


@pytest.fixture
def breaker(folder: LocalFolder, clock: Clock) -> Breaker:
    return Breaker(folder, FILE, clock, threshold=3)


DOWN = e.CJGatewayError("down", host="cj")


def fail(breaker: Breaker, times: int = 3, error: Any = DOWN) -> None:
    for _ in range(times):
        breaker.failure(error)


def is_open(breaker: Breaker) -> bool:
    try:
        breaker.check()
    except e.CJPaused:
        return True
    return False


def test_it_opens_at_the_threshold_and_says_until_when(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 2)
    breaker.check()
    breaker.failure(DOWN)
    with pytest.raises(e.CJPaused) as raised:
        breaker.check()
    assert raised.value.until == clock.now + timedelta(minutes=1)
    assert (raised.value.transient, raised.value.maybe_done) == (True, False)


def test_another_worker_with_the_same_file_is_paused_too(breaker: Breaker, folder: LocalFolder, clock: Clock) -> None:
    fail(breaker)
    assert is_open(Breaker(folder, FILE, clock, threshold=3))


def test_the_pause_doubles_up_to_fifteen_minutes(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    pauses = []
    for _ in range(6):
        with pytest.raises(e.CJPaused) as raised:
            breaker.check()
        pauses.append((raised.value.until - clock.now) / timedelta(minutes=1))
        clock.now = raised.value.until
        breaker.check()
        breaker.failure(DOWN)
    assert pauses == [1, 2, 4, 8, 15, 15]


def test_after_the_pause_one_probe_goes_through_and_the_others_wait(breaker: Breaker, folder: LocalFolder, clock: Clock) -> None:
    fail(breaker)
    clock.move(minutes=1)
    assert not is_open(breaker)
    assert is_open(Breaker(folder, FILE, clock, threshold=3))
    breaker.success()
    assert not is_open(Breaker(folder, FILE, clock, threshold=3))
    fail(breaker, 2)
    assert not is_open(breaker)


def test_a_probe_that_died_does_not_close_the_door_for_ever(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.move(minutes=1)
    breaker.check()
    clock.now += PROBE_LEASE
    assert not is_open(breaker)


def test_failures_far_apart_do_not_add_up(breaker: Breaker, clock: Clock) -> None:
    for _ in range(6):
        breaker.failure(DOWN)
        clock.move(minutes=11)
    assert not is_open(breaker)


def test_a_success_between_failures_starts_the_count_again(breaker: Breaker) -> None:
    for _ in range(4):
        fail(breaker, 2)
        breaker.success()
    assert not is_open(breaker)


@pytest.mark.parametrize("error", [e.CJInvalidToken("no", host="cj"), e.CJWrongType("no", host="cj"), e.CJRateLimited("slow", host="cj")])
def test_an_answer_that_refuses_never_opens_it(breaker: Breaker, error: Exception) -> None:
    fail(breaker, 10, error)
    assert not is_open(breaker)


def test_an_error_of_our_own_says_nothing_about_cj(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.failure(ValueError("ours"))
    breaker.failure(e.CJUnsendable("ours"))
    breaker.failure(DOWN)
    assert is_open(breaker)


def test_a_clock_that_was_far_ahead_does_not_pause_for_years(breaker: Breaker, clock: Clock) -> None:
    clock.move(days=900)
    fail(breaker)
    clock.move(days=-900)
    assert not is_open(breaker)
    assert timedelta(days=1) > LONGEST_PAUSE


def test_a_damaged_file_counts_as_closed(breaker: Breaker, folder: LocalFolder) -> None:
    fail(breaker)
    folder.write(FILE, b'{"failures":')
    assert not is_open(breaker)
    folder.write(FILE, b'{"unknown": 1}')
    assert not is_open(breaker)
    folder.write(FILE, b"\xff\xfe")
    assert not is_open(breaker)


def test_an_answer_leaves_no_file_behind(breaker: Breaker, folder: LocalFolder) -> None:
    fail(breaker)
    assert folder.exists(FILE)
    breaker.success()
    breaker.success()
    assert not folder.exists(FILE)


# -- each length at its boundary and on both sides ---------------------------------------------------------------------------------------

SECOND = timedelta(seconds=1)


def test_the_lengths_are_those_that_were_decided() -> None:
    assert (timedelta(minutes=1), timedelta(minutes=15), timedelta(minutes=12)) == (FIRST_PAUSE, LONGEST_PAUSE, PROBE_LEASE)


@pytest.mark.parametrize(("failures", "opens"), [(4, False), (5, True)])
def test_unless_told_otherwise_the_fifth_failure_within_ten_minutes_opens_it(
    folder: LocalFolder, clock: Clock, failures: int, opens: bool
) -> None:
    breaker = Breaker(folder, FILE, clock)
    fail(breaker, failures)
    assert is_open(breaker) is opens


@pytest.mark.parametrize(("span", "opens"), [(timedelta(minutes=10), True), (timedelta(minutes=10) + SECOND, False)])
def test_failures_add_up_for_ten_minutes_from_the_first_of_them(folder: LocalFolder, clock: Clock, span: timedelta, opens: bool) -> None:
    breaker = Breaker(folder, FILE, clock)
    breaker.failure(DOWN)
    clock.now += span - SECOND
    fail(breaker, 3)
    clock.now += SECOND
    breaker.failure(DOWN)
    assert is_open(breaker) is opens


def test_the_window_is_counted_anew_from_the_failure_that_came_too_late(folder: LocalFolder, clock: Clock) -> None:
    breaker = Breaker(folder, FILE, clock, threshold=2)
    breaker.failure(DOWN)
    clock.move(minutes=10, seconds=1)
    breaker.failure(DOWN)
    clock.move(minutes=10)
    breaker.failure(DOWN)
    assert is_open(breaker)


@pytest.mark.parametrize(("waited", "opens"), [(FIRST_PAUSE - SECOND, True), (FIRST_PAUSE, False)])
def test_a_pause_ends_at_its_moment_and_not_a_second_before(breaker: Breaker, clock: Clock, waited: timedelta, opens: bool) -> None:
    fail(breaker)
    clock.now += waited
    assert is_open(breaker) is opens


@pytest.mark.parametrize(("waited", "opens"), [(PROBE_LEASE - SECOND, True), (PROBE_LEASE, False)])
def test_the_others_wait_for_a_probe_as_long_as_its_lease(breaker: Breaker, clock: Clock, waited: timedelta, opens: bool) -> None:
    fail(breaker)
    clock.now += FIRST_PAUSE
    breaker.check()
    clock.now += waited
    assert is_open(breaker) is opens


@pytest.mark.parametrize(("ahead", "opens"), [(timedelta(0), True), (SECOND, False)])
def test_the_longest_pause_that_is_believed_is_a_lease_and_the_longest_of_ours(
    breaker: Breaker, clock: Clock, ahead: timedelta, opens: bool
) -> None:
    fail(breaker)
    clock.now -= PROBE_LEASE + LONGEST_PAUSE - FIRST_PAUSE + ahead
    assert is_open(breaker) is opens


def test_a_probe_that_fails_doubles_the_pause_and_one_failure_is_enough(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.now += FIRST_PAUSE
    breaker.check()
    breaker.failure(DOWN)
    clock.now += 2 * FIRST_PAUSE - SECOND
    assert is_open(breaker)
    clock.now += SECOND
    assert not is_open(breaker)


def test_a_paused_call_and_a_429_neither_count_nor_forget(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 2)
    breaker.failure(e.CJPaused(clock.now))
    breaker.failure(DOWN)
    assert is_open(breaker)
