"""What earlier plans left open, and who owns it now.

A chunk that nobody has posted is claimed in two steps: which ones is worked out here from cj.planned, with no effect; then each is revoked, so that no
process, not even an orphan, can post it any more, and its orders are planned anew. What was posted meanwhile is loaded into the tables instead.
A plan in mode `test` claims nothing that another run planned to go live: it would take orders off the way to CJ and only ask about them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import pyarrow as pa

from include.domain.shapes import KEY
from include.domain.states import Mode, Operation
from include.restatements.journal.documents import Manifest
from include.restatements.journal.journal import ChunkRef, ChunkState, run_folder
from include.restatements.journal.loading import leave_superseded, load_chunk
from include.restatements.plan.context import PlanContext

TAKE_OVER_AFTER = timedelta(hours=6)
"""How long another run's unposted chunks are left to it, unless an order of theirs is picked again."""


@dataclass(frozen=True, order=True)
class Claim:
    """A chunk of an earlier plan whose orders this plan wants."""

    run_id: str
    ref: ChunkRef


def own(context: PlanContext) -> list[Claim]:
    """Chunks of this run's own earlier plan (a retry, a clear)."""
    return _claims(context, "SELECT DISTINCT run_id, chunk_id, operation FROM cj.planned WHERE run_id = :run_id")


def abandoned(context: PlanContext) -> list[Claim]:
    """Chunks of other runs that nobody has touched for hours."""
    return _claims(
        context,
        "SELECT DISTINCT run_id, chunk_id, operation FROM cj.planned WHERE run_id <> :run_id AND planned_at < :before",
        before=datetime.now(UTC) - TAKE_OVER_AFTER,
    )


def sharing(context: PlanContext) -> list[Claim]:
    """Chunks of other runs that hold an order which this run has picked too."""
    return _claims(
        context,
        "SELECT DISTINCT p.run_id, p.chunk_id, p.operation FROM cj.planned AS p "
        "INNER JOIN cj.plan_input AS i USING (enterprise_id, action_tracker_id, order_id) WHERE i.run_id = :run_id AND p.run_id <> :run_id",
    )


def outdated(context: PlanContext, refused: pa.Table) -> list[Claim]:
    """Chunks of other runs that hold an order whose newest state the gate refused (`refused`: KEY): what they hold of it is old."""
    found = set[tuple[str, str, str]]()
    if refused.num_rows:
        for batch in context.session.stream("SELECT * FROM cj.planned WHERE run_id <> :run_id", {"run_id": context.run.run_id}):
            old = pa.Table.from_batches([batch]).join(refused, list(KEY), join_type="left semi")
            found.update(zip(*(old[name].to_pylist() for name in ("run_id", "chunk_id", "operation")), strict=True))
    return _open_to(context, (_claim(*named) for named in sorted(found)))


def close_own(context: PlanContext) -> None:
    """This run was planned before: its unposted chunks are void, what it posted counts as sent, what it tested is decided anew."""
    for claim in own(context):
        _settle(context, claim)
        context.checkpoint("chunk_closed")
    mine = {"run_id": context.run.run_id}
    context.session.execute("DELETE FROM cj.submissions WHERE run_id = :run_id AND mode = 'test'", mine)
    context.session.execute("DELETE FROM cj.skipped WHERE run_id = :run_id", mine)
    context.session.execute("DELETE FROM cj.quarantine WHERE run_id = :run_id", mine)


def take(context: PlanContext, claims: Iterable[Claim], refused: Sequence[pa.Table] = ()) -> int:
    """Settle each claim, and put the orders of what is revoked into cj.replan_keys, except `refused` ones. Returns how many orders were revoked."""
    taken = 0
    for claim in claims:
        orders = context.journal.orders(claim.ref, [*KEY, "updated_at"])
        if _settle(context, claim) is not ChunkState.REVOKED:
            continue
        taken += orders.num_rows
        for keys in refused:  # picked already, and held back: once is enough
            orders = orders.join(keys, list(KEY), join_type="left anti")
        context.session.append("cj.replan_keys", orders.append_column("waits", pa.repeat(True, orders.num_rows)))
    return taken


def _settle(context: PlanContext, claim: Claim) -> ChunkState:
    """Revoke it if nobody posted it, and bring the tables up to what became of it."""
    state = context.revoke(claim.ref)
    context.checkpoint("chunk_revoked")
    if state is ChunkState.REVOKED and not context.kept:
        leave_superseded(context.session, claim.run_id, claim.ref, context.now)
        return state
    return load_chunk(context.session, context.journal, claim.run_id, claim.ref, context.settings.advertisers)


def _claims(context: PlanContext, sql: str, **params: object) -> list[Claim]:
    rows = context.session.rows(sql, {"run_id": context.run.run_id} | params)
    return _open_to(context, (_claim(str(row["run_id"]), str(row["chunk_id"]), str(row["operation"])) for row in rows))


def _open_to(context: PlanContext, claims: Iterable[Claim]) -> list[Claim]:
    """Those of the claims that this plan may make: one in mode `test` leaves alone what another run is going to post."""
    if not context.tested:
        return list(claims)
    manifests = cache(context.journal.manifest)
    return [claim for claim in claims if claim.run_id == context.run.run_id or not _goes_live(context, claim, manifests(claim.ref.folder))]


def _goes_live(context: PlanContext, claim: Claim, manifest: Manifest | None) -> bool:
    """Whether a chunk of an account that this plan only tests was planned to go live; what its run no longer plans goes nowhere."""
    for chunk in manifest.chunks if manifest is not None else ():
        if chunk.ref == str(claim.ref) and manifest is not None:
            account = context.tested.get(chunk.enterprise_id)
            return account is not None and manifest.modes.get(account, Mode.LIVE) is Mode.LIVE
    return False


def _claim(run_id: str, chunk_id: str, operation: str) -> Claim:
    return Claim(run_id, ChunkRef(run_folder(run_id), Operation(operation), chunk_id))
