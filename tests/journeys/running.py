"""Nights that stop, in a running Airflow: its scheduler, its triggerer and its API, the answers given by a person's calls. Played once, in order.

Each night is started by its date, over a shop whose last nights cancel half of what is open.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb

from include.commands.up import ask, free_port, stop_session, up_environment
from include.demo.files import load_order_changes
from include.sandbox.process import SandboxProcess, start_sandbox
from lab.rehearse_backfill import standalone
from tests.faults.night_shop import RUNS_AT, NightShop, State, Story, change_table

DAG = "cj_restatements"
HELD = 160
"""Orders that are open at CJ before the first night."""
HALVES = ((0, 80), (80, 125), (130, 155))
"""Which of them each night cancels; of the second, the last five only once it was asked about the others."""
CANARY = 2
READS_FOR = 5.0
"""Seconds that a person needs to read the question. Airflow may fail a task that is answered while it is just being parked; nothing is sent then."""
PATIENCE = 240.0
"""Seconds that a step may take on a busy machine."""


def night(number: int) -> datetime:
    """When the night runs."""
    return RUNS_AT + timedelta(days=number)


def order(n: int, number: int, **fields: Any) -> Story:
    held = State(10_000)
    story = Story(f"order-{n:03}", "cancel", replace(held, cancelled=True), held=held, at=night(number) - timedelta(hours=8))
    return replace(story, **fields)


def shop_of_halves() -> NightShop:
    """What the pixel reported, and the last states of it, each on its night; the orders of the fourth night are restated."""
    stories = [order(n, number) for number, (begin, end) in enumerate(HALVES) for n in range(begin, end)]
    stories += [order(n, 3, verb="restate", should=State(9_000)) for n in (*range(125, 130), *range(155, HELD))]
    return NightShop(1, stories)


@dataclass
class Running:
    """A running Airflow, with the shop, CJ and the warehouse beside it. `seen` is what each scene noted, in order."""

    port: int
    place: Path
    cj: SandboxProcess
    shop: NightShop
    token: str = ""
    seen: dict[str, Any] = field(default_factory=dict)

    # -- asking Airflow ------------------------------------------------------------------------------------------------------------

    def ask(self, path: str, body: Any = None, method: str = "GET") -> Any:
        self.token = self.token or str(ask(self.port, "/auth/token")["access_token"])
        for attempt in range(5):
            try:
                return ask(self.port, f"/api/v2{path}", self.token, body, method=method)
            except TimeoutError:  # SQLite under a scheduler at work
                time.sleep(1 + attempt)
        raise AssertionError(f"{path} did not answer")

    def start(self, number: int) -> str:
        """The night of that number, by its date. Returns its run id."""
        self.cj.control.set_clock(night(number))
        body = {"logical_date": night(number).isoformat(), "dag_run_id": f"night_{number}"}
        return str(self.ask(f"/dags/{DAG}/dagRuns", body, "POST")["dag_run_id"])

    def tasks(self, run_id: str) -> dict[str, str]:
        found = self.ask(f"/dags/{DAG}/dagRuns/{quote(run_id, safe='')}/taskInstances?limit=200")["task_instances"]
        return {t["task_id"] + ("" if t["map_index"] < 0 else f"[{t['map_index']}]"): str(t["state"]) for t in found}

    def state(self, run_id: str) -> str:
        return str(self.ask(f"/dags/{DAG}/dagRuns/{quote(run_id, safe='')}")["state"])

    def question(self, run_id: str, instance: int = 0) -> dict[str, Any]:
        return dict(self.ask(f"/dags/{DAG}/dagRuns/{run_id}/taskInstances/approve/{instance}/hitlDetails"))

    def answer(self, run_id: str, option: str, instance: int = 0) -> None:
        self.ask(f"/dags/{DAG}/dagRuns/{run_id}/taskInstances/approve/{instance}/hitlDetails", {"chosen_options": [option]}, "PATCH")

    def clear_prepare_with_downstream(self, run_id: str) -> None:
        body = {"dry_run": False, "dag_run_id": run_id, "task_ids": ["prepare"], "only_failed": False, "include_downstream": True}
        self.ask(f"/dags/{DAG}/clearTaskInstances", body, "POST")

    def variable(self, name: str, value: str) -> None:
        self.ask("/variables", {"key": name, "value": value}, "POST")

    def nobody_answers(self, run_id: str) -> None:
        """The time to answer is over, which the scheduler then sees to."""
        with sqlite3.connect(self.place / "airflow" / "airflow.db", timeout=60) as database:
            moved = database.execute(
                "UPDATE task_instance SET trigger_timeout = datetime('now', '-1 hour') WHERE run_id = ? AND trigger_timeout IS NOT NULL",
                (run_id,),
            )
            assert moved.rowcount == 1

    # -- waiting and looking -------------------------------------------------------------------------------------------------------

    def until(self, what: str, done: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, f"{what} did not come"
            time.sleep(1)

    def until_asked(self, run_id: str, instance: int = 0) -> None:
        self.until(f"question {instance} of {run_id}", lambda: self.tasks(run_id).get(f"approve[{instance}]") == "awaiting_input")
        time.sleep(READS_FOR)

    def until_over(self, run_id: str) -> str:
        self.until(f"the end of {run_id}", lambda: self.state(run_id) in ("success", "failed"))
        return self.state(run_id)

    def sent(self, number: int) -> int:
        """Orders of that night's stories that CJ received live."""
        mine = {story.order_id for story in self.shop.stories if story.at == night(number) - timedelta(hours=8)}
        return sum(received["order_id"] in mine for received in self.cj.control.submissions())

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        for _ in range(120):
            try:
                with duckdb.connect(str(self.place / "warehouse.duckdb"), read_only=True) as warehouse:
                    return warehouse.execute(sql).fetchall()
            except duckdb.IOException:  # a task has it
                time.sleep(0.5)
        raise AssertionError("the warehouse was never free")

    def load(self, stories: list[Story]) -> None:
        """The warehouse says this from now on."""
        rows = [row for story in stories for row in self.shop.rows_of(story)]
        for _ in range(120):
            try:
                return load_order_changes(self.place / "warehouse.duckdb", change_table(rows))
            except duckdb.IOException:
                time.sleep(0.5)
        raise AssertionError("the warehouse was never free")


