"""The plan: which operation, if any, brings CJ from what it holds to what the warehouse says, for every order a run picked.

How it works, in one transaction that only one planner at a time may be in (`Session.serialize`):

    1. claims     what earlier plans left open is closed: this run's own earlier plan, and plans nobody has touched for hours. A chunk nobody posted
                  is revoked, so that no process, not even an orphan, can post it any more; what was posted is loaded
    2. picking    the orders touched in the interval, and those to be planned again, are read in their newest state and pass the gate
                  What was to be planned again and the warehouse no longer has is held back
    3. claims     unposted chunks of other runs that share an order with this one are revoked too, and all their orders are taken over
    4. deciding   the first rule of `include.restatements.rules.plan` that holds decides each order; chunks and the tables' rows follow

So at any moment an order is in at most one chunk that may still be posted: one writer for each order, by design. A preview (`PlanContext.kept` is False) is
the same plan without its effects.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from include.domain.shapes import KEY
from include.domain.states import MAX_ATTEMPTS, Stage
from include.restatements.approval.moves import Moved
from include.restatements.changes.extraction import IDS_AT_ONCE
from include.restatements.journal.chunks import Chunk
from include.restatements.plan import claims
from include.restatements.plan.context import PlanContext
from include.restatements.plan.deciding import decide
from include.restatements.plan.picking import Picked, pick
from include.restatements.plan.rows import PlanRows
from include.restatements.plan.spool import QUARANTINED
from include.restatements.rules.plan import GONE, replan_sql
from include.restatements.settings import Run
from include.sql import filled
from include.warehouse.base import Session

MOST_ID_LISTS = 50
"""How many lists of ids one statement has: PostgreSQL takes 65,535 values with one. What is beyond it is read by when it changed, or waits."""

_GONE = pa.schema([QUARANTINED.field(name) for name in (*KEY, "updated_at")])


@dataclass(frozen=True)
class Planned:
    """What a plan came to. Counts are orders; `at_stake` is in the advertiser's currency, of all but the `unpriced` orders to be sent."""

    picked: int
    chunks: tuple[Chunk, ...]
    operations: Counter[str]
    quarantined: Counter[str]
    skipped: Counter[str]
    at_stake: Decimal
    unpriced: int
    taken_over: int
    files: dict[str, Path]
    """What goes into the run's folder beside the chunks, by its name there."""
    in_cents: Counter[str]
    """Orders whose money was brought to the smallest unit of its currency, by what was done."""
    moved: Moved
    """What it changes, by account, operation and partner."""


def plan(context: PlanContext) -> Planned:
    """Inside a transaction that holds `cj.plan`. Afterwards chunk files exist and the tables say so; the manifest is the caller's to write.

    Raises QuarantineRatioExceeded, WarehouseError, StorageError: then nothing is planned.
    """
    _empty_working_tables(context)
    claims.close_own(context)
    taken_over = claims.take(context, claims.abandoned(context))
    find_again(context.session, context.numbers.plan)
    _find_after_rehearsal(context)
    _leave_aside(context)
    context.session.analyze("cj.replan_keys")
    rows = PlanRows(context)
    late = timedelta(hours=context.settings.late_hours)
    touched = replace(context.run, interval_start=context.run.interval_start - late)
    picked: tuple[Picked, ...] = (pick(context, rows, touched, id_lists=id_lists(context.session)),)
    gone = _hold_gone(context, rows, picked)
    if shared := list(dict.fromkeys(claims.sharing(context) + claims.outdated(context, picked[0].refused))):
        context.session.execute("DELETE FROM cj.replan_keys")
        taken_over += claims.take(context, shared, [picked[0].refused])
        _leave_aside(context)
        _drop_picked_from_replan(context)
        picked = (*picked, _pick_taken_over(context, rows, picked))
        gone += _hold_gone(context, rows, picked)
    decided = decide(context, rows, picked)
    rows.append_to_tables()
    context.session.analyze_grown("cj.quarantine", "cj.skipped")
    _empty_working_tables(context)
    return Planned(
        sum(reading.read for reading in picked) + gone, decided.chunks, decided.operations, rows.quarantined, rows.skipped, decided.at_stake,
        decided.unpriced, taken_over, rows.files, sum((Counter(reading.in_cents) for reading in picked), Counter()),
        decided.moved,
    )  # fmt: skip


