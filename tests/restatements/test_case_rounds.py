"""What a round costs in cases that are long over, on both warehouses: nothing, and nothing that is recent is missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.domain.states import CaseAct
from include.restatements.cases.following import LOOKED_AFTER
from include.sql import filled
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.cases_desk import DAY, HOUR, NOW, Desk

LOST = "1500001-lost-cancel-1"


@pytest.mark.parametrize("over", ["closed", "settled"])
def test_the_orders_of_a_case_are_looked_at_for_a_time_after_it_was_over_and_then_no_more(
    location: WarehouseLocation, tmp_path: Path, over: str
) -> None:
    desk = Desk(location, tmp_path)
    desk.verdict("one")
    desk.refresh()
    desk.say(LOST, CaseAct.FILED, NOW, "1")
    if over == "closed":
        desk.say("1", CaseAct.CLOSED, NOW)
    desk.verdict("one", "matched" if over == "settled" else "missing", None if over == "settled" else "unknown")
    assert [row["state"] for row in desk.refresh(NOW)] == [over]
    with open_warehouse(location) as session:
        looked_at = [bool(session.rows(filled("cases_standing"), {"since": since})) for since in (NOW, NOW + HOUR)]
    assert looked_at == [True, False]
    desk.verdict("one", *(("missing", "unknown") if over == "settled" else ("matched", None)))
    assert [row["state"] for row in desk.refresh(NOW + LOOKED_AFTER + DAY)] == [over]
    assert [row["state"] for row in desk.refresh(NOW + LOOKED_AFTER)] == ["filed" if over == "settled" else "settled"]
