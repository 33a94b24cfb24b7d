"""`make pages`: the pages on the night that `make demo` played last, in a real Airflow, until Ctrl-C.

    make pages
    .venv/bin/python -m include.commands.pages --warehouse month.duckdb     on the tables of another DuckDB file

Only the API server runs: everything can be looked at, and nothing is played on. Everybody is admin there, so it listens on 127.0.0.1 alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from include.airflow.environment import ROOT
from include.commands.demo import DEMOS, demo_environment
from include.commands.up import LOOPBACK, free_port, healthy, heed_signals, pages_address, stop_session, up_environment, wait_for

FILES = ROOT / ".run" / "pages"
NOWHERE = "http://127.0.0.1:9"
"""The demo's sandbox is gone; nothing here asks for it."""


def newest_demo(parent: Path = DEMOS) -> Path | None:
    """The folder of the last demo that left something to look at."""
    played = [folder for folder in sorted(parent.glob("*")) if (folder / "warehouse.duckdb.snapshots").is_dir()]
    return played[-1] if played else None


def of_a_file(warehouse: Path) -> Path | None:
    """A folder for the Airflow that shows this file; None where no task has left a copy beside it."""
    if not Path(f"{warehouse}.snapshots").is_dir():
        return None
    FILES.mkdir(parents=True, exist_ok=True)
    return FILES


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m include.commands.pages", description="Look at the pages in a real Airflow.")
    parser.add_argument("--warehouse", type=Path, help="a DuckDB file to look at, instead of the last demo's")
    warehouse = parser.parse_args(arguments).warehouse
    folder = newest_demo() if warehouse is None else of_a_file(warehouse.resolve())
    if folder is None:
        print(
            "There is no night to look at yet: make demo plays three."
            if warehouse is None
            else f"There is nothing to look at beside {warehouse}: no {warehouse.name}.snapshots. Name the file that a task, or a demo, wrote."
        )
        return 1
    port = free_port(int(os.environ.get("PORT") or 8080))
    environment = demo_environment(folder, NOWHERE, os.environ) | {
        name: value for name, value in up_environment(folder, NOWHERE, port, os.environ).items() if name.startswith("AIRFLOW__")
    }
    if warehouse is not None:
        environment["AIRFLOW_CONN_WAREHOUSE"] = json.dumps({"conn_type": "duckdb", "host": str(warehouse.resolve())})
    heed_signals()
    log = folder / "pages.log"
    with log.open("ab") as output:
        for what in (["db", "migrate"], ["dags", "reserialize"]):
            subprocess.run([sys.executable, "-m", "airflow", *what], env=environment, check=True, stdout=output, stderr=output)
        server = subprocess.Popen(
            [sys.executable, "-m", "airflow", "api-server", "--host", LOOPBACK, "--port", str(port)],
            env=environment, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    print(f"Airflow starts, in about ten seconds, on {folder.relative_to(ROOT)}. Its log: {log}", flush=True)
    try:
        if wait_for(server, lambda: healthy(port)):
            print(f"The pages: {pages_address(port)}   Ctrl-C stops them.", flush=True)
            server.wait()
        print(f"Airflow ended by itself; {log} says why.", flush=True)
        return server.returncode or 0
    except KeyboardInterrupt:
        print("Stopping.", flush=True)
        return 0
    finally:
        stop_session(server.pid)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
