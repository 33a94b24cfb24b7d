"""A note is kept with the verdict that was looked at and with no other; whoever runs the DAG is who Airflow says."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include.domain.errors import SettingError, StorageError
from include.restatements.acknowledge import LONGEST_NOTE, acknowledge, mark_of
from include.restatements.journal.journal import ROOT, Journal
from include.restatements.journal.notes import all_notes, load_notes
from include.storage.local import LocalFolder
from include.warehouse.base import WarehouseLocation, open_for_reading, open_warehouse
from tests.restatements.report import report_tables as tables


@pytest.fixture
def breaks(location: WarehouseLocation) -> WarehouseLocation:
    with open_warehouse(location) as session:
        session.create_tables()
        tables.one_of_everything(session)
    return location


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(LocalFolder(tmp_path / "storage"))


def kept(location: WarehouseLocation) -> list[dict[str, object]]:
    with open_warehouse(location) as session:
        return session.rows(
            "SELECT order_id, status, reason, note, acknowledged_by, run_id FROM cj.acknowledgements ORDER BY acknowledged_at, order_id"
        )


def name_of(location: WarehouseLocation, order_id: str) -> str:
    with open_warehouse(location) as session:
        (verdict,) = session.rows("SELECT * FROM cj.reconciliation WHERE order_id = :order_id", {"order_id": order_id})
    return f"1500001/401/{order_id}@{mark_of(verdict)}"


def test_a_note_is_kept_once_however_often_its_run_is_cleared(breaks: WarehouseLocation, journal: Journal) -> None:
    name = name_of(breaks, "B-1")
    for note in ("first", "  first  "):
        done = acknowledge(journal, breaks, name, note, "ana", "run-1")
    assert (done.name, done.status, done.reason) == (name, "mismatched", "amount")
    acknowledge(journal, breaks, "1500001/401/B-1", "another", "bo", "run-2")
    told = {"order_id": "B-1", "status": "mismatched", "reason": "amount"}
    assert kept(breaks) == [
        told | {"note": "first", "acknowledged_by": "ana", "run_id": "run-1"},
        told | {"note": "another", "acknowledged_by": "bo", "run_id": "run-2"},
    ]


@pytest.mark.parametrize(
    ("name", "note", "said"),
    [
        ("1500001/401/B-1@00000000", "x", "another verdict, amount or lock date"),
        ("1500001/401/M-1", "x", "has no break"),
        ("1500001/401/B-9", "x", "has no break"),
        ("nonsense", "x", "names no order"),
        ("1500001/401/B-1", "  ", "note is empty"),
        ("1500001/401/B-1", "x" * (LONGEST_NOTE + 1), "At most 2000"),
    ],
)
def test_what_cannot_be_acknowledged_leaves_nothing_behind(
    breaks: WarehouseLocation, journal: Journal, name: str, note: str, said: str
) -> None:
    with pytest.raises(SettingError, match=said):
        acknowledge(journal, breaks, name, note, "ana", "run-1")
    assert kept(breaks) == []
    assert all_notes(journal) == []


def test_a_note_is_in_the_journal_whatever_becomes_of_the_warehouse_and_comes_back_once(
    breaks: WarehouseLocation, journal: Journal
) -> None:
    acknowledge(journal, breaks, name_of(breaks, "B-1"), "Ask ana@shop.example", "ana", "manual__2026-11-20T06:00:00+00:00")
    with open_warehouse(breaks) as session:
        before = session.rows("SELECT * FROM cj.acknowledgements")
        session.execute("DELETE FROM cj.acknowledgements")
        for _ in range(2):
            with session.transaction():
                load_notes(session, all_notes(journal))
        assert session.rows("SELECT * FROM cj.acknowledgements") == before
    (file,) = journal.files.names("acknowledgements")
    text = (journal.files.read(f"acknowledgements/{file}") or b"").decode()
    assert '"submitted_amount": "80.00"' in text and "[hidden]" in text and "ana@" not in text


def test_a_run_that_was_stopped_between_journal_and_table_keeps_the_verdict_it_looked_at(
    breaks: WarehouseLocation, journal: Journal
) -> None:
    name = name_of(breaks, "B-1")
    acknowledge(journal, breaks, name, "first", "ana", "run-1")
    with open_warehouse(breaks) as session:
        session.execute("DELETE FROM cj.acknowledgements")
        session.execute("UPDATE cj.reconciliation SET commission_at_risk = 9 WHERE order_id = 'B-1'")
    acknowledge(journal, breaks, name, "first", "ana", "run-1")
    assert [row["note"] for row in kept(breaks)] == ["first"]
    with open_warehouse(breaks) as session:
        assert session.rows("SELECT commission_at_risk FROM cj.acknowledgements") == [{"commission_at_risk": Decimal("1.605")}]


def test_where_the_journal_cannot_be_written_nothing_is_noted(breaks: WarehouseLocation, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / ROOT).write_text("a file where the folder should be")
    with pytest.raises(StorageError):
        acknowledge(Journal(LocalFolder(tmp_path / "full")), breaks, name_of(breaks, "B-1"), "x", "ana", "run-1")
    assert kept(breaks) == []


def test_the_task_keeps_who_triggered_its_run_and_leaves_the_pages_a_newer_copy(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from include.airflow.tasks import acknowledge_break

    location = WarehouseLocation("duckdb", path=str(tmp_path / "w.duckdb"))
    with open_warehouse(location) as session:
        session.create_tables()
        tables.one_of_everything(session)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": location.path}))
    conf = {"break": name_of(location, "B-2"), "note": "Settled with the publisher."}
    monkeypatch.setenv("AIRFLOW_VAR_CJ_STORAGE", f"file://{tmp_path}/storage")
    run = SimpleNamespace(conf=conf, triggering_user_name="ursula")
    assert acknowledge_break({"dag_run": run, "params": conf, "run_id": "manual__1"}) == {"break": conf["break"], "by": "ursula"}
    with open_for_reading(location, 5) as session:
        assert session.rows("SELECT order_id, acknowledged_by FROM cj.acknowledgements") == [
            {"order_id": "B-2", "acknowledged_by": "ursula"}
        ]
