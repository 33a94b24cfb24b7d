"""`make rehearse-backfill`: a month of orders through a real scheduler, several runs at once, against the sandbox; at the end CJ against the warehouse.

    python -m lab.rehearse_backfill --orders 6000 --runs-at-once 3

Thirty nights by `airflow backfill create` and the newest by the schedule, side by side. A third of the changed orders were touched on two days, so
runs meet over them. It is over when every run is, every order sent has its verdict, and each order is compared to the penny. Takes some ten minutes.

What it does not do: talk to CJ. The sandbox, the warehouse and Airflow are its own, in a fresh folder under .run/backfill.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.airflow.environment import ROOT, gate_off
from include.commands.demo import fresh_folder
from include.commands.up import free_port, healthy, stop_session, unpause, up_environment

if TYPE_CHECKING:
    from include.sandbox.control import SandboxControl
    from lab.comparison import Comparison
    from lab.scale.api import Airflow

NIGHTS = 30
"""By the backfill; one more by the schedule."""
CJ_SECONDS = 60.0
"""CJ's hour."""
NIGHTLY, RECONCILIATION = "cj_restatements", "cj_reconciliation"

_MONTH = """
CREATE OR REPLACE TABLE order_changes AS
WITH numbered AS (SELECT *, substr(order_id, 4)::bigint AS n FROM order_changes),
spread AS (
    SELECT * REPLACE ($last::timestamptz - to_days(((n + n // 100) % $nights)::integer) - to_seconds((60 + n * 104729 % 80000)::double) AS updated_at)
    FROM numbered
),
dated AS (SELECT * REPLACE (updated_at - CASE WHEN change_type = 'new' THEN INTERVAL 0 DAY ELSE INTERVAL 10 DAY END AS event_time) FROM spread)
SELECT * EXCLUDE (n) FROM dated
UNION ALL
SELECT * EXCLUDE (n) REPLACE ('restated' AS change_type, updated_at - to_days((1 + n % 7)::integer) AS updated_at, amount + 1 AS amount)
FROM dated WHERE n % 3 = 0 AND change_type <> 'new'
"""

# An order that was never sent has the word of the run that looked at it last.
_LAST_WORDS = """
WITH words AS (
    SELECT enterprise_id, action_tracker_id, order_id, 'submissions' AS "table", outcome AS reason, 0 AS place, submitted_at AS said_at
    FROM cj.submissions WHERE mode = 'live'
    UNION ALL SELECT enterprise_id, action_tracker_id, order_id, 'quarantine', reason, 1, quarantined_at FROM cj.quarantine
    UNION ALL SELECT enterprise_id, action_tracker_id, order_id, 'skipped', reason, 1, skipped_at FROM cj.skipped
)
SELECT * EXCLUDE (place, said_at) FROM words
QUALIFY row_number() OVER (PARTITION BY enterprise_id, action_tracker_id, order_id ORDER BY place, said_at DESC) = 1
"""


class RehearsalFailed(RuntimeError):
    """The rehearsal did not come to its end; the message says where it stopped."""


@dataclass(frozen=True)
class Outcome:
    """What the month came to."""

    runs: int
    failed: int
    most_at_once: int
    seconds: float
    previewed: dict[str, int]
    sent: dict[str, int]
    posts: dict[int, int]
    """Orders by how often CJ was sent them live."""
    skipped: dict[str, int]
    verdicts: dict[str, int]
    comparison: Comparison

    @property
    def well(self) -> bool:
        return (
            not self.failed
            and self.runs >= NIGHTS + 1
            and self.sent == self.previewed
            and self.posts == {1: sum(self.sent.values())}
            and self.verdicts == {"matched": sum(self.sent.values())}
            and not self.comparison.differences
        )


def newest_night(now: datetime) -> datetime:
    """The end of the newest interval that is over: the one the schedule runs when the DAG is unpaused."""
    tick = now.replace(hour=2, minute=0, second=0, microsecond=0)
    return tick if tick <= now else tick - timedelta(days=1)


def write_month(folder: Path, last: datetime, orders: int) -> None:
    """The sandbox's seed and the warehouse: plain orders touched over 31 intervals, a third of the changed ones in two."""
    import duckdb

    from lab.bulk import load_bulk, write_bulk

    write_bulk(folder / "seed", last, orders)
    load_bulk(folder / "warehouse.duckdb", folder / "seed")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        warehouse.execute(_MONTH, {"last": last, "nights": NIGHTS + 1})


