"""The doctor on orders in another database: a right one is right, and what is wrong with it names connection `orders`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from include.demo.files import ORDER_CHANGES
from include.sandbox.process import SandboxProcess
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.guarded_server import PASSWORD, Guarded, guarded
from tests.orders_databases import Orders, orders
from tests.restatements.doctor.ground import Ground, states, week_of_orders, wrong

__all__ = ["guarded", "orders"]


@pytest.fixture
def elsewhere(cj: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orders: Orders) -> Ground:
    """A warehouse with no orders in it, and a week of them in the other database."""
    location = WarehouseLocation("duckdb", path=str(tmp_path / "warehouse.duckdb"))
    with open_warehouse(location):
        made = Ground(cj, tmp_path, location, monkeypatch)
    week = week_of_orders()
    orders.load(pa.Table.from_pylist([change.row(made.enterprise) for change in week], ORDER_CHANGES))
    made.connection("orders", orders.connection)
    file = tmp_path / "mine.sql"
    file.write_text(orders.sql, encoding="utf-8")
    made.variable("cj_order_changes_sql", str(file))
    made.reported(week)
    return made


def test_orders_elsewhere_that_are_right_have_nothing_to_mend(elsewhere: Ground) -> None:
    findings = elsewhere.examined()
    assert wrong(findings) == {}
    assert states(findings)["orders"] == states(findings)["orders_database"] == "right"
    assert findings["reading"].found.sentence == "The query gives 24 orders for the last 7 days."


WRONG: dict[str, tuple[Callable[[Guarded], dict[str, Any]], str, str]] = {
    "a wrong password": (lambda g: _reader(g, password="wrong-4711"), "orders_database", "Connection 'orders': the database, postgres at .* it refused the login"),
    "a server that is not there": (lambda g: _reader(g, port=9), "orders_database", "Connection 'orders': the database, .* nothing listens there"),
    "no database of that name": (lambda g: _reader(g, schema="gone"), "orders_database", "Connection 'orders': .* there is no such database"),
    "a login that may not read": (lambda g: _reader(g), "shape", r"Connection 'orders': .*order_changes"),
    "a type without a provider": (lambda g: {"conn_type": "oracle", "host": "x", "password": PASSWORD}, "orders_database", "Connection 'orders' is of type 'oracle', for which no provider"),
    "no database at all": (lambda g: {"conn_type": "http", "host": "x", "password": PASSWORD}, "orders_database", "Connection 'orders' is of type 'http', and Airflow's hook for it runs no SQL"),
    "a file that is not there": (lambda g: {"conn_type": "duckdb", "host": "gone.duckdb"}, "orders_database", "Connection 'orders': there is no file .*gone.duckdb"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_names_connection_orders_and_no_password(ground: Ground, guarded: Guarded, name: str) -> None:
    guarded.admin("DROP TABLE IF EXISTS order_changes", "CREATE TABLE order_changes (order_id text)")
    connection, check, sentence = WRONG[name]
    ground.connection("orders", connection(guarded))
    findings = ground.examined()
    assert list(wrong(findings)) == [check]
    found = findings[check].found
    assert re.search(sentence, found.sentence), found.sentence
    assert "4711" not in repr(list(findings.values()))


def test_a_connection_that_cannot_be_read_is_not_taken_for_none(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ORDERS", "{no JSON")
    assert "orders" in wrong(ground.examined())["orders_connection"]


def _reader(server: Guarded, **other: Any) -> dict[str, Any]:
    return {
        "conn_type": "postgres",
        "host": "127.0.0.1",
        "port": server.port,
        "schema": "postgres",
        "login": "reader",
        "password": PASSWORD,
    } | other
