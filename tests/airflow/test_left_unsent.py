"""A night asks about its last plan alone; one of which something was not sent fails with a sentence of its own that says what, and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from include.airflow.operators import SubmitBatch
from include.airflow.retries import LeftUnsent
from include.airflow.tasks import prepare_night, publish_night
from tests.model.histories import FIXED_DATE
from tests.model.machine import sandboxes
from tests.model.shop import Key
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, placed

SECOND = timedelta(seconds=1)


@dataclass
class DagRun:
    conf: dict[str, Any] = field(default_factory=dict)


@dataclass
class Instance:
    """A task instance that pulls what other tasks of its run handed on."""

    handed_on: dict[tuple[str, str, int], Any] = field(default_factory=dict)
    start_date: datetime = field(default_factory=lambda: datetime.now(UTC))

    def xcom_pull(self, task_ids: str, key: str = "return_value", map_indexes: int = -1) -> Any:
        return self.handed_on.get((task_ids, key, map_indexes))


@pytest.fixture(scope="module")
def new_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewWorld]:
    with sandboxes(tmp_path_factory.mktemp("worlds")) as made:
        yield made


@pytest.fixture
def world(new_world: NewWorld, monkeypatch: pytest.MonkeyPatch) -> World:
    """Three orders to create, in chunks of one; Airflow's connections lead there."""
    world = new_world(Options(chunk_size=1))
    world.append(placed(key=Key(FIXED_DATE, f"o-{number}")) for number in range(3))
    (account,) = world.settings.accounts
    extra = {"enterprise_id": account.enterprise_id, "advertiser_id": account.advertiser_id, "mode": "live"}
    extra |= {"tracking_url": account.tracking_url, "commissions_url": account.commissions_url}
    monkeypatch.setenv("AIRFLOW_CONN_CJ", json.dumps({"conn_type": "http", "password": account.token.reveal(), "extra": extra}))
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": str(world.path)}))
    monkeypatch.setenv("AIRFLOW_VAR_CJ_STORAGE", world.settings.storage)
    return world


def context(night: Night, **decision: Any) -> Any:
    plans = [None, None, {"digest": night.prepared.digest, "batches": night.prepared.batches}]
    handed_on: dict[tuple[str, str, int], Any] = {("prepare", "return_value", -1): plans}
    handed_on["approve", "decision", 0] = {"approved": False, "by": "eve", "digest": "of an earlier plan"}
    if decision:
        handed_on["approve", "decision", len(plans) - 1] = decision | {"digest": night.prepared.digest}
    run = {"run_id": night.run.run_id, "data_interval_start": night.run.interval_start, "data_interval_end": night.run.interval_end}
    return run | {"dag_run": DagRun(), "params": {}, "ti": Instance(handed_on)}


def planned(world: World) -> Night:
    return world.prepare(BEGIN - timedelta(days=9), world.now())


def states(world: World) -> dict[str, int]:
    """Orders by the table they are in."""
    return {table: len(world.rows(f"SELECT 1 AS one FROM cj.{table}")) for table in ("planned", "submissions", "skipped")}


def test_a_night_that_is_planned_again_asks_about_its_last_plan_alone(world: World) -> None:
    interval = {"data_interval_start": BEGIN - timedelta(days=9), "data_interval_end": world.now()}
    asked = [prepare_night({"run_id": "night", "dag_run": DagRun(), "params": {}} | interval) for _ in range(3)]
    assert [[question is not None for question in questions] for questions in asked] == [[True], [False, True], [False, False, True]]
    assert {questions[-1]["digest"] for questions in asked if questions[-1]} == {asked[0][-1]["digest"]}  # type: ignore[index]


@pytest.mark.parametrize(("days", "orders", "said"), [(9, 3, 0), (-1, 0, 1)])
def test_a_night_says_that_there_is_nothing_to_send_where_there_is_nothing(
    world: World, caplog: pytest.LogCaptureFixture, days: int, orders: int, said: int
) -> None:
    interval = {"data_interval_start": BEGIN - timedelta(days=days), "data_interval_end": BEGIN + timedelta(days=2)}
    with caplog.at_level("INFO", "include.airflow.tasks"):
        (question,) = prepare_night({"run_id": "night", "dag_run": DagRun(), "params": {}} | interval)
    assert question is not None
    assert question["summary"]["to_send"] == orders
    assert caplog.text.count("Nothing to send this night") == said


