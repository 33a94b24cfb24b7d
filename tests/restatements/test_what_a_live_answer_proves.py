"""A live call's answer is believed as far as it proves something: an echo that the order is in, a refusal before the execution that nothing was done."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from include.cj.client import Answer, OrderEcho, RequestProblem
from include.domain.shapes import CHUNK
from include.domain.states import Mode, Operation
from include.restatements.journal.documents import Answered
from include.restatements.journal.journal import ChunkRef
from include.restatements.posting.poster import live_answer
from include.restatements.submit import submit
from tests.model.histories import pixel_order
from tests.model.world import Options, World
from tests.restatements.nights import NewWorld, later, night, operations, placed, quiet_night
from tests.restatements.test_tried_again import NAMES, creates, outcomes, planned, verdicts

BOOM = "Something went wrong"


def sent(world: World, fault: dict[str, Any], path: str = "/graphql") -> Any:
    """A night of one chunk whose call on `path` meets the fault; published, nothing settled."""
    played, _, _ = planned(world)
    world.sandbox.control.add_faults([fault | {"path": path, "operation": "createOrders"}])
    done = submit(played.run, world.settings, played.prepared.batches[0])
    world.mend()
    world._take_note(played, played.prepared.batches[0])
    world.publish(played)
    return done


def settled(world: World) -> None:
    """CJ's hour, its records, the next night, and again."""
    world.advance(timedelta(hours=2))
    world.reconcile()
    quiet_night(world)


@pytest.mark.parametrize("work", [False, True])
@pytest.mark.parametrize(
    "message", [BOOM, "Order may not have more than 100 items", "Validation error of type WrongType: x", "Invalid Token"]
)
def test_an_execution_error_leaves_every_order_unknown_until_cjs_records_tell(new_world: NewWorld, work: bool, message: str) -> None:
    world = creates(new_world)
    done = sent(world, {"kind": "execution_error", "done": work, "message": message})
    assert (done.accepted, done.rejected, done.unknown, done.left) == (0, 0, 3, 0)
    assert {outcome for outcome, _ in outcomes(world).values()} == {"unknown"}
    assert message in str(outcomes(world)["o-0"][1])
    assert any("outcome of 3 orders unknown" in note and message in note for note in done.notes)
    settled(world)
    assert verdicts(world) == dict.fromkeys(NAMES, ("matched", None))
    assert len(world.fates()) == 3, "each order was to be worked off once"


@pytest.mark.parametrize("work", [False, True])
def test_what_a_partial_echo_leaves_out_is_unknown_until_cjs_records_tell(new_world: NewWorld, work: bool) -> None:
    world = creates(new_world)
    done = sent(world, {"kind": "partial_echo", "done": work, "message": BOOM})
    assert (done.accepted, done.rejected, done.unknown) == (2, 0, 1)
    assert outcomes(world)["o-2"][0] == "unknown"
    assert BOOM in str(outcomes(world)["o-2"][1])
    settled(world)
    assert verdicts(world) == dict.fromkeys(NAMES, ("matched", None))
    assert len(world.fates()) == 3, "each order was to be worked off once"


@pytest.mark.parametrize("instead", [False, True])
def test_a_stranger_in_a_live_answer_counts_for_nothing_and_is_named(
    new_world: NewWorld, instead: bool, caplog: pytest.LogCaptureFixture
) -> None:
    world = creates(new_world)
    with caplog.at_level(logging.INFO):
        done = sent(world, {"kind": "stranger", "order_id": "not-ours", "instead": instead})
    missing = int(instead)
    assert (done.accepted, done.rejected, done.unknown) == (3 - missing, 0, missing)
    assert set(outcomes(world)) == set(NAMES)
    assert outcomes(world)["o-0"][0] == ("unknown" if instead else "accepted")
    (note,) = [note for note in done.notes if "not-ours" in note]
    assert (
        f"names an order that was not sent with it ({world.settings.accounts[0].enterprise_id} 401 not-ours); it counts for nothing" in note
    )
    assert note in caplog.messages
    settled(world)
    assert verdicts(world) == dict.fromkeys(NAMES, ("matched", None))
    assert len(world.fates()) == 3


def test_a_stranger_in_test_mode_is_no_order_that_was_tested(new_world: NewWorld) -> None:
    world = creates(new_world)
    world.settings = replace(world.settings, mode=Mode.TEST)
    done = sent(world, {"kind": "stranger", "order_id": "not-ours"}, "/graphqltest")
    assert (done.accepted, done.refused, done.unknown) == (3, 0, 0)
    assert any("not-ours" in note for note in done.notes)


def test_a_refusal_of_the_whole_call_in_its_payload_is_certain(new_world: NewWorld) -> None:
    world = creates(new_world)
    played, _, _ = planned(world)

    def from_now_on(step: str) -> None:
        if step == "after_test":
            world.sandbox.control.add_faults([{"kind": "refuse", "order_ids": ["o-1"], "message": "Order may not be accepted"}])

    done = submit(played.run, world.settings, played.prepared.batches[0], from_now_on)
    assert (done.accepted, done.rejected, done.unknown) == (0, 3, 0)
    assert world.fates() == []
    assert operations(played) == ["create"] * 3


