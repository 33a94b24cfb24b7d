"""Questions and answers: written to the journal when they happen, and from there into cj.approvals.

    <run>/approvals/0001.asked.json    the first question of the run: the plan's digest, and all that was shown
    <run>/approvals/0001.answer.json   what became of it: by whom, when

A run is asked again where it was planned again, or its question was cleared; an earlier question that nobody answered is then withdrawn.
"""

from __future__ import annotations

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


def keep_question(journal: Journal, asked: Asked) -> int:
    """Returns its number within the run. Raises StorageError."""
    for number in count(1):
        if journal.files.create(_path(asked.run_id, number, "asked"), encoded(asked, indented=True)):
            return number
    raise AssertionError("unreachable")


def keep_answer(journal: Journal, run_id: str, number: int, decided: Decided) -> None:
    """The first answer to a question stands. Raises StorageError."""
    journal.files.create(_path(run_id, number, "answer"), encoded(decided, indented=True))


def load_approvals(session: Session, journal: Journal, run_id: str) -> int:
    """Bring cj.approvals up to what the journal says of one run, inside the caller's transaction. Returns how many questions there are."""
    rows = _rows(journal, run_id)
    if rows:
        session.execute("DELETE FROM cj.approvals WHERE run_id = :run_id", {"run_id": run_id})
        session.append("cj.approvals", pa.Table.from_pylist(rows, APPROVALS))
    return len(rows)


def _rows(journal: Journal, run_id: str) -> list[dict[str, object]]:
    names = journal.files.names(f"{run_folder(run_id)}/approvals")
    numbers = sorted(int(name.partition(".")[0]) for name in names if name.endswith(".asked.json"))
    found = []
    for number in numbers:
        asked = _document(journal, _path(run_id, number, "asked"), Asked)
        decided = _document(journal, _path(run_id, number, "answer"), Decided) if f"{number:04d}.answer.json" in names else None
        withdrawn = decided is None and number != numbers[-1]
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
