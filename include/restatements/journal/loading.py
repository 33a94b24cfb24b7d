"""From the journal to the tables: what was planned, posted and answered becomes rows of cj.submissions, cj.quarantine and cj.skipped.

Loading a chunk again changes nothing, except that an `unknown` becomes what the answer says once an answer is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from include.domain.errors import StorageError
from include.domain.shapes import INSTANT
from include.domain.states import Mode, Operation, Outcome, Stage
from include.restatements.journal.documents import Accepted, Answered, Intent, InTestMode, Refused, Revocation
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal, Visit, run_folder
from include.restatements.rules.plan import REFUSED_IN_TEST_MODE, TAKEN_OVER
from include.warehouse.base import Session

UNANSWERED = "no answer was recorded: the task ended between the call and its answer"

_COPIED = [
    "enterprise_id", "action_tracker_id", "order_id", "updated_at", "amount", "discount", "currency", "coupon", "status", "correction_reason",
    "items_mark", "payload_hash", "attempt", "plan_number", "known_reading", "untouched",
]  # fmt: skip


def load_chunk(session: Session, journal: Journal, run_id: str, ref: ChunkRef, advertisers: Mapping[str, str]) -> ChunkState:
    """Bring the tables up to what the journal says of one chunk, inside the caller's transaction.

    `advertisers` maps enterprise ids to advertiser ids. A chunk that nothing was posted of stays in cj.planned, or returns to it.
    """
    found = journal.visit(ref)
    if found.state is ChunkState.PLANNED:
        _own_again(session, run_id, ref)
        return found.state
    if isinstance(found.intent, Revocation):
        leave_superseded(session, run_id, ref, found.intent.revoked_at)
    else:
        _load_posted(session, journal, run_id, found, advertisers)
        _no_longer_planned(session, run_id, ref)
    return found.state


def load_open_chunks(session: Session, journal: Journal, advertisers: Mapping[str, str]) -> None:
    """What has an answer now and is not in the tables yet, inside the caller's transaction: runs that ended before their `publish`, answers that came late."""
    open_chunks = session.rows(
        "SELECT DISTINCT run_id, chunk_id, operation FROM cj.planned "
        "UNION SELECT DISTINCT run_id, chunk_id, operation FROM cj.submissions "
        "WHERE mode = 'live' AND (outcome = 'unknown' OR error_message = :unanswered)",
        {"unanswered": UNANSWERED},
    )
    for row in open_chunks:
        ref = ChunkRef(run_folder(str(row["run_id"])), Operation(str(row["operation"])), str(row["chunk_id"]))
        load_chunk(session, journal, str(row["run_id"]), ref, advertisers)


def _own_again(session: Session, run_id: str, ref: ChunkRef) -> None:
    """Its intent was met here, and taken back since: nothing was sent. Planned again, or no later plan could revoke it and it could be sent, stale."""
    where = "WHERE run_id = :run_id AND chunk_id = :chunk_id AND error_message = :unanswered"
    key = {"run_id": run_id, "chunk_id": ref.chunk_id, "unanswered": UNANSWERED}
    to_judge(session, run_id, ref)
    session.execute(
        "INSERT INTO cj.planned (run_id, chunk_id, operation, enterprise_id, action_tracker_id, order_id, updated_at, planned_at, plan_number) "
        f"SELECT run_id, chunk_id, operation, enterprise_id, action_tracker_id, order_id, updated_at, submitted_at, plan_number FROM cj.submissions {where}",
        key,
    )
    _without_verdict(session, run_id, ref, "s.error_message = :unanswered", unanswered=UNANSWERED)
    session.execute(f"DELETE FROM cj.submissions {where}", key)


