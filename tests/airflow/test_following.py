"""Batches that follow a canary: each either waits for something that can still come, or fails with what to do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.sdk.exceptions import TaskDeferred

from include.airflow.journal import journal_from_airflow
from include.airflow.operators import SubmitBatch
from include.airflow.retries import LeftUnsent
from include.domain.states import Mode, Operation
from include.restatements.journal.canaries import keep_proof
from include.restatements.journal.documents import Manifest, PlannedChunk, Proven, Summary
from include.restatements.journal.journal import run_folder
from tests.airflow.test_operators import context

RUN = str(context()["run_id"])
AT = datetime(2026, 3, 2, 2, tzinfo=UTC)
CANARY, OTHERS = (f"{run_folder(RUN)}/create/{name}" for name in ("canary", "others"))


@dataclass
class Instances:
    """The canary's instance of `submit` as Airflow has it; `meanwhile` is what happens while it is asked."""

    state: str
    meanwhile: list[Proven] = field(default_factory=list)
    start_date: datetime = field(default_factory=lambda: datetime.now(UTC))
    dag_id: str = "cj_restatements"
    task_id: str = "submit"
    run_id: str = RUN

    def get_task_states(self, **asked: object) -> dict[str, dict[str, str]]:
        for proven in self.meanwhile:
            keep_proof(journal_from_airflow(), plan(), proven)
        return {RUN: {"submit_0": self.state}}


def plan() -> Manifest:
    chunks = [
        PlannedChunk(
            ref=ref, enterprise_id="1500001", operation=Operation.CREATE, orders=3, content_hash=ref, amounts={}, canary=ref == CANARY
        )
        for ref in (CANARY, OTHERS)
    ]
    summary = Summary(
        picked=6, to_send=6, create=6, restate=0, cancel=0, quarantined=0, skipped=0, quarantined_by_reason={}, skipped_by_reason={}, chunks=2,
    )  # fmt: skip
    return Manifest(
        run_id=RUN, interval=(AT, AT), planned_at=AT, cj_time=AT, plan_number=1, modes={"cj": Mode.LIVE}, advertisers={}, at_stake="0.00", summary=summary,
        problems=[], chunks=chunks,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def planned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    extra = {"enterprise_id": "1500001", "advertiser_id": "5500001", "mode": "live"}
    monkeypatch.setenv("AIRFLOW_CONN_CJ", json.dumps({"conn_type": "http", "password": "token", "extra": extra}))
    monkeypatch.setenv("AIRFLOW_VAR_CJ_STORAGE", (tmp_path / "storage").as_uri())
    journal_from_airflow().commit_plan(plan())


def follow(instances: Instances) -> None:
    SubmitBatch(task_id="submit", batch={"digest": "d", "chunks": [OTHERS], "after": 0})._follow(
        context(ti=instances, data_interval_start=AT - timedelta(days=1), data_interval_end=AT), 0
    )


def test_a_canary_that_is_on_its_way_is_waited_for() -> None:
    with pytest.raises(TaskDeferred):
        follow(Instances("deferred"))


def test_a_canary_that_has_failed_is_not_waited_for() -> None:
    with pytest.raises(LeftUnsent, match="has failed: its log says why"):
        follow(Instances("failed"))


def test_a_canary_that_was_only_tested_is_not_waited_for_once_it_is_over() -> None:
    with pytest.raises(LeftUnsent, match=r"went no further than CJ's Test Mode.* Clear task prepare"):
        follow(Instances("success"))


def test_a_canary_that_is_proven_while_its_instance_is_looked_at_lets_the_others_go() -> None:
    proven = Proven(run_id=RUN, plan_number=1, enterprise_id="1500001", orders=3, proven_at=AT)
    with pytest.raises(TaskDeferred):
        follow(Instances("success", [proven]))
    follow(Instances("success"))
