"""The row about a round of verdicts, from bare rows: each figure of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.restatements.rules.ground import HOUR, SECOND, SENT, UPDATED, Ground

STATUSES = ("awaiting", "late", "matched", "mismatched", "missing", "superseded")


def test_a_round_that_looked_at_nothing_has_a_row_of_nothing(ground: Ground) -> None:
    row = ground.verdict(checked_at=SENT - SECOND, submitted_amount="5.00", posted_at=SENT).told(SENT)
    assert [row[name] for name in ("orders", *STATUSES)] == [0] * 7
    assert [row[name] for name in ("submitted_amount", "matched_amount", "commission_at_risk")] == [0] * 3
    assert [row[f"posting_lag_{name}_seconds"] for name in ("p50", "p90", "p99", "max")] == [None] * 4
    assert row["other_basis_matches_all"] is False
    assert (row["reconciliation_run_id"], row["checked_at"], row["report"]) == ("round", SENT, "report.html")


@pytest.mark.parametrize("status", STATUSES)
def test_the_orders_of_the_round_are_counted_by_their_verdict(ground: Ground, status: str) -> None:
    """Each status another number of times."""
    for times, other in enumerate(STATUSES, start=2):
        for number in range(times):
            ground.verdict(order_id=f"{other}-{number}", status=other)
    row = ground.told(SENT)
    assert row["orders"] == 27
    assert row[status] == 2 + STATUSES.index(status)


def test_the_amounts_are_those_of_their_verdicts(ground: Ground) -> None:
    for place, status in enumerate(STATUSES):
        amount = Decimal(10) ** place
        ground.verdict(order_id=status, status=status, submitted_amount=amount, commission_at_risk=amount / 100)
    row = ground.told(SENT)
    assert (row["submitted_amount"], row["matched_amount"]) == (Decimal(111_111), Decimal(100))
    assert row["commission_at_risk"] == Decimal("110.00")  # of what is mismatched and what is missing


def test_the_lag_is_from_sending_to_posting(ground: Ground) -> None:
    for minutes in range(101):
        ground.verdict(order_id=f"o-{minutes}", posted_at=SENT + timedelta(minutes=minutes))
    ground.verdict(order_id="not-posted")
    row = ground.told(SENT)
    assert [row[f"posting_lag_{name}_seconds"] / 60 for name in ("p50", "p90", "p99", "max")] == pytest.approx([50, 90, 99, 100])


DISCOUNTED: dict[str, Any] = {"discount": "10.00"}
EXPLAINED = {"status": "mismatched", "reason": "amount", "difference": "-10.00"}


def basis(ground: Ground, *orders: tuple[dict[str, Any], dict[str, Any]]) -> bool:
    """Whether the other meaning of CJ's sale amount would explain every difference of these orders: what was sent, and its verdict."""
    for number, (sent, verdict) in enumerate(orders):
        ground.sent(order_id=f"o-{number}", **sent).verdict(order_id=f"o-{number}", **verdict)
    found: bool = ground.told(SENT)["other_basis_matches_all"]
    return found


@pytest.mark.parametrize(
    ("sent", "verdict", "other_basis"),
    [
        (DISCOUNTED, EXPLAINED, True),
        (DISCOUNTED, EXPLAINED | {"difference": "10.00"}, True),
        (DISCOUNTED, EXPLAINED | {"difference": "-10.01"}, False),
        (DISCOUNTED, EXPLAINED | {"reason": "discount"}, False),
        (DISCOUNTED, {"status": "matched", "difference": "0.00"}, False),
        (DISCOUNTED, EXPLAINED | {"status": "missing"}, False),
        (DISCOUNTED, EXPLAINED | {"operation": "cancel"}, False),
        (DISCOUNTED, EXPLAINED | {"within_band": True}, False),
        ({"discount": "0.00"}, EXPLAINED | {"difference": "0.00"}, False),
        ({}, EXPLAINED, False),
        ({"discount": "1.00"}, EXPLAINED | {"difference": "1.00"}, True),
        # The attempt that was judged is asked, and no other.
        (DISCOUNTED | {"updated_at": UPDATED - HOUR}, EXPLAINED, False),
        (DISCOUNTED | {"plan_number": 5}, EXPLAINED, False),
    ],
)
def test_an_amount_that_differs_by_its_discount_speaks_for_the_other_meaning_of_cjs_amounts(
    ground: Ground, sent: dict[str, Any], verdict: dict[str, Any], other_basis: bool
) -> None:
    assert basis(ground, (sent, verdict)) is other_basis


@pytest.mark.parametrize(
    ("sent", "verdict", "counts"),
    [
        (DISCOUNTED, {"status": "matched"}, True),
        (DISCOUNTED, EXPLAINED | {"difference": "-9.00"}, True),
        (DISCOUNTED, EXPLAINED | {"status": "mismatched", "reason": "coupon"}, True),
        ({}, {"status": "matched"}, False),
        ({"discount": "0.00"}, {"status": "matched"}, False),
        (DISCOUNTED, {"status": "late"}, False),
        (DISCOUNTED, {"status": "matched", "operation": "cancel"}, False),
        (DISCOUNTED, {"status": "matched", "within_band": True}, False),
        (DISCOUNTED | {"updated_at": UPDATED - HOUR}, {"status": "matched"}, False),
        (DISCOUNTED | {"plan_number": 5}, {"status": "matched"}, False),
    ],
)
def test_it_is_so_only_if_every_order_with_a_discount_speaks_for_it(
    ground: Ground, sent: dict[str, Any], verdict: dict[str, Any], counts: bool
) -> None:
    assert basis(ground, (DISCOUNTED, EXPLAINED), (DISCOUNTED, EXPLAINED), (sent, verdict)) is not counts
