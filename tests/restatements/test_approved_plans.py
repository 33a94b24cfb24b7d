"""What may be submitted is one plan, named by its digest: the one a person approved, or one that needed nobody."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace as changed

from include.domain.errors import PlanReplaced
from include.domain.states import Mode
from include.restatements.approval.stake import must_be_asked, stake_told
from include.restatements.journal.journal import run_folder
from include.restatements.plan.digest import digest_of
from include.restatements.submit import submit
from tests.model.histories import pixel_order
from tests.model.shop import Key
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, later, night, operations, placed, quiet_night


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
        changed(manifest, unpriced=1),
        changed(manifest, found=1),
        changed(manifest, modes=dict.fromkeys(manifest.modes, Mode.TEST)),
        changed(manifest, chunks=[]),
        changed(manifest, moves=[]),
        changed(manifest, moves=[changed(manifest.moves[0], publisher_name="another")]),
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


@pytest.mark.parametrize(
    ("at_stake", "unpriced", "limit", "asked"),
    [
        ("1.00", 0, "1", False), ("1.01", 0, "1", True), ("0.00", 1, "1", True), ("0.00", 1, "1000000", True), ("0.00", 0, "0", False),
        ("9999999", 9, None, False),
    ],
)  # fmt: skip
def test_a_person_is_asked_above_the_limit_and_where_it_is_not_known(at_stake: str, unpriced: int, limit: str | None, asked: bool) -> None:
    assert must_be_asked(at_stake, unpriced, None if limit is None else Decimal(limit)) is asked


@pytest.mark.parametrize(
    ("unpriced", "told"),
    [(0, "4.00"), (1, "4.00, and an amount that is not known of 1 order"), (2, "4.00, and an amount that is not known of 2 orders")],
)
def test_a_person_is_told_what_is_not_known(unpriced: int, told: str) -> None:
    assert stake_told("4.00", unpriced) == told


@pytest.mark.parametrize("fields", [{}, {"currency": "GBP"}])
def test_three_orders_of_a_million_do_not_pass_a_limit_of_one(new_world: NewWorld, fields: dict[str, Any]) -> None:
    """Nothing is known of what their action tracker costs, nor of the rate of a pound: unknown is never nothing."""
    world = new_world(Options())
    world.append(placed(key=Key(placed().key.tracker, f"o-{n}"), amount=Decimal("1000000.00"), **fields) for n in range(3))
    prepared = plan(world)
    assert (prepared.prepared.at_stake, prepared.prepared.unpriced) == ("0.00", 3)
    for batch in prepared.prepared.batches:
        with pytest.raises(PlanReplaced, match="Nothing was sent"):
            submit(prepared.run, asking(world, "1"), batch)
    assert world.fates() == []


def test_what_new_orders_cost_is_estimated_by_their_tracker_and_counts_against_the_limit(new_world: NewWorld) -> None:
    world = new_world(Options())
    before = placed(key=Key(placed().key.tracker, "before"))
    world.pixel([pixel_order(before, before.event_time)])
    world.append(placed(key=Key(placed().key.tracker, f"o-{n}"), amount=Decimal("1000.00")) for n in range(3))
    prepared = plan(world)
    assert (prepared.prepared.at_stake, prepared.prepared.unpriced) == ("300.00", 0)
    (batch,) = prepared.prepared.batches
    with pytest.raises(PlanReplaced):
        submit(prepared.run, asking(world, "299.99"), batch)
    assert submit(prepared.run, asking(world, "300"), batch).accepted == 3


@pytest.mark.parametrize(("planned", "now", "goes"), [("live", "live", True), ("test", "live", False), ("live", "test", False)])
def test_a_plan_goes_no_further_than_it_was_planned_for_nor_than_is_set_now(world: World, planned: str, now: str, goes: bool) -> None:
    """A person approved a night of Test Mode: a connection that is switched to live meanwhile does not send it."""

    def mode(of: str) -> None:
        (account,) = world.settings.accounts
        world.settings = replace(world.settings, accounts=(replace(account, mode=Mode(of)),))

    mode(planned)
    prepared, sent = plan(world), len(world.fates())
    mode(now)
    for batch in prepared.prepared.batches:
        submit(prepared.run, world.settings, batch, digest=prepared.prepared.digest)
    assert (len(world.fates()) > sent) is goes


def test_a_plan_that_nobody_let_go_is_planned_again_by_a_later_night(world: World) -> None:
    """Rejected, or not answered: nothing of it was submitted."""
    plan(world)
    world.six_hours_pass_for_abandoned_plans()
    tomorrow = quiet_night(world)
    assert operations(tomorrow) == ["restate"]
    assert [fate["operation"] for fate in world.fates()] == ["create", "restate"]
