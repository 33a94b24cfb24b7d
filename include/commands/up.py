"""`make up`: Airflow (scheduler, triggerer, UI) with the sandbox and the demo warehouse beside it, until Ctrl-C.

Everything listens on 127.0.0.1 and everybody is admin there, so nobody logs in. Airflow runs in a process session of its own: stopping its
parent alone would leave children behind.

Known limitation: Airflow's log servers listen on every address and `standalone` cannot turn them off; they ask for a signed token.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from include.airflow.environment import ROOT, gate_off
from include.airflow.pages import VIEWS
from include.commands.demo import demo_environment

FOLDER = ROOT / ".run" / "up"
PID_FILE = FOLDER / "session.pid"
LOG = FOLDER / "airflow.log"
LOOPBACK = "127.0.0.1"
SANDBOX_DELAY_SECONDS = 60.0
"""CJ takes an hour; here a minute, so that a click has a result."""


def free_port(wanted: int) -> int:
    """`wanted` if nobody has it, else a port that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SystemExit("No free port on 127.0.0.1.")


def up_environment(folder: Path, sandbox_url: str, port: int, given: Mapping[str, str]) -> dict[str, str]:
    """The demo's environment, for a running Airflow on loopback with CJ's hour cut to the sandbox's delay."""
    environment = demo_environment(folder, sandbox_url, given)
    # Here somebody sits: the first night stops at the money gate.
    environment = {name: value for name, value in environment.items() if name not in gate_off()}
    return environment | {
        # `airflow standalone` starts its parts by the name `airflow`.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)]),
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://{LOOPBACK}:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{LOOPBACK}:{port}/execution/",
        # Only ever on loopback: this removes the login everywhere.
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW_VAR_CJ_PROCESSING_MINUTES": str(SANDBOX_DELAY_SECONDS / 60),
        # Unpaused once the API answers: a task that starts before it fails its first attempt.
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
    }


def pages_address(port: int) -> str:
    """Where the pages are within Airflow's own frame."""
    return f"http://{LOOPBACK}:{port}/plugin/{VIEWS[0]['url_route']}"


def reaching_it(folder: Path) -> str:
    """What a shell at the repository's root evaluates so that `.venv/bin/airflow` reaches the Airflow of `up_environment(folder, …)`.

    Its database and its DAGs: the connections to the sandbox stay with the processes that were started with them.
    """
    return f'eval "$(make -s env)"; export AIRFLOW_HOME={shlex.quote(up_environment(folder, "", 0, {})["AIRFLOW_HOME"])}'


def healthy(port: int) -> bool:
    """Whether the UI answers. "Airflow is ready" is printed before it does."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/api/v2/monitor/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_for(process: subprocess.Popen[bytes], there: Callable[[], bool]) -> bool:
    """Whether it is there before the process has ended."""
    while process.poll() is None:
        if there():
            return True
        time.sleep(0.5)
    return False


def unpause(port: int) -> int:
    """Unpauses every DAG there is and returns how many that were."""
    token = ask(port, "/auth/token")["access_token"]
    dags = ask(port, "/api/v2/dags?paused=true&limit=100", token)["dags"]
    for dag in dags:
        ask(port, f"/api/v2/dags/{dag['dag_id']}?update_mask=is_paused", token, {"is_paused": False}, method="PATCH")
    return len(dags)


def ask(port: int, path: str, token: str = "", body: dict[str, Any] | None = None, *, method: str = "GET") -> Any:
    """One call of Airflow's API on this machine; the answer's JSON."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{LOOPBACK}:{port}{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def stop_session(leader: int, patience: float = 20.0) -> None:
    """Asks every process of the session to end, and ends what stays."""
    for number, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        until = time.monotonic() + wait
        for pid in members(leader):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        while members(leader) and time.monotonic() < until:
            time.sleep(0.2)


