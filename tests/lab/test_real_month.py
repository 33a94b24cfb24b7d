"""A rehearsal plays the real loop against a real sandbox, and CJ must end with what the warehouse says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.demo.files import LATER
from include.demo.stage import move_to
from include.sandbox.process import start_sandbox
from include.warehouse.base import WarehouseLocation
from lab.real_month import (
    ChangeLog,
    held_by_sandbox,
    load_until,
    nights_until,
    operations_sent,
    play_on,
    rehearse,
    settings_for,
    verdict,
    write_seed_of,
)

END = datetime(2026, 11, 15, tzinfo=UTC)
NIGHTS = nights_until(END, 2)


def change(
    order_id: str, kind: str, at: datetime, quantity: int, *, placed: datetime | None = None, affiliate: bool = True
) -> dict[str, object]:
    items = [{"sku": "22423", "quantity": quantity, "unit_price": "12.75", "discount": "0.00"}] if quantity else None
    return {
        "enterprise_id": "1500001",
        "action_tracker_id": 401,
        "order_id": order_id,
        "change_type": kind,
        "event_time": placed or at,
        "updated_at": at,
        "amount": f"{quantity * 1275 // 100}.{quantity * 1275 % 100:02d}",
        "discount": "0.00",
        "currency": "GBP",
        "coupon": None,
        "items": items and json.dumps(items),
        "status": None,
        "correction_reason": None if kind == "new" else "ReturnedMerchandise",
        "cj_event": "a" * 32 if affiliate else None,
        "ad_id": None,
        "promotional_property_id": None,
        "sid": None,
        "custom_parameters": None,
        "vertical_parameters": None,
    }


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    before, first, second = NIGHTS[0].start - timedelta(days=2), NIGHTS[0].at(10), NIGHTS[1].at(10)
    rows = [
        change("before-still", "new", before, 3),
        change("before-returned", "new", before, 3),
        change("before-returned", "restated", second, 2, placed=before),
        change("before-cancelled", "new", before, 3),
        change("before-cancelled", "cancelled", first, 0, placed=before),
        change("new", "new", first, 5),
        change("new-returned", "new", first, 5),
        change("new-returned", "restated", second, 4, placed=first),
        change("new-returned", "restated", second, 1, placed=first),
        change("nobodys", "new", first, 5, affiliate=False),
    ]
    file = tmp_path / "log.parquet"
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file


def test_the_pixel_reports_earlier_orders_as_they_stood_and_later_ones_as_they_were_placed(tmp_path: Path, log_file: Path) -> None:
    assert write_seed_of(ChangeLog(log_file), tmp_path, NIGHTS, reported=1.0) == 5
    at_start = {row["order_id"]: row for row in pq.read_table(tmp_path / "orders.parquet").to_pylist()}
    later = {row["order_id"]: row for row in pq.read_table(tmp_path / LATER).to_pylist()}
    assert {order_id: row["amount"] for order_id, row in at_start.items()} == dict.fromkeys(
        ("before-still", "before-returned", "before-cancelled"), "38.25"
    )
    assert {order_id: row["amount"] for order_id, row in later.items()} == {"new": "63.75", "new-returned": "63.75"}


def test_a_night_knows_nothing_of_the_next_and_two_changes_in_one_instant_keep_their_order(tmp_path: Path, log_file: Path) -> None:
    log = ChangeLog(log_file)
    assert load_until(tmp_path / "w.duckdb", log, NIGHTS[0].end) == 7
    assert load_until(tmp_path / "w.duckdb", log, NIGHTS[1].end) == 10
    newest = [row for row in log.arrived(END).to_pylist() if row["order_id"] == "new-returned"][-1]
    assert str(newest["amount"]) == "12.7500000000"


def test_a_file_without_the_contracts_columns_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"order_id": ["A"]}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match="it lacks action_tracker_id, ad_id"):
        ChangeLog(tmp_path / "x.parquet")


@pytest.mark.parametrize(("reported", "created"), [(1.0, 0), (0.0, 2)])
def test_after_the_last_night_cj_holds_what_the_warehouse_says(tmp_path: Path, log_file: Path, reported: float, created: int) -> None:
    log, seed, warehouse = ChangeLog(log_file), tmp_path / "seed", tmp_path / "w.duckdb"
    write_seed_of(log, seed, NIGHTS, reported)
    with start_sandbox(tmp_path / "cj.sqlite", seed=seed) as sandbox:
        settings = settings_for(sandbox.url, tmp_path / "storage")
        rehearse(log, warehouse, NIGHTS, play_on(sandbox.control, seed, settings, WarehouseLocation("duckdb", path=str(warehouse))))
        comparison = verdict(warehouse, held_by_sandbox(sandbox.control), NIGHTS[0].start)
    assert comparison.differences == ()
    assert (comparison.orders, comparison.agreed, comparison.held_back) == (6, 5, {"skipped: not_in_cj": 1})
    assert operations_sent(warehouse).get("create", 0) == created
    assert operations_sent(warehouse)["cancel"] == 1


def test_the_pixel_reports_an_order_to_cj_when_its_time_comes_and_once(tmp_path: Path, log_file: Path) -> None:
    seed = tmp_path / "seed"
    write_seed_of(ChangeLog(log_file), seed, NIGHTS, reported=1.0)
    with start_sandbox(tmp_path / "cj.sqlite", seed=seed) as sandbox:
        assert move_to(sandbox.control, seed, NIGHTS[0].start) == 0
        assert len(list(sandbox.control.orders())) == 3
        assert move_to(sandbox.control, seed, NIGHTS[0].end) == 2
        assert move_to(sandbox.control, seed, NIGHTS[1].end) == 0
        assert len(list(sandbox.control.orders())) == 5
