"""When CJ pays what locked in a month, and between which business days the partner credits it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.partners.calendar import NOT_SET, business_days_after, locking_month, next_month


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("lock", "payment_day", "payable", "first", "last"),
    [
        ("2026-03-11T09:00", 1, "2026-04-01", "2026-04-03", "2026-04-08"),  # a Wednesday
        ("2026-07-31T23:59", 1, "2026-08-01", "2026-08-04", "2026-08-07"),  # a Saturday
        ("2026-08-01T00:00", 1, "2026-09-01", "2026-09-03", "2026-09-08"),
        ("2026-12-31T00:00", 1, "2027-01-01", "2027-01-05", "2027-01-08"),
        ("2026-03-11T09:00", 20, "2026-04-20", "2026-04-22", "2026-04-27"),
        ("2026-01-31T09:00", 28, "2026-02-28", "2026-03-03", "2026-03-06"),
    ],
)
def test_it_is_payable_on_the_payment_day_of_the_month_after_and_credited_business_days_later(
    lock: str, payment_day: int, payable: str, first: str, last: str
) -> None:
    month = locking_month(day(lock), payment_day, (2, 5))
    assert (month.label, month.begins) == (lock[:7], day(f"{lock[:7]}-01"))
    assert (month.payable_on, month.credit_from, month.credit_until) == (day(payable), day(first), day(last))


def test_an_open_ended_lock_date_sets_no_day() -> None:
    month = locking_month(day("2099-12-31"), 1, (2, 5))
    assert (month.label, month.payable_on, month.credit_from, month.credit_until) == (NOT_SET, None, None, None)


def test_no_business_day_later_is_the_day_itself() -> None:
    assert business_days_after(day("2026-08-01"), 0) == day("2026-08-01")
    assert next_month(day("2026-12-01")) == day("2027-01-01")
