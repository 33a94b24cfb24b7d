"""The task that submits, while CJ is down and after: it waits outside the worker, uses up no attempt, and posts each order once."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from include.airflow.connections import settings_from_airflow
from include.airflow.operators import SubmitBatch
from include.airflow.warehouse import warehouse_location
from include.cj.errors import CJInvalidToken
from include.restatements.prepare import prepare
from include.restatements.settings import Run
from include.sandbox.process import SandboxProcess, start_sandbox
from lab.bulk import load_bulk, write_bulk

NIGHT = datetime(2026, 3, 10, tzinfo=UTC)
TONIGHT = Run("scheduled__2026-03-10T02:00:00+00:00", NIGHT - timedelta(days=1), NIGHT)
ORDERS, SENT = 100, 75
DOWN = {"kind": "status", "status": 503, "retry_after": 0, "times": 1_000}


@dataclass
class Instance:
    start_date: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class DagRun:
    conf: dict[str, Any] = field(default_factory=dict)


def context() -> Any:
    start, end = TONIGHT.interval_start, TONIGHT.interval_end
    run = {"run_id": TONIGHT.run_id, "data_interval_start": start, "data_interval_end": end}
    return run | {"dag_run": DagRun(), "params": {}, "ti": Instance()}


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


@pytest.fixture
def task(cj: SandboxProcess) -> SubmitBatch:
    prepared = prepare(TONIGHT, settings_from_airflow({}), warehouse_location())
    (chunks,) = prepared.batches
    return SubmitBatch(task_id="submit", batch={"digest": prepared.digest, "chunks": chunks})


@pytest.mark.parametrize("path", ["/graphqltest", "/graphql"])
def test_an_outage_longer_than_all_retries_is_waited_for_outside_the_worker_and_then_each_order_is_posted_once(
    cj: SandboxProcess, task: SubmitBatch, path: str
) -> None:
    # On the live path only an answer that says nothing was done may be tried again.
    cj.control.add_faults([DOWN | {"path": path} | ({"status": 429} if path == "/graphql" else {})])
    waits = []
    for _ in range(8):
        with pytest.raises(TaskDeferred) as waiting:
            task.execute(context())
        waits.append(waiting.value.trigger.moment - datetime.now(UTC))
    assert all(timedelta(0) < wait < timedelta(hours=1) for wait in waits)
    assert list(cj.control.submissions()) == []
    cj.control.clear_faults()
    (Path(settings_from_airflow({}).storage.removeprefix("file://")) / "cj_restatements" / "breakers" / "cj.json").unlink(missing_ok=True)
    assert task.execute_complete(context())["accepted"] == SENT
    assert Counter(Counter(update["order_id"] for update in cj.control.submissions()).values()) == {1: SENT}


def test_what_waiting_does_not_help_is_not_waited_for(cj: SandboxProcess, task: SubmitBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = json.loads(os.environ["AIRFLOW_CONN_CJ"]) | {"password": "a-token-of-yesterday"}
    monkeypatch.setenv("AIRFLOW_CONN_CJ", json.dumps(connection))
    with pytest.raises(CJInvalidToken):
        task.execute(context())
