"""The operators that wait, run as Airflow runs them: what they hand on, what they wait for, and what ends the waiting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import TaskAwaitingInput, TaskDeferred
from airflow.sdk.execution_time.comms import CreateHITLDetailPayload, HITLDetailRequestResult

from include.airflow.operators import ApproveNight, ReconcileWhenDue, SubmitBatch
from include.airflow.retries import LONGEST_WAIT, ByKind, LeftUnsent, TryAgain
from include.airflow.runs import run_of, said, woken_by_submission
from include.airflow.tasks import figures, since
from include.domain.errors import RestatementsError, SettingError, WarehouseUnavailable

BATCHES = [["create/a"], ["restate/b", "restate/c"]]
DIGEST = "0f1e2d3c4b5a6978"
RELEASED = [{"digest": DIGEST, "chunks": chunks} for chunks in BATCHES]


@dataclass
class DagRun:
    conf: dict[str, Any] = field(default_factory=dict)
    dag_id: str = "cj_restatements"


@dataclass
class Instance:
    """A task instance that keeps what is pushed to it."""

    start_date: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: UUID = field(default_factory=uuid4)
    pushed: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def context(conf: dict[str, Any] | None = None, **more: Any) -> Any:
    return {"dag_run": DagRun(conf or {}), "params": conf or {}, "ti": Instance(), "run_id": "scheduled__2026-03-02T02:00:00+00:00"} | more


def approval(
    at_stake: str, batches: list[list[str]] = BATCHES, digest: str = DIGEST, unpriced: int = 0, reasons: tuple[str, ...] = ()
) -> ApproveNight:
    question = {
        "digest": digest,
        "batches": batches,
        "at_stake": at_stake,
        "unpriced": unpriced,
        "summary": {"create": 1},
        "modes": {"cj": "live"},
        "reasons": list(reasons),
        "moves": [],
    }
    return ApproveNight(task_id="approve", subject="?", question=question, response_timeout=timedelta(hours=1))


def answer(option: str) -> dict[str, Any]:
    return {
        "chosen_options": [option],
        "params_input": {},
        "responded_at": datetime(2026, 3, 2, 3, tzinfo=UTC),
        "responded_by_user": {"id": "7", "name": "ana"},
    }


@pytest.mark.parametrize(
    ("conf", "at_stake"), [({}, "999999999.99"), ({"approve_above": "100.00"}, "100.00"), ({"approve_above": 100}, "99.99")]
)
def test_nobody_is_asked_while_no_limit_is_set_or_it_is_not_passed(conf: dict[str, Any], at_stake: str) -> None:
    assert approval(at_stake).execute(context(conf)) == RELEASED


def test_money_at_stake_that_nobody_knows_asks_nobody_while_no_limit_is_set() -> None:
    assert approval("0.00", unpriced=3).execute(context()) == RELEASED


def test_an_empty_night_asks_nobody() -> None:
    assert approval("500.00", batches=[]).execute(context({"approve_above": 0})) == []


def test_a_plan_that_was_replaced_is_neither_asked_about_nor_handed_on() -> None:
    replaced = ApproveNight(task_id="approve", subject="?", question=None, response_timeout=timedelta(hours=1))
    assert replaced.execute(context({"approve_above": 0})) == []


@pytest.mark.parametrize(
    "handed_on",
    [
        ["batches", []],
        {"batches": BATCHES, "at_stake": "1.00", "summary": {}},
        {"batches": BATCHES, "at_stake": "1.00", "digest": DIGEST, "summary": {}},
        {"batches": BATCHES, "at_stake": "1.00", "digest": DIGEST, "summary": {}, "unpriced": 0},
    ],
)
def test_what_an_earlier_release_handed_on_is_refused_with_a_sentence(handed_on: Any) -> None:
    night = ApproveNight(task_id="approve", subject="?", question=handed_on, response_timeout=timedelta(hours=1))
    with pytest.raises(LeftUnsent, match=r"planned by an earlier release\. Nothing was sent\. Clear task prepare with its downstream\."):
        night.execute(context())
    with pytest.raises(LeftUnsent, match=r"handed on by an earlier release\. Nothing was sent\. Clear task prepare with its downstream\."):
        SubmitBatch(task_id="submit", batch=["create/a"]).execute(context())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """What is put to Airflow; where it is written down beside that is in `tmp_path`."""
    sent: list[Any] = []

    class Supervisor:
        def send(self, msg: Any) -> Any:
            sent.append(msg)
            return HITLDetailRequestResult(**msg.model_dump(exclude={"type"}))

    monkeypatch.setattr("airflow.sdk.execution_time.task_runner.SUPERVISOR_COMMS", Supervisor(), raising=False)
    extra = {"enterprise_id": "1500001", "advertiser_id": "5500001"}
    monkeypatch.setenv("AIRFLOW_CONN_CJ", json.dumps({"conn_type": "http", "password": "token", "extra": extra}))
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": str(tmp_path / "warehouse.duckdb")}))
    monkeypatch.setenv("AIRFLOW_VAR_CJ_STORAGE", (tmp_path / "storage").as_uri())
    return sent


def test_above_the_limit_a_person_is_asked_and_nothing_answers_for_them(asked: list[Any]) -> None:
    night = context({"approve_above": 100})
    night["task_instance"] = night["ti"]
    with pytest.raises(TaskAwaitingInput) as waiting:
        approval("100.01").execute(night)
    (question,) = [msg for msg in asked if isinstance(msg, CreateHITLDetailPayload)]
    assert (question.options, question.defaults) == (["Approve", "Reject"], None)
    assert "Money at stake is 100.01; the limit is 100.00 (`approve_above`)." in (question.body or "")
    assert f"Plan **{DIGEST}** of run scheduled__2026-03-02T02:00:00+00:00" in (question.body or "")
    assert DIGEST in question.subject
    assert waiting.value.method_name == "execute_complete"
    assert (waiting.value.kwargs, waiting.value.timeout) == ({"asked": DIGEST, "number": 1}, timedelta(hours=1))


def test_a_reason_of_the_money_gate_asks_a_person_though_no_limit_is_set(asked: list[Any]) -> None:
    night = context()
    night["task_instance"] = night["ti"]
    with pytest.raises(TaskAwaitingInput):
        approval("0.01", reasons=("Too many.",)).execute(night)
    (question,) = [msg for msg in asked if isinstance(msg, CreateHITLDetailPayload)]
    assert "- Too many.\n\n" in (question.body or "")
    assert approval("0.01", batches=[], reasons=("Too many.",)).execute(context()) == []


def test_the_answer_is_written_down_where_the_warehouse_cannot_be_reached(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": str(tmp_path)}))
    night = context()
    night["task_instance"] = night["ti"]
    with pytest.raises(TaskAwaitingInput) as waiting:
        approval("0.01", reasons=("Too many.",)).execute(night)
    assert approval("0.01").execute_complete(night, answer("Approve"), **(waiting.value.kwargs or {})) == RELEASED
    kept = sorted(path.name for path in (tmp_path / "storage").rglob("*.json"))
    assert kept == ["0001.answer.json", "0001.asked.json"]
    assert "cj.approvals is brought up to date by task publish" in caplog.text


def test_approving_hands_the_batches_on_and_records_who_did() -> None:
    night = context()
    assert approval("100.01").execute_complete(night, answer("Approve"), asked=DIGEST) == RELEASED
    decision = night["ti"].pushed["decision"]
    assert (decision["approved"], decision["by"], decision["at"]) == (True, "ana", "2026-03-02 03:00:00+00:00")
    assert decision["digest"] == DIGEST


def test_rejecting_hands_no_batch_on_and_records_who_did() -> None:
    night = context()
    assert approval("100.01").execute_complete(night, answer("Reject"), asked=DIGEST) == []
    assert (night["ti"].pushed["decision"]["approved"], night["ti"].pushed["decision"]["by"]) == (False, "ana")


@pytest.mark.parametrize("asked", [None, "another"])
def test_an_answer_to_another_plan_hands_nothing_on(asked: str | None) -> None:
    night = context()
    with pytest.raises(LeftUnsent, match=r"ana approved plan .*, and the night was planned again since\. Nothing was sent"):
        approval("100.01").execute_complete(night, answer("Approve"), asked=asked)
    assert night["ti"].pushed == {}


def test_no_answer_fails_and_hands_nothing_on() -> None:
    night = context()
    with pytest.raises(LeftUnsent, match=r"Nobody answered whether plan None may be sent, for 1:00:00\. Nothing of it was sent\."):
        approval("100.01").execute_complete(night, {"error": "nobody answered", "error_type": "timeout"})
    assert night["ti"].pushed == {}


def test_a_batch_waits_outside_the_worker_until_cj_is_back() -> None:
    until = datetime.now(UTC) + timedelta(minutes=10)
    with pytest.raises(TaskDeferred) as waiting:
        SubmitBatch(task_id="submit", batch=RELEASED[0])._pause(context(), until, left=3)
    assert isinstance(waiting.value.trigger, DateTimeTrigger)
    assert waiting.value.trigger.moment == until
    assert waiting.value.method_name == "execute_complete"
    assert not waiting.value.kwargs


def test_the_waiting_for_cj_has_an_end_that_says_what_to_do() -> None:
    began = Instance(start_date=datetime.now(UTC) - SubmitBatch.longest_pause)
    with pytest.raises(LeftUnsent, match=r"3 orders of this batch are not sent.*clear this task"):
        SubmitBatch(task_id="submit", batch=RELEASED[0])._pause(context(ti=began), datetime.now(UTC) + timedelta(minutes=1), left=3)


def test_the_wait_fires_at_its_moment() -> None:
    async def fired() -> Any:
        return await asyncio.wait_for(anext(DateTimeTrigger(moment=datetime.now(UTC)).run()), 5)

    assert asyncio.run(fired()).payload


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (SettingError("no."), RetryAction.FAIL),
        (LeftUnsent("no."), RetryAction.FAIL),
        (WarehouseUnavailable("busy."), RetryAction.RETRY),
        (TryAgain("later."), RetryAction.RETRY),
        (ValueError("a bug"), RetryAction.DEFAULT),
    ],
)
def test_what_is_tried_again_is_what_trying_again_helps(error: Exception, action: RetryAction) -> None:
    assert ByKind().evaluate(error, 1, 3).action is action


@pytest.mark.parametrize(
    ("asked", "wait"), [(90, timedelta(seconds=90)), (timedelta(minutes=5), timedelta(minutes=5)), (10**6, LONGEST_WAIT), (None, None)]
)
def test_a_servers_retry_after_is_honoured(asked: Any, wait: timedelta | None) -> None:
    error = TryAgain("later.")
    error.retry_after = asked  # type: ignore[attr-defined]
    assert ByKind().evaluate(error, 1, 3).retry_delay == wait


def test_a_param_nobody_gave_is_not_said() -> None:
    run = {"dag_run": DagRun({"chunk_size": 5, "other": 1}), "params": {"chunk_size": 5, "mode": None}}
    assert said(run) == {"chunk_size": 5}
    assert said({"dag_run": DagRun(None), "params": {"mode": None}}) == {}  # type: ignore[arg-type]


def test_a_night_is_its_data_interval_in_utc_and_a_run_without_one_is_refused() -> None:
    start = datetime.fromisoformat("2026-03-01T03:00:00+01:00")
    night = run_of(context(data_interval_start=start, data_interval_end=start + timedelta(days=1)))
    assert (night.interval_start.tzinfo, night.interval_start.hour) == (UTC, 2)
    with pytest.raises(SettingError, match=r"no data interval.*Nothing was read and nothing was sent.*airflow backfill create"):
        run_of(context())


@pytest.mark.parametrize(
    ("run", "waits"),
    [
        ({"run_id": "asset_triggered__2026-03-02T03:00:00+00:00_x"}, True),
        ({"run_id": "scheduled__2026-03-02T03:00:00+00:00"}, False),
        ({"run_id": "manual__2026-03-02T03:00:00+00:00"}, False),
        ({"run_id": "manual__2026-03-02T03:00:00+00:00", "conf": {"processing_minutes": 1}}, True),
    ],
)
def test_only_a_run_woken_by_a_submission_or_told_how_long_waits(run: dict[str, Any], waits: bool) -> None:
    assert ReconcileWhenDue(task_id="reconcile")._waits(context(run.get("conf"), run_id=run["run_id"])) is waits
    assert woken_by_submission(context(run_id="scheduled__x")) is False


def test_since_is_a_date_or_a_sentence() -> None:
    assert since({}) is None
    assert str(since({"since": "2026-01-31"})) == "2026-01-31"
    with pytest.raises(SettingError, match=r"'31\.01\.2026'"):
        since({"since": "31.01.2026"})


def test_figures_are_one_line() -> None:
    assert figures({"create": 1, "restate": 0, "held": {"locked": 2}}) == "create 1, restate 0; held: locked 2"
    assert figures({}) == "nothing"


def test_every_error_of_ours_says_whether_trying_again_helps() -> None:
    def tree(kind: type[RestatementsError]) -> list[type[RestatementsError]]:
        return [kind, *(leaf for child in kind.__subclasses__() for leaf in tree(child))]

    evaluate: Callable[..., Any] = ByKind().evaluate
    for kind in tree(RestatementsError):
        assert isinstance(kind.transient, bool)
        assert evaluate(kind.__new__(kind), 1, 3).action is (RetryAction.RETRY if kind.transient else RetryAction.FAIL), kind
