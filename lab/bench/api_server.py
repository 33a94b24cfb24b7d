"""What the pages cost Airflow's API server: its start and its memory with our plugins and without any, and its memory once every page was opened."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from include.airflow.environment import ROOT
from include.commands.up import ask, free_port, healthy, members, stop_session, up_environment
from include.warehouse.base import WarehouseLocation, open_warehouse
from include.web.pages import PAGES
from lab.bench import costs
from lab.bench.steps import Row

TIMES = 3
ROUNDS = 20
"""How often every page is opened: what grows with each would show."""


def step(folder: Path) -> Iterator[Row]:
    """In turns, so that both sides meet the same machine; medians."""
    home = folder / "api-server"
    home.mkdir()
    location = WarehouseLocation("duckdb", path=str(home / "warehouse.duckdb"))
    with open_warehouse(location) as session:
        session.create_tables()
        session.leave_snapshot()
    (home / "no_plugins").mkdir()
    sides: dict[str, list[dict[str, float]]] = {str(ROOT / "plugins"): [], str(home / "no_plugins"): []}
    for _ in range(TIMES):
        for plugins, found in sides.items():
            found.append(_started(home, plugins, location.path))
    ours, plain = (_figures(found) for found in sides.values())
    yield Row("the start of Airflow's API server with the plugins, beside none", 1, ours, plain, beside="no plugins")
    opened = {"seconds": ours["first"], "peak_mb": ours["opened_mb"], "phases": {}}
    yield Row(f"its first page; its memory once every page was opened {ROUNDS} times", 1, opened)


def _figures(found: list[dict[str, float]]) -> dict[str, Any]:
    middle = {name: statistics.median(one[name] for one in found) for name in found[0]}
    return middle | {"phases": {}, "peak_mb": middle["started_mb"]}


def _started(home: Path, plugins: str, warehouse: str) -> dict[str, float]:
    port = free_port(18080)
    environment = up_environment(home, "http://127.0.0.1:1", port, os.environ) | {
        "AIRFLOW__CORE__PLUGINS_FOLDER": plugins,
        "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "duckdb", "host": warehouse}),
    }
    with (home / "log").open("w") as log:
        subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment, stdout=log, stderr=log, check=True)
        subprocess.run([sys.executable, "-m", "airflow", "dags", "reserialize"], env=environment, stdout=log, stderr=log, check=True)
        began = time.monotonic()
        command = [sys.executable, "-m", "airflow", "api-server", "--host", "127.0.0.1", "--port", str(port)]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        while not healthy(port):
            if server.poll() is not None or time.monotonic() - began > 300:
                raise RuntimeError(f"The API server did not start; {home / 'log'} says why.")
            time.sleep(0.05)
        figures = {"seconds": time.monotonic() - began}
        ask(port, "/api/v2/dags", token := ask(port, "/auth/token")["access_token"])
        figures["started_mb"] = costs.megabytes(members(server.pid))
        if list(Path(plugins).glob("*.py")):
            figures |= _opened(port, token) | {"opened_mb": costs.megabytes(members(server.pid))}
    finally:
        stop_session(server.pid)
    return figures


def _opened(port: int, token: str) -> dict[str, float]:
    import httpx

    paths = [page.path for page in PAGES if "{" not in page.path]
    began, first = time.monotonic(), 0.0
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/cj", headers={"Authorization": f"Bearer {token}"}, timeout=120) as client:
        for _ in range(ROUNDS):
            for path in paths:
                client.get(path).raise_for_status()
                first = first or time.monotonic() - began
    return {"first": first}
