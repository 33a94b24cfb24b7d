"""A connection whose advertiser_id was corrected: nothing that was planned or sent under the old one is orphaned."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest

from include.restatements.journal.journal import run_folder
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, placed

OLD = "5599999"


@pytest.fixture
def world(new_world: NewWorld) -> World:
    return new_world(Options())


def planned(world: World, run_id: str) -> Night:
    return world.prepare(BEGIN - timedelta(days=9), world.now(), run_id)


def test_a_night_planned_and_sent_under_a_wrong_advertiser_id_is_loaded_and_judged(world: World) -> None:
    world.append([placed()])
    played = planned(world, "night")
    world.submit(played)
    name = f"{run_folder('night')}/manifest.json"
    manifest = world.journal.files.read(name)
    assert manifest is not None
    world.journal.files.write(name, manifest.replace(world.advertiser.encode(), OLD.encode()))
    world.publish(played)
    world.advance(timedelta(hours=2))
    assert world.reconcile()["matched"] == 1


def test_rows_that_stand_under_a_wrong_advertiser_id_are_judged_all_the_same(world: World) -> None:
    world.append([placed()])
    played = planned(world, "night")
    world.submit(played)
    world.publish(played)
    world.reconcile()
    with duckdb.connect(str(world.path)) as warehouse:
        for table in ("submissions", "reconciliation"):
            warehouse.execute(f"UPDATE cj.{table} SET advertiser_id = ?", [OLD])
    world.advance(timedelta(hours=2))
    assert world.reconcile()["matched"] == 1
    assert world.rows("SELECT advertiser_id FROM cj.reconciliation") == [{"advertiser_id": world.advertiser}]
