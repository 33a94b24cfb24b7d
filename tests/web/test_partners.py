"""A partner's pages say what is in its tables: the month of two partners, played and looked at, on every warehouse."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.demo.partner_month import ASPIRE, NORDLICHT, Month, tell
from include.demo.partners import play
from include.domain.partners import PartnerVerdict
from include.partners.views import AT_REST
from include.warehouse.base import WarehouseLocation, open_warehouse
from include.web.partner_lists import VERDICTS
from tests.web.ground import Served, append, filled, served
from tests.web.partner_tables import saw_a_sale


@pytest.fixture(scope="module")
def month() -> Month:
    return tell()


@pytest.fixture
def played(location: WarehouseLocation, tmp_path: Path) -> WarehouseLocation:
    play(location, tmp_path / "month")
    return location


@pytest.fixture
def pages(played: WarehouseLocation) -> Iterator[Served]:
    with served(played) as app:
        yield app


def filed(pages: Served, path: str, **filters: str) -> list[dict[str, str]]:
    answer = pages.get(path, **filters)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def one_sum(amounts: list[dict[str, str]]) -> Decimal:
    (amount,) = amounts
    assert amount["currency"] == "USD"
    return Decimal(amount["amount"])


def restated(month: Month, publisher: str) -> set[str]:
    return {name for name, (_, rule) in month.planted[publisher].items() if rule == "restated_since" and not name.startswith("2026-")}


def test_each_partner_is_a_line_and_its_statement_adds_up_to_the_cent(pages: Served, month: Month) -> None:
    lines = pages.json("/partners")["partners"]
    assert [(line["head"]["partner"], line["reconciled_by"]) for line in lines] == [("Aspire", "order"), ("Nordlicht", "month")]
    stated = filed(pages, "/partners.csv")
    for line in lines:
        publisher = line["head"]["publisher_id"]
        told = pages.json(f"/partners/{publisher}")
        records = [r for r in month.records if r["publisher_id"] == publisher and not r.get("gone_reading")]
        earned = sum((r["pub_commission_amount_usd"] or Decimal(0) for r in records), Decimal(0))
        assert sum(row["records"] for row in told["lines"]) == line["records"] == len(records)
        assert one_sum(told["total"]) == one_sum(told["open"]) + one_sum(told["locked"]) + one_sum(told["payable"]) == earned
        assert sum(Decimal(row["total"]["amount"]) for row in told["lines"]) == earned
        mine = [row for row in stated if row["publisher_id"] == publisher]
        assert sum(Decimal(row["total"]) for row in mine) == earned
        assert mine == filed(pages, "/partners.csv", publisher=publisher)
        assert f"CSV ({len(mine)} rows)" in pages.page(f"/partners/{publisher}")
    page = pages.page(f"/partners/{ASPIRE}")
    assert "Whether it was paid is not visible to an advertiser" in page
    assert '2026-05-05</span> to <span class="sum">2026-05-08' in page
    assert "CJ pays affiliates on the 1st of the month" in page
    assert "Compared by month" in pages.page(f"/partners/{NORDLICHT}") and "Compared by month" not in page


def test_the_differences_are_what_was_planted_on_the_page_in_the_json_and_in_the_file(pages: Served, month: Month) -> None:
    for publisher in (ASPIRE, NORDLICHT):
        planted = {(name, str(verdict)) for name, (verdict, _) in month.planted[publisher].items() if verdict not in AT_REST}
        told = pages.json(f"/partners/{publisher}/differences", limit="500")
        # What names no order is named by what it came to.
        found = {
            (row["name"] if row["order_id"] or row["grain"] == "month" else f"row {row['partner_sale']['amount']}", row["verdict"])
            for row in told["rows"]
        }
        assert found - {("row 60.00", "ambiguous")} == planted
        assert (
            told["found"] == len(told["rows"]) == len(filed(pages, f"/partners/{publisher}/differences.csv")) == told["head"]["differences"]
        )
        assert all(row["meaning"] and row["action"] for row in told["rows"])
        assert sum(group["found"] for group in told["groups"]) == told["found"]
    page = pages.page(f"/partners/{ASPIRE}/differences")
    (row,) = [one for one in pages.json(f"/partners/{ASPIRE}/differences")["rows"] if one["name"] == "R-twice"]
    assert (row["before_sale"]["amount"], row["cj_sale"]["amount"], row["partner_rows"]) == ("70.00", "20.00", 2)
    assert "was 70.00 USD" in page and row["meaning"] in page and row["action"] in page and "CSV (20 rows)" in page


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"verdict": "payout_differs"}, ["X-other-payout"]),
        ({"order": "ONLY-partner"}, ["X-only-partner-2", "X-only-partner-17"]),
        ({"order": "tx-again"}, ["X-counted-twice"]),
        ({"order": "txR-f"}, ["R-file"]),
        ({"verdict": "restated_since", "money": "credit_expected"}, ["R-0"]),
        ({"joined": "suggested"}, []),
        ({"verdict": "agree", "order": "R-0", "after": "?", "limit": "0", "money": "paid"}, ["R-0"]),
    ],
)
def test_filters_narrow_the_list_its_totals_its_page_and_its_file_alike(pages: Served, filters: dict[str, str], names: list[str]) -> None:
    here = f"/partners/{ASPIRE}/differences"
    told = pages.json(here, **filters)
    assert [row["name"] for row in told["rows"]] == names
    assert told["found"] == len(names)
    assert [row["order_id"] for row in filed(pages, f"{here}.csv", **filters)] == names
    page = pages.page(here, **filters)
    assert re.findall(r'class="order" href="[^"]*">([^<]*)<', page) == names
    assert ("No difference is like that" in page) is not bool(names)


def walked(pages: Served, path: str, key: str, **filters: str) -> list[Any]:
    seen, after = [], ""
    while True:
        part = pages.json(path, limit="3", **filters, **({"after": after} if after else {}))
        seen += [row[key] for row in part["rows"]]
        if part["next"] is None:
            return seen
        after = part["next"]


def test_walking_shows_each_difference_once_also_where_two_cannot_be_told_apart(pages: Served) -> None:
    for publisher in (ASPIRE, NORDLICHT):
        here = f"/partners/{publisher}/differences"
        whole = [(row["unit"], row["advertiser_id"]) for row in pages.json(here, limit="500")["rows"]]
        assert walked(pages, here, "unit") == [unit for unit, _ in whole]
        assert len([unit for unit, _ in whole if unit == "order:Z-two-trackers"]) == (3 if publisher == ASPIRE else 0)
    sent = pages.json(f"/partners/{ASPIRE}/to-send", limit="500")["rows"]
    assert walked(pages, f"/partners/{ASPIRE}/to-send", "order_id") == [row["order_id"] for row in sent]


def test_what_to_send_has_the_old_and_the_new_figures_the_reason_and_its_count_on_the_button(pages: Served, month: Month) -> None:
    here = f"/partners/{ASPIRE}/to-send"
    told, rows = pages.json(here), filed(pages, f"{here}.csv")
    assert {row["order_id"] for row in rows} == {row["order_id"] for row in told["rows"]} == restated(month, ASPIRE)
    assert f"CSV ({len(rows)} rows)" in pages.page(here)
    (twice,) = [row for row in rows if row["order_id"] == "R-twice"]
    assert [twice[name] for name in ("old_sale_amount", "new_sale_amount", "old_payout", "new_payout", "change_of_payout", "reason")] == [
        "70.00", "20.00", "7.00", "2.00", "-5.00", "RETURNED_MERCHANDISE",
    ]  # fmt: skip
    change = sum(Decimal(row["change_of_payout"]) for row in rows)
    assert one_sum(told["new_payout"]) - one_sum(told["old_payout"]) == change
    # Of a partner without ids an order is only suggested, and said to be.
    assert "suggested</span>: look twice" in pages.page(f"/partners/{NORDLICHT}/to-send")


def test_one_order_shows_the_rows_behind_both_figures_and_its_story_what_the_partner_saw(pages: Served) -> None:
    told = pages.json(f"/partners/{ASPIRE}/units/order:R-twice")
    assert [(row["sale"]["amount"], row["order_id"]) for row in told["seen"]] == [("80.00", "R-twice"), ("-10.00", None)]
    assert [row["payout"]["amount"] for row in told["held"]] == ["8.00", "-8.00", "7.00", "-7.00", "2.00"]
    story = pages.json("/orders/-/401/R-twice")
    assert [event["title"] for event in story["events"] if event["kind"] == "partner"] == ["Aspire saw a sale", "Aspire saw a correction"]
    assert [row["verdict"] for row in story["partners"]] == ["restated_since"]
    page = pages.page("/orders/-/401/R-twice")
    assert "What its partner saw" in page and "was 70.00 USD" in page
    assert [row["verdict"] for row in pages.json("/orders/-/402/Z-two-trackers")["partners"]] == ["ambiguous", "ambiguous"]
    assert len(pages.json(f"/partners/{ASPIRE}/units/order:Z-two-trackers")["verdicts"]) == 3
    assert "its rows are in" in pages.page(f"/partners/{NORDLICHT}/units/month:2026-03")
    assert pages.get(f"/partners/{ASPIRE}/units/order:nobody").status_code == 404


def test_a_partner_that_nobody_knows_is_told_of_at_every_address(pages: Served) -> None:
    for path in ("", "/differences", "/to-send", "/differences.csv", "/to-send.csv", "/units/order:R-0"):
        assert pages.get(f"/partners/1{path}").status_code == 404, path
    assert "No partner 1 has been compared" in pages.get("/partners/1").text
    assert pages.get("/api/v1/partners/1/differences").status_code == 404


def test_a_partner_whose_sales_cj_does_not_know_at_all_is_shown_too(location: WarehouseLocation) -> None:
    filled(location, empty=True)
    with open_warehouse(location) as session:
        saw_a_sale(session)
        session.execute("DELETE FROM cj.partner_statements")
        load = {"load_number": 1, "publisher_id": "7108602", "source": "export.csv", "rows_read": 1, "appended": 1, "unreadable": 0}
        loaded_at = session.rows("SELECT loaded_at FROM cj.partner_log")[0]["loaded_at"]
        append(session, "cj.partner_loads", [load | {"loaded_at": loaded_at}])
        session.leave_snapshot()
    with served(location) as pages:
        assert [line["head"]["differences"] for line in pages.json("/partners")["partners"]] == [1]
        assert "CJ has no record of this publisher" in pages.page("/partners/7108602")


def test_before_any_partner_was_compared_the_page_says_how_one_is(location: WarehouseLocation) -> None:
    filled(location, empty=True)
    with served(location) as pages:
        assert "No partner has been compared yet" in pages.page("/partners")
        assert pages.json("/partners")["partners"] == [] == filed(pages, "/partners.csv")


def test_every_verdict_that_somebody_should_look_at_can_be_asked_for_and_has_a_mark() -> None:
    assert set(VERDICTS) == set(PartnerVerdict) - AT_REST
    parts = (Path(__file__).parents[2] / "include/web/templates/partner_parts.html.j2").read_text(encoding="utf-8")
    assert {word for word in PartnerVerdict if f'"{word}": "' in parts} == set(PartnerVerdict)
