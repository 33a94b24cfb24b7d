"""The pages as an analyst has them: in Airflow's own frame, after a real login, in a real browser."""

from __future__ import annotations

import csv
import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Airflow
from tests.web.ground import RUN

pytestmark = [pytest.mark.browser, pytest.mark.timeout(3000)]


def test_the_morning_minute_from_opening_airflow_to_the_dearest_breaks_story(sit_down: Any) -> None:
    desk, clicks = sit_down("vera"), []

    def click(there: Any) -> None:
        there.click()
        clicks.append(there)

    click(desk.page.get_by_role("link", name="CJ", exact=True).first)
    frame = desk.frame
    frame.get_by_role("heading", name="Overview").wait_for()
    assert "4 breaks" in frame.locator("main").inner_text()
    assert "1,016.05 USD" in frame.locator(".tiles").inner_text()
    assert frame.locator("[data-chart=nights] svg").count() == 1
    # The dearest of all is the first of them.
    dearest = frame.locator("a.order").first
    assert dearest.inner_text() == "OLD-1"
    click(dearest)
    frame.get_by_role("heading", name="Order OLD-1").wait_for()
    assert "999.00 USD at risk" in frame.locator(".break").inner_text()
    assert frame.locator(".story li.is-verdict").count() == 1
    assert len(clicks) <= 3
    # A link that can be shared: Airflow's own address names the order.
    assert urlsplit(desk.page.url).path == "/plugin/cj/cj/orders/1500001/401/OLD-1"
    again = sit_down("ursula")
    again.open("/plugin/cj/cj/orders/1500001/401/OLD-1").get_by_role("heading", name="Order OLD-1").wait_for()
    assert desk.complaints == again.complaints == []


