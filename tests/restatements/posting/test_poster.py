"""Posting a chunk: what CJ is asked, in what order, and how what comes of it is counted and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from include.cj.errors import CJError, CJInvalidToken, CJPaused, CJRefused, CJRequestTooLarge, CJUnreachable
from include.cj.payload import body_hash, request_body
from include.domain.errors import JournalConflict
from include.domain.states import Mode
from include.restatements.journal.documents import Answered, InTestMode
from include.restatements.journal.journal import ROOT, ChunkState, Journal
from include.restatements.posting import poster
from include.restatements.posting.poster import INTENT_LASTS, Submitted
from include.restatements.posting.refused import MANY_SILENT
from include.storage.local import LocalFolder
from tests.restatements.posting.tracking import LIVE, NOON, REF, TEST, Answering, Stage, broken, echoes, refusal

ALL = ["A", "B", "C"]
TICK = timedelta(microseconds=1)
DOWN = httpx.Response(503)
HASH = "ab"


def counted(done: Submitted) -> tuple[int, ...]:
    """Accepted, rejected, unknown, refused, left."""
    return astuple(done)[:5]


def refusing(*refused: str) -> Answering:
    """Test Mode that takes all but these."""
    return lambda orders: echoes([o for o in orders if o not in refused], ["no"] if set(orders) & set(refused) else [])


def at_most(size: int) -> Answering:
    return lambda orders: echoes(orders) if len(orders) <= size else httpx.Response(413)


def unreachable(_: list[str]) -> httpx.Response:
    raise httpx.ConnectError("refused")


# -- what is asked ---------------------------------------------------------------------------------------------------------------------


def test_nothing_is_counted_before_anything_was_sent() -> None:
    assert counted(Submitted()) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("orders", [["A"], ALL])
def test_what_test_mode_lets_pass_goes_live_in_one_call_each(tmp_path: Path, orders: list[str]) -> None:
    stage = Stage(tmp_path, orders)
    assert counted(stage.submit()) == (len(orders), 0, 0, 0, 0)
    assert stage.asked == [(TEST, orders), (LIVE, orders)]
    assert stage.journal.visit(REF).state is ChunkState.ANSWERED


def test_in_mode_test_nothing_goes_live(tmp_path: Path) -> None:
    stage = Stage(tmp_path, mode=Mode.TEST, in_test=refusing("B"))
    assert counted(stage.submit()) == (2, 0, 0, 1, 0)
    assert stage.calls(LIVE) == []
    found = stage.journal.visit(REF)
    assert found.only_tested
    assert found.answer is not None
    assert [entry[1] for entry in found.answer.accepted] == ["A", "C"]


@pytest.mark.parametrize("orders", [["A"], ALL, [f"o-{n:02}" for n in range(60)]])
@pytest.mark.parametrize("bare", [httpx.Response(404), httpx.Response(410), httpx.Response(400, json={}), httpx.Response(302)])
def test_a_bare_status_for_every_order_is_no_verdict_on_any(tmp_path: Path, orders: list[str], bare: httpx.Response) -> None:
    stage = Stage(tmp_path, orders, in_test=lambda _: bare)
    with pytest.raises(CJRefused):
        stage.submit()
    assert stage.journal.visit(REF, always_tested=True).tested is None
    assert stage.journal.visit(REF).state is ChunkState.PLANNED
    assert len(stage.calls(TEST)) <= 2 * MANY_SILENT + 10
    stage.in_test = echoes
    assert counted(stage.submit()) == (len(orders), 0, 0, 0, 0)


def test_what_refuses_everything_from_some_moment_on_is_no_verdict_on_what_came_after(tmp_path: Path) -> None:
    orders = [f"o-{n:02}" for n in range(90)]
    stage = Stage(tmp_path, orders, in_test=lambda o: echoes(o) if len(stage.calls(TEST)) == 2 else httpx.Response(404))
    with pytest.raises(CJRefused):
        stage.submit()
    assert stage.journal.visit(REF).state is ChunkState.PLANNED


@pytest.mark.parametrize("others", ["taken", "refused in words"])
def test_a_bare_status_for_one_order_alone_is_a_verdict_on_it(tmp_path: Path, others: str) -> None:
    taken = others == "taken"
    stage = Stage(tmp_path, in_test=lambda o: httpx.Response(406) if "B" in o else echoes(o) if taken else echoes([], ["no"]))
    assert counted(Stage(tmp_path / "large", ["B"], in_test=lambda _: httpx.Response(413)).submit()) == (0, 0, 0, 1, 0)
    assert counted(stage.submit()) == ((2, 0, 0, 1, 0) if taken else (0, 0, 0, 3, 0))


def test_what_test_mode_refuses_does_not_go_live(tmp_path: Path) -> None:
    stage = Stage(tmp_path, in_test=refusing("B"))
    assert counted(stage.submit()) == (2, 0, 0, 1, 0)
    assert stage.calls(LIVE) == [["A", "C"]]
    assert stage.journal.visit(REF).refused == [(401, "B", "no")]


def test_a_chunk_that_was_refused_whole_is_answered_without_a_call(tmp_path: Path) -> None:
    stage = Stage(tmp_path, in_test=lambda _: refusal("no"))
    assert counted(stage.submit()) == (0, 0, 0, 3, 0)
    assert stage.calls(LIVE) == []
    found = stage.journal.visit(REF)
    assert found.state is ChunkState.ANSWERED
    assert not found.only_tested


@pytest.mark.parametrize("orders", [["A"], ALL])
def test_an_execution_that_broke_in_test_mode_is_no_verdict_on_an_order_that_passes_when_it_is_asked_again(
    tmp_path: Path, orders: list[str]
) -> None:
    met: list[str] = []

    def breaking_once_each(asked: list[str]) -> httpx.Response:
        fresh = asked[0] not in met
        met.extend(asked if len(asked) == 1 else [])
        return broken("null") if fresh else echoes(asked)

    stage = Stage(tmp_path, orders, in_test=breaking_once_each)
    assert counted(stage.submit()) == (len(orders), 0, 0, 0, 0)
    assert stage.calls(LIVE) == [orders]


def test_an_order_that_breaks_cj_each_time_is_refused_in_cjs_words_and_the_others_go_on(tmp_path: Path) -> None:
    stage = Stage(tmp_path, in_test=lambda asked: broken("null") if "B" in asked else echoes(asked))
    assert counted(stage.submit()) == (2, 0, 0, 1, 0)
    assert (stage.calls(LIVE), stage.journal.visit(REF).refused) == ([["A", "C"]], [(401, "B", "null")])
    assert stage.calls(TEST).count(["B"]) == 2


def test_what_cj_says_of_the_fields_of_an_order_is_asked_once(tmp_path: Path) -> None:
    stage = Stage(tmp_path, ["A"], in_test=lambda _: refusal("no"))
    assert counted(stage.submit()) == (0, 0, 0, 1, 0)
    assert stage.calls(TEST) == [["A"]]


def test_an_execution_that_breaks_and_fits_no_schema_is_asked_again(tmp_path: Path) -> None:
    """graphql-java says so of a value that it could not coerce while it executed."""
    answers = iter([broken("Validation error of type WrongType: x"), *[echoes(["A"])] * 3])
    stage = Stage(tmp_path, ["A"], in_test=lambda _: next(answers))
    assert counted(stage.submit()) == (1, 0, 0, 0, 0)


def test_a_chunk_that_was_changed_since_it_was_planned_is_not_sent(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.content = "0" * 32
    with pytest.raises(JournalConflict, match="does not hold the orders that were planned"):
        stage.submit()
    assert stage.asked == []


@pytest.mark.parametrize(("mode", "tests"), [(Mode.LIVE, 0), (Mode.TEST, 1)])
def test_what_an_earlier_process_was_told_in_test_mode_counts_for_a_live_call_alone(tmp_path: Path, mode: Mode, tests: int) -> None:
    """In mode `test` what passed is known from nowhere but the answer, which was not recorded: it is asked anew, and the new word stands."""
    stage = Stage(tmp_path, mode=mode)
    stage.journal.record_tested(REF, InTestMode(chunk_id=REF.chunk_id, tested_at=NOON, requests=1, refused=[(401, "A", "no")]))
    done = stage.submit()
    assert len(stage.calls(TEST)) == tests
    assert counted(done) == ((2, 0, 0, 1, 0) if mode is Mode.LIVE else (3, 0, 0, 0, 0))
    assert len(stage.journal.visit(REF).refused) == done.refused
    assert stage.calls(LIVE) == ([["B", "C"]] if mode is Mode.LIVE else [])


def test_of_two_tasks_that_ask_test_mode_at_once_the_later_posts_what_the_first_let_pass(tmp_path: Path) -> None:
    def first(orders: list[str]) -> httpx.Response:
        stage.journal.record_tested(REF, InTestMode(chunk_id=REF.chunk_id, tested_at=NOON, requests=1, refused=[(401, "A", "no")]))
        return echoes(orders)

    stage = Stage(tmp_path, in_test=first)
    assert counted(stage.submit()) == (2, 0, 0, 1, 0)
    assert stage.calls(LIVE) == [["B", "C"]]


# -- a request too large for CJ ----------------------------------------------------------------------------------------------------------


def test_what_passed_in_parts_is_asked_about_whole_before_it_goes_live(tmp_path: Path) -> None:
    too_large_at_first = iter([httpx.Response(413)])
    stage = Stage(tmp_path, in_test=lambda orders: next(too_large_at_first, echoes(orders)))
    assert counted(stage.submit()) == (3, 0, 0, 0, 0)
    assert stage.calls(TEST)[0] == stage.calls(TEST)[-1] == ALL
    assert sorted(order for part in stage.calls(TEST)[1:-1] for order in part) == ALL
    assert stage.calls(LIVE) == [ALL]


def test_what_cj_takes_in_parts_alone_does_not_go_live(tmp_path: Path) -> None:
    stage = Stage(tmp_path, in_test=at_most(2))
    with pytest.raises(CJRequestTooLarge, match=r"does not take the 3 orders of chunk .* in one request, though it takes them in parts"):
        stage.submit()
    assert stage.calls(LIVE) == []
    assert stage.journal.visit(REF).state is ChunkState.PLANNED


def test_another_error_of_asking_about_the_whole_is_told_as_it_is(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.in_test = lambda orders: httpx.Response(413 if len(stage.calls(TEST)) == 1 else 401) if len(orders) == 3 else echoes(orders)
    with pytest.raises(CJInvalidToken):
        stage.submit()


def test_in_mode_test_what_passed_in_parts_has_passed(tmp_path: Path) -> None:
    stage = Stage(tmp_path, mode=Mode.TEST, in_test=at_most(2))
    assert counted(stage.submit()) == (3, 0, 0, 0, 0)
    assert stage.calls(TEST).count(ALL) == 1


# -- the live call -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "counts", "error"),
    [
        (lambda orders: refusal("too late"), (0, 3, 0, 0, 0), None),
        (lambda orders: echoes(orders[:2]), (2, 0, 1, 0, 0), "CJ's answer named neither the order nor an error"),
        (lambda orders: echoes(orders[:1], ["late"]), (1, 0, 2, 0, 0), "CJ's answer did not name the order, nor does it show that it was not done: late"),
        (lambda orders: echoes(orders), (3, 0, 0, 0, 0), None),
    ],
)  # fmt: skip
def test_an_answer_is_counted_order_by_order(tmp_path: Path, live: Answering, counts: tuple[int, ...], error: str | None) -> None:
    stage = Stage(tmp_path, live=live)
    done = stage.submit()
    answer = stage.journal.visit(REF).answer
    assert counted(done) == counts
    assert answer is not None
    assert answer.error == error
    what = {0: None, 1: "an order", 2: "2 orders"}[counts[2]]
    assert done.notes == (
        [f"chunk {REF}: outcome of {what} unknown, to be settled from Commission Detail: {error}"] if what is not None else []
    )


def test_a_call_that_may_have_been_done_leaves_its_orders_unknown_and_counts_against_cj(tmp_path: Path) -> None:
    stage = Stage(tmp_path, in_test=refusing("A"), live=lambda _: DOWN)
    assert counted(stage.submit()) == (0, 0, 2, 1, 0)
    with pytest.raises(CJPaused):
        stage.breaker.check()
    answer = stage.journal.visit(REF).answer
    assert answer is not None
    assert (answer.unknown, answer.submitted_at) == (True, NOON)


@pytest.mark.parametrize(("taken", "state"), [(INTENT_LASTS, ChunkState.PLANNED), (INTENT_LASTS + TICK, ChunkState.ANSWERED)])
def test_a_call_that_never_left_takes_its_intent_back_while_the_intent_is_fresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: timedelta, state: ChunkState
) -> None:
    class Clock(datetime):
        at = NOON

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return cls.at

    def late(orders: list[str]) -> httpx.Response:
        Clock.at = NOON + taken
        return unreachable(orders)

    monkeypatch.setattr(poster, "datetime", Clock)
    stage = Stage(tmp_path, live=late)
    with pytest.raises(CJUnreachable):
        stage.submit()
    found = stage.journal.visit(REF)
    assert found.state is state
    assert found.answer is None or found.answer.unknown
    with pytest.raises(CJPaused):
        stage.breaker.check()


@pytest.mark.parametrize(("frozen", "calls"), [(INTENT_LASTS, 1), (INTENT_LASTS + TICK, 0)])
def test_a_call_leaves_only_while_its_intent_is_fresh(tmp_path: Path, frozen: timedelta, calls: int) -> None:
    def stand_still(step: str) -> None:
        if step == "after_intent":
            stage.client.at = NOON + frozen

    stage = Stage(tmp_path, checkpoint=stand_still)
    assert counted(stage.submit()) == (3 * calls, 0, 3 - 3 * calls, 0, 0)
    assert len(stage.calls(LIVE)) == calls


def test_an_intent_lasts_five_minutes() -> None:
    assert timedelta(minutes=5) == INTENT_LASTS


@pytest.mark.parametrize("error", [DOWN, httpx.Response(401)])
def test_an_error_of_test_mode_is_raised_and_told_to_the_breaker(tmp_path: Path, error: httpx.Response) -> None:
    stage = Stage(tmp_path, in_test=lambda _: error)
    with pytest.raises(CJError) as raised:
        stage.submit()
    assert stage.asked == [(TEST, ALL)]
    if raised.value.transient:
        with pytest.raises(CJPaused):
            stage.submit()
    assert stage.journal.visit(REF).state is ChunkState.PLANNED


# -- another task was faster ------------------------------------------------------------------------------------------------------------


def intended(stage: Stage) -> None:
    assert stage.journal.declare_intent(REF, HASH, [], NOON)


def answered(stage: Stage) -> None:
    intended(stage)
    stage.journal.record_answer(
        REF, Answered(chunk_id=REF.chunk_id, submitted_at=NOON, mode=Mode.LIVE, accepted=[(401, "B", "s", "b")], payload_hash=HASH)
    )


def revoked(stage: Stage) -> None:
    stage.journal.revoke(REF, "a later run", NOON)


@pytest.mark.parametrize(
    ("before", "counts", "note"),
    [
        (intended, (0, 0, 2, 1, 0), "posted or being posted by another task without an answer yet; not posted again"),
        (answered, (1, 0, 1, 1, 0), "outcome of an order unknown, to be settled from Commission Detail: None"),
        (revoked, (0, 0, 0, 0, 0), "taken over by a run that planned later; nothing was posted"),
    ],
)
def test_a_chunk_that_is_another_tasks_is_counted_as_it_stands_and_not_asked_about(
    tmp_path: Path, before: Callable[[Stage], None], counts: tuple[int, ...], note: str
) -> None:
    stage = Stage(tmp_path)
    if before is not revoked:
        stage.journal.record_tested(REF, InTestMode(chunk_id=REF.chunk_id, tested_at=NOON, requests=1, refused=[(401, "A", "no")]))
    before(stage)
    done = stage.submit()
    assert counted(done) == counts
    assert done.notes == [f"chunk {REF}: {note}"]
    assert stage.asked == []


def test_a_chunk_that_was_revoked_between_its_test_and_its_call_is_not_sent(tmp_path: Path) -> None:
    stage = Stage(tmp_path, checkpoint=lambda step: revoked(stage) if step == "before_intent" else None)
    assert counted(stage.submit()) == (0, 0, 0, 0, 0)
    assert stage.calls(LIVE) == []


class Busy(LocalFolder):
    """A folder in which the other task takes its intent back right after this one has looked whether it did."""

    def below(self, path: str) -> LocalFolder:
        return self

    def read(self, path: str) -> bytes | None:
        found = super().read(path)
        if found is None and path.endswith(".intent.taken-back.json"):
            Journal(LocalFolder(self.root.parent)).take_back_intent(REF, 1, "the other", NOON, "it never left")
        return found


def test_a_chunk_whose_intent_another_task_had_and_took_back_is_left(tmp_path: Path) -> None:
    def declared(step: str) -> None:
        if step == "before_intent":
            passed = stage.journal.orders(REF).take([0, 2])
            assert other.declare_intent(REF, body_hash(request_body(REF.operation, passed)), [], NOON)

    stage = Stage(tmp_path, in_test=refusing("B"), checkpoint=declared)
    other, stage.journal = stage.journal, Journal(Busy(tmp_path / ROOT))
    assert counted(stage.submit()) == (0, 0, 0, 1, 2)
    assert stage.calls(LIVE) == []


# -- what an answer names that was not sent ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strangers", "told"),
    [
        (["X"], "an order that was not sent with it (1501 401 X); it counts for nothing"),
        (["X", "Y"], "2 orders that were not sent with it (1501 401 X, 1501 401 Y); they count for nothing"),
        (["X", "Y", "Z"], "3 orders that were not sent with it (1501 401 X, 1501 401 Y, 1501 401 Z); they count for nothing"),
        (["V", "X", "Y", "Z"], "4 orders that were not sent with it (1501 401 V, 1501 401 X, 1501 401 Y, …); they count for nothing"),
    ],
)
@pytest.mark.parametrize("where", [TEST, LIVE])
def test_strangers_in_an_answer_are_told_and_count_for_nothing(tmp_path: Path, where: str, strangers: list[str], told: str) -> None:
    stage = Stage(tmp_path)
    if where == TEST:
        stage.in_test = lambda orders: echoes(orders, strangers=strangers)
    else:
        stage.live = lambda orders: echoes(orders, strangers=strangers)
    done = stage.submit()
    assert counted(done) == (3, 0, 0, 0, 0)
    assert done.notes == [f"chunk {REF}: CJ's answer names {told}"]
