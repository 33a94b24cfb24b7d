"""Posting a chunk: Test Mode first, then live where the mode says so.

A live call is made by exactly one process, after its intent is durable, and never repeated here. What comes of it is one of

    an answer            each order accepted (the answer names it) or rejected (the answer has errors and does not)
    certainly not sent   refused connection, unknown name, 429, a bad token: the intent is taken back, and the chunk may be tried again
    no verdict           a timeout, a cut, a gateway's page, a 5xx: recorded as unknown, settled an hour later from Commission Detail

What it does not do: decide what to send (plan), or whether it arrived (reconciliation).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from include.cj.breaker import Breaker
from include.cj.client import CLOCK_TOLERANCE, Answer, CJClient, OrderEcho
from include.cj.errors import CJError, CJPaused, CJRequestTooLarge, words_of
from include.cj.payload import body_hash, request_body
from include.domain.errors import JournalConflict
from include.domain.states import Mode
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal.chunks import content_hash
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal
from include.restatements.posting.refused import find_refused, is_too_large

INTENT_LASTS = timedelta(minutes=5)
"""How old an intent may be when its call leaves. A process frozen longer (a suspended machine) finds that others have moved on: an hour later its
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
class Poster:
    """One account's way to CJ: its client, its breaker, how far it may go."""

    client: CJClient
    breaker: Breaker
    mode: Mode
    journal: Journal
    checkpoint: Checkpoint = no_checkpoint
    sent_before: datetime | None = None
    """When the last of what was sent of these orders was sent, as the plan found it."""

    def submit(self, ref: ChunkRef, expected_hash: str, done: Submitted) -> None:
        """Bring one chunk to an answer, and count it in `done`. Posts nothing when the chunk has an intent or an answer already.

        Raises CJError when nothing was posted and nothing was decided (trying again later is safe), JournalConflict when the chunk's file is
        not what was planned.
        """
        state = self.journal.state(ref)
        orders = self.journal.orders(ref)
        if state in (ChunkState.ANSWERED, ChunkState.INTENDED, ChunkState.REVOKED):
            self._count(ref, state, orders.num_rows, done)
            return
        if content_hash(orders["enterprise_id"][0].as_py(), ref.operation, orders) != expected_hash:
            raise JournalConflict(
                f"Chunk {ref} does not hold the orders that were planned. Nothing was sent for it. Its file was changed after planning: clear `prepare` to plan again."
            )
        self.checkpoint("before_test")
        passed, tested_body = self._test(ref, orders)
        self.checkpoint("after_test")
        if self.mode is Mode.LIVE and passed.num_rows:
            self._post(ref, passed, tested_body or request_body(ref.operation, passed))
        elif self.mode is Mode.LIVE:
            self._record(
                ref,
                {"submitted_at": self._after_last(self.client.now()).isoformat(), "mode": Mode.LIVE.value, "accepted": [], "rejected": []},
            )
        self._count(ref, self.journal.state(ref), orders.num_rows, done)

    # -- Test Mode -----------------------------------------------------------------------------------------------------------------

    def _test(self, ref: ChunkRef, orders: pa.Table) -> tuple[pa.Table, bytes | None]:
        """The orders Test Mode let pass, and the very body it passed when those are all of them and it was asked just now.

        Its refusals are recorded with CJ's words; in mode `test` its answer is the chunk's answer.
        """
        # In mode `test` it is asked anew where the answer was not recorded: what it let pass is known from nowhere else.
        tested = self.journal.tested(ref) if self.mode is Mode.LIVE else None
        whole: bytes | None = None
        if tested is None:
            echoes: list[OrderEcho] = []

            def post(part: pa.Table) -> Answer:
                nonlocal whole
                answer, body = self._ask_test_mode(ref, part)
                whole = body if part is orders else whole
                echoes.extend(answer.orders)
                return answer

            search = find_refused(orders, post)
            if search.too_large and search.passed and self.mode is Mode.LIVE:
                self._ask_whole(ref, orders.take(pa.array(sorted(search.passed))))
            keys = _keys(orders) if search.refused else []
            tested = {
                "chunk_id": ref.chunk_id,
                "tested_at": self.client.now().isoformat(),
                "requests": search.calls,
                "refused": [[*keys[p], words] for p, words in sorted(search.refused.items())],
            }
            if self.mode is Mode.TEST:
                answer = {"submitted_at": tested["tested_at"], "mode": Mode.TEST.value, "accepted": _accepted(echoes), "rejected": []}
                self.journal.record_tested(ref, tested)
                self._record(ref, answer)
            else:
                self.journal.record_tested(ref, tested)
        refused = {(tracker, order_id) for tracker, order_id, _ in tested["refused"]}
        if not refused:
            return orders, whole
        return orders.filter(pa.array([key not in refused for key in _keys(orders)])), None

    def _ask_whole(self, ref: ChunkRef, passed: pa.Table) -> None:
        """What passed in parts goes live as one request: Test Mode says whether CJ can take it. Raises CJRequestTooLarge where it cannot."""
        try:
            self._ask_test_mode(ref, passed)
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

    def _post(self, ref: ChunkRef, orders: pa.Table, body: bytes) -> None:
        self.breaker.check()
        payload_hash = body_hash(body)
        declared_at = self._after_last(self.client.now()).isoformat()
        self.checkpoint("before_intent")
        if not self.journal.declare_intent(ref, payload_hash, _keys(orders), declared_at):
            return
        self.checkpoint("after_intent")
        if self.client.now() - datetime.fromisoformat(declared_at) > INTENT_LASTS:
            # Not taken back: whoever saw the intent meanwhile has counted on its being settled from Commission Detail.
            self._record(ref, _unknown(declared_at, payload_hash, "the task was frozen between its intent and its call; it made no call"))
            return
        try:
            answer = self.client.submit(ref.operation, Mode.LIVE, body)
        except CJError as error:
            self._not_answered(ref, error, declared_at, payload_hash)
            return
        self.breaker.success()
        self.checkpoint("before_answer")
        self._record(ref, live_answer(answer, orders, self._after_last(answer.received_at)) | {"payload_hash": payload_hash})
        self.checkpoint("after_answer")

    def _after_last(self, moment: datetime) -> datetime:
        """`moment`, and never before what was sent earlier of these orders: CJ's clock is known to a second or two, and the newest must stay it."""
        if self.sent_before is not None and moment <= self.sent_before < moment + CLOCK_TOLERANCE:
            return self.sent_before + timedelta(microseconds=1)
        return moment

    def _not_answered(self, ref: ChunkRef, error: CJError, declared_at: str, payload_hash: str) -> None:
        if error.maybe_done:
            self._record(ref, _unknown(declared_at, payload_hash, str(error)))
            self._failed(error)
            return
        self.journal.take_back_intent(ref)
        self._failed(error)
        raise error

    def _ask_test_mode(self, ref: ChunkRef, orders: pa.Table) -> tuple[Answer, bytes]:
        self.breaker.check()
        try:
            body = request_body(ref.operation, orders)
            answer = self.client.submit(ref.operation, Mode.TEST, body)
        except CJError as error:
            self._failed(error)
            raise
        self.breaker.success()
        return answer, body

    def _failed(self, error: CJError) -> None:
        if not isinstance(error, CJPaused):
            self.breaker.failure(error)

    def _record(self, ref: ChunkRef, answer: dict[str, Any]) -> None:
        self.journal.record_answer(ref, {"chunk_id": ref.chunk_id, **answer})

    def _count(self, ref: ChunkRef, state: ChunkState, orders: int, done: Submitted) -> None:
        refused = len((self.journal.tested(ref) or {"refused": ()})["refused"])
        done.refused += refused
        if state is ChunkState.ANSWERED:
            answer = self.journal.answer(ref) or {}
            accepted, rejected = len(answer.get("accepted", ())), len(answer.get("rejected", ()))
            done.accepted += accepted
            done.rejected += rejected
            done.unknown += orders - refused - accepted - rejected
            if answer.get("unknown"):
                done.notes.append(f"chunk {ref}: outcome unknown, to be settled from Commission Detail: {answer['error']}")
        elif state is ChunkState.INTENDED:
            done.unknown += orders - refused
            done.notes.append(f"chunk {ref}: posted or being posted by another task without an answer yet; not posted again")
        elif state is ChunkState.REVOKED:
            done.notes.append(f"chunk {ref}: taken over by a run that planned later; nothing was posted")
        else:
            done.left += orders - refused


