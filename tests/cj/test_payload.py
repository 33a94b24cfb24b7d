"""Every payload equals what a slow and obvious reference writes, digit by digit."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.cj import payload
from include.cj.columns import instant_texts, money_texts
from include.cj.errors import CJRequestTooLarge, CJTooManyOrders, CJUnsendable
from include.cj.payload import body_hash, request_body
from include.domain.money import money_text
from include.domain.shapes import CHUNK, INSTANT, MONEY
from include.domain.states import Operation


def reference_body(operation: Operation, rows: Any) -> Any:
    """The same body, row by row, with nothing clever in it."""
    argument = {Operation.CREATE: "newOrders", Operation.RESTATE: "restatedOrders", Operation.CANCEL: "cancelledOrders"}[operation]
    orders = []
    for row in rows:
        order = {"enterpriseId": row["enterprise_id"], "actionTrackerId": row["action_tracker_id"], "orderId": row["order_id"]}
        if operation is Operation.CREATE:
            if row["event_time"] is not None:
                order["eventTime"] = reference_instant(row["event_time"])
            if row["cj_event"] is None:
                put(order, "adId", row["ad_id"])
                put(order, "promotionalPropertyId", row["promotional_property_id"])
            put(order, "sid", row["sid"])
        else:
            order["updateTime"] = reference_instant(row["updated_at"])
            put(order, "status", row["status"])
            put(order, "correctionReason", row["correction_reason"])
        if operation is not Operation.CANCEL:
            put(order, "cjEvent", row["cj_event"])
            put(order, "amount", None if row["amount"] is None else money_text(row["amount"]))
            put(order, "discount", None if row["discount"] is None else money_text(row["discount"]))
            put(order, "currency", row["currency"])
            put(order, "coupon", row["coupon"])
            put(order, "items", None if row["items"] is None else [reference_item(item) for item in row["items"]])
            custom = json.loads(row["custom_parameters"]) if row["custom_parameters"] else {}
            put(order, "customParameters", [{"name": k, "value": v} for k, v in custom.items()] or None)
            put(order, "verticalParameters", (json.loads(row["vertical_parameters"]) if row["vertical_parameters"] else {}) or None)
        orders.append(order)
    return argument, orders


def put(order: Any, name: Any, value: Any) -> Any:
    if value is not None:
        order[name] = value


def reference_item(item: Any) -> Any:
    written = {"sku": item["sku"], "quantity": item["quantity"], "unitPrice": money_text(item["unit_price"])}
    put(written, "discount", None if item["discount"] is None else money_text(item["discount"]))
    return written


def reference_instant(moment: Any) -> Any:
    moment = moment.astimezone(UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else "") + "Z"


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
amounts = st.one_of(
    st.decimals(0, 10**6, places=2),
    st.decimals(0, 1, places=10),
    st.decimals(0, Decimal("9" * 28), places=10),
    st.sampled_from([Decimal("0"), Decimal("0E-10"), Decimal("1E-10"), Decimal("1.10"), Decimal("100"), Decimal("2E+2")]),
)
zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=zones)  # noqa: DTZ001 - the zone comes beside it
items = st.lists(
    st.fixed_dictionaries({"sku": texts, "quantity": st.integers(0, 2**31 - 1), "unit_price": amounts, "discount": st.none() | amounts}),
    max_size=4,
)
custom = st.dictionaries(texts, texts, max_size=3).map(json.dumps)
vertical = st.dictionaries(st.sampled_from(["city", "rating", "class", "upsell"]), texts, max_size=3).map(json.dumps)
rows = st.fixed_dictionaries(
    {
        "enterprise_id": texts,
        "action_tracker_id": st.integers(0, 2**53),
        "order_id": texts,
        "event_time": st.none() | times,
        "updated_at": times,
        "amount": st.none() | amounts,
        "discount": st.none() | amounts,
        "currency": st.none() | st.sampled_from(["USD", "EUR"]),
        "coupon": st.none() | texts,
        "items": st.none() | items,
        "status": st.none() | st.sampled_from(["Pending", "Accepted", "Declined"]),
        "correction_reason": st.none() | st.sampled_from(["Other", "BadDebt"]),
        "cj_event": st.none() | texts,
        "ad_id": st.none() | st.integers(0, 2**53),
        "promotional_property_id": st.none() | st.integers(0, 2**53),
        "sid": st.none() | texts,
        "custom_parameters": st.none() | custom,
        "vertical_parameters": st.none() | vertical,
    }
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(operation=st.sampled_from(list(Operation)), orders=st.lists(rows, min_size=1, max_size=5), cut=st.integers(0, 2))
def test_the_columnar_payload_equals_the_reference_on_every_order(operation: Operation, orders: Any, cut: int) -> None:
    chunk = pa.Table.from_pylist(orders, CHUNK).slice(min(cut, len(orders) - 1))
    body = orjson.loads(request_body(operation, chunk))
    argument, expected = reference_body(operation, orders[min(cut, len(orders) - 1) :])
    assert body["variables"]["orders"] == expected
    assert f"{argument}: $orders" in body["query"]
    assert f"mutation {body['operationName']}(" in body["query"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.none() | amounts | amounts.map(lambda a: -a), max_size=6))
def test_an_amount_leaves_with_exactly_its_digits(values: Any) -> None:
    column = pa.array(values, MONEY)
    written = money_texts(column).to_pylist()
    assert written == [None if v is None else money_text(v) for v in column.to_pylist()]
    for text, value in zip(written, values, strict=True):
        if value is None:
            assert text is None
        else:
            assert Decimal(text) == value
            assert re.fullmatch(r"-?\d+\.\d\d(\d*[1-9])?", text)


def test_times_keep_their_microseconds_and_end_in_z() -> None:
    column = pa.array([datetime(2026, 3, 1, 10, 0, tzinfo=UTC), datetime(2026, 3, 1, 10, 0, 0, 250_001, tzinfo=UTC), None], INSTANT)
    assert instant_texts(column).to_pylist() == ["2026-03-01T10:00:00Z", "2026-03-01T10:00:00.250001Z", None]
    elsewhere = column.cast(pa.timestamp("us", "America/New_York"))
    assert instant_texts(elsewhere).equals(instant_texts(column))


def order(**changes: Any) -> Any:
    given_ = {
        "enterprise_id": "1501",
        "action_tracker_id": 4001,
        "order_id": "ORD-1",
        "event_time": datetime(2026, 3, 1, tzinfo=UTC),
        "updated_at": datetime(2026, 3, 2, tzinfo=UTC),
        "amount": Decimal("122.94"),
        "discount": Decimal("0"),
        "items": [{"sku": "S", "quantity": 1, "unit_price": Decimal("122.94"), "discount": None}],
    }
    return pa.Table.from_pylist([given_ | changes], CHUNK)


def sent_all(operation: Operation, chunk: Any) -> Any:
    return orjson.loads(request_body(operation, chunk))["variables"]["orders"]


def sent(operation: Operation, chunk: Any) -> Any:
    return orjson.loads(request_body(operation, chunk))["variables"]["orders"][0]


SPECIAL = 'a"\\\x00\x07\b\t\n\x1f\x7f/é\u2028😀'


@pytest.mark.parametrize("operation", list(Operation))
def test_every_character_is_written_as_the_json_library_writes_it(operation: Operation) -> None:
    """A body made before an update of the package and after it must have the same name."""
    item = {"sku": SPECIAL, "quantity": 1, "unit_price": Decimal("1"), "discount": None}
    texts = dict.fromkeys(("order_id", "coupon", "sid", "correction_reason", "currency"), SPECIAL)
    parameters = orjson.dumps({"city": SPECIAL}).decode()
    chunk = order(**texts, items=[item], custom_parameters=parameters, vertical_parameters=parameters)
    body = request_body(operation, pa.concat_tables([chunk, order(), chunk.slice(0, 0), chunk]))
    assert orjson.dumps(orjson.loads(body)) == body
    first, plain, last = orjson.loads(body)["variables"]["orders"]
    assert first == last
    assert first["orderId"] == SPECIAL != plain["orderId"]
    if operation is not Operation.CANCEL:
        assert first["items"][0]["sku"] == SPECIAL


def test_no_orders_are_a_body_without_orders() -> None:
    assert sent_all(Operation.CREATE, order().slice(0, 0)) == []


def test_a_discount_of_zero_is_sent_and_not_left_out() -> None:
    assert sent(Operation.RESTATE, order())["discount"] == "0.00"


def test_a_cancellation_carries_no_attribute_changes() -> None:
    assert set(sent(Operation.CANCEL, order(correction_reason="Other", status="Declined", cj_event="e", coupon="c"))) == {
        "enterpriseId", "actionTrackerId", "orderId", "updateTime", "status", "correctionReason",
    }  # fmt: skip


def test_a_cj_event_wins_over_ad_and_property() -> None:
    both = sent(Operation.CREATE, order(cj_event="e", ad_id=1, promotional_property_id=2))
    assert both["cjEvent"] == "e"
    assert "adId" not in both
    assert "promotionalPropertyId" not in both
    alone = sent(Operation.CREATE, order(ad_id=1, promotional_property_id=2))
    assert (alone["adId"], alone["promotionalPropertyId"]) == (1, 2)


def test_numbers_in_parameters_keep_the_digits_they_are_written_with() -> None:
    body = sent(Operation.CREATE, order(custom_parameters='{"a": 1.10, "b": 900719925474099312, "c": true, "d": null}'))
    assert body["customParameters"] == [
        {"name": "a", "value": "1.10"}, {"name": "b", "value": "900719925474099312"}, {"name": "c", "value": "true"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"vertical_parameters": '{"ctiy": "Paris"}'},
        {"vertical_parameters": '{"advertiserVertical": "Shoes"}'},
        {"vertical_parameters": '["city"]'},
        {"custom_parameters": '{"secret": ["x"]}'},
        {"custom_parameters": "{"},
        {"updated_at": None},
        {"items": [{"sku": None, "quantity": 1, "unit_price": Decimal(1), "discount": None}]},
        {"items": [{"sku": "S", "quantity": 1, "unit_price": None, "discount": None}]},
    ],
)
def test_what_cjs_types_cannot_carry_is_refused_before_anything_is_sent(changes: Any) -> None:
    with pytest.raises(CJUnsendable, match=r"Nothing was sent"):
        request_body(Operation.RESTATE, order(**changes))


def test_ten_thousand_orders_go_and_one_more_is_refused() -> None:
    assert request_body(Operation.RESTATE, pa.concat_tables([order()] * 10_000)).count(b'"orderId"') == 10_000
    with pytest.raises(CJTooManyOrders):
        request_body(Operation.RESTATE, pa.concat_tables([order()] * 10_001))


@pytest.mark.parametrize("orders", [1, 3])
def test_a_request_as_large_as_cj_takes_goes_and_one_byte_more_is_refused(monkeypatch: pytest.MonkeyPatch, orders: int) -> None:
    chunk = pa.concat_tables([order()] * orders)
    size = len(request_body(Operation.RESTATE, chunk))
    monkeypatch.setattr(payload, "MAX_REQUEST_BYTES", size)
    assert len(request_body(Operation.RESTATE, chunk)) == size
    monkeypatch.setattr(payload, "MAX_REQUEST_BYTES", size - 1)
    with pytest.raises(CJRequestTooLarge, match=f"A request of {size} bytes is over CJ's {size - 1}"):
        request_body(Operation.RESTATE, chunk)


def test_one_body_has_one_hash() -> None:
    body = request_body(Operation.RESTATE, order())
    assert body_hash(body) == body_hash(request_body(Operation.RESTATE, order()))
    assert body_hash(body) != body_hash(request_body(Operation.RESTATE, order(coupon="c")))
    assert re.fullmatch(r"[0-9a-f]{32}", body_hash(body))
