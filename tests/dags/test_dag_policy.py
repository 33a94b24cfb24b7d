"""What every DAG of the package must be, checked on the DAGs as Airflow loads them."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.airflow.defaults import WAREHOUSE_POOL
from include.airflow.environment import ROOT
from include.airflow.tags import CJ, MEANINGS, MOVES_MONEY, NEEDS_WAREHOUSE, READS_ONLY
from lab.pages.dags import runbook

DAG_FILES = sorted((ROOT / "dags").glob("*.py"))
DAG_IDS = [file.stem for file in DAG_FILES]


@pytest.fixture(scope="module")
def dags() -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert bag.import_errors == {}
    return dict(bag.dags)


def test_every_file_declares_the_one_dag_it_is_named_after(dags: dict[str, Any]) -> None:
    assert sorted(dags) == DAG_IDS
    assert {"cj_restatements", "cj_reconciliation", "cj_commission_ledger"} <= set(dags)


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_a_dag_has_an_owner_a_description_and_its_docstring_as_runbook(dags: dict[str, Any], dag_id: str) -> None:
    dag = dags[dag_id]
    assert dag.default_args["owner"] == "cj-restatements"
    assert dag.description
    assert dag.doc_md
    assert dag.doc_md.strip() == runbook(ROOT / "dags" / f"{dag_id}.py").strip()
    assert "**When.**" in dag.doc_md
    assert "**What a failure leaves behind.**" in dag.doc_md


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_tags_come_from_the_closed_list_and_say_whether_money_moves(dags: dict[str, Any], dag_id: str) -> None:
    tags = set(dags[dag_id].tags)
    assert tags <= set(MEANINGS)
    assert CJ in tags
    assert len(tags & {MOVES_MONEY, READS_ONLY}) == 1


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_the_runbook_explains_every_param_and_no_other(dags: dict[str, Any], dag_id: str) -> None:
    _, _, part = dags[dag_id].doc_md.partition("**Params.**")
    assert set(re.findall(r"^\| `(\w+)` \|", part.partition("\n**")[0], re.MULTILINE)) == set(dags[dag_id].params)


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_a_dag_says_that_it_opens_the_warehouse_and_does_so_in_its_pool(dags: dict[str, Any], dag_id: str) -> None:
    pooled = {task.task_id for task in dags[dag_id].tasks if task.pool == WAREHOUSE_POOL}
    assert bool(pooled) is (NEEDS_WAREHOUSE in dags[dag_id].tags)


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_every_task_ends_some_day_and_retries_by_the_kind_of_error(dags: dict[str, Any], dag_id: str) -> None:
    from include.airflow.retries import ByKind

    for task in dags[dag_id].tasks:
        said = task.partial_kwargs if task.is_mapped else vars(task)
        assert task.execution_timeout or said.get("response_timeout"), f"{task.task_id} may run for ever"
        assert isinstance(task.retry_policy, ByKind), task.task_id
        assert task.retries == (0 if task.task_id == "approve" else 3), task.task_id
        assert task.retry_delay >= timedelta(minutes=1)


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_one_run_at_a_time_and_no_catching_up(dags: dict[str, Any], dag_id: str) -> None:
    assert dags[dag_id].max_active_runs == 1
    assert dags[dag_id].catchup is False


def test_the_nights_interval_is_the_day_before(dags: dict[str, Any]) -> None:
    from airflow.serialization.encoders import coerce_to_core_timetable

    timetable = coerce_to_core_timetable(dags["cj_restatements"].timetable)
    interval = timetable.infer_manual_data_interval(run_after=datetime(2026, 3, 2, 2, tzinfo=UTC))
    assert (interval.start, interval.end) == (datetime(2026, 3, 1, 2, tzinfo=UTC), datetime(2026, 3, 2, 2, tzinfo=UTC))


def test_the_documented_params_are_there_with_their_defaults(dags: dict[str, Any]) -> None:
    assert dags["cj_restatements"].params.dump() == dict.fromkeys(["mode", "chunk_size", "max_quarantine_ratio", "approve_above"])
    assert dags["cj_reconciliation"].params.dump() == {"processing_minutes": 60, "deadline_hours": 36}
    assert dags["cj_commission_ledger"].params.dump() == {"since": None}


def test_nothing_is_submitted_that_the_approval_did_not_hand_on(dags: dict[str, Any]) -> None:
    dag = dags["cj_restatements"]
    approve, release, submit = (dag.get_task(task) for task in ("approve", "release", "submit"))
    assert submit.upstream_task_ids == {"release"}
    assert submit.expand_input.value["batch"].operator.task_id == "release"
    assert release.upstream_task_ids == {"approve"}
    assert [answered.operator.task_id for answered in release.op_args] == ["approve"]
    assert (release.trigger_rule, submit.partial_kwargs.get("trigger_rule", "all_success")) == ("all_success", "all_success")
    assert approve.partial_kwargs.get("defaults") is None


def test_each_plan_of_a_run_is_asked_about_by_an_instance_of_its_own(dags: dict[str, Any]) -> None:
    approve = dags["cj_restatements"].get_task("approve")
    assert approve.expand_input.value["question"].operator.task_id == "prepare"
    assert dags["cj_restatements"].get_task("release").python_callable([[], [], [{"digest": "a"}]]) == [{"digest": "a"}]


def test_publish_runs_whatever_happened_and_is_the_only_task_that_ends_the_night(dags: dict[str, Any]) -> None:
    dag = dags["cj_restatements"]
    assert [task.task_id for task in dag.leaves] == ["publish"]
    assert dag.get_task("publish").trigger_rule == "all_done"
    assert [asset.name for asset in dag.get_task("publish").outlets] == ["cj_submissions"]


def test_tasks_that_open_the_warehouse_share_a_pool_of_their_own(dags: dict[str, Any]) -> None:
    pools = {(dag_id, task.task_id): task.pool for dag_id, dag in dags.items() for task in dag.tasks}
    assert pools["cj_restatements", "prepare"] == "cj_warehouse"
    assert pools["cj_restatements", "publish"] == "cj_warehouse"
    assert pools["cj_reconciliation", "reconcile"] == "cj_warehouse"
    assert pools["cj_commission_ledger", "read"] == "cj_warehouse"
    assert pools["cj_restatements", "submit"] == "cj_submit"


def test_in_a_shared_pool_what_was_begun_is_finished_before_more_is_begun(dags: dict[str, Any]) -> None:
    night, weight = dags["cj_restatements"], {}
    for task in night.tasks:
        weight[task.task_id] = task.priority_weight + sum(t.priority_weight for t in task.get_flat_relatives(upstream=True))
        assert task.weight_rule == "upstream", task.task_id
    assert weight["prepare"] < weight["publish"]
    assert dags["cj_reconciliation"].get_task("reconcile").priority_weight > weight["prepare"]


def test_parsing_the_dags_imports_nothing_heavy() -> None:
    heavy = ["pandas", "great_expectations", "pyarrow", "duckdb", "adbc_driver_postgresql", "graphql", "vl_convert"]
    script = (
        "import sys, runpy\n"
        "import airflow.sdk, airflow.providers.standard.operators.hitl\n"
        "before = set(sys.modules)\n"
        f"for file in {[str(file) for file in DAG_FILES]!r}: runpy.run_path(file)\n"
        f"print(sorted(name for name in {heavy!r} if name in sys.modules and name not in before))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
