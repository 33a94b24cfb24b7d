"""What the pages list is what is in the tables: each row once, the totals of all of them, and the same in the CSV and the JSON. On every warehouse."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from include.restatements.acknowledge import acknowledge
from include.restatements.journal.journal import Journal
from include.storage.local import LocalFolder
from include.warehouse.base import WarehouseLocation, open_for_reading, open_warehouse
from include.web import overview
from include.web.asked import Asked
from tests.web.ground import CHECKED, RUN, SENT, Served, filled, many_breaks, served


@pytest.fixture
def pages(location: WarehouseLocation) -> Iterator[Served]:
    filled(location)
    with served(location) as app:
        yield app


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_overview_shows_the_reports_figures_and_how_the_account_stands(pages: Served) -> None:
    page, told = pages.page("/"), pages.json("/overview")
    assert told["balance"] == {
        "sent": 10, "matched": 3, "waiting": 2, "breaks": 3, "superseded": 1, "unchecked": 1, "difference": 0,
    }  # fmt: skip
    # What is open of nights before the last thirty is counted too.
    assert told["breaks"] == 4
    assert [tile["figure"] for tile in told["tiles"]][:3] == ["1,016.05 USD", "1.61 USD", "4"]
    assert [(a["conn_id"], a["mode"], a["reached"]) for a in told["accounts"]] == [("cj", "live", True)]
    assert "Sent 10 <i>=</i> matched 3" in page and "difference 0" in page
    assert len(told["nights"]) == 30
    assert told["nights"][-1]["orders"]["missing"] == 2


def test_the_overview_says_what_became_of_the_last_night_and_where_none_has_come_since(location: WarehouseLocation) -> None:
    filled(location)
    with open_for_reading(location, 300) as session:
        soon, late = (overview.look(session, Asked(now=SENT + timedelta(hours=hours))) for hours in (25, 27))
    assert soon.night is not None and soon.night.run_id == RUN
    assert [soon.night.total(counts) for counts in (soon.night.sent, soon.night.held)] == [11, 5]
    assert (soon.night.with_word("matched"), soon.night.with_word("awaiting", "late"), soon.night.with_word("missing", "mismatched")) == (
        3,
        2,
        3,
    )
    said = "No night has been planned since 2026-11-20 02:00 UTC: see in Airflow whether cj_restatements failed, waits or is paused."
    assert said in late.notes and said not in soon.notes
    with served(location) as pages:
        page = pages.page("/")
    assert f'Last run: <a href="./runs/{RUN}">' in page and "sent <b>11</b>" in page and "breaks <b>3</b>" in page


def test_a_break_shows_what_was_sent_what_cj_shows_why_and_what_to_do(pages: Served) -> None:
    told = pages.json("/breaks")
    assert [row["order_id"] for row in told["rows"]] == ["OLD-1", "B-2", "B-3", "B-1"]
    row = told["rows"][-1]
    assert (row["submitted"], row["posted"], row["difference"]) == (
        {"amount": "80.00", "currency": "USD"}, {"amount": "100.00", "currency": "USD"}, {"amount": "20.00", "currency": "USD"},
    )  # fmt: skip
    assert (row["at_risk"]["amount"], row["publisher"], row["publisher_id"]) == ("1.605", "The Gift Edit", "7")
    page = pages.page("/breaks")
    assert row["meaning"] in page and row["action"] in page


@pytest.mark.parametrize(
    ("filters", "orders"),
    [
        ({"status": "mismatched"}, ["B-1"]),
        ({"reason": "locked"}, ["B-2"]),
        ({"order": "b-"}, ["B-2", "B-3", "B-1"]),
        ({"partner": "the gift edit"}, ["B-1"]),
        ({"partner": "7"}, ["B-1"]),
        ({"account": "5500002"}, []),
        ({"run": RUN}, ["B-2", "B-3", "B-1"]),
        ({"from": f"{CHECKED:%Y-%m-%d}"}, ["B-2", "B-3", "B-1"]),
        ({"to": "2026-11-01"}, ["OLD-1"]),
        ({"noted": "yes"}, []),
        ({"noted": "no", "sort": "lock"}, ["B-2", "B-1", "OLD-1", "B-3"]),
        ({"status": "matched", "reason": "nonsense", "from": "yesterday", "after": "?", "limit": "-1"}, ["OLD-1", "B-2", "B-3", "B-1"]),
    ],
)
def test_filters_narrow_the_list_its_totals_its_page_and_its_csv_alike(pages: Served, filters: dict[str, str], orders: list[str]) -> None:
    told = pages.json("/breaks", **filters)
    assert [row["order_id"] for row in told["rows"]] == orders
    assert told["totals"]["orders"] == len(orders)
    priced = [Decimal(row["at_risk"]["amount"]) for row in told["rows"] if row["at_risk"]]
    assert sum((Decimal(m["amount"]) for m in told["totals"]["at_risk"]), Decimal(0)) == sum(priced, Decimal(0))
    filed = csv_rows(pages.get("/breaks.csv", **filters).text)
    assert [row["order_id"] for row in filed] == orders
    page = pages.page("/breaks", **filters)
    assert re.findall(r'class="order" href="[^"]*">([^<]*)<', page) == orders
    assert (f"CSV ({len(orders)} row" in page) is bool(orders)


@pytest.mark.parametrize("sort", ["risk", "lock"])
def test_walking_a_long_list_shows_each_break_once_and_in_order(location: WarehouseLocation, sort: str) -> None:
    many_breaks(location, 61)
    with served(location) as pages:
        whole = [row["order_id"] for row in pages.json("/breaks", sort=sort, which="all", limit="500")["rows"]]
        walked, after = [], ""
        while True:
            part = pages.json("/breaks", sort=sort, which="all", limit="7", **({"after": after} if after else {}))
            walked += [row["order_id"] for row in part["rows"]]
            if part["next"] is None:
                break
            after = part["next"]
        filed = [row["order_id"] for row in csv_rows(pages.get("/breaks.csv", sort=sort, which="all").text)]
    assert len(set(whole)) == 61
    assert walked == whole == filed


def test_held_back_is_by_rule_with_what_cj_holds_and_the_orders(pages: Served) -> None:
    told = pages.json("/held")
    assert told["orders"] == 5
    assert [(g["stage"], g["reason"], g["orders"]) for g in told["groups"]] == [
        ("eligibility", "locked", 1), ("validation", "order_id_missing", 2), ("test_mode", "refused", 1), ("validation", "items_do_not_add_up", 1),
    ]  # fmt: skip
    assert told["groups"][0]["cost"] == [{"amount": "5.25", "currency": "USD"}]
    walked, after = [], ""
    while True:
        part = pages.json("/held", limit="1", **({"after": after} if after else {}))
        walked += [(row["order_id"], row["reason"]) for row in part["rows"]]
        if part["next"] is None or len(walked) > 6:
            break
        after = part["next"]
    # Two rows without an id, of one moment, cannot be told apart: a page that ends between them passes the other over.
    assert set(walked) == {(row["order_id"], row["reason"]) for row in told["rows"]}
    filed = csv_rows(pages.get("/held.csv").text)
    assert [row["order_id"] for row in filed] == [row["order_id"] or "" for row in told["rows"]]
    assert "a@b.example" not in pages.page("/held") + pages.get("/held.csv").text


def test_a_night_is_shown_from_its_plan_to_its_verdicts(pages: Served) -> None:
    told = pages.json("/runs")
    assert [run["run_id"] for run in told["runs"]] == [RUN, "night-2026-11-18", "night-2026-10-01"]
    newest = told["runs"][0]
    assert {one["word"]: one["orders"] for one in newest["verdicts"]} == {
        "matched": 3, "missing": 2, "awaiting": 1, "late": 1, "mismatched": 1, "superseded": 1,
    }  # fmt: skip
    assert {one["word"]: one["orders"] for one in newest["sent"]} == {"accepted": 9, "unknown": 1, "rejected": 1}
    one = pages.json(f"/runs/{RUN}")
    assert sum(chunk["orders"] for chunk in one["chunks"] if chunk["mode"] == "live") == 11
    assert "[hidden]" in pages.page(f"/runs/{RUN}") and "a@b.example" not in pages.page(f"/runs/{RUN}")
    assert pages.json("/runs/recon-1")["reconciliation"]["run_id"] == "recon-1"
    assert pages.get("/runs/nobody").status_code == pages.get("/api/v1/runs/nobody").status_code == 404


def test_an_orders_story_is_told_in_the_order_in_which_it_happened(pages: Served) -> None:
    told = pages.json("/orders/1500001/401/B-1")
    assert [event["kind"] for event in told["events"]] == ["state", "sent", "record", "verdict"]
    assert [event["running"] for event in told["events"] if event["kind"] == "record"] == [{"amount": "100.00", "currency": "USD"}]
    assert told["held_commission"] == {"amount": "10.00", "currency": "USD"}
    found = pages.get("/orders", id="B-1")
    assert (found.status_code, found.headers["location"]) == (303, "./orders/1500001/401/B-1")
    assert pages.get("/orders/1500001/401/B-9").status_code == 404
    assert "No order has the id B-9" in pages.page("/orders", id="B-9")


def test_an_acknowledgement_is_shown_and_hides_nothing_and_lapses_with_its_verdict(location: WarehouseLocation, tmp_path: Path) -> None:
    filled(location)
    journal = Journal(LocalFolder(tmp_path))

    def again() -> None:
        with open_warehouse(location) as session:
            session.leave_snapshot()

    with served(location) as pages:
        before = pages.json("/breaks")
        (row,) = [row for row in before["rows"] if row["order_id"] == "B-1"]
        acknowledge(journal, location, row["name"], "Asked a@b.example about it.", "Ana", "run-1")
        again()
        after = pages.json("/breaks")
        assert after["totals"] == before["totals"]
        (noted,) = [row["noted"] for row in after["rows"] if row["noted"]]
        assert (noted["note"], noted["by"]) == ("Asked [hidden] about it.", "Ana")
        assert [r["order_id"] for r in pages.json("/breaks", noted="yes")["rows"]] == ["B-1"]
        assert "Asked [hidden] about it." in pages.page("/orders/1500001/401/B-1")
        for change in ("commission_at_risk = 9", "locking_date = NULL", "reason = 'discount'"):
            with open_warehouse(location) as session:
                session.execute(f"UPDATE cj.reconciliation SET {change} WHERE order_id = 'B-1'")
                session.leave_snapshot()
            assert pages.json("/breaks", noted="yes")["rows"] == [], change
        (story,) = [e for e in pages.json("/orders/1500001/401/B-1")["events"] if e["kind"] == "note"]
        assert story["word"] == "lapsed"


def test_before_the_first_night_every_page_says_that_there_is_nothing_yet(location: WarehouseLocation) -> None:
    filled(location, empty=True)
    with served(location) as pages:
        assert "Nothing has been reconciled yet" in pages.page("/")
        assert "No break is open" in pages.page("/breaks")
        assert "Nothing is held back" in pages.page("/held")
        assert "No night has been planned yet" in pages.page("/runs")
        assert csv_rows(pages.get("/breaks.csv").text) == []
