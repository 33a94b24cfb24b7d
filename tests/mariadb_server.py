"""A real MariaDB server for the tests, on loopback, gone at the end. What needs it is skipped where it, or its driver, is not installed."""

from __future__ import annotations

import atexit
import functools
import getpass
import importlib.util
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.guarded_server import free_port

PASSWORD = "good-4711"
LOGIN = "reader"


class MariaDB(NamedTuple):
    """Where the server is, and how to be its DBA."""

    port: int
    socket: str

    def admin(self, *statements: str, database: str = "mysql", rows: list[tuple[Any, ...]] | None = None) -> list[tuple[Any, ...]]:
        """What the DBA does, each statement by itself, in UTC. `rows` are the values of the last one. Returns what the last one gives."""
        import mysql.connector

        with closing(mysql.connector.connect(unix_socket=self.socket, user="dba", database=database, autocommit=True)) as dba:
            cursor: Any = dba.cursor()
            cursor.execute("SET time_zone = '+00:00'")
            for statement in statements[:-1] if rows is not None else statements:
                cursor.execute(statement)
            if rows is not None:
                cursor.executemany(statements[-1], rows)
            return list(cursor.fetchall()) if cursor.with_rows else []

    def connection(
        self, database: str, login: str = LOGIN, password: str = PASSWORD, extra: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The Airflow connection of a login that may only read, through the driver that needs no library of the system's."""
        return {
            "conn_type": "mysql", "host": "127.0.0.1", "port": self.port, "schema": database, "login": login, "password": password,
            "extra": {"client": "mysql-connector-python", **(extra or {})},
        }  # fmt: skip


def missing() -> str:
    """What is not installed here; empty where all is."""
    programs = [name for name in ("mariadbd", "mariadb-install-db") if _program(name) is None]
    modules = [name for name in ("airflow.providers.mysql", "mysql.connector") if not _there(name)]
    return ", ".join([*programs, *modules])


def mariadb() -> MariaDB:
    """One for each test process that asks. Skips the test where something is missing."""
    if gone := missing():
        pytest.skip(f"not installed here: {gone}")
    return _server()


@functools.cache
def _server() -> MariaDB:
    folder = Path(tempfile.mkdtemp(prefix="cj-maria-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    import mysql.connector

    port, socket, user = free_port(), folder / "socket", getpass.getuser()
    made = [
        str(_program("mariadb-install-db")),
        "--no-defaults",
        f"--datadir={folder / 'data'}",
        "--skip-test-db",
        "--auth-root-authentication-method=normal",
    ]
    subprocess.run([*made, f"--user={user}"], check=True, capture_output=True)
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [
                str(_program("mariadbd")), "--no-defaults", f"--user={user}", f"--datadir={folder / 'data'}", f"--socket={socket}", f"--port={port}",
                "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0", f"--pid-file={folder / 'pid'}",
                # What a shop's server shows by default is not UTC.
                "--default-time-zone=+05:30", f"--init-file={_grants(folder)}",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
    atexit.register(_end, running)
    server = MariaDB(port, str(socket))
    for _ in range(200):
        try:
            server.admin("SELECT 1")
            return server
        except mysql.connector.Error:
            assert running.poll() is None, (folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
            time.sleep(0.1)
    raise AssertionError("mariadbd does not answer")


def _grants(folder: Path) -> Path:
    file = folder / "grants.sql"
    file.write_text(
        f"CREATE USER dba@localhost;\nGRANT ALL ON *.* TO dba@localhost WITH GRANT OPTION;\nCREATE USER {LOGIN}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
    )
    return file


def _end(running: subprocess.Popen[bytes]) -> None:
    running.terminate()
    running.wait(30)


def _program(name: str) -> str | None:
    # Servers lie where only root's PATH leads.
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/local/bin")


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
