"""A review that is killed at any of its steps leaves the one before it standing, and the next one comes to what it would have come to; the night sends each change once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from include.sandbox.process import SandboxProcess
from include.warehouse.base import WarehouseLocation
from tests.faults import promises
from tests.faults.night_shop import NightShop
from tests.faults.stage import HOUR, Driver, Stage

pytestmark = pytest.mark.timeout(900)

STEPS = ("after_ledger", "open_orders_listed", "batch_found", "batch_kept", "files_written", "before_review_commit", "after_review_commit")
ORDERS = "SELECT enterprise_id, action_tracker_id, order_id, finding, rule, at_stake, near FROM cj.prelock_orders WHERE review = :review ORDER BY order_id, action_tracker_id"


@pytest.fixture
def stage(
    faulty_cj: SandboxProcess, driver: Driver, new_shop: Callable[..., NightShop], tmp_path: Path, location: WarehouseLocation
) -> Iterator[Stage]:
    yield Stage(faulty_cj, driver, new_shop(), tmp_path, {name: value for name, value in asdict(location).items() if value}).raise_curtain()
    faulty_cj.control.clear_faults()


def newest(stage: Stage) -> dict[str, Any]:
    """The review that the pages show, with its orders."""
    (sweep,) = stage.rows("SELECT review, run_id, digest FROM cj.prelock_sweeps ORDER BY review DESC LIMIT 1")
    return sweep | {"orders": stage.rows(ORDERS, review=sweep["review"])}


def news(stage: Stage) -> list[dict[str, Any]]:
    return stage.rows("SELECT order_id, updated_at FROM cj.replan_news WHERE found_after IS NOT NULL ORDER BY order_id")


def test_killed_at_any_step_the_review_before_stands_and_the_next_is_whole(stage: Stage) -> None:
    stage.must("review", review="whole")
    whole, planned = newest(stage), news(stage)
    assert planned and {row["finding"] for row in whole["orders"]} >= {"to_send"}
    for step in STEPS:
        killed = stage.run("review", review=f"killed-{step}", stop={"at": step, "how": "kill"})
        assert killed.how == "killed", step
        now = newest(stage)
        assert now["run_id"] == (f"killed-{step}" if step == "after_review_commit" else whole["run_id"]), step
        assert (now["digest"], now["orders"]) == (whole["digest"], whole["orders"]), step
        stage.must("review", review=f"again-{step}")
        whole = newest(stage)
        assert (whole["run_id"], whole["digest"]) == (f"again-{step}", now["digest"]), step
        assert (whole["orders"], news(stage)) == (now["orders"], planned), step
        # Nothing is left of the one that was killed.
        assert stage.rows("SELECT DISTINCT review FROM cj.prelock_orders") == [{"review": whole["review"]}]
    assert stage.received() == []
    stage.play(run_id="night")
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_each_change_arrived_once(stage.shop, stage.received())


def test_a_night_that_is_planned_twice_still_has_what_a_review_found(stage: Stage) -> None:
    """The night whose interval touched nothing is killed before its plan is kept, and planned anew."""
    stage.must("review", review="whole")
    wanted = {row["order_id"] for row in news(stage)}
    assert stage.run("prepare", night=3, stop={"at": "before_commit", "how": "kill"}).how == "killed"
    for _ in range(2):
        prepared = stage.must("prepare", night=3)
    assert {row["order_id"] for row in stage.rows("SELECT order_id FROM cj.planned")} == wanted
    stage.submit_all(prepared, night=3)
    stage.must("publish", night=3)
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    assert set(stage.posts()) == wanted and set(stage.posts().values()) == {1}
