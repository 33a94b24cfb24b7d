"""Databases of orders for the tests, each a real server of its own: a PostgreSQL replica that only reads, and a MariaDB where it is installed."""

from __future__ import annotations

import atexit
import functools
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import psycopg
import pyarrow as pa
import pytest

from include.airflow.connections import Secrets
from include.airflow.environment import ROOT
from include.airflow.orders import orders_source
from include.restatements.changes.extraction import order_changes_sql
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from include.warehouse.orders import OrdersSource
from tests import fakesnow_server
from tests.guarded_server import free_port
from tests.mariadb_server import LOGIN, mariadb
from tests.postgres_server import started

READER = "only_reads"


class Replica(NamedTuple):
    """A streaming replica: what its primary takes it shows a moment later, and whoever writes to it is refused."""

    primary: str
    """The folder of the primary's socket."""
    port: int
    stop: Callable[[], None]
    start: Callable[[], None]

    def admin(self, *statements: str, database: str = "postgres", or_held_up: bool = False) -> None:
        """What the DBA does at the primary, each statement by itself; afterwards the replica has it.

        `or_held_up`: or a query is in its way. One whose client does not read on is not even cancelled.
        """
        with psycopg.connect(f"postgresql://postgres@/{database}?host={quote(self.primary)}", autocommit=True) as dba:
            for statement in statements:
                dba.execute(statement.encode())
            found = dba.execute("SELECT pg_current_wal_lsn()::text").fetchone()
            assert found
        self._wait_for(str(found[0]), or_held_up)

    def connection(self, database: str = "postgres", login: str = "postgres") -> dict[str, Any]:
        """The Airflow connection that names the replica."""
        return {"conn_type": "postgres", "host": "127.0.0.1", "port": self.port, "schema": database, "login": login}

    def caught_up(self) -> None:
        """Wait until the replica has all that the primary has now."""
        self.admin()

    def _wait_for(self, position: str, or_held_up: bool) -> None:
        # Its lock, asked for and not given, is there all the time; a wait event is not, while recovery cancels who is in its way.
        held_up = "EXISTS (SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND backend_type = 'startup')"
        # Several times the half minute that a replica gives each query before its recovery cancels it.
        for _ in range(2_400):
            with psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port}/postgres", autocommit=True) as replica:
                found = replica.execute(
                    f"SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn OR (%s AND {held_up})", (position, or_held_up)
                ).fetchone()
            if found == (True,):
                return
            time.sleep(0.05)
        raise AssertionError(f"the replica did not come to {position}")


@functools.cache
def replica() -> Replica:
    """One for each test process that asks: a primary, and beside it a replica that listens on loopback."""
    here, port = started("replica"), free_port()
    primary, folder = here.socket, here.folder
    with psycopg.connect(here.server.get_uri(), autocommit=True) as dba:
        (here.server.pgdata / "pg_hba.conf").write_text(
            "local all all trust\nlocal replication all trust\nhost all all 127.0.0.1/32 trust\n"
        )
        dba.execute("SELECT pg_reload_conf()")
    data = folder / "replica"
    here.run("pg_basebackup", "-h", primary, "-U", "postgres", "-D", str(data), "-R", "-X", "stream", "-c", "fast")
    listening = f"-h 127.0.0.1 -p {port} -k {folder}"
    start = functools.partial(here.run, "pg_ctl", "-w", "-D", str(data), "-l", str(folder / "replica.log"), "-o", listening, "start")
    stop = functools.partial(here.run, "pg_ctl", "-w", "-D", str(data), "-m", "immediate", "stop")
    start()
    atexit.register(stop)
    found_replica = Replica(primary, port, stop, start)
    found_replica.admin(f"CREATE ROLE {READER} LOGIN", f"ALTER ROLE {READER} SET default_transaction_read_only = on")
    return found_replica


class Orders:
    """A database of orders, empty at first."""

    sql = order_changes_sql()
    """The order changes SQL in its dialect."""
    time_that_is_none: datetime | None = None
    """What a time that is null comes back as."""
    connection: dict[str, Any]
    """The Airflow connection `orders` that names it, as a login that may only read."""

    def load(self, changes: pa.Table, types: Mapping[str, str] | None = None) -> None:
        """The table order_changes, anew; `types` makes columns of it otherwise than usual."""
        raise NotImplementedError

    def source(self) -> OrdersSource:
        """As Airflow's edge makes it of the connection."""
        found = orders_source(Told(self.connection))
        assert found is not None
        return found


class Told(Secrets):
    """Airflow's secrets, with a connection `orders` of the test's."""

    def __init__(self, told: Mapping[str, Any] | None) -> None:
        self._told = told

    def connection(self, conn_id: str) -> Any:
        from airflow.sdk import Connection

        if conn_id != "orders" or self._told is None:
            return None
        fields = dict(self._told)
        made = Connection(conn_id=conn_id, **fields | {"extra": json.dumps(fields.get("extra", {}))})
        # The hook asks Airflow for it once more, by its name.
        os.environ["AIRFLOW_CONN_ORDERS"] = json.dumps(fields)
        return made


