"""A night at the sandbox whose changes CJ drops and alters: its cases are ready after the round that finds out, and settled once the orders have posted."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from include.domain.errors import StorageError
from include.domain.states import CaseAct
from include.restatements.cases.acting import Said, act
from include.restatements.journal.journal import ROOT
from include.restatements.rebuild import rebuild
from include.restatements.reconcile import reconcile
from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Key
from tests.model.world import BEGIN, Night
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.killed import Killed
from tests.restatements.nights import later, placed

CASES = "SELECT case_id, state, orders, case_number, digest FROM cj.cases ORDER BY case_id"


def night_of(world: WorldOn) -> Night:
    return world.prepare(BEGIN - timedelta(days=9), world.now())


def round_after(world: WorldOn, hours: float) -> None:
    world.advance(timedelta(hours=hours))
    world.reconcile()


def test_what_cj_dropped_is_a_case_that_is_filed_brought_back_and_settled(world: WorldOn) -> None:
    orders = [placed(key=Key(FIXED_DATE, name)) for name in ("lost", "altered", "well")]
    world.pixel([pixel_order(order, order.event_time) for order in orders])
    world.append([later(order, 5, amount=Decimal("60.00")) for order in orders])
    world.sandbox.control.add_faults(
        [{"kind": "drop", "order_ids": ["lost"], "times": 1}, {"kind": "alter", "order_ids": ["altered"], "field": "amount", "times": 1}]
    )
    night = night_of(world)
    world.submit(night)
    world.publish(night)
    round_after(world, 2)
    enterprise = world.enterprise
    altered, lost = f"{enterprise}-altered-restate-amount-1", f"{enterprise}-lost-restate-1"
    assert [(row["case_id"], row["state"]) for row in world.rows(CASES)] == [(altered, "ready")]
    round_after(world, 40)
    ready = world.rows(CASES)
    assert [(row["case_id"], row["orders"]) for row in ready] == [(altered, 1), (lost, 1)]
    for number, row in enumerate(ready, 1):
        act(world.settings, world.location, Said(f"{row['case_id']}@{row['digest']}", CaseAct.FILED, "ada", str(number)))
    told = everything(world)
    rebuild(world.settings, world.location)
    assert everything(world) == told
    assert [(row["state"], row["case_number"]) for row in world.rows(CASES)] == [("filed", "1"), ("filed", "2")]
    again = night_of(world)
    world.submit(again)
    world.publish(again)
    round_after(world, 3)
    assert [row["state"] for row in world.rows(CASES)] == ["settled", "settled"]


def altered(world: WorldOn) -> None:
    """A night whose order CJ books with another amount, two hours ago."""
    order = placed(key=Key(FIXED_DATE, "altered"))
    world.pixel([pixel_order(order, order.event_time)])
    world.append([later(order, 5, amount=Decimal("60.00"))])
    world.sandbox.control.add_faults([{"kind": "alter", "order_ids": ["altered"], "field": "amount", "times": 1}])
    night = night_of(world)
    world.submit(night)
    world.publish(night)
    world.advance(timedelta(hours=2))


@pytest.mark.parametrize("broken", [("reports",), ("cases",), ("reports", "cases")])
def test_a_report_that_cannot_be_written_keeps_back_no_case_and_the_other_way_round(
    world: WorldOn, broken: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    altered(world)
    documents = Path(world.settings.storage.removeprefix("file://"), ROOT)
    for name in broken:
        (documents / name).write_text("no folder")
    with pytest.raises(StorageError, match=f"{ROOT}/{broken[0]}"):
        world.reconcile()
    assert ("The cases could not be written either" in caplog.text) is (len(broken) == 2)
    assert written(world, documents) == {name: name not in broken for name in ("reports", "cases")}
    for name in broken:
        (documents / name).unlink()
    world.reconcile()
    assert written(world, documents) == {"reports": True, "cases": True}


def written(world: WorldOn, documents: Path) -> dict[str, bool]:
    return {
        "reports": any(documents.glob("reports/*/report.html")),
        "cases": world.rows("SELECT state FROM cj.cases") == [{"state": "ready"}],
    }


def test_a_task_that_is_out_of_time_waits_for_no_cases(world: WorldOn) -> None:
    altered(world)
    go_on = Event()

    def checkpoint(step: str) -> None:
        if step == "before_cases_commit":
            assert go_on.wait(60)
        elif step == "after_report":
            raise Killed

    with pytest.raises(Killed):
        reconcile(world.settings, world.location, "out of time", checkpoint)
    assert world.rows(CASES) == []
    go_on.set()
    until = time.monotonic() + 60
    while not world.rows(CASES) and time.monotonic() < until:
        time.sleep(0.1)
    assert [row["state"] for row in world.rows(CASES)] == ["ready"]


def everything(world: WorldOn) -> list[dict[str, Any]]:
    """All rows of the cases' tables."""
    return [row for table in ("cases", "case_orders", "case_events") for row in world.rows(f"SELECT * FROM cj.{table} ORDER BY 1, 2")]
