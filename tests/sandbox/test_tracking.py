"""What CJ answers at once, stage by stage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from include.sandbox.process import SandboxProcess
from tests.sandbox.shop import HOUR, Shop


def messages(answer: Any) -> list[str]:
    return [e["message"] for e in answer["errors"]]


@pytest.mark.parametrize(("token", "word"), [(None, "Missing Token"), ("nobody", "Invalid Token")])
@pytest.mark.parametrize("path", ["/graphql", "/graphqltest", "/query"])
def test_authentication_comes_before_everything_else(sandbox: SandboxProcess, token: str | None, word: str, path: str) -> None:
    stranger = Shop(sandbox.url, sandbox.control, token)
    answer = stranger.http.post(path, content=b"not even JSON")
    assert answer.status_code == 200
    assert messages(answer.json()) == [word]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"query": 1}', b'{"query": "mutation {"}'])
def test_what_cannot_be_read_is_invalid_syntax(shop: Shop, body: bytes) -> None:
    answer = shop.http.post("/graphql", content=body)
    assert answer.status_code == 200
    assert messages(answer.json())[0].startswith("Invalid Syntax")


@pytest.mark.parametrize(
    ("field", "value", "names"),
    [
        ("amount", 200.75, "'orders[0].amount'"),
        ("amount", "-1.00", "NonNegativeDecimalNumber"),
        ("amount", "2E+2", "NonNegativeDecimalNumber"),
        ("actionTrackerId", "401", "NonNegativeInt"),
        ("actionTrackerId", -1, "NonNegativeInt"),
        ("updateTime", "2026-01-01 00:00:00", "Instant"),
        ("updateTime", "2026-13-01T00:00:00Z", "Instant"),
        ("correctionReason", "RETURNED", "CorrectionReason"),
        ("status", "Declined", "OrderStatus"),
        ("items", [{"sku": "a", "quantity": 1.5, "unitPrice": "1.00"}], "'orders[0].items[0].quantity'"),
        ("items", [{"sku": "a", "unitPrice": "1.00"}], "required fields '[quantity]'"),
        ("colour", "red", "a field not in 'OrderRestateRequest': 'colour'"),
    ],
)
def test_a_wrong_type_refuses_the_request_in_the_schemas_words(shop: Shop, field: str, value: Any, names: str) -> None:
    good, bad = shop.order("restate", shop.new_id()), shop.order("restate", shop.new_id()) | {field: value}
    answer = shop.send_raw("restate", [bad, good]).json()
    assert answer["data"] is None
    assert len(answer["errors"]) == 1
    assert messages(answer)[0].startswith("Validation error of type WrongType: ")
    assert names in messages(answer)[0]


def test_every_wrong_order_of_a_request_has_its_own_message(shop: Shop) -> None:
    orders = [shop.order("restate", shop.new_id(), amount="1.00") | ({"amount": 1} if i % 2 else {}) for i in range(6)]
    assert [m.split("'")[1] for m in messages(shop.send_raw("restate", orders).json())] == [f"orders[{i}].amount" for i in (1, 3, 5)]


def test_orders_written_into_the_document_are_as_strict_as_variables(shop: Shop) -> None:
    order = f'enterpriseId: "1500001", actionTrackerId: 401, orderId: "{shop.new_id()}", updateTime: "{shop.now()}"'
    for amount, good in (('"12.50"', True), ("12.50", False), ("12", False)):
        query = f"mutation {{ restateOrders(restatedOrders: [{{ {order}, amount: {amount} }}]) {{ orders {{ amount }} }} }}"
        answer = shop.http.post("/graphqltest", json={"query": query}).json()
        if good:
            assert answer == {"data": {"restateOrders": {"orders": [{"amount": "12.50"}]}}}
        else:
            assert messages(answer)[0].startswith("Validation error of type WrongType")


def test_a_field_the_schema_does_not_have_is_named(shop: Shop) -> None:
    answer = shop.send_raw("cancel", [], selection="orders { amount }").json()
    assert messages(answer)[0].startswith("Validation error of type FieldUndefined")


def test_another_enterprises_order_is_unauthorized_even_among_good_ones(shop: Shop) -> None:
    mine, theirs = shop.new_id(), shop.new_id()
    answer = shop.send_raw("create", [shop.order("create", mine), shop.order("create", theirs) | {"enterpriseId": "1500002"}]).json()
    assert messages(answer) == ["Unauthorized"]
    assert not [s for s in shop.control.submissions() if s["order_id"] in (mine, theirs)]


def test_ten_thousand_orders_are_taken_and_one_more_is_a_504(shop: Shop) -> None:
    one = shop.order("restate", "bulk")
    orders = [one | {"orderId": f"bulk-{i}"} for i in range(10_001)]
    assert shop.send_raw("restate", orders, "/graphqltest").status_code == 504
    assert len(shop.send("restate", orders[:-1], "/graphqltest")["orders"]) == 10_000


ITEM = {"sku": "a", "quantity": 1, "unitPrice": "1.00"}


@pytest.mark.parametrize(
    ("fields", "message", "path"),
    [
        ({"items": [ITEM] * 101}, "Order may not have more than 100 items", "items"),
        ({"currency": ""}, "Order may not have an empty currency", "currency"),
        ({"currency": "Euro"}, "Order may not have a currency that is not an ISO 4217 code", "currency"),
        ({"orderId": "a b"}, "Order may only have an orderId of 1 to 96 letters, digits, '-' and '_'", "orderId"),
        ({"orderId": "a" * 97}, "Order may only have an orderId of 1 to 96 letters, digits, '-' and '_'", "orderId"),
        ({"cjEvent": "c" * 65}, "Order may not have a cjEvent longer than 64 characters", "cjEvent"),
        ({"coupon": "c" * 257}, "Order may not have a coupon longer than 256 characters", "coupon"),
        ({"items": [ITEM, ITEM | {"sku": "s" * 101}]}, "Item may only have a sku of 1 to 100 characters", "items[1].sku"),
        ({"amount": "0.12345678901"}, "Order may not have this amount: an amount may have at most 10 decimal places", "amount"),
    ],
)
@pytest.mark.parametrize("path_of_order", [True, False])
def test_a_field_error_names_the_field_and_the_order_only_if_told_to(
    shop: Shop, fields: dict[str, Any], message: str, path: str, path_of_order: bool
) -> None:
    shop.control.configure(index_in_fields=path_of_order)
    orders = [shop.order("restate", shop.new_id()), shop.order("restate", shop.new_id(), **fields)]
    payload = shop.send("restate", orders, "/graphqltest")
    assert payload["errors"] == [{"message": message, "fields": [f"restatedOrders[1].{path}" if path_of_order else path]}]


@pytest.mark.parametrize(("operation", "field"), [("create", "eventTime"), ("restate", "updateTime"), ("cancel", "updateTime")])
def test_a_time_in_the_sandboxs_future_is_refused(shop: Shop, operation: str, field: str) -> None:
    future: Any = (shop.control.clock() + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    payload = shop.send(operation, [shop.order(operation, shop.new_id(), **{field: future})])
    assert payload["errors"] == [{"message": f"Order may not have a {field} in the future", "fields": [field]}]


@pytest.mark.parametrize(("policy", "accepted"), [("whole", 0), ("orders", 2)])
def test_one_bad_order_sinks_the_request_or_itself_as_the_knob_says(shop: Shop, policy: str, accepted: int) -> None:
    shop.control.configure(partial_rejection=policy)
    ids = [shop.new_id() for _ in range(3)]
    orders = [shop.order("create", i) for i in ids]
    orders[1]["currency"] = ""
    payload = shop.send("create", orders)
    assert [o["orderId"] for o in payload["orders"]] == [ids[0], ids[2]][:accepted]
    assert len(payload["errors"]) == 1
    assert len([s for s in shop.control.submissions() if s["order_id"] in ids]) == accepted


def test_test_mode_checks_the_same_and_keeps_nothing(shop: Shop) -> None:
    order_id = shop.new_id()
    assert [o["orderId"] for o in shop.send("create", [shop.order("create", order_id)], "/graphqltest")["orders"]] == [order_id]
    shop.control.advance(2 * HOUR)
    assert not [s for s in shop.control.submissions() if s["order_id"] == order_id]
    assert shop.records(order_id) == []


def test_the_answer_echoes_each_accepted_order_with_ids_and_receipt(shop: Shop) -> None:
    ids = [shop.new_id(), shop.new_id()]
    orders = [shop.order("create", i, amount="5.00", items=[ITEM], customParameters=[{"name": "n", "value": "v"}]) for i in ids]
    selection = (
        "orders { submissionId batchId mine: orderId orderReceivedTime advertiser { enterpriseId } actionTracker { id } amount discount"
        " items { sku quantity unitPrice } customParameters { name value } } errors { message }"
    )
    answer = shop.send_raw("create", orders, selection=selection).json()["data"]["createOrders"]
    assert answer["errors"] is None
    first, second = answer["orders"]
    assert [first.pop("mine"), second.pop("mine")] == ids
    assert first.pop("submissionId") != second.pop("submissionId")
    assert first.pop("batchId") == second.pop("batchId")
    assert first.pop("orderReceivedTime").endswith("Z")
    assert first == {
        "advertiser": {"enterpriseId": "1500001"},
        "actionTracker": {"id": 401},
        "amount": "5.00",
        "discount": None,
        "items": [ITEM],
        "customParameters": [{"name": "n", "value": "v"}],
    }


def test_the_build_number_and_the_schema_can_be_asked_for(shop: Shop) -> None:
    assert isinstance(shop.http.post("/graphql", json={"query": "{ getBuildNumber }"}).json()["data"]["getBuildNumber"], str)
    schema = shop.http.post("/query", json={"query": "{ __schema { queryType { name } } }"}).json()
    assert schema["data"]["__schema"]["queryType"]["name"] == "Query"