class DuckDBOrders(Orders):
    """A file of its own."""

    def __init__(self, folder: Path) -> None:
        self._location = WarehouseLocation("duckdb", path=str(folder / "orders.duckdb"))
        self.connection = {"conn_type": "duckdb", "host": self._location.path}

    def load(self, changes: pa.Table, types: Mapping[str, str] | None = None) -> None:
        with open_warehouse(self._location) as session:
            _load(session, changes, types)


class ReplicaOrders(Orders):
    """A database of a streaming replica, read by a login that may only that."""

    def __init__(self) -> None:
        self.server, self.name = replica(), f"orders_{uuid.uuid4().hex[:8]}"
        self.server.admin(f"CREATE DATABASE {self.name}")
        self.connection = self.server.connection(self.name, READER)

    def load(self, changes: pa.Table, types: Mapping[str, str] | None = None) -> None:
        uri = f"postgresql://postgres@/{self.name}?host={quote(self.server.primary)}"
        with open_warehouse(WarehouseLocation("postgres", uri=uri)) as session:
            _load(session, changes, types)
        self.server.admin(f"GRANT SELECT ON order_changes TO {READER}", database=self.name)


class MariaDBOrders(Orders):
    """A database of a MariaDB, read by a login that may only that. Its sessions show another zone than UTC until they are told."""

    def __init__(self) -> None:
        self.server, self.name = mariadb(), f"orders_{uuid.uuid4().hex[:8]}"
        self.server.admin(f"CREATE DATABASE {self.name} CHARACTER SET utf8mb4", f"GRANT SELECT ON {self.name}.* TO {LOGIN}@'127.0.0.1'")
        self.connection = self.server.connection(self.name)
        self.sql = (ROOT / "docs/order_changes_mysql.sql").read_text(encoding="utf-8")

    def load(self, changes: pa.Table, types: Mapping[str, str] | None = None) -> None:
        usual = {"string": "varchar(200)", "int64": "bigint", "timestamp[us, tz=UTC]": "timestamp(6) NULL", "bool": "tinyint(1)"}
        columns = {field.name: usual.get(str(field.type), "decimal(38, 10)") for field in changes.schema}
        columns |= dict.fromkeys(("items", "custom_parameters", "vertical_parameters"), "json") | dict(types or {})
        rows = [tuple(_without_zone(value) for value in row.values()) for row in changes.to_pylist()]
        self.server.admin(
            "SET SESSION sql_mode = ''",
            "DROP TABLE IF EXISTS order_changes",
            f"CREATE TABLE order_changes ({', '.join(f'{name} {kind}' for name, kind in columns.items())}, KEY (updated_at), KEY (order_id))",
            f"INSERT INTO order_changes VALUES ({', '.join(['%s'] * len(columns))})",
            database=self.name,
            rows=rows,
        )


class SnowflakeOrders(Orders):
    """A database of the emulator, through the real connector."""

    time_that_is_none = datetime(1970, 1, 1, tzinfo=UTC)

    def __init__(self) -> None:
        self.connection = fakesnow_server.connection(f"ORDERS_{uuid.uuid4().hex[:8].upper()}")

    def load(self, changes: pa.Table, types: Mapping[str, str] | None = None) -> None:
        usual = {"string": "text", "int64": "number(38, 0)", "timestamp[us, tz=UTC]": "timestamp_tz", "bool": "boolean"}
        columns = {field.name: usual.get(str(field.type), "number(38, 10)") for field in changes.schema} | dict(types or {})
        fakesnow_server.admin(
            self.connection,
            "DROP TABLE IF EXISTS order_changes",
            f"CREATE TABLE order_changes ({', '.join(f'{name} {kind}' for name, kind in columns.items())})",
            f"INSERT INTO order_changes VALUES ({', '.join(['%s'] * len(columns))})",
            rows=[tuple(row.values()) for row in changes.to_pylist()],
        )


def _without_zone(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _load(session: Session, changes: pa.Table, types: Mapping[str, str] | None) -> None:
    usual = {"string": "text", "int64": "bigint", "timestamp[us, tz=UTC]": "timestamp with time zone", "bool": "boolean"}
    columns = {field.name: usual.get(str(field.type), "decimal(38, 10)") for field in changes.schema}
    made = columns | dict(types or {})
    casts = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in made.items())
    with session.transaction():
        session.execute("DROP TABLE IF EXISTS order_changes; DROP TABLE IF EXISTS landing")
        session.execute(f"CREATE TABLE landing ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
        session.append("landing", changes)
        session.execute(f"CREATE TABLE order_changes AS SELECT {casts} FROM landing; DROP TABLE landing")


DATABASES: dict[str, Callable[[Path], Orders]] = {
    "duckdb": DuckDBOrders,
    "replica": lambda _: ReplicaOrders(),
    "mariadb": lambda _: MariaDBOrders(),
    "snowflake": lambda _: SnowflakeOrders(),
}


@pytest.fixture(params=DATABASES)
def orders(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Orders]:
    """A database of orders: a test that takes it runs on each kind."""
    yield DATABASES[request.param](tmp_path)
    os.environ.pop("AIRFLOW_CONN_ORDERS", None)
