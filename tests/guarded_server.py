"""A PostgreSQL server that a DBA guards: it listens on loopback, asks for passwords, speaks no TLS, and its roles may only what they were given."""

from __future__ import annotations

import functools
import socket
from typing import NamedTuple
from urllib.parse import quote

import psycopg
import pytest

from tests.postgres_server import started

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
    here = started("guarded")
    guarded = Guarded(free_port(), here.socket)
    listening = f"-h 127.0.0.1 -p {guarded.port} -k {guarded.socket} -c fsync=off"
    # The wheel's server listens on its socket alone. Started again with addresses of ours, and looked at again, so that it is stopped at the end.
    here.run("pg_ctl", "-w", "-D", str(here.server.pgdata), "-l", str(here.server.log), "-o", listening, "restart")
    here.server.ensure_postgres_running()
    (here.server.pgdata / "pg_hba.conf").write_text(_HBA)
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
