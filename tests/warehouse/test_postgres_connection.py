"""A PostgreSQL connection as a DBA guards it: what its extra says reaches libpq whole, and each refusal says what, where and what to do."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from include.domain.errors import RestatementsError, SettingError, WarehouseError, WarehouseUnavailable
from include.warehouse.base import WarehouseLocation, open_warehouse
from include.warehouse.location import ConnectionParts, location_of
from include.warehouse.postgres_words import NOT_CONNECTED, REFUSED, not_connected, refused
from tests.guarded_server import PASSWORD, Guarded, free_port, guarded

__all__ = ["guarded"]


def parts(extra: Mapping[str, Any], **fields: Any) -> ConnectionParts:
    return ConnectionParts("warehouse", "postgres", **({"host": "127.0.0.1", "login": "shop", "password": PASSWORD} | fields), extra=extra)


def tried(uri: str, *statements: str) -> RestatementsError:
    """The error that opening the warehouse and running these raises."""
    with pytest.raises(RestatementsError) as caught, open_warehouse(WarehouseLocation("postgres", uri=uri)) as session:
        for statement in statements:
            session.execute(statement)
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_every_parameter_that_libpq_knows_reaches_it_as_it_was_written() -> None:
    odd = "a b+c%2B&d=e/é?#'\"\\ f"
    known = [
        d.keyword.decode()
        for d in psycopg.pq.Conninfo.get_defaults()
        if d.keyword not in (b"user", b"password", b"host", b"port", b"dbname")
    ]
    assert {"options", "sslmode", "connect_timeout", "application_name", "sslrootcert"} <= set(known)
    for host in ("db", "/run/pg"):
        said = conninfo_to_dict(location_of(parts(dict.fromkeys(known, odd), host=host, port=5433, schema="my shop")).uri)
        assert {name: said[name] for name in known} == dict.fromkeys(known, odd)
        assert (said["host"], str(said["port"]), said["dbname"], said["password"]) == (host, "5433", "my shop", PASSWORD)


def test_no_statement_of_ours_is_compiled_on_the_servers_side(postgres_database: str) -> None:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as session:
        assert session.rows("SELECT current_setting('jit') AS jit") == [{"jit": "off"}]
        with session.transaction():
            assert session.rows("SELECT current_setting('jit') AS jit") == [{"jit": "off"}]


def test_numbers_and_switches_of_the_extra_are_written_as_libpq_reads_them() -> None:
    said = conninfo_to_dict(
        location_of(parts({"connect_timeout": 5, "keepalives": True, "gssencmode": "", "sslcompression": False, "krbsrvname": None})).uri
    )
    assert (said["connect_timeout"], said["keepalives"], said["sslcompression"]) == ("5", "1", "0")
    assert not {"gssencmode", "krbsrvname"} & set(said)


def test_options_with_a_blank_are_in_force(guarded: Guarded) -> None:
    location = location_of(
        parts({"options": "-c search_path=sales,public -c statement_timeout=54321"}, port=guarded.port, schema="postgres")
    )
    with open_warehouse(location) as session:
        found = session.rows("SELECT current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout")
    assert found == [{"path": "sales,public", "timeout": "54321ms"}]


def test_what_airflows_own_hook_reads_is_left_aside(guarded: Guarded) -> None:
    extra = {
        "cursor": "dictcursor", "sqlalchemy_scheme": "postgresql+psycopg", "sqlalchemy_query": {"a": "b"}, "iam": False, "aws_conn_id": "aws",
        "redshift": False, "cluster-identifier": "x", "workgroup-name": "y", "azure_oauth_scope": "z",
    }  # fmt: skip
    with open_warehouse(location_of(parts(extra, port=guarded.port, schema="postgres"))) as session:
        assert session.rows("SELECT CAST(1 AS bigint) AS one") == [{"one": 1}]


@pytest.mark.parametrize(("name", "value"), [("iam", True), ("iam", "true"), ("azure_conn_id", "azure")])
def test_a_password_that_the_hook_would_fetch_is_asked_for(name: str, value: object) -> None:
    with pytest.raises(
        SettingError, match=rf"Connection 'warehouse': extra has {name}, which lets .* put the password into the connection"
    ):
        location_of(parts({name: value}))


def test_an_extra_that_would_be_lost_is_named() -> None:
    with pytest.raises(SettingError, match=r"extra sslmode is no text, number"):
        location_of(parts({"sslmode": ["require"]}))


NOT_IN = [
    ({"password": "wrong"}, SettingError, "refused the login. Correct login and password"),
    ({"login": "sleeper"}, SettingError, "is a role that may not log in. Use another, or ALTER ROLE"),
    ({"login": "expired"}, SettingError, "password have run out"),
    ({"password": ""}, SettingError, "asks for a password, and the connection has none"),
    ({"login": "outsider"}, SettingError, r"pg_hba.conf lets nobody in from here by this login without TLS"),
    ({"database": "nowhere"}, SettingError, "no such database. Correct the connection's schema"),
    ({"database": "closed"}, SettingError, "GRANT CONNECT ON DATABASE"),
    ({"extra": "sslmode=require"}, SettingError, "speaks no TLS, and sslmode in the connection's extra asks for it"),
    ({"extra": "sslmode=often"}, SettingError, "does not take the value of sslmode"),
    ({"extra": "connect_timeout=5.5"}, SettingError, "does not take the value of connect_timeout"),
    ({"extra": "sslmod=require"}, SettingError, "extra has sslmod, which libpq does not know"),
    ({"extra": "options=-c%20no_such%3D1"}, SettingError, "options in the connection's extra set no_such"),
    ({"extra": "options=-c%20work_mem%3Dplenty"}, SettingError, "options in the connection's extra set work_mem"),
    ({"host": "no-such-host.invalid"}, SettingError, "no machine has that name|its name could not be looked up"),
    ({"login": "crowded"}, WarehouseUnavailable, "all its connections are taken"),
    ({"extra": "target_session_attrs=read-only"}, WarehouseUnavailable, "of the kind that target_session_attrs"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "kind", "sentence"), NOT_IN)
def test_a_connection_that_is_turned_away_says_why_and_is_retried_only_where_that_helps(
    guarded: Guarded, fields: Mapping[str, str], kind: type[RestatementsError], sentence: str
) -> None:
    with suppress(psycopg.errors.DuplicateDatabase):
        guarded.admin("CREATE DATABASE closed", "REVOKE ALL ON DATABASE closed FROM PUBLIC")
    error = tried(guarded.uri(**fields))
    if fields.get("host"):
        # Without a way to any name server the look-up fails for now; with one, for good.
        assert isinstance(error, SettingError | WarehouseUnavailable)
    else:
        assert type(error) is kind
    assert str(error).startswith("The warehouse, postgres at ")
    assert pytest.raises(type(error), match=sentence).matches(error)


def test_a_port_and_a_folder_that_nobody_listens_on_are_tried_again() -> None:
    nobody = tried(f"postgresql://shop@127.0.0.1:{free_port()}/shop")
    assert isinstance(nobody, WarehouseUnavailable)
    assert "nothing listens there" in str(nobody)
    folder = tried("postgresql://shop@/shop?host=/nowhere")
    assert isinstance(folder, WarehouseUnavailable)
    assert "no server's socket is in that folder" in str(folder)


@pytest.fixture
def shop(guarded: Guarded) -> Iterator[str]:
    """A database with a table that `shop` and `reader` may read, a schema and a table they may not, and no schema cj. Its name."""
    name = f"shop_{uuid.uuid4().hex[:8]}"
    guarded.admin(f"CREATE DATABASE {name}")
    guarded.admin(
        "CREATE TABLE order_changes (order_id text)", "GRANT SELECT ON order_changes TO shop, reader", "CREATE TABLE secret (order_id text)",
        "CREATE SCHEMA hidden", "CREATE TABLE hidden.secret (order_id text)", database=name,
    )  # fmt: skip
    yield name
    guarded.admin(f"DROP DATABASE {name} WITH (FORCE)")


def made(uri: str) -> None:
    with open_warehouse(WarehouseLocation("postgres", uri=uri)) as session:
        session.create_tables()


def test_a_schema_that_may_not_be_made_is_asked_for_by_the_statement_that_makes_it(guarded: Guarded, shop: str) -> None:
    with pytest.raises(WarehouseError, match=rf"permission denied for database {shop}\. .*CREATE SCHEMA cj AUTHORIZATION") as caught:
        made(guarded.uri(database=shop))
    assert not caught.value.transient


def test_a_login_that_owns_the_schema_needs_no_right_on_the_database(guarded: Guarded, shop: str) -> None:
    guarded.admin("CREATE SCHEMA cj AUTHORIZATION shop", database=shop)
    guarded.admin(f"REVOKE TEMPORARY ON DATABASE {shop} FROM PUBLIC")
    uri = guarded.uri(database=shop)
    with open_warehouse(WarehouseLocation("postgres", uri=uri)) as session:
        session.create_tables()
        session.create_tables(whole=True)
        assert session.has_table("cj", "submissions")
        assert [batch.num_rows for batch in session.stream("SELECT order_id FROM order_changes")] == [0]


def test_a_schema_that_another_login_made_is_named(guarded: Guarded, shop: str) -> None:
    guarded.admin(f"GRANT CREATE ON DATABASE {shop} TO reader", "ALTER ROLE reader SET default_transaction_read_only = off")
    made(guarded.uri("reader", database=shop))
    guarded.admin("ALTER ROLE reader SET default_transaction_read_only = on")
    with pytest.raises(WarehouseError, match=r"permission denied for schema cj.*schema cj must belong to it"):
        made(guarded.uri(database=shop))
    guarded.admin("GRANT ALL ON SCHEMA cj TO shop", "GRANT ALL ON ALL TABLES IN SCHEMA cj TO shop", database=shop)
    guarded.admin("DELETE FROM cj.working_version", database=shop)
    with pytest.raises(WarehouseError, match=r"must be owner of .*The schema cj was made by another login"):
        made(guarded.uri(database=shop))


STATEMENTS = [
    ("shop", "SELECT * FROM secret", "permission denied for table secret. The login may not read it: GRANT SELECT"),
    ("shop", "SELECT * FROM hidden.secret", "permission denied for schema hidden. The login lacks a right on it: GRANT USAGE"),
    ("shop", "SET statement_timeout = '20ms'; SELECT pg_sleep(2)", "canceling statement due to statement timeout"),
    ("shop", "SET temp_file_limit = 1", "permission denied to set parameter"),
    ("shop", "SELECT CAST('x' AS integer)", r"refused a value \(SQLSTATE 22P02\)"),
    ("shop", "SELECT order_id FROM nowhere", 'relation "nowhere" does not exist. Create it, or correct the SQL'),
    ("shop", "SELECT FROM WHERE", "cannot read the SQL"),
    ("shop", "SELECT * FROM other.public.orders", "PostgreSQL does not do that: cross-database references"),
    ("reader", "CREATE SCHEMA cj", "PostgreSQL is read-only here.*default_transaction_read_only.*name the primary"),
]  # fmt: skip


@pytest.mark.parametrize(("login", "sql", "sentence"), STATEMENTS)
def test_a_statement_that_is_refused_says_what_to_do_and_is_not_tried_again(
    guarded: Guarded, shop: str, login: str, sql: str, sentence: str
) -> None:
    error = tried(guarded.uri(login, database=shop), *sql.split(";"))
    assert pytest.raises(WarehouseError, match=sentence).matches(error)
    assert not error.transient


def test_a_session_that_the_server_ends_is_tried_again(guarded: Guarded, shop: str) -> None:
    with pytest.raises(WarehouseUnavailable, match=r"Nothing of the transaction was kept; try again\."):
        with open_warehouse(WarehouseLocation("postgres", uri=guarded.uri(database=shop))) as session, session.transaction():
            pid = session.rows("SELECT CAST(pg_backend_pid() AS bigint) AS pid")[0]["pid"]
            guarded.admin(f"SELECT pg_terminate_backend({pid})")
            session.execute("SELECT order_id FROM order_changes")


def connections(guarded: Guarded, database: str) -> int:
    """How many there have been to the database, once the server has counted those that closed."""
    with psycopg.connect(guarded.uri("postgres", database="postgres"), autocommit=True) as dba:
        open_ones = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = %s"
        while dba.execute(open_ones, [database]).fetchone() != (0,):
            time.sleep(0.01)
        found = dba.execute("SELECT sessions FROM pg_stat_database WHERE datname = %s", [database]).fetchone()
    assert found
    return int(found[0])


def test_after_the_first_a_session_costs_one_connection(guarded: Guarded, shop: str) -> None:
    """The driver reads all types and tables of a server before it connects, in a connection of its own: ten times as long as the session's."""
    warehouse = WarehouseLocation("postgres", uri=guarded.uri(database=shop))
    counted = []
    for _ in range(4):
        with open_warehouse(warehouse) as session:
            assert session.rows("SELECT 1 AS one") == [{"one": 1}]
        counted.append(connections(guarded, shop))
    assert [after - before for before, after in pairwise(counted)] == [1, 1, 1]


