"""The night's first verb: read CJ's news and the touched orders, gate them, plan them, cut them into chunks. Nothing is sent.

Killed or repeated at any moment, it leaves nothing that another process would post: a chunk counts once its plan is committed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from include.domain.errors import AboveTheLimit, SettingError
from include.domain.money import ZERO, money_text
from include.restatements.adoption import adopt
from include.restatements.approval.judging import judge, keep_nights
from include.restatements.approval.moves import shown
from include.restatements.approval.record import asked_before
from include.restatements.approval.sent import sent_before
from include.restatements.changes.extraction import file_to_edit, left_out, order_changes_sql
from include.restatements.changes.orders import check_where_they_are
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal.chunks import Chunk
from include.restatements.journal.documents import Manifest, Move, Summary
from include.restatements.journal.journal import Journal, journal_of
from include.restatements.ledger.accounts import read_accounts
from include.restatements.plan.context import PlanContext, take_numbers
from include.restatements.plan.digest import digest_of
from include.restatements.plan.kept import figures_of_plan
from include.restatements.plan.planner import Planned, plan
from include.restatements.plan.told import told
from include.restatements.quality import keep_results, pages_of_a_refusal
from include.restatements.scratch import scratch_folder
from include.restatements.settings import Run, Settings
from include.sql import filled
from include.warehouse.base import WarehouseLocation, open_warehouse
from include.warehouse.orders import OrdersSource

log = logging.getLogger(__name__)

MOST_BATCHES = 1_000
"""Airflow maps over at most 1,024 items: larger nights get larger batches."""


@dataclass(frozen=True)
class Prepared:
    """What `prepare` hands on: chunk refs by batch, money at stake as text in the advertiser's currency, counts and the same in sentences; the plan's
    digest and its turn."""

    batches: list[list[str]]
    at_stake: str
    unpriced: int
    summary: dict[str, Any]
    digest: str
    turn: int
    told: list[str]
    moves: list[Move]
    """What a person is shown of what it changes."""
    reasons: list[str]
    """Why the money gate asks for a person; none where it does not."""
    after: list[int | None]
    """Of each batch, the place of the batch with its account's canary, which must be proven first; None where it waits for none."""
    found: int
    """How many of its orders a pre-lock review has found to differ."""


def prepare(
    run: Run,
    settings: Settings,
    location: WarehouseLocation,
    checkpoint: Checkpoint = no_checkpoint,
    orders: OrdersSource | None = None,
) -> Prepared:
    """Read CJ's news, then the orders touched in the run's interval; hold back, skip or cut into chunks. Nothing is sent.

    The orders are read from the warehouse, or from `orders` where that is given.

    Raises SettingError, WarehouseError, QuarantineRatioExceeded, AboveTheLimit, StorageError, and CJError when no account can be reached. When some can,
    the orders of the others wait (cj.skipped `waiting`) and the problem is named by `publish`.
    """
    if not settings.accounts:
        raise SettingError('No CJ account is configured. List its connection in the Variable cj_conn_ids, for instance ["cj"].')
    sql = order_changes_sql(settings.order_changes_sql)
    with open_warehouse(location) as session:
        session.create_tables()
        columns = check_where_they_are(session, sql, file_to_edit(settings.order_changes_sql), orders)
    if without := left_out(columns):
        log.info("The order changes SQL gives no %s: taken as null.", ", ".join(without))
    checkpoint("before_ledger")
    now, problems = _read_ledgers(settings, location, checkpoint)
    ahead = now - datetime.now(UTC)
    checkpoint("after_ledger")
    journal = journal_of(settings)
    night = _Night(run, settings, location, journal, sql, ahead, problems, orders, checkpoint)
    planned, manifest = _within_the_limit(night)
    checkpoint("after_commit")
    counts = manifest.summary
    batches, after = in_batches(planned.chunks, settings.chunks_per_task)
    return Prepared(
        batches, manifest.at_stake, manifest.unpriced, counts.as_dict(), str(manifest.digest), manifest.turn, told(counts),
        shown(manifest.moves), manifest.reasons, after, manifest.found,
    )  # fmt: skip


