"""What a typed setting may be: each bound holds on both sides, and a wrong value is answered in the words that the table shows."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from include.domain import kinds
from include.domain.errors import SettingError
from include.domain.kinds import Kind
from include.domain.states import Mode

ALL = {name: kind for name, kind in vars(kinds).items() if isinstance(kind, Kind)}

RIGHT: list[tuple[Kind, Any, Any]] = [
    (kinds.PATH, "/a/b.sql", "/a/b.sql"),
    (kinds.CONNECTION, "bucket", "bucket"),
    (kinds.MODE, "live", Mode.LIVE),
    (kinds.CONNECTIONS, '["cj", "cj_uk"]', ["cj", "cj_uk"]),
    (kinds.URL, "s3://bucket/cj/", "s3://bucket/cj"),
    (kinds.URL, "file:///var/cj", "file:///var/cj"),
    (kinds.WHOLE, "1", 1),
    (kinds.WHOLE, 2.0, 2),
    (kinds.WHOLE_OR_OFF, "20", 20),
    (kinds.WHOLE_OR_OFF, " Off ", None),
    (kinds.SHARE_OR_OFF, "0", Decimal(0)),
    (kinds.SHARE_OR_OFF, "1", Decimal(1)),
    (kinds.SHARE_OR_OFF, "off", None),
    (kinds.TIMES_OR_OFF, "1", Decimal(1)),
    (kinds.TIMES_OR_OFF, 2.5, Decimal("2.5")),
    (kinds.TIMES_OR_OFF, "off", None),
    (kinds.AMOUNT_OR_OFF, "0", Decimal(0)),
    (kinds.AMOUNT_OR_OFF, "OFF", None),
    (kinds.NOTIFIERS, "[]", ()),
    (kinds.NOTIFIERS, '[{"notifier": "a.B", "to": "x"}]', ({"notifier": "a.B", "to": "x"},)),
    (kinds.ORDERS, 1, 1),
    (kinds.ORDERS, "10000", 10_000),
    (kinds.RATIO, "0", Decimal(0)),
    (kinds.RATIO, "1", Decimal(1)),
    (kinds.RATIO, 0.1, Decimal("0.1")),
    (kinds.BAND, "0", Decimal(0)),
    (kinds.BAND, "0.999", Decimal("0.999")),
    (kinds.AMOUNT, "0", Decimal(0)),
    (kinds.AMOUNT, 1000.5, Decimal("1000.5")),
    (kinds.MINUTES, "0", 0),
    (kinds.MINUTES, 5_256_000, 5_256_000),
    (kinds.HOURS, 0.5, 0.5),
    (kinds.HOURS, "87600", 87_600),
    (kinds.DAY_OF_MONTH, "1", 1),
    (kinds.DAY_OF_MONTH, "28", 28),
    (kinds.DAYS, "1", 1),
    (kinds.DAYS, "3650", 3650),
    (kinds.DAYS_FROM_A_YEAR, "365", 365),
    (kinds.DAYS_FROM_A_YEAR, 3650, 3650),
    (kinds.FLAG, " On ", True),
    (kinds.FLAG, False, False),
    (kinds.FIELDS, "[]", frozenset()),
    (kinds.FIELDS, ["coupon"], frozenset({"coupon"})),
    (kinds.REGION, "us", "us"),
    (kinds.DESK_HOURS, "06:00-17:00", (time(6), time(17))),
    (kinds.DATES, '["2026-12-24"]', frozenset({date(2026, 12, 24)})),
    (kinds.MOMENT, "2026-03-02T16:00:00+01:00", datetime(2026, 3, 2, 15, tzinfo=UTC)),
    (kinds.WORDS, " Data  Transfer ", "Data Transfer"),
    (kinds.ADDRESSES, '["a@example.org"]', ("a@example.org",)),
    (kinds.OPEN_ENDED_STATUS, "Pending", "Pending"),
]

WRONG: list[tuple[Kind, Any]] = [
    (kinds.REGION, "fr"),
    (kinds.DESK_HOURS, "17:00-09:00"),
    (kinds.DESK_HOURS, "09:00"),
    (kinds.DATES, '["24.12.2026"]'),
    (kinds.MOMENT, "2026-03-02T16:00:00"),
    (kinds.MOMENT, "yesterday"),
    (kinds.WORDS, "  "),
    (kinds.ADDRESSES, '["a"]'),
    (kinds.ADDRESSES, '["a@b.example, c@d.example"]'),
    (kinds.MODE, "dry"),
    (kinds.CONNECTIONS, "cj"),
    (kinds.CONNECTIONS, "[]"),
    (kinds.CONNECTIONS, '["cj", ""]'),
    (kinds.CONNECTIONS, '["cj", "cj"]'),
    (kinds.CONNECTIONS, '{"cj": 1}'),
    (kinds.URL, "/var/cj"),
    (kinds.URL, "file://relative/x"),
    (kinds.URL, "file:///"),
    (kinds.WHOLE, "0"),
    (kinds.WHOLE_OR_OFF, "0"),
    (kinds.WHOLE_OR_OFF, "no"),
    (kinds.SHARE_OR_OFF, "1.01"),
    (kinds.SHARE_OR_OFF, "-0.01"),
    (kinds.SHARE_OR_OFF, "5 %"),
    (kinds.TIMES_OR_OFF, "0.9"),
    (kinds.AMOUNT_OR_OFF, "-1"),
    (kinds.NOTIFIERS, "mail"),
    (kinds.NOTIFIERS, '{"notifier": "a.B"}'),
    (kinds.NOTIFIERS, '[{"notifier": "mail"}]'),
    (kinds.NOTIFIERS, '[{"to": "x"}]'),
    (kinds.WHOLE, "1.5"),
    (kinds.ORDERS, 0),
    (kinds.ORDERS, "10001"),
    (kinds.RATIO, "-0.01"),
    (kinds.RATIO, "1.01"),
    (kinds.RATIO, "nan"),
    (kinds.BAND, "-0.01"),
    (kinds.BAND, "1"),
    (kinds.AMOUNT, "-0.01"),
    (kinds.AMOUNT, "1.000,00"),
    (kinds.MINUTES, "-1"),
    (kinds.MINUTES, "5256001"),
    (kinds.HOURS, "87601"),
    (kinds.HOURS, "soon"),
    (kinds.DAY_OF_MONTH, "0"),
    (kinds.DAY_OF_MONTH, "29"),
    (kinds.DAYS, "0"),
    (kinds.DAYS, "3651"),
    (kinds.DAYS_FROM_A_YEAR, "364"),
    (kinds.DAYS_FROM_A_YEAR, "3651"),
    (kinds.FLAG, "maybe"),
    (kinds.FIELDS, '["amount"]'),
    (kinds.FIELDS, 1),
    (kinds.OPEN_ENDED_STATUS, "accepted"),
]


@pytest.mark.parametrize(("kind", "typed", "value"), RIGHT)
def test_a_value_that_may_be_is_read(kind: Kind, typed: Any, value: Any) -> None:
    found = kind.read(typed, "Variable cj_x")
    assert found == value
    assert type(found) is type(value) or isinstance(value, int)


@pytest.mark.parametrize(("kind", "typed"), WRONG)
def test_a_value_that_may_not_be_is_answered_with_what_may(kind: Kind, typed: Any) -> None:
    with pytest.raises(SettingError) as caught:
        kind.read(typed, "Variable cj_x")
    assert str(caught.value) == f"Variable cj_x is {typed!r}; it must be {kind.may_be}."


def test_no_kind_was_left_out() -> None:
    assert {id(kind) for kind in ALL.values()} == {id(kind) for kind, _, _ in RIGHT}
    anything = {id(kinds.PATH), id(kinds.CONNECTION)}
    assert {id(kind) for kind in ALL.values()} - anything == {id(kind) for kind, _ in WRONG}
