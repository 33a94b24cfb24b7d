"""A partner's log into cj.partner_log: each row once, from files in a folder or bucket, or by one query.

A file whose bytes were loaded is not read again; one that was replaced is read whole, and what is new in it is appended. A file of JSON lines only grows
(the receiver writes it): its first lines are not looked at twice. What is loaded is committed source by source, so a load that is cut goes on where it
stopped, and repeating it changes nothing.

What it does not do: take back a row that a later export lacks. A partner takes a sale back by a further row, or by the same row under its own id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import islice
from pathlib import Path

import pyarrow as pa

from include.domain.errors import SettingError, WarehouseError
from include.domain.shapes import INSTANT
from include.partners.mapping import PartnerMapping
from include.partners.rows import ENDINGS, Bare, Reader, must_have, rows_of_file
from include.sql import filled
from include.storage.folder import Folder
from include.storage.opening import folder
from include.warehouse import sqltext
from include.warehouse.base import Params, Session, WarehouseLocation, open_warehouse

MOST_UNREADABLE = 20
"""Up to so many rows are left out whatever their share; where there are more and they are most of the source, the mapping is wrong."""

LOCK = "cj.partners"
"""Held by whoever loads a partner or judges one."""


@dataclass(frozen=True)
class Loaded:
    """One load: how many sources were new, rows read, rows appended, and rows that could not be read, with one of them for an example."""

    sources: int = 0
    rows: int = 0
    appended: int = 0
    unreadable: int = 0
    example: str | None = None

    def __add__(self, other: Loaded) -> Loaded:
        return Loaded(
            self.sources + other.sources, self.rows + other.rows, self.appended + other.appended, self.unreadable + other.unreadable,
            self.example or other.example,
        )  # fmt: skip


def load(mapping: PartnerMapping, location: WarehouseLocation, since: datetime) -> Loaded:
    """Everything new of one partner's log. A query is asked for what it has from `since`.

    Raises SettingError for a mapping that does not fit what is there, StorageError, WarehouseError.
    """
    if mapping.files:
        place, names = files_of(mapping)
        return sum((_load_file(mapping, location, place, name) for name in names), Loaded())
    return _load_query(mapping, location, since) if mapping.sql else Loaded()


def files_of(mapping: PartnerMapping) -> tuple[Folder, list[str]]:
    """Where the partner's files are, and their names, which end as ENDINGS say. Raises SettingError where there is none, and StorageError."""
    place = folder(str(mapping.files), mapping.files_conn_id)
    names = [name for name in place.names() if name.endswith(ENDINGS)]
    if not names:
        raise SettingError(
            f"There is no file that ends in {', '.join(ENDINGS)} in {mapping.files}, where {mapping.file} says that the log of {mapping.name} is. "
            "Put one there, or correct files."
        )
    return place, names


def _load_file(mapping: PartnerMapping, location: WarehouseLocation, place: Folder, name: str) -> Loaded:
    data = place.read(name)
    if data is None:  # taken away since it was listed
        return Loaded()
    content = blake2b(data, digest_size=16).hexdigest()
    mine: Params = {"publisher_id": mapping.publisher_id, "source": name}
    with open_warehouse(location) as session:
        before = session.rows(
            "SELECT content_hash, rows_read FROM cj.partner_loads WHERE publisher_id = :publisher_id AND source = :source", mine
        )
        if content in [row["content_hash"] for row in before]:
            return Loaded()
        known = max((int(str(row["rows_read"])) for row in before), default=0) if name.endswith(".jsonl") else 0
        reader = Reader(mapping, known)
        rows = islice(rows_of_file(mapping, name, data), known, None)
        return _append(session, mapping, name, content, reader, rows, known)


def _load_query(mapping: PartnerMapping, location: WarehouseLocation, since: datetime) -> Loaded:
    with open_warehouse(location) as session:
        query = asked_columns(mapping, session)
        batches = session.stream(query, {"since": since})
        return _append(session, mapping, "sql", None, Reader(mapping), (row for batch in batches for row in batch.to_pylist()), 0)


def asked_columns(mapping: PartnerMapping, session: Session) -> str:
    """The mapping's query, which gives the columns it names in types that fit; it is not run. Raises SettingError and WarehouseError."""
    query = _query(mapping)
    try:
        columns = session.columns_of(query)
    except WarehouseError as error:
        raise type(error)(f"The partner's SQL cannot run. {error} The place to edit is {mapping.file}.") from None
    must_have(mapping, "query", columns)
    if doubles := [theirs for ours, theirs in mapping.columns.items() if ours in ("sale_amount", "payout") and columns[theirs] == "double"]:
        raise SettingError(
            f"{mapping.name}'s query gives {', '.join(doubles)} as a double, which has lost the cents: cast it to a decimal where it is stored. The place to edit is {mapping.file}."
        )
    return query


def _query(mapping: PartnerMapping) -> str:
    """The mapping's query, or the one in the file it names. Raises SettingError."""
    text = mapping.sql or ""
    if text.endswith(".sql"):
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise SettingError(f"{mapping.file} names the query {mapping.sql}, which cannot be read as UTF-8 text.") from None
    found = sqltext.statements(text)
    if len(found) != 1 or set(sqltext.names(found[0])) - {"since"}:
        raise SettingError(f"sql of {mapping.file} must be one query, in which :since alone has a value.")
    return found[0]


def _append(
    session: Session, mapping: PartnerMapping, source: str, content: str | None, reader: Reader, rows: Iterator[Bare], known: int
) -> Loaded:
    """What is new of one source, and the note of it, in one transaction. The rows are read before it, into the working table's own."""
    batches = list(reader.batches(rows))
    if reader.unreadable > MOST_UNREADABLE and 2 * reader.unreadable > reader.read:
        raise SettingError(
            f"Of {reader.read} rows of {mapping.name}'s {source} {reader.unreadable} cannot be read, for example {reader.example}. Nothing of it was loaded. "
            f"Correct {mapping.file}."
        )
    now = datetime.now(UTC)
    with session.transaction():
        session.serialize(LOCK)
        newest = session.rows("SELECT MAX(load_number) AS newest FROM cj.partner_loads")[0]["newest"]
        number = 1 + (newest if isinstance(newest, int) else 0)
        session.execute("DELETE FROM cj.partner_incoming")
        session.append("cj.partner_incoming", batches)
        session.analyze("cj.partner_incoming")
        params: Params = {"publisher_id": mapping.publisher_id, "source": source, "load_number": number, "now": now}
        appended = session.execute(filled("partner_load"), params)
        session.execute("DELETE FROM cj.partner_incoming")
        if source != "sql" or appended or reader.unreadable:
            session.append("cj.partner_loads", _note(mapping, params, content, reader, known, appended))
        session.analyze_grown("cj.partner_log")
    return Loaded(1, reader.read, appended, reader.unreadable, reader.example and f"{source}, {reader.example}")


def _note(mapping: PartnerMapping, params: Params, content: str | None, reader: Reader, known: int, appended: int) -> pa.Table:
    return pa.table(
        {
            "load_number": pa.array([params["load_number"]], pa.int64()),
            "publisher_id": [mapping.publisher_id],
            "source": [params["source"]],
            "content_hash": pa.array([content], pa.string()),
            "rows_read": pa.array([known + reader.read], pa.int64()),
            "appended": pa.array([appended], pa.int64()),
            "unreadable": pa.array([reader.unreadable], pa.int64()),
            "for_example": pa.array([reader.example], pa.string()),
            "loaded_at": pa.array([params["now"]], INSTANT),
        }
    )
