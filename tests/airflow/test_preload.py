"""What the worker loads before it forks is there in the task and works there; where no task is forked, nothing is loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from include.airflow import preload
from include.airflow.environment import ROOT
from lab.scale.environment import cluster_environment

FORKED = r"""
import importlib, os, sys, threading, traceback
from include.airflow.preload import LIBRARIES, preload

assert set(preload()) == set(LIBRARIES)
assert threading.active_count() == 1, threading.enumerate()
ours = sorted(name for name in sys.modules if name.startswith(("include.cj", "include.restatements", "include.warehouse", "include.sql")))
assert ours == [], "a change in these would only count after a restart"


def task():
    before = {name.partition(".")[0] for name in sys.modules}
    import include.airflow.operators
    from include.restatements import prepare, publish, submit
    from include.restatements import reconcile as reconciliation
    from include.warehouse import arrow
    from include.warehouse.location import kind_named, supported_kinds
    for driver in [kind_named(kind).DRIVER for kind in supported_kinds()]:
        importlib.import_module(driver)
    new = {name.partition(".")[0] for name in sys.modules} - before - set(sys.stdlib_module_names)
    assert new <= {"include"}, f"still imported by the task: {new}"

    import duckdb, httpx, numpy, pyarrow as pa, pyarrow.parquet as pq, scipy.linalg
    from include.restatements.gate.findings import findings
    from include.restatements.gate.suite import Judge
    from include.domain.shapes import CHANGES
    from datetime import UTC, datetime

    square = numpy.random.default_rng(1).random((400, 400))
    assert numpy.isfinite(square @ square).all() and numpy.isfinite(scipy.linalg.lu(square)[2]).all()
    pq.write_table(pa.table({"n": range(300_000), "m": range(300_000)}), sys.argv[1], row_group_size=20_000)
    assert pa.compute.sum(pq.read_table(sys.argv[1], use_threads=True)["n"]).as_py() == 300_000 * 299_999 // 2
    assert duckdb.connect().execute(f"SELECT sum(n) FROM '{sys.argv[1]}'").fetchone() == (300_000 * 299_999 // 2,)
    assert Judge(frozenset({"1"})).broken(findings(CHANGES.empty_table(), datetime.now(UTC), False)) == []
    httpx.Client().close()


def forked(work):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        code = work() or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    os._exit(code)


def worker():
    # As a worker does: one task after another, each in a fork of its own.
    return max(forked(task) for _ in range(2))


assert forked(worker) == 0
"""

HEAVY = ["pandas", "great_expectations", "pyarrow", "duckdb", "adbc_driver_postgresql", "scipy", "httpx"]


class Job:
    """Named as Airflow's: a listener is called with one by every component."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []

    def imported(name: str) -> bool:
        found.append(name)
        return True

    monkeypatch.setattr(preload, "_imported", imported)
    monkeypatch.setattr(preload.sys, "platform", "linux")
    monkeypatch.setattr(preload.multiprocessing, "get_start_method", lambda: "fork")
    monkeypatch.setattr(preload.sys, "argv", ["airflow", "scheduler"])
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "LocalExecutor")
    return found


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_a_task_finds_every_library_loaded_and_working_two_forks_later(tmp_path: Path) -> None:
    done = run(FORKED, str(tmp_path / "numbers.parquet"))
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_scheduler_that_forks_its_tasks_loads_ahead(calls: list[str]) -> None:
    preload.on_starting(Job())
    assert calls == list(preload.LIBRARIES)


@pytest.mark.parametrize("component", ["dag-processor", "triggerer", "api-server", "celery", "kubernetes", "tasks", "dags"])
def test_no_other_component_does(component: str, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preload.sys, "argv", ["airflow", component, "scheduler"])
    preload.on_starting(Job())
    assert calls == []


@pytest.mark.parametrize("executor", ["CeleryExecutor", "KubernetesExecutor", "CeleryExecutor,KubernetesExecutor"])
def test_nor_does_a_scheduler_whose_tasks_run_elsewhere(executor: str, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", executor)
    preload.on_starting(Job())
    assert calls == []


def test_nor_where_a_worker_or_a_task_begins_with_a_new_interpreter(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preload.multiprocessing, "get_start_method", lambda: "spawn")
    preload.on_starting(Job())
    monkeypatch.setattr(preload.multiprocessing, "get_start_method", lambda: "fork")
    monkeypatch.setattr(preload.sys, "platform", "darwin")
    preload.on_starting(Job())
    assert calls == []


def test_nor_does_a_task_that_starts(calls: list[str]) -> None:
    preload.on_starting(object())
    assert calls == []


@pytest.mark.parametrize("said", ["False", "0"])
def test_the_option_turns_it_off(said: str, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CJ_RESTATEMENTS__PRELOAD", said)
    preload.on_starting(Job())
    assert calls == [] and preload.preload() == []


def test_an_option_that_makes_no_sense_stops_no_scheduler(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CJ_RESTATEMENTS__PRELOAD", "perhaps")
    preload.on_starting(Job())
    assert calls == []


def test_a_library_that_is_missing_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preload, "LIBRARIES", ("no_such_library", "json"))
    assert preload.preload() == ["json"]


def environment_of_a_cluster() -> dict[str, str]:
    return cluster_environment(
        Path("/run/x"), "http://127.0.0.1:9", 8123, "/run/x/postgres", Path("/run/x/redis.sock"), {"PATH": "/usr/bin"}
    )


def test_a_celery_worker_loads_ahead_by_importing_one_module() -> None:
    (module,) = json.loads(environment_of_a_cluster()["AIRFLOW__CELERY__EXTRA_CELERY_CONFIG"])["imports"]
    done = run(f"import sys, {module}; print('great_expectations' in sys.modules)")
    assert done.stdout.splitlines()[-1:] == ["True"], done.stderr[-3000:]


def test_the_plugin_itself_loads_nothing_heavy() -> None:
    script = (
        "import sys, runpy, airflow.plugins_manager\n"
        "before = set(sys.modules)\n"
        "runpy.run_path('plugins/cj_preload_plugin.py')\n"
        f"print(sorted(name for name in {HEAVY!r} if name in sys.modules and name not in before))\n"
    )
    done = run(script)
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr[-3000:]