def _unknown(declared_at: str, payload_hash: str, words: str) -> dict[str, Any]:
    return {"submitted_at": declared_at, "mode": Mode.LIVE.value, "payload_hash": payload_hash, "unknown": True, "error": words}


def live_answer(answer: Answer, orders: pa.Table, submitted_at: datetime) -> dict[str, Any]:
    """The answer file of a live call. An order is accepted only if the answer names it, rejected only if the answer has errors and does not."""
    accepted = _accepted(answer.orders)
    named = {(order.action_tracker_id, order.order_id) for order in answer.orders}
    words = words_of(answer.errors)
    rejected = [[*key, words] for key in _keys(orders) if key not in named] if words else []
    note = {} if words or len(named) == orders.num_rows else {"error": "CJ's answer named neither the order nor an error"}
    return {
        "submitted_at": submitted_at.isoformat(),
        "mode": Mode.LIVE.value,
        "accepted": accepted,
        "rejected": rejected,
        **note,
    }


def _keys(orders: pa.Table) -> list[tuple[int, str]]:
    return list(zip(orders["action_tracker_id"].to_pylist(), orders["order_id"].to_pylist(), strict=True))


def _accepted(echoes: list[OrderEcho]) -> list[tuple[int, str, str, str]]:
    return [(o.action_tracker_id, o.order_id, o.submission_id, o.batch_id) for o in echoes]
