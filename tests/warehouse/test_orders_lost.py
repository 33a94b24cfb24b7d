"""What can go wrong with a database of orders while it is read, on real servers: one sentence each, of connection `orders`, without password or value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from include.domain.errors import RestatementsError, SettingError, WarehouseError, WarehouseShapeError, WarehouseUnavailable
from include.domain.shapes import INSTANT
from tests.mariadb_server import LOGIN, PASSWORD
from tests.orders_databases import READER, MariaDBOrders, Orders, ReplicaOrders

MANY = 400_000
SCHEMA = pa.schema([("order_id", pa.string()), ("updated_at", INSTANT), ("sid", pa.string())])
SQL = "SELECT order_id, updated_at, sid FROM many WHERE updated_at >= :interval_start"
SINCE = {"interval_start": datetime(2026, 3, 1, tzinfo=UTC)}


@pytest.fixture(autouse=True)
def put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection that a test names to Airflow is gone after it."""
    monkeypatch.setenv("AIRFLOW_CONN_ORDERS", "{}")


@pytest.fixture
def replicated() -> ReplicaOrders:
    made = ReplicaOrders()
    made.server.admin(
        f"CREATE TABLE many AS SELECT n::text AS order_id, now() AS updated_at, repeat('buyer@example.com', 20) AS sid FROM generate_series(1, {MANY}) AS n",
        f"GRANT SELECT ON many TO {READER}",
        database=made.name,
    )
    return made


@pytest.fixture
def maria() -> Iterator[MariaDBOrders]:
    made = MariaDBOrders()
    made.server.admin(
        "CREATE TABLE many (order_id varchar(20), updated_at timestamp(6), sid varchar(400))",
        f"INSERT INTO many SELECT seq, now(), repeat('buyer@example.com', 20) FROM seq_1_to_{MANY}",
        database=made.name,
    )
    yield made
    made.server.admin(f"DROP DATABASE {made.name}")


def said(orders: Orders, sql: str = SQL, between: Any = lambda: None) -> RestatementsError:
    """The error of reading `sql`, where `between` happens after the first batch."""
    with pytest.raises(RestatementsError) as caught, orders.source().open() as reader:
        rows = reader.stream(sql, SINCE, SCHEMA)
        next(rows)
        between()
        assert sum(batch.num_rows for batch in rows) > 0
    text = str(caught.value)
    assert "'orders'" in text
    assert text.endswith(".")
    assert "buyer" not in text
    assert "4711" not in text
    return caught.value


def test_a_large_result_streams_whole(replicated: ReplicaOrders, maria: MariaDBOrders) -> None:
    for orders in (replicated, maria):
        with orders.source().open() as reader:
            batches = list(reader.stream(SQL, SINCE, SCHEMA))
        assert sum(batch.num_rows for batch in batches) == MANY
        assert len(batches) > 5
        assert all(batch.schema == SCHEMA for batch in batches)


def test_a_connection_that_is_cut_in_the_middle_is_tried_again(replicated: ReplicaOrders, maria: MariaDBOrders) -> None:
    def cut_at_the_replica() -> None:
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{replicated.server.port}/postgres") as dba:
            found = dba.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (replicated.name,)).fetchall()
        assert found == [(True,)]

    def cut_at_mariadb() -> None:
        ((number,),) = maria.server.admin(f"SELECT id FROM information_schema.processlist WHERE user = '{LOGIN}' AND db = '{maria.name}'")
        maria.server.admin(f"KILL {number}")

    for orders, cut in ((replicated, cut_at_the_replica), (maria, cut_at_mariadb)):
        assert isinstance(said(orders, between=cut), WarehouseUnavailable)


def test_a_query_that_a_replicas_recovery_cancels_is_tried_again(replicated: ReplicaOrders) -> None:
    """What the primary takes away, the replica waits with as long as it is told: here not at all."""
    with psycopg.connect(f"postgresql://postgres@127.0.0.1:{replicated.server.port}/postgres", autocommit=True) as dba:
        dba.execute("ALTER SYSTEM SET max_standby_streaming_delay = 0")
        dba.execute("SELECT pg_reload_conf()")
    replicated.server.caught_up()  # and so has read what it was told
    error = said(replicated, between=lambda: replicated.server.admin("DROP TABLE many", database=replicated.name, or_held_up=True))
    assert isinstance(error, WarehouseUnavailable)
    assert "what its primary had changed" in str(error)


def test_a_connection_that_does_not_come_about_says_what_to_do(maria: MariaDBOrders) -> None:
    right = dict(maria.connection)
    spoiled: list[tuple[dict[str, Any], type[RestatementsError], str]] = [
        ({"password": f"wrong-{PASSWORD}"}, SettingError, "it refused the login"),
        ({"schema": "gone"}, SettingError, "may not use database gone|there is no database gone"),
        ({"host": "no.such.machine.invalid"}, WarehouseUnavailable, "no server answers there"),
        ({"extra": {"client": "pymysql"}}, SettingError, "cannot use what it says"),
        ({"extra": {}}, SettingError, "the driver for it is not installed here"),
        ({"port": 9}, WarehouseUnavailable, "no server answers there"),
    ]
    for other, kind, sentence in spoiled:
        maria.connection = right | other
        error = said(maria)
        assert isinstance(error, kind), error
        assert error.transient == (kind is WarehouseUnavailable)
        assert re.search(sentence, str(error)), error


@pytest.mark.parametrize(
    ("sql", "kind", "sentence"),
    [
        ("SELECT * FROM gone", WarehouseShapeError, "there is no table or view"),
        ("SELECT gone FROM many", WarehouseShapeError, "there is no column gone"),
        ("SELECT 'buyer@example.com' FROM FROM many", WarehouseError, "it cannot read the SQL line"),
        ("SELECT order_id FROM mysql.user", SettingError, "the login may not read"),
    ],
)
def test_sql_that_cannot_run_is_told_by_what_is_wrong_with_it(
    maria: MariaDBOrders, sql: str, kind: type[RestatementsError], sentence: str
) -> None:
    with pytest.raises(kind, match=rf"^The database of connection 'orders': .*{sentence}") as caught, maria.source().open() as reader:
        reader.columns_of(sql)
    assert not caught.value.transient
    assert "buyer" not in str(caught.value)
