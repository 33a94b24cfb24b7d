"""`make demo`: three nights of a shop, through Airflow, against the sandbox, in about a minute.

At the end `cj_prelock_review` looks at what CJ locks next. Each night runs `cj_restatements`, moves CJ's clock by fifty minutes, and runs `cj_reconciliation`: most orders have posted, some are lost, late or
altered, and the newest few still have time. It ends with the last reconciliation's
summary. Everything is in a fresh folder under .run/demo; the last few are kept. The connections are the demo's own, whatever the caller's
environment says: a demo never reaches the real CJ.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from include.airflow.environment import ROOT, gate_off, project_environment

DEMOS = ROOT / ".run" / "demo"
KEPT = 5
NIGHTLY_AT = 2
"""The hour (UTC) at which cj_restatements runs: the end of its data interval."""
PARTNERS = "partners"
"""The folder with the mapping of the demo's partner, where there is one (include/demo/partners.py)."""
TOKEN = "sandbox-token"
A_MONTH = 45
"""Days: on whichever day the demo is played, CJ's next lock of a month is within them."""
PROCESSING_SECONDS = 1500
"""How long the sandbox takes to post most orders: some are lost, late or altered, so that every status is on show."""


def fresh_folder(parent: Path) -> Path:
    """A new folder named after the moment; the oldest beyond the last few are removed."""
    folder = parent / datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    for old in sorted(path for path in parent.iterdir() if path.is_dir())[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def demo_environment(folder: Path, sandbox_url: str, given: Mapping[str, str]) -> dict[str, str]:
    """The project's environment with an Airflow home, a warehouse and a CJ of the demo's own; nothing of the caller's Airflow is kept."""
    clean = {name: value for name, value in given.items() if not name.startswith("AIRFLOW")}
    account = {
        "conn_type": "http",
        "password": TOKEN,
        "extra": {
            "enterprise_id": "1500001",
            "advertiser_id": "5500001",
            "mode": "live",
            "tracking_url": sandbox_url,
            "commissions_url": f"{sandbox_url}/query",
            "extension_subscription_id": "99001",
        },
    }
    clean["AIRFLOW_VAR_CJ_RETURN_DAYS"] = str(A_MONTH)
    clean["AIRFLOW_HOME"] = str(folder / "airflow")
    clean["AIRFLOW_CONN_CJ"] = json.dumps(account)
    clean["AIRFLOW_CONN_WAREHOUSE"] = json.dumps({"conn_type": "duckdb", "host": str(folder / "warehouse.duckdb")})
    clean["AIRFLOW_VAR_CJ_CONN_IDS"] = '["cj"]'
    clean |= gate_off()  # nobody sits here to answer, and three nights that show everything are no ordinary ones
    clean["AIRFLOW_VAR_CJ_STORAGE"] = f"file://{folder / 'storage'}"
    if (folder / PARTNERS).is_dir():
        clean["AIRFLOW_VAR_CJ_PARTNER_MAPPINGS"] = str(folder / PARTNERS)
    return project_environment(clean)


def replace_environment(environment: Mapping[str, str]) -> None:
    """This process and its children from here on see this environment and no other."""
    os.environ.clear()
    os.environ.update(environment)


@contextmanager
def output_into(file: Path) -> Iterator[None]:
    """Everything this process and its children print goes into the file: Airflow prints a lot."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with file.open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(saved[0], 1)
            os.dup2(saved[1], 2)
            os.close(saved[0])
            os.close(saved[1])


def interval_end(night_end: datetime) -> datetime:
    """The nightly tick that closes the interval holding this night."""
    tick = night_end.astimezone(UTC).replace(hour=NIGHTLY_AT, minute=0, second=0, microsecond=0)
    return tick if tick >= night_end else tick + timedelta(days=1)


def run_dag(dags: Mapping[str, Any], dag_id: str, logical_date: datetime, log: Path, conf: dict[str, Any] | None = None) -> bool:
    """One run through Airflow's own `dag.test`; True if it succeeded."""
    with output_into(log):
        run = dags[dag_id].test(logical_date=logical_date, run_after=logical_date, run_conf=conf)
    return str(run.state) == "success"


def load_dags(log: Path) -> dict[str, Any]:
    """The DAGs as Airflow loads them, from a migrated database."""
    with output_into(log):
        subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True)
        from airflow.dag_processing.dagbag import DagBag

        from include.airflow.pools import create_missing_pools

        bag = DagBag(dag_folder=str(ROOT / "dags"))
        create_missing_pools()
    if bag.import_errors:
        raise SystemExit(f"The DAGs do not load; {log} says why.")
    return dict(bag.dags)


