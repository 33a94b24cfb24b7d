"""The demo shop is the same every time, looks like a real shop's year, and holds one of everything."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from include.demo import year
from include.demo.files import SEED_ORDERS, write_shop, write_warehouse
from include.demo.orders import FIXED_DATE, Line, Order, cents_text
from include.demo.shop import Shop, open_shop
from include.demo.story_types import Night
from include.domain.states import Operation, Skip, Stage, Status
from include.sandbox.faults import checked

NIGHT = datetime(2026, 11, 19, tzinfo=UTC)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return open_shop(NIGHT)


def touched(shop: Shop, night: Night) -> dict[str, dict[str, object]]:
    """Newest row of each order touched in the interval, as the warehouse would give it."""
    rows: dict[str, dict[str, object]] = {}
    for change in sorted(shop.changes, key=lambda c: c.at):
        if change.at < night.end:
            rows[change.order.order_id] = change.row()
    return {row["order_id"]: row for row in rows.values() if row["updated_at"] >= night.start}  # type: ignore[misc,operator]


def test_the_same_night_gives_the_same_bytes(tmp_path: Path) -> None:
    digests = []
    for copy in ("one", "two"):
        shop = open_shop(NIGHT, 1_000)
        write_shop(tmp_path / f"{copy}.duckdb", tmp_path / copy, shop)
        with duckdb.connect(str(tmp_path / f"{copy}.duckdb")) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            rows = connection.execute("SELECT * FROM order_changes").fetchall()
        files = sorted((tmp_path / copy).iterdir())
        digests.append((hashlib.sha256(repr(rows).encode()).hexdigest(), [hashlib.sha256(f.read_bytes()).hexdigest() for f in files]))
        assert [f.name for f in files] == ["accounts.json", "faults.json", "later.parquet", "orders.parquet", "storyline.json"]
    assert digests[0] == digests[1]


def test_another_night_is_the_same_shop_moved_in_time(shop: Shop) -> None:
    later = open_shop(NIGHT + timedelta(days=7))
    assert [change.order.order_id for change in later.changes] == [change.order.order_id for change in shop.changes]
    assert all(there.at - here.at == timedelta(days=7) for here, there in zip(shop.changes, later.changes, strict=True))


def test_nothing_is_dated_after_the_night_it_is_planned_in_but_the_row_that_is_wrong_for_it(shop: Shop) -> None:
    placed = [(row["order_id"], change.at, row["event_time"]) for change in shop.changes if (row := change.row())]
    end = shop.story.nights[-1].end
    future = [name for name, at, event in placed if at >= end or (isinstance(event, datetime) and event >= end)]
    assert [shop.story.dirt[str(order_id)] for order_id in future] == ["placed in the future"]


def test_orders_are_shaped_like_the_real_years(shop: Shop) -> None:
    new = [c for c in shop.changes if c.kind == "new" and c.order.lines and c.order.order_id not in shop.story.dirt]
    lines = [len(c.order.lines or ()) for c in new]
    assert 17 < statistics.mean(lines) < 24
    assert 12 <= statistics.median(lines) <= 17
    assert year.OVER_100_ITEMS * 0.6 < sum(n > 100 for n in lines) / len(lines) < year.OVER_100_ITEMS * 1.6
    prices = [line.unit_price for c in new for line in c.order.lines or ()]
    assert 150 <= statistics.median(prices) <= 250
    assert 5 <= statistics.median(line.quantity for c in new for line in c.order.lines or ()) <= 7
    amounts = [c.order.amount for c in new]
    assert 20_000 < statistics.median(amounts) < 42_000

    rows = [c for c in shop.changes if c.at >= shop.story.nights[-1].start]
    share = sum(c.kind != "new" for c in rows) / len(rows)
    assert year.ROWS_THAT_ARE_CHANGES * 0.8 < share < year.ROWS_THAT_ARE_CHANGES * 1.5
    ages = [(c.at - c.order.placed).total_seconds() / 86_400 for c in rows if c.kind != "new"]
    assert 5 < statistics.median(ages) < 12
    assert sum(age > 60 for age in ages) / len(ages) > 0.08, "returns come months later"


def test_most_orders_are_nobodys_and_three_currencies_are_dealt_in(shop: Shop) -> None:
    tonight = touched(shop, shop.story.nights[-1]).values()
    assert 0.25 < sum(row["cj_event"] is not None for row in tonight) / len(tonight) < 0.38
    currencies = Counter(row["currency"] for row in tonight if row["order_id"] not in shop.story.dirt)
    assert set(currencies) == {"USD", "GBP", "EUR"}
    assert min(currencies.values()) > 300


@pytest.mark.parametrize("orders", [1_000, 5_000])
def test_dirty_rows_stay_below_the_gates_five_percent_on_every_night(orders: int) -> None:
    shop = open_shop(NIGHT, orders)
    for night in shop.story.nights:
        rows = touched(shop, night)
        dirty = sum(order_id in shop.story.dirt or (row["items"] or "").count('"sku"') > 100 for order_id, row in rows.items())  # type: ignore[attr-defined]
        assert dirty / len(rows) < 0.05


def test_a_shop_too_small_for_its_dirt_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1000 orders"):
        open_shop(NIGHT, 999)


def test_clean_orders_add_up_to_the_cent(shop: Shop) -> None:
    for change in shop.changes:
        row = change.row()
        if row["order_id"] in shop.story.dirt or not row["items"]:
            continue
        items = json.loads(str(row["items"]))
        total = sum((Decimal(i["unit_price"]) * i["quantity"] - Decimal(i["discount"]) for i in items), Decimal(0))
        assert total == row["amount"], row["order_id"]
        assert row["discount"] is None or Decimal(0) <= row["discount"] <= total  # type: ignore[operator]


def test_the_storyline_shows_every_status_stage_reason_and_skip(shop: Shop) -> None:
    def states(table: str) -> set[str]:
        return {case.state for case in shop.story.cases if case.table == table}

    def reasons(table: str, state: str) -> set[str]:
        return {reason for case in shop.story.cases if (case.table, case.state) == (table, state) for reason in case.reasons}

    assert states("submissions") == set(Operation)
    assert states("reconciliation") == set(Status)
    assert states("quarantine") | {Stage.VALIDATION} == set(Stage)
    assert states("skipped") == set(Skip) - {Skip.SUPERSEDED}
    assert reasons("reconciliation", "mismatched") == {"amount", "discount", "items", "coupon", "correction_reason", "validation_status"}
    assert reasons("reconciliation", "missing") >= {"locked", "duplicate", "wrong_action_tracker", "unknown"}
    assert reasons("quarantine", "eligibility") >= {
        "locked",
        "closed",
        "not_in_cj",
        "not_commissionable",
        "wrong_action_tracker",
        "status_required",
        "coupon",
        "discount",
        "items",
    }


def test_every_case_has_one_answer(shop: Shop) -> None:
    assert [case.name for case in shop.story.cases if len(case.reasons) > 1] == []


def test_every_case_and_every_fault_names_orders_that_are_in_the_log(shop: Shop) -> None:
    in_log = {change.order.order_id for change in shop.changes}
    for case in shop.story.cases:
        assert case.order_ids and set(case.order_ids) <= in_log, case.name
    for fault in shop.story.faults:
        assert fault["order_ids"] and set(fault["order_ids"]) <= in_log, fault
        checked(fault)  # the sandbox takes it
    assert shop.story.refused == shop.story.case("refused in Test Mode").order_ids


def test_a_case_about_tonight_is_touched_tonight_and_a_missing_one_two_nights_ago(shop: Shop) -> None:
    tonight, two_nights_ago = touched(shop, shop.story.nights[2]), touched(shop, shop.story.nights[0])
    for case in shop.story.cases:
        if case.table in ("quarantine", "skipped", "submissions"):
            assert set(case.order_ids) <= set(tonight), case.name
        if case.name.startswith("missing"):
            assert set(case.order_ids) <= set(two_nights_ago), case.name
            assert not set(case.order_ids) & set(tonight), case.name


def test_orders_of_a_case_are_held_or_unknown_at_cj_as_the_case_says(shop: Shop) -> None:
    held = {held.order.order_id: held for held in shop.pixel}
    sent = {change.order.order_id: change.order.tracker for change in shop.changes}
    runs_at = shop.story.nights[-1].runs_at
    for name in (
        "not_in_cj",
        "missed",
        "changed before it was sent",
        "skipped: not_in_cj",
        "skipped: never_sent",
    ):
        assert not set(shop.story.case(name).order_ids) & set(held), name
    for name in ("returned", "cancelled", "locked", "closed", "not_commissionable", "wrong_action_tracker", "skipped: unchanged"):
        assert set(shop.story.case(name).order_ids) <= set(held), name
    assert all(held[o].locking < runs_at for o in shop.story.case("locked").order_ids)  # type: ignore[operator]
    assert all(held[o].locking > shop.story.nights[0].runs_at for o in shop.story.case("missing: locked").order_ids)  # type: ignore[operator]
    for name in ("missing: duplicate", "missing: wrong_action_tracker"):
        assert all(held[o].posted < shop.story.nights[0].runs_at < held[o].appears for o in shop.story.case(name).order_ids)  # type: ignore[operator]
    assert all(held[o].order.tracker != sent[o] for o in shop.story.case("missing: wrong_action_tracker").order_ids)
    assert all(held[o].order.tracker == sent[o] for o in shop.story.case("missing: duplicate").order_ids)


def test_the_warehouse_of_a_night_does_not_know_the_next_one(tmp_path: Path, shop: Shop) -> None:
    first = shop.story.nights[0]
    written = write_warehouse(tmp_path / "w.duckdb", shop.changes, until=first.runs_at)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        found = connection.execute("SELECT count(*), max(updated_at) < ?::timestamptz FROM order_changes", [first.runs_at]).fetchone()
    assert found == (written, True)
    assert written < len(shop.changes)


def test_tables_have_the_contracts_columns_and_types(tmp_path: Path, shop: Shop) -> None:
    write_shop(tmp_path / "w.duckdb", tmp_path / "seed", shop)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        columns = dict(
            connection.execute("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'order_changes'").fetchall()
        )
    assert list(columns) == [
        *("enterprise_id", "action_tracker_id", "order_id", "change_type", "event_time", "updated_at", "amount", "discount", "currency"),
        *("coupon", "items", "status", "correction_reason", "cj_event", "ad_id", "promotional_property_id", "sid"),
        *("custom_parameters", "vertical_parameters"),
    ]
    assert columns["amount"] == columns["discount"] == "DECIMAL(38,10)"
    assert columns["event_time"] == columns["updated_at"] == "TIMESTAMP WITH TIME ZONE"
    seed = pq.read_table(tmp_path / "seed" / "orders.parquet")
    assert seed.schema == SEED_ORDERS
    assert len(set(zip(seed["action_tracker_id"].to_pylist(), seed["order_id"].to_pylist(), strict=True))) == seed.num_rows


def test_a_partial_return_leaves_something_and_takes_something() -> None:
    order = Order("SO-1", FIXED_DATE, NIGHT, "USD", (Line("a", 3, 1_000, 300), Line("b", 1, 50)), discount=2_700)
    for share in (0.001, 0.2, 0.5, 0.999):
        left = order.partly_returned(share)
        assert 0 < left.amount < order.amount
        assert left.discount is not None and left.discount <= left.amount
    assert order.partly_returned(0.999).lines == (Line("a", 1, 1_000, 100),)


def test_a_single_piece_is_refunded_in_part_instead() -> None:
    order = Order("SO-1", FIXED_DATE, NIGHT, "USD", (Line("a", 1, 1_000),))
    assert order.partly_returned(0.5).lines == (Line("a", 1, 900),)


@pytest.mark.parametrize(("cents", "text"), [(0, "0.00"), (5, "0.05"), (1234, "12.34")])
def test_cents_are_written_as_money(cents: int, text: str) -> None:
    assert cents_text(cents) == text
