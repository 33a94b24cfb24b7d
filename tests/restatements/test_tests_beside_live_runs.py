"""A run in mode `test` asks about orders; what a live run has planned stays the live run's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from include.domain.states import Mode
from include.restatements.journal.journal import ChunkState
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, placed


@pytest.fixture
def world(new_world: NewWorld) -> World:
    return new_world(Options())


def planned(world: World, run_id: str) -> Night:
    return world.prepare(BEGIN - timedelta(days=9), world.now(), run_id)


def states(world: World, played: Night) -> list[ChunkState]:
    return [world.chunk_state(order) for order in played.orders.values()]


@pytest.mark.parametrize("hours", [0, 7])
def test_a_test_run_leaves_a_live_runs_plan_alone(world: World, hours: int) -> None:
    world.append([placed()])
    live = planned(world, "live")
    if hours:
        world.six_hours_pass_for_abandoned_plans()
    settings = world.settings
    world.settings = replace(settings, mode=Mode.TEST)
    tested = planned(world, "test")
    world.submit(tested)
    world.publish(tested)
    assert (len(tested.orders), world.fates()) == (1, [])
    assert states(world, live) == [ChunkState.PLANNED]
    world.settings = settings
    world.submit(live)
    world.publish(live)
    assert [fate["order_id"] for fate in world.fates()] == ["o-1"]
    assert {(row["run_id"], row["mode"]) for row in world.rows("SELECT run_id, mode FROM cj.submissions")} == {
        ("live", "live"),
        ("test", "test"),
    }
    assert world.rows("SELECT * FROM cj.skipped") == world.rows("SELECT * FROM cj.planned") == []


def test_a_live_run_takes_over_what_a_test_run_planned_and_a_test_run_what_another_did(world: World) -> None:
    world.append([placed()])
    settings = world.settings
    world.settings = replace(settings, mode=Mode.TEST)
    first, second = planned(world, "first"), planned(world, "second")
    assert states(world, first) == [ChunkState.REVOKED]
    world.settings = settings
    planned(world, "live")
    assert states(world, second) == [ChunkState.REVOKED]


def test_a_run_of_its_own_that_is_tested_now_plans_anew(world: World) -> None:
    world.append([placed()])
    live = planned(world, "night")
    world.settings = replace(world.settings, mode=Mode.TEST)
    planned(world, "night")
    assert states(world, live) == [ChunkState.REVOKED]