def _without_verdict(session: Session, run_id: str, ref: ChunkRef, of_these: str, **bound: str) -> None:
    """Takes the verdict off each of the chunk's order states that turns out not to have been sent: there is nothing of it to judge."""
    session.execute(
        "DELETE FROM cj.reconciliation WHERE EXISTS (SELECT 1 FROM cj.submissions AS s WHERE s.run_id = :run_id "
        f"AND s.chunk_id = :chunk_id AND {of_these} "
        "AND s.enterprise_id = cj.reconciliation.enterprise_id AND s.action_tracker_id = cj.reconciliation.action_tracker_id "
        "AND s.order_id = cj.reconciliation.order_id AND s.updated_at = cj.reconciliation.updated_at "
        "AND s.plan_number = cj.reconciliation.plan_number)",
        {"run_id": run_id, "chunk_id": ref.chunk_id} | bound,
    )


def _load_posted(session: Session, journal: Journal, run_id: str, found: Visit, advertisers: Mapping[str, str]) -> None:
    ref, answer = found.ref, outcome(found)
    key = {"run_id": run_id, "chunk_id": ref.chunk_id}
    loaded = session.rows(
        "SELECT COUNT(*) AS orders, SUM(CASE WHEN error_message = :unanswered THEN 1 ELSE 0 END) AS unanswered, MAX(submitted_at) AS declared_at "
        "FROM cj.submissions WHERE run_id = :run_id AND chunk_id = :chunk_id",
        key | {"unanswered": UNANSWERED},
    )[0]
    if loaded["orders"] and not loaded["unanswered"]:
        return
    if loaded["orders"] and found.answer is None and loaded["declared_at"] == answer.submitted_at:
        return  # and not an older intent, that was taken back: its hour counts from its own declaration
    rows, refused = submission_rows(journal, run_id, found, advertisers)
    session.execute("DELETE FROM cj.submissions WHERE run_id = :run_id AND chunk_id = :chunk_id", key)
    session.append("cj.submissions", rows)
    # A round may have looked while CJ had not answered: what it refused then waits for nothing, and what was sent of the order before is judged again.
    _without_verdict(session, run_id, ref, "s.mode = 'live' AND s.outcome = 'rejected'")
    to_judge(session, run_id, ref)
    if refused.num_rows:
        session.execute(
            "DELETE FROM cj.quarantine WHERE run_id = :run_id AND stage = 'test_mode' AND detail LIKE :chunk",
            {"run_id": run_id, "chunk": f"%(chunk {ref.chunk_id})"},
        )
        session.append("cj.quarantine", refused)


def to_judge(session: Session, run_id: str, ref: ChunkRef) -> None:
    """The chunk's orders of which anything may have arrived, now or before, go to cj.unjudged: what CJ holds of them is another question now."""
    session.execute(
        "INSERT INTO cj.unjudged (enterprise_id, action_tracker_id, order_id) "
        "SELECT s.enterprise_id, s.action_tracker_id, s.order_id FROM cj.submissions AS s "
        "WHERE s.run_id = :run_id AND s.chunk_id = :chunk_id AND s.mode = 'live' AND EXISTS (SELECT 1 FROM cj.submissions AS n "
        "WHERE n.enterprise_id = s.enterprise_id AND n.action_tracker_id = s.action_tracker_id AND n.order_id = s.order_id "
        "AND n.mode = 'live' AND n.outcome IN ('accepted', 'unknown'))",
        {"run_id": run_id, "chunk_id": ref.chunk_id},
    )


