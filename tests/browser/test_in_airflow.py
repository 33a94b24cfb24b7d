"""The pages as an analyst has them: in Airflow's own frame, after a real login, in a real browser."""

from __future__ import annotations

import csv
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from include.restatements.acknowledge import acknowledge
from include.warehouse.base import open_warehouse
from tests.browser.conftest import Airflow
from tests.web.ground import RUN

pytestmark = [pytest.mark.browser, pytest.mark.timeout(3000)]


def test_the_morning_minute_from_opening_airflow_to_the_dearest_breaks_story(sit_down: Any) -> None:
    desk = sit_down("vera")
    began = time.monotonic()
    desk.page.get_by_role("link", name="CJ", exact=True).first.click()
    frame = desk.frame
    frame.get_by_role("heading", name="Overview").wait_for()
    assert "4 breaks" in frame.locator("main").inner_text()
    assert "1,016.05 USD" in frame.locator(".tiles").inner_text()
    assert frame.locator("[data-chart=nights] svg").count() == 1
    frame.get_by_role("link", name="B-2", exact=True).click()
    frame.get_by_role("heading", name="Order B-2").wait_for()
    assert frame.locator(".story li").count() >= 3
    print(f"two clicks, {time.monotonic() - began:.1f} s")
    # A link that can be shared: Airflow's own address names the order.
    assert urlsplit(desk.page.url).path == "/plugin/cj/cj/orders/1500001/401/B-2"
    again = sit_down("ursula")
    again.open("/plugin/cj/cj/orders/1500001/401/B-2").get_by_role("heading", name="Order B-2").wait_for()
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


def test_acknowledging_is_done_by_airflow_as_the_user_and_a_viewer_may_not(sit_down: Any, airflow: Airflow) -> None:
    viewer = sit_down("vera")
    frame = viewer.open("/plugin/cj/cj/orders/1500001/401/B-1")
    frame.get_by_text("Acknowledge", exact=True).first.click()
    frame.locator("textarea").fill("I may not")
    frame.get_by_role("button", name="Acknowledge").click()
    frame.get_by_text("You may not trigger cj_acknowledge").wait_for()

    user = sit_down("ursula")
    frame = user.open("/plugin/cj/cj/orders/1500001/401/B-1")
    frame.get_by_text("Acknowledge", exact=True).first.click()
    frame.locator("textarea").fill("The partner was asked")
    with user.page.expect_response(re.compile("dagRuns$")) as answered:
        frame.get_by_role("button", name="Acknowledge").click()
    run = answered.value.json()
    frame.get_by_text("Airflow has it").wait_for()
    assert run["triggering_user_name"] == "ursula"
    # What the DAG's one task does with it: no scheduler runs here.
    acknowledge(airflow.warehouse, run["conf"]["break"], run["conf"]["note"], run["triggering_user_name"], run["dag_run_id"])
    with open_warehouse(airflow.warehouse) as session:
        session.leave_snapshot()
    frame = user.open("/plugin/cj/cj/breaks?noted=yes")
    assert frame.locator("a.order").all_inner_texts() == ["B-1"]
    assert "Noted by ursula" in frame.locator("#list").inner_text()
    assert user.complaints == []
    with open_warehouse(airflow.warehouse) as session:
        session.execute("DELETE FROM cj.acknowledgements")
        session.leave_snapshot()


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


@pytest.mark.parametrize("path", ["/", "/breaks", "/held", "/runs", f"/runs/{RUN}", "/orders/1500001/401/B-1"])
def test_a_page_fits_a_telephone_and_a_laptop(sit_down: Any, path: str) -> None:
    desk = sit_down("vera", width=390)
    page = desk.at(path)
    for width in (390, 320, 936, 1208):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
