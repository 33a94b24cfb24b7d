"""The night's verb between its canary and the rest: whether CJ shows the few orders that went live first as they were sent.

It works from the journal and the tables, so it may be killed and asked again at any moment: each time it loads what the canary came to, reads CJ's news of its
account, and judges. Only what is proven is written down; everything else is looked at anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.domain.account import Account
from include.domain.errors import SettingError
from include.domain.states import BREAKS, Canary, Mode, Operation, Status
from include.restatements.adoption import adopt
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal import canaries
from include.restatements.journal.documents import Manifest, PlannedChunk, Proven
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal, journal_of, run_folder
from include.restatements.journal.loading import load_chunk
from include.restatements.ledger.accounts import read_accounts
from include.restatements.settings import Run, Settings
from include.restatements.verdicts.judging import judge
from include.sql import filled
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

LONGEST_PAUSE = timedelta(minutes=15)
SHORTEST_PAUSE = timedelta(seconds=5)
_WAITING = (Status.AWAITING.value, Status.LATE.value)


@dataclass(frozen=True)
class Looked:
    """What a look at a canary came to, in a sentence; and by our own clock when to look again, where it is awaited."""

    state: Canary
    words: str
    again: datetime | None = None


def prove(
    run: Run, settings: Settings, location: WarehouseLocation, batch: Sequence[str], checkpoint: Checkpoint = no_checkpoint
) -> Looked:
    """Looks at the canary whose chunks are `batch`, of one account. Proven once, it stays so.

    Raises CJError where its account cannot be read, WarehouseError, StorageError, SettingError.
    """
    journal = journal_of(settings)
    manifest = journal.manifest(run_folder(run.run_id))
    chunks = [chunk for chunk in manifest.chunks if chunk.ref in batch] if manifest is not None else []
    if manifest is None or len(chunks) < len(batch):
        return Looked(Canary.BROKEN, "The night was planned again since, with a canary of its own.")
    if canaries.is_proven(journal, manifest, chunks[0].enterprise_id):
        return Looked(Canary.PROVEN, "CJ showed the canary as it was sent.")
    if ended := _without_cj(journal, chunks):
        return ended
    account = _account(settings, chunks[0].enterprise_id)
    with open_warehouse(location) as session:
        session.create_tables()
        with session.transaction():
            session.serialize("cj.plan")
            adopt(session, settings.advertisers)
            for chunk in chunks:
                load_chunk(session, journal, run.run_id, ChunkRef.parse(chunk.ref), manifest.advertisers)
    checkpoint("canary_loaded")
    read = read_accounts([account], location, settings, checkpoint=checkpoint)
    if not read.reached:
        raise read.failures[0].named
    with open_warehouse(location) as session:
        with session.transaction():
            session.serialize("cj.plan")
            judge(session, settings, [account], read.now)
        found = _verdicts(session, run.run_id, chunks)
    looked = _judged(found, chunks, canaries.followed(manifest, chunks[0].enterprise_id), settings, read.now)
    checkpoint("before_proof")
    if looked.state is Canary.PROVEN:
        canaries.keep_proof(journal, manifest, _proof(manifest, chunks, found, read.now))
        checkpoint("after_proof")
    return looked


def waits(run: Run, settings: Settings, batch: Sequence[str]) -> bool:
    """Whether the chunks of `batch` are to wait for their account's canary. Asks the journal alone. Raises StorageError."""
    journal = journal_of(settings)
    manifest = journal.manifest(run_folder(run.run_id))
    chunks = [chunk for chunk in manifest.chunks if chunk.ref in batch] if manifest is not None else []
    accounts = (
        [settings.account_of(enterprise_id) for enterprise_id in canaries.waited_for(journal, manifest, chunks)]
        if manifest is not None
        else []
    )
    return any(account is not None and settings.effective_mode(account) is Mode.LIVE for account in accounts)