@dataclass(frozen=True)
class _Night:
    """What one night is planned of. `ahead`: how far CJ's clock is before ours; `problems`: enterprise id → why its account was left out."""

    run: Run
    settings: Settings
    location: WarehouseLocation
    journal: Journal
    sql: str
    ahead: timedelta
    problems: dict[str, str]
    orders: OrdersSource | None
    checkpoint: Checkpoint


def _within_the_limit(night: _Night) -> tuple[Planned, Manifest]:
    """The plan; of an account that is above the limit with what a review found, and of each where `send_found` says so, the plan without that. Then what
    happened at the shop goes, and what was found waits. Raises AboveTheLimit where it is above the limit without.
    """
    left = {} if night.settings.send_found else _found_left(night)
    while True:
        try:
            return _plan_once(night, left)
        except AboveTheLimit as above:
            if above.enterprise_id in left or not _found(night.location, above.enterprise_id):
                raise
            left[above.enterprise_id] = _too_much_for_now(night.settings, above)
            log.warning("%s", left[above.enterprise_id])


def _plan_once(night: _Night, left: dict[str, str]) -> tuple[Planned, Manifest]:
    """`left`: enterprise id → why what a review found of it is left aside."""
    with (
        pages_of_a_refusal(night.journal, night.run.run_id),
        scratch_folder("cj-night-") as scratch,
        open_warehouse(night.location) as session,
        session.transaction(),
    ):
        session.serialize("cj.plan")
        # CJ's time here, not when the ledger was read: another plan may have held the name for a while.
        now = datetime.now(UTC) + night.ahead
        context = PlanContext(
            session, night.journal, night.run, night.settings, night.sql, now, scratch, take_numbers(session, night.run.run_id),
            frozenset(night.problems), frozenset(left), checkpoint=night.checkpoint, orders=night.orders,
        )  # fmt: skip
        adopt(session, context.settings.advertisers)
        try:
            planned = plan(context)
        finally:
            keep_results(night.journal, night.run.run_id, scratch)
        night.checkpoint("before_manifest")
        manifest = _keep_plan(context, planned, [*night.problems.values(), *left.values()])
        night.checkpoint("before_commit")
        return planned, manifest


def _read_ledgers(settings: Settings, location: WarehouseLocation, checkpoint: Checkpoint) -> tuple[datetime, dict[str, str]]:
    """CJ's present, and the enterprises whose ledger could not be read, with the reason. Raises the first error, its account named, when none could."""
    read = read_accounts(settings.accounts, location, settings, checkpoint=checkpoint)
    problems = {
        failed.account.enterprise_id: f"Account {failed.account.conn_id!r} was left out, its orders wait for the next run: {failed.error}"
        for failed in read.failures
    }
    for problem in problems.values():
        log.warning("%s", problem)
    if not read.reached:
        raise read.failures[0].named
    return read.now, problems


def _found(location: WarehouseLocation, enterprise_id: str) -> bool:
    """Whether anything that a pre-lock review found waits for a plan."""
    with open_warehouse(location) as session:
        return bool(
            session.rows(
                "SELECT 1 FROM cj.replan_news WHERE found_after IS NOT NULL AND enterprise_id = :enterprise_id LIMIT 1",
                {"enterprise_id": enterprise_id},
            )
        )


def _found_left(night: _Night) -> dict[str, str]:
    """What to say where `send_found` is false. What a review finds after this was asked is left aside by the plan all the same."""
    left = {
        account.enterprise_id: f"Account {account.conn_id!r}: what a pre-lock review found was left for a later night, as the Variable cj_send_found says: look at it "
        "on the page Pre-lock, and where it is right, set the Variable to true before it locks."
        for account in night.settings.accounts
        if _found(night.location, account.enterprise_id)
    }
    for words in left.values():
        log.warning("%s", words)
    return left


