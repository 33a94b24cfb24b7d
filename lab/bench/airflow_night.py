"""What Airflow itself adds: the usual night in a running Airflow beside an empty DAG of as many tasks, and what parsing the DAG files costs.

In the night the seconds are taken out in which a task waited for CJ's sandbox and nothing of ours ran, as in every other step (`measuring.Clock`): a plugin
that only this Airflow has notes in each task when it waited, and what it used of the processor.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from include.airflow.environment import ROOT, gate_off
from lab.bench.measuring import TASKS_FILE, Clock, Wait, measured, union
from lab.bench.row import Row

ORDERS = 10_000
_DAY = timedelta(days=1)
_SPREAD = ORDERS * 24 // 22
"""Orders made: they are touched between two midnights, and a night from 02:00 to 02:00 holds 22 of those 24 hours."""
_EMPTY = '''"""As many tasks in the same places, and nothing in them."""
from datetime import datetime, UTC
from airflow.sdk import DAG, CronDataIntervalTimetable, task

with DAG("empty", schedule=None, start_date=datetime(2024, 1, 1, tzinfo=UTC), catchup=False):
    @task
    def prepare(): return [1]
    @task
    def approve(batches): return batches
    @task
    def release(answered): return answered
    @task
    def submit(batch): return batch
    @task
    def publish(): return None
    submit.expand(batch=release(approve(prepare()))) >> publish()
'''
_WATCH = '''"""Notes what each task waited for CJ, and what it used of the processor."""
from airflow.plugins_manager import AirflowPlugin

from lab.bench import task_waits

class BenchPlugin(AirflowPlugin):
    name = "cj_bench"
    listeners = [task_waits]
'''
_READY_WITHIN, _RUN_WITHIN = 180.0, 600.0


def running(folder: Path) -> Iterator[Row]:
    """From the start of the run to the end of its last `submit`, on both sides after runs that warm what a running Airflow has warm.

    Ours are two before the night: the one that unpausing starts finds no order and reads what CJ holds, which a usual night finds read; the
    other sends the two hours of orders before the night's.
    """
    from include.commands.up import free_port, healthy, stop_session, up_environment
    from include.sandbox.process import start_sandbox
    from lab.bulk import load_bulk, write_bulk

    home, night = folder / "airflow-night", last_night(datetime.now(UTC))
    began = night - 2 * _DAY
    write_bulk(home, night - _DAY, _SPREAD)
    load_bulk(home / "warehouse.duckdb", home)
    dags = home / "dags"
    shutil.copytree(ROOT / "dags", dags, ignore=shutil.ignore_patterns("__pycache__"))
    (dags / "empty.py").write_text(_EMPTY, encoding="utf-8")
    plugins = home / "plugins"
    shutil.copytree(ROOT / "plugins", plugins, ignore=shutil.ignore_patterns("__pycache__"))
    (plugins / "cj_bench_plugin.py").write_text(_WATCH, encoding="utf-8")
    with start_sandbox(home / "sandbox.sqlite", seed=home) as sandbox:
        sandbox.control.set_clock(night)
        port = free_port(18080)
        environment = up_environment(home, sandbox.url, port, os.environ) | gate_off()  # nobody sits here to answer
        environment |= {
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            TASKS_FILE: str(home / "tasks.jsonl"),
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
            for dag_id in ("empty", "cj_restatements"):
                _airflow(environment, "dags", "unpause", dag_id)
            _ended(database, "cj_restatements", "data_interval_end", f"{night:%Y-%m-%d %H:%M:%S.%f}")
            _, *empty = [_seconds(database, "empty", _triggered(port, "empty")) for _ in range(4)]
            for interval in ((began - timedelta(hours=2), began), (began, began + _DAY)):
                run_id = _triggered(port, "cj_restatements", *interval)
                wall = _seconds(database, "cj_restatements", run_id)
            cjs = _cjs(database, home / "tasks.jsonl", run_id)
        finally:
            stop_session(session.pid)
    row = _row(
        "the usual night in a running Airflow without CJ's answering, beside an empty DAG of as many tasks",
        wall - cjs,
        median(empty),
        ORDERS,
    )
    row.ours["wall"] = wall
    row.note = f"of {wall:.2f} s the tasks waited {cjs:.2f} s for CJ's answers while nothing of ours ran"
    yield row


def last_night(now: datetime) -> datetime:
    """The end of the newest night that is over: an unpaused DAG starts that one."""
    at_two = now.replace(hour=2, minute=0, second=0, microsecond=0)
    return at_two if at_two <= now else at_two - _DAY


def parsing(folder: Path) -> Iterator[Row]:
    """Importing every DAG file, once Airflow itself is imported, beside importing as many empty ones."""
    files = sorted(str(file) for file in (ROOT / "dags").glob("*.py"))
    empty = []
    for number in range(len(files)):
        file = folder / f"empty_{number}.py"
        file.write_text(_EMPTY.replace('"empty"', f'"empty_{number}"'), encoding="utf-8")
        empty.append(str(file))
    environment_home = str(folder / "parse-home")
    ours, plain = (measured("lab.bench.airflow_night:parse", {"files": list_, "home": environment_home}) for list_ in (files, empty))
    yield Row(f"parsing the {len(files)} DAG files, beside as many empty ones", len(files), ours, plain, beside="empty DAG files")


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


def _triggered(port: int, dag_id: str, start: datetime | None = None, end: datetime | None = None) -> str:
    """Starts a run, of the interval if one is given, and returns its id. The command line could not say which interval."""
    from include.commands.up import ask

    run_id = f"bench_{time.monotonic_ns()}"
    interval = {"logical_date": start, "data_interval_start": start, "data_interval_end": end}
    body = {"dag_run_id": run_id} | {name: moment and moment.isoformat() for name, moment in interval.items()}
    ask(port, f"/api/v2/dags/{dag_id}/dagRuns", ask(port, "/auth/token")["access_token"], body, method="POST")
    return run_id


def _seconds(database: Path, dag_id: str, run_id: str) -> float:
    """Waits for the run; from its start to the end of its last `submit`."""
    began = _ended(database, dag_id, "run_id", run_id)
    last = "SELECT max(end_date) FROM task_instance WHERE dag_id = ? AND run_id = ? AND task_id = 'submit' AND state = 'success'"
    ended = _first(database, last, dag_id, run_id)[0]
    if ended is None:
        raise RuntimeError(f"The run of {dag_id} submitted nothing; {database.parent / 'logs'} says why.")
    return (datetime.fromisoformat(ended) - began).total_seconds()


def _cjs(database: Path, noted: Path, run_id: str) -> float:
    """Seconds in which a task waited for CJ and nothing of ours ran, until the last `submit` was over. The run's tasks run one after the other."""
    asked = "SELECT task_id FROM task_instance WHERE run_id = ? AND state = 'success' ORDER BY end_date"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30) as db:
        tasks = [str(task) for (task,) in db.execute(asked, (run_id,))]
    lines = [json.loads(line) for line in noted.read_text(encoding="utf-8").splitlines()]
    waits = {one["task_id"]: one["waits"] for one in lines if one["run_id"] == run_id}
    return cjs_seconds([Wait(*wait) for wait in waits[task]] for task in tasks[: tasks.index("submit") + 1])


