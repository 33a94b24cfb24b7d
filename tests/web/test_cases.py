"""The pages of cases: what is ready with all that goes into CJ's form, what is due, and the files, which nobody gets who may not look."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx

from include.restatements.cases.pack import is_attachment
from include.warehouse.base import WarehouseLocation, open_warehouse
from include.warehouse.postgres_indexes import INDEXES
from tests.web.ground import CASE, DIGEST, append, case, filled, served

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


def many(location: WarehouseLocation) -> None:
    """Cases in every state, whose money is often the same, and sometimes not known."""
    with open_warehouse(location) as session:
        session.create_tables()
        states = ("ready", "filed", "answered", "closed", "settled")
        rows = [
            case(
                f"1500001-lost-restate-{n}", state=states[n % 5], at_risk=None if n % 7 == 0 else Decimal(n % 3), unpriced=n % 7 == 0, case_number=str(n),
                due_early=NOW + DAY, due_late=NOW + 3 * DAY, closes_at=NOW + 3 * DAY,
            )
            for n in range(1, 42)
        ]  # fmt: skip
        append(session, "cj.cases", [row | {"unpriced": int(row["unpriced"])} for row in rows])
        session.leave_snapshot()


def test_a_ready_case_has_all_that_goes_into_cjs_form_and_its_files(location: WarehouseLocation) -> None:
    filled(location)
    with served(location, attachment=lambda *named: repr(named).encode()) as pages:
        (row,) = pages.json("/cases")["rows"]
        assert (row["case_id"], row["state"], row["at_risk"], row["orders"]) == (CASE, "ready", {"amount": "5.25", "currency": "USD"}, 1)
        one = pages.json(f"/cases/{CASE}")
        assert one["description"] == "What we tried:\nTo restate B-2." and one["case_reason"] is None
        assert [(order["order_id"], order["status"]) for order in one["orders"]] == [("B-2", "missing")]
        page = pages.page(f"/cases/{CASE}")
        for told in (
            "Subject line",
            "Case reason",
            "Sub-reason",
            "Email address(es) to CC",
            "To restate B-2.",
            f"{CASE}@{DIGEST}",
            "CJ publishes no list",
        ):
            assert told in page
        for file in one["files"]:
            link = re.search(rf'href="([^"]*{file["name"]})" download', page)
            assert link and httpx.URL(f"{pages.url}/cases/{CASE}").join(link[1]).path.endswith(f"/cj/{file['path']}")
            answer = pages.get(f"/{file['path']}")
            assert answer.content == repr((CASE, DIGEST, file["name"])).encode()
            assert answer.headers["content-disposition"] == f'attachment; filename="{CASE}-{file["name"]}"'
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert pages.get("/cases/nobody").status_code == pages.get("/api/v1/cases/nobody").status_code == 404


def test_a_file_that_is_none_of_a_case_is_not_asked_for(tmp_path: Path) -> None:
    for named in (
        (CASE, DIGEST, "pack.json"), (CASE, DIGEST, "../0001.json"), ("..", DIGEST, "overview.pdf"), (CASE, "../../x", "overview.pdf"), (CASE, DIGEST, "orders-0.txt"),
        (f"{CASE}/x", DIGEST, "overview.pdf"), (CASE, DIGEST, "overview.pdf\n"), (CASE, f"{DIGEST}a", "overview.pdf"),
    ):  # fmt: skip
        assert not is_attachment(*named), named
    assert is_attachment(CASE, DIGEST, "overview.pdf") and is_attachment(CASE, DIGEST, "orders-12.txt")
    location = WarehouseLocation("duckdb", path=str(tmp_path / "w.duckdb"))
    filled(location)
    with served(location, attachment=lambda *_: None) as pages:
        assert pages.get(f"/attachments/{CASE}/{DIGEST}/overview.pdf").status_code == 404


def test_walking_a_long_list_shows_each_case_once_and_in_order(location: WarehouseLocation) -> None:
    many(location)
    with served(location) as pages:
        whole = pages.json("/cases", limit="500")["rows"]
        walked, after = [], ""
        while True:
            part = pages.json("/cases", limit="6", **({"after": after} if after else {}))
            walked += [row["case_id"] for row in part["rows"]]
            if part["next"] is None:
                break
            after = part["next"]
        assert walked == [row["case_id"] for row in whole] and len(set(walked)) == 41
        filed = list(csv.DictReader(io.StringIO(pages.get("/cases.csv").text.removeprefix("\ufeff"))))
        assert [row["case_id"] for row in filed] == walked
        states = [row["state"] for row in whole]
        assert states == sorted(states, key=["answered", "ready", "filed", "closed", "settled"].index)
        told = pages.json("/cases", state="filed")
        assert {row["state"] for row in told["rows"]} == {"filed"} and told["total"] == len(told["rows"])
        assert {one["state"]: one["cases"] for one in told["counts"]} == {"ready": 8, "filed": 9, "answered": 8, "closed": 8, "settled": 8}
        assert pages.json("/cases", state="nonsense", enterprise="1500002", after="?")["rows"] == []


def test_what_is_due_is_shown_by_the_early_reading_and_loud_by_the_late_one(tmp_path: Path) -> None:
    location = WarehouseLocation("duckdb", path=str(tmp_path / "w.duckdb"))
    filled(location, empty=True)
    filed = {"state": "filed", "asked_at": NOW - 9 * DAY, "due_usual": NOW - 5 * DAY}
    with open_warehouse(location) as session:
        for row in (
            case("a", case_number="1", **filed, due_early=NOW + DAY, due_late=NOW + 4 * DAY),
            case("b", case_number="2", **filed, due_early=NOW - DAY, due_late=NOW + 4 * DAY),
            case("c", case_number="3", **filed, due_early=NOW - 4 * DAY, due_late=NOW - DAY),
            case("d", case_number="4", state="answered", closes_at=NOW + DAY / 2),
            case("e", case_number="5", state="answered", closes_at=NOW + 2 * DAY),
        ):
            append(session, "cj.cases", [row])
        append(session, "cj.cases", [case("f", case_number="6", **filed, due_early=NOW - DAY)])
        append(
            session,
            "cj.case_events",
            [{"case_id": "c", "event": 1, "act": "filed", "happened_at": NOW, "said_by": "Ana", "case_number": "3", "note": "<b>x"}],
        )
        session.leave_snapshot()
    with served(location) as pages:
        assert {row["case_id"]: row["due"] for row in pages.json("/cases")["rows"]} == {
            "a": "",
            "b": "due",
            "c": "late",
            "d": "closing",
            "e": "",
            "f": "late",
        }
        late = pages.page("/cases/c")
        assert "It is late: call, or ask in My Cases." in late and "said Ana" in late and "&lt;b&gt;x" in late
        assert f"{NOW - 4 * DAY:%Y-%m-%d %H:%M} UTC" in late and f"{NOW - DAY:%Y-%m-%d %H:%M} UTC" in late
        assert "the other reading needs the hours of CJ's desk" in pages.page("/cases/f")
        assert "It is due: look into My Cases." in pages.page("/cases/b")
        assert "then it closes by itself" in pages.page("/cases/d")


def test_on_postgresql_a_part_of_the_list_is_found_by_an_index(postgres_database: str) -> None:
    from include.sql import filled as sql

    location = WarehouseLocation("postgres", uri=postgres_database)
    with open_warehouse(location) as session:
        session.create_tables()
        append(session, "cj.cases", [case(f"c-{n}", state="settled" if n % 50 else "ready", at_risk=Decimal(n % 97)) for n in range(8000)])
        session.execute("ANALYZE cj.cases")
        first = session.rows(f"EXPLAIN {sql('page_cases', asked=frozenset({'rows'}))}", {"rows": 51})
        later = session.rows(
            f"EXPLAIN {sql('page_cases', asked=frozenset({'rows', 'after'}))}",
            {"rows": 51, "after_place": 4, "after_dearest": Decimal(-9), "after_case": "c-7"},
        )
    for plan in (first, later):
        assert "cases_page" in "\n".join(str(row["QUERY PLAN"]) for row in plan)
    assert any("cases_page" in index for index in INDEXES)
