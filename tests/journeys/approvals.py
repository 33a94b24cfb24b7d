"""Nights that ask a person, run task by task in a real Airflow with its metadata database: answered, cleared, planned anew.

    python -m tests.journeys.approvals SHOP PLACE SANDBOX_URL

Prints what was {seen, kept}, by scene: kept are the rows of cj.approvals. Where `dag.test` would sit and wait for an answer, a scene goes on: it answers by the API's own route, and clears as the
API does. A question is what Airflow's table holds, which is what a person reads.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from include.commands.demo import load_dags, output_into
from include.sandbox.control import SandboxControl
from tests.journeys.shop import RUNS_AT, connection_of, warehouse_at

DAG = "cj_restatements"


class Night:
    """One run of the DAG, moved on by hand."""

    def __init__(self, dag: Any, at: datetime, place: Path, control: SandboxControl) -> None:
        from airflow.models.dagrun import get_or_create_dagrun
        from airflow.serialization.encoders import coerce_to_core_timetable
        from airflow.serialization.serialized_objects import DagSerialization
        from airflow.settings import Session
        from airflow.utils.types import DagRunTriggeredByType

        self.dag, self.place, self.control, self.session = dag, place, control, Session()  # type: ignore[misc]  # Airflow sets it when it starts
        self.before = len(list(control.submissions()))
        self.run = get_or_create_dagrun(
            dag=DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag)), start_date=at, logical_date=at,
            data_interval=coerce_to_core_timetable(dag.timetable).infer_manual_data_interval(run_after=at), run_after=at,
            run_id=f"manual__{at.isoformat()}", session=self.session, conf={}, triggered_by=DagRunTriggeredByType.TEST, triggering_user_name="ana",
        )  # fmt: skip
        self.session.commit()

    def go(self, *, until: str = "") -> dict[str, str]:
        """Run what may run, up to the task `until`; the state of every task instance."""
        from airflow.sdk.definitions.dag import _run_task
        from airflow.utils.state import TaskInstanceState

        while True:
            before = self.states()
            schedulable, _ = self.run.update_state(session=self.session)
            for found in schedulable:
                found.try_number += 1
                found.state = TaskInstanceState.SCHEDULED
            self.session.commit()
            found_now = self.run.get_task_instances(session=self.session)
            ready = [t for t in found_now if t.state == TaskInstanceState.SCHEDULED and t.task_id != until]
            if not ready and self.states() == before:
                return before
            for found in ready:
                _run_task(ti=found, task=self.dag.task_dict[found.task_id])
                self.session.commit()

    def states(self) -> dict[str, str]:
        self.session.expire_all()
        return {
            f"{t.task_id}{'' if t.map_index < 0 else f'[{t.map_index}]'}": str(t.state)
            for t in self.run.get_task_instances(session=self.session)
        }

    def question(self, instance: int) -> dict[str, Any]:
        from airflow.models.hitl import HITLDetail
        from airflow.models.taskinstance import TaskInstance
        from sqlalchemy import select

        self.session.expire_all()
        found = self.session.scalar(
            select(HITLDetail)
            .join(TaskInstance, TaskInstance.id == HITLDetail.ti_id)
            .where(TaskInstance.run_id == self.run.run_id, TaskInstance.task_id == "approve", TaskInstance.map_index == instance)
        )
        return {"subject": found.subject, "body": found.body, "answer": found.chosen_options, "defaults": found.defaults}

    def answer(self, instance: int, option: str = "Approve") -> None:
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
        from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
        from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail

        update_hitl_detail(
            dag_id=DAG, dag_run_id=self.run.run_id, task_id="approve", map_index=instance, session=self.session,
            update_hitl_detail_payload=UpdateHITLDetailPayload(chosen_options=[option]), user=SimpleAuthManagerUser(username="ana", role="admin"),
        )  # fmt: skip
        self.session.commit()

    def clear(self, *tasks: str) -> None:
        from airflow.models.taskinstance import clear_task_instances

        clear_task_instances([t for t in self.run.get_task_instances(session=self.session) if t.task_id in tasks], self.session, "running")  # type: ignore[arg-type]
        self.session.commit()

    def clear_with_downstream(self, task: str) -> None:
        self.clear(task, *(t.task_id for t in self.dag.get_task(task).get_flat_relatives(upstream=False)))

    def other_figures(self) -> None:
        """The warehouse says something else of every restated order."""
        with duckdb.connect(str(self.place / "warehouse.duckdb")) as warehouse:
            warehouse.execute("UPDATE order_changes SET discount = COALESCE(discount, 0) + 1 WHERE change_type = 'restated'")

    def hours_pass(self) -> None:
        """Until nobody may answer any more, as the scheduler sees to it."""
        from airflow.jobs.job import Job
        from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

        for found in self.run.get_task_instances(session=self.session):
            if found.trigger_timeout is not None:
                found.trigger_timeout -= timedelta(hours=24)
        self.session.commit()
        SchedulerJobRunner(job=Job()).check_awaiting_input_timeouts(session=self.session)
        self.session.commit()

    @property
    def approvals(self) -> list[dict[str, Any]]:
        """cj.approvals as it is when the scene is over."""
        with duckdb.connect(str(self.place / "warehouse.duckdb"), read_only=True) as warehouse:
            found = warehouse.execute("SELECT * FROM cj.approvals ORDER BY question")
            names = [column[0] for column in found.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        return [{name: str(value) if value is not None else None for name, value in row.items()} for row in rows]

    @property
    def sent(self) -> int:
        return len(list(self.control.submissions())) - self.before


def planned_anew_before_the_answer(night: Night) -> Iterator[Any]:
    yield night.go(), night.question(0)
    night.other_figures()
    night.clear_with_downstream("prepare")
    yield night.go(), night.question(1), night.sent
    night.answer(1)
    yield night.go(), night.sent


def planned_anew_after_the_answer(night: Night) -> Iterator[Any]:
    night.go()
    night.answer(0)
    yield night.go(until="submit"), night.sent
    night.other_figures()
    night.clear_with_downstream("prepare")
    yield night.go(), night.question(1), night.sent


def plan_alone_cleared_while_the_question_stands(night: Night) -> Iterator[Any]:
    night.go()
    night.other_figures()
    night.clear("prepare")
    yield night.go()
    night.answer(0)
    yield night.go(), night.sent


def plan_alone_cleared_after_the_answer(night: Night) -> Iterator[Any]:
    night.go()
    night.answer(0)
    night.go(until="submit")
    night.other_figures()
    night.clear("prepare")
    yield night.go(), night.sent


def question_alone_cleared(night: Night) -> Iterator[Any]:
    night.go()
    night.answer(0)
    night.go(until="submit")
    night.clear_with_downstream("approve")
    yield night.go(), night.question(0), night.sent
    night.answer(0)
    yield night.go(), night.sent


def question_alone_cleared_under_another_limit(night: Night) -> Iterator[Any]:
    night.go()
    night.clear_with_downstream("approve")
    os.environ["AIRFLOW_VAR_CJ_APPROVE_ABOVE"] = "1"
    yield night.go(), night.question(0), night.sent


def rejected(night: Night) -> Iterator[Any]:
    night.go()
    night.answer(0, "Reject")
    yield night.go(), night.sent


def unanswered(night: Night) -> Iterator[Any]:
    night.go()
    night.hours_pass()
    yield night.go(), night.sent


def the_gate_alone(night: Night) -> Iterator[Any]:
    """No limit is set, and the night touches most of the orders that are open."""
    del os.environ["AIRFLOW_VAR_CJ_APPROVE_ABOVE"]
    yield night.go(), night.question(0), night.sent
    night.answer(0)
    yield night.go(), night.sent


SCENES = [
    planned_anew_before_the_answer,
    planned_anew_after_the_answer,
    plan_alone_cleared_while_the_question_stands,
    plan_alone_cleared_after_the_answer,
    question_alone_cleared,
    question_alone_cleared_under_another_limit,
    rejected,
    unanswered,
    the_gate_alone,
]


@contextmanager
def surroundings(shop: Path, place: Path, url: str) -> Iterator[None]:
    """A warehouse, a journal and a limit of nothing, for one scene."""
    place.mkdir()
    shutil.copy(shop / "warehouse.duckdb", place / "warehouse.duckdb")
    before = dict(os.environ)
    os.environ |= {
        "AIRFLOW_CONN_CJ": connection_of(url, "live"),
        "AIRFLOW_CONN_WAREHOUSE": warehouse_at(place / "warehouse.duckdb"),
        "AIRFLOW_VAR_CJ_STORAGE": (place / "storage").as_uri(),
        "AIRFLOW_VAR_CJ_APPROVE_ABOVE": "0",
    }
    yield
    os.environ.clear()
    os.environ.update(before)


def main(shop: Path, top: Path, url: str) -> None:
    control, seen, kept = SandboxControl(url), {}, {}
    dag = load_dags(top / "start.log")[DAG]
    with output_into(top / "start.log"):
        _into_the_database(dag)
    for number, scene in enumerate(SCENES):
        name = scene.__name__
        with surroundings(shop, top / name, url), output_into(top / f"{name}.log"):
            night = Night(dag, RUNS_AT + timedelta(minutes=number), top / name, control)
            seen[name] = list(scene(night))
            kept[name] = night.approvals
    json.dump({"seen": seen, "kept": kept}, sys.stdout)


def _into_the_database(dag: Any) -> None:
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db

    manager = DagBundlesManager()
    manager.sync_bundles_to_db()
    for bundle in manager.get_all_dag_bundles():
        bundle.initialize()
        sync_bag_to_db(BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name), bundle.name, bundle.version)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