@pytest.mark.parametrize("in_flight", [False, True])
def test_what_cj_refused_waits_for_no_verdict_though_a_round_saw_it_in_flight(new_world: NewWorld, in_flight: bool) -> None:
    world = creates(new_world)
    played, _, _ = planned(world)
    steps: list[str] = []

    def from_now_on(step: str) -> None:
        steps.append(step)
        if step == "after_test":
            world.sandbox.control.add_faults([{"kind": "refuse", "order_ids": ["o-1"], "message": "Order may not be accepted"}])
        if step == "after_intent" and in_flight:
            world.publish(played)
            assert world.reconcile()["awaiting"] == 3

    assert submit(played.run, world.settings, played.prepared.batches[0], from_now_on).rejected == 3
    assert "after_intent" in steps
    world._take_note(played, played.prepared.batches[0])
    world.publish(played)
    assert not world.reconcile()["awaiting"]
    assert world.rows("SELECT order_id, status FROM cj.reconciliation") == []
    assert world.rows("SELECT order_id FROM cj.unjudged") == []


def test_a_break_keeps_its_verdict_where_a_later_attempt_is_seen_in_flight_and_refused(new_world: NewWorld) -> None:
    world, first = new_world(Options()), placed()
    world.pixel([pixel_order(first, first.event_time)])
    world.append([first, later(first, 5, amount=Decimal("90.00"))])
    world.sandbox.control.add_faults([{"kind": "alter", "order_ids": ["o-1"], "field": "amount", "value": "1.00", "times": 1}])
    night(world)
    assert verdicts(world) == {"o-1": ("mismatched", "amount")}
    again = world.prepare(world.now() - timedelta(seconds=1), world.now())

    def from_now_on(step: str) -> None:
        if step == "after_test":
            world.sandbox.control.clear_faults()
            world.sandbox.control.add_faults([{"kind": "refuse", "order_ids": ["o-1"], "message": "Order may not be accepted"}])
        if step == "after_intent":
            world.publish(again)
            world.reconcile()

    assert submit(again.run, world.settings, again.prepared.batches[0], from_now_on).rejected == 1
    world._take_note(again, again.prepared.batches[0])
    world.publish(again)
    world.advance(timedelta(hours=2))
    world.reconcile()
    assert verdicts(world) == {"o-1": ("mismatched", "amount")}
    assert world.rows("SELECT order_id FROM cj.unjudged") == []


# -- from the bare answer ------------------------------------------------------------------------------------------------------------------

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
REF = ChunkRef("night", Operation.CREATE, "0f" * 8)
OURS = pa.Table.from_pylist([{"enterprise_id": "1501", "action_tracker_id": 401, "order_id": order} for order in ("A", "B")], CHUNK)


def read(*orders: OrderEcho, errors: list[str] | None = None, begun: bool = False) -> Answered:
    problems = [RequestProblem(words) for words in errors or []]
    return live_answer(REF, Answer(list(orders), problems, NOON, begun), OURS, NOON, "ab")


def echo(order_id: str, enterprise: str = "1501", tracker: int = 401, submission: str = "s") -> OrderEcho:
    return OrderEcho(order_id, enterprise, tracker, submission, "b")


def told(answer: Answered) -> tuple[list[str], list[str]]:
    return [entry[1] for entry in answer.accepted], [entry[1] for entry in answer.rejected]


@pytest.mark.parametrize(
    ("answer", "accepted", "rejected"),
    [
        pytest.param(read(echo("A"), echo("B")), ["A", "B"], [], id="all are named"),
        pytest.param(read(echo("A"), echo("B"), errors=["no"]), ["A", "B"], [], id="all are named beside an error"),
        pytest.param(read(echo("A")), ["A"], [], id="one is named"),
        pytest.param(read(echo("A"), errors=["no"]), ["A"], [], id="one is named beside an error"),
        pytest.param(read(errors=["no"]), [], ["A", "B"], id="errors and nobody"),
        pytest.param(read(errors=["no"], begun=True), [], [], id="errors of the execution"),
        pytest.param(read(echo("A"), errors=["no"], begun=True), ["A"], [], id="one is named beside an error of the execution"),
        pytest.param(read(echo("X"), errors=["no"]), [], [], id="errors and a stranger: whose answer is it"),
        pytest.param(read(echo("X")), [], [], id="a stranger"),
        pytest.param(read(echo("A", enterprise="9")), [], [], id="another's order of that id"),
        pytest.param(read(echo("A", tracker=402)), [], [], id="another tracker's order of that id"),
    ],
)
def test_accepted_is_what_is_named_and_rejected_what_was_refused_before_the_execution(
    answer: Answered, accepted: list[str], rejected: list[str]
) -> None:
    assert told(answer) == (accepted, rejected)
    assert (answer.error is None) == (len(accepted) + len(rejected) == 2), "who is unknown is told why"


def test_an_order_that_is_named_twice_is_accepted_once() -> None:
    answer = read(echo("A", submission="s1"), echo("A", submission="s2"), echo("B"))
    assert list(answer.accepted) == [(401, "A", "s2", "b"), (401, "B", "s", "b")]
