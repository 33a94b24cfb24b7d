"""What CJ holds of an order, from bare records: what is summed, what is read from the newest, and which that is."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.restatements.rules.ground import FAR, POSTED, Ground

DAY = timedelta(days=1)
LATER: dict[str, Any] = {"posting_date": POSTED + DAY}
ATTRIBUTES = ("locking_method", "validation_status", "correction_reason", "coupon", "publisher_id", "newest_sale_amount")


def held(ground: Ground, *records: dict[str, Any]) -> dict[str, Any]:
    """The one order these records are of."""
    for record in records:
        ground.record(**record)
    (row,) = ground.rows("SELECT * FROM cj.order_state")
    return row


def back(sale: str = "-100.00", **other: Any) -> dict[str, Any]:
    return {"sale_amount": sale, "original": False} | LATER | other


def test_amounts_add_up_and_moments_are_the_first_the_last_and_the_farthest(ground: Ground) -> None:
    found = held(
        ground,
        {"items_mark": 7, "reading": 2, "locking_date": FAR + DAY, "posting_date": POSTED + 2 * DAY},
        {
            "sale_amount": "-30.00",
            "adv_commission_amount": "-2.40",
            "cj_fee": "-0.60",
            "items_mark": -3,
            "reading": 4,
            "posting_date": POSTED,
        },
        {"sale_amount": "0.50", "adv_commission_amount": "0.04", "cj_fee": "0.01", "reading": None, "posting_date": POSTED + DAY},
    )
    assert {name: found[name] for name in ("sale_amount", "items_mark", "commission", "cj_fee", "records", "reversals", "newest_reading")} == {
        "sale_amount": Decimal("70.50"), "items_mark": 4, "commission": Decimal("5.64"), "cj_fee": Decimal("1.41"), "records": 3, "reversals": 1,
        "newest_reading": 4,
    }  # fmt: skip
    assert (found["first_posted_at"], found["posted_at"], found["locking_date"]) == (POSTED, POSTED + 2 * DAY, FAR + DAY)


@pytest.mark.parametrize("name", ["adv_commission_amount", "cj_fee"])
def test_of_money_that_cj_says_of_some_records_only_nothing_is_known(ground: Ground, name: str) -> None:
    found = held(ground, {}, {name: None})
    other = {"adv_commission_amount": "cj_fee", "cj_fee": "adv_commission_amount"}[name].replace("adv_commission_amount", "commission")
    assert found[name.replace("adv_commission_amount", "commission")] is None
    assert found[other] is not None


def test_a_reading_that_has_no_number_is_before_all_others(ground: Ground) -> None:
    assert held(ground, {"reading": None})["newest_reading"] == 0


@pytest.mark.parametrize(
    ("statuses", "stage"),
    [
        (["new"], 0),
        (["new", "extended"], 1),
        (["extended", "locked"], 2),
        (["locked", "closed", "new"], 3),
        (["extended"], 1),
        (["locked"], 2),
    ],
)
def test_the_lock_is_that_of_the_record_that_is_farthest(ground: Ground, statuses: list[str], stage: int) -> None:
    assert held(ground, *({"action_status": status} for status in statuses))["lock_stage"] == stage


@pytest.mark.parametrize(("sale", "reversals"), [("-0.01", 1), ("0", 0), ("0.50", 0)])
def test_what_takes_back_is_counted(ground: Ground, sale: str, reversals: int) -> None:
    assert held(ground, {}, {"sale_amount": sale})["reversals"] == reversals


# -- which record is the newest --------------------------------------------------------------------------------------------------------

OLD: dict[str, Any] = {
    "locking_method": "FIXED_DATE", "validation_status": "PENDING", "correction_reason": "ANCIENT", "coupon": "AAA", "publisher_id": "1",
}  # fmt: skip
NEW: dict[str, Any] = {
    "locking_method": "OPEN_ENDED", "validation_status": "ACCEPTED", "correction_reason": "NEWER", "coupon": "BBB", "publisher_id": "2",
}  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (LATER, {"posting_date": POSTED + 2 * DAY}),
        ({}, {}),  # of one moment, the higher id
        ({"commission_id": "9"}, {"commission_id": "10"}),  # ids are numbers
        # A pair that posted together: the new state, whichever id is higher.
        ({"sale_amount": "-100.00", "commission_id": "9"}, {"commission_id": "8"}),
        ({"sale_amount": "0", "items_mark": -7, "commission_id": "9"}, {"sale_amount": "0", "commission_id": "8"}),
        ({"sale_amount": "-0.01", "commission_id": "9"}, {"sale_amount": "0", "commission_id": "8"}),
        ({"sale_amount": "0", "commission_id": "8"}, {"sale_amount": "0", "commission_id": "9"}),
        ({"sale_amount": "0.50", "commission_id": "8"}, {"sale_amount": "0.50", "commission_id": "9"}),
        # A lead beside the sale, however new, is another action.
        ({"action_type": "sim_lead", "posting_date": POSTED + 9 * DAY}, {}),
        ({"action_type": "item_lead", "commission_id": "99"}, {}),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_attributes_come_from_the_newest_record(ground: Ground, old: dict[str, Any], new: dict[str, Any], turned: bool) -> None:
    ids = [{"commission_id": "101"}, {"commission_id": "102"}]
    records = [OLD | ids[0] | old, NEW | ids[1] | new]
    found = held(ground, *(reversed(records) if turned else records))
    assert {name: found[name] for name in ATTRIBUTES[:5]} == NEW
    assert found["newest_sale_amount"] == Decimal(new.get("sale_amount", "100.00"))


@pytest.mark.parametrize(
    ("kinds", "records"),
    [
        (["sim_lead"], 1),
        (["sim_lead", "item_lead"], 2),
        (["sim_lead", "sim_sale"], 1),
        (["item_sale", "sim_sale"], 2),
        (["bonus", "sim_sale"], 1),
    ],
)
def test_a_lead_beside_a_sale_is_no_part_of_it(ground: Ground, kinds: list[str], records: int) -> None:
    assert held(ground, *({"action_type": kind} for kind in kinds))["records"] == records


@pytest.mark.parametrize("other", [{"order_id": None}, {"order_id": ""}, {"gone_reading": 3}, {"action_type": "bonus"}])
def test_what_is_of_no_order_or_gone_is_not_held(ground: Ground, other: dict[str, Any]) -> None:
    ground.record(**other)
    assert ground.rows("SELECT * FROM cj.order_state") == []


# -- the discount of what takes back -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["order_discount", "order_discount_orig_currency"])
@pytest.mark.parametrize(
    ("first", "second", "discount"),
    [
        ({}, back(), 0),  # the same, taken back without a minus
        ({}, back("-99.99"), 20),  # another amount takes nothing back in full
        ({}, back(items_mark=-1), 20),
        ({"items_mark": 7}, back(items_mark=-7), 0),
        ({"items_mark": 7}, back(items_mark=7), 20),
        ({"items_mark": -7}, back(items_mark=-7), 20),
        ({"items_mark": 1}, back(items_mark=1), 20),
        ({"sale_amount": "0.50", "items_mark": 7}, back("0.50", items_mark=-7), 20),
        ({"sale_amount": "0", "items_mark": 7}, back("0", items_mark=-7), 0),
        ({"sale_amount": "0"}, back("0"), 20),
        ({"sale_amount": "0.50"}, back("-0.50"), 0),
        ({"sale_amount": "0", "items_mark": 1}, back("0", items_mark=-1), 0),
        ({"sale_amount": "-100.00"}, back(), 20),  # nothing is taken back by what was itself taken back
        ({"order_id": "p"}, back(), 10),
        ({"action_tracker_id": 402}, back(), 10),
        ({"advertiser_id": "9"}, back(), 10),
    ],
)
def test_a_record_that_takes_another_back_in_full_takes_its_discount_back(
    ground: Ground, name: str, first: dict[str, Any], second: dict[str, Any], discount: int
) -> None:
    discounts = {"order_discount": "10.00", "order_discount_orig_currency": "10.00"}
    ground.record(**discounts | first).record(**discounts | second)
    (found,) = ground.rows("SELECT * FROM cj.order_state WHERE order_id = 'o' AND action_tracker_id = 401 AND advertiser_id = '2'")
    assert found[name] == discount


@pytest.mark.parametrize(
    ("one", "other", "discount"), [("0.50", "0.50", 0), ("0.50", "-0.50", 0), (None, None, 0), (None, "0", 0), ("1", "2", 3)]
)
def test_however_small_a_discount_is_and_whatever_its_sign(ground: Ground, one: str | None, other: str | None, discount: int) -> None:
    found = held(ground, {"order_discount": one}, back(order_discount=other))
    assert found["order_discount"] == discount


@pytest.mark.parametrize(("one", "other"), [("10.00", "-10.00"), (None, "0"), ("0", None)])
def test_what_takes_back_is_known_by_its_discount_whatever_its_sign_and_nothing_is_nothing(
    ground: Ground, one: str | None, other: str | None
) -> None:
    found = held(
        ground,
        {"order_discount": one, "order_discount_orig_currency": "8.00"},
        back(order_discount=other, order_discount_orig_currency="8.00"),
    )
    assert (found["order_discount"], found["order_discount_orig_currency"]) == (0, 0)
