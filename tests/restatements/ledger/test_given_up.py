"""Before an order is given up CJ is read without the cursor once more: a record may have become visible behind it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from include.restatements.ledger.reading import SWEEP_BACK, LedgerRead, read_ledger
from tests.restatements.ledger.commission_detail import ACCOUNT, NOW, StandingClient, record
from tests.restatements.ledger.one_ledger import DAY, DEADLINE, SECOND, Ledger

HOUR = timedelta(hours=1)
SWEPT = NOW - 2 * HOUR
"""When it was read without the cursor last."""


def read(ledger: Ledger, processing: timedelta = HOUR, deadline: timedelta = DEADLINE) -> LedgerRead:
    ledger.cj.asked.clear()
    with ledger.cj.client(StandingClient) as client:
        return read_ledger(client, ACCOUNT, ledger.location, ledger_days=400, processing=processing, deadline=deadline)


def was_swept(ledger: Ledger) -> Ledger:
    ledger.was_read("sweep", SWEPT)
    ledger.was_read("cursor", NOW - HOUR)
    return ledger


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (NOW - DEADLINE + SECOND, "cursor"),
        (NOW - DEADLINE, "sweep"),
        (SWEPT - DEADLINE + SECOND, "sweep"),
        (SWEPT - DEADLINE, "cursor"),  # it was looked for then
    ],
)
@pytest.mark.parametrize("outcome", ["accepted", "unknown"])
def test_cj_is_read_whole_when_the_deadline_of_an_order_is_over_since(either: Ledger, outcome: str, sent: datetime, kind: str) -> None:
    was_swept(either).sent(sent, outcome, settled_at=NOW)
    assert read(either).kind == kind
    assert read(either).kind == "cursor"


@pytest.mark.parametrize(
    ("sent", "kind"), [(NOW - HOUR + SECOND, "cursor"), (NOW - HOUR, "sweep"), (SWEPT - HOUR + SECOND, "sweep"), (SWEPT - HOUR, "cursor")]
)
def test_and_when_the_hour_of_a_call_without_an_answer_is_over_since(either: Ledger, sent: datetime, kind: str) -> None:
    was_swept(either).sent(sent, "unknown")
    assert read(either).kind == kind
    assert read(either).kind == "cursor"


@pytest.mark.parametrize(
    "other",
    [{"outcome": "accepted"}, {"outcome": "rejected"}, {"settled_at": NOW}, {"mode": "test"}, {"advertiser_id": "another"}],
    ids=lambda other: "-".join(other),
)
def test_the_hour_gives_nothing_else_up(either: Ledger, other: dict[str, str]) -> None:
    was_swept(either).sent(NOW - HOUR, **{"outcome": "unknown"} | other)
    assert read(either).kind == "cursor"


@pytest.mark.parametrize(
    "other", [{"outcome": "rejected"}, {"mode": "test"}, {"advertiser_id": "another"}], ids=lambda other: "-".join(other)
)
def test_nor_does_the_deadline(either: Ledger, other: dict[str, str]) -> None:
    was_swept(either).sent(NOW - DEADLINE, **other)
    assert read(either).kind == "cursor"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("awaiting", "sweep"),
        ("late", "sweep"),
        ("matched", "cursor"),
        ("mismatched", "cursor"),
        ("missing", "cursor"),
        ("superseded", "cursor"),
    ],
)
def test_an_order_is_given_up_that_has_not_posted_yet(either: Ledger, status: str, kind: str) -> None:
    was_swept(either).sent(NOW - DEADLINE)
    either.judged(status, NOW - DEADLINE)
    assert read(either).kind == kind


def test_it_is_read_from_before_the_oldest_of_them_was_sent(either: Ledger) -> None:
    was_swept(either).sent(NOW - 10 * DAY + HOUR)
    either.sent(NOW - 10 * DAY, order_id="older")
    either.sent(SWEPT - 10 * DAY, order_id="looked for before")
    posted = NOW - 10 * DAY + HOUR
    either.cj.records = [record("7", posted)]
    assert read(either, deadline=10 * DAY - HOUR).kind == "sweep"
    assert (either.window().since, either.window().cursor, either.held()) == (NOW - 10 * DAY - SWEEP_BACK, None, ["7"])
