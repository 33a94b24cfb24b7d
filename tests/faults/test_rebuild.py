"""The tables come back from the journal as they were, whatever the runs went through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from include.commands.rebuild import main
from include.restatements.acknowledge import acknowledge
from include.restatements.journal.journal import Journal
from include.sql import filled
from include.storage.opening import folder
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.faults import promises
from tests.faults.stage import HOUR, Stage


def test_a_run_that_was_cleared_half_way_is_rebuilt_with_what_its_first_plan_posted(stage: Stage) -> None:
    first = stage.must("prepare")
    killed = stage.run("submit", batch=first["batches"][0], stop={"at": "before_answer", "how": "kill", "nth": 2})
    assert killed.how == "killed"
    stage.play()
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_rebuilt_alike(stage)
    stage.sandbox.control.advance(20 * HOUR)
    stage.play(1)
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_rebuilt_alike(stage)
    promises.assert_every_order_is_in_one_table(stage, stage.shop, "night_0")
    promises.assert_each_change_arrived_once(stage.shop, stage.received())


def test_chunks_taken_over_by_another_run_are_rebuilt_as_taken_over(stage: Stage) -> None:
    stage.must("prepare")
    stage.play(run_id="second")
    stage.must("publish")
    assert stage.rows("SELECT 1 AS one FROM cj.skipped WHERE run_id = 'night_0' AND reason = 'superseded'")
    stage.reconcile()
    promises.assert_rebuilt_alike(stage)


def test_chunks_nobody_has_posted_yet_are_rebuilt_as_planned(stage: Stage) -> None:
    prepared = stage.must("prepare")
    stage.reconcile()
    promises.assert_rebuilt_alike(stage)
    stage.submit_all(prepared)
    stage.must("publish")
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_each_change_arrived_once(stage.shop, stage.received())
    promises.assert_all_matched(stage, stage.shop)


def test_a_rebuild_that_is_killed_leaves_the_tables_as_they_were(stage: Stage) -> None:
    stage.play()
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    before = promises.tables(stage)
    assert stage.run("rebuild", stop={"at": "before_rebuild_commit", "how": "kill"}).how == "killed"
    promises.assert_same_tables(promises.tables(stage), before)


def test_tables_that_were_lost_come_back_from_the_journal(stage: Stage) -> None:
    stage.play()
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    before = promises.tables(stage)
    for table in promises.TABLES:
        stage.execute(f"DELETE FROM cj.{table}")
    stage.execute("DELETE FROM cj.ledger_reads")
    stage.must("rebuild")
    promises.assert_same_tables(promises.tables(stage), before)


def test_a_note_on_a_break_comes_back_with_the_tables_and_still_holds(stage: Stage) -> None:
    stage.settings = {"processing_minutes": 0, "deadline_hours": 0}
    stage.play()
    stage.sandbox.control.advance(60)  # CJ's clock is known to seconds, to each process by itself
    stage.reconcile()
    lost = stage.rows(
        "SELECT enterprise_id, action_tracker_id, order_id FROM cj.reconciliation WHERE status = 'missing' ORDER BY order_id"
    )[0]
    journal = Journal(folder(f"file://{stage.folder}/storage"))
    name = f"{lost['enterprise_id']}/{lost['action_tracker_id']}/{lost['order_id']}"
    acknowledge(journal, WarehouseLocation(**stage.location), name, "The partner was asked.", "ana", "manual__1")
    before = stage.rows("SELECT * FROM cj.acknowledgements")
    for table in ("acknowledgements", "ledger_reads", *promises.TABLES):
        stage.execute(f"DELETE FROM cj.{table}")
    stage.must("rebuild")
    assert stage.rows("SELECT * FROM cj.acknowledgements") == before != []
    assert [(row["note"], row["holds"]) for row in stage.rows(filled("page_order_notes"), **lost)] == [("The partner was asked.", True)]


def test_a_journal_without_a_run_empties_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "warehouse.duckdb"
    extra = {"enterprise_id": "1500001", "advertiser_id": "5500001"}
    monkeypatch.setenv("AIRFLOW_CONN_CJ", json.dumps({"conn_type": "http", "password": "sandbox-token", "extra": extra}))
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": str(file)}))
    monkeypatch.setenv("AIRFLOW_VAR_CJ_STORAGE", f"file://{tmp_path / 'elsewhere'}")
    with open_warehouse(WarehouseLocation("duckdb", path=str(file))) as session:
        session.create_tables()
        session.execute(
            "INSERT INTO cj.quarantine (run_id, stage, reason, quarantined_at) VALUES ('night', 'validation', 'x', '2026-03-01')"
        )
    assert main([]) == 1
    assert f"The journal at file://{tmp_path / 'elsewhere'} holds no run, so nothing was changed." in capsys.readouterr().err
    with open_warehouse(WarehouseLocation("duckdb", path=str(file))) as session:
        assert session.rows("SELECT count(*) AS n FROM cj.quarantine") == [{"n": 1}]


def test_asking_for_help_rebuilds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "from the journal" in capsys.readouterr().out
