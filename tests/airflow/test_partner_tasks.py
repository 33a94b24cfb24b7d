"""What a partner's tasks do of themselves: whose reconciliation it is, and what their log says."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from include.airflow.tasks import partners, reconcile_partner
from include.warehouse.base import WarehouseLocation, open_for_reading, open_warehouse
from tests.web.partner_tables import saw_a_sale

ASPIRE = "7108602"


@pytest.fixture(autouse=True)
def empty_warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    location = WarehouseLocation("duckdb", path=str(tmp_path / "w.duckdb"))
    with open_warehouse(location) as session:
        session.create_tables()
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": location.path}))
    monkeypatch.setenv("AIRFLOW_VAR_CJ_STORAGE", f"file://{tmp_path}/storage")


@pytest.mark.parametrize(("conf", "whose"), [({"publisher_id": "7"}, ["7"]), ({}, [ASPIRE])])
def test_a_run_reconciles_the_publisher_it_names_or_all_there_is_a_mapping_of(conf: dict[str, str], whose: list[str]) -> None:
    assert partners({"dag_run": SimpleNamespace(conf=conf), "params": {"publisher_id": "7"}}) == whose


def test_where_every_row_could_be_read_the_log_says_of_none_that_it_could_not(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "include.airflow.tasks"):
        done = reconcile_partner({"run_id": "manual__1"}, ASPIRE)
    assert done["orders"] == {}
    assert "The statement is in" in caplog.text
    assert "could not be read" not in caplog.text


def test_what_it_found_is_left_where_the_pages_read_it(tmp_path: Path) -> None:
    location = WarehouseLocation("duckdb", path=str(tmp_path / "w.duckdb"))
    with open_warehouse(location) as session:
        saw_a_sale(session)
    reconcile_partner({"run_id": "manual__1"}, ASPIRE)
    with open_for_reading(location, 60) as session:
        assert [row["run_id"] for row in session.rows("SELECT DISTINCT run_id FROM cj.partner_statements")] == ["manual__1"]
