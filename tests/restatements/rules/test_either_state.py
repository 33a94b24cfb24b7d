"""Of two converted states that were sent, a single record since is of either: it says no rate, and proves neither."""

from __future__ import annotations

from typing import Any

import pytest

from tests.restatements.rules.ground import ARRIVED, HOUR, POUNDS_BEFORE, SECOND, SENT, TOLERANCE, Ground


@pytest.mark.parametrize(
    ("before", "newest", "posted", "may_be"),
    [
        ({}, {}, 1, True),
        ({}, {}, 2, False),
        ({"currency": None}, {}, 1, True),
        ({}, {"currency": None}, 1, False),
        ({}, {"amount": "80.00"}, 1, False),
        ({"operation": "cancel"}, {}, 1, False),
        ({"amount": "0"}, {}, 1, False),
        ({"amount": "0.50"}, {}, 1, True),
        ({}, {"amount": "0.50"}, 1, True),
        ({}, {"amount": "0"}, 1, False),
        ({}, {"operation": "cancel"}, 1, False),
    ],
)
def test_without_a_rate_one_record_since_the_converted_state_before_may_be_either_state(
    ground: Ground, before: dict[str, Any], newest: dict[str, Any], posted: int, may_be: bool
) -> None:
    ground.sent(**POUNDS_BEFORE | before).sent(**{"currency": "GBP", "amount": "60.00"} | newest).record(sale_amount="127.00")
    for turn, amount in enumerate(("101.60", "76.20")[:posted]):
        ground.record(sale_amount="-127.00" if turn == 0 else "-101.60", posting_date=ARRIVED, reading=1)
        ground.record(sale_amount=amount, posting_date=ARRIVED, reading=1)
    found = [row["may_be_state_before"] for row in ground.to_judge().verdicts() if row["newest_state"]]
    assert found == [may_be]


@pytest.mark.parametrize(
    ("record", "may_be"),
    [
        ({}, False),
        ({"reading": 0}, True),
        ({"reading": None}, True),
        ({"posting_date": SENT - HOUR - TOLERANCE}, False),
        ({"posting_date": SENT - HOUR - TOLERANCE - SECOND}, True),
        ({"sale_amount": "0"}, False),  # corrected to nothing in between
        ({"sale_amount": "0.50"}, False),
        ({"sale_amount": "-0.01"}, True),  # what takes a state back is none
    ],
)
def test_what_posted_since_the_state_before_was_sent_is_one_of_the_two(ground: Ground, record: dict[str, Any], may_be: bool) -> None:
    ground.sent(**POUNDS_BEFORE).sent(currency="GBP", amount="60.00").record(**{"sale_amount": "127.00", "posting_date": ARRIVED} | record)
    ground.record(sale_amount="-127.00", posting_date=ARRIVED).record(sale_amount="101.60", posting_date=ARRIVED)
    assert [row["may_be_state_before"] for row in ground.to_judge().verdicts() if row["newest_state"]] == [may_be]


@pytest.mark.parametrize("of_whom", ["another order", "an earlier round"])
def test_a_rate_tells_which_of_the_two_it_is(ground: Ground, of_whom: str) -> None:
    ground.sent(**POUNDS_BEFORE).sent(currency="GBP", amount="60.00").record(sale_amount="101.60", posting_date=ARRIVED)
    if of_whom == "another order":
        ground.sent(order_id="p", currency="GBP", amount="100").record(order_id="p", sale_amount="127", posting_date=ARRIVED)
        ground.to_judge(order_id="p", advertiser_id="another")
    else:
        ground.rate()
    (row,) = (row for row in ground.to_judge().verdicts() if row["newest_state"] and row["order_id"] == "o")
    assert (row["may_be_state_before"], row["shows_state_before"], row["amount_differs"]) == (False, True, True)


@pytest.mark.parametrize(
    ("before", "posted", "tells"),
    [
        (POUNDS_BEFORE, 1, False),  # 127.00 for 100.00 would be 1.27, and for the 80.00 before it 1.5875
        (POUNDS_BEFORE, 2, True),
        (POUNDS_BEFORE | {"amount": "100.00"}, 1, True),  # another content over the same amount
        (POUNDS_BEFORE | {"operation": "cancel"}, 1, True),
        (None, 1, True),
    ],
)
def test_what_is_of_either_state_tells_others_no_rate(ground: Ground, before: dict[str, Any] | None, posted: int, tells: bool) -> None:
    for sent in (before, {"currency": "GBP", "amount": "100.00"}):
        if sent is not None:
            ground.sent(**sent)
    ground.record(sale_amount="200.00", reading=0)
    for turn, amount in enumerate(("101.60", "127.00")[-posted:]):
        ground.record(sale_amount="-200.00" if turn == 0 else "-101.60", posting_date=ARRIVED).record(
            sale_amount=amount, posting_date=ARRIVED
        )
    ground.sent(order_id="p", currency="GBP", amount="10").record(order_id="p", sale_amount="9.00", posting_date=ARRIVED)
    ground.to_judge().to_judge(order_id="p", advertiser_id="another")
    (p,) = (row for row in ground.verdicts() if row["order_id"] == "p")
    assert (p["amount_differs"], p["amount_unchecked"]) == (tells, not tells)


@pytest.mark.parametrize(
    ("untouched", "before", "so"), [(True, None, True), (True, POUNDS_BEFORE, False), (False, None, False), (None, None, False)]
)
def test_a_state_is_the_one_the_order_was_placed_with_where_no_other_was_sent(
    ground: Ground, untouched: bool | None, before: dict[str, Any] | None, so: bool
) -> None:
    if before is not None:
        ground.sent(**before)
    ground.sent(untouched=untouched)
    assert [row["untouched"] for row in ground.to_judge().verdicts() if row["newest_state"]] == [so]
