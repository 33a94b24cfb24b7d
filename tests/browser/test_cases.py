"""Filing a case, as whoever does it: in Airflow's frame after a real login, the fields read, the files kept, CJ's number entered, and what is due then."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdf
import pytest

from include.domain.account import Account, Token
from include.domain.states import CaseAct
from include.restatements.cases.acting import Said, act
from include.restatements.cases.following import follow
from include.restatements.journal.journal import journal_of
from include.restatements.settings import Settings
from include.warehouse.base import open_warehouse
from tests.browser.conftest import Airflow
from tests.restatements.report.report_tables import CHECKED

pytestmark = [pytest.mark.browser, pytest.mark.timeout(3000)]


@pytest.fixture(scope="module")
def settings(airflow: Airflow) -> Settings:
    """Of the tables' account, with the cases written as a round writes them."""
    account = Account("cj", "1500001", "5500001", Token("token"))
    made = Settings(accounts=(account,), storage=f"file://{airflow.environment['AIRFLOW_HOME']}/cj_data")
    with open_warehouse(airflow.warehouse) as session:
        session.execute("UPDATE cj.reconciliation SET reason = 'unknown' WHERE order_id = 'B-2'")
        follow(session, journal_of(made).files, made, CHECKED, datetime.now(UTC))
        session.execute("UPDATE cj.reconciliation SET reason = 'locked' WHERE order_id = 'B-2'")
        session.leave_snapshot()
    return made


def test_a_case_is_read_its_files_are_kept_and_it_is_filed_as_the_user(
    sit_down: Any, airflow: Airflow, settings: Settings, tmp_path: Path
) -> None:
    viewer = sit_down("vera")
    frame = viewer.open("/plugin/cj/cj/cases")
    frame.get_by_role("link", name=re.compile("accepted, not shown in Commission Detail")).first.click()
    frame.get_by_role("heading", name="What goes into CJ's form").wait_for()
    with viewer.page.expect_download() as download:
        frame.get_by_role("link", name="overview.pdf").click()
    download.value.save_as(tmp_path / "overview.pdf")
    assert download.value.suggested_filename.endswith("-overview.pdf")
    text = pypdf.PdfReader(io.BytesIO((tmp_path / "overview.pdf").read_bytes())).pages[0].extract_text()
    assert "B-2" in text and "CID 5500001" in text
    frame.get_by_text("It was filed", exact=True).first.click()
    frame.get_by_label("CJ's case number").fill("01234567")
    frame.get_by_role("button", name="It was filed").click()
    frame.get_by_text("You may not trigger cj_case").wait_for()
    case = frame.locator("input[name=case]").first.get_attribute("value")

    user = sit_down("ursula")
    frame = user.open(f"/plugin/cj/cj/cases/{case.partition('@')[0]}")
    frame.get_by_text("It was filed", exact=True).first.click()
    frame.get_by_label("CJ's case number").fill("01234567")
    frame.get_by_label("When (UTC; now where it is empty)").fill("2026-11-20T09:30")
    with user.page.expect_response(re.compile("dagRuns$")) as answered:
        frame.get_by_role("button", name="It was filed").click()
    run = answered.value.json()
    frame.get_by_text("Airflow has it").wait_for()
    assert run["triggering_user_name"] == "ursula"
    told = {name: run["conf"][name] for name in ("act", "case", "number", "at")}
    assert told == {"act": "filed", "case": case, "number": "01234567", "at": "2026-11-20T09:30:00+00:00"}
    # What the DAG's one task does with it: no scheduler runs here.
    said = Said(
        case, CaseAct.FILED, run["triggering_user_name"], told["number"], datetime.fromisoformat(told["at"]), said_in=run["dag_run_id"]
    )
    act(settings, airflow.warehouse, said)
    with open_warehouse(airflow.warehouse) as session:
        session.leave_snapshot()
    frame = user.open(f"/plugin/cj/cj/cases/{case.partition('@')[0]}")
    shown = frame.locator("main").inner_text()
    # It was a Friday, half past one at night in California: three business days later is a Wednesday.
    assert "Filed, CJ's case 01234567" in shown and "2026-11-25 09:30 UTC" in shown and "said ursula" in shown
    assert user.complaints == viewer.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_cases_fit_a_telephone_and_a_laptop(sit_down: Any, settings: Settings, theme: str) -> None:
    desk = sit_down("vera", width=390, theme=theme)
    page = desk.at("/cases")
    link = page.locator("#list a").filter(has_text="accepted, not shown").first.get_attribute("href")
    for path in ("/cases", f"/{link.removeprefix('./')}"):
        page = desk.at(path)
        for width in (390, 320, 936, 1208):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
    assert desk.complaints == []
