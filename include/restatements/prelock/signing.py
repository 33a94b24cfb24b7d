"""Who has looked at a review, and at what digest: written to the journal once, and from there into cj.prelock_reviews.

    prelock/signed/<run>.json    who, when, at what digest, what they said and what they were shown

It is of that digest alone: where what has to be looked at is another now it has lapsed, and nothing need be done for it to lapse.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from include.domain.errors import SettingError, UnreadableDocument
from include.domain.personal import without_emails
from include.restatements.journal.documents import PrelockSigned, decoded, encoded
from include.restatements.journal.journal import Journal, run_folder
from include.restatements.prelock.pack import Pack, pack_of
from include.restatements.prelock.words import headline
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

LONGEST_NOTE = 2000
FOLDER = "prelock/signed"


@dataclass(frozen=True)
class Signed:
    """What was signed off."""

    digest: str
    review: int


def sign(location: WarehouseLocation, journal: Journal, digest: str, note: str, by: str, run_id: str) -> Signed:
    """Keeps that `by` has looked at the newest review. Repeating it for the same run changes nothing.

    Raises SettingError where there is no review, or its digest is another than the one that was looked at: then look again. StorageError.
    """
    note = without_emails(note.strip())
    if len(note) > LONGEST_NOTE:
        raise SettingError(f"The run's param note has {len(note)} characters. At most {LONGEST_NOTE} are kept: say it shorter.")
    with open_warehouse(location) as session:
        session.create_tables()
        with session.transaction():
            session.serialize("cj.prelock")
            before = _written(journal, run_id)
            if before is None:
                pack = newest_pack(session)
                if pack is None:
                    raise SettingError("There is no pre-lock review yet, so nothing was signed off. Run cj_prelock_review first.")
                if digest.strip() != pack.digest:
                    raise SettingError(
                        f"The newest review has digest {pack.digest}, and {digest.strip() or 'none'} was looked at. Nothing was signed off; look at it again."
                    )
                document = PrelockSigned(
                    run_id=run_id, digest=pack.digest, review=pack.review, note=note, shown=headline(pack), by=by, at=datetime.now(UTC)
                )
                journal.files.create(_path(run_id), encoded(document, indented=True))
                before = _written(journal, run_id) or document
            _keep(session, before)
    return Signed(before.digest, before.review)


def load_signed(session: Session, journal: Journal) -> int:
    """All that the journal has, into cj.prelock_reviews, inside the caller's transaction. Returns how many."""
    names = [name for name in journal.files.names(FOLDER) if name.endswith(".json")]
    session.execute("DELETE FROM cj.prelock_reviews")
    for name in names:
        document = _read(journal, f"{FOLDER}/{name}")
        if document is not None:
            _keep(session, document)
    return len(names)


def newest_pack(session: Session) -> Pack | None:
    """The newest review that has ended."""
    found = session.rows("SELECT figures FROM cj.prelock_sweeps ORDER BY review DESC LIMIT 1")
    return pack_of(str(found[0]["figures"])) if found else None


def _keep(session: Session, document: PrelockSigned) -> None:
    session.execute("DELETE FROM cj.prelock_reviews WHERE run_id = :run_id", {"run_id": document.run_id})
    session.execute(
        "INSERT INTO cj.prelock_reviews (run_id, digest, review, note, shown, reviewed_by, reviewed_at) "
        "VALUES (:run_id, :digest, :review, :note, :shown, :by, :at)",
        {
            "run_id": document.run_id, "digest": document.digest, "review": document.review, "note": document.note, "shown": document.shown,
            "by": document.by, "at": document.at,
        },
    )  # fmt: skip


def _written(journal: Journal, run_id: str) -> PrelockSigned | None:
    return _read(journal, _path(run_id))


def _read(journal: Journal, path: str) -> PrelockSigned | None:
    data = journal.files.read(path)
    if data is None:
        return None
    document = decoded(data, PrelockSigned, f"{journal.files.url}/{path}")
    if run_folder(document.run_id) != path.rpartition("/")[2].removesuffix(".json"):
        raise UnreadableDocument(
            f"{journal.files.url}/{path} is of run {document.run_id}, so it was moved by hand. Put it back, then run this again."
        )
    return document


def _path(run_id: str) -> str:
    return f"{FOLDER}/{run_folder(run_id)}.json"
