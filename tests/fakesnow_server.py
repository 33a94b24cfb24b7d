"""The emulator fakesnow as a server of its own, for the real Snowflake connector. What needs it is skipped where it, or the connector, is not installed.

It stands in an environment of its own, since its DuckDB is another than ours: `FAKESNOW` names its program, where no PATH leads to it. A time that is
null comes back from it as 1970.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import os
import shutil
import subprocess
import time
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.guarded_server import free_port

PASSWORD = "good-4711"


def connection(database: str) -> dict[str, Any]:
    """The Airflow connection that names a database of the one server of this test process. Skips the test where something is missing."""
    gone = [*([] if _program() else ["fakesnow"]), *([] if _there("snowflake.connector") else ["snowflake.connector"])]
    if gone:
        pytest.skip(f"not installed here: {', '.join(gone)}")
    extra = {"account": "fakesnow", "host": "127.0.0.1", "port": _server(), "protocol": "http", "database": database}
    extra["session_parameters"] = {"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False}
    return {"conn_type": "snowflake", "login": "reader", "password": PASSWORD, "schema": "PUBLIC", "extra": extra}


def admin(told: dict[str, Any], *statements: str, rows: list[tuple[Any, ...]] | None = None) -> None:
    """What somebody who may do everything does; `rows` are the values of the last one."""
    import snowflake.connector

    with closing(snowflake.connector.connect(user="dba", password=PASSWORD, schema=told["schema"], **told["extra"])) as dba:
        cursor = dba.cursor()
        for statement in statements[:-1] if rows is not None else statements:
            cursor.execute(statement)
        for row in rows or []:
            cursor.execute(statements[-1], row)


@functools.cache
def _server() -> int:
    port = free_port()
    running = subprocess.Popen([str(_program()), "-s", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(running.wait, 30)
    atexit.register(running.terminate)
    for _ in range(200):
        try:
            httpx.get(f"http://127.0.0.1:{port}/")
            return port
        except httpx.TransportError:
            assert running.poll() is None, "fakesnow ended"
            time.sleep(0.1)
    raise AssertionError("fakesnow does not answer")


def _program() -> str | None:
    return os.environ.get("FAKESNOW") or shutil.which("fakesnow")


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