def previewed(environment: dict[str, str], dates: Sequence[str]) -> dict[str, int]:
    """Prints the preview of the dates, and returns what its last row says will be sent."""
    done = subprocess.run(
        [sys.executable, "-m", "include.commands.backfill", *dates], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    print(done.stdout, flush=True)
    row = next(line for line in done.stdout.splitlines() if "each order once" in line)
    figures = [int(text.replace(",", "")) for text in re.findall(r"(?<![.\d])[\d,]+(?![.\d])", row.partition("once")[2])]
    return {name: count for name, count in zip(("create", "restate", "cancel"), figures[1:4], strict=True) if count}


@contextmanager
def metadata_database() -> Iterator[dict[str, str]]:
    """PostgreSQL for Airflow's own database: on SQLite `backfill create` and a scheduler at work lock each other out."""
    from lab.scale.services import postgres_server

    folder = Path(tempfile.mkdtemp(prefix="cj-backfill-"))
    # PostgreSQL started by root runs as another user.
    folder.chmod(0o755)
    server = postgres_server().get_server(folder / "postgres", cleanup_mode="stop")  # type: ignore[attr-defined]
    try:
        uri = str(server.get_uri())
        yield {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": uri.replace("postgresql:", "postgresql+psycopg2:"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": uri.replace("postgresql:", "postgresql+asyncpg:"),
        }
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def scheduler(environment: dict[str, str], port: int, log: Path) -> Iterator[Airflow]:
    """Airflow in a process session of its own, with every DAG unpaused; all of it ends with the `with` block."""
    from lab.scale.api import Airflow

    process = standalone(environment, log, port)
    try:
        airflow = Airflow(port)
        dag_files = {file.stem for file in (ROOT / "dags").glob("*.py")}
        wait("the DAGs", lambda: dag_files <= airflow.dags(), 120)
        unpause(port)
        yield airflow
    finally:
        stop_session(process.pid)


def standalone(environment: dict[str, str], log: Path, port: int) -> subprocess.Popen[bytes]:
    """Airflow in a process session of its own, once its API answers; whoever started it ends the session (`stop_session`)."""
    with log.open("ab") as output:
        subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment, check=True, stdout=output, stderr=output)
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", "standalone"], env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait("Airflow to answer", lambda: healthy(port), 300)
    except RehearsalFailed:
        stop_session(process.pid)
        raise
    return process


def wait(what: str, done: Any, limit: float) -> None:
    """Look once a second until `done()` is true. Raises RehearsalFailed after `limit` seconds."""
    until = time.monotonic() + limit
    while not done():
        if time.monotonic() > until:
            raise RehearsalFailed(f"Waiting for {what} took more than {limit:.0f} s.")
        time.sleep(1)


def run_month(environment: dict[str, str], airflow: Airflow, dates: Sequence[str], at_once: int, limit: float) -> list[dict[str, Any]]:
    """The backfill beside the scheduled run, then a reconciliation of everything. Returns the nightly runs."""
    command = [sys.executable, "-m", "airflow"]
    create = ["backfill", "create", "--dag-id", NIGHTLY, *dates, "--max-active-runs", str(at_once)]
    subprocess.run([*command, *create], env=environment, check=True, stdout=subprocess.DEVNULL)
    shown = 0

    def all_over() -> bool:
        nonlocal shown
        states = [run["state"] for run in airflow.runs(NIGHTLY, limit=100)]
        over = sum(state in ("success", "failed") for state in states)
        if over >= shown + 5:
            shown = over
            print(f"  {over} of {len(states)} runs are over", flush=True)
        return len(states) > NIGHTS and over == len(states)

    wait("the nightly runs", all_over, limit)
    reconcile = ["dags", "trigger", RECONCILIATION, "--run-id", "manual__all", "--conf", f'{{"processing_minutes": {CJ_SECONDS / 60}}}']
    subprocess.run([*command, *reconcile], env=environment, check=True, stdout=subprocess.DEVNULL)
    wait("the reconciliation", lambda: _state(airflow, "manual__all") in ("success", "failed"), limit)
    return airflow.runs(NIGHTLY, limit=100)


def _state(airflow: Airflow, run_id: str) -> str:
    return next((str(run["state"]) for run in airflow.runs(RECONCILIATION, limit=100) if run["dag_run_id"] == run_id), "")


def most_at_once(runs: Sequence[dict[str, Any]]) -> int:
    """The largest number of runs between start and end in the same moment."""
    edges = sorted((moment, step) for run in runs for moment, step in ((run["start_date"], 1), (run["end_date"], -1)))
    now = most = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most


