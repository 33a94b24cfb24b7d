"""What `python -m lab.scale` starts, without starting it: the environment, the refusals, the verdict on a night."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.airflow.connections import Secrets, settings_from_airflow
from include.airflow.warehouse import warehouse_location
from include.commands.up import members, stop_session
from include.domain.errors import SettingError
from lab.comparison import NOTHING, Comparison, Difference, OrderKey
from lab.scale.__main__ import chunk_size, chunks_per_task
from lab.scale.cluster import CONCURRENCY, PARTS, WORKERS, exists, task_processes, worker_command
from lab.scale.environment import cluster_environment
from lab.scale.outcome import Outcome, table
from lab.scale.rehearsal import Killed, Night
from lab.scale.services import redis_server
from lab.scale.stage import newest_night

ROOT = Path(__file__).parents[2]
CALLERS = {
    "PATH": "/usr/bin",
    "AIRFLOW_CONN_CJ": '{"conn_type": "http", "password": "the-callers-own"}',
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
}


def environment(bucket_url: str | None = None) -> dict[str, str]:
    return cluster_environment(
        Path("/run/x"), "http://127.0.0.1:9", 8123, "/tmp/cj-scale-x/postgres", Path("/tmp/cj-scale-x/redis.sock"), CALLERS, bucket_url
    )


class FromEnvironment(Secrets):
    """Connections and Variables of an environment that is not this process's."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def connection(self, conn_id: str) -> Any:
        from airflow.sdk import Connection

        return Connection.from_json(self.values[f"AIRFLOW_CONN_{conn_id.upper()}"], conn_id=conn_id)

    def variable(self, name: str) -> str | None:
        return self.values.get(f"AIRFLOW_VAR_{name.upper()}")


