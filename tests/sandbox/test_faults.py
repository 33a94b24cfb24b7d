"""The ways CJ and networks fail: whether the work was done before it, and how the caller sees it."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from include.sandbox.control import ControlError
from tests.sandbox.shop import HOUR, Shop, quantities, total


def received(shop: Shop, order_id: str) -> int:
    return len([s for s in shop.control.submissions() if s["order_id"] == order_id])


def test_an_orders_records_are_answered_with_whatever_stands_in_their_fields_and_those_of_others_are_not(shop: Shop) -> None:
    bad, good = shop.new_id(), shop.new_id()
    for order_id in (bad, good):
        shop.post("create", order_id, amount="10.00", items=[{"sku": "a", "quantity": 1, "unitPrice": "10.00"}])
    shop.control.advance(HOUR)
    before = {order_id: shop.records(order_id) for order_id in (bad, good)}
    values = {"saleAmountAdvCurrency": "1.123456789012", "coupon": ["a", None], "items.sku": "A\0B"}
    shop.control.add_faults([{"kind": "garble", "order_ids": [bad], "field": name, "value": value} for name, value in values.items()])
    (found,) = shop.records(bad)
    assert (found["saleAmountAdvCurrency"], found["coupon"]) == ("1.123456789012", ["a", None])
    assert {item["sku"] for item in found["items"]} == {"A\0B"}
    assert shop.records(good) == before[good]
    shop.control.clear_faults()
    assert shop.records(bad) == before[bad]
    with pytest.raises(ControlError, match="needs a field"):
        shop.control.add_faults([{"kind": "garble", "order_ids": [bad]}])


@pytest.mark.parametrize(("kind", "work_done"), [("cut_before", 0), ("cut_after", 1)])
def test_a_cut_connection_gives_no_answer_whether_or_not_the_work_was_done(shop: Shop, kind: str, work_done: int) -> None:
    shop.control.add_faults([{"kind": kind, "path": "/graphql"}])
    order_id = shop.new_id()
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        shop.send_raw("create", [shop.order("create", order_id)])
    assert received(shop, order_id) == work_done
    assert shop.send_raw("create", [shop.order("create", order_id)]).status_code == 200
    last, first = list(shop.control.calls())[-1], list(shop.control.calls())[-2]
    assert (first["status"], first["fault"], last["status"], last["fault"]) == (None, kind, 200, None)


def test_a_truncated_answer_ends_in_the_middle(shop: Shop) -> None:
    shop.control.add_faults([{"kind": "truncate", "path": "/query"}])
    with pytest.raises(httpx.RemoteProtocolError):
        shop.query()
    assert "data" in shop.query()


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("status", [504, 503, 500, 429])
def test_a_status_is_answered_instead_of_or_after_the_work(shop: Shop, status: int, done: bool) -> None:
    shop.control.add_faults([{"kind": "status", "path": "/graphql", "status": status, "retry_after": 7, "done": done}])
    order_id = shop.new_id()
    answer = shop.send_raw("create", [shop.order("create", order_id)])
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    assert received(shop, order_id) == int(done)


def test_a_gateways_html_can_come_with_any_status(shop: Shop) -> None:
    shop.control.add_faults([{"kind": "html", "path": "/query", "status": 200}, {"kind": "html", "path": "/query"}])
    for status in (200, 502):
        answer = shop.http.post("/query", json={"query": "{ __typename }"})
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (status, "text/html")


@pytest.mark.parametrize(("done", "work_done"), [(True, 1), (False, 0)])
def test_a_slow_answer_outlasts_an_impatient_client(shop: Shop, done: bool, work_done: int) -> None:
    shop.control.add_faults([{"kind": "slow", "path": "/graphql", "seconds": 0.6, "done": done}])
    order_id = shop.new_id()
    shop.http.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        shop.send_raw("create", [shop.order("create", order_id)])
    assert received(shop, order_id) == work_done


def test_a_fault_waits_for_its_calls_and_hits_as_often_as_told(shop: Shop) -> None:
    shop.control.add_faults([{"kind": "status", "path": "/query", "status": 500, "after_calls": 2, "times": 2}])
    ask = {"query": "{ __typename }"}
    assert [shop.http.post("/query", json=ask).status_code for _ in range(6)] == [200, 200, 500, 500, 200, 200]


def test_a_fault_on_one_path_or_operation_leaves_the_others_alone(shop: Shop) -> None:
    shop.control.add_faults([{"kind": "status", "path": "/graphql", "operation": "cancelOrders", "status": 500}])
    assert shop.send_raw("create", [shop.order("create", shop.new_id())]).status_code == 200
    assert shop.send_raw("cancel", [shop.order("cancel", shop.new_id())], "/graphqltest").status_code == 200
    assert shop.send_raw("cancel", [shop.order("cancel", shop.new_id())]).status_code == 500


def test_cleared_faults_are_over(shop: Shop) -> None:
    shop.control.add_faults([{"kind": "status", "status": 500, "times": 100}])
    shop.control.clear_faults()
    assert shop.http.post("/query", json={"query": "{ __typename }"}).status_code == 200


@pytest.mark.parametrize("before_it_was_sent", [True, False])
def test_a_dropped_order_never_posts_and_its_neighbour_does(shop: Shop, before_it_was_sent: bool) -> None:
    lost, kept = shop.new_id(), shop.new_id()
    fault = {"kind": "drop", "order_ids": [lost]}
    if before_it_was_sent:
        shop.control.add_faults([fault])
    shop.send("create", [shop.order("create", i, amount="1.00") for i in (lost, kept)])
    if not before_it_was_sent:
        shop.control.add_faults([fault])
    shop.control.advance(HOUR + 2)
    assert (shop.fate(lost)["drop_reason"], shop.fate(kept)["posted"]) == ("fault", True)
    assert (len(shop.records(lost)), len(shop.records(kept))) == (0, 1)


def test_a_drop_counted_once_lets_the_second_sending_through(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.control.add_faults([{"kind": "drop", "order_ids": [order_id], "times": 1}])
    shop.post("create", order_id, amount="1.00")
    assert shop.records(order_id) == []
    shop.post("create", order_id, amount="1.00")
    assert len(shop.records(order_id)) == 1


@pytest.mark.parametrize("before_it_was_sent", [True, False])
def test_a_delayed_order_posts_that_much_later(shop: Shop, before_it_was_sent: bool) -> None:
    order_id = shop.new_id()
    fault = {"kind": "delay", "order_ids": [order_id], "seconds": 1800}
    if before_it_was_sent:
        shop.control.add_faults([fault])
    shop.send("create", [shop.order("create", order_id, amount="1.00")])
    if not before_it_was_sent:
        shop.control.add_faults([fault])
    shop.control.advance(HOUR + 2)
    assert (shop.records(order_id), shop.fate(order_id)["posted"]) == ([], None)
    shop.control.advance(1800)
    assert len(shop.records(order_id)) == 1


def test_a_hidden_order_posts_in_time_and_shows_later_behind_ids_that_were_read(shop: Shop) -> None:
    hidden, shown = shop.new_id(), shop.new_id()
    shop.control.add_faults([{"kind": "hide", "order_ids": [hidden], "seconds": 1800}])
    shop.send("create", [shop.order("create", i, amount="1.00") for i in (hidden, shown)])
    shop.control.advance(HOUR + 2)
    assert (shop.fate(hidden)["posted"], shop.records(hidden)) == (True, [])
    (read,) = shop.records(shown)
    shop.control.advance(1800)
    (late,) = shop.records(hidden)
    assert int(late["commissionId"]) < int(read["commissionId"])
    assert shop.records(hidden, f', sinceCommissionId: "{read["commissionId"]}"') == []
    assert late["postingDate"] == read["postingDate"]


def test_a_half_pair_shows_what_takes_the_state_back_before_it_shows_the_new_one(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, amount="50.00", items=[{"sku": "a", "quantity": 1, "unitPrice": "50.00"}])
    shop.control.add_faults([{"kind": "hide", "order_ids": [order_id], "seconds": 1800, "half": True}])
    shop.post("restate", order_id, amount="40.00", items=[{"sku": "a", "quantity": 1, "unitPrice": "40.00"}])
    found = shop.records(order_id)
    assert (len(found), str(total(found, "saleAmountAdvCurrency")), quantities(found)) == (2, "0.00", {})
    assert shop.state(order_id)["amount"] == "40.00"
    shop.control.advance(1800)
    assert str(total(shop.records(order_id), "saleAmountAdvCurrency")) == "40.00"


def test_an_answers_date_steps_away_from_the_clock_and_back(shop: Shop) -> None:
    shop.control.add_faults([{"kind": "date", "path": "/graphqltest", "seconds": -600, "times": 2}])
    order = shop.order("create", shop.new_id())
    answers = [shop.send_raw("create", [order], "/graphqltest") for _ in range(3)]
    assert [a.json()["data"]["createOrders"]["errors"] for a in answers] == [None] * 3
    off = [(shop.control.clock() - parsedate_to_datetime(a.headers["Date"])).total_seconds() for a in answers]
    assert [600 <= seconds < 630 for seconds in off] == [True, True, False]
    assert [len(a.headers.get_list("Date")) for a in answers] == [1, 1, 1]


@pytest.mark.parametrize(
    ("field", "posted", "told"),
    [
        ("amount", {"saleAmountAdvCurrency": "41.00"}, {"amount": "41.00"}),
        ("discount", {"orderDiscountAdvCurrency": "1.00", "saleAmountAdvCurrency": "39.00"}, {"discount": "1.00"}),
        ("coupon", {"coupon": "ALTERED"}, {"coupon": "ALTERED"}),
        ("correction_reason", {"correctionReason": "BAD_DEBT"}, {}),
        ("validation_status", {"validationStatus": "DECLINED"}, {}),
    ],
)
def test_an_altered_order_posts_with_another_figure(shop: Shop, field: str, posted: dict[str, Any], told: dict[str, Any]) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, amount="50.00", discount="0.00")
    shop.control.add_faults([{"kind": "alter", "order_ids": [order_id], "field": field}])
    shop.post("restate", order_id, amount="40.00", discount="0.00", correctionReason="Other")
    expected = {
        "saleAmountAdvCurrency": "40.00", "orderDiscountAdvCurrency": "0.00", "coupon": None, "correctionReason": "OTHER_REASON",
        "validationStatus": "AUTOMATED",
    } | posted  # fmt: skip
    assert {name: shop.records(order_id)[-1][name] for name in expected} == expected
    assert shop.state(order_id).items() >= told.items()


@pytest.mark.parametrize(
    ("amount", "discount", "altered"), [("40.00", None, "1.00"), ("0.58", None, "0.58"), ("1.50", "1.00", "1.50"), ("0.58", "0.58", "0.00")]
)
def test_no_discount_is_altered_to_more_than_the_order(shop: Shop, amount: str, discount: str | None, altered: str) -> None:
    order_id = shop.new_id()
    shop.control.add_faults([{"kind": "alter", "order_ids": [order_id], "field": "discount"}])
    shop.post("create", order_id, amount=amount, discount=discount)
    assert shop.state(order_id)["discount"] == altered


def test_altered_items_and_values_are_posted_and_reversed_as_altered(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, amount="10.00", items=[{"sku": "a", "quantity": 1, "unitPrice": "10.00"}])
    faults = [{"kind": "alter", "field": "items"}, {"kind": "alter", "field": "amount", "value": "7.77"}]
    shop.control.add_faults([f | {"order_ids": [order_id], "times": 1} for f in faults])
    shop.post("restate", order_id, amount="20.00", items=[{"sku": "a", "quantity": 2, "unitPrice": "10.00"}])
    assert quantities(shop.records(order_id)) == {"a": 3}
    assert str(total(shop.records(order_id), "saleAmountAdvCurrency")) == "7.77"
    shop.post("restate", order_id, amount="20.00", items=[{"sku": "a", "quantity": 2, "unitPrice": "10.00"}])
    assert quantities(shop.records(order_id)) == {"a": 2}
    assert str(total(shop.records(order_id), "saleAmountAdvCurrency")) == "20.00"


def test_an_altered_cancellation_leaves_something_behind(shop: Shop) -> None:
    order_id = shop.new_id()
    shop.post("create", order_id, amount="10.00")
    shop.control.add_faults([{"kind": "alter", "order_ids": [order_id], "field": "amount", "value": "3.00"}])
    shop.post("cancel", order_id)
    assert str(total(shop.records(order_id), "saleAmountAdvCurrency")) == "3.00"
    assert shop.state(order_id)["cancelled"]


@pytest.mark.parametrize(
    ("fault", "word"),
    [({"kind": "explode"}, "explode"), ({"kind": "alter", "order_ids": ["x"], "field": "sid"}, "field"), ({"kind": "slow"}, "seconds"), ({"kind": "hide", "order_ids": []}, "seconds"),
     ({"kind": "drop"}, "order_ids"), ({"kind": "status", "path": "/query", "code": 500}, "code")],
)  # fmt: skip
def test_a_fault_that_cannot_be_made_is_refused_in_words(shop: Shop, fault: dict[str, Any], word: str) -> None:
    with pytest.raises(ControlError, match=word):
        shop.control.add_faults([fault])


def two_orders(shop: Shop) -> tuple[str, str]:
    return shop.new_id(), shop.new_id()


@pytest.mark.parametrize("done", [False, True])
def test_an_execution_that_failed_is_told_by_its_path_whether_or_not_the_work_was_done(shop: Shop, done: bool) -> None:
    shop.control.add_faults([{"kind": "execution_error", "path": "/graphql", "done": done, "message": "Something went wrong"}])
    names = two_orders(shop)
    answer = shop.send_raw("create", [shop.order("create", name) for name in names]).json()
    assert answer["data"] == {"createOrders": None}
    assert [(error["message"], error["path"]) for error in answer["errors"]] == [("Something went wrong", ["createOrders"])]
    assert [received(shop, name) for name in names] == [int(done)] * 2


@pytest.mark.parametrize("done", [False, True])
def test_a_partial_echo_names_half_beside_an_error_whether_or_not_the_rest_was_done(shop: Shop, done: bool) -> None:
    shop.control.add_faults([{"kind": "partial_echo", "path": "/graphql", "done": done}])
    first, second = two_orders(shop)
    answer = shop.send("create", [shop.order("create", name) for name in (first, second)])
    assert answer == {"orders": [{"orderId": first}], "errors": [{"message": "Order may not be accepted", "fields": []}]}
    assert [received(shop, first), received(shop, second)] == [1, int(done)]


@pytest.mark.parametrize("instead", [False, True])
def test_a_stranger_is_named_beside_or_instead_of_an_order_and_never_received(shop: Shop, instead: bool) -> None:
    shop.control.add_faults([{"kind": "stranger", "path": "/graphql", "order_id": "not-sent", "instead": instead}])
    first, second = two_orders(shop)
    answer = shop.send("create", [shop.order("create", name) for name in (first, second)])
    assert [order["orderId"] for order in answer["orders"]] == (["not-sent", second] if instead else ["not-sent", first, second])
    assert [received(shop, name) for name in (first, second, "not-sent")] == [1, 1, 0]


def test_a_fault_of_the_answer_waits_for_a_request_that_carries_orders(shop: Shop) -> None:
    with pytest.raises(ControlError, match="is about orders that are sent"):
        shop.control.add_faults([{"kind": "stranger", "path": "/query"}])
    shop.control.add_faults([{"kind": "execution_error"}])
    assert "data" in shop.query()
    refused = shop.send_raw("create", [shop.order("create", shop.new_id(), enterpriseId="999")]).json()
    assert [error["message"] for error in refused["errors"]] == ["Unauthorized"]
