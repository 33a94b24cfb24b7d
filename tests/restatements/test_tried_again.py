"""What was not settled is judged again, and what did not arrive is planned again: at most three times, and never while nobody knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest

from include.cj.breaker import Breaker
from include.cj.client import CJClient
from include.cj.errors import CJAnswerMalformed
from include.cj.payload import body_hash, request_body
from include.domain.errors import JournalConflict
from include.domain.states import Mode, Operation
from include.restatements.journal.journal import ChunkRef
from include.restatements.posting.poster import Poster, Submitted
from include.restatements.prepare import prepare
from include.restatements.publish import publish
from include.restatements.settings import Run
from include.restatements.submit import submit
from include.storage.local import LocalFolder
from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Key
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, later, night, operations, placed, quiet_night

START = BEGIN - timedelta(days=9)
NAMES = ("o-0", "o-1", "o-2")


def creates(new_world: NewWorld, **options: Any) -> World:
    """Three orders that CJ has never seen."""
    world = new_world(Options(**options))
    world.append(placed(key=Key(FIXED_DATE, name)) for name in NAMES)
    return world


def restated(new_world: NewWorld, amount: str = "60.00") -> World:
    """An order that CJ holds at 100.00, and the warehouse at another amount."""
    world, first = new_world(Options()), placed()
    world.pixel([pixel_order(first, first.event_time)])
    world.append([later(first, 5, amount=Decimal(amount))])
    return world


def planned(world: World) -> tuple[Night, ChunkRef, str]:
    """A night of one chunk: the chunk, and the name of what it holds."""
    played = world.prepare(START, world.now())
    ((text,),) = played.prepared.batches
    ref = ChunkRef.parse(text)
    manifest = world.journal.manifest(ref.folder)
    assert manifest is not None
    return played, ref, manifest.chunks[0].content_hash


def outcomes(world: World) -> dict[str, tuple[str, str | None]]:
    rows = world.rows("SELECT order_id, outcome, error_message FROM cj.submissions WHERE mode = 'live' ORDER BY submitted_at")
    return {str(row["order_id"]): (str(row["outcome"]), row["error_message"]) for row in rows}


def verdicts(world: World) -> dict[str, tuple[str, str | None]]:
    return {str(r["o"]): (str(r["status"]), r["reason"]) for r in world.rows("SELECT order_id AS o, status, reason FROM cj.reconciliation")}


# -- an answer that is not whole -----------------------------------------------------------------------------------------------------------


@dataclass
class Forgetful(httpx.BaseTransport):
    """The way to CJ, on which the answers of one path lose what they say of some orders. CJ itself took them all in."""

    path: str
    forgets: frozenset[str]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=30) as way:
            answer = way.send(httpx.Request(request.method, request.url, headers=request.headers, content=request.read()))
        if request.url.path != self.path:
            return httpx.Response(answer.status_code, headers={"Date": answer.headers["Date"]}, content=answer.content)
        said = answer.json()
        for payload in said["data"].values():
            payload["orders"] = [order for order in payload["orders"] if order["orderId"] not in self.forgets]
        return httpx.Response(200, headers={"Date": answer.headers["Date"]}, content=orjson.dumps(said))


def sent_over(world: World, way: Forgetful) -> tuple[Night, Submitted]:
    played, ref, content = planned(world)
    done = Submitted()
    with CJClient(world.settings.accounts[0], transport=way, attempts=1) as client:
        Poster(client, Breaker(LocalFolder(world.path.parent), "breaker.json", client.now), Mode.LIVE, world.journal).submit(
            ref, content, done
        )
    return played, done


def test_an_order_that_a_live_answer_without_errors_does_not_name_is_unknown_until_cjs_records_settle_it(new_world: NewWorld) -> None:
    world = creates(new_world)
    played, done = sent_over(world, Forgetful("/graphql", frozenset({"o-1"})))
    assert (done.accepted, done.rejected, done.unknown, done.refused, done.left) == (2, 0, 1, 0, 0)
    world.publish(played)
    nobody_said = "CJ's answer named neither the order nor an error"
    assert outcomes(world) == {"o-0": ("accepted", None), "o-1": ("unknown", nobody_said), "o-2": ("accepted", None)}
    assert operations(quiet_night(world)) == []
    assert outcomes(world)["o-1"][0] == "accepted"
    assert verdicts(world) == dict.fromkeys(NAMES, ("matched", None))
    assert len(world.fates()) == 3


def test_a_test_mode_that_never_names_an_order_nor_says_why_is_no_verdict_and_nothing_is_sent(new_world: NewWorld) -> None:
    world = creates(new_world)
    with pytest.raises(CJAnswerMalformed, match="neither a result nor an error is in it"):
        sent_over(world, Forgetful("/graphqltest", frozenset({"o-1"})))
    assert world.fates() == []
    assert publish(world.nights[-1].run, world.settings, world.location).incomplete == 3


# -- planned again -----------------------------------------------------------------------------------------------------------------------


def refused_live(world: World, names: list[str]) -> Night:
    """A night of which CJ refuses some orders live, after Test Mode let them pass."""
    played, _, _ = planned(world)

    def from_now_on(step: str) -> None:
        if step == "after_test":
            world.sandbox.control.add_faults([{"kind": "refuse", "order_ids": names, "message": "Order may not be accepted: under review"}])

    submit(played.run, world.settings, played.prepared.batches[0], from_now_on)
    world._take_note(played, played.prepared.batches[0])
    world.publish(played)
    world.mend()
    world.advance(timedelta(hours=2))
    world.reconcile()
    return played


def test_what_cj_refused_live_is_planned_again_alone_and_three_times_in_all(new_world: NewWorld) -> None:
    world = creates(new_world)
    world.sandbox.control.configure(partial_rejection="orders")
    try:
        refused_live(world, ["o-1"])
        # Beside the echo of the others its refusal is not certain: CJ's records said that it was not done.
        assert {name: outcome for name, (outcome, _) in outcomes(world).items()} == {
            "o-0": "accepted",
            "o-1": "unknown",
            "o-2": "accepted",
        }
        assert "under review" in str(outcomes(world)["o-1"][1])
        assert operations(refused_live(world, ["o-1"])) == ["create"]
        assert operations(refused_live(world, ["o-1"])) == ["create"]
    finally:
        world.sandbox.control.configure(partial_rejection="whole")
    attempts = world.rows("SELECT attempt, outcome FROM cj.submissions WHERE order_id = 'o-1' ORDER BY attempt")
    assert [(a["attempt"], a["outcome"]) for a in attempts] == [(1, "unknown"), (2, "rejected"), (3, "rejected")]
    assert operations(quiet_night(world)) == []
    assert sorted(key.order_id for key in world.held()) == ["o-0", "o-2"]


def test_what_cj_refused_live_once_goes_the_next_night(new_world: NewWorld) -> None:
    world = creates(new_world)
    refused_live(world, list(NAMES))
    assert world.fates() == []
    assert operations(quiet_night(world)) == ["create"] * 3
    assert verdicts(world) == dict.fromkeys(NAMES, ("matched", None))


def test_a_create_that_cj_dropped_as_a_duplicate_goes_as_a_restatement(new_world: NewWorld) -> None:
    world, first = new_world(Options()), placed()
    world.append([order := later(first, 5, change_type="new", amount=Decimal("60.00"))])
    played = world.prepare(START, world.now())
    world.submit(played)
    world.publish(played)
    assert operations(played) == ["create"]
    world.pixel([pixel_order(first, first.event_time)])
    world.advance(timedelta(hours=37))
    world.reconcile()
    assert verdicts(world) == {"o-1": ("missing", "duplicate")}
    assert operations(quiet_night(world)) == ["restate"]
    assert world.held()[order.key]["amount"] == "60.00"
    assert verdicts(world) == {"o-1": ("matched", None)}
    assert operations(quiet_night(world)) == []


@pytest.mark.parametrize("kind", ["drop", "alter"])
def test_a_state_that_never_arrives_as_sent_is_sent_three_times_and_stays_a_break(new_world: NewWorld, kind: str) -> None:
    world = restated(new_world)
    lost = {"kind": kind, "order_ids": ["o-1"]} | ({"field": "amount", "value": "75.00"} if kind == "alter" else {})
    world.sandbox.control.add_faults([lost])
    sent = [operations(night(world))]
    for _ in range(4):
        world.advance(timedelta(hours=37))
        world.reconcile()
        sent.append(operations(quiet_night(world)))
    assert sent == [["restate"], ["restate"], ["restate"], [], []]
    assert verdicts(world) == {"o-1": ("missing", "unknown") if kind == "drop" else ("mismatched", "amount")}
    assert [r["attempts"] for r in world.rows("SELECT attempts FROM cj.reconciliation")] == [3]


@pytest.mark.parametrize("older", [False, True])
def test_another_cancellation_than_the_one_on_its_way_waits_and_is_sent_when_that_one_never_arrived(
    new_world: NewWorld, older: bool
) -> None:
    """That one had its three times; this one was never sent at all."""
    world, first = new_world(Options()), placed()
    world.pixel([pixel_order(first, first.event_time)])
    world.append([later(first, 5, change_type="cancelled", correction_reason="BadDebt")])
    world.sandbox.control.add_faults([{"kind": "drop", "order_ids": ["o-1"], "times": 3}])
    assert operations(night(world)) == ["cancel"]
    for _ in range(2):
        world.advance(timedelta(hours=37))
        world.reconcile()
        assert operations(quiet_night(world)) == ["cancel"]
    world.append([later(first, 4 if older else 6, change_type="cancelled")])
    assert operations(night(world)) == []
    world.advance(timedelta(hours=37))
    world.reconcile()
    assert operations(quiet_night(world)) == ([] if older else ["cancel"])
    held = world.held()[first.key]
    assert held["cancelled"] is not older
    rows = world.rows("SELECT status FROM cj.reconciliation ORDER BY updated_at")
    assert [row["status"] for row in rows] == (["missing"] if older else ["superseded", "matched"])
    assert operations(quiet_night(world)) == []


# -- judged again ------------------------------------------------------------------------------------------------------------------------


def mended_by_hand(world: World, ref: ChunkRef) -> None:
    """Somebody enters the right state at CJ, past the package; CJ's hour goes by."""
    with CJClient(world.settings.accounts[0]) as client:
        client.submit(Operation.RESTATE, Mode.LIVE, request_body(Operation.RESTATE, world.journal.orders(ref)))
    world.advance(timedelta(hours=2))


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ({"kind": "alter", "field": "amount", "value": "75.00"}, ("mismatched", "amount")),
        ({"kind": "alter", "field": "coupon"}, ("mismatched", "coupon")),
        ({"kind": "alter", "field": "items"}, ("mismatched", "items")),
        ({"kind": "alter", "field": "discount", "value": "5.00"}, ("mismatched", "discount")),
        ({"kind": "drop"}, ("missing", "unknown")),
    ],
    ids=["amount", "coupon", "items", "discount", "never posted"],
)
def test_a_break_that_was_mended_at_cj_is_judged_again_and_matches(
    new_world: NewWorld, fault: dict[str, Any], broken: tuple[str, str]
) -> None:
    world = restated(new_world)
    world.sandbox.control.add_faults([fault | {"order_ids": ["o-1"], "times": 1}])
    _, ref, _ = planned(world)
    world.submit(world.nights[-1])
    world.publish(world.nights[-1])
    world.advance(timedelta(hours=37))
    for _ in range(2):
        world.reconcile()
        assert verdicts(world) == {"o-1": broken}
    mended_by_hand(world, ref)
    world.reconcile()
    assert verdicts(world) == {"o-1": ("matched", None)}
    assert operations(quiet_night(world)) == []


