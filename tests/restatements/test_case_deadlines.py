"""When CJ's answer is due, over weekends, holidays and daylight saving, in both readings of 72 business hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from include.restatements.cases.deadlines import closes_at, due
from include.restatements.cases.desk import DESKS, calendar_of
from include.restatements.settings import Settings

SETTINGS = Settings(accounts=(), storage="file:///nowhere")
US, UK = calendar_of(SETTINGS), calendar_of(replace(SETTINGS, case_region="uk"))
PACIFIC, LONDON = ZoneInfo("America/Los_Angeles"), ZoneInfo("Europe/London")


def there(text: str, zone: ZoneInfo = PACIFIC) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("filed", "early", "late"),
    [
        # Monday morning: three days later; the desk's 72 hours are six and a half days of eleven hours.
        ("2026-03-16 09:00", "2026-03-19 09:00", "2026-03-24 15:00"),
        # Over a weekend.
        ("2026-03-19 09:00", "2026-03-24 09:00", "2026-03-27 15:00"),
        # Filed on a Saturday: time runs from Monday.
        ("2026-03-21 15:00", "2026-03-26 00:00", "2026-03-31 12:00"),
        # Before the desk opens, and after it has closed.
        ("2026-03-16 02:00", "2026-03-19 02:00", "2026-03-24 12:00"),
        ("2026-03-16 20:00", "2026-03-19 20:00", "2026-03-25 12:00"),
        # Thanksgiving, Thursday 26 November 2026.
        ("2026-11-24 09:00", "2026-11-30 09:00", "2026-12-03 15:00"),
        # Independence Day 2026 is a Saturday: Friday the 3rd is off.
        ("2026-07-01 09:00", "2026-07-07 09:00", "2026-07-10 15:00"),
        # Over the beginning and the end of daylight saving, which are Sundays: the clock there says the same.
        ("2026-03-05 09:00", "2026-03-10 09:00", "2026-03-13 15:00"),
        ("2026-10-29 09:00", "2026-11-03 09:00", "2026-11-06 15:00"),
    ],
)
def test_the_us_desk(filed: str, early: str, late: str) -> None:
    until = due(there(filed), US)
    assert until.early == there(early)
    assert until.late == there(late)
    assert until.early.tzinfo is UTC


def test_the_usual_answer_is_due_a_business_day_earlier() -> None:
    until = due(there("2026-03-16 09:00"), US)
    assert until.usual == there("2026-03-18 09:00")


def test_where_the_hours_of_a_desk_are_not_known_there_is_no_late_reading_and_none_is_invented() -> None:
    # Good Friday and Easter Monday 2026 are the 3rd and 6th of April.
    until = due(there("2026-04-02 09:00", LONDON), UK)
    assert (until.early, until.late) == (there("2026-04-09 09:00", LONDON), None)
    assert DESKS["uk"].hours is None
    known = calendar_of(replace(SETTINGS, case_region="uk", case_desk_hours=(time(9), time(17))))
    assert due(there("2026-04-13 09:00", LONDON), known).late == there("2026-04-23 17:00", LONDON)


def test_days_are_added_to_the_holidays_and_taken_away() -> None:
    closed = calendar_of(replace(SETTINGS, case_days_closed=frozenset({date(2026, 3, 17)})))
    assert due(there("2026-03-16 09:00"), closed).early == there("2026-03-20 09:00")
    working = calendar_of(replace(SETTINGS, case_days_open=frozenset({date(2026, 11, 26)})))
    assert due(there("2026-11-24 09:00"), working).early == there("2026-11-27 09:00")


def test_an_answered_case_closes_after_72_hours_by_the_clock() -> None:
    answered = there("2026-03-06 17:00")
    assert closes_at(answered) - answered == timedelta(hours=72)
    # Daylight saving begins meanwhile: the clock there shows an hour more.
    assert closes_at(answered) == there("2026-03-09 18:00")


def test_every_desk_says_where_it_is_from() -> None:
    assert all(desk.source and desk.line and ZoneInfo(desk.zone) for desk in DESKS.values())
