"""From the journal to the tables: what was planned, posted and answered becomes rows of cj.submissions, cj.quarantine and cj.skipped.

Loading a chunk again changes nothing, except that an `unknown` becomes what the answer says once an answer is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from include.restatements.journal import ChunkRef, ChunkState, Journal
from include.restatements.shapes import INSTANT
from include.restatements.states import Mode, Outcome, Skip, Stage
from include.warehouse.base import Session

UNANSWERED = "no answer was recorded: the task ended between the call and its answer"

_COPIED = [
    "enterprise_id", "action_tracker_id", "order_id", "updated_at", "amount", "discount", "currency", "coupon", "status", "correction_reason",
    "items_mark", "payload_hash", "attempt",
]  # fmt: skip


def load_chunk(session: Session, journal: Journal, run_id: str, ref: ChunkRef, advertisers: Mapping[str, str]) -> ChunkState:
    """Bring the tables up to what the journal says of one chunk, inside the caller's transaction.

    `advertisers` maps enterprise ids to advertiser ids. A chunk that nothing was posted of stays in cj.planned.
    """
    state = journal.state(ref)
    if state is ChunkState.PLANNED:
        return state
    if state is ChunkState.REVOKED:
        _load_revoked(session, journal, run_id, ref)
    else:
        _load_posted(session, journal, run_id, ref, advertisers)
    session.execute("DELETE FROM cj.planned WHERE run_id = :run_id AND chunk_id = :chunk_id", {"run_id": run_id, "chunk_id": ref.chunk_id})
    return state


def _load_posted(session: Session, journal: Journal, run_id: str, ref: ChunkRef, advertisers: Mapping[str, str]) -> None:
    key = {"run_id": run_id, "chunk_id": ref.chunk_id}
    answer = journal.answer(ref)
    loaded = session.rows(
        "SELECT COUNT(*) AS orders, SUM(CASE WHEN error_message = :unanswered THEN 1 ELSE 0 END) AS unanswered "
        "FROM cj.submissions WHERE run_id = :run_id AND chunk_id = :chunk_id",
        key | {"unanswered": UNANSWERED},
    )[0]
    if loaded["orders"] and (answer is None or not loaded["unanswered"]):
        return
    rows, refused = submission_rows(journal, run_id, ref, answer, advertisers)
    session.execute("DELETE FROM cj.submissions WHERE run_id = :run_id AND chunk_id = :chunk_id", key)
    session.append("cj.submissions", rows)
    if refused.num_rows:
        session.execute(
            "DELETE FROM cj.quarantine WHERE run_id = :run_id AND stage = 'test_mode' AND detail LIKE :chunk",
            {"run_id": run_id, "chunk": f"%(chunk {ref.chunk_id})"},
        )
        session.append("cj.quarantine", refused)


def submission_rows(
    journal: Journal, run_id: str, ref: ChunkRef, answer: dict[str, Any] | None, advertisers: Mapping[str, str]
) -> tuple[pa.Table, pa.Table]:
    """The rows of cj.submissions (orders that were posted) and of cj.quarantine (orders Test Mode refused) of one chunk."""
    orders = journal.orders(ref, _COPIED)
    tested = journal.tested(ref) or {"refused": []}
    refused_words = {(tracker, order_id): words for tracker, order_id, words in tested["refused"]}
    answer = answer or unanswered(journal.intent(ref) or {})
    outcomes = outcomes_by_order(answer)
    keys = list(zip(orders["action_tracker_id"].to_pylist(), orders["order_id"].to_pylist(), strict=True))
    posted = [n for n, key in enumerate(keys) if key not in refused_words]
    table = orders.take(pa.array(posted, pa.int64()))
    found = [outcomes.get(keys[n], (Outcome.UNKNOWN.value, None, None, answer.get("error"))) for n in posted]
    outcome, submission_id, batch_id, words = (list(c) for c in zip(*found, strict=True)) if found else ([], [], [], [])
    size = len(posted)
    submitted_at = datetime.fromisoformat(answer["submitted_at"])
    enterprise = orders["enterprise_id"][0].as_py()
    columns = {name: table[name] for name in _COPIED} | {
        "run_id": pa.array([run_id] * size, pa.string()),
        "chunk_id": pa.array([ref.chunk_id] * size, pa.string()),
        "operation": pa.array([ref.operation.value] * size, pa.string()),
        "mode": pa.array([answer.get("mode", Mode.LIVE.value)] * size, pa.string()),
        "advertiser_id": pa.array([_advertiser(journal, ref, advertisers, enterprise)] * size, pa.string()),
        "outcome": pa.array(outcome, pa.string()),
        "submission_id": pa.array(submission_id, pa.string()),
        "batch_id": pa.array(batch_id, pa.string()),
        "submitted_at": pa.array([submitted_at] * size, INSTANT),
        "error_message": pa.array(words, pa.string()),
    }
    held = [n for n, key in enumerate(keys) if key in refused_words]
    quarantine = orders.select(["enterprise_id", "action_tracker_id", "order_id", "updated_at"]).take(pa.array(held, pa.int64()))
    for name, value in (("run_id", run_id), ("stage", Stage.TEST_MODE.value), ("reason", "refused")):
        quarantine = quarantine.append_column(name, pa.array([value] * len(held), pa.string()))
    details = [f"CJ refused it in Test Mode: {refused_words[keys[n]]} (chunk {ref.chunk_id})" for n in held]
    quarantine = quarantine.append_column("detail", pa.array(details, pa.string()))
    held_at = datetime.fromisoformat(tested["tested_at"]) if held else None
    return pa.table(columns), quarantine.append_column("quarantined_at", pa.array([held_at] * len(held), INSTANT))


def _advertiser(journal: Journal, ref: ChunkRef, advertisers: Mapping[str, str], enterprise: str) -> str:
    """From the settings, or, where the account was taken out of them since, from the plan that cut the chunk."""
    known = advertisers.get(enterprise)
    return known if known is not None else str((journal.manifest(ref.folder) or {"advertisers": {}})["advertisers"][enterprise])


def unanswered(intent: dict[str, Any]) -> dict[str, Any]:
    """The answer of a chunk whose process died between its intent and its answer: unknown, for every order."""
    return {"submitted_at": intent["declared_at"], "mode": Mode.LIVE.value, "error": UNANSWERED}


def outcomes_by_order(answer: dict[str, Any]) -> dict[tuple[int, str], tuple[str, str | None, str | None, str | None]]:
    """(outcome, submission id, batch id, words) by (action tracker, order id), of an answer file."""
    found: dict[tuple[int, str], tuple[str, str | None, str | None, str | None]] = {}
    for tracker, order_id, words in answer.get("rejected", ()):
        found[(tracker, order_id)] = (Outcome.REJECTED.value, None, None, words)
    for tracker, order_id, submission_id, batch_id in answer.get("accepted", ()):
        found[(tracker, order_id)] = (Outcome.ACCEPTED.value, submission_id, batch_id, None)
    return found


def _load_revoked(session: Session, journal: Journal, run_id: str, ref: ChunkRef) -> None:
    """Its orders are named by cj.planned, so a chunk file that was lost holds no night up: nothing of it was posted, and nothing will be."""
    session.execute(
        "INSERT INTO cj.skipped (run_id, enterprise_id, action_tracker_id, order_id, updated_at, reason, skipped_at) "
        "SELECT run_id, enterprise_id, action_tracker_id, order_id, updated_at, :reason, :revoked_at FROM cj.planned "
        "WHERE run_id = :run_id AND chunk_id = :chunk_id",
        {
            "run_id": run_id,
            "chunk_id": ref.chunk_id,
            "reason": Skip.SUPERSEDED.value,
            "revoked_at": datetime.fromisoformat((journal.intent(ref) or {})["revoked_at"]),
        },
    )


def leave_to_submissions(session: Session, run_id: str) -> None:
    """Planned a second time, an order that the run's first plan sent stays in cj.submissions alone."""
    for table in ("cj.skipped", "cj.quarantine"):
        session.execute(
            f"DELETE FROM {table} WHERE run_id = :run_id AND EXISTS (SELECT 1 FROM cj.submissions AS s WHERE s.run_id = :run_id "
            f"AND s.enterprise_id = {table}.enterprise_id AND s.action_tracker_id = {table}.action_tracker_id "
            f"AND s.order_id = {table}.order_id AND s.updated_at = {table}.updated_at)",
            {"run_id": run_id},
        )
