"""What people at CJ do by hand, and what CJ does unasked: the records and the lock are what such an act leaves, and nothing else moved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from include.sandbox.control import ControlError
from tests.sandbox.shop import HOUR, Shop, quantities, total

ITEMS = [{"sku": "a", "quantity": 2, "unitPrice": "50.00"}]
SALE, COMMISSION, FEE = "saleAmountAdvCurrency", "advCommissionAmountAdvCurrency", "cjFeeAdvCurrency"


@pytest.fixture
def order(shop: Shop) -> str:
    """An order over 100.00 that CJ holds."""
    order_id = shop.new_id()
    shop.post("create", order_id, amount="100.00", items=ITEMS, coupon="TEN")
    return order_id


def act(shop: Shop, order_id: str, kind: str, **fields: Any) -> int:
    """How many orders the act met."""
    met: int = shop.control.act([{"kind": kind, "order_ids": [order_id], **fields}])[-1]["met"]
    return met


@pytest.mark.parametrize(("shape", "records"), [("pair", 3), ("difference", 2)])
def test_a_correction_by_hand_is_what_cj_holds_from_then_on_in_either_shape(shop: Shop, order: str, shape: str, records: int) -> None:
    assert act(shop, order, "correct", amount="50.00", shape=shape, correction_reason="OTHER_REASON") == 1
    shop.control.advance(2)
    found = shop.records(order)
    assert (len(found), str(total(found, SALE)), str(total(found, COMMISSION))) == (records, "50.00", "4.00")
    assert (found[-1]["correctionReason"], quantities(found), found[-1]["coupon"]) == ("OTHER_REASON", {"a": 2}, "TEN")
    assert shop.state(order)["amount"] == "50.00"
    shop.post("restate", order, amount="80.00", items=ITEMS)
    assert str(total(shop.records(order), SALE)) == "80.00"


def test_a_person_corrects_what_is_locked(shop: Shop, order: str) -> None:
    assert act(shop, order, "lock", action_status="locked") == 1
    assert act(shop, order, "correct", amount="0.00") == 1
    shop.control.advance(2)
    assert str(total(shop.records(order), SALE)) == "0.00"


def test_a_locked_bonus_with_the_same_order_id_is_an_action_of_its_own_and_leaves_the_sale_alone(shop: Shop, order: str) -> None:
    act(shop, order, "record", action_type="bonus", commission="5.00", fee="1.50", coupon="PRIZE", action_status="locked")
    shop.control.advance(2)
    sale, bonus = shop.records(order)
    assert (sale["actionType"], sale["actionStatus"], sale["coupon"]) == ("item_sale", "new", "TEN")
    assert (bonus["actionType"], bonus["actionStatus"], bonus["coupon"], bonus["items"]) == ("bonus", "locked", "PRIZE", [])
    assert (bonus[SALE], bonus[COMMISSION], bonus[FEE], bonus["original"]) == ("0.00", "5.00", "1.50", True)
    assert bonus["originalActionId"] == bonus["commissionId"] != sale["originalActionId"]
    assert [r["actionType"] for r in shop.records(order, ', actionTypes: ["bonus"]')] == ["bonus"]
    assert [r["actionType"] for r in shop.records(order, ', actionStatuses: ["locked"]')] == ["bonus"]
    shop.post("restate", order, amount="80.00", items=ITEMS)
    assert (shop.fate(order)["posted"], shop.state(order)["amount"]) == (True, "80.00")


def test_commission_and_fee_can_be_left_unsaid_and_are_said_again(shop: Shop, order: str) -> None:
    act(shop, order, "unsay")
    (found,) = shop.records(order)
    assert (found[SALE], found[COMMISSION], found[FEE]) == ("100.00", None, None)
    act(shop, order, "unsay", said=True)
    (found,) = shop.records(order)
    assert (found[COMMISSION], found[FEE]) == ("8.00", "2.00")


def test_a_lock_ahead_of_its_date_drops_what_comes_until_it_is_open_again(shop: Shop, order: str) -> None:
    act(shop, order, "lock", action_status="locked")
    shop.post("restate", order, amount="70.00")
    assert (shop.fate(order)["drop_reason"], shop.records(order)[-1]["actionStatus"]) == ("locked", "locked")
    act(shop, order, "lock", action_status="new")
    shop.post("restate", order, amount="60.00")
    assert (shop.fate(order)["posted"], shop.state(order)["amount"]) == (True, "60.00")


def test_a_lock_is_extended_before_it_has_come_and_not_after(shop: Shop, order: str) -> None:
    soon, later = ((shop.control.clock() + timedelta(days=days)).replace(microsecond=0) for days in (1, 400))
    act(shop, order, "lock", locking_date=soon)
    act(shop, order, "lock", locking_date=later, action_status="extended")
    found = shop.records(order)[-1]
    assert (found["actionStatus"], found["lockingDate"]) == ("extended", later.strftime("%Y-%m-%dT%H:%M:%SZ"))
    act(shop, order, "lock", action_status="locked")
    act(shop, order, "lock", locking_date=later + timedelta(days=1), action_status="extended")
    assert shop.records(order)[-1] == found | {"actionStatus": "locked"}


@pytest.mark.parametrize("status", ["new", "extended", "locked"])
def test_what_was_closed_stays_closed_whatever_is_done_to_its_lock(shop: Shop, order: str, status: str) -> None:
    act(shop, order, "lock", action_status="closed")
    found = shop.records(order)[-1]
    later = (shop.control.clock() + timedelta(days=400)).replace(microsecond=0)
    act(shop, order, "lock", locking_date=later, action_status=status)
    assert found["actionStatus"] == "closed"
    assert shop.records(order)[-1] == found


def test_a_state_that_is_posted_again_adds_up_to_the_same_under_new_ids(shop: Shop, order: str) -> None:
    act(shop, order, "repost")
    shop.control.advance(2)
    found = shop.records(order)
    assert (len({r["commissionId"] for r in found}), str(total(found, SALE)), quantities(found)) == (3, "100.00", {"a": 2})


def test_a_record_that_moves_to_a_new_id_shows_under_the_old_one_no_more(shop: Shop, order: str) -> None:
    (before,) = shop.records(order)
    act(shop, order, "repost", shape="moved")
    (after,) = shop.records(order)
    assert int(after["commissionId"]) > int(before["commissionId"])
    plain = {name: value for name, value in after.items() if name not in ("commissionId", "items")}
    assert plain == {name: value for name, value in before.items() if name not in ("commissionId", "items")}


def test_an_act_is_done_after_what_was_due_before_it_and_not_before_its_time(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.send("create", [shop.order("create", order_id, amount="100.00")])
    later = {"kind": "correct", "order_ids": [order_id], "amount": "50.00", "after_seconds": HOUR + 60}
    assert shop.control.act([later])[-1]["met"] is None
    shop.control.advance(HOUR + 10)
    assert shop.state(order_id)["amount"] == "100.00"
    shop.control.advance(60)
    assert shop.state(order_id)["amount"] == "50.00"


def test_an_act_meets_the_orders_of_the_enterprise_and_tracker_it_names(shop: Shop, other_shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, amount="10.00")
    other_shop.post("create", order_id, tracker=501, amount="10.00")
    assert act(shop, order_id, "correct", amount="1.00", enterprise_id="1500002", action_tracker_id=501) == 1
    assert {o["enterprise_id"]: o["amount"] for o in shop.control.orders() if o["order_id"] == order_id} == {
        "1500001": "10.00", "1500002": "1.00",
    }  # fmt: skip
    assert act(shop, "nobody-has-it", "unsay") == 0


@pytest.mark.parametrize(
    ("asked", "word"),
    [({"kind": "bribe"}, "unknown"), ({"kind": "unsay"}, "order_ids"), ({"kind": "lock", "order_ids": [], "amount": "1"}, "not amount"),
     ({"kind": "correct", "order_ids": [], "shape": "triangle"}, "shape"), ({"kind": "record", "order_ids": []}, "action_type"),
     ({"kind": "lock", "order_ids": [], "action_status": "lost"}, "action_status"), ({"kind": "lock", "order_ids": [], "locking_date": "soon"}, "locking_date"),
     ({"kind": "repost", "order_ids": [], "after_seconds": "later"}, "after_seconds"), ({"kind": "correct", "order_ids": [], "amount": "ten"}, "amount")],
)  # fmt: skip
def test_an_act_that_cannot_be_done_is_refused_in_words(shop: Shop, asked: dict[str, Any], word: str) -> None:
    with pytest.raises(ControlError, match=word):
        shop.control.act([asked])