def _without_cj(journal: Journal, chunks: Sequence[PlannedChunk]) -> Looked | None:
    """What the journal alone says of it; None where CJ has to be asked."""
    visits = [journal.visit(ChunkRef.parse(chunk.ref)) for chunk in chunks]
    if any(visit.state is ChunkState.REVOKED for visit in visits):
        return Looked(Canary.BROKEN, "A later run took the orders of the canary over, so nothing of this night can be proven.")
    if any(visit.state is ChunkState.PLANNED for visit in visits):
        return Looked(Canary.AWAITED, "Not all of the canary is sent yet.", datetime.now(UTC) + LONGEST_PAUSE)
    if any(visit.only_tested for visit in visits):
        return Looked(Canary.TESTED, "The canary was asked about in Test Mode alone, as the others will be.")
    return None


def _account(settings: Settings, enterprise_id: str) -> Account:
    account = settings.account_of(enterprise_id)
    if account is None:
        raise SettingError(
            f"The canary of enterprise {enterprise_id} is sent, and no connection in cj_conn_ids has that enterprise_id any more. Nothing else was sent for it. "
            "Put the connection back, then clear this task."
        )
    return account


def _verdicts(session: Session, run_id: str, chunks: Sequence[PlannedChunk]) -> list[dict[str, object]]:
    ids: dict[str, object] = {f"chunk_{n}": ChunkRef.parse(chunk.ref).chunk_id for n, chunk in enumerate(chunks)}
    sql = filled("canary").replace("(:chunks)", f"({', '.join(f':{name}' for name in ids)})")
    return session.rows(sql, {"run_id": run_id, **ids})


def _judged(
    found: Sequence[dict[str, object]], chunks: Sequence[PlannedChunk], followed: Set[Operation], settings: Settings, now: datetime
) -> Looked:
    """By the rule of `Proven`. `followed` are the operations of which others wait behind the canary; `now` is CJ's time."""
    broken = [row for row in found if row["status"] in BREAKS]
    if broken:
        told = ", ".join(
            f"{row['orders']} {row['operation']} {row['status']} (the first {row['order_id']}: {row['reason'] or 'no reason'})"
            for row in broken
        )
        return Looked(Canary.BROKEN, f"CJ does not show the canary as it was sent: {told}.")
    waiting = [row for row in found if row["status"] in _WAITING]
    if waiting:
        told = ", ".join(f"{row['orders']} {row['operation']} {row['status']}" for row in waiting)
        return Looked(Canary.AWAITED, f"CJ does not show all of the canary yet: {told}.", _again(waiting, settings, now))
    arrived = Counter({row["operation"]: int(str(row["orders"])) for row in found if row["status"] == Status.MATCHED})
    few = [chunk for chunk in chunks if chunk.operation in followed and 2 * arrived[chunk.operation.value] < chunk.orders]
    if few:
        told = " and ".join(f"{arrived[chunk.operation.value] or 'nothing'} of {chunk.orders} {chunk.operation.value}" for chunk in few)
        return Looked(
            Canary.BROKEN,
            f"Of the canary {told} arrived at CJ, fewer than half: it proves nothing. cj.quarantine and cj.submissions say why.",
        )
    return Looked(Canary.PROVEN, f"CJ shows the canary as it was sent: {_matched(found)} orders.")


def _again(waiting: Sequence[dict[str, object]], settings: Settings, now: datetime) -> datetime:
    """At the end of CJ's hour, and after it every quarter of it."""
    hour = timedelta(minutes=settings.processing_minutes)
    sent = max(row["last_at"] for row in waiting if isinstance(row["last_at"], datetime))
    left = sent + hour - now
    return datetime.now(UTC) + (left if left > SHORTEST_PAUSE else max(SHORTEST_PAUSE, min(LONGEST_PAUSE, hour / 4)))


def _proof(manifest: Manifest, chunks: Sequence[PlannedChunk], found: Sequence[dict[str, object]], now: datetime) -> Proven:
    assert manifest.plan_number is not None, "a plan with a canary has a number"
    return Proven(
        run_id=manifest.run_id,
        plan_number=manifest.plan_number,
        enterprise_id=chunks[0].enterprise_id,
        orders=_matched(found),
        proven_at=now,
    )


def _matched(found: Sequence[dict[str, object]]) -> int:
    return sum(int(str(row["orders"])) for row in found if row["status"] == Status.MATCHED)
