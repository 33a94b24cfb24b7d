"""What Airflow itself adds: the usual night in a running Airflow beside an empty DAG of as many tasks, and what parsing the DAG files costs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from include.airflow.environment import ROOT
from include.bench.ground import NIGHT
from include.bench.measuring import Clock, measured
from include.bench.steps import Row

ORDERS = 10_000
_EMPTY = '''"""As many tasks in the same places, and nothing in them."""
from datetime import datetime, UTC
from airflow.sdk import DAG, CronDataIntervalTimetable, task

with DAG("empty", schedule=None, start_date=datetime(2024, 1, 1, tzinfo=UTC), catchup=False):
    @task
    def prepare(): return [1]
    @task
    def approve(batches): return batches
    @task
    def submit(batch): return batch
    @task
    def publish(): return None
    submit.expand(batch=approve(prepare())) >> publish()
'''
_READY_WITHIN, _RUN_WITHIN = 180.0, 600.0


def running(folder: Path) -> Iterator[Row]:
    """From the start of the run to the end of its last `submit`."""
    from include.airflow.standalone import free_port, healthy, stop_session, up_environment
    from include.demo.bulk import load_bulk, write_bulk
    from include.sandbox.process import start_sandbox

    home = folder / "airflow-night"
    write_bulk(home, NIGHT, ORDERS)
    load_bulk(home / "warehouse.duckdb", home)
    dags = home / "dags"
    shutil.copytree(ROOT / "dags", dags, ignore=shutil.ignore_patterns("__pycache__"))
    (dags / "empty.py").write_text(_EMPTY, encoding="utf-8")
    with start_sandbox(home / "sandbox.sqlite", seed=home) as sandbox:
        sandbox.control.set_clock(NIGHT)
        port = free_port(18080)
        environment = up_environment(home, sandbox.url, port, os.environ) | {
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        }
        _airflow(environment, "db", "migrate")
        with (home / "airflow.log").open("w") as log:
            session = subprocess.Popen(
                [sys.executable, "-m", "airflow", "standalone"], env=environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            _until(lambda: healthy(port), _READY_WITHIN, "Airflow's API")
            database = home / "airflow" / "airflow.db"
            _until(lambda: _known(database) >= {"empty", "cj_restatements"}, _READY_WITHIN, "the DAGs")
            seconds = {}
            # The first run of each warms what a running Airflow has warm.
            for dag_id, logical in (("empty", None), ("empty", None), ("cj_restatements", NIGHT)):
                seconds[dag_id] = _played(environment, database, dag_id, logical)
        finally:
            stop_session(session.pid)
    yield _row(
        "the usual night in a running Airflow, beside an empty DAG of as many tasks", seconds["cj_restatements"], seconds["empty"], ORDERS
    )


def parsing(folder: Path) -> Iterator[Row]:
    """Importing every DAG file, once Airflow itself is imported, beside importing as many empty ones."""
    files = sorted(str(file) for file in (ROOT / "dags").glob("*.py"))
    empty = []
    for number in range(len(files)):
        file = folder / f"empty_{number}.py"
        file.write_text(_EMPTY.replace('"empty"', f'"empty_{number}"'), encoding="utf-8")
        empty.append(str(file))
    environment_home = str(folder / "parse-home")
    ours, plain = (measured("include.bench.airflow_night:parse", {"files": list_, "home": environment_home}) for list_ in (files, empty))
    yield Row(f"parsing the {len(files)} DAG files, beside as many empty ones", len(files), ours, plain)


def parse(clock: Clock, files: list[str], home: str) -> dict[str, Any]:
    import importlib.util

    os.environ.update(AIRFLOW_HOME=home, AIRFLOW__CORE__LOAD_EXAMPLES="False")
    import airflow.sdk  # noqa: F401
    from airflow.sdk import DAG, CronDataIntervalTimetable, task  # noqa: F401

    with clock.phase():
        for number, file in enumerate(files):
            spec = importlib.util.spec_from_file_location(f"parsed_{number}", file)
            assert spec is not None and spec.loader is not None
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
    heavy = sorted({"pandas", "pyarrow", "great_expectations", "duckdb", "httpx"} & sys.modules.keys())
    return {"heavy": heavy}


def _played(environment: dict[str, str], database: Path, dag_id: str, logical: datetime | None) -> float:
    run_id = f"bench_{time.monotonic_ns()}"
    when = ["--logical-date", logical.isoformat()] if logical else []
    _airflow(environment, "dags", "trigger", dag_id, "--run-id", run_id, *when)
    # Unpausing starts a scheduled run of its own; where it is the same night it takes the orders first, and is the one to measure.
    _airflow(environment, "dags", "unpause", dag_id)
    _until(lambda: _state(database, run_id) in ("success", "failed"), _RUN_WITHIN, f"the run of {dag_id}")
    _airflow(environment, "dags", "pause", dag_id)
    if _state(database, run_id) != "success":
        raise RuntimeError(f"The run of {dag_id} failed; {database.parent / 'logs'} says why.")
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        found = db.execute(
            "SELECT r.start_date, max(t.end_date) FROM dag_run AS r JOIN task_instance AS t ON t.run_id = r.run_id AND t.dag_id = r.dag_id "
            "WHERE r.dag_id = ? AND t.task_id = 'submit' AND t.state = 'success' GROUP BY r.run_id ORDER BY r.start_date DESC LIMIT 1",
            (dag_id,),
        ).fetchone()
    if found is None:
        raise RuntimeError(f"The run of {dag_id} submitted nothing; {database.parent / 'logs'} says why.")
    began, ended = found
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def _airflow(environment: dict[str, str], *arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "airflow", *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"airflow {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}")


def _known(database: Path) -> set[str]:
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
            return {row[0] for row in db.execute("SELECT dag_id FROM serialized_dag")}
    except sqlite3.OperationalError:
        return set()


def _state(database: Path, run_id: str) -> str | None:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30) as db:
        found = db.execute("SELECT state FROM dag_run WHERE run_id = ?", (run_id,)).fetchone()
    return found[0] if found else None


def _until(met: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} took longer than {seconds:.0f} s.")
        time.sleep(0.5)


def _row(step: str, ours: float, empty: float, orders: int) -> Row:
    def figures(seconds: float) -> dict[str, Any]:
        return {"seconds": seconds, "wall": seconds, "phases": {}, "peak_mb": 0.0}

    return Row(step, orders, figures(ours), figures(empty), ceiling=2)


STEPS: dict[str, Callable[[Path], Iterator[Row]]] = {"parse": parsing, "airflow": running}