def test_filtering_swaps_the_list_keeps_the_focus_and_moves_the_address(sit_down: Any, tmp_path: Path) -> None:
    desk = sit_down("vera")
    frame = desk.open("/plugin/cj/cj/breaks")
    search = frame.locator(".filters input[name=order]")
    search.click()
    search.press_sequentially("b-")
    frame.get_by_text("3 breaks").wait_for()
    assert frame.locator("*:focus").get_attribute("name") == "order"
    frame.locator("select[name=reason]").select_option("amount")
    frame.get_by_text("1 break", exact=True).wait_for()
    orders = frame.locator("a.order").all_inner_texts()
    assert orders == ["B-1"]
    desk.page.wait_for_url(re.compile(r"/plugin/cj/cj/breaks\?(?=.*order=b-)(?=.*reason=amount)"))
    with desk.page.expect_download() as download:
        frame.get_by_role("link", name="CSV (1 row)").click()
    download.value.save_as(tmp_path / "breaks.csv")
    with (tmp_path / "breaks.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = list(csv.DictReader(file))
    shown = frame.locator("#list tbody td").all_inner_texts()
    assert row["order_id"] == "B-1" and row["difference"] == "20.00"
    assert "20.00 USD" in shown[4] and row["meaning"] in shown[5] and row["action"] in shown[5]
    assert desk.complaints == []


def test_an_order_is_found_by_its_id_from_anywhere(sit_down: Any) -> None:
    desk = sit_down("vera")
    frame = desk.open("/plugin/cj/cj/held")
    frame.get_by_placeholder("Order id").fill("B-1")
    frame.get_by_role("button", name="Find").click()
    frame.get_by_role("heading", name="Order B-1").wait_for()


def test_a_list_opened_from_its_file_is_the_list_on_the_page(sit_down: Any, tmp_path: Path) -> None:
    desk = sit_down("vera")
    frame = desk.open("/plugin/cj/cj/breaks?which=all")
    with desk.page.expect_download() as download:
        frame.get_by_role("link", name="CSV (4 rows)").click()
    download.value.save_as(tmp_path / "breaks.csv")
    with (tmp_path / "breaks.csv").open(encoding="utf-8-sig", newline="") as file:
        filed = list(csv.DictReader(file))
    shown = [row.locator("td").all_inner_texts() for row in frame.locator("#list tbody tr").all()]
    assert len(shown) == len(filed) == 4
    for cells, row in zip(shown, filed, strict=True):
        assert cells[0].startswith(row["order_id"])
        assert cells[1].startswith(row["status"])
        for cell, column in zip(cells[2:5], ("submitted_amount", "posted_amount", "difference"), strict=True):
            assert cell == (f"{Decimal(row[column]):,.2f} {row['currency']}" if row[column] else "–")
        assert row["meaning"] in cells[5] and row["action"] in cells[5]
        assert f"{Decimal(row['commission_at_risk']).quantize(Decimal('0.01'), ROUND_HALF_UP)} USD" == cells[7]


def test_the_tab_on_a_dag_run_has_that_runs_figures(sit_down: Any, airflow: Airflow) -> None:
    airflow.call("POST", "/dags/cj_restatements/dagRuns", {"dag_run_id": RUN, "logical_date": None})
    desk = sit_down("vera")
    desk.page.goto(f"{airflow.url}/dags/cj_restatements/runs/{RUN}")
    # Beside Airflow's own tabs of the run; the other link of this name is the entry in the bar.
    desk.page.locator(f"a[href*='/runs/{RUN}/plugin/cj-run']").click()
    frame = desk.frame
    frame.get_by_text("From the plan to the verdict").wait_for()
    told = frame.locator(".story").inner_text()
    assert re.search(r"Sent 11 orders live", told) and re.search(r"missing 2", told) and re.search(r"matched 3", told)
    assert frame.locator("nav").count() == 0
    # And from the page of that night back to its run: the link moves Airflow itself, not the frame.
    desk.open(f"/plugin/cj/cj/runs/{RUN}").get_by_role("link", name=RUN, exact=True).click()
    desk.page.wait_for_url(f"**/dags/cj_restatements/runs/{RUN}")
    # A run that was never planned here says so.
    airflow.call("POST", "/dags/cj_restatements/dagRuns", {"dag_run_id": "manual__nothing", "logical_date": None})
    desk.page.goto(f"{airflow.url}/dags/cj_restatements/runs/manual__nothing/plugin/cj-run")
    frame.get_by_text("There is no such thing here").wait_for()
    assert desk.complaints == []


@pytest.mark.parametrize(("theme", "background"), [("light", "rgb(248, 250, 253)"), ("dark", "rgb(11, 17, 29)")])
def test_light_and_dark_follow_airflow(sit_down: Any, theme: str, background: str) -> None:
    desk = sit_down("vera", theme=theme)
    frame = desk.open()
    assert frame.locator("html").get_attribute("data-theme") == theme
    assert frame.locator("body").evaluate("element => getComputedStyle(element).backgroundColor") == background
    other = {"light": "dark", "dark": "light"}[theme]
    desk.page.evaluate(
        "([now, then]) => { document.documentElement.classList.remove(then); document.documentElement.classList.add(now) }", [other, theme]
    )
    frame.locator(f"html[data-theme={other}]").wait_for(state="attached")
    assert desk.complaints == []


@pytest.mark.parametrize(
    "path", ["/", "/breaks", "/held", "/runs", f"/runs/{RUN}", "/orders/1500001/401/B-1", "/orders", "/cases", "/prelock"]
)
def test_a_page_fits_a_telephone_and_a_laptop(sit_down: Any, path: str) -> None:
    desk = sit_down("vera", width=390)
    page = desk.at(path)
    for width in (390, 320, 936, 1208):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width


def test_on_a_telephone_the_dearest_breaks_show_what_they_cost_without_scrolling_aside(sit_down: Any) -> None:
    page = sit_down("vera", width=390).at("/")
    dearest = page.get_by_role("region", name="Dearest breaks")
    assert dearest.evaluate("table => table.scrollWidth <= table.clientWidth")
    assert "999.00 USD" in dearest.inner_text()
