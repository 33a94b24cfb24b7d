"""Moving CJ through the demo's nights gives the same play however long each night took to play."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from include.demo.files import APPEARS_AT, SEED_ORDERS, TOKEN, write_seed_tables
from include.demo.orders import ENTERPRISE, FIXED_DATE
from include.demo.stage import move_to
from include.sandbox.app import PROCESS_EVERY_SECONDS
from include.sandbox.control import SandboxControl
from include.sandbox.process import SandboxProcess, start_sandbox
from tests.sandbox.shop import Shop

NIGHT = datetime(2026, 11, 19, 1, tzinfo=UTC)


def pixel_order(order_id: str, appears: datetime) -> dict[str, Any]:
    row = dict.fromkeys(SEED_ORDERS.names) | {"enterprise_id": ENTERPRISE, "action_tracker_id": FIXED_DATE, "order_id": order_id}
    return row | {"amount": "10.00", "event_time": NIGHT - timedelta(hours=3), "posted_at": NIGHT - timedelta(hours=2), APPEARS_AT: appears}


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """One order that the pixel reports ten minutes into the night, and one 20 seconds into it."""
    rows = [pixel_order("late", NIGHT + timedelta(minutes=10)), pixel_order("at-once", NIGHT + timedelta(seconds=20))]
    schema = pa.schema([*SEED_ORDERS, (APPEARS_AT, pa.timestamp("us", tz="UTC"))])
    write_seed_tables(tmp_path / "seed", pa.Table.from_pylist(rows, schema), NIGHT)
    return tmp_path / "seed"


@pytest.fixture
def sandbox(tmp_path: Path, seed: Path) -> Iterator[SandboxProcess]:
    with start_sandbox(tmp_path / "cj.sqlite", seed=seed, delay_seconds=1_500) as started:
        yield started


class Slow(SandboxControl):
    """On a busy machine seeding takes its time; CJ works off what is due meanwhile."""

    def seed(self, *given: Any, **named: Any) -> dict[str, int]:
        time.sleep(3 * PROCESS_EVERY_SECONDS)
        return super().seed(*given, **named)


def test_the_pixel_that_reported_first_is_first_at_cj_however_slow_the_machine(sandbox: SandboxProcess, seed: Path) -> None:
    control = Slow(sandbox.url)
    move_to(control, seed, NIGHT)
    shop = Shop(sandbox.url, control, TOKEN, ENTERPRISE)
    shop.send("create", [shop.order("create", "late", actionTrackerId=FIXED_DATE, amount="12.00")])
    shop.http.close()
    assert move_to(control, seed, NIGHT + timedelta(minutes=50)) == 2
    assert [(s["order_id"], s["posted"], s["drop_reason"]) for s in control.submissions()] == [("late", False, "duplicate")]
    assert {o["order_id"]: o["amount"] for o in control.orders()} == {"late": "10.00", "at-once": "10.00"}


def test_what_the_pixel_reports_while_a_night_is_played_is_not_passed_over(sandbox: SandboxProcess, seed: Path) -> None:
    move_to(sandbox.control, seed, NIGHT)
    sandbox.control.advance(30)  # so many seconds the night took
    assert move_to(sandbox.control, seed, NIGHT + timedelta(minutes=1)) == 1
    assert [o["order_id"] for o in sandbox.control.orders()] == ["at-once"]
    assert move_to(sandbox.control, seed, NIGHT + timedelta(minutes=50)) == 1


def test_a_night_that_is_not_over_shows_nothing_of_the_next(sandbox: SandboxProcess, seed: Path) -> None:
    assert move_to(sandbox.control, seed, NIGHT + timedelta(seconds=20)) == 0
    assert move_to(sandbox.control, seed, NIGHT + timedelta(seconds=21)) == 1
    assert sandbox.control.clock() >= NIGHT + timedelta(seconds=21)