def submission_rows(journal: Journal, run_id: str, found: Visit, advertisers: Mapping[str, str]) -> tuple[pa.Table, pa.Table]:
    """The rows of cj.submissions (orders that were posted) and of cj.quarantine (orders Test Mode refused) of one chunk that may be posted."""
    ref, answer, refused = found.ref, outcome(found), found.refused
    orders = _brought_up_to_date(journal.orders(ref, _COPIED), answer.submitted_at)
    held = pc.is_in(_keys(orders), _keys_of(refused))
    table = orders.filter(pc.invert(held)) if refused else orders
    size = table.num_rows
    columns = {name: table[name] for name in _COPIED} | {
        "run_id": _same(run_id, size),
        "chunk_id": _same(ref.chunk_id, size),
        "operation": _same(ref.operation.value, size),
        "mode": _same(answer.mode.value, size),
        "advertiser_id": _same(_advertiser(journal, ref, advertisers, orders["enterprise_id"][0].as_py()), size),
    }
    outcomes = outcomes_by_order(answer, table)
    columns |= {name: outcomes[name] for name in ("outcome", "submission_id", "batch_id")}
    columns["submitted_at"] = pa.repeat(pa.scalar(answer.submitted_at, INSTANT), size)
    columns["error_message"] = outcomes["error_message"]
    return pa.table(columns), _quarantine(orders.filter(held), found.tested, run_id, ref)


def number_of_moment(moment: datetime) -> int:
    """The plan number of what was planned, said or sent before plans had numbers: below zero, and in the order of its moments."""
    return round(moment.timestamp() * 1000) - 100_000_000_000_000


def _brought_up_to_date(orders: pa.Table, submitted_at: datetime) -> pa.Table:
    """The orders of a chunk from before plans had numbers get what include/sql/schema/0004_plan_numbers.sql gives its like; 0007_untouched.sql likewise."""
    if "untouched" not in orders.column_names:
        orders = orders.append_column("untouched", pa.nulls(orders.num_rows, pa.bool_()))
    if "plan_number" in orders.column_names:
        return orders
    older = {"plan_number": number_of_moment(submitted_at), "known_reading": -1}
    for name, number in older.items():
        orders = orders.append_column(name, pa.repeat(pa.scalar(number, pa.int64()), orders.num_rows))
    return orders


def _quarantine(held: pa.Table, tested: InTestMode | None, run_id: str, ref: ChunkRef) -> pa.Table:
    """The rows of cj.quarantine for the orders that Test Mode refused."""
    words = {(tracker, order_id): words for tracker, order_id, words in tested.refused} if tested is not None else {}
    keys = zip(held["action_tracker_id"].to_pylist(), held["order_id"].to_pylist(), strict=True)
    details = [f"CJ refused it in Test Mode: {words[key]} (chunk {ref.chunk_id})" for key in keys]
    quarantine = held.select(["enterprise_id", "action_tracker_id", "order_id", "updated_at", "plan_number"])
    for name, value in (("run_id", run_id), ("stage", Stage.TEST_MODE.value), ("reason", "refused"), ("rule", REFUSED_IN_TEST_MODE)):
        quarantine = quarantine.append_column(name, _same(value, len(details)))
    quarantine = quarantine.append_column("detail", pa.array(details, pa.string()))
    held_at = tested.tested_at if tested is not None else None
    return quarantine.append_column("quarantined_at", pa.array([held_at] * len(details), INSTANT))


def _same(text: str, size: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), size)


def _advertiser(journal: Journal, ref: ChunkRef, advertisers: Mapping[str, str], enterprise: str) -> str:
    """From the settings, or, where the account was taken out of them since, from the plan that cut the chunk."""
    known = advertisers.get(enterprise)
    if known is None:
        manifest = journal.manifest(ref.folder)
        known = manifest.advertisers.get(enterprise) if manifest is not None else None
    if known is None:
        raise StorageError(
            f"Nothing says which advertiser enterprise {enterprise} of chunk {ref} is: its connection is gone from cj_conn_ids, and the run's manifest "
            f"from {journal.files.url}. Nothing was sent. Restore either."
        )
    return known


def outcome(found: Visit) -> Answered:
    """The chunk's answer; where its process died between intent and answer: unknown, for every order. The chunk must have either."""
    if found.answer is not None:
        return found.answer
    assert isinstance(found.intent, Intent), f"{found.ref} was not posted"
    return Answered(chunk_id=found.ref.chunk_id, submitted_at=found.intent.declared_at, mode=Mode.LIVE, error=UNANSWERED)