def play(folder: Path, sandbox: Any, shop: Any) -> bool:
    """The three nights, what a partner saw of them, and the review before the lock. Prints one line a run; returns whether all runs succeeded."""
    from include.demo.files import write_warehouse
    from include.demo.stage import move_to

    log = folder / "airflow.log"
    print("Airflow starts (a fresh database, about ten seconds).", flush=True)
    dags = load_dags(log)
    well = True
    for night in shop.story.nights:
        write_warehouse(folder / "warehouse.duckdb", shop.changes, until=night.runs_at)
        move_to(sandbox.control, folder / "seed", night.runs_at)
        well &= told(f"Night of {night.end:%Y-%m-%d}: cj_restatements", run_dag, dags, "cj_restatements", interval_end(night.end), log)
        move_to(sandbox.control, folder / "seed", night.reconciles_at)
        well &= told("  fifty minutes later: cj_reconciliation", run_dag, dags, "cj_reconciliation", night.reconciles_at, log)
    last = shop.story.nights[-1].reconciles_at
    well &= told("What Aspire saw, beside it: cj_partner_reconciliation", run_dag, dags, "cj_partner_reconciliation", last, log)
    return well & told("Before CJ locks: cj_prelock_review", run_dag, dags, "cj_prelock_review", last, log, {"days_before_lock": A_MONTH})


def told(what: str, step: Any, *arguments: Any) -> bool:
    """Runs one step and prints what it was, how it ended and how long it took."""
    print(f"{what} … ", end="", flush=True)
    began = time.monotonic()
    well = bool(step(*arguments))
    print(f"{'done' if well else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
    return well


def newest_summary(folder: Path) -> str | None:
    """The text of the last reconciliation's summary, which names the report beside it."""
    summaries = sorted(folder.glob("storage/**/summary.txt"), key=lambda path: path.stat().st_mtime)
    return summaries[-1].read_text(encoding="utf-8") if summaries else None


def main() -> int:
    from include.demo.files import write_shop
    from include.demo.partners import write_mapping
    from include.demo.shop import open_shop
    from include.sandbox.process import start_sandbox

    began = time.monotonic()
    folder = fresh_folder(DEMOS)
    print(f"The demo's folder: {folder}", flush=True)
    shop = open_shop(datetime.now(UTC))
    first = shop.story.nights[0]
    write_shop(folder / "warehouse.duckdb", folder / "seed", shop, first.runs_at)
    write_mapping(folder)
    with start_sandbox(folder / "sandbox.sqlite", seed=folder / "seed", delay_seconds=PROCESSING_SECONDS) as sandbox:
        sandbox.control.set_clock(first.runs_at)
        sandbox.control.add_faults(shop.story.faults)
        replace_environment(demo_environment(folder, sandbox.url, os.environ))
        print(f"CJ's sandbox listens on {sandbox.url}; its clock says {first.runs_at:%Y-%m-%d %H:%M} UTC.", flush=True)
        well = play(folder, sandbox, shop)
    summary = newest_summary(folder)
    print()
    print(summary or f"No reconciliation was written. {folder / 'airflow.log'} says why.")
    print(
        f"Warehouse: {folder / 'warehouse.duckdb'} (schema cj). Airflow's log: {folder / 'airflow.log'}. {time.monotonic() - began:.0f} s."
    )
    for pack in sorted(folder.glob("storage/**/pack.pdf")):
        print(f"What locks next, and what of it is wrong: {pack}")
    print("To look at this night in Airflow: make pages, then http://127.0.0.1:8080/plugin/cj")
    return 0 if well and summary else 1


if __name__ == "__main__":
    sys.exit(main())
