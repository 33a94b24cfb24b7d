"""`make pages`: the pages on the night that `make demo` played last, in a real Airflow, until Ctrl-C.

Only the API server runs: everything can be looked at, and nothing is played on. Everybody is admin there, so it listens on 127.0.0.1 alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from include.airflow.environment import ROOT
from include.commands.demo import DEMOS, demo_environment
from include.commands.up import LOOPBACK, free_port, healthy, pages_address, stop_session, up_environment, wait_for

NOWHERE = "http://127.0.0.1:9"
"""The demo's sandbox is gone; nothing here asks for it."""


def newest_demo(parent: Path = DEMOS) -> Path | None:
    """The folder of the last demo that left something to look at."""
    played = [folder for folder in sorted(parent.glob("*")) if (folder / "warehouse.duckdb.snapshots").is_dir()]
    return played[-1] if played else None


def main() -> int:
    folder = newest_demo()
    if folder is None:
        print("There is no night to look at yet: make demo plays three.")
        return 1
    port = free_port(int(os.environ.get("PORT") or 8080))
    environment = demo_environment(folder, NOWHERE, os.environ) | {
        name: value for name, value in up_environment(folder, NOWHERE, port, os.environ).items() if name.startswith("AIRFLOW__")
    }
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
    sys.exit(main())