# -- said by publish -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [0, 1, 2, 3])
def test_publish_says_how_many_orders_were_planned_and_not_posted(new_world: NewWorld, sent: int) -> None:
    world = creates(new_world, chunk_size=1)
    played = world.prepare(START, world.now())
    for ref in played.prepared.batches[0][:sent]:
        submit(played.run, world.settings, [ref])
    for _ in range(2):
        published = publish(played.run, world.settings, world.location)
        assert published.incomplete == 3 - sent
        said = f"{3 - sent} orders of 3 were not sent: see the `submit` tasks, then clear the failed ones. What was answered is not sent again."
        assert published.problems == ([said] if sent < 3 else [])
        assert published.counts == ({"accepted": sent} if sent else {}) | {"quarantine": 0, "skipped": 0}
        assert (published.due_at is None) == (sent == 0)


def test_publishing_what_was_never_planned_says_so(new_world: NewWorld) -> None:
    world = creates(new_world)
    published = publish(Run("never", START, BEGIN), world.settings, world.location)
    assert published.problems == ["Nothing was planned, so nothing was sent: see the `prepare` task."]
    assert (published.counts, published.due_at, published.incomplete) == ({}, None, 0)


# -- one key, two payloads -----------------------------------------------------------------------------------------------------------------


def test_a_folder_that_holds_another_runs_plan_is_refused_before_anything_is_sent(new_world: NewWorld) -> None:
    world = creates(new_world)
    prepare(Run("first", START, world.now()), world.settings, world.location)
    world.journal.files.write("second/manifest.json", world.journal.files.read("first/manifest.json") or b"")
    with pytest.raises(JournalConflict, match=r"^Runs 'first' and 'second' would share the folder 'second'\. Nothing was sent\."):
        prepare(Run("second", START, world.now()), world.settings, world.location)
    assert world.fates() == []
    assert {r["run_id"] for r in world.rows("SELECT DISTINCT run_id FROM cj.planned")} == {"first"}


