"""Every query in the pages runs as it is printed: on the demo's tables it finds something, and on PostgreSQL it is understood too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from include.warehouse.base import WarehouseLocation, open_warehouse
from include.warehouse.schema import lasting_tables, working_tables
from include.warehouse.sqltext import statements
from tests.demo_nights import Played
from tests.policy.sources import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def queries(page: Path) -> list[str]:
    """The statements of the page's SQL blocks."""
    blocks = re.findall(r"^ *```sql\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [statement for block in blocks for statement in statements(block)]


PRINTED = [pytest.param(page, sql, id=f"{page.stem}-{n}") for page in PAGES for n, sql in enumerate(queries(page), 1)]


def test_there_are_queries_to_run() -> None:
    assert len(PRINTED) >= 12


@pytest.mark.parametrize(("page", "sql"), PRINTED)
def test_a_query_finds_something_in_the_demos_tables(page: Path, sql: str, played: Played) -> None:
    with open_warehouse(played.warehouse) as session:
        found = session.rows(sql.replace("run_id = '…'", f"run_id = '{played.last_run}'"))
    assert found
    assert "…" not in sql or page.stem == "what-happens-when"


@pytest.mark.parametrize(("page", "sql"), PRINTED)
def test_a_query_is_understood_by_postgresql(page: Path, sql: str, postgres_tables: WarehouseLocation) -> None:
    with open_warehouse(postgres_tables) as session:
        assert isinstance(session.rows(sql), list), page


@pytest.fixture(scope="module")
def postgres_tables(postgres_url: str) -> WarehouseLocation:
    """The package's tables, empty, in the server's own database."""
    location = WarehouseLocation("postgres", uri=postgres_url)
    with open_warehouse(location) as session:
        session.create_tables()
    return location


def test_every_table_that_is_not_a_working_table_is_described() -> None:
    tables = lasting_tables()
    assert tables > {"submissions", "verdicts_log", "schema_version"}
    assert tables.isdisjoint(working_tables())
    page = (ROOT / "docs" / "analysts.md").read_text(encoding="utf-8")
    assert {table for table in tables if f"`{table}`" not in page} == set()
