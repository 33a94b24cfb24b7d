"""Posting a chunk: Test Mode first, then live where the mode says so.

A live call is made by exactly one process, after its intent is durable, and never repeated here. What comes of it is one of

    an answer            each order accepted (the answer names it); rejected, where CJ refused before executing, or took none and said why;
                         else unknown
    certainly not sent   refused connection, unknown name, 429, a bad token: the intent is taken back, and the chunk may be tried again, unless so
                         much time has gone by that others may have counted on the intent: then it is left, and settled as below
    no verdict           a timeout, a cut, a gateway's page, a 5xx: recorded as unknown, settled an hour later from Commission Detail

What it does not do: decide what to send (plan), or whether it arrived (reconciliation).
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from include.cj.breaker import Breaker
from include.cj.client import Answer, CJClient, OrderEcho
from include.cj.errors import CJError, CJRequestTooLarge, words_of
from include.cj.payload import body_hash, request_body
from include.domain.errors import JournalConflict
from include.domain.states import Mode
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal.chunks import content_hash
from include.restatements.journal.documents import Accepted, Answered, InTestMode
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal, Visit
from include.restatements.posting.refused import find_refused, is_too_large
from include.restatements.posting.words import without_values

INTENT_LASTS = timedelta(minutes=5)
"""How old an intent may be when its call leaves, or when it is taken back. A process frozen longer (a suspended machine) finds that others have moved on: an hour later its
orders are settled as not posted, and may have been sent again in a newer state."""


@dataclass
class Submitted:
    """What became of a batch of chunks. Counts are orders; `left` are orders not posted yet."""

    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    refused: int = 0
    left: int = 0
    paused_until: datetime | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Said:
    """What Test Mode said of a chunk."""

    tested: InTestMode
    body: bytes | None = None
    """The body it was asked with, when that held all of the orders and was built just now."""
    answer: Answered | None = None
    """In mode `test`: the chunk's answer."""


