"""What CJ moves on a record is asked for again in time; and what readings add up of each action tracker."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from include.restatements.ledger.reading import AHEAD, CARED_FOR
from include.sql import filled
from include.warehouse.base import Params, open_warehouse
from tests.restatements.ledger.commission_detail import ACCOUNT, NEAR, NOW, record, text
from tests.restatements.ledger.one_ledger import DAY, SECOND, Ledger


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


@pytest.mark.parametrize("ages", [(3,), (200,), (3, 33, 34, 35, 200), (3, 3), (3, 34)])
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


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        ("locked", "new", True),
        ("locked", "extended", True),
        ("locked", "closed", False),
        ("new", "extended", False),
        ("new", "locked", False),
    ],
)
def test_a_record_that_cj_unlocks_is_news_though_its_lock_date_stays(either: Ledger, before: str, after: str, news: bool) -> None:
    either.cj.records = [record("7", NOW - DAY, actionStatus=before, lockingDate=text(NOW + 1800 * SECOND))]
    either.read()
    either.held_back(HELD | LOCKED | {"quarantined_at": NOW})
    either.cj.records[0] |= {"actionStatus": after}
    either.read()
    (found,) = either.rows("SELECT action_status AS status, moved_reading AS moved FROM cj.commissions")
    assert (found["status"], found["moved"] is not None) == (after, news)


HELD = {
    "run_id": "r", "enterprise_id": "1", "action_tracker_id": 401, "order_id": "o-7", "updated_at": NOW, "stage": "eligibility",
}  # fmt: skip
LOCKED = {"reason": "locked", "rule": "locked", "plan_number": 1}


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
    either.judged(status, NOW - ago, reason, "o-7")
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
    either.held_back(HELD | {"reason": reason, "quarantined_at": NOW - ago})
    either.read()
    assert asked_again(either) == (["7"] if cared_for and ago < CARED_FOR else [])


def due(ledger: Ledger, until: datetime, cared_for_since: datetime) -> list[str]:
    moments: Params = {"advertiser_id": ACCOUNT.advertiser_id, "until": until, "cared_for_since": cared_for_since}
    with open_warehouse(ledger.location) as session:
        rows = session.rows(filled("ledger_due"), moments)
    return [str(row["commission_id"]) for row in rows]


@pytest.mark.parametrize(("past", "again"), [(-SECOND, []), (0 * SECOND, ["7"]), (SECOND, ["7"])])
def test_a_lock_date_has_come_at_its_moment(either: Ledger, past: timedelta, again: list[str]) -> None:
    either.cj.records = [record("7", NOW - DAY, lockingDate=text(NOW))]
    either.read(days=30)
    assert due(either, NOW + past, NOW) == again


@pytest.mark.parametrize(("after", "again"), [(0 * SECOND, []), (SECOND, ["7"])])
def test_what_was_sent_and_held_back_is_cared_for_until_its_moment(either: Ledger, after: timedelta, again: list[str]) -> None:
    either.cj.records = [record("7", NOW - DAY, actionStatus="locked")]
    either.read(days=30)
    either.judged("late", NOW + after, order_id="o-7")
    assert due(either, NOW, NOW) == again
    with open_warehouse(either.location) as session:
        session.execute("DELETE FROM cj.reconciliation")
    either.held_back(HELD | {"reason": "locked", "quarantined_at": NOW + after})
    assert due(either, NOW, NOW) == again


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
