"""When CJ pays what locked in a month, and between which days the partner credits it.

CJ pays affiliates on the 1st of the month what the advertiser has locked, and Aspire credits it within 2 to 5 business days (CJ Affiliate Integration
Guide). Sources name other days as well: both are settings. Business days are Monday to Friday: whose holidays would count no source says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.domain.locking import lock_of

PAYMENT_SOURCE = (
    "CJ Affiliate Integration Guide (Aspire): CJ pays affiliates on the 1st of the month; another day is cj_partner_payment_day"
)
NOT_SET = "not set"
"""The locking month of what has no lock date yet."""


@dataclass(frozen=True)
class LockingMonth:
    """A month in which records lock, its first moment, and what follows from it: days as midnight UTC, None where no day is set."""

    begins: datetime
    label: str
    payable_on: datetime | None
    credit_from: datetime | None
    credit_until: datetime | None


def locking_month(moment: datetime, payment_day: int, credited_after: tuple[int, int]) -> LockingMonth:
    """The month of a lock date. `payment_day` is the day of the month after it, `credited_after` the first and last business day after that."""
    begins = datetime(moment.year, moment.month, 1, tzinfo=UTC)
    if lock_of(moment) is None:
        return LockingMonth(begins, NOT_SET, None, None, None)
    payable = next_month(begins).replace(day=payment_day)
    first, last = (business_days_after(payable, days) for days in credited_after)
    return LockingMonth(begins, f"{begins:%Y-%m}", payable, first, last)


def next_month(begins: datetime) -> datetime:
    """The first moment of the month after."""
    return (begins.replace(day=28) + timedelta(days=4)).replace(day=1)


def business_days_after(day: datetime, days: int) -> datetime:
    """The day that many business days later; of 0 the day itself."""
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    return day