def test_a_server_that_turns_away_whom_it_let_in_before_says_why(guarded: Guarded, shop: str) -> None:
    uri = guarded.uri(database=shop)
    with open_warehouse(WarehouseLocation("postgres", uri=uri)) as session:
        assert session.rows("SELECT 1 AS one") == [{"one": 1}]
    guarded.admin(f"ALTER DATABASE {shop} RENAME TO {shop}_moved")
    try:
        error = tried(uri)
        assert isinstance(error, SettingError)
        assert "there is no such database" in str(error)
    finally:
        guarded.admin(f"ALTER DATABASE {shop}_moved RENAME TO {shop}")
    with open_warehouse(WarehouseLocation("postgres", uri=uri)) as session:
        assert session.rows("SELECT 1 AS one") == [{"one": 1}]


def test_each_kind_of_refusal_can_be_told_in_one_sentence_that_says_what_to_do() -> None:
    for state in (*REFUSED, "99999"):
        error = refused(f"ERROR:  these words\n. SQLSTATE: {state}", state)
        assert "{" not in str(error)
        assert error.transient == str(error).endswith("; try again.")
    for refusal in NOT_CONNECTED:
        assert refusal.raises in (SettingError, WarehouseUnavailable)
    unheard_of = not_connected("something new", "postgres at db/shop")
    assert isinstance(unheard_of, WarehouseUnavailable)
    assert "postgres at db/shop, cannot be reached" in str(unheard_of)
