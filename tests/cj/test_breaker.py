"""After several failures in a row CJ is left alone, by everybody who shares the file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.cj import errors as e
from include.cj.breaker import LONGEST_PAUSE, PROBE_LEASE, Breaker
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
