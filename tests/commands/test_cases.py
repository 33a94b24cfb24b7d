"""The cases, from the command line as a person uses it: listed, packed, opened, answered, replied to, closed; and the DAG's task, which says the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from include.airflow.tasks import say_of_case
from include.commands.cases import main
from include.domain.errors import SettingError
from include.warehouse.base import WarehouseLocation
from tests.restatements.cases_desk import DAY, NOW, TOKEN, Desk

LOST = "1500001-lost-cancel-1"
AT = ["--at", f"{NOW:%Y-%m-%dT%H:%M:%S+00:00}"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A warehouse with one unexplained break, and an account."""
    warehouse = tmp_path / "warehouse.duckdb"
    extra = {"enterprise_id": "1500001", "advertiser_id": "5500001"}
    monkeypatch.setenv("AIRFLOW_CONN_CJ", json.dumps({"conn_type": "http", "password": TOKEN, "extra": extra}))
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": str(warehouse)}))
    monkeypatch.setenv("AIRFLOW_VAR_CJ_STORAGE", f"file://{tmp_path / 'storage'}")
    desk = Desk(WarehouseLocation("duckdb", path=str(warehouse)), tmp_path)
    desk.verdict("lost-1")
    desk.refresh()
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(list(arguments))
    told = capsys.readouterr()
    return code, told.out + told.err


def test_a_case_is_listed_packed_opened_and_followed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, listed = run(capsys, "list")
    assert code == 0
    assert LOST in listed and "10.00 USD" in listed
    assert "1-800-761-1072 (US; Monday to Friday, 06:00 to 17:00 Pacific)" in listed
    code, packed = run(capsys, "pack", LOST, "--to", str(place / "case"))
    assert sorted(path.name for path in (place / "case").iterdir()) == ["case.txt", "orders-1.txt", "overview.pdf"]
    form = (place / "case" / "case.txt").read_text()
    for field in (
        "Subject line: Restatements API: 1 cancellation accepted",
        "Case reason: (choose",
        "Sub-reason: (choose",
        "Email address(es) to CC: (nobody)",
        "Attachments: orders-1.txt, overview.pdf",
        "Description: \nWhat we tried:",
    ):
        assert field in form
    named = packed.split("open ")[1].split(" ")[0]
    assert f"Once it is filed: open {named} <CJ's case number>\n" in listed
    assert run(capsys, "open", named, "01234567", *AT)[1] == (
        "Case 01234567 waits for CJ. Its answer usually comes by 2026-03-18 16:00 UTC, and is due by 2026-03-19 16:00 UTC; "
        "2026-03-24 22:00 UTC by the other reading.\n"
    )
    assert "01234567" in run(capsys, "list")[1]
    # What happened then was long ago: it has closed by itself since.
    assert run(capsys, "answered", "01234567", *AT, "--note", "Looked into.")[1] == "Case 01234567 is closed.\n"
    assert "waits for CJ" in run(capsys, "replied", "01234567")[1]
    assert "is answered. It closes by itself at" in run(capsys, "answered", "01234567")[1]
    assert run(capsys, "closed", "01234567")[1] == "Case 01234567 is closed.\n"
    assert TOKEN not in form + listed + packed


def test_a_request_for_a_subscription_is_a_case_too(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = run(capsys, "request", "correction")
    assert (code, told) == (0, "Case 1500001-correction-1 is ready: `pack 1500001-correction-1 --to DIR` writes it.\n")
    run(capsys, "pack", "1500001-correction-1", "--to", str(place / "request"))
    form = (place / "request" / "case.txt").read_text()
    assert "Case reason: Data Transfer\nSub-reason: Data Transfer General\n" in form and "Attachments: (none)" in form


def test_what_does_not_follow_is_one_sentence_and_a_code(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, begins in ((("answered", "9"), "There is no case '9'."), (("pack", "9", "--to", "x"), "There is no case '9'.")):
        code, told = run(capsys, *arguments)
        assert (code, told.count("\n")) == (1, 1)
        assert told.startswith(begins)


def test_the_task_says_it_as_whoever_triggered_the_run(place: Path) -> None:
    def context(run_id: str, **params: str) -> dict[str, object]:
        return {"dag_run": SimpleNamespace(triggering_user_name="ursula", conf=params), "params": params, "run_id": run_id}

    filed = context("run-1", act="filed", case=LOST, number="77", at=f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
    for _ in range(2):
        assert say_of_case(filed) == {"case": LOST, "state": "filed"}
    assert say_of_case(context("run-2", act="requested", case="extension:cj")) == {"case": "1500001-extension-1", "state": "ready"}
    with pytest.raises(SettingError, match=r"run's param at is 'yesterday'; it must be a time"):
        say_of_case(context("run-3", act="answered", case="77", at="yesterday"))
    with pytest.raises(SettingError, match=r"run's param act is 'lost'"):
        say_of_case(context("run-4", act="lost", case="77"))
    desk = Desk(WarehouseLocation("duckdb", path=str(place / "warehouse.duckdb")), place)
    assert desk.rows("SELECT case_id, act, said_by, happened_at FROM cj.case_events") == [
        {"case_id": LOST, "act": "filed", "said_by": "ursula", "happened_at": NOW}
    ]
    assert datetime.now(UTC) > (NOW + DAY)
