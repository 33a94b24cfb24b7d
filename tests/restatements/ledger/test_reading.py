"""Where each reading of Commission Detail begins and ends, and past which id it asks: each limit at its boundary and on both sides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.restatements.ledger import reading
from include.restatements.ledger.reading import AHEAD, OVERLAP, SWEEP_BACK, SWEEP_EVERY, read_ledger
from include.warehouse.base import WarehouseLocation
from tests.restatements.ledger.commission_detail import ACCOUNT, NEAR, NOW, CommissionDetail, StandingClient, record
from tests.restatements.ledger.one_ledger import DAY, DEADLINE, SECOND, TICK, Ledger


def near(moment: datetime | None, expected: datetime) -> bool:
    assert moment is not None
    return abs(moment - expected) < NEAR


def test_the_lengths_are_those_that_were_decided() -> None:
    assert (2 * DAY, timedelta(hours=1), DAY, 3 * DAY) == (OVERLAP, AHEAD, SWEEP_EVERY, SWEEP_BACK)
    assert reading.CARED_FOR == 45 * DAY


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
        assert read_ledger(client, ACCOUNT, ledger.location, ledger_days=400, deadline=DEADLINE).kind == kind


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


# -- statistics ------------------------------------------------------------------------------------------------------------------------


def test_a_ledger_that_grew_by_a_tenth_is_known_to_the_planner_and_what_a_night_adds_to_it_costs_no_look_at_all_of_it(
    postgres_database: str,
) -> None:
    ledger = Ledger(WarehouseLocation("postgres", uri=postgres_database), CommissionDetail())
    known = []
    for records in (5_000, 5_050, 12_000):
        ledger.cj.records = [record(str(n), NOW - DAY) for n in range(1, records + 1)]
        ledger.read()
        found = ledger.rows(
            "SELECT CAST(c.reltuples AS bigint) AS n FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace "
            "WHERE s.nspname = 'cj' AND c.relname = 'commissions'"
        )
        known.append(found[0]["n"])
    assert known == [5_000, 5_000, 12_000]