@dataclass(frozen=True)
class Poster:
    """One account's way to CJ: its client, its breaker, how far it may go."""

    client: CJClient
    breaker: Breaker
    mode: Mode
    journal: Journal
    checkpoint: Checkpoint = no_checkpoint

    def submit(self, ref: ChunkRef, expected_hash: str, done: Submitted) -> None:
        """Bring one chunk to an answer, and count it in `done`. Posts nothing when the chunk has an intent or an answer already.

        Raises CJError when nothing was posted and nothing was decided (trying again later is safe), JournalConflict when the chunk's file is
        not what was planned.
        """
        found = self.journal.visit(ref, always_tested=True)
        orders = self.journal.orders(ref)
        if found.state is not ChunkState.PLANNED:
            _count(found, orders.num_rows, done)
            return
        if content_hash(orders["enterprise_id"][0].as_py(), ref.operation, orders) != expected_hash:
            raise JournalConflict(
                f"Chunk {ref} does not hold the orders that were planned. Nothing was sent for it. Its file was changed after planning: clear `prepare` to plan again."
            )
        self.checkpoint("before_test")
        # In mode `test` it is asked anew where the answer was not recorded: what it let pass is known from nowhere else.
        known = found.tested if self.mode is Mode.LIVE else None
        said = self._tested_before(known) if known is not None else self._test(ref, orders, done.notes)
        self.checkpoint("after_test")
        _count(self._answer(ref, orders, said, done.notes), orders.num_rows, done)

    def _answer(self, ref: ChunkRef, orders: pa.Table, said: _Said, notes: list[str]) -> Visit:
        """Post what Test Mode let pass, where the mode is `live`; the chunk as it is afterwards."""
        answer = said.answer
        if self.mode is Mode.LIVE:
            passed = _passed(orders, said.tested)
            body = said.body if passed is orders else None
            body = body or request_body(ref.operation, passed) if passed.num_rows else None
            answer = self._post(ref, passed, body, notes) if body is not None else self._nothing_left(ref)
        if answer is None:  # another task was faster
            return replace(self.journal.visit(ref), tested=said.tested)
        return Visit(ref, None, said.tested, answer)

    def _nothing_left(self, ref: ChunkRef) -> Answered:
        return self._record(ref, Answered(chunk_id=ref.chunk_id, submitted_at=self.client.now(), mode=Mode.LIVE))

    def _tested_before(self, tested: InTestMode) -> _Said:
        """What Test Mode said to an earlier process. The intent is dated by CJ's clock, so CJ is asked for it; Test Mode would have told it."""
        self.breaker.check()
        try:
            self.client.ping()
        except CJError as error:
            self.breaker.failure(error)
            raise
        return _Said(tested)

    # -- Test Mode -----------------------------------------------------------------------------------------------------------------

    def _test(self, ref: ChunkRef, orders: pa.Table, notes: list[str]) -> _Said:
        """Ask Test Mode, and record its refusals with CJ's words; in mode `test` its answer is the chunk's answer."""
        whole: bytes | None = None
        echoes: list[OrderEcho] = []

        def post(part: pa.Table) -> Answer:
            nonlocal whole
            answer, body = self._ask_test_mode(ref, part, notes)
            whole = body if part is orders else whole
            echoes.extend(answer.orders)
            return answer

        search = find_refused(orders, post)
        if search.too_large and search.passed and self.mode is Mode.LIVE:
            self._ask_whole(ref, orders.take(pa.array(sorted(search.passed))), notes)
        keys = _keys(orders) if search.refused else []
        tested = InTestMode(
            chunk_id=ref.chunk_id,
            tested_at=self.client.now(),
            requests=search.calls,
            refused=[(*keys[p], words) for p, words in sorted(search.refused.items())],
        )
        tested = self.journal.record_tested(ref, tested, anew=self.mode is Mode.TEST)
        if self.mode is Mode.LIVE:
            return _Said(tested, whole)
        answer = Answered(chunk_id=ref.chunk_id, submitted_at=tested.tested_at, mode=Mode.TEST, accepted=_accepted(echoes))
        return _Said(tested, answer=self._record(ref, answer))

    def _ask_whole(self, ref: ChunkRef, passed: pa.Table, notes: list[str]) -> None:
        """What passed in parts goes live as one request: Test Mode says whether CJ can take it. Raises CJRequestTooLarge where it cannot."""
        try:
            self._ask_test_mode(ref, passed, notes)
        except CJError as error:
            if not is_too_large(error):
                raise
            raise CJRequestTooLarge(
                f"CJ does not take the {passed.num_rows} orders of chunk {ref} in one request, though it takes them in parts. Nothing was sent for it. "
                "Lower the Variable cj_chunk_size and clear `prepare`.",
                host=error.host,
                status=error.status,
            ) from None

    # -- live ----------------------------------------------------------------------------------------------------------------------

    def _post(self, ref: ChunkRef, orders: pa.Table, body: bytes, notes: list[str]) -> Answered | None:
        """The answer as it was recorded; None where another task has the intent. Raises CJError where the request certainly never left."""
        self.breaker.check()
        payload_hash = body_hash(body)
        declared_at = self.client.now()
        self.checkpoint("before_intent")
        attempt, began = self.journal.declare_intent(ref, payload_hash, _keys(orders), declared_at), datetime.now(UTC)
        if attempt is None:
            return None
        self.checkpoint("after_intent")
        if self.client.now() - declared_at > INTENT_LASTS:
            # Not taken back: whoever saw the intent meanwhile has counted on its being settled from Commission Detail.
            frozen = "the task was frozen between its intent and its call; it made no call"
            return self._record(ref, _unknown(ref, declared_at, payload_hash, frozen))
        try:
            answer = self.client.submit(ref.operation, Mode.LIVE, body)
        except CJError as error:
            if not error.maybe_done and datetime.now(UTC) - began <= INTENT_LASTS:
                self.journal.take_back_intent(ref, attempt, f"{socket.gethostname()}, process {os.getpid()}", self.client.now(), str(error))
                self.breaker.failure(error)
                raise
            return self._not_answered(ref, error, declared_at, payload_hash)
        self.breaker.success()
        notes += _strangers_note(ref, told_apart(answer.orders, orders)[1])
        self.checkpoint("before_answer")
        recorded = self._record(ref, live_answer(ref, answer, orders, declared_at, payload_hash))
        self.checkpoint("after_answer")
        return recorded

    def _not_answered(self, ref: ChunkRef, error: CJError, declared_at: datetime, payload_hash: str) -> Answered:
        """Unknown. Raises an error that is no call's, and was met so late that the intent could not be taken back."""
        recorded = self._record(ref, _unknown(ref, declared_at, payload_hash, str(error)))
        self.breaker.failure(error)
        if not error.maybe_done:
            raise error
        return recorded

    def _ask_test_mode(self, ref: ChunkRef, orders: pa.Table, notes: list[str]) -> tuple[Answer, bytes]:
        """The answer, with the orders that were asked about alone, and the body it answers."""
        self.breaker.check()
        try:
            body = request_body(ref.operation, orders)
            answer = self.client.submit(ref.operation, Mode.TEST, body)
        except CJError as error:
            self.breaker.failure(error)
            raise
        self.breaker.success()
        ours, strangers = told_apart(answer.orders, orders)
        notes += _strangers_note(ref, strangers)
        return replace(answer, orders=ours), body

    def _record(self, ref: ChunkRef, answer: Answered) -> Answered:
        return self.journal.record_answer(ref, answer)