def test_a_night_that_was_sent_whole_succeeds_and_says_from_when_cjs_hour_is_over(world: World) -> None:
    night = planned(world)
    world.submit(night)
    done = publish_night(context(night, approved=True, by="ana"))
    sent = max(row["at"] for row in world.rows("SELECT submitted_at AS at FROM cj.submissions"))
    assert done == {
        "counts": {"accepted": 3, "quarantine": 0, "skipped": 0},
        "due_at": (sent + timedelta(hours=1)).isoformat(),
        "told": ["3 orders go to CJ: create 3."],
    }


def test_a_night_that_was_rejected_says_who_did_and_that_nothing_was_sent(world: World) -> None:
    night = planned(world)
    with pytest.raises(
        LeftUnsent, match=rf"^ana rejected plan {night.prepared.digest} of this night, so nothing of it was sent\. Clear task prepare"
    ):
        publish_night(context(night, approved=False, by="ana"))
    assert (world.fates(), states(world)) == ([], {"planned": 3, "submissions": 0, "skipped": 0})


@pytest.mark.parametrize("sent", [0, 1, 2])
def test_a_night_of_which_some_was_sent_says_how_many_orders_were_not_and_loads_the_rest(world: World, sent: int) -> None:
    night = planned(world)
    night.prepared.batches[:] = [[ref] for batch in night.prepared.batches for ref in batch][:sent]
    world.submit(night)
    with pytest.raises(
        LeftUnsent, match=rf"^{3 - sent} planned orders of {night.run.run_id} were not sent\. Clear the failed submit tasks"
    ):
        publish_night(context(night))
    assert states(world) == {"planned": 3 - sent, "submissions": sent, "skipped": 0}
    assert len(world.fates()) == sent


def test_a_night_whose_plan_did_not_finish_says_so_and_touches_nothing(world: World) -> None:
    night = planned(world)
    cancelled = context(night)
    cancelled["ti"].handed_on.clear()
    with pytest.raises(LeftUnsent, match=r"^Nothing was planned, so nothing was sent: task prepare did not finish\. Its log says why"):
        publish_night(cancelled)
    assert (world.fates(), states(world)) == ([], {"planned": 3, "submissions": 0, "skipped": 0})


def test_what_was_left_unsent_goes_when_its_tasks_are_cleared_and_the_rest_not_again(world: World) -> None:
    night = planned(world)
    batches = [[ref] for batch in night.prepared.batches for ref in batch]
    night.prepared.batches[:] = batches[:1]
    world.submit(night)
    with pytest.raises(LeftUnsent):
        publish_night(context(night))
    night.prepared.batches[:] = batches
    world.submit(night)
    assert publish_night(context(night))["counts"]["accepted"] == 3
    assert len(world.fates()) == 3


@pytest.mark.parametrize(
    ("until", "waits"), [(SubmitBatch.longest_pause - SECOND, True), (SubmitBatch.longest_pause, True), (SubmitBatch.longest_pause + SECOND, False)]
)  # fmt: skip
@pytest.mark.parametrize(("left", "what"), [(3, "3 orders"), (None, "the unsent orders")])
def test_a_batch_waits_for_cj_twelve_hours_from_its_first_start_and_no_longer(
    until: timedelta, waits: bool, left: int | None, what: str
) -> None:
    assert SubmitBatch.longest_pause == timedelta(hours=12)
    began = Instance(start_date=datetime.now(UTC) - timedelta(hours=5))
    batch = {"digest": "0f", "chunks": ["a"]}
    pause: Callable[[], Any] = lambda: SubmitBatch(task_id="submit", batch=batch)._pause({"ti": began}, began.start_date + until, left)  # type: ignore[typeddict-item]  # noqa: E731
    if waits:
        with pytest.raises(TaskDeferred):
            pause()
    else:
        with pytest.raises(
            LeftUnsent, match=rf"^CJ was not reachable for 12:00:00; {what} of this batch are not sent\. When CJ is back, clear"
        ):
            pause()
