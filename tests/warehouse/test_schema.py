"""A schema of any earlier version is brought up to date with its rows; one of a later version stops an older package."""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from include.domain.errors import RestatementsError, WarehouseShapeError
from include.domain.shapes import INSTANT, MONEY
from include.sql import FOLDER
from include.warehouse import schema
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from include.warehouse.sqltext import statements

BEFORE = (Path(__file__).parent / "schemas" / "before_versions.sql").read_text(encoding="utf-8")
"""All tables as they were made before there were versions."""

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
VALUES = {"text": "x", "integer": 7, "decimal": Decimal(4), "double": 0.25, "boolean": True, "timestamptz": NOON}
ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "decimal": MONEY,
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamptz": INSTANT,
}


def lasting_before() -> list[str]:
    return BEFORE[: BEFORE.index("-- Working tables")].split("CREATE TABLE IF NOT EXISTS cj.")[1:]


def columns(session: Session) -> list[dict[str, object]]:
    """Every column of every table, as the warehouse itself describes it."""
    return session.rows(
        "SELECT CAST(table_name AS text) AS of_table, CAST(column_name AS text) AS name, CAST(ordinal_position AS bigint) AS place, "
        "CAST(data_type AS text) AS kind, CAST(is_nullable AS text) AS nullable, CAST(numeric_precision AS bigint) AS digits, "
        "CAST(numeric_scale AS bigint) AS scale FROM information_schema.columns WHERE table_schema = 'cj' ORDER BY 1, 3"
    )


def fill(session: Session) -> dict[str, list[dict[str, object]]]:
    """One row in every lasting table, each column given a value; returns them."""
    rows = {}
    for text in lasting_before():
        name = text.split(" ")[0]
        kinds = session.columns_of(f"SELECT * FROM cj.{name}")
        session.append(f"cj.{name}", pa.table({c: pa.array([VALUES[kind]], ARROW[kind]) for c, kind in kinds.items()}))
        rows[name] = session.rows(f"SELECT * FROM cj.{name}")
    return rows


def versions(session: Session) -> list[object]:
    return [row["version"] for row in session.rows("SELECT version FROM cj.schema_version ORDER BY applied_at, version")]


@pytest.fixture
def before(session: Session) -> Session:
    session.execute(BEFORE)
    return session


def test_the_first_step_is_the_schema_as_it_was_before_there_were_versions() -> None:
    first = statements(schema.steps()[0].text)
    assert first == statements(BEFORE)[: len(first)]
    assert len(first) == 1 + len(lasting_before())


def test_steps_are_numbered_without_a_gap_and_no_file_is_left_out() -> None:
    assert [step.version for step in schema.steps()] == list(range(1, len(schema.steps()) + 1))
    known = {f"{step.name}.sql" for step in schema.steps()} | {"version.sql", "working.sql"}
    assert {path.name for path in (FOLDER / "schema").iterdir()} == known


def test_a_schema_from_before_versions_is_brought_up_to_date_with_every_row(before: Session) -> None:
    rows = fill(before)
    before.create_tables()
    assert versions(before) == [step.version for step in schema.steps()]
    for name, there in rows.items():
        found = before.rows(f"SELECT * FROM cj.{name}")
        assert [{c: row[c] for c in there[0]} for row in found] == there, name
    assert before.rows("SELECT rule FROM cj.quarantine UNION ALL SELECT rule FROM cj.skipped") == [{"rule": None}] * 2


def test_what_was_sent_and_not_judged_before_there_was_a_list_of_it_is_on_it(before: Session) -> None:
    fill(before)
    before.execute("DELETE FROM cj.reconciliation; CREATE TABLE sent AS SELECT * FROM cj.submissions; DELETE FROM cj.submissions")
    for order_id, mode, outcome in (
        ("judged", "live", "accepted"), ("accepted", "live", "accepted"), ("unknown", "live", "unknown"), ("rejected", "live", "rejected"),
        ("tested", "test", "accepted"),
    ):  # fmt: skip
        before.execute(f"UPDATE sent SET order_id = '{order_id}', mode = '{mode}', outcome = '{outcome}'")
        before.execute("INSERT INTO cj.submissions SELECT * FROM sent")
    before.execute(
        "INSERT INTO cj.reconciliation (run_id, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, status, submitted_at, "
        "attempts, within_band, checked_at) SELECT run_id, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, 'matched', "
        "submitted_at, 1, FALSE, submitted_at FROM cj.submissions WHERE order_id = 'judged'; DROP TABLE sent"
    )
    before.create_tables()
    assert [row["order_id"] for row in before.rows("SELECT order_id FROM cj.unjudged ORDER BY 1")] == ["accepted", "unknown"]


def test_one_that_was_brought_up_to_date_and_a_new_one_are_equal_in_columns_types_and_order(before: Session) -> None:
    fill(before)
    before.create_tables()
    upgraded = columns(before)
    before.execute("DROP SCHEMA cj CASCADE")
    before.create_tables()
    assert columns(before) == upgraded
    assert {row["of_table"] for row in upgraded} == schema.lasting_tables() | set(schema.working_tables()) | {
        "order_state",
        "commission_items",
    }


