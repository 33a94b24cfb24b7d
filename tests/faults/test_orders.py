"""Nights whose orders are in another database than the warehouse, killed in the middle of reading: the retry reads them again, and CJ ends as they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from include.sandbox.process import SandboxProcess
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.faults import promises
from tests.faults.night_shop import NightShop
from tests.faults.stage import HOUR, Driver, Stage
from tests.orders_databases import Orders, ReplicaOrders, orders
from tests.warehouses import EMPTY

__all__ = ["orders"]


@dataclass
class Elsewhere(Stage):
    """A stage whose warehouse holds schema cj and no orders."""

    database: Orders | None = None

    def load(self, changes: pa.Table) -> None:
        assert self.database is not None
        self.database.load(changes)

    def job(self, verb: str, *a: Any, **more: Any) -> dict[str, Any]:
        assert self.database is not None
        return super().job(verb, *a, **more) | {"orders": self.database.connection}


@pytest.fixture
def elsewhere(
    faulty_cj: SandboxProcess,
    driver: Driver,
    new_shop: Callable[..., NightShop],
    tmp_path: Path,
    orders: Orders,
    request: pytest.FixtureRequest,
) -> Iterator[Elsewhere]:
    location = EMPTY["postgres" if isinstance(orders, ReplicaOrders) else "duckdb"](request)
    file = tmp_path / "order_changes.sql"
    file.write_text(orders.sql, encoding="utf-8")
    told = {"kind": location.kind, "path": location.path, "uri": location.uri}
    stage = Elsewhere(faulty_cj, driver, new_shop(), tmp_path, told, settings={"order_changes_sql": str(file)}, database=orders)
    stage.raise_curtain()
    yield stage
    faulty_cj.control.clear_faults()


def test_a_night_that_is_killed_while_it_reads_is_read_again_and_ends_as_the_orders_say(elsewhere: Elsewhere) -> None:
    stage = elsewhere
    for step in ("orders_read", "orders_landed"):
        assert stage.run("prepare", stop={"at": step, "how": "kill"}).how == "killed"
        assert stage.rows("SELECT COUNT(*) AS n FROM cj.planned") == [{"n": 0}]
    assert stage.received() == []
    # What is cut before CJ has seen it is to be planned again the next night: by key, since that night touches nothing.
    stage.sandbox.control.add_faults([{"kind": "cut_before", "path": "/graphql", "operation": "restateOrders"}])
    stage.play()
    stage.sandbox.control.clear_faults()
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    missing = {str(story.order_id) for story in stage.shop.stories if story.sent} - set(stage.posts())
    assert missing
    stage.sandbox.control.advance(20 * HOUR)
    assert stage.run("prepare", 1, stop={"at": "keys_read", "how": "kill"}).how == "killed"
    again = stage.play(1)
    assert again["summary"]["to_send"] == len(missing)
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_cj_holds_what_the_warehouse_says(stage.shop, stage.held())
    promises.assert_each_change_arrived_once(stage.shop, stage.received())
    promises.assert_all_matched(stage, stage.shop)
    with open_warehouse(WarehouseLocation(**stage.location)) as session:
        assert not session.has_table("main" if session.location.path else "public", "order_changes")
