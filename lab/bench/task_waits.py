"""A listener for the benchmark's Airflow: when each task waited for CJ's answers, and what it used of the processor meanwhile, a line a task.

The empty DAG's tasks have it too.
"""

from __future__ import annotations

import json
import os
import pathlib
from dataclasses import astuple
from typing import Any

from airflow.listeners import hookimpl

from lab.bench.measuring import TASKS_FILE, WAITS, watch_http

watch_http()


@hookimpl
def on_task_instance_running() -> None:
    """In the same process, before the task's own code: what its parent waited for is not the task's."""
    WAITS.clear()


@hookimpl
def on_task_instance_success(task_instance: Any) -> None:
    """Airflow calls this in the task's own process, once the task's end is on record."""
    told = {"run_id": task_instance.run_id, "task_id": task_instance.task_id, "map_index": task_instance.map_index}
    with pathlib.Path(os.environ[TASKS_FILE]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(told | {"waits": [astuple(wait) for wait in WAITS]}) + "\n")
