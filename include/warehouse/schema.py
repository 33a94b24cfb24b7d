"""The schema `cj`, brought up to the version this package knows, from none or from any earlier one.

    lasting tables    change by ordered steps, include/sql/schema/0001_first.sql and on. Each is run in order, once, and noted in
                      cj.schema_version. A step that was released is never edited; its columns come last, so that a schema made today and
                      one that was brought up to date are the same
    everything else   the working tables (working.sql), the views and the indexes hold no rows of their own between transactions: they are
                      made anew whenever what they are made of changes, and need no step. A table that became a view goes when the view
                      is made, once a step has moved its rows; who could read it can read the view

Every statement of a step can run again: a schema from before there were versions has no cj.schema_version, and begins with step 1.

What it does not do: go back. An older package on a newer schema stops before it touches or sends anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from typing import Any, Protocol

from include.domain.errors import WarehouseShapeError
from include.sql import FOLDER, filled, sql_text
from include.warehouse import sqltext

_LOCKS = ("cj.tables", "cj.plan", "cj.ledger")
"""Who moves the schema waits for everybody who writes to it, and they for him."""

_CREATE_SCHEMA = re.compile(r"^CREATE SCHEMA\b", re.MULTILINE)


_VIEWS_SINCE = frozenset({"commission_items"})
"""Tables that became views."""


class SchemaSession(Protocol):
    """What is used of a session."""

    def execute(self, sql: str, params: Mapping[str, object] = ...) -> int: ...
    def rows(self, sql: str, params: Mapping[str, object] = ...) -> list[dict[str, object]]: ...
    def transaction(self) -> AbstractContextManager[Any]: ...
    def serialize(self, name: str) -> None: ...
    def has_schema(self, name: str) -> bool: ...
    def has_table(self, schema: str, name: str) -> bool: ...
    def unpacked(self, table: str, key: str, column: str) -> str: ...
    def readers(self, table: str) -> tuple[str, ...]: ...
    def indexes(self) -> tuple[str, ...]: ...
    def working_tables(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Step:
    """One step of the lasting tables: `0002_verdicts_log` leads to version 2."""

    version: int
    name: str

    @property
    def text(self) -> str:
        return sql_text(f"schema/{self.name}")


@cache
def steps() -> tuple[Step, ...]:
    """Every step, in order."""
    names = sorted(path.stem for path in (FOLDER / "schema").glob("[0-9]*.sql"))
    return tuple(Step(int(name.split("_")[0]), name) for name in names)


def lasting_tables() -> set[str]:
    """The names of the tables whose rows stay."""
    texts = [sql_text("schema/version"), *(step.text for step in steps())]
    return {name for text in texts for name in re.findall(r"CREATE TABLE IF NOT EXISTS cj\.(\w+)", text)} - _VIEWS_SINCE


def working_tables() -> list[str]:
    """The names of the tables that are empty between transactions."""
    return re.findall(r"CREATE TABLE cj\.(\w+)", sql_text("schema/working"))


class _TakenBack(Exception):
    """Ends the transaction of what is only tried."""


def bring_up_to_date(session: SchemaSession, *, whole: bool = False, kept: bool = True) -> None:
    """The schema in the newest version, whatever it was. One small query where it is that already. Safe when two do it at once.

    `whole` runs every step again, which brings back what was dropped by hand. Not `kept`, all of it is done and then taken back. Raises WarehouseShapeError where the schema is of a newer
    package than this one.
    """
    made_of = _made_of(session)
    if not whole and _stands_at(session, made_of):
        return
    with suppress(_TakenBack), session.transaction():
        for name in _LOCKS:
            session.serialize(name)
        version = _version(session)
        for step in steps():
            if step.version > version or whole:
                _execute(session, step.text)
            if step.version > version:
                _note(session, step)
        _make_anew(session, made_of)
        if not kept:
            raise _TakenBack


def _stands_at(session: SchemaSession, made_of: str) -> bool:
    """Whether nothing is to be done. A schema that cannot be asked is looked at more closely, in a transaction."""
    asked = "SELECT MAX(v.version) AS version, MAX(w.made_of) AS made_of FROM cj.schema_version AS v CROSS JOIN cj.working_version AS w"
    try:
        found = session.rows(asked)[0]
    except WarehouseShapeError:
        return False
    if isinstance(found["version"], int):
        _must_be_known(session, found["version"])
    return found == {"version": steps()[-1].version, "made_of": made_of}


def _version(session: SchemaSession) -> int:
    """The version the schema is of; 0 where nothing says so."""
    _execute(session, sql_text("schema/version"))
    found = session.rows("SELECT MAX(version) AS version FROM cj.schema_version")[0]["version"]
    version = found if isinstance(found, int) else 0
    _must_be_known(session, version)
    return version


def _execute(session: SchemaSession, text: str) -> None:
    """A step, without what is done already: to say CREATE SCHEMA takes a right on the whole database also where the schema is there."""
    there = session.has_schema("cj")
    for statement in sqltext.statements(text):
        if not (there and _CREATE_SCHEMA.search(statement)):
            session.execute(statement)


def _must_be_known(session: SchemaSession, version: int) -> None:
    newest = steps()[-1].version
    if version > newest:
        raise WarehouseShapeError(
            f"The schema cj of the warehouse has version {version}, made by a newer package, and this package knows it up to version {newest}. "
            "Nothing was changed and nothing was sent. Install the newer package here too."
        )


def _note(session: SchemaSession, step: Step) -> None:
    session.execute(
        "INSERT INTO cj.schema_version (version, name, applied_at) VALUES (:version, :name, :now)",
        {"version": step.version, "name": step.name, "now": datetime.now(UTC)},
    )


def _make_anew(session: SchemaSession, made_of: str) -> None:
    for name in working_tables():
        session.execute(f"DROP TABLE IF EXISTS cj.{name}")
    session.execute(sql_text("schema/working"))
    for name, text in _views(session).items():
        _make_view(session, name, text)
    for statement in (*session.indexes(), *session.working_tables()):
        session.execute(statement)
    session.execute("INSERT INTO cj.working_version (made_of) VALUES (:made_of)", {"made_of": made_of})


@cache
def _order_state() -> str:
    return filled("order_state", records="cj.commissions")


@cache
def _commission_items(items: str) -> str:
    return filled("commission_items", items=items)


def _views(session: SchemaSession) -> dict[str, str]:
    """Each view's name and query."""
    return {
        "order_state": _order_state(),
        "commission_items": _commission_items(session.unpacked("cj.commissions", "commission_id", "items")),
    }


def _make_view(session: SchemaSession, name: str, text: str) -> None:
    readers: tuple[str, ...] = ()
    if name in _VIEWS_SINCE and _is_a_table(session, name):
        readers = session.readers(f"cj.{name}")
        session.execute(f"DROP TABLE cj.{name}")
    session.execute(f"CREATE OR REPLACE VIEW cj.{name} AS {text}")
    for reader in readers:
        session.execute(f"GRANT SELECT ON cj.{name} TO {reader}")


def _is_a_table(session: SchemaSession, name: str) -> bool:
    found = session.rows(
        "SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_catalog = current_database() AND table_schema = 'cj' "
        "AND table_name = :name AND table_type = 'BASE TABLE'",
        {"name": name},
    )
    return found == [{"n": 1}]


def _made_of(session: SchemaSession) -> str:
    """What everything but the lasting tables is made of, in a few letters."""
    texts = [*sqltext.statements(sql_text("schema/working")), *_views(session).values(), *session.indexes(), *session.working_tables()]
    return blake2b("\n".join(texts).encode(), digest_size=8).hexdigest()
