"""The package on several workers, rehearsed on this machine: CeleryExecutor, two workers, PostgreSQL, Redis, one storage for all.

    python -m lab.scale up                                          everything, for clicking around; Ctrl-C stops it
    python -m lab.scale rehearse --orders 200000 --kill-a-worker    a large night, a worker killed in it, and the comparison

Everything listens on loopback or on a Unix socket, and CJ is the sandbox. Nothing outside the repository and the temporary folder is touched.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from include.airflow.environment import ROOT
from include.domain.account import MAX_ORDERS_PER_REQUEST
from include.domain.errors import RestatementsError

if TYPE_CHECKING:
    from include.sandbox.process import SandboxProcess
    from include.warehouse.base import WarehouseLocation
    from lab.scale.cluster import Cluster

FOLDER = ROOT / ".run" / "scale"
CHUNKS_A_WORKER = 16
"""Each worker gets one batch of so many chunks: enough that one is half sent when its worker is killed."""
SLOW_SECONDS = 8.0
"""How long CJ takes for a live call while a worker is killed: longer than usual, so that the orphan is still at work when its task is tried again."""


@dataclass(frozen=True)
class Running:
    cluster: Cluster
    sandbox: SandboxProcess
    location: WarehouseLocation
    pids: dict[str, int]
    night: datetime


@contextmanager
def everything(folder: Path, orders: int, port: int, in_bucket: bool) -> Iterator[Running]:
    """The shop, CJ's sandbox, the servers and Airflow; all of it ends with the `with` block."""
    from include.commands.demo import replace_environment
    from include.sandbox.process import start_sandbox
    from include.warehouse.base import WarehouseLocation
    from lab.scale.bucket import BucketServer
    from lab.scale.cluster import Cluster
    from lab.scale.environment import BUCKET, cluster_environment
    from lab.scale.services import Services
    from lab.scale.stage import LATE_HOURS, newest_night, write_night

    night = newest_night(datetime.now(UTC))
    with ExitStack() as stack:
        services = stack.enter_context(Services())
        location = WarehouseLocation("postgres", uri=services.warehouse_uri())
        tell(f"{orders:,} orders are written into PostgreSQL, and what CJ holds of them into the sandbox.")
        write_night(folder / "seed", location, night, orders)
        sandbox = stack.enter_context(start_sandbox(folder / "sandbox.sqlite", seed=folder / "seed", start_timeout=300))
        sandbox.control.set_clock(night + timedelta(minutes=5))
        pids = {"sandbox": sandbox.pid, **services.pids}
        bucket = None
        if in_bucket:
            bucket = stack.enter_context(BucketServer(folder / "bucket.log"))
            bucket.make_bucket(BUCKET)
            pids["bucket"] = bucket.pid
        environment = cluster_environment(
            folder, sandbox.url, port, services.postgres_host, services.redis_socket, os.environ, bucket.url if bucket else None
        ) | {
            "AIRFLOW_VAR_CJ_LATE_HOURS": str(LATE_HOURS),
            "AIRFLOW_VAR_CJ_CHUNK_SIZE": str(chunk_size(orders)),
            "AIRFLOW_VAR_CJ_CHUNKS_PER_TASK": str(chunks_per_task()),
        }
        replace_environment(environment)
        tell("Airflow starts: API server, scheduler, DAG processor, triggerer, two Celery workers.")
        cluster = stack.enter_context(Cluster(folder / "logs", environment, port))
        yield Running(cluster, sandbox, location, pids, night)


