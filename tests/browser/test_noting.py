"""Taking note of a break, from the page to the table: Airflow is asked as whoever is logged in, its scheduler runs the DAG, and the note lapses with its verdict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from include.warehouse.base import open_warehouse
from tests.browser.conftest import Airflow

pytestmark = [pytest.mark.browser, pytest.mark.timeout(3000)]

ORDER = "/plugin/cj/cj/orders/1500001/401/B-1"


@pytest.fixture(scope="module")
def scheduled(airflow: Airflow) -> Iterator[Airflow]:
    """A whole Airflow: its scheduler runs what the pages ask for, and nothing else."""
    airflow.call("PATCH", "/dags/cj_acknowledge?update_mask=is_paused", {"is_paused": False})
    with airflow.scheduling():
        yield airflow


def change_verdicts(airflow: Airflow, *statements: str) -> None:
    """As a later reconciliation would."""
    with open_warehouse(airflow.warehouse) as session:
        for statement in statements:
            session.execute(statement)
        session.leave_snapshot()


def note(frame: Any, text: str) -> None:
    frame.get_by_text("Acknowledge", exact=True).first.click()
    frame.locator("textarea").fill(text)
    frame.get_by_role("button", name="Acknowledge").click()


def test_who_may_only_look_is_told_so_by_airflow(sit_down: Any, airflow: Airflow) -> None:
    desk = sit_down("vera")
    frame = desk.open(ORDER)
    note(frame, "I may not")
    frame.get_by_text("You may not trigger cj_acknowledge").wait_for()
    assert desk.complaints == []


def test_a_note_is_kept_by_airflows_scheduler_as_the_user_and_lapses_with_its_verdict(sit_down: Any, scheduled: Airflow) -> None:
    desk = sit_down("ursula")
    totals = desk.open("/plugin/cj/cj/breaks").locator(".panel-head p").inner_text()
    frame = desk.open(ORDER)
    with desk.page.expect_response(re.compile("dagRuns$")) as answered:
        note(frame, "The partner was asked, see ana@shop.example")
    run = answered.value.json()
    assert run["triggering_user_name"] == "ursula"
    # The page waits for the run and then shows the order anew: as the task left it.
    frame.locator(".break .noted").wait_for()
    assert re.search(r"Noted by ursula, .* UTC: The partner was asked, see \[hidden\]", frame.locator(".break .noted").inner_text())
    assert frame.locator(".story li.is-note").count() == 1
    assert scheduled.call("GET", f"/dags/cj_acknowledge/dagRuns/{run['dag_run_id']}")["state"] == "success"
    with open_warehouse(scheduled.warehouse) as session:
        (kept,) = session.rows("SELECT order_id, status, acknowledged_by, run_id FROM cj.acknowledgements")
    assert kept == {"order_id": "B-1", "status": "mismatched", "acknowledged_by": "ursula", "run_id": run["dag_run_id"]}

    frame = desk.open("/plugin/cj/cj/breaks?noted=yes")
    assert frame.locator("a.order").all_inner_texts() == ["B-1"]
    # It takes nothing from a total.
    assert desk.open("/plugin/cj/cj/breaks").locator(".panel-head p").inner_text() == totals

    change_verdicts(scheduled, "UPDATE cj.reconciliation SET posted_amount = 99 WHERE order_id = 'B-1'")
    assert desk.open("/plugin/cj/cj/breaks?noted=yes").locator("a.order").count() == 0
    frame = desk.open(ORDER)
    assert frame.locator(".break .noted").count() == 0
    assert "lapsed" in frame.locator(".story li.is-note").inner_text()
    assert desk.complaints == []
    change_verdicts(scheduled, "DELETE FROM cj.acknowledgements", "UPDATE cj.reconciliation SET posted_amount = 100 WHERE order_id = 'B-1'")


def test_a_note_on_a_verdict_that_changed_meanwhile_is_not_kept_and_the_page_says_so(sit_down: Any, scheduled: Airflow) -> None:
    desk = sit_down("ursula")
    frame = desk.open(ORDER)
    change_verdicts(scheduled, "UPDATE cj.reconciliation SET commission_at_risk = 9 WHERE order_id = 'B-1'")
    note(frame, "About what I saw")
    frame.get_by_text("perhaps what you looked at has changed meanwhile").wait_for()
    with open_warehouse(scheduled.warehouse) as session:
        assert session.rows("SELECT order_id FROM cj.acknowledgements") == []
    change_verdicts(scheduled, "UPDATE cj.reconciliation SET commission_at_risk = 1.605 WHERE order_id = 'B-1'")
