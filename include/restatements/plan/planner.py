"""The plan: which operation, if any, brings CJ from what it holds to what the warehouse says, for every order a run picked.

How it works, in one transaction that only one planner at a time may be in (`Session.serialize`):

    1. what earlier plans left open is closed: this run's own earlier plan, and plans nobody has touched for hours. A chunk nobody posted is
       revoked, so that no process, not even an orphan, can post it any more; what was posted is loaded
    2. the orders touched in the interval, and those to be planned again, are read in their newest state and pass the gate
    3. unposted chunks of other runs that share an order with this one are revoked too, and all their orders are taken over
    4. the first rule of include/restatements/rules/plan.py that holds decides each order; chunks, manifest and cj.planned follow

So at any moment an order is in at most one chunk that may still be posted: one writer an order, by design.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from include.cj.payload import content_hashes
from include.domain.marks import items_marks
from include.domain.money import ZERO, exact_sum
from include.domain.shapes import INSTANT, KEY
from include.domain.states import MAX_ATTEMPTS, Operation, Stage
from include.restatements.changes.extraction import extract
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.gate.gate import Gate, Inspected
from include.restatements.journal.chunks import Chunk, ChunkWriter
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal, run_folder
from include.restatements.journal.loading import leave_to_submissions, load_chunk
from include.restatements.plan.spool import HELD, ORDERS, PLANNED, SKIPPED, Spool, with_constants
from include.restatements.rules.plan import ACCOUNT_AWAY, BY_ID, Rule, plan_sql
from include.restatements.settings import Run, Settings
from include.sql import filled
from include.warehouse.base import Session

TAKE_OVER_AFTER = timedelta(hours=6)
"""How long another run's unposted chunks are left to it, unless an order of theirs is picked again."""


@dataclass
class Planned:
    """What a plan came to. Counts are orders; `at_stake` is in the advertiser's currency."""

    picked: int = 0
    chunks: list[Chunk] = field(default_factory=list)
    operations: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    at_stake: Decimal = ZERO
    taken_over: int = 0
    sent_before: datetime | None = None
    """When the last of what was sent of these orders was sent, by CJ's clock."""