def outcomes_by_order(answer: Answered, orders: pa.Table) -> pa.Table:
    """Outcome, submission id, batch id and words of each of `orders`, as an answer file has them. What it does not name is unknown.

    Where it names an order twice, the last time counts, and having been accepted before having been rejected.
    """
    accepted, rejected = list(answer.accepted)[::-1], list(answer.rejected)[::-1]
    _, _, submission_ids, batch_ids = zip(*accepted, strict=True) if accepted else ((), (), (), ())
    words = [words for _, _, words in rejected]
    more = len(rejected) + 1
    known = pa.table(
        {
            "outcome": pa.array(
                [Outcome.ACCEPTED.value] * len(accepted) + [Outcome.REJECTED.value] * len(rejected) + [Outcome.UNKNOWN.value], pa.string()
            ),
            "submission_id": pa.array([*submission_ids, *[None] * more], pa.string()),
            "batch_id": pa.array([*batch_ids, *[None] * more], pa.string()),
            "error_message": pa.array([*[None] * len(accepted), *words, answer.error], pa.string()),
        }
    )
    places = pc.index_in(_keys(orders), _keys_of([*accepted, *rejected]))
    return known.take(pc.fill_null(places, pa.scalar(len(accepted) + len(rejected), pa.int32())))


def _keys(orders: pa.Table) -> pa.Array | pa.ChunkedArray:
    """An order's key as one text: a number, which holds no colon, and the order id."""
    trackers, order_ids = orders["action_tracker_id"].cast(pa.string()), orders["order_id"]
    return pc.binary_join_element_wise(trackers, order_ids, pa.scalar(":"))


def _keys_of(named: Sequence[Accepted | Refused]) -> pa.Array:
    """The same keys of what an answer file or a tested file names: each entry begins with action tracker and order id."""
    trackers = pa.array([entry[0] for entry in named], pa.int64()).cast(pa.string())
    return pc.binary_join_element_wise(trackers, pa.array([entry[1] for entry in named], pa.string()), pa.scalar(":"))


def leave_superseded(session: Session, run_id: str, ref: ChunkRef, revoked_at: datetime) -> None:
    """A revoked chunk's orders go from cj.planned to cj.skipped, inside the caller's transaction: nothing of it was posted, and nothing will be.

    They are named by cj.planned, so a chunk file that was lost holds no night up.
    """
    key = {"run_id": run_id, "chunk_id": ref.chunk_id}
    session.execute(
        "INSERT INTO cj.skipped (run_id, enterprise_id, action_tracker_id, order_id, updated_at, reason, rule, skipped_at, plan_number) "
        "SELECT run_id, enterprise_id, action_tracker_id, order_id, updated_at, :reason, :rule, :revoked_at, plan_number FROM cj.planned "
        "WHERE run_id = :run_id AND chunk_id = :chunk_id",
        key | {"reason": TAKEN_OVER.word, "rule": TAKEN_OVER.id, "revoked_at": revoked_at},
    )
    _no_longer_planned(session, run_id, ref)


def _no_longer_planned(session: Session, run_id: str, ref: ChunkRef) -> None:
    session.execute("DELETE FROM cj.planned WHERE run_id = :run_id AND chunk_id = :chunk_id", {"run_id": run_id, "chunk_id": ref.chunk_id})


def leave_to_submissions(session: Session, run_id: str) -> None:
    """Planned a second time, an order that the run's first plan sent stays in cj.submissions alone."""
    for table in ("cj.skipped", "cj.quarantine"):
        session.execute(
            f"DELETE FROM {table} WHERE run_id = :run_id AND EXISTS (SELECT 1 FROM cj.submissions AS s WHERE s.run_id = :run_id "
            f"AND s.enterprise_id = {table}.enterprise_id AND s.action_tracker_id = {table}.action_tracker_id "
            f"AND s.order_id = {table}.order_id AND s.updated_at = {table}.updated_at)",
            {"run_id": run_id},
        )
