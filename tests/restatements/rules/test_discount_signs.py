"""What an order comes to at CJ, whether the discount of a reversal carries a minus or not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from tests.restatements.rules.ground import POSTED, Ground

DAY = timedelta(days=1)


@pytest.fixture
def session(location: WarehouseLocation) -> Iterator[Session]:
    with open_warehouse(location) as opened:
        opened.create_tables()
        yield opened


@pytest.fixture
def here(session: Session) -> Ground:
    return Ground(session)


def state(ground: Ground) -> tuple[Any, ...]:
    (row,) = ground.session.rows("SELECT sale_amount, order_discount, order_discount_orig_currency, items_mark FROM cj.order_state")
    return tuple(row.values())


def states(ground: Ground, minus: bool, *told: tuple[str, str | None, int]) -> Ground:
    """The order's states one after the other, sale amount, discount and mark; each but the last taken back by the record beside the next."""
    for number, (sale, discount, mark) in enumerate(told):
        if number:
            sale_before, discount_before, mark_before = told[number - 1]
            back = discount_before and (f"-{discount_before}" if minus else discount_before)
            ground.record(
                posting_date=POSTED + number * DAY, original=False, sale_amount=f"-{sale_before}", order_discount=back, order_discount_orig_currency=back,
                items_mark=-mark_before,
            )  # fmt: skip
        ground.record(
            posting_date=POSTED + number * DAY, original=not number, sale_amount=sale, order_discount=discount, order_discount_orig_currency=discount,
            items_mark=mark,
        )  # fmt: skip
    return ground


@pytest.mark.parametrize("minus", [True, False])
@pytest.mark.parametrize(
    "told",
    [
        [("90.00", "10.00", 7)],
        [("90.00", "10.00", 7), ("45.00", "5.00", 3)],
        [("90.00", "10.00", 0), ("45.00", "5.00", 0), ("90.00", "10.00", 0)],
        [("90.00", "10.00", 7), ("90.00", "10.00", 7), ("90.00", "10.00", 7)],
        [("90.00", "10.00", 7), ("0.00", "0.00", 0)],
        [("90.00", None, 7), ("80.00", "10.00", 7)],
        [("90.00", "10.00", 7), ("100.00", "0.00", 7), ("0.00", "0.00", 0)],
        # A code of 100 per cent: nothing is sold, and the pieces are taken back.
        [("0.00", "20.00", 7), ("10.00", "10.00", 7)],
    ],
)
def test_an_order_comes_to_its_newest_state_with_and_without_a_minus(
    here: Ground, minus: bool, told: list[tuple[str, str | None, int]]
) -> None:
    sale, discount, mark = told[-1]
    expected = Decimal(discount or 0)
    assert state(states(here, minus, *told)) == (Decimal(sale), expected, expected, mark)


def test_an_account_may_hold_both_in_one_order(here: Ground) -> None:
    states(here, True, ("90.00", "10.00", 7), ("45.00", "5.00", 3))
    later = {"posting_date": POSTED + 9 * DAY, "original": False}
    here.record(**later, sale_amount="-45.00", order_discount="5.00", items_mark=-3).record(
        **later, sale_amount="20.00", order_discount="1.00", items_mark=1
    )
    assert state(here)[:2] == (Decimal(20), Decimal(1))


def test_an_older_correction_that_takes_back_a_part_adds_up_by_its_own_signs(here: Ground) -> None:
    states(here, True, ("90.00", "10.00", 7))
    here.record(posting_date=POSTED + DAY, original=False, sale_amount="-5.00", order_discount="5.00", items_mark=0)
    assert state(here)[:2] == (Decimal(85), Decimal(15))
    here.record(posting_date=POSTED + 2 * DAY, original=False, sale_amount="-40.00", order_discount="-5.00", items_mark=-3)
    assert state(here)[:2] == (Decimal(45), Decimal(10))
