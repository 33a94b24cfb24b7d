"""Notes on breaks: written to the journal when they are taken, and from there into cj.acknowledgements.

    acknowledgements/<run>.json    the verdict that was looked at, the note, by whom, when

A run of cj_acknowledge keeps one note, and the first stands however often it is cleared.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from include.domain.money import money
from include.domain.shapes import INSTANT, MONEY
from include.restatements.journal.documents import Noted, decoded, encoded
from include.restatements.journal.journal import NOTES, Journal, run_folder
from include.warehouse.base import Session

ACKNOWLEDGEMENTS = pa.schema(
    [
        ("enterprise_id", pa.string()),
        ("action_tracker_id", pa.int64()),
        ("order_id", pa.string()),
        ("updated_at", INSTANT),
        ("advertiser_id", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("submitted_amount", MONEY),
        ("posted_amount", MONEY),
        ("commission_at_risk", MONEY),
        ("locking_date", INSTANT),
        ("note", pa.string()),
        ("acknowledged_by", pa.string()),
        ("run_id", pa.string()),
        ("acknowledged_at", INSTANT),
    ]
)
"""Rows of cj.acknowledgements."""


def note_of(journal: Journal, run_id: str) -> Noted | None:
    """What the run has noted. Raises StorageError."""
    return _read(journal, f"{run_folder(run_id)}.json")


def keep_note(journal: Journal, noted: Noted) -> Noted:
    """The note that stands: this one, or the one that the run has kept before. Raises StorageError."""
    kept = journal.files.create(f"{NOTES}/{run_folder(noted.run_id)}.json", encoded(noted, indented=True))
    return noted if kept else note_of(journal, noted.run_id) or noted


def load_notes(session: Session, notes: Sequence[Noted]) -> None:
    """Into the table, inside the caller's transaction. Repeating it changes nothing; a note that is in the table alone stays."""
    for noted in notes:
        session.execute("DELETE FROM cj.acknowledgements WHERE run_id = :run_id", {"run_id": noted.run_id})
    if notes:
        session.append("cj.acknowledgements", pa.Table.from_pylist([_row(noted) for noted in notes], ACKNOWLEDGEMENTS))


def all_notes(journal: Journal) -> list[Noted]:
    """Every note there is, in the order in which they were taken. Raises StorageError."""
    found = [noted for name in journal.files.names(NOTES) if name.endswith(".json") and (noted := _read(journal, name))]
    return sorted(found, key=lambda noted: noted.acknowledged_at)


def _read(journal: Journal, name: str) -> Noted | None:
    path = f"{NOTES}/{name}"
    data = journal.files.read(path)
    return None if data is None else decoded(data, Noted, f"{journal.files.url}/{path}")


def _row(noted: Noted) -> dict[str, object]:
    amounts = ("submitted_amount", "posted_amount", "commission_at_risk")
    row = {name: getattr(noted, name) for name in ACKNOWLEDGEMENTS.names}
    return row | {name: None if row[name] is None else money(row[name]) for name in amounts}
