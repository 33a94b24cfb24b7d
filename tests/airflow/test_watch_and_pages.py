"""What the hourly watch changes of what pages show is in the copy that they read on DuckDB, and where it changes nothing it copies nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.airflow.warehouse import leaving_it_for_pages, warehouse_location
from include.domain.states import CaseAct, CaseState
from include.restatements.cases import keeping
from include.restatements.cases.acting import Said, act
from include.warehouse.base import open_for_reading, open_warehouse
from tests.airflow.test_notifying import mails, warehouse  # noqa: F401
from tests.airflow.test_watch_blind import Airflow, look, shop  # noqa: F401
from tests.restatements.cases_desk import Desk

LOST = "1500001-lost-cancel-1"


def copies(path: Path) -> list[str]:
    return sorted(file.name for file in Path(f"{path}.snapshots").glob("*"))


def on_pages() -> list[str]:
    with open_for_reading(warehouse_location(), 5) as session:
        return [row["state"] for row in keeping.cases(session)]


@pytest.mark.usefixtures("mails", "shop")
def test_a_case_that_closes_by_itself_is_closed_on_the_pages_and_no_hour_copies_for_nothing(warehouse: Path) -> None:  # noqa: F811
    now = datetime.now(UTC)
    desk = Desk(warehouse_location(), warehouse.parent)
    desk.verdict("one")
    desk.refresh(now - timedelta(days=9))
    for said in (
        Said(LOST, CaseAct.FILED, "ada", "1", now - timedelta(days=9)),
        Said("1", CaseAct.ANSWERED, "ada", at=now - timedelta(hours=71)),
    ):
        with leaving_it_for_pages() as location:
            act(desk.settings, location, said, now=now - timedelta(hours=71))
    assert look(Airflow("success")) is None
    assert (on_pages(), copies(warehouse)) == ([CaseState.ANSWERED.value], ["1.duckdb", "2.duckdb"]), "nothing has changed"
    with open_warehouse(warehouse_location()) as session:
        session.execute("UPDATE cj.case_events SET happened_at = :at WHERE act = 'answered'", {"at": now - timedelta(hours=73)})
        session.leave_snapshot()
    assert on_pages() == [CaseState.ANSWERED.value]
    for _ in range(2):
        assert look(Airflow("success")) is None
        assert (on_pages(), copies(warehouse)) == ([CaseState.CLOSED.value], ["3.duckdb", "4.duckdb"])


@pytest.mark.usefixtures("mails", "shop")
def test_a_copy_that_was_not_left_is_made_up_for_by_the_next_watch(warehouse: Path) -> None:  # noqa: F811
    assert look(Airflow("success")) is None
    desk = Desk(warehouse_location(), warehouse.parent)
    desk.verdict("one")
    desk.refresh(datetime.now(UTC))
    assert on_pages() == []
    assert look(Airflow("success")) is None
    assert on_pages() == [CaseState.READY.value]