def find_again(session: Session, plan_number: int, max_attempts: int = MAX_ATTEMPTS) -> None:
    """Fills cj.replan_keys: the orders whose last word was not the end of the matter. Only what was read since the plan before is looked through."""
    heard = session.rows("SELECT MAX(reading) AS heard FROM cj.plans WHERE collected")[0]["heard"]
    session.execute(filled("replan_news"), {"heard_until": -1 if heard is None else heard})
    session.analyze("cj.replan_news")
    session.execute(replan_sql(), {"max_attempts": max_attempts})
    session.execute(filled("replan_settled"))
    session.execute("UPDATE cj.plans SET collected = TRUE WHERE plan_number = :plan", {"plan": plan_number})


def id_lists(session: Session) -> int:
    """How many lists of ids the log is asked by: one, and as many as a review found orders for. Or one review would have the whole log read back."""
    found = session.rows(
        "SELECT COUNT(*) AS orders FROM cj.replan_keys AS k WHERE EXISTS (SELECT 1 FROM cj.replan_news AS n WHERE n.found_after IS NOT NULL "
        "AND n.enterprise_id = k.enterprise_id AND n.action_tracker_id = k.action_tracker_id AND n.order_id = k.order_id)"
    )[0]["orders"]
    return max(1, min(MOST_ID_LISTS, -(-int(str(found)) // IDS_AT_ONCE)))


def _find_after_rehearsal(context: PlanContext) -> None:
    """What a plan in mode `test` says of an order that a review found is no word about it: it stands as found after this plan."""
    for enterprise_id in context.tested:
        context.session.execute(
            "UPDATE cj.replan_news SET found_after = :plan WHERE found_after IS NOT NULL AND enterprise_id = :enterprise_id",
            {"plan": context.numbers.plan, "enterprise_id": enterprise_id},
        )


def _pick_taken_over(context: PlanContext, rows: PlanRows, before: tuple[Picked, ...]) -> Picked:
    nothing = Run(context.run.run_id, context.run.interval_end, context.run.interval_end)
    return pick(context, rows, nothing, before)


def _hold_gone(context: PlanContext, rows: PlanRows, picked: tuple[Picked, ...]) -> int:
    """What was to be planned again, since something of it was to be sent, and came in no reading goes to cj.quarantine, each state once, or it would wait
    for ever. Returns how many orders.
    """
    found = context.session.rows(
        "SELECT k.enterprise_id, k.action_tracker_id, k.order_id, MAX(k.updated_at) AS updated_at FROM cj.replan_keys AS k "
        "LEFT JOIN cj.plan_input AS i ON i.run_id = :run_id AND i.enterprise_id = k.enterprise_id AND i.action_tracker_id = k.action_tracker_id "
        "AND i.order_id = k.order_id "
        "LEFT JOIN cj.quarantine AS q ON q.rule = :rule AND q.enterprise_id = k.enterprise_id AND q.action_tracker_id = k.action_tracker_id "
        "AND q.order_id = k.order_id AND q.updated_at = k.updated_at "
        "WHERE k.waits AND i.order_id IS NULL AND q.order_id IS NULL GROUP BY k.enterprise_id, k.action_tracker_id, k.order_id",
        {"run_id": context.run.run_id, "rule": GONE.id},
    )
    gone = pa.Table.from_pylist([dict(row) for row in found], _GONE)
    for reading in picked:
        gone = gone.join(reading.refused, list(KEY), join_type="left anti")
    for name, value in (("rule", GONE.id), ("reason", GONE.word), ("detail", GONE.detail)):
        gone = gone.append_column(name, pa.repeat(pa.scalar(value, pa.string()), gone.num_rows))
    if gone.num_rows:
        rows.quarantine(gone, Stage.ELIGIBILITY)
    return gone.num_rows


def _empty_working_tables(context: PlanContext) -> None:
    context.session.execute("DELETE FROM cj.plan_input; DELETE FROM cj.replan_keys")


def _leave_aside(context: PlanContext) -> None:
    """What waits of an account that is not configured now goes on waiting, for the day it is again; and what a review found, where it is too much."""
    mine = {f"enterprise_{n}": enterprise for n, enterprise in enumerate(sorted(context.settings.advertisers))}
    context.session.execute(f"DELETE FROM cj.replan_keys WHERE enterprise_id NOT IN ({', '.join(f':{name}' for name in mine)})", mine)
    for enterprise_id in context.without_found if context.settings.send_found else context.settings.advertisers:
        context.session.execute(filled("replan_found"), {"enterprise_id": enterprise_id})


def _drop_picked_from_replan(context: PlanContext) -> None:
    context.session.execute(filled("replan_picked"))
