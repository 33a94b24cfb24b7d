"""Nobody sees anything who may not: every address there is, and those that lead nowhere, ask first. Nothing is changed by a page, and nothing runs on one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest

from include.warehouse.base import WarehouseLocation, open_warehouse
from include.web.assets import names
from tests.warehouses import EMPTY
from tests.web.ground import CASE, DIGEST, MAY, PREFIX, RUN, Served, append, filled, served, tables
from tests.web.partner_tables import ASPIRE, UNIT, saw_a_sale

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{ 7*7 }}"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.fixture
def pages(request: pytest.FixtureRequest) -> Iterator[Served]:
    location = EMPTY["duckdb"](request)
    filled(location)
    with served(location) as app:
        yield app


def addresses(pages: Served) -> list[str]:
    """Every route of the app, with something in the place of its names; the files; and what is nowhere."""
    given = {
        "enterprise": "1500001",
        "tracker": "401",
        "order:path": "B-1",
        "order": "B-1",
        "run:path": RUN,
        "run": RUN,
        "name": "cj.css",
        "publisher": ASPIRE,
        "unit:path": UNIT,
        "unit": UNIT,
        "case": CASE,
        "digest": DIGEST,
        "file": "overview.pdf",
    }
    found = [route.path for route in pages.app.app.routes]
    assert {"/", "/breaks", "/breaks.csv", "/partners/{publisher}/to-send.csv", "/api/v1/openapi.json", "/static/{name}"} <= set(found)
    found = [path.replace("/prelock/files/{file}", "/prelock/files/pack.pdf") for path in found]
    paths = [re.sub(r"{([^}]*)}", lambda name: given.get(name[1], "nowhere/at/all"), path) for path in found]
    return [*paths, *(f"/static/{name}" for name in sorted(names())), "/static/SOURCES.md", "/docs", "/redoc", "/openapi.json"]


def test_anonymous_and_a_lower_role_are_refused_at_every_address_and_told_nothing(pages: Served) -> None:
    for path in addresses(pages):
        for method in METHODS:
            for headers, status in (({}, 401), ({"X-Who": "somebody"}, 403)):
                evidence = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
                answer = httpx.request(method, f"{pages.url}{path}", headers=headers | evidence, timeout=300)
                assert answer.status_code == status, (method, path)
                assert not re.search("B-1|P-1|Gift Edit|5500001|/tmp|duckdb", answer.text), path


def test_whoever_may_look_gets_an_answer_at_every_address(pages: Served) -> None:
    for path in addresses(pages):
        expected = 404 if "nowhere" in path or path in ("/static/SOURCES.md", "/docs", "/redoc", "/openapi.json") else 200
        answer = pages.get(path)
        assert answer.status_code == expected, path
        head = httpx.head(f"{pages.url}{path}", headers=MAY, timeout=300)
        assert (head.status_code, head.content, head.headers["content-type"]) == (expected, b"", answer.headers["content-type"]), path


def test_nothing_but_reading_is_taken_without_evidence_that_this_site_sent_it(pages: Served) -> None:
    host = httpx.URL(pages.url).netloc.decode()
    good = {**MAY, "Sec-Fetch-Site": "same-origin", "Origin": f"http://{host}", "Content-Type": "application/json"}
    bad = [
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}, {"Origin": "https://evil.example"}, {"Origin": "null"},
        {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "multipart/form-data; boundary=x"},
    ]  # fmt: skip
    for path in ("/", "/breaks", "/api/v1/breaks", "/nowhere"):
        for change in bad:
            answer = httpx.post(f"{pages.url}{path}", headers=good | change, content=b"{}", timeout=300)
            assert answer.status_code == 403, (path, change)
        without = {name: value for name, value in good.items() if name not in ("Sec-Fetch-Site", "Origin")}
        assert httpx.post(f"{pages.url}{path}", headers=without, content=b"{}", timeout=300).status_code == 403
        # There is nothing to change either.
        assert httpx.post(f"{pages.url}{path}", headers=good, content=b"{}", timeout=300).status_code == 405


def test_every_answer_carries_the_strict_policy(pages: Served) -> None:
    for path, headers in (("/", MAY), ("/nowhere", MAY), ("/", {}), ("/static/cj.js", MAY), ("/breaks.csv", MAY)):
        answer = pages.get(path, headers)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';") and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert pages.get("/").headers["cache-control"] == "no-store"


def test_data_docs_are_shown_as_another_sites(pages: Served) -> None:
    answer = pages.get(f"/data-docs/{RUN}")
    assert answer.status_code == 200 and "<h1>Rules</h1>" in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox;") and "script-src" not in policy and "default-src 'none'" in policy and "allow" not in policy
    assert pages.get("/data-docs/none").status_code == 404


def test_a_person_without_a_login_gets_a_small_page_with_the_link_to_it(pages: Served) -> None:
    answer = pages.get("/runs/a/b", {})
    assert answer.headers["content-type"].startswith("text/html")
    login = "../" * 3 + "auth/login"
    assert f'href="{login}"' in answer.text
    assert httpx.URL(f"{pages.url}/runs/a/b").join(login).path == PREFIX.removesuffix("/cj") + "/auth/login"
    assert pages.get("/api/v1/breaks", {}).json() == {"detail": "Not authenticated"}


class Seen(HTMLParser):
    """The tags, attributes and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "script" and not dict(attrs).get("src") and dict(attrs).get("type") != "application/json":
            self.inline.append(tag)