def test_a_chunk_file_that_was_changed_after_planning_is_not_sent(new_world: NewWorld) -> None:
    world = creates(new_world)
    played, ref, _ = planned(world)
    world.journal.put_table(f"{ref}.parquet", world.journal.orders(ref).slice(1))
    with pytest.raises(JournalConflict, match=rf"^Chunk {ref} does not hold the orders that were planned\. Nothing was sent for it\."):
        submit(played.run, world.settings, [str(ref)])
    assert world.fates() == []
    assert publish(played.run, world.settings, world.location).incomplete == 3


@pytest.mark.parametrize("same", [True, False])
def test_an_intent_for_another_payload_stops_with_a_sentence_and_one_for_the_same_is_somebody_elses_call(
    new_world: NewWorld, same: bool
) -> None:
    world = creates(new_world)
    played, ref, _ = planned(world)

    def another_worker(step: str) -> None:
        if step == "before_intent":
            body = request_body(ref.operation, world.journal.orders(ref))
            world.journal.declare_intent(ref, body_hash(body) if same else "0" * 32, [], world.now())

    if same:
        done = submit(played.run, world.settings, [str(ref)], another_worker)
        assert (done.unknown, done.accepted) == (3, 0)
    else:
        with pytest.raises(
            JournalConflict, match=rf"^Chunk {ref} was declared with payload 0+ and now has payload [0-9a-f]+\. Nothing was sent for it\."
        ):
            submit(played.run, world.settings, [str(ref)], another_worker)
    assert world.fates() == []


@pytest.mark.parametrize("field", ["updated_at", "event_time"])
def test_a_change_dated_ahead_of_cjs_clock_is_held_back_and_sent_once_its_time_has_come(new_world: NewWorld, field: str) -> None:
    """The warehouse's clock runs ahead of CJ's, or CJ's steps back: the change must not wait for somebody to touch it again."""
    world = new_world(Options())
    soon = world.now() + timedelta(hours=1)
    order = replace(placed(), event_time=soon if field == "event_time" else placed().event_time, updated_at=soon)
    world.append([order])
    first = world.prepare(START, world.now() + timedelta(hours=2))
    assert (operations(first), first.prepared.summary["quarantined"]) == ([], 1)
    world.advance(timedelta(hours=3))
    assert operations(quiet_night(world)) == ["create"]
    assert operations(quiet_night(world)) == []
