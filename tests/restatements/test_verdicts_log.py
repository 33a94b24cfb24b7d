"""Every change of a verdict is appended to cj.verdicts_log, once, on both warehouses, whatever is repeated or rebuilt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.restatements.rebuild import rebuild
from include.restatements.reconcile import reconcile
from include.sandbox.process import SandboxProcess, start_sandbox
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.model.world import BEGIN
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import placed

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def slow_cj(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A CJ that takes forty hours over an order."""
    with start_sandbox(tmp_path_factory.mktemp("cj") / "state.sqlite", delay_seconds=40 * 3600, rate_limit=False) as sandbox:
        yield sandbox


@pytest.fixture
def world(slow_cj: SandboxProcess, location: WarehouseLocation, tmp_path: Path) -> WorldOn:
    """An order was sent half an hour ago."""
    made = WorldOn(slow_cj, tmp_path / "world", location)
    made.append([placed()])
    night = made.prepare(BEGIN - timedelta(days=9), made.now())
    made.submit(night)
    made.publish(night)
    made.advance(HOUR / 2)
    return made


def log(world: WorldOn) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM cj.verdicts_log ORDER BY order_id, updated_at, change")


def changes(world: WorldOn) -> list[tuple[Any, ...]]:
    return [tuple(row[c] for c in ("change", "status_before", "reason_before", "status", "reason")) for row in log(world)]


def through_to_missing(world: WorldOn) -> None:
    world.reconcile()
    world.advance(2 * HOUR)
    world.reconcile()
    world.advance(36 * HOUR)
    world.reconcile()


def test_a_state_that_waits_is_late_goes_missing_and_arrives_has_four_rows(world: WorldOn) -> None:
    through_to_missing(world)
    world.advance(4 * HOUR)
    world.reconcile()
    assert changes(world) == [
        (1, None, None, "awaiting", None),
        (2, "awaiting", None, "late", None),
        (3, "late", None, "missing", "unknown"),
        (4, "missing", "unknown", "matched", None),
    ]
    verdict = world.rows("SELECT * FROM cj.reconciliation")[0]
    last = log(world)[-1]
    assert {name: verdict[name] for name in last if name not in ("change", "status_before", "reason_before")} == {
        name: last[name] for name in last if name not in ("change", "status_before", "reason_before")
    }
    assert (last["posted_amount"], last["difference"], last["commission_at_risk"]) == (Decimal("100.00"), 0, 0)
    assert [row["posted_amount"] for row in log(world)[:3]] == [None] * 3


def test_a_reconciliation_that_finds_nothing_new_appends_nothing(world: WorldOn) -> None:
    for _ in range(3):
        world.reconcile()
        world.advance(timedelta(minutes=1))
    assert changes(world) == [(1, None, None, "awaiting", None)]


def test_a_rebuild_that_judges_as_before_appends_nothing_and_one_that_judges_anew_one_row(world: WorldOn) -> None:
    through_to_missing(world)
    before = log(world)
    rebuild(world.settings, world.location)
    assert log(world) == before
    world.advance(4 * HOUR)
    rebuild(world.settings, world.location)
    assert log(world)[:-1] == before
    assert changes(world)[-1] == (4, "missing", "unknown", "matched", None)


def test_where_there_was_no_log_it_starts_with_the_verdict_that_changes(world: WorldOn) -> None:
    world.reconcile()
    first = log(world)
    with open_warehouse(world.location) as session:
        session.execute("DELETE FROM cj.verdicts_log")
    world.reconcile()
    assert log(world) == []
    world.advance(2 * HOUR)
    world.reconcile()
    assert changes(world) == [(1, None, None, "awaiting", None), (2, "awaiting", None, "late", None)]
    assert log(world)[0] | {"checked_at": None} == first[0] | {"checked_at": None}


def test_a_round_whose_verdicts_are_not_kept_leaves_no_row(world: WorldOn) -> None:
    def stop(name: str) -> None:
        if name == "before_verdicts_commit":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        reconcile(world.settings, world.location, "check", stop)
    assert log(world) == world.rows("SELECT * FROM cj.reconciliation") == []