def members(leader: int) -> list[int]:
    """The living processes of a session, whatever their parent or process group."""
    listing = subprocess.run(["ps", "-e", "-o", "pid=,sess=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    return [int(pid) for pid, session, state in rows if int(session) == leader and not state.startswith("Z")]


def run_airflow(environment: dict[str, str], port: int) -> int:
    """Airflow in a session of its own, until Ctrl-C or `make down`."""
    with LOG.open("ab") as log:
        subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment, check=True, stdout=log, stderr=log)
        airflow = subprocess.Popen(
            [sys.executable, "-m", "airflow", "standalone"], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    PID_FILE.write_text(f"{os.getpid()}\n")
    print(f"Airflow starts, in about a minute. Its log: {LOG}", flush=True)
    expected = len(list((ROOT / "dags").glob("*.py")))
    announced, unpaused = False, 0
    try:
        while airflow.poll() is None:
            if not announced and healthy(port):
                print(f"Airflow: http://{LOOPBACK}:{port}   Ctrl-C stops everything.", flush=True)
                print(f"The pages, once a night has run: {pages_address(port)}", flush=True)
                print(f"For .venv/bin/airflow in another shell, from {ROOT}:\n    {reaching_it(FOLDER)}", flush=True)
                print(
                    "The last night touches more than a usual one: its run waits in `approve` for your answer (Browse, Required Actions).",
                    flush=True,
                )
                announced = True
            if announced and unpaused < expected:
                unpaused += unpause(port)
            time.sleep(1)
        print(f"Airflow ended by itself; {LOG} says why.", flush=True)
        return airflow.returncode or 0
    except KeyboardInterrupt:
        print("Stopping.", flush=True)
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop_session(airflow.pid)
        PID_FILE.unlink(missing_ok=True)


def heed_signals() -> None:
    """Whoever asks this process to end, its finally clauses run: what it started ends with it."""
    signal.signal(signal.SIGTERM, _interrupt)
    # Started with & from a script, a process ignores SIGINT unless it says otherwise.
    signal.signal(signal.SIGINT, _interrupt)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def up() -> int:
    """Starts the sandbox, the demo warehouse and Airflow, and stays until stopped."""
    from include.demo.files import write_shop
    from include.demo.partners import write_mapping
    from include.demo.shop import open_shop
    from include.demo.stage import move_to
    from include.sandbox.process import start_sandbox

    heed_signals()
    FOLDER.mkdir(parents=True, exist_ok=True)
    port = free_port(int(os.environ.get("PORT") or 8080))
    seed = FOLDER / "seed"
    known = (FOLDER / "warehouse.duckdb").exists()
    # The last night's interval is the one an unpaused nightly DAG runs at once.
    shop = None if known else open_shop(datetime.now(UTC) - timedelta(hours=2))
    if shop:
        write_shop(FOLDER / "warehouse.duckdb", seed, shop, None)
        write_mapping(FOLDER)
    with start_sandbox(FOLDER / "sandbox.sqlite", seed=None if known else seed, delay_seconds=SANDBOX_DELAY_SECONDS) as sandbox:
        if shop:
            # From the first night to now: CJ hears of what the pixel reported meanwhile, and gets its quirks, so that there are breaks to look at.
            sandbox.control.set_clock(shop.story.nights[0].runs_at)
            move_to(sandbox.control, seed, datetime.now(UTC))
            sandbox.control.add_faults(shop.story.faults)
        print(f"CJ's sandbox: {sandbox.url} ({SANDBOX_DELAY_SECONDS:.0f} s instead of an hour). Folder: {FOLDER}", flush=True)
        return run_airflow(up_environment(FOLDER, sandbox.url, port, os.environ), port)


def down() -> int:
    """Ends a `make up` of another terminal, as its Ctrl-C would, and waits for it."""
    try:
        pid = int(PID_FILE.read_text())
        os.kill(pid, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        PID_FILE.unlink(missing_ok=True)
        print("Nothing is up.")
        return 0
    for _ in range(60):
        if not PID_FILE.exists():
            print("Stopped.")
            return 0
        time.sleep(0.5)
    print(f"Process {pid} is still stopping.")
    return 1


if __name__ == "__main__":
    sys.exit(down() if "--stop" in sys.argv[1:] else up())
