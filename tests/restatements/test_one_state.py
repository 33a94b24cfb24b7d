"""Null and what it stands for are one state, all the way: sent once, held as one, and known again by a package that named them apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from include.cj.payload import former_hashes
from include.demo.files import ORDER_CHANGES
from include.restatements.changes.parsing import parsed_items
from include.restatements.journal.journal import ChunkRef
from include.warehouse.base import open_warehouse
from tests.model.histories import FIXED_DATE
from tests.model.shop import Change, Item, Key
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import later, night, operations, placed

MUG = (Item("MUG", 1, Decimal("100.00")),)
ALIKE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "currency": ({"currency": None}, {"currency": "USD"}),
    "empty-currency": ({"currency": "USD"}, {"currency": " "}),
    "coupon": ({"coupon": None}, {"coupon": ""}),
    "blank-coupon": ({"coupon": "  "}, {"coupon": None}),
    "discount": ({"discount": None}, {"discount": Decimal("0.00")}),
    "no-discount": ({"discount": Decimal("0.00")}, {"discount": None}),
    "items": ({"items": None}, {"items": ()}),
    "line-discount": ({"items": MUG}, {"items": (MUG[0]._replace(discount=Decimal("0.00")),)}),
    "finer": (
        {"amount": Decimal("100.0042"), "items": (Item("MUG", 3, Decimal("33.33473"), Decimal("0.00003")),)},
        {"amount": Decimal("99.995")},
    ),
    "reason": ({"correction_reason": None}, {"correction_reason": ""}),
}


def first(side: int) -> list[Change]:
    return [placed(key=Key(FIXED_DATE, name), **sides[side]) for name, sides in ALIKE.items()]


def touched(world: WorldOn, minutes: int, side: int) -> None:
    world.append(later(order, minutes, **sides[side]) for order, sides in zip(first(0), ALIKE.values(), strict=True))


def test_another_spelling_of_the_same_state_is_never_sent(world: WorldOn) -> None:
    world.append([*first(0), placed(key=Key(FIXED_DATE, "nobodys"), cj_event="")])
    played = night(world)
    assert operations(played) == ["create"] * len(ALIKE)
    (text,) = (t for batch in played.prepared.batches for t in batch)
    sent = world.journal.orders(ChunkRef.parse(text))
    for name in ("coupon", "currency", "correction_reason"):
        assert all(value is None or value.strip() for value in sent[name].to_pylist())
    assert played.prepared.summary["skipped_by_reason"] == {"not_in_cj": 1}
    for minutes, side in ((30, 1), (45, 0), (50, 1)):
        touched(world, minutes, side)
        again = night(world)
        assert operations(again) == []
        assert again.prepared.summary["skipped_by_reason"] == {"unchanged": len(ALIKE), "not_in_cj": 1}
    assert {row["status"] for row in world.rows("SELECT status FROM cj.reconciliation")} == {"matched"}


def renamed(world: WorldOn, orders: list[Change]) -> None:
    """What was sent is named as a package named it that kept the warehouse's spelling."""
    rows = pa.Table.from_pylist([o.row(world.enterprise) for o in orders], ORDER_CHANGES)
    rows = rows.set_column(rows.schema.get_field_index("items"), "items", parsed_items(rows["items"].combine_chunks()))
    names = former_hashes(rows, pa.array([o.cancelled for o in orders])).to_pylist()
    with open_warehouse(world.location) as session:
        for order, name in zip(orders, names, strict=True):
            session.execute("UPDATE cj.submissions SET payload_hash = :name WHERE order_id = :id", {"name": name, "id": order.key.order_id})


def test_an_upgrade_is_no_change_of_any_order(world: WorldOn) -> None:
    world.append(first(0))
    night(world)
    renamed(world, first(0))
    assert world.rows("SELECT COUNT(DISTINCT payload_hash) AS n FROM cj.submissions")[0]["n"] > 1
    touched(world, 30, 0)
    again = night(world)
    assert operations(again) == []
    assert again.prepared.summary["skipped_by_reason"] == {"unchanged": len(ALIKE)}
    changed = [later(order, 45, amount=Decimal("60.00"), items=None) for order in first(0)]
    world.append(changed)
    assert len(operations(night(world))) == len([o for o in first(0) if not o.items])
    world.append(replace(order, updated_at=order.updated_at + timedelta(minutes=2)) for order in changed)
    assert operations(night(world)) == []


def test_a_state_on_its_way_under_its_former_name_is_not_sent_beside_itself(world: WorldOn) -> None:
    world.append(first(0))
    played = world.prepare(world.now() - timedelta(days=9), world.now())
    world.submit(played)
    world.publish(played)
    renamed(world, first(0))
    touched(world, 30, 0)
    again = world.prepare(world.now() - timedelta(days=9), world.now())
    assert operations(again) == []
    assert again.prepared.summary["skipped_by_reason"] == {"unchanged": len(ALIKE)}
