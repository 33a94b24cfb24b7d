"""What the earlier plans of a run have sent. It stays in the run's figures when the run is planned again: in parts, a night is still one night."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from include.domain.money import ZERO, exact_sum, money, money_text
from include.domain.states import Operation
from include.restatements.journal.documents import Judged, Manifest, PlannedChunk, Sent
from include.restatements.journal.journal import ChunkRef, Journal


def sent_before(journal: Journal, before: Manifest | None, again: Iterable[PlannedChunk]) -> tuple[Sent, ...]:
    """Of the plan `before` and those before it. What it left unsent is revoked by now; a chunk that is planned `again` as it was counts with the new plan."""
    if before is None:
        return ()
    counted = {chunk.ref for chunk in again}
    chunks = [chunk for chunk in before.chunks if chunk.ref not in counted and journal.visit(ChunkRef.parse(chunk.ref)).may_be_live]
    return (*before.sent, *_of(before, chunks))


def _of(manifest: Manifest, chunks: list[PlannedChunk]) -> Iterator[Sent]:
    for judged in manifest.gate:
        mine = [chunk for chunk in chunks if chunk.enterprise_id == judged.enterprise_id]
        if mine and manifest.plan_number is not None:
            yield Sent(plan_number=manifest.plan_number, digest=manifest.digest, planned_at=manifest.cj_time, judged=_part(judged, mine))


def _part(judged: Judged, chunks: list[PlannedChunk]) -> Judged:
    known = [chunk.taken_back for chunk in chunks if chunk.taken_back is not None]
    return replace(
        judged,
        created=_orders(chunks, Operation.CREATE),
        touched=_orders(chunks, Operation.RESTATE, Operation.CANCEL),
        # An earlier release did not say it of a chunk: then all of the plan may be in what was sent.
        taken_back=money_text(exact_sum([ZERO, *map(money, known)])) if len(known) == len(chunks) else judged.taken_back,
    )


def _orders(chunks: Iterable[PlannedChunk], *operations: Operation) -> int:
    return sum(chunk.orders for chunk in chunks if chunk.operation in operations)