# -- the scenes ------------------------------------------------------------------------------------------------------------------------


def approved(airflow: Running) -> dict[str, Any]:
    """Half of all that is open is cancelled; somebody reads it, and lets it go."""
    run_id = airflow.start(0)
    airflow.until_asked(run_id)
    asked, sent_unasked = airflow.question(run_id), airflow.sent(0)
    airflow.answer(run_id, "Approve")
    return {"asked": asked, "sent_unasked": sent_unasked, "ended": airflow.until_over(run_id), "sent": airflow.sent(0)}


def rejected_and_planned_anew(airflow: Running) -> dict[str, Any]:
    """Rejected; then the warehouse says something else, and the night is cleared: it asks about the new figures, and hears no answer to the old ones."""
    run_id = airflow.start(1)
    airflow.until_asked(run_id)
    first = airflow.question(run_id)
    airflow.answer(run_id, "Reject")
    ended, sent = airflow.until_over(run_id), airflow.sent(1)
    airflow.load([replace(s, should=s.held or s.should, verb="skipped") if s.order_id in LEFT else s for s in airflow.shop.stories])
    airflow.clear_prepare_with_downstream(run_id)
    airflow.until_asked(run_id, 1)
    second = airflow.question(run_id, 1)
    old = _answer_the_old_one(airflow, run_id)
    sent_by_it = airflow.sent(1)
    airflow.answer(run_id, "Approve", 1)
    return {
        "first": first, "ended": ended, "sent": sent, "second": second, "old": old, "sent_by_it": sent_by_it,
        "in_the_end": airflow.until_over(run_id), "sent_in_the_end": airflow.sent(1),
    }  # fmt: skip


LEFT = {f"order-{n:03}" for n in range(120, 125)}
"""Orders of the second night that the warehouse takes back before it is planned again."""


def _answer_the_old_one(airflow: Running, run_id: str) -> str:
    """What Airflow says to an answer to the first question."""
    try:
        airflow.answer(run_id, "Approve", 0)
    except OSError as refusal:
        return f"refused: {refusal}"
    time.sleep(5)
    return "taken"


def unanswered(airflow: Running) -> dict[str, Any]:
    run_id = airflow.start(2)
    airflow.until_asked(run_id)
    airflow.nobody_answers(run_id)
    return {"ended": airflow.until_over(run_id), "sent": airflow.sent(2), "tasks": airflow.tasks(run_id)}


def canary(airflow: Running) -> dict[str, Any]:
    """Too few orders to be asked about: two go first, and the others after CJ has shown them."""
    airflow.variable("cj_canary_orders", str(CANARY))
    run_id = airflow.start(3)
    airflow.until("the canary", lambda: airflow.sent(3) >= CANARY)
    airflow.until("the wait", lambda: list(airflow.tasks(run_id).values()).count("deferred") == 2)
    waiting, sent_first = airflow.tasks(run_id), airflow.sent(3)
    airflow.cj.control.advance(3_700)
    return {"waiting": waiting, "sent_first": sent_first, "ended": airflow.until_over(run_id), "sent": airflow.sent(3)}


SCENES = (approved, rejected_and_planned_anew, unanswered, canary)


@contextmanager
def airflow_with_the_shop(place: Path) -> Iterator[Running]:
    """Airflow in a process session of its own, on loopback, the nightly DAG alone unpaused; CJ at the first night."""
    shop, port = shop_of_halves(), free_port(0)
    with start_sandbox(place / "cj.sqlite", rate_limit=False, delay_seconds=3600) as cj:
        cj.control.set_clock(night(0))
        cj.control.seed(accounts=[shop.seed_account()], orders=shop.seed_orders())
        load_order_changes(place / "warehouse.duckdb", shop.changes())
        environment = up_environment(place, cj.url, port, os.environ)
        account = {
            "enterprise_id": shop.enterprise,
            "advertiser_id": shop.advertiser,
            "mode": "live",
            "tracking_url": cj.url,
            "commissions_url": f"{cj.url}/query",
        }
        environment["AIRFLOW_CONN_CJ"] = json.dumps({"conn_type": "http", "password": shop.token, "extra": account})
        # CJ's hour is the sandbox's, whose clock is moved; between two looks there are seconds.
        environment["AIRFLOW_VAR_CJ_PROCESSING_MINUTES"] = "0.1"
        process = standalone(environment, place / "airflow.log", port)
        airflow = Running(port, place, cj, shop)
        try:
            airflow.until("the DAG", lambda: DAG in {dag["dag_id"] for dag in airflow.ask("/dags?limit=100")["dags"]})
            airflow.ask(f"/dags/{DAG}?update_mask=is_paused", {"is_paused": False}, "PATCH")
            yield airflow
        finally:
            stop_session(process.pid)
