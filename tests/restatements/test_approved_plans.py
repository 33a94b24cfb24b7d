"""What may be submitted is one plan, named by its digest: the one a person approved, or one that needed nobody."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace as changed

from include.domain.errors import PlanReplaced
from include.domain.states import Mode
from include.restatements.journal.journal import run_folder
from include.restatements.plan.digest import digest_of
from include.restatements.submit import submit
from tests.model.shop import Key
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, later, night, placed


@pytest.fixture
def world(new_world: NewWorld) -> World:
    """CJ holds an order of 100.00 with a commission, and the warehouse says 80.00 now."""
    made = new_world(Options())
    order = placed()
    made.append([order])
    night(made)
    made.append([later(order, 1, amount=Decimal("80.00"))])
    return made


def plan(world: World) -> Night:
    return world.prepare(BEGIN.replace(day=1), world.now(), "tonight")


def asking(world: World, limit: str) -> Any:
    return replace(world.settings, approve_above=Decimal(limit))


def test_the_same_plan_made_again_has_the_same_digest_and_the_next_turn(world: World) -> None:
    first, again = plan(world).prepared, plan(world).prepared
    assert (first.digest, first.turn, again.turn) == (again.digest, 1, 2)
    manifest = world.journal.manifest(run_folder("tonight"))
    assert manifest is not None
    assert (manifest.digest, manifest.turn) == (again.digest, 2)


def test_whatever_a_person_reads_of_a_plan_changes_its_digest(world: World) -> None:
    plan(world)
    manifest = world.journal.manifest(run_folder("tonight"))
    assert manifest is not None
    (chunk,) = manifest.chunks
    others = [
        changed(manifest, at_stake="0.01"),
        changed(manifest, modes=dict.fromkeys(manifest.modes, Mode.TEST)),
        changed(manifest, chunks=[]),
        changed(manifest, chunks=[chunk, chunk]),
        *(
            changed(manifest, chunks=[changed(chunk, **field)])
            for field in ({"content_hash": "0"}, {"operation": "cancel"}, {"orders": 9}, {"amounts": {"USD": "1"}}, {"enterprise_id": "1"})
        ),
    ]
    assert len({digest_of(other) for other in [manifest, *others]}) == len(others) + 1


def test_an_answer_to_an_old_digest_sends_nothing(world: World) -> None:
    approved = plan(world).prepared.digest
    world.append([placed(key=Key(placed().key.tracker, "o-2"))])
    now = plan(world).prepared
    sent = len(world.fates())
    for batch in now.batches:
        with pytest.raises(
            PlanReplaced, match=rf"is {now.digest} now, and plan {approved} was approved\. Nothing was sent for it\. Clear task"
        ):
            submit(plan(world).run, world.settings, batch, digest=approved)
    assert len(world.fates()) == sent


def test_above_the_limit_only_the_approved_digest_is_sent(world: World) -> None:
    prepared, sent = plan(world), len(world.fates())
    (batch,) = prepared.prepared.batches
    assert Decimal(prepared.prepared.at_stake) > 0
    with pytest.raises(PlanReplaced, match=r"no plan of it was approved\. Nothing was sent"):
        submit(prepared.run, asking(world, "0"), batch)
    assert len(world.fates()) == sent
    assert submit(prepared.run, asking(world, "0"), batch, digest=prepared.prepared.digest).accepted == 1


def test_a_plan_below_the_limit_needs_nobody(world: World) -> None:
    prepared = plan(world)
    (batch,) = prepared.prepared.batches
    assert submit(prepared.run, asking(world, "1000000"), batch).accepted == 1
