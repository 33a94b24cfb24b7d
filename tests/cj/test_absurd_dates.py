"""A `Date` that no clock can show is left aside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from include.cj.client import CJClient
from include.domain.account import Account, Token


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    caplog.set_level("WARNING", logger="include.cj.client")
    yield caplog


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_an_absurd_date_counts_for_nothing_and_is_named(logged: pytest.LogCaptureFixture, date: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": {"getBuildNumber": "1"}}, headers={"Date": date})

    account = Account(
        "cj", "1501", "5501", Token("secret"), tracking_url="https://tracking.example", commissions_url="https://d.example/query"
    )
    with CJClient(account, transport=httpx.MockTransport(answer)) as client:
        client.ping()
        assert abs(client.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert "no clock is that wrong, so this answer's Date counts for nothing." in logged.text
