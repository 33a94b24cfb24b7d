"""What can be wrong with the warehouse itself: a file that is held or not there, a server that is down, guarded, read-only or in a hurry."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.restatements.doctor.checks import State
from include.sandbox.process import SandboxProcess
from include.warehouse.base import WarehouseLocation
from tests.guarded_server import Guarded, guarded
from tests.restatements.doctor.ground import Ground, connection_of, states, week_of_orders, wrong

__all__ = ["guarded"]


def test_a_file_that_is_not_there_is_found_and_not_made(ground: Ground) -> None:
    ground.warehouse({"conn_type": "duckdb", "host": str(ground.place / "typo.duckdb")})
    found = wrong(ground.examined())
    assert set(found) == {"warehouse"}
    assert "a night would make an empty one there" in found["warehouse"]
    assert "host of connection `warehouse`" in found["warehouse"]
    assert not (ground.place / "typo.duckdb").exists()


def test_a_file_that_is_none_of_duckdbs_is_found(ground: Ground) -> None:
    (ground.place / "notes.duckdb").write_text("no database\n" * 1000)
    ground.warehouse({"conn_type": "duckdb", "host": str(ground.place / "notes.duckdb")})
    assert "is not a DuckDB file (it is text)" in wrong(ground.examined())["warehouse"]


def test_a_file_that_duckdb_would_show_in_memory_is_found(ground: Ground) -> None:
    (ground.place / "orders.csv").write_text("order_id,amount\n1,20.00\n")
    ground.warehouse({"conn_type": "duckdb", "host": str(ground.place / "orders.csv")})
    found = wrong(ground.examined())
    assert set(found) == {"warehouse"}
    assert "nothing written would be kept. Name a .duckdb file" in found["warehouse"]


def test_a_file_that_another_process_holds_is_found(ground: Ground) -> None:
    script = f"import duckdb, sys\nc = duckdb.connect({ground.location.path!r})\nprint('held', flush=True)\nsys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        findings = ground.examined()
        holder.terminate()
    found = wrong(findings)
    assert set(found) == {"warehouse"}
    assert "still held by another process" in found["warehouse"]
    assert "Close whatever has it open" in found["warehouse"]
    assert {name for name, state in states(findings).items() if state == "not_asked"} >= {"rights", "shape", "orders", "ids (cj)"}
    assert findings["enterprise (cj)"].found.state is State.RIGHT


class Server:
    """A database of the guarded server with a week of orders that role `shop` may read, and the schema cj its own."""

    def __init__(self, guarded: Guarded, ground: Ground) -> None:
        self.guarded, self.ground, self.name = guarded, ground, f"doctor_{uuid.uuid4().hex[:8]}"
        guarded.admin(f"CREATE DATABASE {self.name}")
        ground.location = WarehouseLocation("postgres", uri=guarded.uri("postgres", "", self.name))
        ground.orders(week_of_orders())
        self.admin("GRANT SELECT ON order_changes TO shop, reader", "CREATE SCHEMA cj AUTHORIZATION shop")
        self.connect()

    def admin(self, *statements: str) -> None:
        self.guarded.admin(*statements, database=self.name)

    def connect(self, login: str = "shop", **told: object) -> None:
        """The connection `warehouse`, of this login."""
        parts = connection_of(WarehouseLocation("postgres", uri=self.guarded.uri(login, database=self.name)))
        self.ground.warehouse(parts | told)

    def wrong(self) -> dict[str, str]:
        return wrong(self.ground.examined())


@pytest.fixture
def server(guarded: Guarded, ground: Ground) -> Iterator[Server]:
    made = Server(guarded, ground)
    yield made
    guarded.admin(f"DROP DATABASE {made.name} WITH (FORCE)")


def test_the_least_that_a_login_needs_is_enough(server: Server) -> None:
    findings = server.ground.examined()
    assert wrong(findings) == {}
    assert "does not leave this machine" in findings["way"].found.sentence


def test_a_server_that_is_down_is_found(server: Server) -> None:
    server.connect(port=9)
    found = server.wrong()
    assert set(found) == {"warehouse"}
    assert "cannot be reached: nothing listens there" in found["warehouse"]


def test_a_password_that_is_refused_is_found(server: Server) -> None:
    server.connect(password="wrong-4712")
    found = server.wrong()
    assert set(found) == {"warehouse"}
    assert "it refused the login" in found["warehouse"]
    assert "wrong-4712" not in found["warehouse"]


def test_a_parameter_that_no_server_takes_is_found(server: Server) -> None:
    server.connect(extra={"sslmod": "require"})
    assert "the connection's extra has sslmod, which libpq does not know" in server.wrong()["warehouse"]


def test_a_login_that_may_not_make_the_schema_is_found(server: Server) -> None:
    server.admin("DROP SCHEMA cj")
    found = server.wrong()
    assert set(found) == {"rights"}
    assert "CREATE SCHEMA cj AUTHORIZATION <login>" in found["rights"]
    assert "docs/warehouses.md says what it and its login need" in found["rights"]


def test_a_schema_of_another_login_is_found(server: Server) -> None:
    server.admin("DROP SCHEMA cj", "CREATE SCHEMA cj", "GRANT USAGE ON SCHEMA cj TO shop")
    found = server.wrong()
    assert set(found) == {"rights"}
    assert "permission denied for schema cj" in found["rights"]


def test_a_login_that_may_not_read_the_orders_is_found(server: Server) -> None:
    server.admin("REVOKE SELECT ON order_changes FROM shop")
    found = server.wrong()
    assert set(found) == {"reading"}
    assert "GRANT SELECT ON it" in found["reading"]


def test_a_read_only_login_is_found(server: Server) -> None:
    server.admin("DROP SCHEMA cj", "CREATE SCHEMA cj AUTHORIZATION reader")
    server.connect("reader")
    found = server.wrong()
    assert set(found) == {"rights"}
    assert "PostgreSQL is read-only here" in found["rights"]
    assert "name the primary in the connection" in found["rights"]


def test_a_statement_timeout_of_seconds_is_found(server: Server) -> None:
    server.connect(extra={"options": "-c statement_timeout=5s"})
    found = server.wrong()
    assert set(found) == {"way"}
    assert "statement_timeout is 5 s" in found["way"]
    assert "ALTER ROLE … SET statement_timeout = 0" in found["way"]


def test_the_schema_of_a_newer_package_is_found(ground: Ground, cj: SandboxProcess, tmp_path: Path) -> None:
    from include.warehouse.base import open_warehouse

    with open_warehouse(ground.location) as session:
        session.create_tables()
        session.execute("INSERT INTO cj.schema_version (version, name, applied_at) VALUES (99, 'later', CURRENT_TIMESTAMP)")
    found = wrong(ground.examined())
    assert set(found) == {"rights"}
    assert "Install the newer package here too" in found["rights"]
