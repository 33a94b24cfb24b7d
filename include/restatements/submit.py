"""The night's second verb: bring a batch of chunks to an answer. The only place that sends anything.

Each process loads no more than it needs to post: neither the warehouse nor the gate is imported here.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from include.cj.breaker import Breaker
from include.cj.client import CJClient
from include.cj.errors import CJPaused
from include.cj.transport import Timeouts
from include.domain.account import Account
from include.domain.errors import PlanReplaced, RestatementsError, SettingError
from include.domain.states import Mode
from include.restatements.approval.stake import must_be_asked
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal.canaries import must_be_proven
from include.restatements.journal.documents import Manifest, PlannedChunk
from include.restatements.journal.journal import ChunkRef, journal_of, run_folder
from include.restatements.plan.digest import digest_of
from include.restatements.posting.poster import Poster, Submitted
from include.restatements.settings import Run, Settings

log = logging.getLogger(__name__)


def submit(
    run: Run,
    settings: Settings,
    batch: list[str],
    checkpoint: Checkpoint = no_checkpoint,
    timeouts: Timeouts | None = None,
    *,
    digest: str | None = None,
) -> Submitted:
    """Bring every chunk of the batch to an answer, two at a time. Repeating it posts nothing that has an intent or an answer.

    `digest` is the plan's that the batch is of: that a person approved, where the money gate asks or more is at stake than `approve_above`; without it only a plan that
    needs no approval is sent. When CJ is down, `paused_until` says until when to leave it alone. Raises PlanReplaced where the run's plan is another
    one; CanaryFirst where its account's canary is not proven; CJError that a retry, or a person, has to settle; what was answered before stays answered.
    """
    done = Submitted()
    if not batch:
        return done
    journal = journal_of(settings)
    refs = [ChunkRef.parse(text) for text in batch]
    manifest = journal.manifest(run_folder(run.run_id))
    if manifest is not None:
        _must_be_approved(manifest, digest, settings)
    planned = {chunk.ref: chunk for chunk in manifest.chunks} if manifest is not None else {}
    missing = [str(r) for r in refs if str(r) not in planned]
    if missing:
        log.info("%d chunks are not in the newest plan of this run any more; they are left alone", len(missing))
    refs = [r for r in refs if str(r) in planned]
    if not refs or manifest is None:
        return done
    account = _account(settings, planned[str(refs[0])].enterprise_id)
    mode = _mode(manifest, settings, account)
    if mode is Mode.LIVE:
        must_be_proven(journal, manifest, [planned[str(ref)] for ref in refs])
    with CJClient(account, timeouts=timeouts) as client:
        breaker = Breaker(journal.files, f"breakers/{account.conn_id}.json", lambda: datetime.now(UTC))
        poster = Poster(client, breaker, mode, journal, checkpoint)
        with ThreadPoolExecutor(max_workers=2) as two:
            results = list(two.map(lambda ref: _submit_one(poster, ref, planned[str(ref)]), refs))
    return _together(results)


def _must_be_approved(manifest: Manifest, digest: str | None, settings: Settings) -> None:
    """The figures a person saw are those of one plan, so only its chunks may be sent."""
    known, limit = digest_of(manifest), settings.approve_above
    if digest is None and not manifest.reasons and not must_be_asked(manifest.at_stake, manifest.unpriced, limit):
        return
    if digest != known:
        asked = f"plan {digest}" if digest else "no plan of it"
        raise PlanReplaced(
            f"The plan of run {manifest.run_id} is {known} now, and {asked} was approved. Nothing was sent for it. "
            "Clear task prepare with its downstream: it plans the night again and asks again where it has to."
        )


def _mode(manifest: Manifest, settings: Settings, account: Account) -> Mode:
    """The more careful of the mode that was planned, and perhaps approved, and the one that is set now: live only where both are."""
    modes = {manifest.modes.get(account.conn_id), settings.effective_mode(account)}
    return Mode.LIVE if modes == {Mode.LIVE} else Mode.TEST


def _submit_one(poster: Poster, ref: ChunkRef, planned: PlannedChunk) -> tuple[Submitted, RestatementsError | None]:
    done = Submitted()
    try:
        poster.submit(ref, planned.content_hash, done)
    except CJPaused as pause:
        done.left += planned.orders
        done.paused_until = pause.until
    except RestatementsError as error:
        return done, error
    return done, None


def _together(results: list[tuple[Submitted, RestatementsError | None]]) -> Submitted:
    total = Submitted()
    for done, _ in results:
        for name in ("accepted", "rejected", "unknown", "refused", "left"):
            setattr(total, name, getattr(total, name) + getattr(done, name))
        total.notes += done.notes
        if done.paused_until:
            total.paused_until = max(done.paused_until, total.paused_until or done.paused_until)
    for note in total.notes:
        log.info("%s", note)
    errors = [error for _, error in results if error is not None]
    if errors:
        raise next((e for e in errors if not e.transient), errors[0])
    return total


def _account(settings: Settings, enterprise_id: str) -> Account:
    account = settings.account_of(enterprise_id)
    if account is None:
        raise SettingError(
            f"Orders of enterprise {enterprise_id} were planned, and no connection in cj_conn_ids has that enterprise_id any more. Nothing was sent for it. "
            "Put the connection back, then clear this task."
        )
    return account
