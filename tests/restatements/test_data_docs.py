"""A night's page of its validation is made once its orders are on their way; of a night that was refused at once; and none shows another plan's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from include.domain.errors import AboveTheLimit, QuarantineRatioExceeded
from include.restatements.gate.results import RESULT_FILE, RESULT_PAGE, RULES_PAGE
from include.restatements.journal.journal import run_folder
from include.restatements.prepare import prepare
from include.restatements.publish import publish
from include.restatements.settings import Run
from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Key
from tests.model.world import BEGIN, Options, World
from tests.restatements.killed import Killed, killed_at
from tests.restatements.nights import NewWorld, later, placed

START = BEGIN - timedelta(days=9)


def shop(new_world: NewWorld, orders: int = 3, **fields: Any) -> World:
    world = new_world(Options())
    world.append(placed(key=Key(FIXED_DATE, f"o-{number}"), **fields) for number in range(orders))
    return world


def left(world: World, run_id: str = "run_0") -> set[str]:
    """What is in the run's folder of its validation."""
    folder = f"{run_folder(run_id)}/quality"
    return {name for name in (RESULT_FILE, RESULT_PAGE, RULES_PAGE) if world.journal.files.exists(f"{folder}/{name}")}


def page(world: World, run_id: str = "run_0") -> str:
    return (world.journal.files.read(f"{run_folder(run_id)}/quality/{RESULT_PAGE}") or b"").decode()


def test_the_page_of_a_nights_validation_is_made_after_its_last_submission(new_world: NewWorld) -> None:
    world = shop(new_world)
    night = world.prepare(START, world.now())
    assert left(world) == {RESULT_FILE, RULES_PAGE}
    world.submit(night)
    assert left(world) == {RESULT_FILE, RULES_PAGE}
    world.publish(night)
    assert left(world) == {RESULT_FILE, RULES_PAGE, RESULT_PAGE}
    assert "The order has an id." in page(world)


@pytest.mark.parametrize("point", ["before_publish_commit", "before_pages"])
def test_a_night_that_is_killed_before_its_page_is_made_gets_it_with_the_next_try(new_world: NewWorld, point: str) -> None:
    world = shop(new_world)
    night = world.prepare(START, world.now())
    world.submit(night)

    with pytest.raises(Killed):
        publish(night.run, world.settings, world.location, killed_at(point))
    assert RESULT_PAGE not in left(world)
    world.publish(night)
    assert RESULT_PAGE in left(world)


def test_of_a_night_that_too_many_rows_stop_the_page_is_made_at_once_where_the_error_says(new_world: NewWorld) -> None:
    world = shop(new_world, orders=25, currency="Taler")
    careful = replace(world.settings, max_quarantine_ratio=Decimal("0.05"))
    with pytest.raises(QuarantineRatioExceeded) as refusal:
        prepare(Run("run_0", START, world.now()), careful, world.location)
    assert f"{world.journal.files.url}/{run_folder('run_0')}/quality)" in str(refusal.value)
    assert left(world) == {RESULT_FILE, RULES_PAGE, RESULT_PAGE}


def test_of_a_night_above_the_limit_the_page_is_made_at_once(new_world: NewWorld) -> None:
    world, first = new_world(Options()), placed()
    world.pixel([pixel_order(first, first.event_time)])
    world.append([later(first, 5, amount=Decimal("60.00"))])
    careful = replace(world.settings, never_above=Decimal("0.01"))
    with pytest.raises(AboveTheLimit):
        prepare(Run("run_0", START, world.now()), careful, world.location)
    assert left(world) == {RESULT_FILE, RULES_PAGE, RESULT_PAGE}


def test_a_night_that_is_planned_again_does_not_show_the_page_of_the_plan_before(new_world: NewWorld) -> None:
    world = shop(new_world)
    night = world.prepare(START, world.now())
    world.publish(night)
    before = page(world)
    world.append([placed(key=Key(FIXED_DATE, f"o-{number}")) for number in range(3, 5)])
    night = world.prepare(START, world.now(), "run_0")
    assert left(world) == {RESULT_FILE, RULES_PAGE}
    world.submit(night)
    world.publish(night)
    assert page(world) not in ("", before)
