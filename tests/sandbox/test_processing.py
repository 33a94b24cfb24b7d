"""What CJ does in silence: which updates post and as what, and which are dropped for which reason."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from include.sandbox.posting import LEDGER_REASON
from include.sandbox.process import SandboxProcess
from tests.sandbox.shop import HOUR, Shop, quantities, total

DAY = 24 * HOUR
ITEMS = [{"sku": "tea", "quantity": 2, "unitPrice": "30.00", "discount": "5.00"}, {"sku": "cup", "quantity": 1, "unitPrice": "45.00"}]


def test_an_order_posts_once_its_delay_is_over_and_not_before(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.send("create", [shop.order("create", order_id, amount="100.00")])
    shop.control.advance(HOUR - 60)
    assert shop.records(order_id) == []
    assert shop.fate(order_id)["posted"] is None
    shop.control.advance(62)
    assert len(shop.records(order_id)) == 1
    assert shop.fate(order_id)["posted"] is True


def test_a_create_is_one_original_record_in_full(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, amount="100.00", discount="10.00", items=ITEMS, coupon="TEN", currency="USD")
    (record,) = shop.records(order_id)
    assert record.pop("commissionId") == record.pop("originalActionId")
    assert [i.pop("commissionItemId") != "" for i in record["items"]] == [True, True]
    posted = shop.control.clock() - timedelta(seconds=1)
    assert record.pop("postingDate") <= posted.strftime("%Y-%m-%dT%H:%M:%SZ")
    following = (posted.replace(day=1) + timedelta(days=32)).strftime("%Y-%m-10T00:00:00Z")
    assert record == {
        "orderId": order_id, "actionTrackerId": "401", "actionType": "item_sale", "actionStatus": "new", "lockingDate": following, "lockingMethod": "FIXED_DATE",
        "validationStatus": "AUTOMATED", "original": True, "correctionReason": None, "saleAmountAdvCurrency": "90.00",
        "orderDiscountAdvCurrency": "10.00", "orderDiscountOrigCurrency": "10.00", "advCommissionAmountAdvCurrency": "7.20",
        "cjFeeAdvCurrency": "1.80", "coupon": "TEN",
        "items": [
            {"sku": "tea", "quantity": 2, "perItemSaleAmountAdvCurrency": "30.00", "discountAdvCurrency": "5.00"},
            {"sku": "cup", "quantity": 1, "perItemSaleAmountAdvCurrency": "45.00", "discountAdvCurrency": None},
        ],
    }  # fmt: skip


def test_a_restatement_adds_a_reversal_and_the_new_state_and_their_sum_is_the_order(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, amount="100.00", discount="10.00", items=ITEMS)
    shop.post("restate", order_id, amount="45.00", discount="0.00", items=ITEMS[1:], correctionReason="ReturnedMerchandise")
    first, reversal, new = shop.records(order_id)
    assert [r["original"] for r in (first, reversal, new)] == [True, False, False]
    assert {r["originalActionId"] for r in (reversal, new)} == {first["commissionId"]}
    assert {r["correctionReason"] for r in (reversal, new)} == {"RETURNED_MERCHANDISE"}
    assert (reversal["saleAmountAdvCurrency"], reversal["orderDiscountAdvCurrency"]) == ("-90.00", "-10.00")
    assert [(i["sku"], i["quantity"]) for i in reversal["items"]] == [("tea", -2), ("cup", -1)]
    records = [first, reversal, new]
    sums = [
        total(records, f)
        for f in ("saleAmountAdvCurrency", "orderDiscountAdvCurrency", "advCommissionAmountAdvCurrency", "cjFeeAdvCurrency")
    ]
    assert sums == [Decimal("45.00"), Decimal("0.00"), Decimal("3.60"), Decimal("0.90")]
    assert quantities(records) == {"cup": 1}
    assert (shop.state(order_id)["amount"], shop.state(order_id)["live_posts"]) == ("45.00", 2)


def test_a_restatement_replaces_the_order_as_a_whole(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, amount="100.00", discount="10.00", items=ITEMS, coupon="TEN")
    shop.post("restate", order_id, amount="100.00")
    state = shop.state(order_id)
    assert (state["discount"], state["coupon"], state["items"]) == (None, None, [])
    assert quantities(shop.records(order_id)) == {}


def test_a_cancellation_leaves_nothing_and_cannot_be_undone(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, amount="100.00", discount="10.00", items=ITEMS)
    shop.post("cancel", order_id, correctionReason="Other")
    records = shop.records(order_id)
    assert len(records) == 3
    assert records[-1]["correctionReason"] == "OTHER_REASON"
    assert (records[-1]["saleAmountAdvCurrency"], [i["quantity"] for i in records[-1]["items"]]) == ("0.00", [0, 0])
    assert total(records, "saleAmountAdvCurrency") == total(records, "cjFeeAdvCurrency") == total(records, "orderDiscountAdvCurrency") == 0
    assert quantities(records) == {}
    for operation in ("restate", "cancel"):
        shop.post(operation, order_id)
        assert shop.fate(order_id)["drop_reason"] == "not_commissionable"
    assert len(shop.records(order_id)) == 3


@pytest.mark.parametrize(("write", "read"), LEDGER_REASON.items())
def test_every_correction_reason_is_read_in_the_ledgers_spelling(shop: Shop, write: str, read: str) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, amount="1.00")
    shop.post("restate", order_id, amount="2.00", correctionReason=write)
    assert shop.records(order_id)[-1]["correctionReason"] == read


def dropped(shop: Shop, operation: str, order_id: str, reason: str, tracker: int = 401, **fields: Any) -> None:
    """Accepted at once, and then gone without a word but to the control API."""
    before = {r["commissionId"] for r in shop.records(order_id)}
    shop.post(operation, order_id, tracker, **fields)
    fate = shop.fate(order_id)
    assert (fate["posted"], fate["drop_reason"]) == (False, reason)
    assert {r["commissionId"] for r in shop.records(order_id)} <= before


def test_a_second_create_is_dropped_as_duplicate(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, amount="1.00")
    dropped(shop, "create", order_id, "duplicate", amount="2.00")
    assert shop.state(order_id)["amount"] == "1.00"


def test_a_create_nobody_brought_is_dropped(shop: Shop) -> None:
    dropped(shop, "create", shop.new_id(), "no_attribution", cjEvent=None, amount="1.00")


def test_an_ad_id_is_attribution_enough(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, cjEvent=None, adId=77, promotionalPropertyId=5, amount="1.00")
    assert len(shop.records(order_id)) == 1


@pytest.mark.parametrize("operation", ["restate", "cancel"])
def test_a_change_of_an_unknown_order_is_dropped(shop: Shop, operation: str) -> None:
    dropped(shop, operation, shop.new_id(), "not_in_cj")


def test_a_change_under_another_action_tracker_is_dropped(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, amount="1.00")
    dropped(shop, "restate", order_id, "wrong_action_tracker", tracker=403, amount="2.00")
    dropped(shop, "restate", order_id, "wrong_action_tracker", tracker=501, amount="2.00")


def test_a_locked_order_is_dropped_and_a_closed_one_too(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, tracker=403, amount="1.00")
    shop.control.advance(31 * DAY)
    assert shop.state(order_id)["action_status"] == "locked"
    dropped(shop, "restate", order_id, "locked", tracker=403, amount="2.00")
    shop.control.advance(11 * DAY)
    assert shop.state(order_id)["action_status"] == "closed"
    dropped(shop, "cancel", order_id, "closed", tracker=403)


def test_the_lock_is_checked_when_the_order_is_processed_and_not_in_test_mode(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, tracker=403, amount="1.00")
    shop.control.advance(31 * DAY)
    assert len(shop.send("restate", [shop.order("restate", order_id, 403, amount="2.00")], "/graphqltest")["orders"]) == 1


def test_an_immediate_tracker_locks_on_posting(other_shop: Shop) -> None:
    order_id = other_shop.new_id()
    other_shop.post("create", order_id, tracker=502, amount="1.00")
    (record,) = other_shop.records(order_id)
    assert record["lockingDate"] == record["postingDate"]
    assert record["actionStatus"] == "locked"
    dropped(other_shop, "restate", order_id, "locked", tracker=502, amount="2.00")


def test_an_open_ended_order_needs_a_status_and_locks_once_accepted(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, tracker=402, amount="100.00")
    assert shop.records(order_id)[-1]["validationStatus"] == "PENDING"
    dropped(shop, "restate", order_id, "status_required", tracker=402, amount="80.00")
    dropped(shop, "cancel", order_id, "status_required", tracker=402)
    shop.post("restate", order_id, tracker=402, amount="80.00", status="Pending")
    assert shop.records(order_id)[-1]["validationStatus"] == "PENDING"
    shop.post("restate", order_id, tracker=402, amount="70.00", status="Accepted")
    last = shop.records(order_id)[-1]
    assert (last["validationStatus"], last["actionStatus"], last["lockingDate"]) == ("ACCEPTED", "locked", last["postingDate"])
    dropped(shop, "cancel", order_id, "locked", tracker=402, status="Declined")


def test_an_open_ended_order_is_declined(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, tracker=402, amount="100.00")
    shop.post("cancel", order_id, tracker=402, status="Declined")
    assert shop.records(order_id)[-1]["validationStatus"] == "DECLINED"
    assert total(shop.records(order_id), "saleAmountAdvCurrency") == 0


def test_a_cancellation_with_status_is_dropped_where_locking_is_not_open_ended(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, amount="1.00")
    dropped(shop, "cancel", order_id, "status_not_allowed", status="Declined")
    shop.post("restate", order_id, amount="2.00", status="Accepted")
    assert shop.state(order_id)["amount"] == "2.00"


def test_an_excluded_coupon_fails_a_restatement_and_earns_nothing_on_a_create(other_shop: Shop) -> None:
    order_id, excluded = other_shop.new_id(), other_shop.new_id()
    other_shop.post("create", order_id, tracker=501, amount="10.00")
    dropped(other_shop, "restate", order_id, "coupon_excluded", tracker=501, amount="9.00", coupon="STAFF")
    other_shop.post("create", excluded, tracker=501, amount="10.00", coupon="STAFF")
    assert other_shop.records(excluded)[0]["advCommissionAmountAdvCurrency"] == "0.00"
    dropped(other_shop, "restate", excluded, "not_commissionable", tracker=501, amount="9.00")


def test_another_currency_is_converted_and_the_discount_kept_in_its_own(other_shop: Shop) -> None:
    order_id = other_shop.new_id()
    other_shop.post("create", order_id, tracker=501, amount="100.00", discount="10.00", currency="GBP", items=ITEMS)
    (record,) = other_shop.records(order_id)
    assert record["saleAmountAdvCurrency"] == "115.00"  # this account's basis is gross of the order discount
    assert (record["orderDiscountAdvCurrency"], record["orderDiscountOrigCurrency"]) == ("11.50", "10.00")
    assert (record["advCommissionAmountAdvCurrency"], record["cjFeeAdvCurrency"]) == ("10.35", "3.11")
    assert record["items"][0]["perItemSaleAmountAdvCurrency"] == "34.50"
    assert (other_shop.state(order_id)["currency"], other_shop.state(order_id)["amount"]) == ("GBP", "100.00")


def test_a_currency_without_a_rate_is_dropped(shop: Shop) -> None:
    dropped(shop, "create", shop.new_id(), "currency_unknown", amount="1.00", currency="JPY")


@pytest.mark.parametrize(("knob", "amount"), [("arrival", "2.00"), ("updateTime", "3.00")])
def test_the_knob_says_which_of_two_updates_out_of_order_wins(shop: Shop, knob: str, amount: str) -> None:
    shop.control.configure(newest_by=knob)
    order_id = shop.new_id()
    shop.post("create", order_id, amount="1.00")
    older, newer = shop.now(), None
    shop.control.advance(60)
    newer = shop.now()
    shop.send("restate", [shop.order("restate", order_id, amount="3.00", updateTime=newer)])
    shop.post("restate", order_id, amount="2.00", updateTime=older)
    assert shop.state(order_id)["amount"] == amount


def test_updates_of_one_order_in_one_request_are_applied_in_turn(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.send("create", [shop.order("create", order_id, amount="1.00")])
    shop.send("restate", [shop.order("restate", order_id, amount=a) for a in ("2.00", "3.00")])
    shop.control.advance(HOUR + 2)
    records = shop.records(order_id)
    assert [r["saleAmountAdvCurrency"] for r in records] == ["1.00", "-1.00", "2.00", "-2.00", "3.00"]
    assert [int(r["commissionId"]) for r in records] == sorted(int(r["commissionId"]) for r in records)
    assert shop.state(order_id)["live_posts"] == 3


def test_an_order_without_an_amount_is_worth_its_items(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, items=ITEMS)
    assert shop.state(order_id)["amount"] == "100.00"


def test_late_and_lost_orders_are_the_same_ones_every_time(shop: Shop) -> None:
    ids = [shop.new_id() for _ in range(40)]
    shop.control.configure(lost_share=0.3, late_share=0.5, late_seconds=7200)
    shop.send("create", [shop.order("create", i, amount="1.00") for i in ids])
    shop.control.advance(HOUR + 2)
    fates = {s["order_id"]: s for s in shop.control.submissions() if s["order_id"] in ids}
    lost = {i for i in ids if fates[i]["drop_reason"] == "fault"}
    late = {i for i in ids if fates[i]["posted"] is None}
    assert lost
    assert late
    assert len(lost) + len(late) < len(ids)
    shop.control.advance(7200)
    assert all(shop.fate(i)["posted"] for i in late)
    shop.send("restate", [shop.order("restate", i, amount="2.00") for i in ids])
    shop.control.advance(HOUR + 2)
    assert {
        s["order_id"] for s in shop.control.submissions() if s["operation"] == "restate" and s["order_id"] in lost and not s["posted"]
    } == lost


def test_amounts_are_posted_as_sent_or_with_the_decimals_their_currency_has(shop: Shop) -> None:
    fine: dict[str, Any] = {"amount": "16.6583", "discount": "1.005", "items": [{"sku": "a", "quantity": 1, "unitPrice": "16.6583"}]}
    as_sent, rounded, converted = shop.new_id(), shop.new_id(), shop.new_id()
    shop.post("create", as_sent, **fine)
    assert [r["saleAmountAdvCurrency"] for r in shop.records(as_sent)] == ["15.6533"]
    shop.control.configure(round_amounts=True)
    shop.post("create", rounded, **fine)
    shop.post("create", converted, currency="EUR", amount="10.005")
    (found,) = shop.records(rounded)
    assert (found["saleAmountAdvCurrency"], found["orderDiscountAdvCurrency"]) == ("15.65", "1.01")
    assert found["items"][0]["perItemSaleAmountAdvCurrency"] == "16.66"
    assert shop.state(rounded)["amount"] == "16.66"
    assert [r["saleAmountAdvCurrency"] for r in shop.records(converted)] == ["10.81"]  # 10.01 at 1.08


def test_a_yen_has_no_decimals_and_a_dinar_has_three(sandbox: SandboxProcess) -> None:
    tracker = {"id": 601, "commission_rate": "0.10", "fee_rate": "0.02"}
    account = {
        "token": "yen-token",
        "enterprise_id": "1500003",
        "advertiser_id": "5500003",
        "currency": "JPY",
        "action_trackers": [tracker],
    }
    sandbox.control.seed(accounts=[account | {"rates": {"KWD": "480.1"}}])
    sandbox.control.configure(round_amounts=True)
    yen_shop = Shop(sandbox.url, sandbox.control, "yen-token", "1500003", "5500003")
    yen, dinar = yen_shop.new_id(), yen_shop.new_id()
    yen_shop.post("create", yen, tracker=601, amount="1999.50")
    yen_shop.post("create", dinar, tracker=601, amount="1.2345", currency="KWD")
    assert (yen_shop.state(yen)["amount"], yen_shop.state(dinar)["amount"]) == ("2000.00", "1.235")
    assert [yen_shop.records(i)[0]["saleAmountAdvCurrency"] for i in (yen, dinar)] == ["2000.00", "593.00"]
    yen_shop.http.close()
