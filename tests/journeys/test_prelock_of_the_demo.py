"""A review of the demo's shop: what is planted in its change log is found, each order once, and nothing else is found beside what was there before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from include.demo.files import write_seed
from include.demo.stage import move_to
from include.restatements.prelock.review import review
from include.sandbox.process import start_sandbox
from include.warehouse.base import WarehouseLocation, open_warehouse
from lab.real_month import settings_for
from tests.demo_nights import demo_shop, load_changes

PLANTED = 25

_AGREE = """
SELECT s.action_tracker_id, s.order_id FROM cj.order_state AS s
INNER JOIN cj.commissions AS c USING (advertiser_id, action_tracker_id, order_id)
WHERE s.sale_amount > 0 AND s.lock_stage = 0 AND s.locking_method = 'FIXED_DATE' AND c.original
  AND NOT EXISTS (SELECT 1 FROM cj.prelock_orders AS o WHERE o.order_id = s.order_id AND o.action_tracker_id = s.action_tracker_id)
ORDER BY s.order_id
"""
_NEWEST = (
    "SELECT * FROM order_changes WHERE order_id = :order_id AND action_tracker_id = :action_tracker_id ORDER BY updated_at DESC LIMIT 1"
)


@pytest.mark.timeout(600)
def test_every_planted_difference_is_found_and_nothing_else(location: WarehouseLocation, tmp_path: Path) -> None:
    shop = demo_shop()
    night = shop.story.nights[-1]
    write_seed(tmp_path / "seed", shop.pixel, night.runs_at)
    load_changes(location, shop, night.runs_at)
    with start_sandbox(tmp_path / "cj.sqlite", seed=tmp_path / "seed", rate_limit=False) as sandbox:
        move_to(sandbox.control, tmp_path / "seed", night.runs_at)
        settings = settings_for(sandbox.url, tmp_path / "storage")
        before = review(settings, location, "before")
        there = findings(location)
        with open_warehouse(location) as session:
            agree = session.rows(_AGREE)
            planted = [dict(agree[n]) for n in range(0, len(agree), len(agree) // PLANTED)][:PLANTED]
            for key in planted:
                (row,) = session.rows(_NEWEST, key)
                undone = dict(row) | {"change_type": "cancelled", "updated_at": row["updated_at"] + timedelta(seconds=1)}  # type: ignore[operator]
                session.append("order_changes", pa.Table.from_pylist([undone]))
        after = review(settings, location, "after")
    found = findings(location)
    assert {name for name, finding in found.items() if finding != there.get(name)} == {str(key["order_id"]) for key in planted}
    assert {found[str(key["order_id"])] for key in planted} == {"to_send"}
    assert set(there) <= set(found)
    assert (after.pack.orders, after.pack.count("to_send")) == (before.pack.orders, before.pack.count("to_send") + PLANTED)


def findings(location: WarehouseLocation) -> dict[str, str]:
    with open_warehouse(location) as session:
        rows = session.rows("SELECT order_id, finding FROM cj.prelock_orders")
    return {str(row["order_id"]): str(row["finding"]) for row in rows}