class Planner:
    """One run's plan. `scratch` is a local folder for the length of the plan; `down` are enterprises whose account cannot be reached now."""

    def __init__(
        self, session: Session, journal: Journal, run: Run, settings: Settings, sql: str, now: datetime, scratch: Path, down: frozenset[str],
        checkpoint: Checkpoint = no_checkpoint,
    ) -> None:  # fmt: skip
        self.session, self.journal, self.run, self.settings = session, journal, run, settings
        self.sql, self.now, self.scratch, self.down = sql, now, scratch, down
        self.planned_at = datetime.now(UTC)
        self.checkpoint = checkpoint
        self.keeps = True
        self.folder = run_folder(run.run_id)
        self.advertisers = {a.enterprise_id: a.advertiser_id for a in settings.accounts}
        self.planned = Planned()
        self.picked: list[Spool] = []
        self.refused: list[pa.Table] = []
        self.held = Spool(scratch / "held.parquet", HELD)
        self.skipped = Spool(scratch / "skipped.parquet", SKIPPED)
        self.owned = Spool(scratch / "planned.parquet", PLANNED)

    def plan(self, *, take_over: bool = True) -> Planned:
        """Inside a transaction that holds `cj.plan`. Afterwards chunk files exist and the tables say so; the manifest is the caller's to write.

        Without `take_over` other plans' chunks are left as they are: only for a plan that is rolled back.

        Raises QuarantineRatioExceeded, WarehouseError, StorageError: then nothing is planned.
        """
        self.keeps = take_over
        self.session.execute("DELETE FROM cj.plan_input; DELETE FROM cj.replan_keys")
        if take_over:
            self._close_own_plan()
            self._take_over(self._abandoned())
        self.session.execute(filled("replan_keys"), {"max_attempts": MAX_ATTEMPTS})
        self._leave_other_enterprises()
        self.session.analyze("cj.replan_keys")
        late = timedelta(hours=self.settings.late_hours)
        self._pick(replace(self.run, interval_start=self.run.interval_start - late))
        shared = list(dict.fromkeys(self._sharing() + self._outdated())) if take_over else []
        if shared:
            self.session.execute("DELETE FROM cj.replan_keys")
            self._take_over(shared)
            self._leave_other_enterprises()
            self._drop_picked_from_replan()
            nothing = Run(self.run.run_id, self.run.interval_end, self.run.interval_end)
            self._pick(nothing)
        self._decide()
        self._write_tables()
        return self.planned

    # -- 1. what earlier plans left open -------------------------------------------------------------------------------------------

    def _close_own_plan(self) -> None:
        """This run was planned before (a retry, a clear): its unposted chunks are void, what it posted counts as sent, what it tested is decided anew."""
        for ref in self._refs("SELECT DISTINCT run_id, chunk_id, operation FROM cj.planned WHERE run_id = :run_id"):
            self.journal.revoke(ref[1], self.run.run_id, self.now.isoformat())
            load_chunk(self.session, self.journal, self.run.run_id, ref[1], self.advertisers)
            self.checkpoint("chunk_closed")
        mine = {"run_id": self.run.run_id}
        self.session.execute("DELETE FROM cj.submissions WHERE run_id = :run_id AND mode = 'test'", mine)
        self.session.execute("DELETE FROM cj.skipped WHERE run_id = :run_id", mine)
        self.session.execute("DELETE FROM cj.quarantine WHERE run_id = :run_id", mine)

    def _abandoned(self) -> list[tuple[str, ChunkRef]]:
        return self._refs(
            "SELECT DISTINCT run_id, chunk_id, operation FROM cj.planned WHERE run_id <> :run_id AND planned_at < :before",
            before=datetime.now(UTC) - TAKE_OVER_AFTER,
        )

    def _sharing(self) -> list[tuple[str, ChunkRef]]:
        return self._refs(
            "SELECT DISTINCT p.run_id, p.chunk_id, p.operation FROM cj.planned AS p INNER JOIN cj.plan_input AS i "
            "ON i.enterprise_id = p.enterprise_id AND i.action_tracker_id = p.action_tracker_id AND i.order_id = p.order_id "
            "WHERE i.run_id = :run_id AND p.run_id <> :run_id"
        )

    def _outdated(self) -> list[tuple[str, ChunkRef]]:
        """Other plans' chunks that hold an order whose newest state the gate refused: what they hold of it is old."""
        if not self.refused:
            return []
        refused, found = pa.concat_tables(self.refused), set[tuple[str, str, str]]()
        for batch in self.session.stream("SELECT * FROM cj.planned WHERE run_id <> :run_id", {"run_id": self.run.run_id}):
            old = pa.Table.from_batches([batch]).join(refused, refused.column_names, join_type="left semi")
            found.update(zip(*(old[name].to_pylist() for name in ("run_id", "chunk_id", "operation")), strict=True))
        return [(run_id, ChunkRef(run_folder(run_id), Operation(operation), chunk_id)) for run_id, chunk_id, operation in sorted(found)]

    def _refs(self, sql: str, **params: object) -> list[tuple[str, ChunkRef]]:
        rows = self.session.rows(sql, {"run_id": self.run.run_id} | params)
        return [
            (str(r["run_id"]), ChunkRef(run_folder(str(r["run_id"])), Operation(str(r["operation"])), str(r["chunk_id"]))) for r in rows
        ]

    def _take_over(self, refs: list[tuple[str, ChunkRef]]) -> None:
        """Revoke what nobody posted and take its orders; load what was posted, or may have been."""
        for run_id, ref in refs:
            orders = self.journal.orders(ref, ["enterprise_id", "action_tracker_id", "order_id", "updated_at"])
            self.journal.revoke(ref, self.run.run_id, self.now.isoformat())
            self.checkpoint("chunk_revoked")
            state = load_chunk(self.session, self.journal, run_id, ref, self.advertisers)
            if state is ChunkState.REVOKED:
                self.planned.taken_over += orders.num_rows
                for refused in self.refused:  # picked already, and held back: once is enough
                    orders = orders.join(refused, refused.column_names, join_type="left anti")
                self.session.append("cj.replan_keys", orders)

    def _leave_other_enterprises(self) -> None:
        """What waits of an account that is not configured now goes on waiting, for the day it is again."""
        mine = {f"enterprise_{n}": enterprise for n, enterprise in enumerate(sorted(self.advertisers))}
        self.session.execute(f"DELETE FROM cj.replan_keys WHERE enterprise_id NOT IN ({', '.join(f':{name}' for name in mine)})", mine)

    def _drop_picked_from_replan(self) -> None:
        self.session.execute(
            "DELETE FROM cj.replan_keys WHERE EXISTS (SELECT 1 FROM cj.plan_input AS i WHERE i.enterprise_id = cj.replan_keys.enterprise_id "
            "AND i.action_tracker_id = cj.replan_keys.action_tracker_id AND i.order_id = cj.replan_keys.order_id)"
        )

    # -- 2. the newest state, through the gate ---------------------------------------------------------------------------------------

    def _pick(self, run: Run) -> None:
        since = self.session.rows("SELECT MIN(updated_at) AS since FROM cj.replan_keys")[0]["since"]
        assert since is None or isinstance(since, datetime)
        results = f"quality-{len(self.picked)}" if self.picked else "quality"
        gate = Gate(
            now=self.now,
            max_quarantine_ratio=self.settings.max_quarantine_ratio,
            results_dir=self.scratch / results,
            kept_in=f"{self.journal.files.url}/{self.folder}/{results}" if self.keeps else "",
            enterprises=frozenset(self.advertisers),
            combine_items=self.settings.combine_items,
        )
        spool = Spool(self.scratch / f"orders-{len(self.picked)}.parquet", ORDERS)
        changes = extract(self.session, run, sql=self.sql, replan_since=since, exclusive=True)
        # Closed here, also when the gate fails: a batch may be on its way in a thread, and the transaction is about to be rolled back.
        with closing(changes):  # type: ignore[type-var]  # a stream is a generator
            for inspected in gate.inspect(changes):
                self._keep(spool, inspected)
        self.picked.append(spool.finish())
        self.planned.picked += spool.rows + (gate.result.failed if gate.result else 0)
        first = sum(s.rows for s in self.picked[:-1])
        self.session.append("cj.plan_input", self._plan_input(spool, first))
        self.session.analyze("cj.plan_input")

    def _keep(self, spool: Spool, inspected: Inspected) -> None:
        good = inspected.good
        if good.num_rows:
            hashes = content_hashes(good, pc.equal(good["change_type"], "cancelled"))
            spool.add(good.append_column("payload_hash", hashes).append_column("items_mark", items_marks(good["items"])))
        if inspected.bad.num_rows:
            # Of a row that breaks a rule of the gate, the reason is that rule.
            self._hold(inspected.bad.append_column("rule", inspected.bad["reason"]), Stage.VALIDATION)
            self.refused.append(inspected.bad.select(["enterprise_id", "action_tracker_id", "order_id"]))

    def _plan_input(self, spool: Spool, place: int) -> Iterator[pa.RecordBatch]:
        accounts = {a.enterprise_id: a for a in self.settings.accounts}
        columns = [
            "enterprise_id", "action_tracker_id", "order_id", "change_type", "was_new", "updated_at", "amount", "discount", "currency", "coupon",
            "items_mark", "status", "correction_reason", "payload_hash",
        ]  # fmt: skip
        horizons = self._horizons()
        for batch in spool.batches([*columns, "event_time", "cj_event", "ad_id", "items"]):
            size = batch.num_rows
            enterprises = batch["enterprise_id"].dictionary_encode()
            owners = [accounts[e] for e in enterprises.dictionary.to_pylist()]
            horizon = pa.array([horizons.get(o.advertiser_id) for o in owners], INSTANT).take(enterprises.indices)
            attributed = pc.or_(pc.is_valid(batch["cj_event"]), pc.is_valid(batch["ad_id"]))
            data = {name: batch[name] for name in columns} | {
                "run_id": pa.array([self.run.run_id] * size, pa.string()),
                "place": pa.array(range(place, place + size), pa.int64()),
                "advertiser_id": pa.array([o.advertiser_id for o in owners], pa.string()).take(enterprises.indices),
                "functional_currency": pa.array([o.currency for o in owners], pa.string()).take(enterprises.indices),
                "sale_amount_basis": pa.array([o.sale_amount_basis for o in owners], pa.string()).take(enterprises.indices),
                "attributed": attributed,
                "before_ledger": pc.fill_null(pc.less(batch["event_time"], horizon), False),
                "has_items": pc.is_valid(batch["items"]),
            }
            yield pa.RecordBatch.from_pydict(data)
            place += size

    def _horizons(self) -> dict[str, datetime]:
        """From when on each advertiser's ledger is complete: as far back from the newest reading as one begins where another ended, or before."""
        horizons: dict[str, datetime] = {}
        for row in self.session.rows("SELECT advertiser_id, read_from, complete_until FROM cj.ledger_reads ORDER BY complete_until DESC"):
            advertiser, begin, end = str(row["advertiser_id"]), row["read_from"], row["complete_until"]
            assert isinstance(begin, datetime)
            assert isinstance(end, datetime)
            if end >= horizons.get(advertiser, end):
                horizons[advertiser] = min(begin, horizons.get(advertiser, begin))
        return horizons

    def _hold(self, rows: pa.Table, stage: Stage) -> None:
        table = with_constants(rows, HELD, run_id=self.run.run_id, stage=stage.value, quarantined_at=self.now)
        self.held.add(table)
        self.planned.quarantined.update(rows["reason"].to_pylist())

    # -- 3. the decision -------------------------------------------------------------------------------------------------------------

    def _decide(self) -> None:
        writer = ChunkWriter(self.journal, self.folder, self.settings.chunk_size, self._owns)
        with closing(self._decided()) as decided:  # type: ignore[type-var]  # a stream is a generator
            decisions = _Decisions(decided)
            for spool in self.picked:
                for batch in spool.batches():
                    self._act(writer, pa.Table.from_batches([batch]), decisions.take(batch.num_rows))
        self.planned.chunks = writer.finish()
        for spool in (self.held, self.skipped, self.owned):
            spool.finish()

    def _decided(self) -> Iterator[pa.RecordBatch]:
        loss = self.settings.allow_field_loss
        params: dict[str, object] = {
            "run_id": self.run.run_id,
            "process_by": self.now + timedelta(minutes=self.settings.processing_minutes),
            "open_ended_status": self.settings.open_ended_status,
            "max_attempts": MAX_ATTEMPTS,
            "currency_band": self.settings.currency_band,
        } | {f"allow_{name}_loss": name in loss for name in ("coupon", "discount", "items")}
        return self.session.stream(plan_sql(), params, exclusive=True)

    def _act(self, writer: ChunkWriter, orders: pa.Table, decided: pa.Table) -> None:
        for name in KEY:  # one row out of step, and an order would go out under its neighbour's rule
            assert decided[name].equals(orders[name]), (
                f"the plan's decisions are not in the order of the orders they are about: {name} differs"
            )
        sent_at = pc.max(decided["last_sent_at"]).as_py()
        self.planned.sent_before = max(filter(None, (self.planned.sent_before, sent_at)), default=None)
        decided_by = decided["rule"]
        if self.down:
            # What its ledger says may be old: nothing is sent, and nothing is called unchanged, unknown to CJ or locked because of it.
            away = pc.is_in(decided["enterprise_id"], pa.array(sorted(self.down), pa.string()))
            decided_by = pc.if_else(away, ACCOUNT_AWAY.id, decided_by)
        for rule in sorted((BY_ID[found] for found in pc.unique(decided_by).to_pylist()), key=_turn):
            mine = pc.equal(decided_by, rule.id)
            self._apply(rule, writer, orders.filter(mine), decided.filter(mine))

    def _apply(self, rule: Rule, writer: ChunkWriter, orders: pa.Table, decided: pa.Table) -> None:
        """One rule's orders: into chunks, cj.quarantine or cj.skipped."""
        reasons = pa.repeat(pa.scalar(rule.word), decided.num_rows)
        if rule.operation is not None:
            self.planned.operations[rule.operation.value] += decided.num_rows
            self.planned.at_stake = exact_sum([self.planned.at_stake, *decided["at_stake"].drop_null().to_pylist()])
            sent = orders.set_column(orders.schema.get_field_index("status"), "status", decided["status"])
            writer.add(rule.operation, sent.append_column("attempt", decided["attempt"].cast(pa.int32())))
        elif rule.hold is not None:
            if rule.reason_of_last_verdict:
                reasons = pc.coalesce(decided["verdict_reason"], reasons)
            held = decided.select([*KEY, "updated_at", "rule"]).append_column("reason", reasons)
            self._hold(held.append_column("detail", pa.repeat(pa.scalar(rule.detail), held.num_rows)), Stage.ELIGIBILITY)
        else:
            table = decided.select([*KEY, "updated_at"]).append_column("reason", reasons)
            self.skipped.add(with_constants(table, SKIPPED, run_id=self.run.run_id, rule=rule.id, skipped_at=self.now))
            self.planned.skipped[rule.word] += table.num_rows

    def _owns(self, ref: ChunkRef, orders: pa.Table) -> None:
        key = orders.select(["enterprise_id", "action_tracker_id", "order_id", "updated_at"])
        self.owned.add(
            with_constants(
                key, PLANNED, run_id=self.run.run_id, chunk_id=ref.chunk_id, operation=ref.operation.value, planned_at=self.planned_at
            )
        )
        self.checkpoint("chunk_written")

    # -- 4. the tables ---------------------------------------------------------------------------------------------------------------

    def _write_tables(self) -> None:
        self.session.append("cj.planned", self.owned.batches())
        self.session.append("cj.quarantine", self.held.batches())
        self.session.append("cj.skipped", self.skipped.batches())
        leave_to_submissions(self.session, self.run.run_id)
        self.session.execute("DELETE FROM cj.plan_input; DELETE FROM cj.replan_keys")


def _turn(rule: Rule) -> int:
    """Chunks are listed by operation: creates, restatements, cancellations."""
    return list(Operation).index(rule.operation) if rule.operation else -1


class _Decisions:
    """The stream of decisions, handed out in pieces of any size, in the order of `place`."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches, self._rest = batches, None

    _rest: pa.Table | None

    def take(self, rows: int) -> pa.Table:
        parts = [self._rest] if self._rest is not None and self._rest.num_rows else []
        have = sum(p.num_rows for p in parts)
        while have < rows:
            batch = next(self._batches, None)
            if batch is None:
                raise AssertionError(f"the plan decided {have} of {rows} orders: include/sql/plan.sql must give one row an order")
            parts.append(pa.Table.from_batches([batch]))
            have += batch.num_rows
        whole = pa.concat_tables(parts)
        self._rest = whole.slice(rows)
        return whole.slice(0, rows)
