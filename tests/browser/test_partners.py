"""A partner's pages in a real browser: what an analyst sends the partner, on a telephone and a laptop, in light and dark."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from tests.web.partner_tables import ASPIRE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(3000)]

HERE = f"/partners/{ASPIRE}"
PATHS = [
    "/partners",
    HERE,
    f"{HERE}/differences",
    f"{HERE}/differences?order=nobody",
    f"{HERE}/to-send",
    f"{HERE}/units/order:P-1",
    "/partners/1",
]


def test_from_the_bar_to_the_file_for_the_partner_and_the_story_of_its_order(sit_down: Any, tmp_path: Path) -> None:
    desk = sit_down("vera")
    frame = desk.open()
    frame.get_by_role("link", name="Partners", exact=True).click()
    frame.get_by_role("link", name="Aspire").click()
    frame.get_by_role("heading", name="What CJ owes, by the month it locks in").wait_for()
    assert "6.00 USD" in frame.locator("tfoot").inner_text()
    frame.get_by_role("link", name="To send (1)").click()
    desk.page.wait_for_url(re.compile("/to-send"))  # the page before has a CSV of one row too
    with desk.page.expect_download() as download:
        frame.get_by_role("link", name="CSV (1 row)").click()
    download.value.save_as(tmp_path / "to_send.csv")
    with (tmp_path / "to_send.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = list(csv.DictReader(file))
    shown = frame.locator("#list tbody td").all_inner_texts()
    assert (row["order_id"], row["old_payout"], row["new_payout"]) == ("P-1", "8.00", "6.00")
    assert shown[5:8] == ["8.00 USD", "6.00 USD", "-2.00 USD"]
    frame.get_by_role("link", name="P-1").click()
    frame.get_by_role("link", name="The order's story").click()
    frame.get_by_role("heading", name="What its partner saw").wait_for()
    assert "Aspire saw a sale" in frame.locator(".story").inner_text()
    assert desk.complaints == []


def test_filtering_the_differences_swaps_the_list_and_moves_the_address(sit_down: Any) -> None:
    desk = sit_down("vera")
    frame = desk.open(f"/plugin/cj/cj{HERE}/differences")
    search = frame.locator(".filters input[name=order]")
    search.click()
    search.press_sequentially("tx-")
    desk.page.wait_for_url(re.compile(r"/differences\?.*order=tx-"))
    assert frame.locator("*:focus").get_attribute("name") == "order"
    assert frame.locator("a.order").all_inner_texts() == ["P-1"]
    frame.locator("select[name=verdict]").select_option("only_at_cj")
    frame.get_by_text("No difference is like that").wait_for()
    assert desk.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_partners_page_fits_every_width_and_keeps_nobody_from_reading_it(sit_down: Any, theme: str) -> None:
    axe_core = pytest.importorskip("axe_playwright_python")
    axe = (Path(axe_core.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    desk = sit_down("vera", width=390, theme=theme)
    found = []
    for path in PATHS:
        page = desk.at(path)
        for width in (390, 320, 936, 1208):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
        page.evaluate(axe)
        told = page.evaluate(
            "async () => (await axe.run(document)).violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html).slice(0, 3)])"
        )
        found += [(path, *one) for one in told if one[0] in ("serious", "critical")]
    assert found == []
    assert desk.complaints == []
