"""Questions and answers: written to the journal when they happen, and from there into cj.approvals.

    <run>/approvals/0001.asked.json    the first question of the run: the plan's digest, and all that was shown
    <run>/approvals/0001.answer.json   what became of it: by whom, when

A run is asked again where it was planned again, or its question was cleared; an earlier question that nobody answered is then withdrawn. So is one whose plan
has given way to another, whoever asks about that one, and one that is open when the run's `publish` is there: nobody waits for its answer any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

import pyarrow as pa

from include.domain.errors import UnreadableDocument
from include.domain.money import money
from include.domain.shapes import INSTANT, MONEY
from include.domain.states import Answer
from include.restatements.journal.documents import AnyDocument, Asked, Decided, decoded, encoded
from include.restatements.journal.journal import Journal, run_folder
from include.warehouse.base import Session

APPROVALS = pa.schema(
    [
        ("run_id", pa.string()),
        ("question", pa.int64()),
        ("plan_digest", pa.string()),
        ("at_stake", MONEY),
        ("unpriced", pa.int64()),
        ("reasons", pa.string()),
        ("shown", pa.string()),
        ("asked_at", INSTANT),
        ("answer", pa.string()),
        ("answered_by", pa.string()),
        ("answered_at", INSTANT),
    ]
)
"""Rows of cj.approvals."""
ANSWERED_WITHIN = timedelta(days=3)
"""Of its plan: no run is let go on for longer."""


def keep_question(journal: Journal, asked: Asked) -> int:
    """Returns its number within the run. Raises StorageError."""
    for number in count(1):
        if journal.files.create(_path(asked.run_id, number, "asked"), encoded(asked, indented=True)):
            return number
    raise AssertionError("unreachable")


def keep_answer(journal: Journal, run_id: str, number: int, decided: Decided) -> None:
    """The first answer to a question stands. Raises StorageError."""
    journal.files.create(_path(run_id, number, "answer"), encoded(decided, indented=True))


def withdraw_open(journal: Journal, run_id: str, at: datetime) -> None:
    """The run is over: to a question without an answer none will come. Raises StorageError."""
    for number in _open(journal, run_id):
        keep_answer(journal, run_id, number, Decided(answer=Answer.WITHDRAWN, by=None, at=at))


def asked_before(journal: Journal, run_id: str) -> tuple[int, frozenset[str]]:
    """How many questions the run was asked so far, and the digests of its plans that a person let go. Raises StorageError."""
    rows = _rows(journal, run_id)
    return len(rows), frozenset(str(row["plan_digest"]) for row in rows if row["answer"] == Answer.APPROVED.value)


def load_approvals(session: Session, journal: Journal, run_id: str) -> int:
    """Bring cj.approvals up to what the journal says of one run, inside the caller's transaction. Returns how many questions there are."""
    rows = _rows(journal, run_id)
    if rows:
        session.execute("DELETE FROM cj.approvals WHERE run_id = :run_id", {"run_id": run_id})
        session.append("cj.approvals", pa.Table.from_pylist(rows, APPROVALS))
    return len(rows)


def load_newest(session: Session, journal: Journal, now: datetime) -> None:
    """The questions of the newest runs, as the journal has them: those of which one may be open, planned within ANSWERED_WITHIN of `now` by our own clock."""
    runs = session.rows(
        "SELECT DISTINCT p.run_id FROM (SELECT run_id, planned_at FROM cj.plans ORDER BY plan_number DESC LIMIT 100) AS p WHERE p.planned_at >= :since",
        {"since": now - ANSWERED_WITHIN},
    )
    with session.transaction():
        session.serialize("cj.plan")
        for row in runs:
            load_approvals(session, journal, str(row["run_id"]))


def _open(journal: Journal, run_id: str) -> list[int]:
    names = journal.files.names(f"{run_folder(run_id)}/approvals")
    asked, answered = ({int(name.partition(".")[0]) for name in names if name.endswith(f".{what}.json")} for what in ("asked", "answer"))
    return sorted(asked - answered)


def _rows(journal: Journal, run_id: str) -> list[dict[str, object]]:
    names = journal.files.names(f"{run_folder(run_id)}/approvals")
    numbers = sorted(int(name.partition(".")[0]) for name in names if name.endswith(".asked.json"))
    found = []
    manifest = journal.manifest(run_folder(run_id)) if numbers else None
    for number in numbers:
        asked = _document(journal, _path(run_id, number, "asked"), Asked)
        decided = _document(journal, _path(run_id, number, "answer"), Decided) if f"{number:04d}.answer.json" in names else None
        another = manifest is not None and manifest.digest is not None and asked.digest != manifest.digest
        withdrawn = decided is None and (number != numbers[-1] or another)
        found.append(
            {
                "run_id": run_id,
                "question": number,
                "plan_digest": asked.digest,
                "at_stake": money(asked.at_stake),
                "unpriced": asked.unpriced,
                "reasons": "\n".join(asked.reasons),
                "shown": f"{asked.subject}\n\n{asked.body}",
                "asked_at": asked.asked_at,
                "answer": decided.answer.value if decided else Answer.WITHDRAWN.value if withdrawn else None,
                "answered_by": decided.by if decided else None,
                "answered_at": decided.at if decided else None,
            }
        )
    return found


def _document(journal: Journal, path: str, kind: type[AnyDocument]) -> AnyDocument:
    data, where = journal.files.read(path), f"{journal.files.url}/{path}"
    if data is None:
        raise UnreadableDocument(f"{where} is gone while it is read. Restore it from a backup of the storage, then run this again.")
    return decoded(data, kind, where)


def _path(run_id: str, number: int, what: str) -> str:
    return f"{run_folder(run_id)}/approvals/{number:04d}.{what}.json"
