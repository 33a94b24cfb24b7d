"""A night that failed is told also where its cause stops the watch: over a real mail server, once, whatever is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from include.airflow.watching import watch
from tests.airflow.test_notifying import SMTP, mails, told, warehouse  # noqa: F401
from tests.servers import Mails

FAILED, BLIND = "CJ: The night of", "CJ: The hourly watch cannot look"
NOBODY = {"host": "127.0.0.1", "port": 1, "schema": "x", "login": "x", "password": "x", "conn_type": "postgres"}


@dataclass
class Airflow:
    """What Airflow knows of last night's run, and of any before it: how many there are, in which states."""

    last: str = "failed"
    before: int = 0

    def get_dr_count(self, dag_id: str, logical_dates: list[datetime] | None = None, states: list[str] | None = None) -> int:
        if logical_dates is None:
            return self.before
        return int(states is None or self.last in states)


@pytest.fixture
def shop(warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:  # noqa: F811
    """Everything is right, but that CJ does not answer."""
    nowhere = {"tracking_url": "http://127.0.0.1:9", "commissions_url": "http://127.0.0.1:9/query"}
    account = {"conn_type": "http", "password": "a-token-of-ours", "extra": {"enterprise_id": "1", "advertiser_id": "2", **nowhere}}
    monkeypatch.setenv("AIRFLOW_CONN_CJ", json.dumps(account))
    monkeypatch.setenv("AIRFLOW_VAR_CJ_STORAGE", (warehouse.parent / "storage").as_uri())
    monkeypatch.setenv("AIRFLOW_VAR_CJ_NOTIFIERS", json.dumps([{"notifier": SMTP, "from_email": "a@example.org", "to": "o@example.org"}]))
    return monkeypatch


def look(airflow: Airflow) -> Exception | None:
    try:
        watch({"dag_run": SimpleNamespace(conf={}), "params": {}, "ti": airflow, "run_id": "w"})
    except Exception as error:  # noqa: BLE001 - the task fails with it
        return error
    return None


def a_setting(env: pytest.MonkeyPatch) -> None:
    env.setenv("AIRFLOW_VAR_CJ_CANARY_ORDERS", "many")


def the_warehouse(env: pytest.MonkeyPatch) -> None:
    env.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(NOBODY))


@pytest.mark.parametrize("wrong", [a_setting, the_warehouse])
def test_a_night_that_failed_is_told_once_whatever_it_failed_of(
    mails: Mails,  # noqa: F811
    warehouse: Path,  # noqa: F811
    shop: pytest.MonkeyPatch,
    wrong: Callable[[pytest.MonkeyPatch], None],
) -> None:
    with shop.context() as env:
        wrong(env)
        assert look(Airflow()) is not None
        first = [str(mail["Subject"]) for mail in mails.received]
        assert len(first) == 2 and BLIND in first and any(s.startswith(FAILED) and s.endswith("failed") for s in first)
        assert look(Airflow()) is not None
        assert len(mails.received) == 2, "what was told is told once"
        assert "a-token-of-ours" not in "".join(mail.as_string() for mail in mails.received)
    assert look(Airflow()) is None, "the watch sees again"
    assert len(mails.received) == 2, "what was told blind is not told again"
    assert len([row for row in told(warehouse) if row[1] == "SmtpNotifier"]) == 1, "and cj.notices has it"
    a_setting(shop)
    assert look(Airflow("success")) is not None
    assert [str(mail["Subject"]) for mail in mails.received][2:] == [BLIND], "it is blind anew, and the night is done"


def test_no_night_is_missed_where_there_was_none_before(mails: Mails, shop: pytest.MonkeyPatch) -> None:  # noqa: F811
    a_setting(shop)
    assert look(Airflow("success")) is not None
    assert [str(mail["Subject"]) for mail in mails.received] == [BLIND]


def test_what_is_wrong_with_the_notifiers_or_the_storage_hides_nothing(
    mails: Mails,  # noqa: F811
    shop: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop.setenv("AIRFLOW_VAR_CJ_STORAGE", "nowhere at all")
    assert look(Airflow()) is not None
    assert len(mails.received) == 2
    shop.setenv("AIRFLOW_VAR_CJ_NOTIFIERS", "nobody")
    assert look(Airflow()) is not None
    assert len(mails.received) == 2
    assert "The hourly watch cannot look. Variable cj_" in caplog.text
