"""Each order to the rule that decides it, and from there into a chunk, cj.quarantine or cj.skipped.

The decisions come from the warehouse in the order of their position, the orders from local disk in the same order; their keys are compared, because
one row out of step would send an order out under its neighbour's rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from include.domain.money import ZERO, exact_sum
from include.domain.shapes import KEY
from include.domain.states import FEWEST_ORDERS, MAX_ATTEMPTS, Operation, Stage
from include.restatements.approval.moves import Moved, Moves, taken_back
from include.restatements.journal.chunks import Chunk, ChunkWriter
from include.restatements.plan.context import PlanContext
from include.restatements.plan.picking import Picked
from include.restatements.plan.rows import PlanRows
from include.restatements.rules.plan import ACCOUNT_AWAY, BY_ID, Rule, plan_sql


@dataclass(frozen=True)
class Decided:
    """What is to be sent. `at_stake` is in the advertiser's currency, of all but the `unpriced` orders, of which nothing tells it."""

    chunks: tuple[Chunk, ...]
    operations: Counter[str]
    at_stake: Decimal
    unpriced: int
    moved: Moved


def decide(context: PlanContext, rows: PlanRows, picked: Iterable[Picked]) -> Decided:
    """Ask the rules of every order in cj.plan_input, and write the chunks. Raises WarehouseError, StorageError."""
    deciding = _Deciding(context, rows)
    with closing(_decisions(context)) as decisions:  # type: ignore[type-var]  # a stream is a generator
        in_order = InOrder(decisions)
        for reading in picked:
            for batch in reading.orders.batches():
                deciding.act(pa.Table.from_batches([batch]), in_order.take(batch.num_rows))
    return deciding.finish()


def asked_with(context: PlanContext) -> dict[str, object]:
    """What the plan's statement is bound to."""
    settings = context.settings
    return {
        "run_id": context.run.run_id,
        "process_by": context.now + timedelta(minutes=settings.processing_minutes),
        "pairs_since": context.now - timedelta(hours=settings.deadline_hours),
        "open_ended_status": settings.open_ended_status,
        "max_attempts": MAX_ATTEMPTS,
        "interval_start": context.run.interval_start,
        "interval_end": context.run.interval_end,
        "fewest_orders": FEWEST_ORDERS,
        "ids_must_meet": settings.ids_must_meet,
        "currency_band": settings.currency_band,
    } | {f"allow_{name}_loss": name in settings.allow_field_loss for name in ("coupon", "discount", "items")}


def _decisions(context: PlanContext) -> Iterator[pa.RecordBatch]:
    return context.session.stream(plan_sql(), asked_with(context), exclusive=True)


class _Deciding:
    """The sums and the open chunks while the decisions come in."""

    def __init__(self, context: PlanContext, rows: PlanRows) -> None:
        self._down = pa.array(sorted(context.down), pa.string())
        self._rows = rows
        self._numbers = context.numbers
        self._writer = ChunkWriter(context.chunks_go_to, context.folder, context.settings.chunk_size, rows.own, canaries=context.canaries)
        self._operations: Counter[str] = Counter()
        self._at_stake = ZERO
        self._unpriced = 0
        self._moves = Moves(context.run.before, context.run.interval_start, context.run.interval_end)

    def act(self, orders: pa.Table, decisions: pa.Table) -> None:
        """One batch of orders with the decision on each."""
        for name in (*KEY, "updated_at"):
            assert decisions[name].equals(orders[name]), f"the decisions are not in the order of the orders they are on: {name} differs"
        decided_by = decisions["rule"]
        if len(self._down):
            # What its ledger says may be old: nothing is sent, and nothing is called unchanged, unknown to CJ or locked because of it.
            decided_by = pc.if_else(pc.is_in(decisions["enterprise_id"], self._down), ACCOUNT_AWAY.id, decided_by)
        for rule in sorted((BY_ID[found] for found in pc.unique(decided_by).to_pylist()), key=_turn):
            mine = pc.equal(decided_by, rule.id)
            self._apply(rule, orders.filter(mine), decisions.filter(mine))

    def finish(self) -> Decided:
        """Writes what is left of the chunks."""
        chunks = tuple(self._writer.finish())
        self._rows.finish()
        return Decided(chunks, self._operations, self._at_stake, self._unpriced, self._moves.finish())

    def _apply(self, rule: Rule, orders: pa.Table, decisions: pa.Table) -> None:
        if rule.operation is not None:
            self._operations[rule.operation.value] += orders.num_rows
            self._unpriced += decisions["at_stake"].null_count
            self._moves.add(rule.operation, orders, decisions)
            self._at_stake = exact_sum([self._at_stake, *decisions["at_stake"].drop_null().to_pylist()])
            sent = orders.set_column(orders.schema.get_field_index("status"), "status", decisions["status"])
            sent = sent.append_column("attempt", decisions["attempt"].cast(pa.int32()))
            for name, number in (("plan_number", self._numbers.plan), ("known_reading", self._numbers.reading)):
                sent = sent.append_column(name, pa.repeat(pa.scalar(number, pa.int64()), sent.num_rows))
            sent = sent.append_column("untouched", pc.equal(sent["change_type"], "new"))
            self._writer.add(rule.operation, sent.append_column("taken_back", taken_back(decisions)))
        elif rule.hold is not None:
            self._rows.quarantine(_quarantined(rule, decisions), Stage.ELIGIBILITY)
        else:
            self._rows.skip(decisions, rule)


def _quarantined(rule: Rule, decisions: pa.Table) -> pa.Table:
    reasons = pa.repeat(pa.scalar(rule.word), decisions.num_rows)
    if rule.reason_of_last_verdict:
        reasons = pc.coalesce(decisions["verdict_reason"], reasons)
    rows = decisions.select([*KEY, "updated_at", "rule"]).append_column("reason", reasons)
    details = pa.repeat(pa.scalar(rule.detail), rows.num_rows)
    if rule.names_cj_ids:
        own = pc.fill_null(pc.cast(decisions["order_id"], pa.string()), "")
        details = pc.binary_join_element_wise(details, pc.binary_join_element_wise("CJ's:", decisions["cj_ids"], "here:", own, " "), " ")
    return rows.append_column("detail", details)


def _turn(rule: Rule) -> int:
    """Chunks are listed by operation: creates, restatements, cancellations."""
    return list(Operation).index(rule.operation) if rule.operation else -1


class InOrder:
    """A stream of decisions, handed out in pieces of any size."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._rest: pa.Table | None = None

    def take(self, rows: int) -> pa.Table:
        """The next `rows` decisions. Fails where the warehouse gave fewer than one for each order."""
        parts = [self._rest] if self._rest is not None and self._rest.num_rows else []
        have = sum(p.num_rows for p in parts)
        while have < rows:
            batch = next(self._batches, None)
            if batch is None:
                raise AssertionError(f"the plan decided {have} of {rows} orders: include/sql/plan.sql must give one row for each order")
            parts.append(pa.Table.from_batches([batch]))
            have += batch.num_rows
        whole = pa.concat_tables(parts)
        self._rest = whole.slice(rows)
        return whole.slice(0, rows)
