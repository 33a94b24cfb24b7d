"""Whether CJ's order ids and the warehouse's meet, from bare rows: at each boundary and on both sides."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.restatements.rules.ground import HOUR, SECOND, UPDATED, Ground


def strangers(ground: Ground, cj: int, warehouse: int, *, met: int = 0, **other: Any) -> bool:
    """Whether the ids hardly meet, where CJ has `cj` orders that the warehouse does not, the warehouse `warehouse`, and `met` are in both."""
    for number in range(warehouse + met):
        ground.order(position=number, order_id=f"ours-{number}", change_type="new", was_new=True, **other)
    for number in range(met):
        ground.record(order_id=f"ours-{number}", event_date=UPDATED)
    for number in range(cj):
        ground.record(order_id=f"theirs-{number}", event_date=UPDATED)
    found = {row["ids_hardly_meet"] for row in ground.plan()}
    assert len(found) == 1
    return bool(found.pop())


@pytest.mark.parametrize(
    ("cj", "warehouse", "met", "hardly"),
    [
        (10, 10, 0, True), (9, 10, 0, False), (10, 9, 0, False), (50, 50, 0, True), (0, 50, 0, False), (50, 0, 10, False),
        (10, 10, 1, True), (10, 10, 2, False), (19, 19, 2, True), (18, 18, 2, False), (500, 18, 2, False), (18, 500, 2, False),
    ],
)  # fmt: skip
def test_ids_hardly_meet_where_neither_side_knows_the_other_and_neither_is_small(
    ground: Ground, cj: int, warehouse: int, met: int, hardly: bool
) -> None:
    assert strangers(ground, cj, warehouse, met=met) == hardly


@pytest.mark.parametrize(
    "other", [{"attributed": False}, {"was_new": False}, {"change_type": "cancelled"}, {"before_ledger": True}, {"advertiser_id": "3"}]
)
def test_what_would_not_be_created_tells_nothing_about_ids(ground: Ground, other: dict[str, Any]) -> None:
    for number in range(20):
        ground.order(position=number, order_id=f"ours-{number}", **({"change_type": "new", "was_new": True} | other))
        ground.record(order_id=f"theirs-{number}", event_date=UPDATED)
    assert not any(row["ids_hardly_meet"] for row in ground.plan())


@pytest.mark.parametrize(
    ("placed", "hardly"), [(-12 * HOUR, True), (-12 * HOUR - SECOND, False), (12 * HOUR - SECOND, True), (12 * HOUR, False)]
)
def test_only_cjs_orders_of_the_runs_own_days_are_compared(ground: Ground, placed: timedelta, hardly: bool) -> None:
    for number in range(20):
        ground.order(position=number, order_id=f"ours-{number}", change_type="new", was_new=True)
        ground.record(order_id=f"theirs-{number}", event_date=UPDATED + placed)
    assert {row["ids_hardly_meet"] for row in ground.plan()} == {hardly}


def test_what_we_sent_ourselves_is_not_strange_and_a_share_of_zero_says_nothing(ground: Ground) -> None:
    assert strangers(ground, 20, 20)
    assert not any(row["ids_hardly_meet"] for row in ground.plan(ids_must_meet=Decimal(0)))
    assert {row["cj_ids"] for row in ground.plan()} == {"theirs-0, theirs-9"}
    for number in range(11):
        ground.sent(order_id=f"ours-{number}", operation="create")
    assert not any(row["ids_hardly_meet"] for row in ground.plan())
