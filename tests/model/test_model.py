"""Any history, any order of runs, any fault: in the end CJ holds what the warehouse says, or a true reason says why not.

`make test` plays a fixed set of examples, some written by hand that meet every verdict, each event of bad weather alone, and a bad week; `make soak` draws new ones for as long as it is
told (`tests/model/soak.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from include.domain.states import Status
from include.sandbox.knobs import REQUEST_WEATHER, UPDATE_WEATHER
from tests.model.cases import CASES, play_cases
from tests.model.machine import ALTERED_FIELDS, Loop, sandboxes
from tests.model.storm import EVENTS, Storm, bad_week, hurried

EXAMPLES, STEPS = 2, 12
WEEK = 7


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_cj_comes_to_hold_what_the_warehouse_says_whatever_happens_on_the_way(tmp_path: Path) -> None:
    with sandboxes(tmp_path) as new_world:
        play(new_world, max_examples=EXAMPLES, derandomize=True)


@pytest.mark.slow
def test_each_event_alone_leaves_what_the_contract_promises(tmp_path: Path) -> None:
    with hurried(), sandboxes(tmp_path) as new_world:
        play_cases(Storm(new_world))


@pytest.mark.slow
def test_after_a_bad_week_and_calm_the_contract_is_kept(tmp_path: Path) -> None:
    with hurried(), sandboxes(tmp_path) as new_world:
        storm = Storm(new_world)
        bad_week(storm, WEEK, days=2, many=20)
    print("met: " + ", ".join(f"{name} {n}" for name, n in sorted(storm.world.events.items())))
    assert storm.world.events.keys() & set(REQUEST_WEATHER)
    assert storm.world.events.keys() & set(UPDATE_WEATHER)


def test_every_event_of_a_case_is_one_that_is_played() -> None:
    assert {event for case in CASES.values() for event in case.events.split()} <= EVENTS


@pytest.mark.slow
def test_its_promises_are_kept_where_every_verdict_is_met(tmp_path: Path) -> None:
    with sandboxes(tmp_path) as new_world:
        loop = Loop(new_world)
        loop.opens("gross", "EUR", 10_000, "Pending", (), 10_000, seed=7, many=40)
        met = days_of_everything(loop)
    print("verdicts met: " + ", ".join(f"{status} {n}" for status, n in sorted(met.items())))
    assert {Status(status) for status, n in met.items() if n} == set(Status)
    assert met["mismatched"] >= len(ALTERED_FIELDS)


def days_of_everything(loop: Loop) -> Counter[str]:
    """A few days in which orders wait, are late, arrive, arrive otherwise, never arrive and are overtaken. The verdicts met, over all looks."""
    for seed, field in enumerate(ALTERED_FIELDS):
        loop.orders_are_dropped(seed=seed, many=4, times=None if seed % 2 else 1)
        loop.a_night_that_cj_posts_otherwise(seed=seed, field=field)
        loop.orders_change(seed=seed, many=20)
        loop.reconcile()
        loop.time_passes(timedelta(minutes=70))
        loop.reconcile()
        loop.time_passes(timedelta(hours=26))
    loop.teardown()
    return loop.world.verdicts


def play(new_world: Callable[..., object], **chosen: object) -> None:
    quiet = settings(
        deadline=None, stateful_step_count=STEPS, database=None, print_blob=True, suppress_health_check=list(HealthCheck), **chosen  # type: ignore[arg-type]
    )  # fmt: skip
    run_state_machine_as_test(lambda: Loop(new_world), settings=quiet)  # type: ignore[arg-type]
