"""A right set-up has nothing to mend, on both warehouses; and asking leaves nothing behind and sends nothing live."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from include.airflow.connections import settings_from_airflow
from include.restatements.doctor.checks import Finding
from include.restatements.ledger.accounts import read_accounts
from include.sandbox.process import SandboxProcess
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.doctor.ground import Ground, states, week_of_orders, wrong


@pytest.fixture
def right(cj: SandboxProcess, tmp_path: Path, empty_location: WarehouseLocation, monkeypatch: pytest.MonkeyPatch) -> Ground:
    made = Ground(cj, tmp_path, empty_location, monkeypatch)
    orders = week_of_orders()
    made.orders(orders)
    made.reported(orders)
    return made


def test_a_right_set_up_has_nothing_to_mend(right: Ground) -> None:
    findings = right.examined()
    assert wrong(findings) == {}
    # Before the first night nobody has read CJ's records.
    assert {name: state for name, state in states(findings).items() if state != "right"} == {"ledger (cj)": "look"}
    assert len(findings) == 29


def test_once_the_ledger_is_read_everything_is_right(right: Ground) -> None:
    settings = settings_from_airflow()
    read_accounts(settings.accounts, right.location, replace(settings, ledger_days=40))
    assert set(states(right.examined()).values()) == {"right"}


def test_what_the_ledger_holds_is_told_from_what_it_will_hold(right: Ground) -> None:
    assert "CJ's records will go back to" in right.examined()["horizon (cj)"].found.sentence
    settings = settings_from_airflow()
    read_accounts(settings.accounts, right.location, replace(settings, ledger_days=40))
    assert "CJ's records go back to" in right.examined()["horizon (cj)"].found.sentence


def test_a_storage_that_was_not_there_is_said_to_be_new(right: Ground) -> None:
    new = f"The folder {right.place / 'storage'} is new: made just now."
    assert new in right.examined()["storage"].found.sentence
    assert "is new" not in right.examined()["storage"].found.sentence


def test_nothing_is_sent_live_and_nothing_is_left_behind(right: Ground) -> None:
    before = len(list(right.cj.control.calls()))
    right.examined()
    with open_warehouse(right.location) as session:
        assert not session.has_schema("cj")
        assert session.rows("SELECT COUNT(*) AS n FROM order_changes") == [{"n": 24}]
    assert [path for path in (right.place / "storage").rglob("*") if path.is_file()] == []
    assert [sent for sent in right.cj.control.submissions() if sent["enterprise_id"] == right.enterprise] == []
    paths = {call["path"] for call in list(right.cj.control.calls())[before:]}
    assert paths == {"/graphqltest", "/query"}


def test_no_finding_shows_the_token(right: Ground) -> None:
    findings: list[Finding] = list(right.examined().values())
    assert right.token not in repr(findings)