def cjs_seconds(tasks: Iterable[list[Wait]]) -> float:
    """Of each task when it waited for CJ, and the processor time it had used by then: what is CJ's of its seconds."""
    return sum(waited - min(worked, waited) for waited, worked in map(union, tasks))


def _ended(database: Path, dag_id: str, column: str, value: str) -> datetime:
    """Waits for the run whose `column` has this value to succeed; when it began."""
    asked = f"SELECT state, start_date FROM dag_run WHERE dag_id = ? AND {column} = ?"
    _until(lambda: _first(database, asked, dag_id, value)[0] in ("success", "failed"), _RUN_WITHIN, f"the run of {dag_id}")
    state, began = _first(database, asked, dag_id, value)
    if state != "success":
        raise RuntimeError(f"The run of {dag_id} failed; {database.parent / 'logs'} says why.")
    return datetime.fromisoformat(began)


def _first(database: Path, sql: str, *values: str) -> tuple[Any, ...]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30) as db:
        row: tuple[Any, ...] | None = db.execute(sql, values).fetchone()
    return row or (None,)


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


def _until(met: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} took longer than {seconds:.0f} s.")
        time.sleep(0.5)


def _row(step: str, ours: float, empty: float, orders: int) -> Row:
    def figures(seconds: float) -> dict[str, Any]:
        return {"seconds": seconds, "wall": seconds, "phases": {}, "peak_mb": 0.0}

    return Row(step, orders, figures(ours), figures(empty), ceiling=2, beside="empty DAG")


STEPS: dict[str, Callable[[Path], Iterator[Row]]] = {"parse": parsing, "airflow": running}
