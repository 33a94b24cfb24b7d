"""The pages are for everybody: by the keyboard alone, read aloud, without scripts."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from tests.browser.conftest import PATIENCE, Airflow
from tests.web.ground import RUN

pytestmark = [pytest.mark.browser, pytest.mark.timeout(3000)]

PATHS = [
    "/", "/breaks", "/breaks?order=nobody", "/orders", "/orders?id=nobody", "/orders/1500001/401/B-1", "/orders/1500001/401/nobody", "/runs", f"/runs/{RUN}",
    "/runs/recon-1", "/held", "/nowhere", "/cases", "/prelock", "/partners",
]  # fmt: skip
"""Every page, and what is said where there is nothing."""

# What has the focus, wherever in the frames it is, and whether somebody sees that it has.
FOCUSED = """() => {
    let at = document.activeElement;
    while (at && at.contentDocument) at = at.contentDocument.activeElement;
    const style = at.ownerDocument.defaultView.getComputedStyle(at);
    return { text: at.textContent.trim() || at.name || "", ours: at.ownerDocument !== document, seen: style.outlineStyle !== "none" };
}"""


def tab_to(page: Any, text: str, key: str = "Tab") -> None:
    """With the tabulator only, until what has the focus says this."""
    passed = []
    for _ in range(90):
        page.keyboard.press(key)
        at = page.evaluate(FOCUSED)
        assert at["seen"] or not at["ours"] or at["text"] == "", at
        passed.append(at["text"][:30])
        if at["text"] == text:
            return
    raise AssertionError(f"the keyboard never came to {text!r}, but to {passed}")


def test_the_keyboard_alone_goes_from_airflows_bar_to_a_breaks_story_and_a_note(sit_down: Any) -> None:
    desk = sit_down("vera")
    page = desk.page
    page.get_by_role("link", name="CJ", exact=True).first.wait_for()
    tab_to(page, "CJ")
    page.keyboard.press("Enter")
    desk.frame.get_by_role("heading", name="Overview").wait_for()
    tab_to(page, "Skip to the figures")
    page.keyboard.press("Enter")
    tab_to(page, "B-2")
    page.keyboard.press("Enter")
    desk.frame.get_by_role("heading", name="Order B-2").wait_for()
    page.go_back()
    desk.frame.get_by_role("heading", name="Overview").wait_for()
    page.go_forward()
    desk.frame.get_by_role("heading", name="Order B-2").wait_for()
    tab_to(page, "Acknowledge")
    page.keyboard.press("Enter")
    tab_to(page, "note")
    page.keyboard.type("Typed, not clicked")
    tab_to(page, "Acknowledge")
    page.keyboard.press("Enter")
    desk.frame.get_by_text("You may not trigger cj_acknowledge").wait_for()
    assert desk.complaints == []


def test_the_keyboard_alone_filters_a_list_and_walks_on_in_it(sit_down: Any) -> None:
    desk = sit_down("vera")
    page = desk.at("/breaks?limit=2")
    tab_to(page, "Next 2 →")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="From the top").wait_for()
    assert page.locator("a.order").all_inner_texts() == ["B-3", "B-1"]
    page.keyboard.press("Home")
    tab_to(page, "order")
    page.keyboard.type("b-2")
    page.keyboard.press("Enter")
    page.get_by_text("1 break", exact=True).wait_for()
    assert page.locator("a.order").all_inner_texts() == ["B-2"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_keeps_anybody_from_reading_a_page(sit_down: Any, theme: str) -> None:
    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    desk = sit_down("vera", theme=theme)
    looked_at, found = [], []
    for path in PATHS:
        page = desk.at(path)
        page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true })")
        page.evaluate(axe)
        told = page.evaluate("""async () => {
            const found = await axe.run(document);
            return [found.passes.length, found.violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html).slice(0, 3)])];
        }""")
        looked_at.append(told[0])
        found += [(path, *one) for one in told[1] if one[0] in ("serious", "critical")]
    assert found == []
    assert min(looked_at) > 10


def test_without_scripts_everything_but_pictures_and_notes_works(airflow: Airflow, chromium: Any, tmp_path: Path) -> None:
    context = chromium.new_context(java_script_enabled=False, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    context.add_cookies([{"name": "_token", "value": airflow.token("vera"), "url": airflow.url}])
    try:
        page = context.new_page()
        page.goto(f"{airflow.url}/cj/")
        page.get_by_text("Show as table").first.click()
        assert page.get_by_role("region", name="The last thirty nights").is_visible()
        page.get_by_role("link", name="Breaks", exact=True).click()
        page.locator("select[name=status]").select_option("missing")
        page.get_by_role("button", name="Filter").click()
        assert page.locator("a.order").all_inner_texts() == ["OLD-1", "B-2", "B-3"]
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV (3 rows)").click()
        download.value.save_as(tmp_path / "breaks.csv")
        with (tmp_path / "breaks.csv").open(encoding="utf-8-sig", newline="") as file:
            assert [row["order_id"] for row in csv.DictReader(file)] == ["OLD-1", "B-2", "B-3"]
        page.goto(f"{airflow.url}/cj/breaks?limit=2")
        assert page.locator("a.order").all_inner_texts() == ["OLD-1", "B-2"]
        page.get_by_role("link", name=re.compile("^Next")).click()
        assert page.locator("a.order").all_inner_texts() == ["B-3", "B-1"]
        page.locator("#find").fill("B-1")
        page.get_by_role("button", name="Find").click()
        assert page.get_by_role("heading", name="Order B-1").is_visible()
        page.get_by_text("Acknowledge", exact=True).first.click()
        assert page.get_by_text("trigger the DAG cj_acknowledge with break 1500001/401/B-1@").is_visible()
        assert not page.locator("textarea").is_visible()
        page.goto(f"{airflow.url}/cj/cases")
        assert page.get_by_text("trigger the DAG cj_case with act requested").is_visible()
        assert not page.get_by_role("button", name="Write it").is_visible()
        page.goto(f"{airflow.url}/cj/held?reason=locked")
        assert page.locator("a.order").all_inner_texts() == ["Q-1"]
    finally:
        context.close()
