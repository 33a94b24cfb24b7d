"""Heavy libraries, imported once by the process that forks the tasks, so that no task has to import them again.

On Linux a task's process is a fork of its worker: what the worker has imported is there already. A night of 10,000 orders spent half its
time importing Great Expectations. The listener (registered in plugins/cj_preload_plugin.py) imports it in the scheduler when that is about
to start LocalExecutor's workers; a Celery worker does so when its setting `imports` names `include.airflow.preload_worker`.

What it does not do. It loads nothing of this package: a change in `include` counts from the next task on. It only imports: a library is
used after the fork, never before. Where tasks are not forked, or the option says so, it does nothing:

    AIRFLOW__CJ_RESTATEMENTS__PRELOAD=False
"""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airflow.exceptions import AirflowConfigException
from airflow.listeners import hookimpl

log = logging.getLogger(__name__)

WAREHOUSES = Path(__file__).resolve().parents[1] / "warehouse"


def drivers() -> list[str]:
    """What the kinds of warehouse name as their DRIVER. The modules are read, not imported."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(WAREHOUSES.glob("*_warehouse.py"))]
    return [name for text in texts for name in re.findall(r'^DRIVER = "([\w.]+)"$', text, re.MULTILINE)]


LIBRARIES = (
    "great_expectations",
    "pandas",
    "pyarrow.compute",
    "pyarrow.json",
    "pyarrow.parquet",
    *drivers(),
    "httpx",
    "orjson",
    "vl_convert",
    "airflow.providers.standard.operators.hitl",
    "airflow.providers.standard.triggers.temporal",
)
"""What the tasks import. Importing them starts no Python thread and opens nothing; the threads OpenBLAS and jemalloc start end at a fork and
begin anew in the child, by themselves."""


@hookimpl
def on_starting(component: Any) -> None:
    """Airflow calls this for every component and every task; only a scheduler that forks tasks itself has something to load."""
    if type(component).__name__ != "Job":
        return
    try:
        if forks_tasks(sys.argv):
            preload()
    except AirflowConfigException as problem:
        log.warning("Nothing is loaded ahead of the tasks. %s Give true or false.", problem)
    except Exception:
        log.warning("Nothing is loaded ahead of the tasks.", exc_info=True)


def forks_tasks(command: Sequence[str]) -> bool:
    """Whether this command line is a scheduler whose own children become tasks. The component does not know yet which one it is."""
    from airflow.configuration import conf

    return (
        list(command[1:2]) == ["scheduler"]
        and "LocalExecutor" in conf.get("core", "executor")
        # On macOS a task begins with a new interpreter; so does a worker that is not forked.
        and sys.platform != "darwin"
        and multiprocessing.get_start_method() == "fork"
    )


def preload() -> list[str]:
    """Imports the libraries, unless the option says no, and returns those that are there. A missing one stops nothing: its task will say so."""
    from airflow.configuration import conf

    if not conf.getboolean("cj_restatements", "preload", fallback=True):
        return []
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read when great_expectations is imported
    chatty = logging.getLogger("great_expectations")
    level = chatty.level
    chatty.setLevel(logging.WARNING)
    try:
        loaded = [name for name in LIBRARIES if _imported(name)]
    finally:
        # The task of another DAG that uses the library inherits it as if nobody had been here.
        chatty.setLevel(level)
    log.info("Loaded %d libraries ahead of the tasks.", len(loaded))
    return loaded


def _imported(name: str) -> bool:
    try:
        importlib.import_module(name)
    except Exception as problem:  # noqa: BLE001 - whatever a library raises, the scheduler goes on without it
        log.warning("%s is not loaded ahead of the tasks that use it (%s: %s).", name, type(problem).__name__, problem)
        return False
    return True
