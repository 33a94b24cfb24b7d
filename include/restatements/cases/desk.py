"""CJ's support by region: its line, the hours of its desk, and the days it has off.

CJ publishes neither its own holidays nor the hours of every desk: the country's holidays are taken, and what is known better is a setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from include.restatements.cases.kinds import KNOWN_REASON
from include.restatements.settings import Settings

LONGEST = timedelta(days=366)
"""No deadline is looked for beyond it."""


@dataclass(frozen=True)
class Desk:
    """`hours` are local, Monday to Friday; None where no source says them."""

    country: str
    part: str | None
    """Of the country, where its holidays differ."""
    zone: str
    clock: str
    """What its clock is called."""
    line: str
    """The telephone number."""
    hours: tuple[time, time] | None
    source: str


DESKS: dict[str, Desk] = {
    "us": Desk(
        "US", None, "America/Los_Angeles", "Pacific", "1-800-761-1072", (time(6), time(17)),
        "CJ blog, Contacting CJ Affiliate Client Services: 6:00 am to 5:00 pm Pacific, Monday through Friday",
    ),
    "uk": Desk("GB", "ENG", "Europe/London", "London", "+44 (0)208 785 5870", None, "CJ support page for the United Kingdom: the line; it says no hours"),
}  # fmt: skip
"""Where each is from is in its row."""

_WEEKDAYS = 5


@dataclass(frozen=True)
class Calendar:
    """A desk with the days it is closed."""

    desk: Desk
    hours: tuple[time, time] | None
    closed: frozenset[date]
    """Days that are no holidays of the country, and off at CJ."""
    open: frozenset[date]
    """Holidays of the country on which CJ works."""

    def business_days(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Each business day from `start` on, from midnight to midnight there."""
        yield from self._spans(start, time(0), None)

    def desk_hours(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The hours of the open desk from `start` on; none where they are not known."""
        if self.hours is not None:
            yield from self._spans(start, *self.hours)

    def _spans(self, start: datetime, begins: time, ends: time | None) -> Iterator[tuple[datetime, datetime]]:
        zone = ZoneInfo(self.desk.zone)
        day, last = start.astimezone(zone).date(), start.astimezone(zone).date() + LONGEST
        while day <= last:
            following = day + timedelta(days=1)
            if self.is_business_day(day):
                begin = datetime.combine(day, begins, zone)
                yield begin, datetime.combine(day, ends, zone) if ends is not None else datetime.combine(following, time(0), zone)
            day = following

    def is_business_day(self, day: date) -> bool:
        """Monday to Friday and no holiday."""
        if day.weekday() >= _WEEKDAYS or day in self.closed:
            return False
        from holidays import country_holidays

        return day in self.open or day not in country_holidays(self.desk.country, subdiv=self.desk.part, years=day.year)


def calendar_of(settings: Settings) -> Calendar:
    """The calendar of the region that is set."""
    desk = DESKS[settings.case_region]
    return Calendar(desk, settings.case_desk_hours or desk.hours, settings.case_days_closed, settings.case_days_open)


@dataclass(frozen=True)
class Filing:
    """What goes into CJ's form besides the words of a case. `line` is whom to call, and when."""

    case_reason: str | None
    sub_reason: str | None
    cc: tuple[str, ...]
    line: str


def filing_of(settings: Settings, *, is_request: bool) -> Filing:
    """As the settings have it; of a request for a subscription the one pair of reasons that is known."""
    reason, sub_reason = KNOWN_REASON if is_request else (settings.case_reason, settings.case_sub_reason)
    return Filing(reason, sub_reason, settings.case_cc, line_of(settings))


def line_of(settings: Settings) -> str:
    """The telephone line, with the hours of its desk as far as they are known."""
    calendar = calendar_of(settings)
    hours = f"{calendar.hours[0]:%H:%M} to {calendar.hours[1]:%H:%M} {calendar.desk.clock}" if calendar.hours else "hours not published"
    return f"{settings.case_line or calendar.desk.line} ({settings.case_region.upper()}; Monday to Friday, {hours})"
