"""A night with wholesale orders that no publisher brought: they stop nobody's orders, and each is told in the right table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from include.domain.errors import QuarantineRatioExceeded
from include.sandbox.process import SandboxProcess
from include.warehouse.base import WarehouseLocation
from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Change, Key
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import later, night, operations, placed


@pytest.fixture
def world(cj: SandboxProcess, location: WarehouseLocation, tmp_path: Path) -> WorldOn:
    made = WorldOn(cj, tmp_path / "world", location)
    made.settings = replace(made.settings, max_quarantine_ratio=Decimal("0.05"))
    return made


def wholesale(count: int) -> list[Change]:
    return [placed(key=Key(FIXED_DATE, f"WH/2026/{n:02d}"), cj_event=None) for n in range(count)]


def test_wholesale_orders_that_cj_would_refuse_are_not_in_cj_and_the_others_are_sent(world: WorldOn) -> None:
    known = placed(key=Key(FIXED_DATE, "WH/known"), cj_event=None)
    world.pixel([pixel_order(replace(known, cj_event="click"), known.event_time)])
    world.append([*(placed(key=Key(FIXED_DATE, f"o-{n}")) for n in range(100)), *wholesale(25), later(known, 5, amount=Decimal(60))])
    played = night(world)
    assert operations(played) == ["create"] * 100
    assert played.prepared.summary["picked"] == 126
    skipped = world.rows("SELECT order_id, reason, rule FROM cj.skipped")
    assert {str(row["order_id"])[:8] for row in skipped} == {"WH/2026/"} and len(skipped) == 25
    assert {(row["reason"], row["rule"]) for row in skipped} == {("not_in_cj", "nobody_brought_it")}
    held = world.rows("SELECT order_id, stage, reason FROM cj.quarantine")
    assert held == [{"order_id": "WH/known", "stage": "validation", "reason": "order_id_characters"}]
    assert world.rows("SELECT * FROM cj.asked_orders") == []


def test_of_a_shop_that_names_no_click_the_known_orders_still_stop_a_broken_night(world: WorldOn) -> None:
    orders = [placed(key=Key(FIXED_DATE, f"o-{n}"), cj_event=None, change_type="restated") for n in range(30)]
    world.pixel([pixel_order(replace(o, cj_event="click"), o.event_time) for o in orders])
    world.append(later(o, 5, discount=Decimal(500)) for o in orders)
    with pytest.raises(QuarantineRatioExceeded, match="30 of 30"):
        world.prepare(world.now() - timedelta(days=9), world.now())


def test_an_order_that_lost_its_click_and_breaks_a_rule_is_not_sent_from_an_older_plan(world: WorldOn) -> None:
    first = placed()
    world.append([first])
    older = world.prepare(world.now() - timedelta(days=9), world.now())
    assert operations(older) == ["create"]
    world.append([later(first, 5, cj_event=None, discount=Decimal(500))])
    newer = world.prepare(world.now() - timedelta(days=9), world.now())
    assert newer.prepared.summary["skipped_by_reason"] == {"not_in_cj": 1}
    world.submit(older)
    assert world.fates() == []
