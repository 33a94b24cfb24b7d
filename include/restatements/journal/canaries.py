"""An account's canary: a few orders of each operation that go live before the others. What was proven of it stands in the journal.

    <run>/canaries/<plan number>-<enterprise>.json    CJ shows them as they were sent (`Proven`); only then may the account's other chunks of that plan leave

Created once and never removed: whoever was killed, cleared or tried again finds it there, or looks at CJ again. A plan that replaces another has a canary of
its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from include.domain.errors import CanaryFirst
from include.domain.states import Operation
from include.restatements.journal.documents import Manifest, PlannedChunk, Proven, encoded
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal, run_folder


def canary_of(manifest: Manifest, enterprise_id: str) -> list[PlannedChunk]:
    """The chunks that go first; none where nothing does."""
    return [chunk for chunk in manifest.chunks if chunk.canary and chunk.enterprise_id == enterprise_id]


def followed(manifest: Manifest, enterprise_id: str) -> frozenset[Operation]:
    """The operations of which others wait behind the account's canary."""
    return frozenset(chunk.operation for chunk in manifest.chunks if not chunk.canary and chunk.enterprise_id == enterprise_id)


def waited_for(journal: Journal, manifest: Manifest, chunks: Iterable[PlannedChunk]) -> list[str]:
    """The enterprises of which `chunks` may not go live yet, since their canary is not proven."""
    later = dict.fromkeys(chunk.enterprise_id for chunk in chunks if not chunk.canary)
    return [
        enterprise_id for enterprise_id in later if canary_of(manifest, enterprise_id) and not is_proven(journal, manifest, enterprise_id)
    ]


def must_be_proven(journal: Journal, manifest: Manifest, chunks: Iterable[PlannedChunk]) -> None:
    """Raises CanaryFirst where a chunk is to wait for its account's canary."""
    if waiting := waited_for(journal, manifest, chunks):
        raise CanaryFirst(
            f"Of enterprise {', '.join(waiting)} a few orders of run {manifest.run_id} go live before the others (Variable cj_canary_orders), and CJ does not show "
            "yet that they arrived as sent. Nothing of the others was sent. Clear the failed submit tasks to look again."
        )


def why_left(journal: Journal, manifest: Manifest) -> list[str]:
    """A sentence for each account of which orders were left because its canary went live and is not proven."""
    left = [c for c in manifest.chunks if not c.canary and journal.visit(ChunkRef.parse(c.ref)).state is ChunkState.PLANNED]
    return [
        f"Of enterprise {enterprise_id} the {sum(chunk.orders for chunk in canary_of(manifest, enterprise_id))} orders that went live first (the canary) are not proven, so "
        f"the {sum(chunk.orders for chunk in left if chunk.enterprise_id == enterprise_id)} others were not sent; a later night plans them again."
        for enterprise_id in waited_for(journal, manifest, left)
        if any(journal.visit(ChunkRef.parse(chunk.ref)).may_be_live for chunk in canary_of(manifest, enterprise_id))
    ]


def is_proven(journal: Journal, manifest: Manifest, enterprise_id: str) -> bool:
    """Whether the others may go."""
    return journal.files.exists(_path(manifest, enterprise_id))


def keep_proof(journal: Journal, manifest: Manifest, proven: Proven) -> None:
    """Lets the others go. Raises StorageError."""
    journal.files.create(_path(manifest, proven.enterprise_id), encoded(proven, indented=True))


def _path(manifest: Manifest, enterprise_id: str) -> str:
    return f"{run_folder(manifest.run_id)}/canaries/{manifest.plan_number}-{enterprise_id}.json"
