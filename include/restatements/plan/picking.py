"""The newest state of each order that is to be planned, read through the gate and laid beside what the plan asks of it (cj.plan_input)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.cj.payload import content_hashes, former_hashes
from include.domain.marks import items_marks
from include.domain.shapes import INSTANT, KEY
from include.domain.states import Stage
from include.restatements.changes.orders import read_orders
from include.restatements.gate.gate import Gate, Inspected
from include.restatements.gate.items import Flags
from include.restatements.gate.results import results_of
from include.restatements.plan.context import PlanContext
from include.restatements.plan.rows import PlanRows
from include.restatements.plan.spool import ORDERS, Spool
from include.restatements.rules.plan import BY_ID
from include.restatements.settings import Run
from include.sql import filled
from include.warehouse.base import Session

NOBODYS = BY_ID["nobody_brought_it"]

_OF_THE_ORDER = [
    *KEY, "change_type", "was_new", "updated_at", "amount", "discount", "currency", "coupon", "items_mark", "status", "correction_reason",
    "payload_hash", "former_hash",
]  # fmt: skip


@dataclass(frozen=True)
class Picked:
    """One reading of the warehouse: the orders that passed the gate, in key order, and the keys of those that did not."""

    orders: Spool
    refused: pa.Table
    read: int
    """All of them."""
    in_cents: Mapping[str, int]
    """Orders whose money was brought to the smallest unit of its currency, by what was done."""


def pick(context: PlanContext, rows: PlanRows, run: Run, before: tuple[Picked, ...] = (), id_lists: int = 1) -> Picked:
    """Read the orders touched in the run's interval and those of cj.replan_keys. Positions go on where those picked `before` end.
    `id_lists` as in `extraction.extract`.

    Raises QuarantineRatioExceeded, WarehouseError, StorageError.
    """
    since = context.session.rows("SELECT MIN(updated_at) AS since FROM cj.replan_keys")[0]["since"]
    assert since is None or isinstance(since, datetime)
    results = results_of(len(before))
    gate = Gate(
        now=context.now,
        max_quarantine_ratio=context.settings.max_quarantine_ratio,
        results_dir=context.scratch / results,
        kept_in=f"{context.journal.files.url}/{context.folder}/{results}" if context.kept else "",
        enterprises=frozenset(context.settings.advertisers),
        own_currencies={a.enterprise_id: a.currency for a in context.settings.accounts},
        heard_of=partial(_heard_of, context),
        refused_before=_refused_before(context),
        combine_items=context.settings.combine_items,
    )
    spool = Spool(context.scratch / f"orders-{len(before)}.parquet", ORDERS)
    refused = [pa.table({name: pa.array([], ORDERS.field(name).type) for name in KEY})]
    changes = read_orders(
        context.session, run, sql=context.sql, replan_since=since, id_lists=id_lists, orders=context.orders, checkpoint=context.checkpoint
    )
    # Closed here, also when the gate fails: a batch may be on its way in a thread, and the transaction is about to be rolled back.
    with closing(changes):  # type: ignore[type-var]  # a stream is a generator
        for inspected in gate.inspect(changes):
            _spool_good(context, spool, inspected)
            if inspected.bad.num_rows:
                # Of a row that breaks a rule of the gate, the reason is that rule.
                rows.quarantine(inspected.bad.append_column("rule", inspected.bad["reason"]), Stage.VALIDATION)
                refused.append(inspected.bad.select(list(KEY)))
            if inspected.nobodys is not None and inspected.nobodys.num_rows:
                rows.skip(inspected.nobodys, NOBODYS)
                # Not picked either: what an older plan holds of it is old, and what waits of it has come.
                refused.append(inspected.nobodys.select(list(KEY)))
    assert gate.result is not None  # it is there once the last row was looked at
    held = pa.concat_tables(refused)
    picked = Picked(spool.finish(), held, spool.rows + held.num_rows, gate.result.in_cents)
    context.session.append("cj.plan_input", _plan_input(context, spool, sum(earlier.orders.rows for earlier in before)))
    context.session.execute(filled("former_names"), {"run_id": context.run.run_id})
    context.session.analyze("cj.plan_input")
    return picked


def _refused_before(context: PlanContext) -> pa.Table:
    """The states of cj.replan_keys that the gate held back before. It is asked of them every night until they pass, and is no reason to send nothing."""
    return context.session.table(
        "SELECT DISTINCT enterprise_id, action_tracker_id, order_id, q.updated_at FROM cj.quarantine AS q "
        "INNER JOIN cj.replan_keys AS k USING (enterprise_id, action_tracker_id, order_id) WHERE q.stage = 'validation'"
    )


def _heard_of(context: PlanContext, asked: pa.Table) -> Flags:
    """Whether CJ has a record of each order (nobodys.ASKED) under any action tracker, or we sent it live."""
    advertisers = [context.settings.advertisers[enterprise] for enterprise in asked["enterprise_id"].to_pylist()]
    places = pa.array(range(asked.num_rows), pa.int64())
    context.session.execute("DELETE FROM cj.asked_orders")
    context.session.append(
        "cj.asked_orders", asked.append_column("position", places).append_column("advertiser_id", pa.array(advertisers, pa.string()))
    )
    context.session.analyze("cj.asked_orders")
    heard = np.zeros(asked.num_rows, np.bool_)
    heard[context.session.table(filled("heard_of"))["position"].to_numpy()] = True
    context.session.execute("DELETE FROM cj.asked_orders")
    return heard


def _spool_good(context: PlanContext, spool: Spool, inspected: Inspected) -> None:
    good = inspected.good
    if good.num_rows:
        cancelled = pc.equal(good["change_type"], "cancelled")
        hashes = content_hashes(good, cancelled, _own_currencies(context, good["enterprise_id"]))
        former = former_hashes(good if inspected.as_given is None else inspected.as_given, cancelled)
        former = pc.if_else(pc.equal(former, hashes), pa.scalar(None, pa.string()), former)
        good = good.append_column("payload_hash", hashes).append_column("items_mark", items_marks(good["items"]))
        spool.add(good.append_column("former_hash", former))


def _own_currencies(context: PlanContext, enterprises: pa.ChunkedArray) -> pa.Array:
    """Each order's advertiser's own currency. The gate let through orders of configured accounts only."""
    own = {a.enterprise_id: a.currency for a in context.settings.accounts}
    coded = enterprises.combine_chunks().dictionary_encode()
    return pa.array([own[e] for e in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def _plan_input(context: PlanContext, spool: Spool, position: int) -> Iterator[pa.RecordBatch]:
    accounts = {a.enterprise_id: a for a in context.settings.accounts}
    horizons = horizons_of(context.session)
    for batch in spool.batches([*_OF_THE_ORDER, "event_time", "cj_event", "ad_id", "items"]):
        size = batch.num_rows
        enterprises = batch["enterprise_id"].dictionary_encode()
        owners = [accounts[e] for e in enterprises.dictionary.to_pylist()]
        horizon = pa.array([horizons.get(o.advertiser_id) for o in owners], INSTANT).take(enterprises.indices)
        data = {name: batch[name] for name in _OF_THE_ORDER} | {
            "run_id": pa.array([context.run.run_id] * size, pa.string()),
            "position": pa.array(range(position, position + size), pa.int64()),
            "advertiser_id": pa.array([o.advertiser_id for o in owners], pa.string()).take(enterprises.indices),
            "functional_currency": pa.array([o.currency for o in owners], pa.string()).take(enterprises.indices),
            "sale_amount_basis": pa.array([o.sale_amount_basis for o in owners], pa.string()).take(enterprises.indices),
            "attributed": pc.or_(pc.is_valid(batch["cj_event"]), pc.is_valid(batch["ad_id"])),
            "before_ledger": pc.fill_null(pc.less(batch["event_time"], horizon), False),
            "has_items": pc.is_valid(batch["items"]),
        }
        yield pa.RecordBatch.from_pydict(data)
        position += size


def horizons_of(session: Session) -> dict[str, datetime]:
    """From when on each advertiser's ledger is complete: as far back from the newest reading as one begins where another ended, or before."""
    horizons: dict[str, datetime] = {}
    for row in session.rows("SELECT advertiser_id, read_from, complete_until FROM cj.ledger_reads ORDER BY complete_until DESC"):
        advertiser, begin, end = str(row["advertiser_id"]), row["read_from"], row["complete_until"]
        assert isinstance(begin, datetime)
        assert isinstance(end, datetime)
        if end >= horizons.get(advertiser, end):
            horizons[advertiser] = min(begin, horizons.get(advertiser, begin))
    return horizons
