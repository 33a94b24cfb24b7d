"""What a partner's reconciliation would meet, found out before it: asked by the doctor, last of all. Loads nothing, and leaves nothing behind."""

from __future__ import annotations

from itertools import islice

from include.partners.loading import asked_columns, files_of
from include.partners.mapping import PartnerMapping, all_mappings
from include.partners.rows import Reader, rows_of_file
from include.restatements.doctor.checks import Check, Found, NotAsked, Notes, mend, right
from include.storage.folder import Folder

FIRST = 200
"""Rows of a partner's newest file that are tried."""

REMEDY = "It is the Variable cj_partner_mappings, or a file in the folder it names; docs/partners.md says what each key may be."


def mappings(notes: Notes, whose: str) -> Found:
    """Every mapping can be read, its log is where it says, and has the columns it names. Raises SettingError, StorageError and WarehouseError."""
    named = notes.settings.partner_mappings
    if not named:
        return right(
            "No folder of mappings is named, so there is the shipped one of Aspire alone: without a log, CJ's side alone is stated."
        )
    told, unreadable = [], []
    for mapping in all_mappings(named):
        found, example = _log_of(mapping, notes)
        told.append(f"{mapping.name} ({mapping.publisher_id}), {found}")
        unreadable += [example] if example else []
    if unreadable:
        return mend(f"Rows cannot be read: {'; '.join(unreadable)}.", REMEDY)
    return right(f"{'; '.join(told)}.")


def _log_of(mapping: PartnerMapping, notes: Notes) -> tuple[str, str | None]:
    """Where its log is, in words; and an example where most of the rows that were tried cannot be read."""
    if mapping.files:
        place, names = files_of(mapping)
        return _newest(mapping, place, names[-1])
    if not mapping.sql:
        return "without a log", None
    if not hasattr(notes, "location"):
        raise NotAsked(f"the query of {mapping.name} needs the connection warehouse, which cannot be read")
    with notes.session() as session:
        asked_columns(mapping, session)
    return "by a query", None


def _newest(mapping: PartnerMapping, place: Folder, name: str) -> tuple[str, str | None]:
    data = place.read(name)
    if data is None:
        return "whose file went away", None
    reader = Reader(mapping)
    for _ in reader.batches(islice(rows_of_file(mapping, name, data), FIRST)):
        pass
    example = f"{reader.unreadable} of the first {reader.read} of {mapping.name}'s {name}, for example {reader.example}"
    return f"{name} read", example if 2 * reader.unreadable > reader.read else None


CHECKS = (Check("partners", "each partner's mapping fits its log", mappings, REMEDY, ("settings",)),)
"""Asked after everything that a night needs."""
