"""The page of a night that was stopped: why the gate asked, what was shown, who answered what. On every warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.report.report_tables import append
from tests.web.ground import RUN, SENT, Served, filled, served

WHY = "120 orders would be restated or cancelled, 6 % of the 2000 that are open at CJ; the limit is 5 %. Look at <b>a few</b>."
SHOWN = "Send this night's restatements to CJ?\n\n| enterprise | operation |\n| --- | --- |\n| <script>alert(1)</script> | cancel |"


def question(number: int, answer: str | None, by: str | None = None) -> dict[str, Any]:
    return {
        "run_id": RUN, "question": number, "plan_digest": f"{number:016x}", "at_stake": Decimal("1234.50"), "unpriced": 3, "reasons": f"{WHY}\nAnother reason.",
        "shown": SHOWN, "asked_at": SENT - timedelta(hours=2), "answer": answer, "answered_by": by, "answered_at": SENT - timedelta(hours=1) if by else None,
    }  # fmt: skip


def compared() -> dict[str, Any]:
    return {
        "run_id": RUN, "enterprise_id": "1500001", "plan_number": 7, "backfill": False, "created": 11, "touched": 120, "taken_back": Decimal("990.10"),
        "open_orders": 2000, "open_money": Decimal("54321.00"), "asked_by": "many_touched", "planned_at": SENT,
    }  # fmt: skip


@pytest.fixture
def pages(location: WarehouseLocation) -> Iterator[Served]:
    filled(location)
    with open_warehouse(location) as session:
        append(session, "cj.approvals", [question(1, "withdrawn"), question(2, "approved", "ana")])
        append(session, "cj.nights", [compared()])
        session.leave_snapshot()
    with served(location) as app:
        yield app


def test_the_page_says_why_it_was_asked_what_was_shown_and_who_answered(pages: Served) -> None:
    told = pages.json(f"/runs/{RUN}")
    assert [(one["number"], one["answer"], one["by"]) for one in told["questions"]] == [(2, "approved", "ana"), (1, "withdrawn", None)]
    newest = told["questions"][0]
    assert (newest["at_stake"]["amount"], newest["unpriced"], newest["reasons"]) == ("1234.50", 3, [WHY, "Another reason."])
    assert newest["shown"] == SHOWN
    page = pages.page(f"/runs/{RUN}")
    assert "Approved by ana" in page
    assert "Withdrawn" in page
    assert "Another reason." in page
    assert "Answer in Airflow" not in page


def test_what_a_question_shows_never_becomes_markup(pages: Served) -> None:
    page = pages.page(f"/runs/{RUN}")
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page
    assert "<b>a few</b>" not in page


def test_a_night_is_shown_beside_what_was_open_with_the_rule_that_asked(pages: Served) -> None:
    (one,) = pages.json(f"/runs/{RUN}")["compared"]
    assert (one["touched"], one["open_orders"], one["taken_back"]["amount"], one["asked_by"]) == (120, 2000, "990.10", ["many_touched"])
    page = pages.page(f"/runs/{RUN}")
    assert "2,000" in page and "54,321.00" in page
    assert "more than `gate_touched` of the open orders" in page


def test_a_question_that_waits_leads_to_where_it_is_answered(pages: Served, location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        append(session, "cj.approvals", [question(3, None)])
        session.leave_snapshot()
    page = pages.page(f"/runs/{RUN}")
    assert "Waits for an answer" in page
    assert f"dags/cj_restatements/runs/{RUN}/required_actions" in page


def test_a_night_that_nobody_was_asked_about_says_nothing_of_questions(location: WarehouseLocation) -> None:
    filled(location)
    with served(location) as app:
        told = app.json(f"/runs/{RUN}")
        assert (told["questions"], told["compared"]) == ([], [])
        assert "Asked of a person" not in app.page(f"/runs/{RUN}")