def test_queue_metadata_and_warehouse_are_on_sockets_and_the_rest_on_loopback() -> None:
    built = environment()
    assert built["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert built["AIRFLOW__CELERY__BROKER_URL"] == "redis+socket:///tmp/cj-scale-x/redis.sock?virtual_host=0"
    assert built["AIRFLOW__CELERY__RESULT_BACKEND"] == "db+postgresql://postgres@/airflow?host=/tmp/cj-scale-x/postgres"
    assert built["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert built["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8123/execution/"
    assert built["AIRFLOW_HOME"] == "/run/x/airflow"


def test_the_package_reads_what_was_built_and_never_the_callers_account() -> None:
    built = environment()
    settings = settings_from_airflow(secrets=FromEnvironment(built))
    assert [(a.tracking_url, a.mode.value) for a in settings.accounts] == [("http://127.0.0.1:9", "live")]
    assert (settings.storage, settings.storage_conn_id) == ("file:///run/x/storage", None)
    assert "the-callers-own" not in json.dumps(built)
    location = warehouse_location(FromEnvironment(built))
    assert (location.kind, location.uri) == ("postgres", "postgresql://postgres@/warehouse?host=%2Ftmp%2Fcj-scale-x%2Fpostgres")


def test_a_bucket_is_two_variables_and_a_connection() -> None:
    settings = settings_from_airflow(secrets=FromEnvironment(built := environment("http://127.0.0.1:7")))
    assert (settings.storage, settings.storage_conn_id) == ("s3://cj-restatements/restatements", "cj_bucket")
    assert json.loads(built["AIRFLOW_CONN_CJ_BUCKET"])["extra"]["endpoint_url"] == "http://127.0.0.1:7"


def test_every_start_has_secrets_of_its_own() -> None:
    one, two = environment(), environment()
    for name in ("AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API__SECRET_KEY"):
        assert len(one[name]) == 64
        assert one[name] != two[name]


def test_workers_have_distinct_names_and_no_log_server() -> None:
    commands = [worker_command(name) for name in WORKERS]
    assert len({c[c.index("--celery-hostname") + 1] for c in commands}) == len(WORKERS) == 2
    for command in (*commands, PARTS["scheduler"], PARTS["triggerer"]):
        assert "--skip-serve-logs" in command
    assert CONCURRENCY > 1  # else the second try would wait for the surviving worker's own batch


def test_without_redis_it_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="redis-server is not installed, and Celery needs it as its queue"):
        redis_server(search=str(tmp_path))
    process = subprocess.run(
        [sys.executable, "-m", "lab.scale", "rehearse"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT), "PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert process.returncode == 1
    assert process.stderr.splitlines()[-1].startswith("redis-server is not installed")
    assert "Traceback" not in process.stderr


def test_the_night_is_the_one_an_unpaused_dag_runs() -> None:
    assert newest_night(datetime(2026, 11, 20, 2, tzinfo=UTC)) == datetime(2026, 11, 20, 2, tzinfo=UTC)
    assert newest_night(datetime(2026, 11, 20, 1, 59, tzinfo=UTC)) == datetime(2026, 11, 19, 2, tzinfo=UTC)


def test_a_task_is_found_in_its_workers_session_also_when_the_worker_is_dead() -> None:
    worker = subprocess.Popen(
        ["bash", "-c", "(exec -a 'airflow worker -- 0199-task' sleep 300) & echo; wait"], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert worker.stdout
        worker.stdout.readline()
        while not (found := task_processes(worker.pid)):
            assert worker.poll() is None
        worker.kill()
        worker.wait()
        assert task_processes(worker.pid) == found
        assert list(found) == ["0199-task"]
        assert exists(found["0199-task"])
    finally:
        stop_session(worker.pid)
        assert worker.stdout
        worker.stdout.close()
    assert members(worker.pid) == []
    assert not exists(found["0199-task"])


def outcome(**changed: Any) -> Outcome:
    night = Night("scheduled__x", "success", 12.0, {"submit": 3.0})
    good: dict[str, Any] = {
        "night": night, "reconciled": "success", "comparison": Comparison(4, 3, {"skipped: not_in_cj": 1}), "posts": {1: 3},
        "verdicts": {"matched": 3}, "memory": {"in all": 2**20}, "task_memory": {"submit": 2**20},
    }  # fmt: skip
    return Outcome(**(good | changed))


def test_a_night_is_well_when_every_order_is_there_once() -> None:
    assert outcome().well
    assert "Every order ended as the warehouse says, posted once." in table(outcome())


@pytest.mark.parametrize(
    "changed",
    [
        {"posts": {1: 2, 2: 1}},
        {"posts": {}, "verdicts": {}},
        {"posts": {1: 2}},
        {"verdicts": {"matched": 2, "missing": 1}},
        {"reconciled": "failed"},
        {"night": Night("scheduled__x", "failed", 12.0, {})},
        {"comparison": Comparison(4, 3, {}, (Difference(OrderKey("1", 1, "A"), NOTHING, NOTHING, "nothing"),))},
    ],
    ids=["posted twice", "nothing posted", "a verdict too many", "missing", "not reconciled", "night failed", "differs"],
)  # fmt: skip
def test_a_night_is_not_well_when_anything_is_off(changed: dict[str, Any]) -> None:
    assert not outcome(**changed).well
    assert "This night did not end well." in table(outcome(**changed))


def killed(gone_after: int, second_try_after: int) -> Night:
    at = datetime(2026, 11, 20, 2, 5, tzinfo=UTC)
    story = Killed("worker-1", {}, 77, at, 3, at + timedelta(seconds=gone_after), at + timedelta(seconds=second_try_after))
    return Night("scheduled__x", "success", 12.0, {}, story)


def test_a_killed_worker_proves_something_only_if_two_tries_were_at_work() -> None:
    both, one_after_the_other = outcome(night=killed(64, 31)), outcome(night=killed(19, 35))
    assert (both.well, both.proved) == (True, True)
    assert (one_after_the_other.well, one_after_the_other.proved) == (True, False)
    assert "two tries at once were not rehearsed" in table(one_after_the_other)
    assert "two tries at once" not in table(both)


@pytest.mark.parametrize("orders", [2_000, 20_000, 60_000, 200_000, 400_000])
def test_the_night_is_one_batch_for_each_worker(orders: int) -> None:
    sent = [orders * share // 100 for share in (60, 10, 5)]  # restated, cancelled, missed: lab.bulk
    chunks = sum(-(-n // chunk_size(orders)) for n in sent)
    assert -(-chunks // chunks_per_task()) == len(WORKERS)


def test_no_night_has_chunks_larger_than_cj_takes() -> None:
    assert (chunk_size(10_000_000), chunk_size(1)) == (10_000, 1)
