"""Each length and limit of a night at its boundary and on both sides, played as a night: real warehouse, real sandbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import duckdb
import pytest

from include.cj.breaker import Breaker
from include.cj.client import CJClient
from include.domain.states import Mode
from include.restatements import prepare as preparing
from include.restatements.journal.journal import ChunkRef
from include.restatements.plan.claims import TAKE_OVER_AFTER
from include.restatements.posting.poster import INTENT_LASTS, Poster, Submitted
from include.storage.local import LocalFolder
from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Key
from tests.model.world import BEGIN, Options, World
from tests.restatements.nights import NewWorld, later, night, operations, placed, quiet_night

START, SECOND = BEGIN - timedelta(days=9), timedelta(seconds=1)


def many(count: int) -> list[Key]:
    return [Key(FIXED_DATE, f"o-{number:03}") for number in range(count)]


def test_the_lengths_are_those_that_were_decided() -> None:
    assert (timedelta(minutes=5), timedelta(hours=6)) == (INTENT_LASTS, TAKE_OVER_AFTER)
    assert preparing.MOST_BATCHES == 1_000  # Airflow maps over 1,024


# -- what a night picks ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late_hours", "before", "picked"),
    [(0, timedelta(0), 1), (0, SECOND, 0), (2, timedelta(hours=2), 1), (2, timedelta(hours=2) + SECOND, 0), (0.5, timedelta(minutes=30), 1)],
)  # fmt: skip
def test_a_row_may_come_as_late_as_late_hours_and_no_later(new_world: NewWorld, late_hours: float, before: timedelta, picked: int) -> None:
    world = new_world(Options())
    world.settings = replace(world.settings, late_hours=late_hours)
    start = BEGIN - timedelta(hours=1)
    world.append([placed(updated_at=start - before, event_time=start - timedelta(days=1))])
    assert world.prepare(start, world.now()).prepared.summary["picked"] == picked


@pytest.mark.parametrize(("before_end", "picked"), [(timedelta(0), 0), (SECOND, 1)])
def test_the_end_of_an_interval_is_the_next_ones(new_world: NewWorld, before_end: timedelta, picked: int) -> None:
    world = new_world(Options())
    world.settings = replace(world.settings, late_hours=3)
    world.append([placed(updated_at=BEGIN - before_end)])
    assert world.prepare(START, BEGIN).prepared.summary["picked"] == picked


# -- how it is cut ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("orders", "sizes"), [(4, [4]), (5, [5]), (6, [1, 5]), (10, [5, 5]), (11, [1, 5, 5])])
def test_no_request_holds_more_orders_than_the_chunk_size(new_world: NewWorld, orders: int, sizes: list[int]) -> None:
    world = new_world(Options(chunk_size=5))
    world.append(placed(key=key) for key in many(orders))
    played = night(world)
    assert len(world.fates()) == orders
    chunks = [world.journal.orders(ChunkRef.parse(ref)).num_rows for batch in played.prepared.batches for ref in batch]
    assert sorted(chunks) == sizes
    batches = {s["received_at"] for s in world.fates()}
    assert len(batches) == len(sizes)


@pytest.mark.parametrize(
    ("chunks", "a_task", "batches"), [(4, 1, [1, 1, 1, 1]), (5, 1, [2, 2, 1]), (8, 1, [2, 2, 2, 2]), (9, 1, [3, 3, 3]), (5, 4, [4, 1])]
)
def test_airflow_is_given_no_more_batches_than_it_maps_over(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch, chunks: int, a_task: int, batches: list[int]
) -> None:
    monkeypatch.setattr(preparing, "MOST_BATCHES", 4)
    world = new_world(Options(chunk_size=1))
    world.settings = replace(world.settings, chunks_per_task=a_task)
    world.append(placed(key=key) for key in many(chunks))
    assert [len(batch) for batch in world.prepare(START, world.now()).prepared.batches] == batches


# -- whose it is -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("age", "taken"), [(TAKE_OVER_AFTER - timedelta(minutes=1), 0), (TAKE_OVER_AFTER + timedelta(minutes=1), 1)])
def test_a_plan_nobody_touched_for_six_hours_is_another_nights(new_world: NewWorld, age: timedelta, taken: int) -> None:
    world = new_world(Options())
    world.append([placed()])
    left = world.prepare(START, world.now())
    with duckdb.connect(str(world.path)) as connection:
        connection.execute("UPDATE cj.planned SET planned_at = planned_at - CAST(? AS interval)", [f"{age.total_seconds():.0f} seconds"])
    other = quiet_night(world)
    assert len(other.orders) == taken
    world.submit(left)
    assert len(world.fates()) == 1
    assert [r["run_id"] for r in world.rows("SELECT DISTINCT run_id FROM cj.planned UNION SELECT DISTINCT run_id FROM cj.submissions")] == [
        (other if taken else left).run.run_id
    ]


class Frozen(CJClient):
    """A client on a machine that stands still between two lines: afterwards its clock has gone on."""

    for_ = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.for_


@pytest.mark.parametrize(("frozen", "posts"), [(INTENT_LASTS - 5 * SECOND, 1), (INTENT_LASTS + SECOND, 0)])
def test_a_call_leaves_only_while_its_intent_is_fresh(new_world: NewWorld, frozen: timedelta, posts: int) -> None:
    world, done = new_world(Options()), Submitted()
    world.append([placed()])
    ref = ChunkRef.parse(world.prepare(START, world.now()).prepared.batches[0][0])
    manifest = world.journal.manifest(ref.folder)
    assert manifest is not None

    def stand_still(step: str) -> None:
        if step == "after_intent":
            client.for_ = frozen

    with Frozen(world.settings.accounts[0]) as client:
        breaker = Breaker(LocalFolder(world.path.parent), "breaker.json", client.now)
        Poster(client, breaker, Mode.LIVE, world.journal, stand_still).submit(ref, manifest.chunks[0].content_hash, done)
    assert len(world.fates()) == posts
    assert (done.accepted, done.unknown) == (posts, 1 - posts)
    assert posts or "made no call" in done.notes[0]


# -- how long what was skipped is kept ----------------------------------------------------------------------------------------------------


def skips(world: World) -> list[str]:
    return sorted(str(r["reason"]) for r in world.rows("SELECT reason FROM cj.skipped"))


def publish_after(world: World, span: timedelta) -> None:
    """An empty night, planned so long after the last."""
    world.advance(span)
    world.publish(world.prepare(world.now() - SECOND, world.now()))


@pytest.mark.parametrize(
    ("after", "kept"), [(timedelta(days=3, minutes=-2), ["not_in_cj", "unchanged"]), (timedelta(days=3, minutes=1), [])]
)
def test_skips_are_kept_as_many_days_as_it_is_said(new_world: NewWorld, after: timedelta, kept: list[str]) -> None:
    world, held = new_world(Options()), placed()
    world.settings = replace(world.settings, keep_skipped_days=3)
    world.pixel([pixel_order(held, held.event_time)])
    world.append([held, placed(key=Key(FIXED_DATE, "nobodys"), cj_event=None)])
    world.publish(world.prepare(START, world.now()))
    assert skips(world) == ["not_in_cj", "unchanged"]
    publish_after(world, after)
    assert skips(world) == kept


@pytest.mark.parametrize("ends", ["never", "sent", "quarantined", "skipped"])
def test_what_still_waits_is_kept_until_a_later_word_was_said_of_it(new_world: NewWorld, ends: str) -> None:
    world, first = new_world(Options()), placed()
    world.settings = replace(world.settings, keep_skipped_days=3)
    world.sandbox.control.add_faults([{"kind": "cut_before", "path": "/graphql", "times": 1}])
    world.append([first])
    lost = world.prepare(START, world.now())
    world.submit(lost)
    world.publish(lost)
    world.mend()
    newer = later(first, 5, change_type="cancelled") if ends == "skipped" else later(first, 5, amount=Decimal("60.00"))
    world.append([newer])
    world.publish(world.prepare(START, world.now()))
    assert skips(world) == ["waiting"]
    if ends == "never":
        for _ in range(2):
            publish_after(world, timedelta(days=4))
            assert "waiting" in skips(world)
        return
    world.advance(timedelta(hours=2))
    world.reconcile()  # the lost one is settled as not posted
    if ends == "quarantined":
        world.append([later(newer, 5, discount=Decimal("60.01"))])
    last = night(world)
    assert operations(last) == (["create"] if ends == "sent" else [])
    assert last.prepared.summary["quarantined_by_reason"] == ({"discount_above_amount": 1} if ends == "quarantined" else {})
    assert "waiting" in skips(world)
    publish_after(world, timedelta(days=4))
    assert "waiting" not in skips(world)