def outcome(folder: Path, control: SandboxControl, runs: Sequence[dict[str, Any]], seconds: float, expected: dict[str, int]) -> Outcome:
    """What the tables and CJ say at the end."""
    import duckdb

    from lab.comparison import compare
    from lab.real_month import held_by_sandbox
    from lab.scale.stage import live_posts

    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")

        def counted(sql: str) -> dict[Any, int]:
            return dict(warehouse.execute(sql).fetchall())

        newest = warehouse.sql(
            "SELECT * FROM order_changes QUALIFY row_number() OVER (PARTITION BY enterprise_id, action_tracker_id, order_id "
            "ORDER BY updated_at DESC) = 1"
        ).to_arrow_table()
        return Outcome(
            runs=len(runs),
            failed=sum(run["state"] != "success" for run in runs),
            most_at_once=most_at_once(runs),
            seconds=seconds,
            previewed=expected,
            sent=counted("SELECT operation, count(*) FROM cj.submissions WHERE mode = 'live' AND outcome = 'accepted' GROUP BY 1"),
            posts=dict(live_posts(control)),
            skipped=counted("SELECT reason, count(*) FROM cj.skipped GROUP BY 1"),
            verdicts=counted("SELECT status, count(*) FROM cj.reconciliation GROUP BY 1"),
            comparison=compare(newest, held_by_sandbox(control), warehouse.sql(_LAST_WORDS).to_arrow_table()),
        )


def show(result: Outcome) -> None:
    """The outcome for a person."""
    rows = [
        ("orders", f"{result.comparison.orders:,}"),
        ("runs", f"{result.runs} ({result.failed} failed), up to {result.most_at_once} at once, {result.seconds:.0f} s in all"),
        ("the preview said", _counts(result.previewed)),
        ("sent and accepted", _counts(result.sent)),
        ("live posts of an order", ", ".join(f"{often}: {count:,} orders" for often, count in sorted(result.posts.items()))),
        ("taken over by a later plan", f"{result.skipped.get('superseded', 0):,} orders"),
        ("nothing to send", _counts({name: count for name, count in result.skipped.items() if name != "superseded"})),
        ("verdicts", _counts(result.verdicts)),
        ("CJ holds what the warehouse says", f"{result.comparison.agreed:,}"),
        *((f"not sent, {why}", f"{count:,}") for why, count in result.comparison.held_back.items()),
        ("differences", f"{len(result.comparison.differences):,}"),
    ]
    width = max(len(name) for name, _ in rows)
    print("\n" + "\n".join(f"  {name:<{width}}  {value}" for name, value in rows))
    for difference in result.comparison.differences[:10]:
        print(f"  {difference}")
    print("\nEvery order ended as the warehouse says, posted once." if result.well else "\nThis month did not end well.", flush=True)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"


def main(arguments: list[str]) -> int:
    from include.commands.demo import replace_environment
    from include.sandbox.process import start_sandbox
    from lab.scale.cluster import interrupt_on_signals

    parser = argparse.ArgumentParser(prog="python -m lab.rehearse_backfill", description="Rehearse a month's backfill.")
    parser.add_argument("--orders", type=int, default=6_000)
    parser.add_argument("--runs-at-once", type=int, default=3, help="of the backfill; the scheduled run comes on top")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--limit", type=float, default=1_800, help="seconds after which a step counts as stuck")
    given = parser.parse_args(arguments)
    interrupt_on_signals()
    folder = fresh_folder(ROOT / ".run" / "backfill")
    last, port = newest_night(datetime.now(UTC)), free_port(given.port)
    # Airflow's dates are those on which an interval begins. The schedule runs the last one.
    first, end = last - timedelta(days=NIGHTS + 1), last - timedelta(days=1)
    (folder / "seed").mkdir()
    write_month(folder, last, given.orders)
    print(f"{given.orders:,} orders touched between {first:%Y-%m-%d} and {last:%Y-%m-%d}. Folder: {folder}", flush=True)
    with (
        metadata_database() as metadata,
        start_sandbox(folder / "sandbox.sqlite", seed=folder / "seed", delay_seconds=CJ_SECONDS) as sandbox,
    ):
        environment = up_environment(folder, sandbox.url, port, os.environ) | metadata | gate_off()
        environment["AIRFLOW_VAR_CJ_PROCESSING_MINUTES"] = str(CJ_SECONDS / 60)
        replace_environment(environment)
        dates = ["--from-date", f"{first:%Y-%m-%d}", "--to-date", f"{end:%Y-%m-%d}"]
        expected = previewed(environment, [*dates[:3], f"{last:%Y-%m-%d}"])
        print("Airflow starts, in about a minute.", flush=True)
        with scheduler(environment, port, folder / "airflow.log") as airflow:
            began = time.monotonic()
            runs = run_month(environment, airflow, dates, given.runs_at_once, given.limit)
            seconds = time.monotonic() - began
        result = outcome(folder, sandbox.control, runs, seconds, expected)
    show(result)
    return 0 if result.well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
