"""A preview is the plan without its effects: what another run's chunks hold is counted as the plan would count it, and stays that run's."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from include.restatements.journal.journal import ChunkState
from include.restatements.preview import preview
from include.restatements.settings import Run
from include.warehouse.base import open_warehouse
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, later, night, placed

TABLES = ("planned", "submissions", "quarantine", "skipped", "plan_input", "replan_keys", "reconciliation", "verdicts_log")


def rows(world: World) -> dict[str, list[dict[str, object]]]:
    """Everything the plan may write to."""
    with open_warehouse(world.location) as session:
        return {table: sorted(session.rows(f"SELECT * FROM cj.{table}"), key=str) for table in TABLES}


def test_a_preview_counts_what_it_would_take_over_and_leaves_it(new_world: NewWorld) -> None:
    world = new_world(Options())
    order = placed()
    world.append([order])
    night(world)
    world.append([later(order, 130, amount=Decimal(80))])
    unsent: Night = world.prepare(BEGIN - timedelta(days=9), world.now())
    world.append([later(order, 140, amount=Decimal(60))])
    before, files = rows(world), sorted(str(p) for p in world.path.parent.rglob("*.intent.json"))

    run = Run("preview", world.now() - timedelta(days=1), world.now() + timedelta(seconds=1))
    (seen,) = preview([run], world.settings, world.location, world.now())

    assert seen.planned.operations == {"restate": 1}
    assert seen.planned.taken_over == 1
    assert rows(world) == before
    assert sorted(str(p) for p in world.path.parent.rglob("*.intent.json")) == files
    (planned,) = unsent.orders.values()
    assert world.chunk_state(planned) is ChunkState.PLANNED
