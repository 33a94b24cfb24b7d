"""What a round costs in cases that are over, on both warehouses: nothing, and nothing that is recent or was said of them is missed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from include.domain.states import CaseAct
from include.restatements.cases import keeping
from include.restatements.cases.acting import request
from include.restatements.cases.events import news
from include.restatements.cases.following import LOOKED_AFTER, follow
from include.sql import filled
from include.storage.folder import Folder
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from tests.restatements.cases_desk import DAY, HOUR, NOW, Desk
from tests.restatements.killed import Killed, killed_at
from tests.restatements.test_case_interrupted import all_of

LOST = "1500001-lost-cancel-1"


def filed(location: WarehouseLocation, tmp_path: Path, over: str) -> Desk:
    """A case that was filed, and closed where that is how it is to be over."""
    desk = Desk(location, tmp_path)
    desk.verdict("one")
    desk.refresh()
    desk.say(LOST, CaseAct.FILED, NOW, "1")
    if over == "closed":
        desk.say("1", CaseAct.CLOSED, NOW)
    return desk


@pytest.mark.parametrize("over", ["closed", "settled"])
def test_the_orders_of_a_case_are_looked_at_for_a_time_after_it_was_over_and_then_no_more(
    location: WarehouseLocation, tmp_path: Path, over: str
) -> None:
    desk = filed(location, tmp_path, over)
    desk.verdict("one", "matched" if over == "settled" else "missing", None if over == "settled" else "unknown")
    assert [row["state"] for row in desk.refresh(NOW)] == [over]
    with open_warehouse(location) as session:
        looked_at = [bool(session.rows(filled("cases_standing"), {"since": since})) for since in (NOW, NOW + HOUR)]
    assert looked_at == [True, False]
    desk.verdict("one", *(("missing", "unknown") if over == "settled" else ("matched", None)))
    assert [row["state"] for row in desk.refresh(NOW + LOOKED_AFTER + DAY)] == [over]
    assert [row["state"] for row in desk.refresh(NOW + LOOKED_AFTER)] == ["filed" if over == "settled" else "settled"]


class Asked:
    """A folder that notes what it is asked, and whether a transaction was open then."""

    def __init__(self, files: Folder, session: Session) -> None:
        self._files, self._session = files, session
        self.asked: list[tuple[str, str, bool]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._files, name)
        if name not in ("names", "exists", "read", "write", "create", "remove"):
            return found

        def noted(path: str = "", *more: Any) -> Any:
            self.asked.append((name, path, self._session.in_transaction))
            return found(path, *more)

        return noted


def asked_in_a_round(desk: Desk, now: datetime = NOW) -> list[tuple[str, str, bool]]:
    with open_warehouse(desk.location) as session:
        files = Asked(desk.files, session)
        follow(session, files, desk.settings, NOW, now)
    return files.asked


def test_a_round_asks_the_storage_once_however_many_cases_there_were_and_before_its_transaction(
    location: WarehouseLocation, tmp_path: Path
) -> None:
    desk = Desk(location, tmp_path)
    for number in (1, 2, 3):
        desk.verdict(f"o-{number}")
        desk.refresh()
        desk.say(f"1500001-lost-cancel-{number}", CaseAct.FILED, NOW, f"{number}")
    desk.say("1", CaseAct.CLOSED, NOW)
    desk.verdict("o-2", "matched", None)
    assert [row["state"] for row in desk.refresh()] == ["closed", "settled", "filed"]
    desk.refresh()
    assert asked_in_a_round(desk) == [("names", "cases/.news", False)]
    desk.verdict("o-4")
    desk.refresh()
    # Of a group that has a break now it is asked which number is free, from the last one that the tables know.
    assert asked_in_a_round(desk) == [("names", "cases/.news", False), ("exists", "cases/1500001-lost-cancel-4/0001.json", True)]


@pytest.mark.parametrize("over", ["closed", "settled"])
def test_what_was_said_of_a_case_that_is_over_by_a_process_that_died_is_loaded_by_the_next_round(
    location: WarehouseLocation, tmp_path: Path, over: str
) -> None:
    desk = filed(location, tmp_path, over)
    desk.verdict("one", "matched", None)
    desk.refresh(NOW)
    desk.refresh(NOW)
    assert news(desk.files) == []
    with pytest.raises(Killed):
        desk.say("1", CaseAct.ANSWERED, NOW + HOUR, note="We found it", checkpoint=killed_at("after_case_event"))
    before = len(desk.rows("SELECT act FROM cj.case_events"))
    desk.refresh(NOW + HOUR)
    assert [row["note"] for row in desk.rows("SELECT note FROM cj.case_events ORDER BY event")][before:] == ["We found it"]
    assert news(desk.files) == []


def test_what_was_announced_and_never_happened_is_looked_for_until_it_does(location: WarehouseLocation, tmp_path: Path) -> None:
    """A process may die after it announced a thing, and before that happened; the next that says something of the case takes its number."""
    desk = Desk(location, tmp_path)
    desk.verdict("one")
    desk.refresh()
    desk.files.write(f"cases/.news/{LOST}.0001", LOST.encode())
    tables = all_of(desk)
    desk.refresh()
    assert (all_of(desk), news(desk.files)) == (tables, [(LOST, 1)])
    desk.say(LOST, CaseAct.FILED, NOW, "1")
    assert [row["state"] for row in desk.refresh()] == ["filed"]
    assert news(desk.files) == []


def test_a_subscription_that_was_asked_for_by_a_process_that_died_is_loaded_by_the_next_round(
    location: WarehouseLocation, tmp_path: Path
) -> None:
    desk = Desk(location, tmp_path)
    case_id = request(desk.settings, location, "extension")
    tables = all_of(desk)
    with open_warehouse(location) as session:
        keeping.forget(session, case_id)
    desk.refresh()
    assert (all_of(desk), news(desk.files)) == (tables, [])