def chunk_size(orders: int) -> int:
    """Orders a chunk, so that the three quarters of the night that are sent make a batch for each of the two workers."""
    return min(MAX_ORDERS_PER_REQUEST, max(1, orders * 3 // 4 // (2 * CHUNKS_A_WORKER)))


def chunks_per_task() -> int:
    """A worker's share; each of the three operations may end in a chunk that is not full."""
    return CHUNKS_A_WORKER + 2


def up(orders: int, port: int, in_bucket: bool) -> int:
    """Everything, until Ctrl-C."""
    from include.commands.demo import fresh_folder
    from include.commands.up import LOOPBACK

    with everything(fresh_folder(FOLDER), orders, port, in_bucket) as running:
        tell(f"Airflow: http://{LOOPBACK}:{port}   CJ's sandbox: {running.sandbox.url}   Logs: {running.cluster.folder}")
        tell("Unpause cj_restatements and it sends the newest night. Ctrl-C stops everything.")
        started = len(running.cluster.alive())
        while len(running.cluster.alive()) == started:
            time.sleep(1)
        tell(f"A part ended by itself; still there: {', '.join(running.cluster.alive())}. See {running.cluster.folder}.")
    return 1


def rehearse(orders: int, port: int, in_bucket: bool, kill: bool, limit: float) -> int:
    """The night, the reconciliation an hour later, the comparison. 0 if CJ holds what the warehouse says and nothing was posted twice."""
    from include.commands.demo import fresh_folder
    from include.restatements.journal.journal import Journal
    from include.storage.opening import folder as storage_folder
    from lab.scale.api import Airflow
    from lab.scale.cluster import WORKERS
    from lab.scale.outcome import outcome_of, table
    from lab.scale.rehearsal import MemoryWatch, parts_of, peak_by_name, play_night, reconcile

    with everything(fresh_folder(FOLDER), orders, port, in_bucket) as running:
        storage = os.environ["AIRFLOW_VAR_CJ_STORAGE"]
        journal = Journal(storage_folder(storage, os.environ.get("AIRFLOW_VAR_CJ_STORAGE_CONN_ID")))
        airflow = Airflow(port)
        if kill:
            running.sandbox.control.add_faults([{"kind": "slow", "path": "/graphql", "seconds": SLOW_SECONDS, "times": 100_000}])
        tell(f"The night begins. Chunks and journal: {storage}")
        workers = [running.cluster.leaders[name] for name in WORKERS]
        with MemoryWatch(lambda: parts_of(running.cluster, running.pids), workers) as watch:
            night = play_night(airflow, running.cluster, journal, kill, tell, limit)
            running.sandbox.control.clear_faults()
            running.sandbox.control.advance(3_900)
            tell(f"The night is over ({night.state}, {night.seconds:.0f} s). An hour later at CJ, the reconciliation runs.")
            reconciled = reconcile(airflow, limit)
        outcome = outcome_of(
            running.location, running.sandbox.control, night, reconciled, watch.peak, peak_by_name(airflow, watch.peak_by_task)
        )
        sys.stdout.write(table(outcome))
    return 0 if outcome.well and outcome.proved else 1


def tell(text: str) -> None:
    sys.stdout.write(f"{datetime.now():%H:%M:%S} {text}\n")  # noqa: DTZ005 - for the person at the terminal
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.scale", description="Airflow with Celery workers on this machine, against the sandbox."
    )
    parser.add_argument("what", choices=("up", "rehearse"))
    parser.add_argument("--orders", type=int, default=20_000, help="size of the night; three quarters of it are sent")
    parser.add_argument(
        "--port", type=int, default=8080, help="of Airflow's API and UI, on loopback; another one is taken where it is in use"
    )
    parser.add_argument("--bucket", action="store_true", help="chunks and journal on an S3 API instead of a folder")
    parser.add_argument("--kill-a-worker", action="store_true", help="rehearse: SIGKILL for a worker in the middle of its batch")
    parser.add_argument("--limit", type=float, default=1_800, help="rehearse: seconds after which a step counts as stuck")
    return parser.parse_args()


def main() -> int:
    from include.commands.up import free_port
    from lab.scale.cluster import ClusterFailed, interrupt_on_signals
    from lab.scale.rehearsal import RehearsalFailed

    given = arguments()
    interrupt_on_signals()
    try:
        port = free_port(given.port)
        if given.what == "up":
            return up(given.orders, port, given.bucket)
        return rehearse(given.orders, port, given.bucket, given.kill_a_worker, given.limit)
    except KeyboardInterrupt:
        tell("Stopped.")
        return 0 if given.what == "up" else 130
    except (RestatementsError, ClusterFailed, RehearsalFailed) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
