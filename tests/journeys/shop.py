"""The journeys' shop: 200 plain orders in one night, every one with a sid, and one row with an e-mail address for an order id."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from include.sandbox.process import SandboxProcess, start_sandbox
from lab.bulk import load_bulk, write_bulk

NIGHT = datetime(2026, 11, 19, tzinfo=UTC)
RUNS_AT = NIGHT + timedelta(hours=2)
TOKEN = "pat-6f0d1c52e9b84a7f"
SID, EMAIL = "sid-of-member-", "ada.lovelace@example.org"
ORDERS = 200
RESTATED, CANCELLED, MISSED, UNCHANGED, NOBODYS = (ORDERS // 100 * share for share in (60, 10, 5, 10, 15))
"""What a night of them comes to: see lab.bulk."""


def write_shop(place: Path) -> None:
    """The sandbox's seed and `warehouse.duckdb` into the folder `place`."""
    write_bulk(place, NIGHT, ORDERS)
    accounts = place / "accounts.json"
    accounts.write_text(accounts.read_text().replace("sandbox-token", TOKEN))
    load_bulk(place / "warehouse.duckdb", place)
    with duckdb.connect(str(place / "warehouse.duckdb")) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        # A day of the shop begins at midnight, an interval at two.
        begin = RUNS_AT - timedelta(days=1)
        warehouse.execute("UPDATE order_changes SET updated_at = updated_at + INTERVAL 2 HOUR WHERE updated_at < ?", [begin])
        warehouse.execute("UPDATE order_changes SET sid = ? || order_id", [SID])
        warehouse.execute(
            "INSERT INTO order_changes BY NAME SELECT * REPLACE (? AS order_id) FROM order_changes WHERE order_id = 'SO-000000080'", [EMAIL]
        )


def open_cj(shop: Path, place: Path) -> SandboxProcess:
    """CJ as the folder `shop` seeds it, at the moment of the nightly run."""
    sandbox = start_sandbox(place / "cj.sqlite", seed=shop, rate_limit=False)
    sandbox.control.set_clock(RUNS_AT)
    return sandbox


def connection_of(url: str, mode: str, token: str = TOKEN) -> str:
    """The connection `cj` as AIRFLOW_CONN_CJ."""
    extra = {"enterprise_id": "1500001", "advertiser_id": "5500001", "mode": mode, "tracking_url": url, "commissions_url": f"{url}/query"}
    return json.dumps({"conn_type": "http", "password": token, "extra": extra})


def warehouse_at(path: Path) -> str:
    """The connection `warehouse` as AIRFLOW_CONN_WAREHOUSE."""
    return json.dumps({"conn_type": "duckdb", "host": str(path)})


def rows(warehouse: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()
