"""The DAG by Airflow's own command: a mapping's folder in a Variable, a warehouse in a connection, and a statement at the end. It asks for no account of CJ's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from include.airflow.environment import ROOT, project_environment
from include.demo.partner_month import ASPIRE, NORDLICHT, tell
from include.demo.partners import write_month
from include.warehouse.base import WarehouseLocation, open_warehouse


@dataclass(frozen=True)
class Played:
    """What came of two runs: of all partners, and of one that was named."""

    place: Path
    outputs: list[str]
    codes: list[int]


@pytest.fixture(scope="module")
def played_dag(tmp_path_factory: pytest.TempPathFactory) -> Played:
    place = tmp_path_factory.mktemp("dag")
    mappings = write_month(tell(), WarehouseLocation("duckdb", path=str(place / "w.duckdb")), place / "month")
    given = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment = project_environment(given | {"AIRFLOW_HOME": str(place / "home")}) | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "AIRFLOW_HOME": str(place / "home"),
        "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "duckdb", "host": str(place / "w.duckdb")}),
        "AIRFLOW_VAR_CJ_PARTNER_MAPPINGS": str(mappings),
        "AIRFLOW_VAR_CJ_PARTNER_DAYS": "3650",
        "AIRFLOW_VAR_CJ_STORAGE": f"file://{place}/storage",
        # No account can be read, and none is asked for.
        "AIRFLOW_CONN_CJ": "http://nobody",
        "PYTHONPATH": str(ROOT),
    }
    outputs, codes = [], []
    for command in (
        ["db", "migrate"],
        ["dags", "test", "cj_partner_reconciliation", "2026-04-15T05:15:00+00:00"],
        ["dags", "test", "cj_partner_reconciliation", "2026-04-16T05:15:00+00:00", "--conf", json.dumps({"publisher_id": "7108602"})],
        ["dags", "test", "cj_partner_reconciliation", "2026-04-17T05:15:00+00:00", "--conf", json.dumps({"publisher_id": "1"})],
    ):
        done = subprocess.run(["airflow", *command], cwd=place, env=environment, capture_output=True, text=True, timeout=1_500)
        outputs.append(done.stdout + done.stderr)
        codes.append(done.returncode)
    return Played(place, outputs, codes)


@pytest.mark.timeout(3_000)
def test_a_run_of_the_clocks_reconciles_every_partner_there_is_a_mapping_of(played_dag: Played) -> None:
    assert played_dag.codes[:3] == [0, 0, 0], played_dag.outputs[1][-4_000:]
    with open_warehouse(WarehouseLocation("duckdb", path=str(played_dag.place / "w.duckdb"))) as session:
        runs = session.rows(
            "SELECT publisher_id, COUNT(DISTINCT run_id) AS runs, MAX(run_id) AS run FROM cj.partner_statements GROUP BY 1 ORDER BY 1"
        )
    assert [(row["publisher_id"], row["runs"]) for row in runs] == [(ASPIRE, 1), (NORDLICHT, 1)]
    assert runs[0]["run"] != runs[1]["run"], "the second run was of one partner alone"
    for publisher in (ASPIRE, NORDLICHT):
        folder = played_dag.place / "storage" / "cj_restatements" / "partners" / publisher
        assert sorted(path.name for path in folder.iterdir()) == ["differences.csv", "statement.csv", "statement.html", "to_send.csv"]
    assert "Orders: agree" in played_dag.outputs[1]


@pytest.mark.timeout(3_000)
def test_a_publisher_without_a_mapping_fails_with_the_sentence_and_is_not_tried_again(played_dag: Played) -> None:
    assert played_dag.codes[3] != 0 or "failed" in played_dag.outputs[3]
    assert "has publisher_id '1'. Write one as docs/partners.md shows" in played_dag.outputs[3]