@pytest.mark.parametrize("version", [step.version for step in schema.steps()])
def test_a_schema_of_any_earlier_version_goes_on_where_it_stands(session: Session, monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    session.create_tables()
    new = columns(session)
    session.execute("DROP SCHEMA cj CASCADE")
    with monkeypatch.context() as older:
        first = tuple(step for step in schema.steps() if step.version <= version)
        older.setattr(schema, "steps", lambda: first)
        # Today's indexes and views are of tables and columns that came later.
        older.setattr(type(session), "indexes", lambda _: ())
        views = schema._views(session)
        view = views.pop("order_state")
        if version < 14:
            view = re.sub(r",\n[^\n]*newest_commission_id", "", view)
        if version < 11:
            view = re.sub(r",\n[^\n]*publisher_name", "", view)
        if version < 4:
            view = re.sub(r",\n[^\n]*\n[^\n]*newest_reading,\n[^\n]*reversals,\n[^\n]*newest_sale_amount", "", view)
        if version < 6:
            view = view.replace("r.gone_reading IS NULL AND", "")
        older.setattr(schema, "_views", lambda _: {"order_state": view} | (views if version >= 18 else {}))
        session.create_tables()
        assert versions(session) == [step.version for step in first]
    session.create_tables()
    assert columns(session) == new
    assert versions(session) == [step.version for step in schema.steps()]


def test_a_schema_that_is_up_to_date_costs_one_query_and_gets_no_row(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.create_tables()
    asked: list[str] = []
    fetch = session._fetch

    def counted(sql: str, params: object) -> pa.Table:
        asked.append(sql)
        return fetch(sql, params)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "_fetch", counted)
    monkeypatch.setattr(session, "_run", lambda *_: pytest.fail("nothing is to be run"))
    session.create_tables()
    assert len(asked) == 1


def test_working_tables_are_made_anew_when_their_text_changes_without_a_step(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.create_tables()
    session.append(
        "cj.replan_keys",
        pa.table({"enterprise_id": ["e"], "action_tracker_id": [1], "order_id": ["o"], "updated_at": [NOON], "waits": [True]}),
    )
    texts = schema.sql_text
    changed = texts("schema/working").replace("cj.replan_keys (", "cj.replan_keys (why text,")
    monkeypatch.setattr(schema, "sql_text", lambda name: changed if name == "schema/working" else texts(name))
    session.create_tables()
    assert session.rows("SELECT why FROM cj.replan_keys") == []
    monkeypatch.undo()
    session.create_tables()
    assert "why" not in session.columns_of("SELECT * FROM cj.replan_keys")
    assert versions(session) == [step.version for step in schema.steps()]


def test_an_older_package_on_a_newer_schema_stops_with_a_sentence_and_touches_nothing(before: Session) -> None:
    fill(before)
    before.create_tables()
    before.execute(
        "INSERT INTO cj.schema_version VALUES (99, '0099_of_tomorrow', :now); ALTER TABLE cj.planned ADD COLUMN more text", {"now": NOON}
    )
    before.execute("DROP TABLE cj.plan_input; DELETE FROM cj.working_version")
    there = columns(before), versions(before)
    for whole in (False, True):
        with pytest.raises(WarehouseShapeError, match=r"version 99.*Nothing was changed and nothing was sent.*newer package") as stopped:
            before.create_tables(whole=whole)
        assert not stopped.value.transient
    assert (columns(before), versions(before)) == there


def test_a_table_that_was_dropped_by_hand_comes_back_when_the_whole_schema_is_asked_for(session: Session) -> None:
    session.create_tables()
    new = columns(session)
    session.execute("DROP TABLE cj.quarantine; DROP TABLE cj.verdicts_log")
    session.create_tables(whole=True)
    assert columns(session) == new
    assert versions(session) == [step.version for step in schema.steps()]


def test_two_that_bring_it_up_to_date_at_once_apply_each_step_once(location: WarehouseLocation, before: Session) -> None:
    rows = fill(before)
    failures: list[RestatementsError] = []

    def bring() -> None:
        try:
            with open_warehouse(location) as mine:
                mine.create_tables()
        except RestatementsError as error:
            failures.append(error)

    workers = [threading.Thread(target=bring) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert failures == []
    assert versions(before) == [step.version for step in schema.steps()]
    assert {name: len(before.rows(f"SELECT 1 AS one FROM cj.{name}")) for name in rows} == dict.fromkeys(rows, 1)


def test_an_upgrade_waits_for_a_plan_that_is_being_made(location: WarehouseLocation, before: Session) -> None:
    planning = threading.Event()

    def plan() -> None:
        with open_warehouse(location) as mine, mine.transaction():
            mine.serialize("cj.plan")
            mine.append("cj.accounts_now", pa.table({"advertiser_id": ["a"], "functional_currency": ["USD"], "sale_amount_basis": ["net"]}))
            planning.set()
            time.sleep(0.3)
            mine.append("cj.quarantine", pa.table({"run_id": ["r"], "stage": ["s"], "reason": ["x"], "quarantined_at": [NOON]}))

    planner = threading.Thread(target=plan)
    planner.start()
    assert planning.wait(10)
    before.create_tables()
    planner.join(30)
    assert before.rows("SELECT run_id, rule FROM cj.quarantine") == [{"run_id": "r", "rule": None}]
