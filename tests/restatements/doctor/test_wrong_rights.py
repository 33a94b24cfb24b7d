"""A schema cj that another login made: one cause is one red line, and what its remedy says to run is what heals it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.guarded_server import guarded
from tests.restatements.doctor.ground import states, wrong
from tests.restatements.doctor.test_wrong_warehouses import Server, server

__all__ = ["guarded", "server"]

SECTION = "docs/warehouses.md, under *PostgreSQL: what the login needs*"


@pytest.fixture
def others(server: Server) -> Server:
    """The schema cj with all its tables, made by the DBA."""
    server.admin("DROP SCHEMA cj")
    with open_warehouse(WarehouseLocation("postgres", uri=server.guarded.uri("postgres", "", server.name))) as session:
        session.create_tables()
    return server


@pytest.mark.parametrize("granted", [None, "GRANT USAGE ON SCHEMA cj TO shop", "ALTER SCHEMA cj OWNER TO shop"])
def test_tables_of_another_login_are_one_red_line_and_the_others_wait_for_it(others: Server, granted: str | None) -> None:
    if granted:
        others.admin(granted)
    findings = others.ground.examined()
    found = wrong(findings)
    assert set(found) == {"rights"}
    assert "Schema cj, or what is in it, belongs to another login" in found["rights"]
    assert "GRANT SELECT" not in found["rights"]
    assert SECTION in found["rights"]
    assert findings["ledger (cj)"].because == findings["horizon (cj)"].because == "rights"
    assert states(findings)["reading"] == states(findings)["orders"] == "right"


def test_what_the_remedy_and_the_page_say_to_run_heals_it(others: Server) -> None:
    told = re.search(r"(ALTER SCHEMA cj OWNER TO shop)\b", wrong(others.ground.examined())["rights"])
    assert told
    section = Path("docs/warehouses.md").read_text(encoding="utf-8").split("## PostgreSQL: what the login needs")[1]
    page = re.search(r"```text\n(.*?)```", section, re.DOTALL)
    assert page
    others.admin(told[1], page[1].replace("<login>", "shop"))
    assert wrong(others.ground.examined()) == {}


def test_an_empty_schema_of_another_login_is_healed_by_the_one_statement(server: Server) -> None:
    server.admin("DROP SCHEMA cj", "CREATE SCHEMA cj", "GRANT USAGE ON SCHEMA cj TO shop")
    assert "ALTER SCHEMA cj OWNER TO shop" in wrong(server.ground.examined())["rights"]
    server.admin("ALTER SCHEMA cj OWNER TO shop")
    assert wrong(server.ground.examined()) == {}


def test_no_right_to_read_the_orders_sends_to_what_the_login_needs(server: Server) -> None:
    server.admin("REVOKE SELECT ON order_changes FROM shop")
    sentence, remedy = wrong(server.ground.examined())["reading"].split(" → ")
    assert "GRANT SELECT ON it" in sentence
    assert SECTION in remedy
    assert "what each column may be" not in remedy