def _too_much_for_now(settings: Settings, above: AboveTheLimit) -> str:
    conn_id = next(account.conn_id for account in settings.accounts if account.enterprise_id == above.enterprise_id)
    return (
        f"Account {conn_id!r}: what a pre-lock review found was left for a later night, because with it the money at stake is {above.at_stake}, "
        f"above {money_text(settings.never_above or ZERO)} (Variable cj_never_above): look at it on the page Pre-lock, and where it is right, raise the "
        "Variable before it locks."
    )


def _keep_plan(context: PlanContext, planned: Planned, problems: list[str]) -> Manifest:
    run, accounts = context.run, context.settings.accounts
    for name, file in planned.files.items():
        context.journal.files.put(f"{context.folder}/{name}", file)
    before = context.journal.manifest(context.folder)
    chunks = [chunk.planned() for chunk in planned.chunks]
    sent = sent_before(context.journal, before, chunks)
    questions, let_go = asked_before(context.journal, run.run_id)
    unasked = [part.judged for part in sent if part.digest not in let_go]
    manifest = Manifest(
        run_id=run.run_id,
        interval=(run.interval_start, run.interval_end),
        planned_at=context.planned_at,
        cj_time=context.now,
        plan_number=context.numbers.plan,
        modes={a.conn_id: context.settings.effective_mode(a) for a in accounts},
        advertisers=context.settings.advertisers,
        at_stake=money_text(planned.at_stake),
        unpriced=planned.unpriced,
        summary=_summary(planned),
        problems=problems,
        chunks=chunks,
        turn=before.turn + 1 if before is not None else 1,
        questions_before=questions,
        moves=planned.moved.moves,
        gate=judge(context.session, run, context.settings, planned.moved, context.now, context.numbers.reading, unasked),
        sent=sent,
        found=int(str(context.session.rows(filled("plan_found"), {"run_id": run.run_id})[0]["orders"])),
    )
    manifest = replace(manifest, digest=digest_of(manifest))
    context.session.execute(
        "UPDATE cj.plans SET interval_start = :begin, interval_end = :end, figures = :figures WHERE plan_number = :plan",
        {"begin": run.interval_start, "end": run.interval_end, "figures": figures_of_plan(manifest), "plan": context.numbers.plan},
    )
    keep_nights(context.session, manifest, context.numbers.plan)
    context.journal.commit_plan(manifest)
    return manifest


def _summary(planned: Planned) -> Summary:
    sent = planned.operations
    return Summary(
        picked=planned.picked,
        to_send=sum(sent.values()),
        create=sent.get("create", 0),
        restate=sent.get("restate", 0),
        cancel=sent.get("cancel", 0),
        quarantined=sum(planned.quarantined.values()),
        skipped=sum(planned.skipped.values()),
        quarantined_by_reason=dict(planned.quarantined.most_common()),
        skipped_by_reason=dict(planned.skipped.most_common()),
        chunks=len(planned.chunks),
        in_cents_by_kind=dict(planned.in_cents),
    )


def in_batches(chunks: Sequence[Chunk], a_task: int) -> tuple[list[list[str]], list[int | None]]:
    """Chunks grouped for the mapped tasks, and of each group the place of the one that must be proven before it.

    Never two accounts in one batch, so that one account's failure does not hold another's orders. The canaries come first, a batch each account.
    """
    size = max(a_task, -(-len(chunks) // MOST_BATCHES))
    mine = {
        enterprise_id: [c for c in chunks if c.enterprise_id == enterprise_id]
        for enterprise_id in dict.fromkeys(c.enterprise_id for c in chunks)
    }
    canaries = {enterprise_id: first for enterprise_id, those in mine.items() if (first := [str(c.ref) for c in those if c.canary])}
    batches, after = list(canaries.values()), list[int | None]([None] * len(canaries))
    for enterprise_id, those in mine.items():
        rest = [str(c.ref) for c in those if not c.canary]
        cut = [rest[n : n + size] for n in range(0, len(rest), size)]
        batches += cut
        after += [list(canaries).index(enterprise_id) if enterprise_id in canaries else None] * len(cut)
    return batches, after
