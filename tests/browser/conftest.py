"""A real Chromium in front of a real Airflow: its API server on this machine, with a login, and a warehouse with one of everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from include.airflow.environment import ROOT, project_environment
from include.airflow.pages import READING_CONN_ID
from include.commands.up import ask, free_port, healthy, stop_session, wait_for
from include.warehouse.base import WarehouseLocation
from tests.web.ground import filled

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"]
PATIENCE = 120_000
"""Milliseconds a browser waits for what must come: a busy machine is slow, and no test is about that."""

PAGE_SECONDS = 20
"""How long a page waits for the warehouse: longer than usual for the same reason, and short enough to see one give up."""


@dataclass(frozen=True)
class Airflow:
    """An API server, and the warehouse its pages read."""

    port: int
    warehouse: WarehouseLocation
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, user: str) -> str:
        """As a program logs in."""
        return str(ask(self.port, "/auth/token", body={"username": user, "password": user}, method="POST")["access_token"])

    def call(self, method: str, path: str, body: Any = None, user: str = "ada") -> Any:
        """Airflow's own API, as this user; the answer's JSON, or None for no content."""
        headers = {"Authorization": f"Bearer {self.token(user)}"}
        answer = httpx.request(method, f"{self.url}/api/v2{path}", json=body, headers=headers, timeout=120)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    @contextmanager
    def reading(self, **connection: Any) -> Iterator[None]:
        """The pages read with this connection until the block ends."""
        self.call("POST", "/connections", {"connection_id": READING_CONN_ID} | connection)
        try:
            yield
        finally:
            self.call("DELETE", f"/connections/{READING_CONN_ID}")

    @contextmanager
    def scheduling(self) -> Iterator[None]:
        """Its scheduler runs until the block ends; every DAG is paused until somebody unpauses it."""
        log = Path(self.environment["AIRFLOW_HOME"]) / "scheduler.log"
        with log.open("wb") as file:
            scheduler = subprocess.Popen(
                [sys.executable, "-m", "airflow", "scheduler", "--skip-serve-logs"],
                env=self.environment, cwd=ROOT, stdout=file, stderr=file, start_new_session=True,
            )  # fmt: skip
            try:
                yield
                assert scheduler.poll() is None, log.read_text(errors="replace")[-4000:]
            finally:
                stop_session(scheduler.pid)


@pytest.fixture(scope="session")
def airflow() -> Iterator[Airflow]:
    """Started once: its users are their own passwords. paul has no role and may see no DAG, vera may only look, ursula may trigger, ada may all."""
    with tempfile.TemporaryDirectory(prefix="cj-browser-") as name:
        place, port = Path(name), free_port(0)
        warehouse = WarehouseLocation("duckdb", path=str(place / "warehouse.duckdb"))
        filled(warehouse)
        passwords = place / "passwords.json"
        passwords.write_text(json.dumps({user: user for user in ("ada", "ursula", "vera", "paul")}))
        environment = project_environment(
            {
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
                "AIRFLOW_HOME": str(place / "airflow"),
                "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "duckdb", "host": warehouse.path}),
                "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "ada:admin,ursula:user,vera:viewer,paul:",
                "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
                "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
                "AIRFLOW__API_AUTH__JWT_SECRET": "only the tests of this machine know it, and it is long enough for its hash",
                "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
                "AIRFLOW__CJ_RESTATEMENTS__PAGE_SECONDS": str(PAGE_SECONDS),
                "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
            }
        )
        log = (place / "log").open("wb")
        for what in (["db", "migrate"], ["dags", "reserialize"]):
            subprocess.run([sys.executable, "-m", "airflow", *what], env=environment, cwd=ROOT, check=True, stdout=log, stderr=log)
        server = subprocess.Popen(
            [sys.executable, "-m", "airflow", "api-server", "--host", "127.0.0.1", "--port", str(port)],
            env=environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            assert wait_for(server, lambda: healthy(port)), (place / "log").read_text(errors="replace")[-4000:]
            yield Airflow(port, warehouse, environment)
        finally:
            stop_session(server.pid)
            log.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for all tests; each gets a context of its own. It is gone with the module: its loop would be in the way of others in this process."""
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's Chromium")
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Desk:
    """Somebody's browser, logged in, with what it complained of."""

    airflow: Airflow
    page: Any
    complaints: list[str]

    @property
    def frame(self) -> Any:
        """The pages, in Airflow's frame."""
        return self.page.frame_locator("iframe")

    def open(self, path: str = "/plugin/cj") -> Any:
        self.page.goto(f"{self.airflow.url}{path}")
        self.frame.locator("main").wait_for()
        return self.frame

    def at(self, path: str) -> Any:
        """A page of ours by itself, outside of the frame."""
        self.page.goto(f"{self.airflow.url}/cj{path}")
        return self.page


@pytest.fixture
def sit_down(airflow: Airflow, chromium: Any) -> Iterator[Any]:
    """`sit_down("vera", width=390)`: a real login at Airflow's own form."""
    contexts = []

    def sitting(user: str = "ada", width: int = 1280, height: int = 800, theme: str = "light") -> Desk:
        context = chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
        page = context.new_page()
        complaints: list[str] = []
        page.goto(f"{airflow.url}/auth/login")
        page.locator("input[name=username]").fill(user)
        page.locator("input[name=password]").fill(user)
        page.locator("button[type=submit]").click()
        page.wait_for_url(lambda url: "/auth/login" not in url)
        page.on("console", lambda message: complaints.append(message.text) if "Content Security Policy" in message.text else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return Desk(airflow, page, complaints)

    yield sitting
    for context in contexts:
        context.close()
