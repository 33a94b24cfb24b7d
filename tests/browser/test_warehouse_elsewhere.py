"""What somebody sees in Airflow where the warehouse is away, is busy, or holds nothing yet. The pages read with a connection of Airflow's own, made here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.browser.conftest import Airflow
from tests.web.ground import filled

pytestmark = [pytest.mark.browser, pytest.mark.timeout(3000)]


def test_a_warehouse_that_is_away_is_said_and_the_way_about_stays(sit_down: Any, airflow: Airflow, tmp_path: Path) -> None:
    desk = sit_down("vera")
    with airflow.reading(conn_type="duckdb", host=str(tmp_path / "none.duckdb")):
        frame = desk.open()
        assert "The warehouse cannot be read just now." in frame.locator("main").inner_text()
        assert "There is no copy of" in frame.locator("main").inner_text()
        frame.get_by_role("link", name="Breaks", exact=True).click()
        frame.get_by_role("heading", name="Breaks").wait_for()
        assert "cannot be read just now" in frame.locator("main").inner_text()
    frame.get_by_role("link", name="Try again").click()
    frame.locator("a.order").first.wait_for()
    assert desk.complaints == []


def test_before_the_first_night_every_page_says_what_will_be_there(sit_down: Any, airflow: Airflow, tmp_path: Path) -> None:
    empty = WarehouseLocation("duckdb", path=str(tmp_path / "empty.duckdb"))
    filled(empty, empty=True)
    desk = sit_down("vera")
    with airflow.reading(conn_type="duckdb", host=empty.path):
        frame = desk.open()
        assert "Nothing has been reconciled yet." in frame.locator("main").inner_text()
        for page, said in (
            ("Breaks", "No break is open"), ("Orders", "Find an order"), ("Runs", "No night has been planned yet"), ("Held back", "Nothing is held back"),
        ):  # fmt: skip
            frame.get_by_role("link", name=page, exact=True).click()
            frame.get_by_role("heading", name=page, exact=True).wait_for()
            assert said in frame.locator("main").inner_text()
    assert desk.complaints == []


@pytest.fixture
def busy(postgres_database: str) -> Iterator[dict[str, Any]]:
    """A connection to a PostgreSQL whose verdicts somebody holds for himself, as a migration by hand would."""
    location = WarehouseLocation("postgres", uri=postgres_database)
    filled(location)
    parts = urlsplit(postgres_database)
    with open_warehouse(location) as session, session.transaction():
        session.execute("LOCK TABLE cj.reconciliation IN ACCESS EXCLUSIVE MODE")
        yield {
            "conn_type": "postgres",
            "host": parse_qs(parts.query)["host"][0],
            "login": parts.username,
            "schema": parts.path.removeprefix("/"),
        }


def test_a_busy_warehouse_is_given_up_on_with_a_sentence_and_airflow_goes_on(sit_down: Any, airflow: Airflow, busy: dict[str, Any]) -> None:
    desk = sit_down("vera")
    with airflow.reading(**busy):
        frame = desk.open("/plugin/cj/cj/breaks")
        assert "The warehouse is busy." in frame.locator("main").inner_text()
        assert "holds up no night" in frame.locator("main").inner_text()
        # What does not need that table is there, and so is Airflow.
        frame.get_by_role("link", name="Held back", exact=True).click()
        frame.locator("a.order").first.wait_for()
    assert desk.complaints == []
