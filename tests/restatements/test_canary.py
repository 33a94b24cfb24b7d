"""The first live night with a canary: a few orders by a narrower query, their verdicts, then the whole query over the same interval."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from include.restatements.changes.extraction import order_changes_sql
from tests.model.histories import pixel_order
from tests.model.shop import Change
from tests.model.world import BEGIN, Options
from tests.restatements.nights import NewWorld, later, operations, placed


def test_what_a_narrower_query_sent_is_unchanged_under_the_whole_one_and_the_others_go(new_world: NewWorld, tmp_path: Path) -> None:
    world = new_world(Options())
    orders: list[Change] = [placed(key=placed().key._replace(order_id=f"o-{n}")) for n in range(1, 7)]
    world.pixel([pixel_order(order, order.event_time) for order in orders[:4]])
    world.append(orders)
    world.append([later(order, 5, amount=Decimal(80)) for order in orders[:2]])
    world.append([later(order, 5, change_type="cancelled") for order in orders[2:4]])
    narrow = tmp_path / "narrow.sql"
    narrow.write_text(f"SELECT * FROM (\n{order_changes_sql()}\n) AS picked WHERE order_id IN ('o-1', 'o-3', 'o-5')\n", encoding="utf-8")
    start, end = BEGIN - timedelta(days=9), world.now()
    whole = world.settings
    sent = []
    for settings in (replace(whole, order_changes_sql=str(narrow)), whole):
        world.settings = settings
        night = world.prepare(start, end)
        world.submit(night)
        world.publish(night)
        sent.append(sorted((planned.key.order_id, planned.operation) for planned in night.orders.values()))
        world.advance(timedelta(hours=2))
        world.reconcile()
    assert sent == [
        [("o-1", "restate"), ("o-3", "cancel"), ("o-5", "create")],
        [("o-2", "restate"), ("o-4", "cancel"), ("o-6", "create")],
    ]
    assert operations(world.prepare(start, end)) == []
    assert {row["status"] for row in world.rows("SELECT status FROM cj.reconciliation")} == {"matched"}
