"""The reconciliation's figures reach a real OpenTelemetry collector, where Airflow is configured for one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from include.airflow.environment import ROOT, project_environment
from tests.journeys.shop import connection_of, open_cj, warehouse_at, write_shop
from tests.servers import otlp


def test_the_figures_of_the_reconciliation_reach_an_opentelemetry_collector(tmp_path: Path) -> None:
    shop, place = tmp_path / "shop", tmp_path / "place"
    shop.mkdir()
    place.mkdir()
    write_shop(shop)
    shutil.copy(shop / "warehouse.duckdb", place / "warehouse.duckdb")
    with otlp() as (port, gauges), open_cj(shop, place) as cj:
        environment = {
            "AIRFLOW_CONN_CJ": connection_of(cj.url, "live"),
            "AIRFLOW_CONN_WAREHOUSE": warehouse_at(place / "warehouse.duckdb"),
            "AIRFLOW_VAR_CJ_STORAGE": (place / "storage").as_uri(),
        }
        at = datetime(2026, 11, 21, 4, tzinfo=UTC).isoformat()
        scenario = {
            "name": "round",
            "dag_id": "cj_reconciliation",
            "conf": {},
            "environment": environment,
            "at": at,
            "output": str(place / "round.log"),
        }
        given = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        own = project_environment(
            given
            | {
                "AIRFLOW_HOME": str(tmp_path / "home"),
                "AIRFLOW__METRICS__OTEL_ON": "True",
                "AIRFLOW__METRICS__OTEL_HOST": "127.0.0.1",
                "AIRFLOW__METRICS__OTEL_PORT": str(port),
                "AIRFLOW__METRICS__OTEL_INTERVAL_MILLISECONDS": "500",
            }
        )
        command = [sys.executable, "-m", "tests.journeys.driver", cj.url]
        done = subprocess.run(
            command, env=own, cwd=ROOT, input=json.dumps([scenario]), capture_output=True, text=True, timeout=280, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        # Airflow prints a line of its own where it begins with OpenTelemetry.
        told = next(line for line in reversed(done.stdout.splitlines()) if '"round"' in line)
        assert json.loads(told[told.index('{"round"') :])["round"]["state"] == "success", done.stdout[-2000:]
    assert {"airflow.cj.breaks", "airflow.cj.orders.awaiting", "airflow.cj.orders.missing", "airflow.cj.money_at_risk"} <= set(gauges)