def _count(found: Visit, orders: int, done: Submitted) -> None:
    """Count the orders of a chunk by what became of them."""
    refused = len(found.refused)
    done.refused += refused
    if found.answer is not None:
        accepted, rejected = len(found.answer.accepted), len(found.answer.rejected)
        unknown = orders - refused - accepted - rejected
        done.accepted += accepted
        done.rejected += rejected
        done.unknown += unknown
        if unknown:
            what = "an order" if unknown == 1 else f"{unknown} orders"
            done.notes.append(f"chunk {found.ref}: outcome of {what} unknown, to be settled from Commission Detail: {found.answer.error}")
    elif found.state is ChunkState.INTENDED:
        done.unknown += orders - refused
        done.notes.append(f"chunk {found.ref}: posted or being posted by another task without an answer yet; not posted again")
    elif found.state is ChunkState.REVOKED:
        done.notes.append(f"chunk {found.ref}: taken over by a run that planned later; nothing was posted")
    else:
        done.left += orders - refused


def _passed(orders: pa.Table, tested: InTestMode) -> pa.Table:
    """The orders that Test Mode let pass; the very table where it refused none."""
    if not tested.refused:
        return orders
    refused = {(tracker, order_id) for tracker, order_id, _ in tested.refused}
    return orders.filter(pa.array([key not in refused for key in _keys(orders)]))


def _unknown(ref: ChunkRef, declared_at: datetime, payload_hash: str, words: str) -> Answered:
    return Answered(chunk_id=ref.chunk_id, submitted_at=declared_at, mode=Mode.LIVE, payload_hash=payload_hash, unknown=True, error=words)


def live_answer(ref: ChunkRef, answer: Answer, orders: pa.Table, submitted_at: datetime, payload_hash: str) -> Answered:
    """What a live call came to. An order is accepted only if the answer names it; rejected only if the answer names nobody, says why, and did not
    break while CJ was executing. The others are unknown: they may have been done.
    """
    ours, _ = told_apart(answer.orders, orders)
    named = {(order.action_tracker_id, order.order_id) for order in ours}
    left = [key for key in _keys(orders) if key not in named]
    words = without_values(words_of(answer.errors), orders)
    refused = bool(words) and not answer.orders and not answer.begun
    return Answered(
        chunk_id=ref.chunk_id,
        submitted_at=submitted_at,
        mode=Mode.LIVE,
        accepted=_accepted(ours),
        rejected=[(*key, words) for key in left] if refused else [],
        payload_hash=payload_hash,
        error=_why_unknown(words) if left and not refused else None,
    )


def _why_unknown(words: str) -> str:
    if not words:
        return "CJ's answer named neither the order nor an error"
    return f"CJ's answer did not name the order, nor does it show that it was not done: {words}"


def told_apart(echoes: list[OrderEcho], orders: pa.Table) -> tuple[list[OrderEcho], list[OrderEcho]]:
    """The echoes of `orders`, one an order, as it was named last; and those of orders that were not sent with them."""
    sent = set(zip(orders["enterprise_id"].to_pylist(), *zip(*_keys(orders), strict=True), strict=True))
    ours, strangers = dict[tuple[str, int, str], OrderEcho](), list[OrderEcho]()
    for echo in echoes:
        key = (echo.enterprise_id, echo.action_tracker_id, echo.order_id)
        if key in sent:
            ours[key] = echo
        else:
            strangers.append(echo)
    return list(ours.values()), strangers


def _strangers_note(ref: ChunkRef, strangers: list[OrderEcho]) -> list[str]:
    if not strangers:
        return []
    names = [f"{order.enterprise_id} {order.action_tracker_id} {order.order_id:.96}" for order in strangers[:3]]
    what, it = ("an order that was", "it counts") if len(strangers) == 1 else (f"{len(strangers)} orders that were", "they count")
    more = ", …" if len(strangers) > len(names) else ""
    return [f"chunk {ref}: CJ's answer names {what} not sent with it ({', '.join(names)}{more}); {it} for nothing"]


def _keys(orders: pa.Table) -> list[tuple[int, str]]:
    return list(zip(orders["action_tracker_id"].to_pylist(), orders["order_id"].to_pylist(), strict=True))


def _accepted(echoes: list[OrderEcho]) -> list[Accepted]:
    return [(o.action_tracker_id, o.order_id, o.submission_id, o.batch_id) for o in echoes]
