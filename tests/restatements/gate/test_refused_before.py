"""What an earlier night held back, and is looked at again, is held back again and stops no night: the ratio has counted it once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from include.domain.errors import QuarantineRatioExceeded
from include.domain.shapes import CHANGES, KEY
from include.restatements.gate.gate import Gate
from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Change, Key
from tests.model.world import Options, World
from tests.restatements.gate.test_gate import NOW, order
from tests.restatements.gate.test_nobodys import CJ, many
from tests.restatements.nights import NewWorld, later, night, operations, placed

STATE = [CHANGES.field(name) for name in (*KEY, "updated_at")]


def played(results: Path, rows: list[dict[str, Any]], before: list[dict[str, Any]], batch_rows: int = 100_000) -> Gate:
    told = pa.Table.from_pylist([{name: row[name] for name in (*KEY, "updated_at")} for row in before], pa.schema(STATE))
    gate = Gate(NOW, Decimal("0.05"), results, frozenset({"1500001"}), heard_of=CJ("shop-000"), refused_before=told, batch_rows=batch_rows)
    parts = list(gate.inspect([pa.Table.from_pylist(sorted(rows, key=lambda row: row["order_id"]), CHANGES)]))
    assert sum(p.bad.num_rows + p.good.num_rows + (p.nobodys.num_rows if p.nobodys is not None else 0) for p in parts) == len(rows)
    assert sum(p.bad.num_rows for p in parts) == sum(row["amount"] is None for row in rows)
    return gate


@pytest.mark.parametrize("batch_rows", [7, 100_000])
def test_neither_side_of_the_ratio_counts_it_again(tmp_path: Path, batch_rows: int) -> None:
    bad, shop = many(25, "bad-", amount=None), many(1, "shop-", amount=None, cj_event=None)
    gate = played(tmp_path, many(100, "good-") + bad + shop, bad + shop, batch_rows)
    assert gate.result is not None
    assert (gate.result.rows, gate.result.failed, gate.result.by_reason) == (100, 0, {})


@pytest.mark.parametrize(
    "other",
    [{"updated_at": NOW - timedelta(days=1, seconds=1)}, {"action_tracker_id": 999}, {"enterprise_id": "1500002"}, {"order_id": "x"}],
)
def test_another_state_or_another_order_is_counted(tmp_path: Path, other: dict[str, Any]) -> None:
    bad = many(25, "bad-", amount=None)
    with pytest.raises(QuarantineRatioExceeded, match="25 of 125"):
        played(tmp_path, many(100, "good-") + bad, [row | other for row in bad])


def test_what_passes_now_goes_on(tmp_path: Path) -> None:
    gate = played(tmp_path, [order(order_id="o")], [order(order_id="o")])
    assert gate.result is not None
    assert (gate.result.rows, gate.result.failed) == (0, 0)


def shop(new_world: NewWorld) -> World:
    world = new_world(Options())
    world.settings = replace(world.settings, max_quarantine_ratio=Decimal("0.05"))
    return world


def orders(prefix: str, count: int, **fields: Any) -> list[Change]:
    return [placed(key=Key(FIXED_DATE, f"{prefix}-{n}"), **fields) for n in range(count)]


def small_night(world: World, *changes: Change) -> list[str]:
    """A night of these alone, and what waits."""
    world.append(changes)
    played = world.prepare(world.now() - timedelta(minutes=30), world.now())
    world.publish(played)
    return operations(played)


def test_orders_that_lie_far_ahead_stop_no_later_night(new_world: NewWorld) -> None:
    world = shop(new_world)
    world.append(orders("good", 500) + orders("ahead", 25, event_time=world.now() + timedelta(days=400)))
    assert len(night(world).orders) == 500
    for turn in range(2):
        assert small_night(world, placed(key=Key(FIXED_DATE, f"next-{turn}"), updated_at=world.now() - timedelta(minutes=1))) == ["create"]
        world.advance(timedelta(days=1))
    held = world.rows("SELECT COUNT(*) AS n FROM cj.quarantine WHERE rule = 'event_time_in_future'")
    assert held == [{"n": 75}]


def test_orders_that_never_posted_and_became_wrong_since_stop_no_later_night(new_world: NewWorld) -> None:
    world, lost = shop(new_world), orders("lost", 25)
    world.pixel([pixel_order(one, one.event_time) for one in lost])
    world.sandbox.control.add_faults([{"kind": "drop", "order_ids": [one.key.order_id for one in lost]}])
    world.append(orders("good", 500) + [later(one, 5, amount=Decimal("60.00")) for one in lost])
    assert len(night(world).orders) == 525
    world.advance(timedelta(days=2))
    world.reconcile()
    world.append(later(one, 10, amount=Decimal("60.00"), discount=Decimal("70.00")) for one in lost)
    assert operations(night(world)) == []  # among 525 they are too few to stop it
    world.advance(timedelta(days=1))
    assert small_night(world, placed(key=Key(FIXED_DATE, "next"), updated_at=world.now() - timedelta(minutes=1))) == ["create"]
