"""What a setting that somebody typed may be: in words, and how it is read.

The words stand in the README's table of Variables and end the sentence about a wrong value, so neither can say what the other does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from include.domain.account import MAX_ORDERS_PER_REQUEST
from include.domain.errors import SettingError
from include.domain.money import money
from include.domain.states import Mode

NULLABLE_FIELDS = frozenset({"coupon", "discount", "items"})
LONGEST = timedelta(days=3650)
"""No setting needs to look further back or wait longer, and no date of a run leaves the calendar."""


@dataclass(frozen=True)
class Kind:
    """`parse` raises ValueError or TypeError for what is not `may_be`, which goes on from "must be"."""

    may_be: str
    parse: Callable[[Any], Any]

    def read(self, value: Any, where: str) -> Any:
        """The value. Raises SettingError, which says `where` it is written down."""
        try:
            return self.parse(value)
        except (ValueError, TypeError):
            raise SettingError(f"{where} is {value!r}; it must be {self.may_be}.") from None


def _number(value: Any) -> Decimal:
    # JSON gives a run's number as a float; its shortest text is what the person typed.
    return money(repr(value) if isinstance(value, float) else value)


def _checked(allowed: bool, value: Any) -> Any:
    if not allowed:
        raise ValueError
    return value


def _between(least: int, most: float | None = None) -> Callable[[Any], Decimal]:
    def parse(value: Any) -> Decimal:
        number = _number(value)
        return Decimal(_checked(least <= number and (most is None or number <= most), number))

    return parse


def _whole(most: int | None = None, least: int = 1) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        number = _between(least, most)(value)
        return int(_checked(number == number.to_integral_value(), number))

    return parse


def _below_one(value: Any) -> Decimal:
    number = _number(value)
    return Decimal(_checked(0 <= number < 1, number))


def _or_off(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if str(value).strip().lower() == "off" else parse(value)


def _notifiers(value: Any) -> tuple[dict[str, Any], ...]:
    rows = value if isinstance(value, (list, tuple)) else json.loads(value)
    dotted = isinstance(rows, (list, tuple)) and all(isinstance(row, dict) and "." in str(row.get("notifier", "")) for row in rows)
    return tuple(_checked(dotted, rows))


def _dates(value: Any) -> frozenset[date]:
    return frozenset(date.fromisoformat(text) for text in _json_list(value))


def _desk_hours(value: Any) -> tuple[time, time]:
    begin, end = (time.fromisoformat(part.strip()) for part in str(value).split("-"))
    return _checked(begin < end and begin.tzinfo is None and end.tzinfo is None, begin), end


def _words(value: Any) -> str:
    text = " ".join(str(value).split())
    return str(_checked(bool(text), text))


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(str(value))
    return _checked(moment.tzinfo is not None, moment).astimezone(UTC)


def _addresses(value: Any) -> tuple[str, ...]:
    return tuple(_checked("@" in text and "," not in text, text.strip()) for text in _json_list(value))


def _length(unit: timedelta) -> Kind:
    longest = LONGEST // unit
    return Kind(f"a number from 0 to {longest} (ten years)", lambda value: float(_between(0, longest)(value)))


def _json_list(value: Any) -> list[str]:
    names = value if isinstance(value, (list, tuple)) else json.loads(value)
    return list(_checked(isinstance(names, (list, tuple)) and all(isinstance(name, str) and name for name in names), names))


def _connections(value: Any) -> list[str]:
    names = _json_list(value)
    return list(_checked(bool(names) and len(set(names)) == len(names), names))


def _fields(value: Any) -> frozenset[str]:
    names = frozenset(_json_list(value))
    return frozenset(_checked(names <= NULLABLE_FIELDS, names))


def _flag(value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    word = str(value).strip().lower()
    return words[str(_checked(word in words, word))]


def _url(value: Any) -> str:
    scheme, mark, rest = str(value).partition("://")
    # A URL's first part is a host: file://relative/x would be the folder /x.
    whole = scheme != "file" or (rest.startswith("/") and bool(rest.strip("/")))
    return str(_checked(bool(mark) and whole, str(value).rstrip("/")))


PATH = Kind("a path", str)
MODE = Kind("'test' or 'live'", lambda value: Mode(str(value)))
CONNECTION = Kind("a connection's id", str)
CONNECTIONS = Kind('a JSON list of connection ids, at least one and each once, like ["cj", "cj_uk"]', _connections)
URL = Kind("a URL like file:///absolute/path or s3://bucket/cj", _url)
WHOLE = Kind("a whole number of at least 1", _whole())
ORDERS = Kind(f"a whole number from 1 to {MAX_ORDERS_PER_REQUEST}, the orders CJ takes in a request", _whole(MAX_ORDERS_PER_REQUEST))
WHOLE_OR_OFF = Kind("a whole number of at least 1, or 'off'", _or_off(_whole()))
RATIO = Kind("between 0 (one bad row stops the night) and 1 (nothing does)", _between(0, 1))
SHARE_OR_OFF = Kind("a share from 0 to 1, like 0.05 for five per cent, or 'off'", _or_off(_between(0, 1)))
TIMES_OR_OFF = Kind("a number of at least 1, or 'off'", _or_off(_between(1)))
BAND = Kind("at least 0 and below 1, like 0.03 for three per cent", _below_one)
AMOUNT = Kind("an amount of money of zero or more, like 1000.50", _between(0))
AMOUNT_OR_OFF = Kind("an amount of money of zero or more, like 1000.50, or 'off'", _or_off(_between(0)))
MINUTES = _length(timedelta(minutes=1))
HOURS = _length(timedelta(hours=1))
DAYS = Kind(f"a whole number from 1 to {LONGEST.days} (ten years)", _whole(LONGEST.days))
DAYS_FROM_A_YEAR = Kind(f"a whole number of days from 365 to {LONGEST.days} (ten years)", _whole(LONGEST.days, 365))
DAY_OF_MONTH = Kind("a whole number from 1 to 28, which every month has", _whole(28))
NOTIFIERS = Kind(
    'a JSON list of notifiers, each with its dotted name and what it is made with, like [{"notifier": "airflow.providers.smtp.notifications.smtp.SmtpNotifier", "to": "…"}]',
    _notifiers,
)
REGION = Kind("'us' or 'uk'", lambda value: _checked(value in ("us", "uk"), str(value)))
DESK_HOURS = Kind("from and to, like 06:00-17:00", _desk_hours)
MOMENT = Kind("a time with its zone, like 2026-03-02T15:00:00+00:00", _moment)
DATES = Kind('a JSON list of dates, like ["2026-12-24"]', _dates)
WORDS = Kind("some words", _words)
ADDRESSES = Kind('a JSON list of e-mail addresses, like ["orders@example.org"]', _addresses)
FLAG = Kind("true or false", _flag)
FIELDS = Kind('a JSON list out of "coupon", "discount", "items"', _fields)
OPEN_ENDED_STATUS = Kind(
    "'Pending' or 'Accepted' (which locks the order)", lambda value: _checked(value in ("Pending", "Accepted"), str(value))
)
