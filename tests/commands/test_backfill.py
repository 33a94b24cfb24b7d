"""What a backfill would touch is shown for the dates Airflow itself would run, and nothing is sent or kept by showing it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.airflow.environment import ROOT
from include.commands.backfill import instant, main, runs_between
from include.restatements.settings import Run
from include.sandbox.process import SandboxProcess, start_sandbox
from include.warehouse.base import WarehouseLocation, open_warehouse
from lab.bulk import load_bulk, write_bulk

NIGHT = datetime(2026, 3, 10, tzinfo=UTC)
ORDERS = 200


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-01", "2026-03-04"),
        ("2026-03-01T02:00:00+00:00", "2026-03-02T02:00:00+00:00"),
        ("2026-03-01T02:00:01+00:00", "2026-03-02T01:59:59+00:00"),
        ("2026-02-27T23:00:00-05:00", "2026-03-01"),
    ],
)
def test_the_dates_are_those_airflow_would_run(start: str, end: str) -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.models.backfill import _get_info_list
    from airflow.serialization.serialized_objects import DagSerialization

    dag = DagBag(dag_folder=str(ROOT / "dags")).dags["cj_restatements"]
    infos = _get_info_list(
        from_date=instant(start), to_date=instant(end), reverse=False, dag=DagSerialization.from_dict(DagSerialization.to_dict(dag))
    )
    theirs = [(info.data_interval.start, info.data_interval.end) for info in infos if info.data_interval]
    assert [(run.interval_start, run.interval_end) for run in runs_between(instant(start), instant(end))] == theirs


def test_an_interval_that_is_not_over_is_left_out() -> None:
    now = datetime.now(UTC)
    found = list(runs_between(now - timedelta(days=3), now + timedelta(days=3)))
    assert found
    assert all(run.interval_end < now for run in found)
    assert all(isinstance(run, Run) and run.interval_end - run.interval_start == timedelta(days=1) for run in found)


@pytest.fixture
def cj(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxProcess]:
    write_bulk(tmp_path, NIGHT, ORDERS)
    load_bulk(tmp_path / "warehouse.duckdb", tmp_path)
    with start_sandbox(tmp_path / "cj.sqlite", seed=tmp_path) as sandbox:
        sandbox.control.set_clock(NIGHT + timedelta(hours=2))
        urls = {"tracking_url": sandbox.url, "commissions_url": f"{sandbox.url}/query"}
        extra = {"enterprise_id": "1500001", "advertiser_id": "5500001", "mode": "live", **urls}
        monkeypatch.setenv("AIRFLOW_CONN_CJ", json.dumps({"conn_type": "http", "password": "sandbox-token", "extra": extra}))
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": str(tmp_path / "warehouse.duckdb")}))
        monkeypatch.setenv("AIRFLOW_VAR_CJ_STORAGE", f"file://{tmp_path / 'storage'}")
        yield sandbox


def test_a_preview_counts_each_night_and_the_whole_and_leaves_no_trace(
    cj: SandboxProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--from-date", "2026-03-08", "--to-date", "2026-03-09T02:00:00+00:00"]) == 0
    lines = {
        line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:-1]]
        for line in capsys.readouterr().out.splitlines()
        if "│" in line
    }
    assert list(lines) == ["2026-03-08 02:00", "2026-03-09 02:00", "all, each order once"]
    nights = [[int(cell) for cell in lines[name][:6]] for name in list(lines)[:2]]
    # 200 orders: 120 restated, 20 unchanged, 20 cancelled, 10 missed, 30 nobody's.
    assert [sum(counts) for counts in zip(*nights, strict=True)] == [200, 10, 120, 20, 0, 50]
    assert [int(cell) for cell in lines["all, each order once"][:6]] == [200, 10, 120, 20, 0, 50]
    assert not (tmp_path / "storage").exists()
    with open_warehouse(WarehouseLocation("duckdb", path=str(tmp_path / "warehouse.duckdb"))) as session:
        for table in ("planned", "submissions", "quarantine", "skipped", "plan_input"):
            assert session.rows(f"SELECT count(*) AS n FROM cj.{table}") == [{"n": 0}], table
    assert list(cj.control.submissions()) == []


def test_dates_without_a_run_and_a_wrong_setting_end_in_a_sentence(
    cj: SandboxProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--from-date", "2026-03-08T03:00:00", "--to-date", "2026-03-08T04:00:00"]) == 0
    assert "--to-date means midnight" in capsys.readouterr().out
    monkeypatch.setenv("AIRFLOW_VAR_CJ_CHUNK_SIZE", "0")
    assert main(["--from-date", "2026-03-08", "--to-date", "2026-03-09"]) == 1
    assert "chunk_size" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        ("2026-13-01", "2026-03-01", "argument --from-date: '2026-13-01' is not a date like 2026-03-01"),
        ("2026-03-01", "0001-01-01T00:00:00+05:00", "is not a date like 2026-03-01"),
        ("2026-04-01", "2026-03-01", "--from-date 2026-04-01 00:00 is after --to-date 2026-03-01 00:00"),
    ],
)
def test_a_wrong_date_is_said_in_a_sentence(start: str, end: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--from-date", start, "--to-date", end])
    assert sentence in capsys.readouterr().err


def test_the_libraries_are_quiet_before_they_are_loaded() -> None:
    logging.getLogger("great_expectations").setLevel(logging.INFO)
    main(["--from-date", "2026-03-08T03:00:00", "--to-date", "2026-03-08T04:00:00"])
    assert logging.getLogger("great_expectations").level == logging.WARNING


def test_a_night_that_validation_stops_is_named_and_does_not_hide_the_others(
    cj: SandboxProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_warehouse(WarehouseLocation("duckdb", path=str(tmp_path / "warehouse.duckdb"))) as session:
        session.execute("UPDATE order_changes SET amount = NULL WHERE updated_at >= '2026-03-09 02:00:00+00:00'")
    assert main(["--from-date", "2026-03-08", "--to-date", "2026-03-09T02:00:00+00:00"]) == 0
    shown = capsys.readouterr().out
    (first,) = [line for line in shown.splitlines() if "2026-03-08 02:00" in line]
    (second,) = [line for line in shown.splitlines() if "│ 2026-03-09 02:00" in line]
    assert "stopped" in second
    assert "stopped" not in first
    assert "2026-03-09 02:00: At least" in shown
    assert "cj-preview" not in shown