def test_markup_in_ids_notes_names_and_cjs_words_stays_text(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        row = tables.verdict(HOSTILE, "missing", "1.00", reason=HOSTILE, currency=HOSTILE, operation=HOSTILE)
        append(session, "cj.reconciliation", [{**row, "run_id": HOSTILE}])
        append(session, "cj.submissions", [tables.submission(HOSTILE, run=HOSTILE, error_message=HOSTILE, submission_id=HOSTILE)])
        append(session, "cj.quarantine", [tables.held(HOSTILE, "validation", HOSTILE, HOSTILE, run=HOSTILE)])
        append(session, "cj.skipped", [{**tables.skipped(HOSTILE, HOSTILE), "run_id": HOSTILE}])
        append(session, "cj.plans", [{**tables.plan(1, HOSTILE), "figures": HOSTILE}])
        append(session, "cj.commissions", [tables.commission("1", HOSTILE, "1", "1") | {"publisher_name": HOSTILE, "coupon": HOSTILE}])
        note = {
            name: row[name]
            for name in (
                "enterprise_id",
                "action_tracker_id",
                "order_id",
                "updated_at",
                "advertiser_id",
                "status",
                "reason",
                "submitted_amount",
            )
        }
        told = {"note": HOSTILE, "acknowledged_by": HOSTILE, "run_id": HOSTILE, "acknowledged_at": tables.CHECKED}
        append(session, "cj.acknowledgements", [note | told])
        saw_a_sale(session, HOSTILE)
        append(session, "cj.account_states", [{
            "change": 1, "conn_id": HOSTILE, "enterprise_id": HOSTILE, "advertiser_id": "5500001", "currency": HOSTILE, "mode": HOSTILE, "reached": False, "said": HOSTILE,
            "seen_at": tables.CHECKED,
        }])  # fmt: skip
        session.leave_snapshot()
    with served(location) as pages:
        quoted = httpx.QueryParams({"x": HOSTILE})
        hostile = str(quoted)[2:].replace("+", "%20")
        order = f"/orders/1500001/401/{hostile}"
        for path in (
            "/",
            "/breaks?which=all",
            f"/breaks?order={str(quoted)[2:]}&which=all",
            "/held",
            "/runs",
            f"/orders?id={str(quoted)[2:]}",
            order,
            f"/runs/{order.split('401/')[1]}",
            "/partners",
            *(
                f"/partners/{ASPIRE}{rest}"
                for rest in ("", "/differences", f"/differences?order={str(quoted)[2:]}", "/to-send", f"/units/order%3A{hostile}")
            ),
        ):
            answer = httpx.get(f"{pages.url}{path}", headers=MAY, follow_redirects=True, timeout=300)
            assert answer.status_code == 200, path
            seen = Seen(answer.text)
            assert not {"img", "iframe", "object", "style"} & set(seen.tags), path
            assert seen.inline == [], path
            assert [name for name, _ in seen.attributes if name.startswith("on") or name == "style"] == [], path
            assert "49" not in re.sub(r"\d{4}-|:\d\d", "", "".join(re.findall(r"alert\(2\)&gt;.{0,30}", answer.text))), path
        assert "alert(1)" in pages.page("/breaks", which="all")


def test_a_link_holds_wherever_the_pages_are_mounted(pages: Served) -> None:
    of_partners = (f"/partners/{ASPIRE}{rest}" for rest in ("", "/differences", "/to-send", f"/units/{UNIT}"))
    for path in ("/", "/breaks", "/orders/1500001/401/B-1", f"/runs/{RUN}", "/partners", *of_partners):
        base = httpx.URL(f"{pages.url}{path}")
        for name, value in Seen(pages.page(path)).attributes:
            if name in ("href", "src", "action") and value and not value.startswith(("#", "data:")):
                assert not value.startswith("/"), (path, value)
                there = base.join(value)
                assert there.path.startswith(PREFIX.removesuffix("cj")), (path, value)
                if there.path.startswith(f"{PREFIX}/"):
                    assert httpx.get(there, headers=MAY, timeout=300, follow_redirects=True).status_code == 200, (path, value)
