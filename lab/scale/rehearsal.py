"""A large night through the cluster while one worker is killed: does every order end at CJ as the warehouse says, posted exactly once?

SIGKILL takes the worker and leaves the task it was running: an orphan that goes on posting. When its heartbeat has been missing for half a minute
Airflow gives the task up, and the rehearsal, as an operator in a hurry would, clears it, so that its second try posts beside the orphan.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from include.commands.up import members
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal
from lab.scale.api import Airflow, moment
from lab.scale.cluster import WORKERS, Cluster, exists, family, memory, most_resident, task_processes

NIGHTLY, RECONCILIATION = "cj_restatements", "cj_reconciliation"
FINAL = {"success", "failed"}


class RehearsalFailed(RuntimeError):
    """The night did not come to its end; the message says where it stopped."""


@dataclass
class Killed:
    """What the death of a worker did."""

    worker: str
    task: dict[str, Any]
    orphan: int
    at: datetime
    answered_before: int
    gone_at: datetime | None = None
    second_try_at: datetime | None = None

    @property
    def overlap(self) -> float:
        """Seconds for which the orphan and the second try were both at work."""
        if self.second_try_at is None or self.gone_at is None:
            return 0.0
        return max(0.0, (self.gone_at - self.second_try_at).total_seconds())


@dataclass
class Night:
    """One run of the nightly DAG, as it went."""

    run_id: str
    state: str
    seconds: float
    task_seconds: dict[str, float]
    killed: Killed | None = None


@dataclass
class MemoryWatch:
    """The most each part used, looked at every two seconds; and the most each task's own process ever had, which the kernel remembers."""

    parts: Callable[[], dict[str, list[int]]]
    workers: list[int]
    peak: dict[str, int] = field(default_factory=dict)
    peak_by_task: dict[str, int] = field(default_factory=dict)
    """By task instance id, which every try has its own of."""
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> MemoryWatch:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(2):
            used = memory(self.parts())
            used["in all"] = sum(used.values())
            for name, size in used.items():
                self.peak[name] = max(self.peak.get(name, 0), size)
            for leader in self.workers:
                for instance, pid in task_processes(leader).items():
                    self.peak_by_task[instance] = max(self.peak_by_task.get(instance, 0), most_resident(pid))


def parts_of(cluster: Cluster, others: dict[str, int]) -> dict[str, list[int]]:
    """The processes of each part: a session for Airflow's, a tree for the servers (PostgreSQL gives each connection its own session)."""
    found = {name: members(leader) for name, leader in cluster.leaders.items()}
    return found | {name: family(pid) for name, pid in others.items()}


def until(what: str, ask: Callable[[], Any], seconds: float, every: float = 0.5) -> Any:
    """The first truthy answer. Raises RehearsalFailed when the time is over."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise RehearsalFailed(f"Waited {seconds:.0f} s in vain: {what}.")
        time.sleep(every)
    return answer


def play_night(airflow: Airflow, cluster: Cluster, journal: Journal, kill: bool, say: Callable[[str], None], limit: float) -> Night:
    """Unpauses the nightly DAG and stays until its run has ended, and an orphan with it. Kills a worker on the way, if asked."""
    until("the DAGs are loaded", lambda: {NIGHTLY, RECONCILIATION} <= airflow.dags(), 120)
    airflow.unpause(NIGHTLY)
    run = until("the night starts", lambda: airflow.runs(NIGHTLY), 60)[0]
    began = time.monotonic()
    killed = kill_a_worker(airflow, cluster, journal, run["dag_run_id"], say, limit) if kill else None
    last = {"state": ""}

    def over() -> bool:
        last.update(airflow.runs(NIGHTLY)[0])
        if killed is not None:
            follow(airflow, killed, say)
        return last["state"] in FINAL and (killed is None or killed.gone_at is not None)

    until("the night ends", over, limit)
    tasks = airflow.tasks(NIGHTLY, run["dag_run_id"])
    durations: dict[str, float] = {}
    for task in tasks:
        durations[task["task_id"]] = max(durations.get(task["task_id"], 0.0), float(task["duration"] or 0))
    return Night(run["dag_run_id"], str(last["state"]), time.monotonic() - began, durations, killed)


def kill_a_worker(airflow: Airflow, cluster: Cluster, journal: Journal, run_id: str, say: Callable[[str], None], limit: float) -> Killed:
    """SIGKILL for a worker in the middle of a batch: some chunk of it is answered, and some is not yet."""

    def in_the_middle() -> tuple[str, dict[str, Any], int] | None:
        tasks = {t["id"]: t for t in airflow.tasks(NIGHTLY, run_id) if t["task_id"] == "submit" and t["state"] == "running"}
        for worker in WORKERS:
            for instance, pid in task_processes(cluster.leaders[worker]).items():
                if instance in tasks and answered(journal):
                    return worker, tasks[instance], pid
        return None

    worker, task, pid = until("a batch is half sent", in_the_middle, limit, every=0.2)
    before = len(answered(journal))
    cluster.kill(worker)
    killed = Killed(worker, task, pid, datetime.now(UTC), before)
    alive = "goes on as an orphan" if exists(pid) else "died with it"
    say(f"Killed {worker} (SIGKILL) with {before} chunks answered; its task submit[{task['map_index']}] {alive}.")
    return killed


def follow(airflow: Airflow, killed: Killed, say: Callable[[str], None]) -> None:
    """Notes when the orphan ends, and has the task tried again as soon as Airflow has given it up."""
    if killed.gone_at is None and not exists(killed.orphan):
        killed.gone_at = datetime.now(UTC)
        say(f"The orphan ended {(killed.gone_at - killed.at).total_seconds():.0f} s after its worker.")
    if killed.second_try_at is None:
        now = next(t for t in airflow.tasks(NIGHTLY, killed.task["dag_run_id"]) if same(t, killed.task))
        if now["state"] == "up_for_retry":
            airflow.clear(now)
        elif now["try_number"] > killed.task["try_number"] and now["start_date"] and now["state"] not in (None, "queued", "scheduled"):
            killed.second_try_at = moment(now["start_date"])
            assert killed.second_try_at is not None
            say(f"The second try started {(killed.second_try_at - killed.at).total_seconds():.0f} s after the kill.")


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one["task_id"], one["map_index"]) == (other["task_id"], other["map_index"])


def answered(journal: Journal) -> list[str]:
    """The chunks of every run that have an answer."""
    refs = [ChunkRef.parse(chunk.ref) for run in journal.runs() if (planned := journal.manifest(run)) for chunk in planned.chunks]
    return [str(ref) for ref in refs if journal.visit(ref).state is ChunkState.ANSWERED]


def peak_by_name(airflow: Airflow, peaks: Mapping[str, int]) -> dict[str, int]:
    """The largest process of each task, by task id."""
    found: dict[str, int] = {}
    for dag_id in (NIGHTLY, RECONCILIATION):
        for run in airflow.runs(dag_id):
            for task in airflow.tasks(dag_id, run["dag_run_id"]):
                found[task["task_id"]] = max(found.get(task["task_id"], 0), peaks.get(task["id"], 0))
    return found


def reconcile(airflow: Airflow, limit: float) -> str:
    """Unpauses the reconciliation, whose newest hour runs at once, and returns how that ended."""
    airflow.unpause(RECONCILIATION)
    run = until("the reconciliation ends", lambda: [r for r in airflow.runs(RECONCILIATION) if r["state"] in FINAL], limit)[0]
    return str(run["state"])
