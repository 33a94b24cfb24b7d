"""Where each reading of Commission Detail begins and ends, and past which id it asks: each limit at its boundary and on both sides."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from include.domain.shapes import INSTANT
from include.restatements.ledger import reading
from include.restatements.ledger.reading import AHEAD, CARED_FOR, OVERLAP, SWEEP_BACK, SWEEP_EVERY, LedgerRead, read_ledger
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.ledger.commission_detail import ACCOUNT, NEAR, NOW, Asked, CommissionDetail, StandingClient, record, text

DAY, SECOND, TICK = timedelta(days=1), timedelta(seconds=1), timedelta(microseconds=1)


@dataclass
class Ledger:
    """One account's ledger in a warehouse, and the CJ it is read from."""

    location: WarehouseLocation
    cj: CommissionDetail

    def read(self, since: date | None = None, days: int = 400, processing: timedelta = AHEAD) -> LedgerRead:
        self.cj.asked.clear()
        with self.cj.client() as client:
            return read_ledger(client, ACCOUNT, self.location, ledger_days=days, since=since, processing=processing)

    def was_read(self, kind: str, until: datetime, cursor: str = "500", start: datetime | None = None) -> None:
        """A reading of the past, as the table has it."""
        row = {
            "advertiser_id": [ACCOUNT.advertiser_id], "cursor_commission_id": [cursor], "kind": [kind],
            "read_from": pa.array([start or until - DAY], INSTANT), "complete_until": pa.array([until], INSTANT), "records": [1],
            "read_at": pa.array([datetime.now(UTC)], INSTANT),
        }  # fmt: skip
        with open_warehouse(self.location) as session:
            session.create_tables()
            session.append("cj.ledger_reads", pa.table(row))

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with open_warehouse(self.location) as session:
            return [dict(row) for row in session.rows(sql)]

    def held(self) -> list[str]:
        return [str(row["id"]) for row in self.rows("SELECT commission_id AS id FROM cj.commissions ORDER BY LENGTH(commission_id), 1")]

    def window(self) -> Asked:
        (asked,) = [asked for asked in self.cj.asked if asked.ids is None]
        return asked


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with its tables, to be copied: they take longer to make than to read."""
    place = tmp_path_factory.mktemp("empty") / "warehouse.duckdb"
    with open_warehouse(WarehouseLocation("duckdb", path=str(place))) as session:
        session.create_tables()
    return place


@pytest.fixture
def ledger(empty: Path, tmp_path: Path) -> Ledger:
    place = shutil.copy(empty, tmp_path / "warehouse.duckdb")
    return Ledger(WarehouseLocation("duckdb", path=str(place)), CommissionDetail())


@pytest.fixture
def either(location: WarehouseLocation) -> Ledger:
    """In each kind of warehouse: for what SQL decides."""
    return Ledger(location, CommissionDetail())


def near(moment: datetime | None, expected: datetime) -> bool:
    assert moment is not None
    return abs(moment - expected) < NEAR


def test_the_lengths_are_those_that_were_decided() -> None:
    assert (2 * DAY, timedelta(hours=1), DAY, 3 * DAY) == (OVERLAP, AHEAD, SWEEP_EVERY, SWEEP_BACK)
    assert reading.MANY == 10_000


# -- the first reading -----------------------------------------------------------------------------------------------------------------


def test_the_first_reading_goes_back_as_many_days_as_it_is_told_and_an_hour_ahead_of_cjs_clock(ledger: Ledger) -> None:
    read = ledger.read(days=70)
    asked = ledger.cj.asked
    assert [a.cursor for a in asked] == [None] * 3
    assert near(asked[0].since, NOW - 70 * DAY)
    assert near(asked[-1].before, NOW + AHEAD)
    assert [(a.before - a.since) <= 31 * DAY for a in asked if a.before and a.since] == [True] * 3
    assert [a.before for a in asked[:-1]] == [a.since for a in asked[1:]]
    assert (read.kind, read.records, read.appended) == ("first", 0, 0)
    assert near(read.complete_until, NOW)  # never past CJ's present, though the window is


def test_each_window_of_a_first_reading_is_written_down_so_that_a_cut_one_goes_on(ledger: Ledger) -> None:
    ledger.cj.records = [record("7", NOW - 60 * DAY), record("31", NOW - DAY)]
    ledger.read(days=70)
    reads = ledger.rows("SELECT cursor_commission_id AS cursor, records, kind FROM cj.ledger_reads ORDER BY complete_until")
    assert [(r["cursor"], r["records"], r["kind"]) for r in reads] == [("7", 1, "first"), ("7", 0, "first"), ("31", 1, "first")]
    assert ledger.held() == ["7", "31"]


def test_the_windows_that_were_read_are_numbered_one_after_the_other(ledger: Ledger) -> None:
    ledger.cj.records = [record("7", NOW - DAY)]
    ledger.read(days=70)
    ledger.read()
    assert [r["reading"] for r in ledger.rows("SELECT reading FROM cj.ledger_reads ORDER BY reading")] == [1, 2, 3, 4]
    assert ledger.rows("SELECT reading FROM cj.commissions") == [{"reading": 3}]


def test_since_reads_everything_again_from_its_midnight_without_a_cursor_and_doubles_nothing(ledger: Ledger) -> None:
    ledger.cj.records = [record("499", NOW - 3 * DAY), record("501", NOW - 2 * DAY)]
    ledger.was_read("first", NOW - timedelta(hours=1))
    first = ledger.read(since=(NOW - 5 * DAY).date())
    assert ledger.window().since == datetime(2031, 3, 9, tzinfo=UTC)
    assert ledger.window().cursor is None
    assert (first.kind, first.records, first.appended) == ("first", 2, 2)
    again = ledger.read(since=(NOW - 5 * DAY).date())
    assert (again.records, again.appended, ledger.held()) == (2, 0, ["499", "501"])


def test_a_reading_since_does_not_turn_the_cursor_back(ledger: Ledger) -> None:
    ledger.was_read("first", NOW - timedelta(hours=1), cursor="900")
    ledger.cj.records = [record("499", NOW - 3 * DAY)]
    ledger.read(since=(NOW - 5 * DAY).date())
    ledger.cj.now = NOW + timedelta(hours=1)
    ledger.read()
    assert ledger.window().cursor == "900"


# -- the cursor ------------------------------------------------------------------------------------------------------------------------


def test_the_next_reading_asks_past_the_newest_id_from_two_days_before_the_last(either: Ledger) -> None:
    until = NOW - timedelta(hours=1)
    either.was_read("sweep", until, cursor="500")
    either.cj.records = [
        record("499", until - DAY),
        record("500", until - DAY),
        record("501", until - OVERLAP),
        record("502", until - OVERLAP - SECOND),
        record("503", NOW),
        record("504", NOW + AHEAD - 2 * NEAR),
        record("505", NOW + AHEAD + NEAR),
    ]
    read = either.read()
    assert (either.window().since, either.window().cursor, read.kind) == (until - OVERLAP, "500", "cursor")
    assert near(either.window().before, NOW + AHEAD)
    # What the last reading should have seen by date is a sweep's to find; what lies ahead of the window is the next one's.
    assert either.held() == ["501", "503", "504"]
    assert either.rows("SELECT cursor_commission_id AS c FROM cj.ledger_reads ORDER BY complete_until DESC LIMIT 1") == [{"c": "504"}]


@pytest.mark.parametrize(
    ("ids", "newest"),
    [(("9", "10"), "10"), (("10", "9"), "10"), (("99", "100"), "100"), (("101", "100"), "101"), (("8", "9"), "9"), (("9999999999", "10000000000"), "10000000000")],
)  # fmt: skip
def test_the_newest_id_is_the_longer_one_and_of_two_as_long_the_one_with_the_greater_digits(
    either: Ledger, ids: tuple[str, str], newest: str
) -> None:
    for cursor in ids:  # two windows of one reading, complete until the same moment
        either.was_read("first", NOW - timedelta(hours=1), cursor=cursor)
    either.read()
    assert either.window().cursor == newest
    assert either.rows("SELECT DISTINCT cursor_commission_id AS c FROM cj.ledger_reads WHERE kind = 'cursor'") == [{"c": newest}]


@pytest.mark.parametrize("last", ["9", "10", "99"])
def test_within_a_reading_the_newest_id_is_found_the_same_way(ledger: Ledger, last: str) -> None:
    ledger.was_read("first", NOW - timedelta(hours=1), cursor="8")
    ledger.cj.records = [record(i, NOW - SECOND) for i in dict.fromkeys(("9", last))]
    ledger.read()
    ledger.cj.now = NOW + timedelta(minutes=5)
    ledger.read()
    assert ledger.window().cursor == last


def test_a_reading_that_brings_nothing_keeps_the_cursor(ledger: Ledger) -> None:
    ledger.was_read("first", NOW - timedelta(hours=1), cursor="500")
    for minutes in (0, 5):
        ledger.cj.now = NOW + timedelta(minutes=minutes)
        ledger.read()
        assert ledger.window().cursor == "500"


# -- the sweep -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["first", "sweep"])
@pytest.mark.parametrize(("age", "kind"), [(SWEEP_EVERY - 2 * NEAR, "cursor"), (SWEEP_EVERY, "sweep"), (SWEEP_EVERY + NEAR, "sweep")])
def test_the_last_days_are_read_without_the_cursor_once_a_day(ledger: Ledger, before: str, age: timedelta, kind: str) -> None:
    ledger.was_read(before, NOW - age)
    last = NOW - timedelta(hours=1)
    ledger.was_read("cursor", last)
    assert ledger.read().kind == kind
    back, cursor = (SWEEP_BACK, None) if kind == "sweep" else (OVERLAP, "500")
    assert (ledger.window().since, ledger.window().cursor) == (last - back, cursor)


@pytest.mark.parametrize(("age", "kind"), [(SWEEP_EVERY - TICK, "cursor"), (SWEEP_EVERY, "sweep")])
def test_a_day_is_over_at_its_moment(ledger: Ledger, age: timedelta, kind: str) -> None:
    ledger.was_read("first", NOW - age)
    with ledger.cj.client(StandingClient) as client:
        assert read_ledger(client, ACCOUNT, ledger.location, ledger_days=400).kind == kind


def test_a_reading_by_the_cursor_does_not_put_the_sweep_off(either: Ledger) -> None:
    either.was_read("first", NOW - SWEEP_EVERY - SECOND)
    either.was_read("cursor", NOW - SECOND)
    assert either.read().kind == "sweep"
    either.cj.now = NOW + SWEEP_EVERY - 2 * NEAR
    assert either.read().kind == "cursor"
    either.cj.now = NOW + SWEEP_EVERY + NEAR
    assert either.read().kind == "sweep"


def test_a_sweep_finds_what_became_visible_behind_the_cursor_and_appends_it_once(either: Ledger) -> None:
    either.was_read("sweep", NOW - SWEEP_EVERY - SECOND, cursor="500")
    either.was_read("cursor", NOW - timedelta(hours=1), cursor="500")
    until = NOW - timedelta(hours=1)
    either.cj.records = [record("450", until - SWEEP_BACK), record("449", until - SWEEP_BACK - SECOND), record("501", NOW - SECOND)]
    read = either.read()
    assert (read.kind, read.records, read.appended, either.held()) == ("sweep", 2, 2, ["450", "501"])
    assert either.rows(
        "SELECT DISTINCT cursor_commission_id AS c FROM cj.ledger_reads WHERE complete_until > TIMESTAMPTZ '2031-03-14 11:30Z'"
    ) == [{"c": "501"}]


def test_a_sweep_goes_back_from_cjs_present_where_the_last_reading_was_by_a_clock_ahead_of_it(ledger: Ledger) -> None:
    ledger.was_read("first", NOW - SWEEP_EVERY)
    ledger.was_read("cursor", NOW + 20 * DAY)
    assert ledger.read().kind == "sweep"
    assert near(ledger.window().since, NOW - SWEEP_BACK)


# -- what CJ itself moves on a record ---------------------------------------------------------------------------------------------------


def asked_again(ledger: Ledger) -> list[str]:
    return sorted(i for asked in ledger.cj.asked for i in asked.ids or ())


@pytest.mark.parametrize("status", ["new", "extended"])
@pytest.mark.parametrize(("lock", "again"), [(-400 * DAY, True), (AHEAD - NEAR, True), (AHEAD + 2 * NEAR, False)])
def test_a_record_is_asked_for_again_once_its_lock_date_comes_within_the_hour(
    ledger: Ledger, status: str, lock: timedelta, again: bool
) -> None:
    ledger.cj.records = [record("7", NOW - DAY, actionStatus=status, lockingDate=text(NOW + lock))]
    ledger.read()
    ledger.read()
    assert asked_again(ledger) == (["7"] if again else [])


@pytest.mark.parametrize("status", ["locked", "closed"])
def test_what_is_locked_for_good_is_not_asked_for_again(ledger: Ledger, status: str) -> None:
    ledger.cj.records = [record("7", NOW - DAY, actionStatus=status, lockingDate=text(NOW - DAY))]
    ledger.read()
    ledger.read()
    assert asked_again(ledger) == []


@pytest.mark.parametrize(("lock", "again"), [(2 * DAY - NEAR, True), (2 * DAY + 2 * NEAR, False)])
def test_where_cj_takes_longer_than_an_hour_what_locks_meanwhile_is_asked_for_too(ledger: Ledger, lock: timedelta, again: bool) -> None:
    ledger.cj.records = [record("7", NOW - DAY, lockingDate=text(NOW + lock))]
    ledger.read()
    ledger.read(processing=2 * DAY)
    assert asked_again(ledger) == (["7"] if again else [])


def test_what_cj_moved_is_taken_over_and_nothing_else(either: Ledger) -> None:
    either.cj.records = [record("7", NOW - DAY, lockingDate=text(NOW - SECOND)), record("8", NOW - DAY, lockingDate=text(NOW - SECOND))]
    either.read()
    either.cj.records[0] |= {"actionStatus": "extended", "lockingDate": text(NOW + 30 * DAY), "saleAmountAdvCurrency": "99.00"}
    either.cj.records[1] |= {"actionStatus": "locked"}
    either.read()
    found = either.rows(
        "SELECT commission_id AS id, action_status AS status, locking_date AS locks, sale_amount AS sale FROM cj.commissions ORDER BY 1"
    )
    assert [(r["id"], r["status"], r["locks"], f"{r['sale']:.2f}") for r in found] == [
        ("7", "extended", NOW + 30 * DAY, "10.00"),
        ("8", "locked", NOW - SECOND, "10.00"),
    ]
    either.read()
    assert asked_again(either) == []


def test_however_many_lock_on_one_day_all_of_them_are_asked_for_before_anything_is_read(either: Ledger) -> None:
    either.cj.records = [record(str(n), NOW - DAY, lockingDate=text(NOW - SECOND)) for n in range(1, 20_002)]
    either.read(days=30)
    for due in either.cj.records:
        due["lockingDate"] = text(NOW + 30 * DAY)
    either.read(days=30)
    moved = either.rows("SELECT COUNT(*) AS n FROM cj.commissions WHERE locking_date > '2000-01-01' AND moved_reading = 2")
    assert moved[0]["n"] == 20_001


@pytest.mark.parametrize("ages", [(3,), (200,), (3, 33, 34, 35, 200), (3, 3)])
def test_records_of_any_age_are_asked_for_again_in_ranges_that_cj_takes(either: Ledger, ages: tuple[int, ...]) -> None:
    """Without a range CJ shows the past 24 hours alone."""
    either.cj.records = [record(str(n), NOW - age * DAY, lockingDate=text(NOW - SECOND)) for n, age in enumerate(ages, 1)]
    either.read()
    for due in either.cj.records:
        due["actionStatus"] = "locked"
    either.read()
    assert [row["status"] for row in either.rows("SELECT action_status AS status FROM cj.commissions")] == ["locked"] * len(ages)
    asked = [asked for asked in either.cj.asked if asked.ids]
    assert all(a.before is not None and a.since is not None and a.before - a.since <= 31 * DAY for a in asked)
    assert sorted(i for a in asked for i in a.ids or ()) == sorted(r["commissionId"] for r in either.cj.records)


def test_only_a_lock_date_that_was_moved_is_news_and_of_the_reading_that_follows(either: Ledger) -> None:
    either.cj.records = [record("7", NOW - DAY, lockingDate=text(NOW - SECOND)), record("8", NOW - DAY, lockingDate=text(NOW - SECOND))]
    either.read(days=30)
    either.cj.records[0] |= {"actionStatus": "extended", "lockingDate": text(NOW + 30 * DAY)}
    either.cj.records[1] |= {"actionStatus": "locked"}
    either.read(days=30)
    either.read(days=30)
    found = either.rows("SELECT commission_id AS id, moved_reading AS moved FROM cj.commissions ORDER BY 1")
    assert [(r["id"], r["moved"]) for r in found] == [("7", 2), ("8", None)]


VERDICT = {
    "run_id": "r", "advertiser_id": ACCOUNT.advertiser_id, "enterprise_id": "1", "action_tracker_id": 401, "order_id": "o-7", "updated_at": NOW,
    "operation": "restate", "attempts": 1, "within_band": False, "checked_at": NOW,
}  # fmt: skip
HELD = {
    "run_id": "r", "enterprise_id": "1", "action_tracker_id": 401, "order_id": "o-7", "updated_at": NOW, "stage": "eligibility",
}  # fmt: skip


@pytest.mark.parametrize("ago", [CARED_FOR - DAY, CARED_FOR + DAY])
@pytest.mark.parametrize(
    ("status", "reason", "at_cj", "cared_for"),
    [
        ("late", None, "new", True), ("late", None, "locked", True), ("late", None, "closed", False), ("missing", "unknown", "new", True),
        ("missing", "locked", "locked", True), ("missing", "closed", "new", False), ("matched", None, "new", False), ("mismatched", "amount", "new", False),
    ],
)  # fmt: skip
def test_cj_is_asked_whether_it_has_locked_what_did_not_arrive(
    either: Ledger, status: str, reason: str | None, at_cj: str, cared_for: bool, ago: timedelta
) -> None:
    """It may have locked it ahead of its date: then that is why, and sending it again is in vain."""
    either.cj.records = [record("7", NOW - DAY, actionStatus=at_cj, lockingDate=text(NOW + 30 * DAY))]
    either.read(days=30)
    with open_warehouse(either.location) as session:
        row = VERDICT | {"status": status, "reason": reason, "submitted_at": NOW - ago}
        session.append(
            "cj.reconciliation",
            pa.table(
                {
                    name: pa.array([value], INSTANT if isinstance(value, datetime) else None)
                    for name, value in row.items()
                    if value is not None
                }
            ),
        )
    either.read()
    assert asked_again(either) == (["7"] if cared_for and ago < CARED_FOR else [])


@pytest.mark.parametrize("ago", [CARED_FOR - DAY, CARED_FOR + DAY])
@pytest.mark.parametrize(
    ("reason", "at_cj", "cared_for"), [("locked", "locked", True), ("locked", "new", False), ("amount", "locked", False)]
)
def test_cj_is_asked_whether_it_has_extended_what_was_held_back_as_locked(
    either: Ledger, reason: str, at_cj: str, cared_for: bool, ago: timedelta
) -> None:
    either.cj.records = [
        record("7", NOW - DAY, actionStatus=at_cj, lockingDate=text(NOW + 30 * DAY)),
        record("8", NOW - DAY, actionStatus="locked"),
    ]
    either.read(days=30)
    with open_warehouse(either.location) as session:
        row = HELD | {"reason": reason, "quarantined_at": NOW - ago}
        session.append(
            "cj.quarantine",
            pa.table({name: pa.array([value], INSTANT if isinstance(value, datetime) else None) for name, value in row.items()}),
        )
    either.read()
    assert asked_again(either) == (["7"] if cared_for and ago < CARED_FOR else [])


# -- what is known of action trackers --------------------------------------------------------------------------------------------------


def test_each_reading_adds_up_what_was_new_of_each_tracker_and_the_sums_are_those_of_the_records(either: Ledger) -> None:
    sold = {
        "saleAmountAdvCurrency": "100.00",
        "advCommissionAmountAdvCurrency": "8.00",
        "cjFeeAdvCurrency": "2.00",
        "orderDiscountAdvCurrency": "5.00",
    }
    item = {
        "commissionItemId": "1",
        "sku": "A",
        "quantity": 1,
        "perItemSaleAmountAdvCurrency": "100.00",
        "totalCommissionAdvCurrency": "8.00",
    }
    either.cj.records = [
        record("1", NOW - DAY, **sold),
        record("2", NOW - DAY, **sold | {"items": [item]}),
        record("3", NOW - DAY, **sold | {"cjFeeAdvCurrency": None}),
        record("4", NOW - DAY, **sold | {"actionType": "bonus"}),
        record("5", NOW - DAY, **sold | {"actionTrackerId": "402"}),
    ]
    either.read(days=30)
    either.cj.records.append(record("6", NOW - DAY, **sold))
    either.read(days=30)
    turned = {"saleAmountAdvCurrency": "-100.00", "advCommissionAmountAdvCurrency": "-8.00", "cjFeeAdvCurrency": "-2.00", "original": False}
    either.cj.records += [
        record(n, NOW - DAY, **sold | turned | {"orderDiscountAdvCurrency": d}) for n, d in (("7", "5.00"), ("8", "-5.00"))
    ]
    either.read(days=30)
    added = "SELECT action_tracker_id AS tracker, reading, records, with_items, sale_amount, order_discount, commission FROM cj.tracker_readings"
    found = [tuple(int(v) for v in row.values()) for row in either.rows(f"{added} ORDER BY 2, 1")]
    assert found == [(401, 1, 3, 1, 200, 10, 20), (402, 1, 1, 0, 100, 5, 10), (401, 2, 1, 0, 100, 5, 10), (401, 3, 2, 0, -200, -10, -20)]


def test_a_ledger_from_before_there_were_such_sums_is_added_up_once(either: Ledger) -> None:
    sold = {"saleAmountAdvCurrency": "100.00", "advCommissionAmountAdvCurrency": "8.00", "cjFeeAdvCurrency": "2.00"}
    either.cj.records = [
        record("1", NOW - DAY, **sold),
        record("2", NOW - DAY, **sold | {"actionType": "perf_inc"}),
        record("3", NOW - DAY, **sold),
    ]
    either.read()
    before = either.rows("SELECT * FROM cj.tracker_readings")
    with open_warehouse(either.location) as session:
        session.execute("DELETE FROM cj.tracker_readings")
        session.create_tables(whole=True)
        session.create_tables(whole=True)
    assert either.rows("SELECT * FROM cj.tracker_readings") == before


# -- statistics ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("appended", "known"), [(3, False), (4, True), (5, True)])
def test_a_ledger_that_grew_by_many_is_known_to_the_planner(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch, appended: int, known: bool
) -> None:
    monkeypatch.setattr(reading, "MANY", 4)
    ledger = Ledger(WarehouseLocation("postgres", uri=postgres_database), CommissionDetail())
    ledger.cj.records = [record(str(n), NOW - DAY) for n in range(1, appended + 1)]
    ledger.read()
    found = ledger.rows(
        "SELECT CAST(c.reltuples AS bigint) AS n FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace "
        "WHERE s.nspname = 'cj' AND c.relname = 'commissions'"
    )
    assert (found[0]["n"] == appended) is known
