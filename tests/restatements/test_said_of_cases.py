"""What a person says of a case, on both warehouses: each thing that CJ or he wrote is kept, whatever the case has come to meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.domain.errors import SettingError
from include.domain.states import CaseAct, CaseState
from include.warehouse.base import WarehouseLocation
from tests.restatements.cases_desk import DAY, HOUR, NOW, Desk

LOST = "1500001-lost-cancel-1"


@pytest.fixture
def desk(location: WarehouseLocation, tmp_path: Path) -> Desk:
    return Desk(location, tmp_path)


def test_another_answer_of_cj_is_kept_and_the_case_stays_open_as_long_after_it(desk: Desk) -> None:
    desk.verdict("one")
    desk.refresh()
    desk.say(LOST, CaseAct.FILED, NOW, "1")
    desk.say("1", CaseAct.ANSWERED, NOW + DAY)
    again = desk.say("1", CaseAct.ANSWERED, NOW + 2 * DAY, note="CJ wrote again")
    assert (again.at.state, again.at.answered_at, again.at.closes_at) == (CaseState.ANSWERED, NOW + 2 * DAY, NOW + 5 * DAY)
    assert [row["state"] for row in desk.refresh(NOW + 5 * DAY - HOUR)] == ["answered"]
    desk.say("1", CaseAct.ANSWERED, NOW + 2 * DAY, note="CJ wrote again")
    assert [row["note"] for row in desk.rows("SELECT note FROM cj.case_events ORDER BY event")] == [None, None, "CJ wrote again"]


def test_another_reply_before_the_answer_is_kept_and_the_time_runs_from_the_first(desk: Desk) -> None:
    desk.verdict("one")
    desk.refresh()
    filed = desk.say(LOST, CaseAct.FILED, NOW, "1").at
    assert desk.say("1", CaseAct.REPLIED, NOW + HOUR, note="Batch 7 too").at == filed
    desk.say("1", CaseAct.ANSWERED, NOW + DAY)
    replied = desk.say("1", CaseAct.REPLIED, NOW + DAY + HOUR).at
    assert desk.say("1", CaseAct.REPLIED, NOW + DAY + 2 * HOUR).at == replied
    assert len(desk.rows("SELECT act FROM cj.case_events")) == 5


@pytest.mark.parametrize("over", ["closed", "settled"])
def test_an_answer_after_it_was_over_is_kept_and_opens_nothing(desk: Desk, over: str) -> None:
    desk.verdict("one")
    desk.refresh()
    desk.say(LOST, CaseAct.FILED, NOW, "1")
    if over == "settled":
        desk.verdict("one", "matched", None)
        desk.refresh(NOW + HOUR)
    else:
        desk.say("1", CaseAct.CLOSED, NOW + HOUR)
    assert desk.say("1", CaseAct.ANSWERED, NOW + DAY, note="We found it").at.state.value == over
    assert [row["state"] for row in desk.refresh(NOW + 9 * DAY)] == [over]
    assert [row["note"] for row in desk.rows("SELECT note FROM cj.case_events WHERE act = 'answered'")] == ["We found it"]


def test_what_was_said_of_a_settled_case_counts_where_it_breaks_again(desk: Desk) -> None:
    desk.verdict("one")
    desk.refresh()
    desk.say(LOST, CaseAct.FILED, NOW, "1")
    desk.verdict("one", "matched", None)
    desk.refresh(NOW + HOUR)
    desk.say("1", CaseAct.ANSWERED, NOW + DAY)
    desk.verdict("one")
    (broken,) = desk.refresh(NOW + 2 * DAY)
    assert (broken["state"], broken["answered_at"], broken["closes_at"], broken["settled_at"]) == (
        "answered",
        NOW + DAY,
        NOW + 4 * DAY,
        None,
    )
    desk.verdict("one", "matched", None)
    desk.refresh(NOW + 2 * DAY + HOUR)
    assert desk.say("1", CaseAct.CLOSED, NOW + 3 * DAY).at.state is CaseState.SETTLED
    desk.verdict("one")
    assert [row["state"] for row in desk.refresh(NOW + 3 * DAY + HOUR)] == ["closed"]


@pytest.mark.parametrize("act", [CaseAct.ANSWERED, CaseAct.REPLIED, CaseAct.CLOSED])
def test_nothing_is_said_of_a_case_that_nobody_filed_but_that_it_was(desk: Desk, act: CaseAct) -> None:
    desk.verdict("one")
    desk.refresh()
    with pytest.raises(SettingError, match=f"is ready, and only one that is .* can be {act.value}"):
        desk.say(LOST, act)


def of_two_versions(desk: Desk) -> tuple[str, str]:
    """The digests of the case of order `one`, and of the same case an hour later, when it is of two others."""
    desk.verdict("one")
    (seen,) = desk.refresh()
    desk.verdict("one", "matched", None)
    desk.verdict("two")
    desk.verdict("three")
    (now,) = desk.refresh(NOW + HOUR)
    assert seen["case_id"] == now["case_id"] == LOST
    return seen["digest"], now["digest"]


def test_a_case_of_several_versions_is_filed_as_the_one_that_is_named_and_as_none_by_a_guess(desk: Desk) -> None:
    first, second = of_two_versions(desk)
    with pytest.raises(SettingError) as refused:
        desk.say(LOST, CaseAct.FILED, NOW, "77")
    for told in (f"{LOST}@{first} (1 order, written 2026-03-16 16:00 UTC)", f"{LOST}@{second} (2 orders, written 2026-03-16 17:00 UTC)"):
        assert told in str(refused.value)
    assert desk.rows("SELECT * FROM cj.case_events") == []
    for _ in range(2):
        desk.say(f"{LOST}@{first}", CaseAct.FILED, NOW, "77")
    desk.say(LOST, CaseAct.FILED, NOW, "77")
    assert [row["order_id"] for row in desk.rows(f"SELECT order_id FROM cj.case_orders WHERE case_id = '{LOST}'")] == ["one"]


def test_what_was_filed_is_kept_though_its_breaks_are_of_another_case_meanwhile(desk: Desk) -> None:
    for order in ("one", "two"):
        desk.verdict(order)
    (seen,) = desk.refresh()
    for order in ("one", "two"):
        desk.verdict(order, "missing", "locked")
    assert desk.refresh(NOW + HOUR) == []
    with pytest.raises(SettingError, match="never was as '000000000000' names it"):
        desk.say(f"{LOST}@000000000000", CaseAct.FILED, NOW, "01234567")
    with pytest.raises(SettingError, match="There is no case"):
        desk.say(f"../cases/{LOST}@{seen['digest']}", CaseAct.FILED, NOW, "01234567")
    with pytest.raises(SettingError, match="There is no case"):
        desk.say(f"{LOST}@{seen['digest']}", CaseAct.ANSWERED, NOW)
    desk.say(f"{LOST}@{seen['digest']}", CaseAct.FILED, NOW, "01234567")
    (filed,) = desk.refresh(NOW + 2 * HOUR)
    assert (filed["case_number"], filed["orders"], filed["digest"], filed["state"]) == ("01234567", 2, seen["digest"], "filed")
