"""Airflow itself stands before every address of the pages: whoever is nobody, or may not see the DAG, is refused at all of them and told nothing."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from include.web.app import create_app
from include.web.assets import names
from include.web.reading import Warehouse
from tests.browser.conftest import Airflow
from tests.web.ground import RUN

pytestmark = [pytest.mark.browser, pytest.mark.timeout(3000)]

NAMES = {
    "enterprise": "1500001",
    "tracker": "401",
    "order:path": "B-1",
    "run:path": RUN,
    "name": "cj.css",
    "nowhere:path": "nowhere/at/all",
}


def addresses() -> list[str]:
    """Every route of the app as it is mounted, the files that are shipped, and what FastAPI would open by itself."""

    def never() -> Any:
        raise AssertionError("nothing is read here")

    routes = [route.path for route in create_app(lambda: None, Warehouse(never)).app.routes]
    paths = {re.sub(r"{([^}]*)}", lambda name: NAMES.get(name[1], "any/at/all"), path) for path in routes}
    return sorted(paths | {f"/static/{name}" for name in names()} | {"/docs", "/redoc", "/openapi.json", "/static/", "/static/../app.py"})


def get(airflow: Airflow, path: str, user: str | None, method: str = "GET", **headers: str) -> httpx.Response:
    cookie = {} if user is None else {"Cookie": f"_token={airflow.token(user)}"}
    return httpx.request(method, f"{airflow.url}/cj{path}", headers=cookie | headers, timeout=120)


def test_nobody_and_a_lower_role_are_refused_at_every_address_and_told_nothing(airflow: Airflow) -> None:
    token = airflow.token("paul")
    for path in addresses():
        for headers, status in (
            ({}, 401), ({"Cookie": f"_token={token}"}, 403), ({"Authorization": f"Bearer {token}"}, 403), ({"Authorization": "Bearer nonsense"}, 403),
        ):  # fmt: skip
            answer = httpx.get(f"{airflow.url}/cj{path}", headers=headers, timeout=120)
            assert answer.status_code == status, (path, status)
            assert not re.search("B-1|Gift Edit|5500001|duckdb", answer.text), path
    assert len(addresses()) > 20


def test_who_may_look_is_let_in_by_cookie_and_by_token_and_anybody_else_is_shown_the_login(airflow: Airflow) -> None:
    assert get(airflow, "/api/v1/overview", "vera").json()["breaks"] == 4
    token = {"Authorization": f"Bearer {airflow.token('vera')}"}
    assert httpx.get(f"{airflow.url}/cj/api/v1/breaks", headers=token, timeout=120).json()["totals"]["orders"] == 4
    assert 'href="./../auth/login"' in get(airflow, "/runs", None).text
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert get(airflow, path, "ada").status_code == 404


def test_the_login_link_leads_to_airflows_login_and_the_page_can_then_be_seen(airflow: Airflow, chromium: Any) -> None:
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.goto(f"{airflow.url}/cj/orders/1500001/401/B-1")
        page.get_by_role("link", name="Log in").click()
        page.locator("input[name=username]").fill("vera")
        page.locator("input[name=password]").fill("vera")
        page.locator("button[type=submit]").click()
        page.wait_for_url(lambda url: "/auth/login" not in url)
        page.goto(f"{airflow.url}/cj/orders/1500001/401/B-1")
        page.get_by_role("heading", name="Order B-1").wait_for()
    finally:
        context.close()


def test_a_form_of_another_site_changes_nothing_though_the_browser_sends_the_cookie(airflow: Airflow) -> None:
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
        for path in ("/", "/breaks", "/api/v1/breaks", "/nowhere"):
            crossing = {"Content-Type": kind, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
            assert get(airflow, path, "ada", "POST", **crossing).status_code == 403, (kind, path)
            # Not even where this very site sent it: a form can.
            own = {"Content-Type": kind, "Origin": airflow.url, "Sec-Fetch-Site": "same-origin"}
            assert get(airflow, path, "ada", "POST", **own).status_code == 403, (kind, path)
    assert get(airflow, "/breaks", "ada", "POST", **{"Content-Type": "application/json"}).status_code == 403
