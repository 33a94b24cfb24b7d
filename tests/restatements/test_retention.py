"""How long what was sent of an order is kept: for ever, or as long as the setting says once CJ has locked it. Nothing is sent again because it is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from include.restatements import retention
from include.restatements.rebuild import rebuild
from tests.model.histories import FIXED_DURATION
from tests.model.shop import Key
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import later, night, operations, placed, quiet_night

TABLES = ("submissions", "reconciliation", "verdicts_log")


def kept(world: WorldOn) -> list[int]:
    return [int(world.rows(f"SELECT COUNT(*) AS n FROM cj.{table}")[0]["n"]) for table in TABLES]


@pytest.fixture
def locked(world: WorldOn) -> WorldOn:
    """An order was created, restated and matched; CJ locked it after three days, and that was read."""
    order = placed(FIXED_DURATION)
    for state in (order, later(order, 5, amount=Decimal("80.00"))):
        world.append([state])
        assert len(operations(night(world))) == 1
    world.advance(timedelta(days=4))
    quiet_night(world)
    assert [row["status"] for row in world.rows("SELECT status FROM cj.reconciliation ORDER BY updated_at")] == ["superseded", "matched"]
    return world


def test_it_is_kept_for_ever_where_nothing_is_said(locked: WorldOn) -> None:
    before = kept(locked)
    locked.advance(timedelta(days=800))
    quiet_night(locked)
    assert kept(locked) == before and all(before)


def test_it_goes_so_many_days_after_the_lock_and_is_never_sent_again(locked: WorldOn) -> None:
    locked.settings = replace(locked.settings, keep_settled_days=365)
    before, records = kept(locked), locked.rows("SELECT COUNT(*) AS n FROM cj.commissions")
    locked.advance(timedelta(days=363))
    quiet_night(locked)
    assert kept(locked) == before
    locked.advance(timedelta(days=3))
    quiet_night(locked)
    assert kept(locked) == [0, 0, 0]
    assert locked.rows("SELECT COUNT(*) AS n FROM cj.commissions") == records
    locked.append([later(placed(FIXED_DURATION), 10, amount=Decimal("60.00"))])
    touched = night(locked)
    assert (operations(touched), touched.prepared.summary["quarantined_by_reason"]) == ([], {"locked": 1})


def test_what_a_rebuild_brings_back_goes_again_in_its_round(locked: WorldOn) -> None:
    locked.settings = replace(locked.settings, keep_settled_days=365)
    locked.advance(timedelta(days=370))
    rebuild(locked.settings, locked.location)
    assert kept(locked) == [0, 0, 0]


def test_a_break_that_locked_is_held_back_once_and_goes_too(world: WorldOn) -> None:
    world.settings = replace(world.settings, keep_settled_days=365)
    order = placed(FIXED_DURATION)
    world.append([order])
    night(world)
    world.append([later(order, 5, amount=Decimal("80.00"))])
    world.sandbox.control.add_faults([{"kind": "alter", "order_ids": ["o-1"], "field": "amount", "times": 9}])
    night(world)
    world.advance(timedelta(days=4))
    for _ in range(3):
        quiet_night(world)
    assert [row["reason"] for row in world.rows("SELECT reason FROM cj.quarantine")] == ["locked"]
    world.advance(timedelta(days=370))
    quiet_night(world)  # it is no case any more
    quiet_night(world)
    assert not any(kept(world)) and not world.rows("SELECT reason FROM cj.quarantine")


def test_what_may_not_go_stands_before_nothing_that_may(locked: WorldOn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    locked.settings = replace(locked.settings, keep_settled_days=365)
    at = locked.now() - timedelta(hours=1)
    locked.append([placed(FIXED_DURATION, key=Key(FIXED_DURATION, "later"), event_time=at, updated_at=at)])
    night(locked)
    locked.advance(timedelta(days=4))
    quiet_night(locked)
    locked.advance(timedelta(days=366))
    locked.append([replace(later(placed(FIXED_DURATION), 9, amount=Decimal("70.00")), updated_at=locked.now() - timedelta(hours=1))])
    locked.prepare(locked.now() - timedelta(days=1), locked.now())  # the older order is held back: its rows stay for another year
    locked.advance(timedelta(days=5))
    quiet_night(locked)
    assert [row["order_id"] for row in locked.rows("SELECT DISTINCT order_id FROM cj.reconciliation")] == ["o-1"]
