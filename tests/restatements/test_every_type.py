"""Every type that docs/warehouses.md allows a column works with the shipped query: nights with and without an order to plan again, on both warehouses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from include.restatements.changes.extraction import ALLOWED, order_changes_sql
from include.sandbox.process import SandboxProcess
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.model.shop import Change, Item
from tests.model.world import BEGIN
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import later, operations, placed, quiet_night

IDS = ("text", "varchar(64)", "char(40)", "integer", "bigint")
INTEGERS = ("bigint", "integer", "smallint", "bigint", "integer")
TEXTS = ("text", "varchar", "varchar(400)", "text", "char(400)")
MONEY = ("decimal(38, 10)", "numeric(12, 2)", "bigint", "text", "decimal(18, 4)")
JSON = {
    "duckdb": ("text", "json", "varchar", "json", "varchar(900)"),
    "postgres": ("text", "json", "jsonb", "varchar(900)", "json"),
}
TABLES = range(len(IDS))


def types(kind: str, table: int) -> Mapping[str, str]:
    """The columns of the table: beside each other all that are allowed, over the tables each of them in every column."""
    by_words = {
        ("text",): TEXTS, ("text", "integer"): IDS, ("integer", "text"): IDS, ("integer",): INTEGERS, ("decimal", "integer", "text"): MONEY, ("text", "json"): JSON[kind],
        ("timestamptz",): ["timestamp with time zone"] * len(TABLES),
    }  # fmt: skip
    return {name: by_words[words][table] for name, words in ALLOWED.items() if name != "was_new"}


@pytest.fixture(params=TABLES)
def world(request: pytest.FixtureRequest, cj: SandboxProcess, location: WarehouseLocation, tmp_path: Path) -> WorldOn:
    return WorldOn(cj, tmp_path / "world", location, types(location.kind, request.param))


def order(number: int) -> Change:
    full = {"discount": Decimal(10), "currency": "USD", "coupon": "SAVE10", "items": (Item("A-1", 2, Decimal(50)),), "cj_event": "4711"}
    return replace(placed(), key=placed().key._replace(order_id=str(number)), **full)  # type: ignore[arg-type]


def test_a_night_runs_with_and_without_an_order_to_plan_again(world: WorldOn) -> None:
    # By number 9 comes before 10, and by bytes after it: rows must come in one order, whatever their ids are kept as.
    world.append([order(9), order(10), order(100)])
    first = world.prepare(BEGIN - timedelta(days=9), world.now())
    assert operations(first) == ["create"] * 3
    world.submit(first)
    world.publish(first)
    world.append([later(order(9), 1, amount=Decimal(80), items=(Item("A-1", 2, Decimal(40)),))])
    waits = world.prepare(world.now() - timedelta(hours=2), world.now())
    assert waits.prepared.summary["skipped_by_reason"] == {"waiting": 1, "unchanged": 2}
    world.publish(waits)
    world.advance(timedelta(hours=2))
    assert {status: n for status, n in world.reconcile().items() if n} == {"matched": 3}
    assert operations(quiet_night(world)) == ["restate"]
    assert sorted((key.order_id, held["amount"]) for key, held in world.held().items()) == [
        ("10", "100.00"),
        ("100", "100.00"),
        ("9", "80.00"),
    ]


@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_the_tables_above_hold_every_type_that_is_allowed(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    uri = request.getfixturevalue("postgres_database") if kind == "postgres" else ""
    found: dict[str, set[str]] = {name: set() for name in ALLOWED}
    with open_warehouse(WarehouseLocation(kind, uri=uri, path="" if uri else str(tmp_path / "types.duckdb"))) as session:
        for table in TABLES:
            columns = ", ".join(f"{name} {spelled}" for name, spelled in types(kind, table).items())
            session.execute(f"DROP TABLE IF EXISTS order_changes; CREATE TABLE order_changes ({columns})")
            for name, word in session.columns_of(order_changes_sql()).items():
                found[name].add(word)
    assert found == {name: set(words) for name, words in ALLOWED.items()} | {"was_new": {"boolean"}}
