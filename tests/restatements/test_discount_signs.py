"""Whole nights against a CJ whose reversals carry the order's discount without a minus: every change arrives, and the report says what was seen."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Key
from tests.model.world import Options, World
from tests.restatements.nights import NewWorld, later, night, operations, placed

WITH: dict[str, Any] = {"discount": Decimal("10.00")}
SENTENCE = "CJ gives the order discount without a minus in 5 reversals."


def report_of(world: World) -> str:
    (row,) = world.rows("SELECT report FROM cj.reconciliation_runs ORDER BY checked_at DESC LIMIT 1")
    return (Path(str(row["report"]).removeprefix("file://")).parent / "summary.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("knob", "basis", "said"), [("plain", "net", True), ("plain", "gross", True), ("minus", "net", False)])
def test_every_change_of_an_order_with_a_discount_arrives_and_is_seen_to(new_world: NewWorld, knob: str, basis: str, said: bool) -> None:
    world = new_world(Options(basis))
    world.sandbox.control.configure(reversal_discount=knob)
    orders = [placed(key=Key(FIXED_DATE, name), **WITH) for name in ("o-1", "o-2")]
    world.pixel([pixel_order(o, o.event_time) for o in orders])
    changes: list[list[dict[str, Any]]] = [
        [{"amount": Decimal(60)}, {"amount": Decimal(60), "discount": Decimal("0.00")}],
        [{"amount": Decimal(80)}, {"amount": Decimal(80)}],
        [{"change_type": "cancelled"}, {}],
    ]
    for minutes, fields in enumerate(changes):
        world.append(later(order, 5 + minutes, **change) for order, change in zip(orders, fields, strict=True))
        assert sorted(operations(night(world))) == sorted("cancel" if "change_type" in change else "restate" for change in fields)
    verdicts = world.rows("SELECT status FROM cj.reconciliation WHERE status <> 'superseded'")
    assert [row["status"] for row in verdicts] == ["matched", "matched"]
    assert operations(night(world)) == []
    assert (" ".join(report_of(world).split()).count(SENTENCE) == 1) is said
    world.sandbox.control.configure(reversal_discount="minus")
