"""One advertiser set up right: an account of the sandbox, a week of orders in a warehouse, and what Airflow is told of both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pytest

from include.airflow.doctor import Names, Slots, examination
from include.demo.files import ORDER_CHANGES
from include.restatements.doctor.checks import Finding, Notes, State
from include.sandbox.process import SandboxProcess
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.model.histories import FIXED_DATE, TRACKERS, pixel_order
from tests.model.shop import Change, Key

ORDERS = 24
POOLS: dict[str, int | None] = {"cj_submit": 2, "cj_warehouse": 1}
_NUMBERS = count(1)
_TYPES = {"string": "text", "int64": "bigint", "bool": "boolean", "timestamp[us, tz=UTC]": "timestamp with time zone"}


class Ground:
    """The account `cj`, the connection `warehouse` and the storage, right as they stand; a test spoils what it is about."""

    def __init__(self, cj: SandboxProcess, place: Path, location: WarehouseLocation, monkeypatch: pytest.MonkeyPatch) -> None:
        number = next(_NUMBERS)
        self.cj, self.place, self.location, self.monkeypatch = cj, place, location, monkeypatch
        self.enterprise, self.advertiser, self.token = f"16{number:06d}", f"56{number:06d}", f"token-of-{number}"
        cj.control.seed(
            accounts=[
                {
                    "token": self.token, "enterprise_id": self.enterprise, "advertiser_id": self.advertiser, "currency": "USD",
                    "sale_amount_basis": "net", "rates": {}, "action_trackers": TRACKERS, "excluded_coupons": [],
                }
            ]
        )  # fmt: skip
        self.account()
        self.warehouse(connection_of(location))
        self.variable("cj_conn_ids", '["cj"]')
        self.variable("cj_storage", f"file://{place / 'storage'}")

    # -- what Airflow is told ------------------------------------------------------------------------------------------------------

    def account(self, password: str | None = None, **extra: object) -> None:
        """The connection `cj`; a key of the extra that is None is left out."""
        told: dict[str, object] = {"enterprise_id": self.enterprise, "advertiser_id": self.advertiser, "mode": "live"}
        told |= {"tracking_url": self.cj.url, "commissions_url": f"{self.cj.url}/query"} | extra
        told = {name: value for name, value in told.items() if value is not None}
        self.connection("cj", {"conn_type": "http", "password": self.token if password is None else password, "extra": told})

    def warehouse(self, connection: Mapping[str, object]) -> None:
        self.connection("warehouse", connection)

    def connection(self, conn_id: str, told: Mapping[str, object]) -> None:
        self.monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(told))

    def variable(self, name: str, value: str) -> None:
        self.monkeypatch.setenv(f"AIRFLOW_VAR_{name.upper()}", value)

    def variables(self, **told: str) -> None:
        for name, value in told.items():
            self.variable(name, value)

    # -- the shop ------------------------------------------------------------------------------------------------------------------

    def orders(self, changes: Iterable[Change], types: Mapping[str, str] | None = None) -> None:
        """The table order_changes, anew, with these rows."""
        columns = {field.name: _TYPES.get(str(field.type), "decimal(38, 10)") for field in ORDER_CHANGES} | dict(types or {})
        table = pa.Table.from_pylist([change.row(self.enterprise) for change in changes], ORDER_CHANGES)
        with open_warehouse(self.location) as session:
            session.execute("DROP TABLE IF EXISTS order_changes")
            session.execute(f"CREATE TABLE order_changes ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
            session.append("order_changes", table)

    def execute(self, sql: str) -> None:
        with open_warehouse(self.location) as session:
            session.execute(sql)

    def reported(self, changes: Iterable[Change]) -> None:
        """CJ's tag has reported these orders."""
        orders = [pixel_order(change, change.event_time + timedelta(minutes=20)) for change in changes]
        self.cj.control.seed(orders=[order | {"enterprise_id": self.enterprise} for order in orders])

    # -- the doctor ----------------------------------------------------------------------------------------------------------------

    def examined(
        self, notes: Notes | None = None, slots: Slots | None = lambda: POOLS, variables: Names | None = None
    ) -> dict[str, Finding]:
        """What the doctor finds, by check."""
        found = examination(slots=slots, variables=variables, notes=notes or Notes(patience=0.2))
        return {finding.name: finding for finding in found}


def week_of_orders(prefix: str = "o", discount: Decimal | None = Decimal("5.00"), orders: int = ORDERS) -> list[Change]:
    """Affiliate orders of the last days, all of them older than a day."""
    now = datetime.now(UTC).replace(microsecond=0)
    at = [now - timedelta(hours=30 + 4 * n) for n in range(orders)]
    first = Change(
        Key(FIXED_DATE, ""),
        "new",
        event_time=now,
        updated_at=now,
        amount=Decimal("100.00"),
        discount=discount,
        currency="USD",
        cj_event="click",
    )
    return [replace(first, key=Key(FIXED_DATE, f"{prefix}-{1001 + n}"), event_time=at[n], updated_at=at[n]) for n in range(orders)]


def connection_of(location: WarehouseLocation) -> dict[str, Any]:
    """The Airflow connection that means this warehouse."""
    if location.path:
        return {"conn_type": location.kind, "host": location.path}
    parts = urlsplit(location.uri)
    host = parts.hostname or parse_qs(parts.query)["host"][0]
    told = {
        "conn_type": location.kind,
        "host": host,
        "port": parts.port,
        "schema": parts.path[1:],
        "login": parts.username,
        "password": parts.password,
    }
    return {name: value for name, value in told.items() if value}


def wrong(findings: Mapping[str, Finding]) -> dict[str, str]:
    """Check → sentence and remedy, of what is to be mended."""
    return {name: f"{one.found.sentence} → {one.found.remedy}" for name, one in findings.items() if one.found.state is State.MEND}


def states(findings: Mapping[str, Finding]) -> dict[str, str]:
    return {name: one.found.state.value for name, one in findings.items()}


@contextmanager
def pools_table() -> Iterator[None]:
    """Airflow's own table of pools, in the tests' metadata database, for as long as the body runs: the whole database takes a quarter of a minute."""
    from airflow import settings
    from airflow.models import pool, team  # noqa: F401 - each makes its table known
    from airflow.models.base import Base

    tables = [Base.metadata.tables[name] for name in ("team", "slot_pool")]
    Base.metadata.create_all(settings.engine, tables)
    try:
        yield
    finally:
        Base.metadata.drop_all(settings.engine, tables)
