"""Runs one verb of the loop in a process of its own, and ends, freezes or starves that process at a named step.

One server process imports the package once; each job is a fork of it. The server reads a JSON line on its standard input and answers with one:

    {"start": job}   -> {"pid": n}
    {"wait": pid}    -> {"how": "ok" | "raised" | "killed" | "stopped", "value": what the verb returned, or the error}

What a job changes beside its `at`: the client's repetitions and time-outs are shortened, because a test cannot wait a minute for a retry. Nothing
else differs from what a task runs.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi  # noqa: F401  # imported once, before the forks
import duckdb  # noqa: F401
import httpx  # noqa: F401
import msgspec
import pyarrow as pa
import rich.console  # noqa: F401
import vl_convert  # noqa: F401

import include.warehouse.arrow  # noqa: F401
import include.warehouse.duckdb_warehouse  # noqa: F401
import include.warehouse.postgres_warehouse  # noqa: F401
from include.cj.client import CJClient
from include.cj.transport import Timeouts
from include.domain.account import Account, Token
from include.domain.errors import RestatementsError
from include.domain.shapes import CHANGES
from include.domain.states import Mode
from include.restatements.gate.gate import Gate
from include.restatements.posting import poster as submission
from include.restatements.prelock.review import review
from include.restatements.prepare import prepare
from include.restatements.prove import prove
from include.restatements.publish import publish
from include.restatements.rebuild import rebuild
from include.restatements.reconcile import reconcile
from include.restatements.report import html as report_html
from include.restatements.settings import GATE_OFF, Run, Settings
from include.restatements.submit import submit
from include.warehouse.base import WarehouseLocation
from include.warehouse.orders import OrdersSource

ALMOST_NOTHING = 64
"""Bytes a file may still grow to once the disk is full."""


class Broken(RuntimeError):
    """What a bug would raise: no error of the package."""


def settings_of(job: dict[str, Any]) -> Settings:
    accounts = tuple(Account(**a | {"token": Token(a["token"]), "mode": Mode(a.get("mode", "live"))}) for a in job["accounts"])
    return Settings(accounts, storage=job["storage"], **(dict(GATE_OFF) | job.get("settings", {})))


def run_of(job: dict[str, Any]) -> Run:
    run_id, start, end = job["run"]
    return Run(run_id, datetime.fromisoformat(start), datetime.fromisoformat(end))


def orders_of(job: dict[str, Any]) -> OrdersSource | None:
    """Where the job's Airflow connection `orders` points."""
    if "orders" not in job:
        return None
    from include.airflow.orders import orders_source

    # Airflow's log is written to the standard output, which is the server's own.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    os.environ["AIRFLOW_CONN_ORDERS"] = json.dumps(job["orders"])
    return orders_source()


def stopping(at: str, how: str, nth: int) -> Callable[[str], None]:
    """A checkpoint that does `how` the `nth` time the step `at` is passed."""
    lock, passed = threading.Lock(), 0

    def checkpoint(step: str) -> None:
        nonlocal passed
        if step != at:
            return
        with lock:
            passed += 1
            now = passed == nth
        if now:
            _ACTIONS[how](step)

    return checkpoint


def _raise(step: str) -> None:
    raise Broken(f"broken at {step}")


def _fill_the_disk(_: str) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (ALMOST_NOTHING, resource.RLIM_INFINITY))


_ACTIONS: dict[str, Callable[[str], None]] = {
    "raise": _raise,
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "freeze": lambda _: os.kill(os.getpid(), signal.SIGSTOP),
    "full": _fill_the_disk,
}


def shorten(job: dict[str, Any]) -> None:
    """Two attempts a read, close together, and a read time-out of `timeout` seconds."""
    given: dict[str, Any] = CJClient.__init__.__kwdefaults__ or {}
    given.update(attempts=2, first_wait=0.001, longest_wait=0.01)
    Timeouts.__init__.__defaults__ = (10.0, job.get("timeout", 20.0), 10.0, 10.0, 60.0)
    if "intent_lasts" in job:
        submission.INTENT_LASTS = timedelta(seconds=job["intent_lasts"])


def do(job: dict[str, Any]) -> Any:
    shorten(job)
    settings, location = settings_of(job), WarehouseLocation(**job["location"])
    stop = job.get("stop")
    checkpoint = stopping(stop["at"], stop["how"], stop.get("nth", 1)) if stop else submission.no_checkpoint
    verb = job["verb"]
    if verb == "prepare":
        return asdict(prepare(run_of(job), settings, location, checkpoint, orders_of(job)))
    if verb == "submit":
        return asdict(submit(run_of(job), settings, job["batch"], checkpoint))
    if verb == "prove":
        return asdict(prove(run_of(job), settings, location, job["batch"], checkpoint))
    if verb == "publish":
        return asdict(publish(run_of(job), settings, location, checkpoint))
    if verb == "reconcile":
        return asdict(reconcile(settings, location, job["reconciliation"], checkpoint))
    if verb == "rebuild":
        return asdict(rebuild(settings, location, checkpoint))
    if verb == "review":
        return asdict(review(settings, location, job["review"], checkpoint, orders_of(job)))
    raise ValueError(f"There is no verb {verb!r}.")


def plain(value: Any) -> Any:
    if isinstance(value, (datetime, Decimal)):
        return str(value)
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    raise TypeError(f"{type(value).__name__} has no place in a job's answer")


def child(job: dict[str, Any], answer: int) -> None:
    """In the fork: do the job, write what came of it, and end without the parent's clean-up."""
    try:
        told = {"how": "ok", "value": do(job)}
    except RestatementsError as error:
        told = {"how": "raised", "value": {"kind": type(error).__name__, "words": str(error), "transient": error.transient}}
    except BaseException as error:  # noqa: BLE001  # a bug is one of the faults
        told = {"how": "raised", "value": {"kind": type(error).__name__, "words": str(error), "transient": None}}
    os.write(answer, json.dumps(told, default=plain).encode())
    os._exit(0)


def warm_up() -> None:
    """What every job would otherwise do again: Great Expectations' first validation, the report's template."""
    with tempfile.TemporaryDirectory() as scratch:
        gate = Gate(datetime.now(UTC), Decimal(1), Path(scratch), frozenset({"1"}))
        nothing = pa.Table.from_pylist([{}], schema=CHANGES)  # breaks rules, so that what follows a broken rule is warm as well
        assert sum(part.bad.num_rows for part in gate.inspect([nothing])) == 1
    report_html._template()


def serve() -> None:
    warm_up()
    answers: dict[int, int] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if "start" in asked:
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(read)
                child(asked["start"], write)
            os.close(write)
            answers[pid] = read
            told: dict[str, Any] = {"pid": pid}
        else:
            told = wait(asked["wait"], answers)
        print(json.dumps(told), flush=True)


def wait(pid: int, answers: dict[int, int]) -> dict[str, Any]:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return {"how": "stopped", "value": None}
    with os.fdopen(answers.pop(pid), "rb") as answer:
        said = answer.read()
    if os.WIFSIGNALED(status) or not said:
        return {"how": "killed", "value": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None}
    return dict(json.loads(said))


if __name__ == "__main__":
    serve()
