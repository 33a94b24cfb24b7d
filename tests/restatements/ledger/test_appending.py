"""Of a large window what has come is appended while CJ answers what follows; whatever ends it early, each record is in the ledger once, or none is."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from include.cj.errors import CJError
from include.domain.errors import WarehouseError
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.ledger import appending
from include.restatements.ledger.reading import LedgerRead, read_ledger
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.killed import Killed, killed_at
from tests.restatements.ledger.commission_detail import ACCOUNT, NOW, Asked, CommissionDetail, record
from tests.restatements.ledger.one_ledger import DEADLINE, Ledger
from tests.warehouses import duckdb_with_tables

IDS = [str(number) for number in range(101, 110)]
WAIT = 60.0
"""Seconds, for what comes at once unless something is broken."""


@pytest.fixture(autouse=True)
def four_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "MANY", 4)


@pytest.fixture
def server(postgres_with_tables: str) -> Ledger:
    """In a warehouse that serves others meanwhile; CJ shows nine records, two on a page."""
    return Ledger(WarehouseLocation("postgres", uri=postgres_with_tables), nine())


def nine() -> CommissionDetail:
    return CommissionDetail(records=[record(one, NOW - timedelta(days=2)) for one in IDS], most_on_a_page=2)


def read(ledger: Ledger, checkpoint: Checkpoint = no_checkpoint) -> LedgerRead:
    """All nine are in one window."""
    with ledger.cj.client() as client:
        return read_ledger(client, ACCOUNT, ledger.location, ledger_days=20, deadline=DEADLINE, checkpoint=checkpoint)


def all_in_the_ledger_once(ledger: Ledger) -> bool:
    seen = ledger.rows("SELECT SUM(records) AS records FROM cj.tracker_readings")
    return ledger.held() == IDS and int(seen[0]["records"]) == len(IDS) and not of_the_thread()


def of_the_thread() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("cj-append")]


def test_what_has_come_is_appended_before_cj_has_answered_the_last_question(server: Ledger) -> None:
    appended = threading.Event()

    def the_last_waits(asked: Asked) -> None:
        if asked.cursor == IDS[-2]:
            assert appended.wait(WAIT)

    server.cj.before_answer = the_last_waits
    found = read(server, lambda step: appended.set() if step == "part_appended" else None)
    assert (found.records, found.appended) == (9, 9)
    assert all_in_the_ledger_once(server)
    assert server.rows("SELECT reading, records, cursor_commission_id AS cursor FROM cj.ledger_reads") == [
        {"reading": 1, "records": 9, "cursor": IDS[-1]}
    ]
    assert server.rows("SELECT DISTINCT reading FROM cj.commissions") == [{"reading": 1}]


def test_nobody_sees_a_part_of_a_window(server: Ledger) -> None:
    seen: list[int] = []

    def look(step: str) -> None:
        if step == "part_appended":
            seen.append(len(server.rows("SELECT 1 AS one FROM cj.commissions")))

    read(server, look)
    assert seen
    assert set(seen) == {0}


def test_a_usual_window_is_appended_once_it_is_there(server: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "MANY", 10)
    steps: list[str] = []
    read(server, steps.append)
    assert "part_appended" not in steps
    assert all_in_the_ledger_once(server)


def test_a_warehouse_that_one_process_holds_alone_is_not_held_while_cj_is_asked(tmp_path: Path) -> None:
    ledger, steps = Ledger(duckdb_with_tables(tmp_path / "warehouse.duckdb"), nine()), list[str]()
    read(ledger, steps.append)
    assert "part_appended" not in steps
    assert all_in_the_ledger_once(ledger)


def test_a_question_that_fails_leaves_nothing_of_its_window_and_the_next_reading_has_all(server: Ledger) -> None:
    def away(asked: Asked) -> None:
        if asked.cursor == IDS[-2]:
            raise httpx.ConnectError("gone")

    server.cj.before_answer = away
    with pytest.raises(CJError):
        read(server)
    assert server.held() == []
    assert server.rows("SELECT 1 AS one FROM cj.ledger_reads") == []
    assert not of_the_thread()
    server.cj.before_answer = lambda _: None
    read(server)
    assert all_in_the_ledger_once(server)


def test_a_question_that_fails_does_not_wait_for_what_was_still_to_be_appended(server: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on, steps, leaves = threading.Event(), list[str](), appending.Appending.__exit__

    def leaving(self: appending.Appending, *error: object) -> None:
        threading.Timer(0.3, goes_on.set).start()  # the first part ends while it is given up
        leaves(self, *error)

    def first_part(step: str) -> None:
        steps.append(step)
        assert goes_on.wait(WAIT)

    def away(asked: Asked) -> None:
        if asked.cursor == IDS[-2]:
            raise httpx.ConnectError("gone")

    monkeypatch.setattr(appending.Appending, "__exit__", leaving)
    monkeypatch.setattr(appending, "MANY", 2)
    server.cj.before_answer = away
    with pytest.raises(CJError):
        read(server, first_part)
    assert steps == ["part_appended"]
    assert server.held() == []


@pytest.mark.parametrize("part", [1, 2, 3])
def test_a_process_that_dies_between_two_parts_leaves_nothing_of_the_window(server: Ledger, part: int) -> None:
    with pytest.raises(Killed):
        read(server, killed_at("part_appended", part))
    assert server.held() == []
    read(server)
    assert all_in_the_ledger_once(server)


@pytest.mark.parametrize("part", [1, 2, 3])
def test_a_connection_that_is_cut_while_cj_is_asked_costs_the_parts_and_not_the_night(
    server: Ledger, part: int, caplog: pytest.LogCaptureFixture
) -> None:
    left = [part]

    def cut(step: str) -> None:
        if step == "part_appended":
            left[0] -= 1
            if left[0] == 0:
                with open_warehouse(server.location) as dba:
                    dba.rows(
                        "SELECT CAST(pg_terminate_backend(pid) AS text) AS gone FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )

    assert read(server, cut).appended == 9
    assert "is appended again" in caplog.text
    assert all_in_the_ledger_once(server)


def test_a_warehouse_that_does_not_take_it_either_time_ends_the_reading(server: Ledger) -> None:
    with open_warehouse(server.location) as dba:
        dba.execute("ALTER TABLE cj.commissions ADD CONSTRAINT none_of_these CHECK (commission_id <> '109')")
    with pytest.raises(WarehouseError):
        read(server)
    assert server.held() == []
    assert not of_the_thread()


def test_what_a_reading_before_has_is_not_appended_again_in_parts(server: Ledger) -> None:
    shown = server.cj.records
    server.cj.records = shown[3:6]
    read(server)
    server.cj.records = shown
    with server.cj.client() as client:
        found = read_ledger(client, ACCOUNT, server.location, ledger_days=20, since=(NOW - timedelta(days=5)).date(), deadline=DEADLINE)
    assert (found.records, found.appended) == (9, 6)
    assert all_in_the_ledger_once(server)
