"""A page never holds up a night and never waits for one: what is read, for how long, with which rights, and what is said where it cannot be."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from include.airflow.environment import ROOT
from include.airflow.warehouse import leaving_it_for_pages
from include.domain.errors import WarehouseError, WarehouseUnavailable
from include.warehouse.base import WarehouseLocation, open_for_reading, open_warehouse
from include.web.reading import AT_ONCE, Patience
from tests.web.ground import filled, served


def test_what_reads_cannot_write(location: WarehouseLocation) -> None:
    filled(location)
    with pytest.raises(WarehouseError), open_for_reading(location, 5) as session:
        session.execute("DELETE FROM cj.reconciliation")
    with open_warehouse(location) as session:
        assert session.rows("SELECT COUNT(*) AS n FROM cj.reconciliation") != [{"n": 0}]


def test_on_duckdb_a_page_is_answered_while_a_night_has_the_file_and_says_how_old_its_copy_is(tmp_path: Path) -> None:
    location = WarehouseLocation("duckdb", path=str(tmp_path / "w.duckdb"), wait_seconds=1)
    filled(location)
    holding = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(f"""
            import duckdb, sys
            held = duckdb.connect({str(location.path)!r})
            print("held", flush=True)
            sys.stdin.read()
        """)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holding.stdout is not None and holding.stdout.readline() == "held\n"
        with served(location) as pages:
            fresh = pages.json("/overview")["fresh"]
            assert fresh["copy_age_seconds"] >= 0 and fresh["copy_left_at"]
            assert "this is a copy of the warehouse" in pages.page("/breaks")
        with pytest.raises(WarehouseUnavailable), open_warehouse(location):
            pytest.fail("the file was held")
    finally:
        holding.communicate()


def test_whoever_reads_keeps_no_writer_out_and_reads_one_moment(tmp_path: Path) -> None:
    location = WarehouseLocation("duckdb", path=str(tmp_path / "w.duckdb"), wait_seconds=1)
    filled(location)
    with open_for_reading(location, 5) as reader:
        for number in range(3):
            with open_warehouse(location) as writer:
                writer.execute(f"UPDATE cj.plans SET run_id = 'now {number}'")
                writer.leave_snapshot()
        assert "now" not in str(reader.rows("SELECT run_id FROM cj.plans"))
    with open_for_reading(location, 5) as reader:
        assert {row["run_id"] for row in reader.rows("SELECT run_id FROM cj.plans")} == {"now 2"}
    copies = list(Path(f"{location.path}.snapshots").iterdir())
    assert sorted(copy.name for copy in copies) == ["3.duckdb", "4.duckdb"]


def test_a_copy_holds_our_tables_and_nothing_of_the_shops(tmp_path: Path) -> None:
    location = WarehouseLocation("duckdb", path=str(tmp_path / "w.duckdb"))
    filled(location)
    with open_warehouse(location) as session:
        session.execute("CREATE TABLE order_changes (sid text)")
        session.leave_snapshot()
    with open_for_reading(location, 5) as session:
        assert not session.has_table("main", "order_changes")
        assert session.has_table("cj", "acknowledgements")


def test_a_copy_that_fails_half_way_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from include.warehouse import duckdb_warehouse

    location = WarehouseLocation("duckdb", path=str(tmp_path / "w.duckdb"))
    filled(location)
    monkeypatch.setattr(duckdb_warehouse, "lasting_tables", lambda: {"plans", "no_such_table"})
    with open_warehouse(location) as session:
        with pytest.raises(WarehouseError):
            session.leave_snapshot()
        assert session.rows("SELECT COUNT(*) AS n FROM cj.plans") == [{"n": 3}]
    assert [copy.name for copy in Path(f"{location.path}.snapshots").iterdir()] == ["1.duckdb"]


def test_where_no_copy_can_be_written_a_sentence_says_so_and_the_task_is_none_the_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = WarehouseLocation("duckdb", path=str(tmp_path / "w.duckdb"))
    Path(f"{location.path}.snapshots").write_text("a file where the folder should be")
    with open_warehouse(location) as session:
        session.create_tables()
        with pytest.raises(
            WarehouseError, match=r"could not be written: FileExistsError. Give the folder .*w\.duckdb\.snapshots room, and"
        ):
            session.leave_snapshot()
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": location.path}))
    with leaving_it_for_pages() as there:
        assert there.path == location.path


def test_on_postgresql_a_login_that_may_only_select_is_enough(postgres_database: str) -> None:
    location = WarehouseLocation("postgres", uri=postgres_database)
    filled(location)
    with open_warehouse(location) as session:
        session.execute("DROP ROLE IF EXISTS looking")
        session.execute(
            "CREATE ROLE looking LOGIN; GRANT USAGE ON SCHEMA cj TO looking; GRANT SELECT ON ALL TABLES IN SCHEMA cj TO looking"
        )
    reader = WarehouseLocation("postgres", uri=_as(postgres_database, "looking"))
    try:
        with served(reader) as pages:
            for path in (
                "/",
                "/breaks",
                "/held",
                "/runs",
                "/orders/1500001/401/B-1",
                "/orders?id=B-1",
                "/breaks.csv",
                "/partners",
                "/partners/7108602/differences.csv",
            ):
                assert pages.get(path).status_code in (200, 303), path
    finally:
        with open_warehouse(location) as session:
            session.execute("DROP OWNED BY looking; DROP ROLE looking")


def _as(uri: str, login: str) -> str:
    """The same database for another login."""
    from urllib.parse import urlsplit

    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{login}@{host}").geturl()


@pytest.fixture
def locked(postgres_database: str) -> Any:
    """A warehouse whose verdicts somebody holds for himself, as a migration by hand would."""
    location = WarehouseLocation("postgres", uri=postgres_database)
    filled(location)
    with open_warehouse(location) as session, session.transaction():
        session.execute("LOCK TABLE cj.reconciliation IN ACCESS EXCLUSIVE MODE")
        yield location


def test_a_busy_warehouse_is_given_up_on_with_a_sentence(locked: WarehouseLocation) -> None:
    with served(locked, Patience(1, 60)) as pages:
        answer = pages.get("/breaks")
        assert answer.status_code == 503
        assert "cannot be read just now" in answer.text or "is busy" in answer.text
        assert pages.get("/api/v1/breaks").status_code == 503


def test_many_who_wait_leave_threads_for_everybody_else(locked: WarehouseLocation) -> None:
    with served(locked, Patience(20, 3)) as pages:
        waiting = [threading.Thread(target=pages.get, args=("/breaks",)) for _ in range(3 * AT_ONCE)]
        for one in waiting:
            one.start()
        time.sleep(0.5)
        assert pages.get("/static/cj.css").status_code == 200
        for one in waiting:
            one.join()
        assert "is busy" in pages.get("/breaks").text or pages.get("/breaks").status_code == 503


@pytest.mark.parametrize(
    ("location", "said"),
    [
        (WarehouseLocation("postgres", uri="postgresql://loader:hunter2@127.0.0.1:1/shop"), "nothing listens there"),
        (WarehouseLocation("duckdb", path="/nowhere/at/all.duckdb"), "There is no copy of"),
    ],
)
def test_a_warehouse_that_is_away_is_said_in_a_sentence_without_a_password(location: WarehouseLocation, said: str) -> None:
    with served(location) as pages:
        for path in ("/", "/breaks", "/api/v1/held"):
            answer = pages.get(path)
            assert answer.status_code == 503
            assert said in answer.text and "hunter2" not in answer.text


def test_before_the_schema_is_there_a_page_says_so(postgres_database: str) -> None:
    with served(WarehouseLocation("postgres", uri=postgres_database)) as pages:
        assert "The tables are not there yet" in pages.get("/").text


def test_serving_a_page_imports_nothing_heavy(location: WarehouseLocation) -> None:
    filled(location)
    script = f"""
        import sys
        from include.airflow.pages import APPS, VIEWS
        assert not {{"fastapi", "jinja2", "pyarrow", "duckdb"}} & set(sys.modules)
        from fastapi.testclient import TestClient
        from include.web.app import create_app
        from include.web.reading import Patience, Warehouse, load_driver
        from include.warehouse.base import WarehouseLocation
        where = Warehouse(lambda: WarehouseLocation({location.kind!r}, uri={location.uri!r}, path={location.path!r}))
        load_driver(where)
        client = TestClient(create_app(lambda: None, where, patience=Patience(300, 600)))
        for path in ("/", "/breaks", "/breaks.csv", "/held", "/runs", "/orders/1500001/401/B-1", "/api/v1/overview", "/api/v1/openapi.json"):
            assert client.get(path).status_code == 200, path
        print(sorted({{name.split(".")[0] for name in sys.modules}} & {{"pandas", "great_expectations", "vl_convert", "sqlalchemy", "graphql"}}))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "[]"
