"""Whatever comes back: one of our errors, or no more echoes and records than CJ really gave."""

from __future__ import annotations

import contextlib
import copy
import json
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import orjson
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from include.cj import answers
from include.cj.answers import Answer, decode_answer, decode_text
from include.cj.errors import CJError
from include.cj.records import CommissionPage, decode_page
from include.domain.states import Operation

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def echo(n: int) -> Any:
    return {
        "orderId": f"ORD-{n}",
        "submissionId": "s",
        "batchId": "b",
        "advertiser": {"enterpriseId": "1501"},
        "actionTracker": {"id": 4001},
    }


ANSWER = {"data": {"createOrders": {"orders": [echo(n) for n in range(3)], "errors": [{"message": "no", "fields": ["a"]}]}}}
RECORD = dict.fromkeys(
    ("commissionId", "advertiserId", "actionTrackerId", "actionType", "actionStatus", "publisherId", "originalActionId"), "1"
) | {
    "postingDate": "2026-03-01T10:00:00Z",
    "original": True,
    "saleAmountAdvCurrency": "1.00",
    "items": [{"commissionItemId": "1", "sku": "A", "quantity": 1}],
}
PAGE = {"data": {"advertiserCommissions": {"count": 2, "payloadComplete": True, "maxCommissionId": "1", "records": [RECORD, RECORD]}}}

junk = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.just("") | st.just("9" * 50),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["orders", "errors", "message", "id", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def paths(value: Any, path: Any = ()) -> Any:
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in steps:
        yield from paths(inner, (*path, key))


def replaced(document: Any, path: Any, value: Any) -> Any:
    if not path:
        return value
    document = copy.deepcopy(document)
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return document


def without(document: Any, path: Any) -> Any:
    document = copy.deepcopy(document)
    at = document
    for key in path[:-1]:
        at = at[key]
    del at[path[-1]]
    return document


def mutated(document: Any) -> Any:
    places = st.sampled_from(list(paths(document)))
    deeper = st.sampled_from([p for p in paths(document) if p])
    whole = orjson.dumps(document)
    return st.one_of(
        st.builds(lambda path, value: orjson.dumps(replaced(document, path, value)), places, junk),
        st.builds(lambda path: orjson.dumps(without(document, path)), deeper),
        st.integers(0, len(whole) - 1).map(lambda cut: whole[:cut]),
        st.builds(lambda cut, noise: whole[:cut] + noise + whole[cut:], st.integers(0, len(whole)), st.binary(min_size=1, max_size=4)),
        st.binary(max_size=60),
        st.builds(lambda extra: orjson.dumps(document | {"extensions": extra}), junk),
        st.just(b"[" * 100_000),
        st.just(b'{"data":' * 5_000),
        st.just(b"<html>" + b"x" * 1_000_000),
    )


def answered(body: Any, status: int = 200) -> Any:
    try:
        return decode_answer(Operation.CREATE, body, status, "cj.example", NOW)
    except CJError as error:
        return error


def said(body: bytes) -> list[tuple[Any, ...]]:
    """The orders an answer names, each once, read by another parser than the package's: what is not whole is in the way of all of them."""
    orders = json.loads(body.decode())["data"]["createOrders"]["orders"]
    named = (
        (o["orderId"], o["advertiser"]["enterpriseId"], int(o["actionTracker"]["id"]), o["submissionId"], o["batchId"]) for o in orders
    )
    return list(dict.fromkeys(named))


def named_by(answer: Answer) -> list[tuple[Any, ...]]:
    return [(o.order_id, o.enterprise_id, o.action_tracker_id, o.submission_id, o.batch_id) for o in answer.orders]


def tells_no_more_than_was_said(body: bytes, status: int = 200) -> bool:
    """Whether it was read at all. Raises AssertionError where other orders were read than the answer names."""
    found = answered(body, status)
    if not isinstance(found, Answer):
        return False
    assert not found.orders or named_by(found) == said(body)
    assert all(isinstance(value, int if at == 2 else str) and value for named in named_by(found) for at, value in enumerate(named))
    return True


@settings(max_examples=500, deadline=None)
@given(body=mutated(ANSWER), status=st.sampled_from([200, 200, 400]))
def test_a_damaged_answer_never_yields_an_echo_that_was_not_there(body: Any, status: int) -> None:
    tells_no_more_than_was_said(body, status)


@pytest.mark.parametrize(
    "noise", [b"0", b"-", b" ", b"\\n", b"\\t", b"\\\\", b"\\u0041", b"\\/", b'"', b"\xc3\xa9", b"\xff", b"\x00", b"]", b","], ids=repr
)
def test_an_answer_into_which_something_slipped_names_what_another_parser_reads_of_it(noise: bytes) -> None:
    whole = orjson.dumps(ANSWER)
    read = [tells_no_more_than_was_said(whole[:cut] + noise + whole[cut:]) for cut in range(len(whole) + 1)]
    assert any(read) == (noise not in (b'"', b"\xff", b"\x00"))
    assert not all(read)


PLAIN = {"data": {"createOrders": {"orders": [echo(n) for n in (0, 1, 1, 2)], "errors": []}}}


@settings(max_examples=500, deadline=None)
@given(body=mutated(PLAIN) | st.just(orjson.dumps(PLAIN)))
def test_a_plain_answer_read_the_short_way_says_what_it_says_read_with_all_care(body: Any) -> None:
    short = answers._plain_echoes(Operation.CREATE, body)
    with mock.patch.object(answers, "_plain_echoes", return_value=None):
        careful = answered(body)
    if short:
        assert careful == Answer(short, [], NOW)
    if body == orjson.dumps(PLAIN):
        assert short is not None
        assert [order.order_id for order in short] == ["ORD-0", "ORD-1", "ORD-2"]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_an_order_whose_echo_was_damaged_is_not_accepted(data: Any) -> None:
    path = data.draw(st.sampled_from([p for p in paths(ANSWER) if len(p) > 3 and p[2] == "orders"]))
    damaged = replaced(ANSWER, path, data.draw(junk))
    assume(damaged != ANSWER)
    whole = answered(orjson.dumps(ANSWER)).orders[path[3]]
    found = answered(orjson.dumps(damaged))
    assert isinstance(found, CJError) or whole not in found.orders


@settings(max_examples=200, deadline=None)
@given(cut=st.integers(0, len(orjson.dumps(ANSWER)) - 1))
def test_an_answer_cut_anywhere_accepts_nothing(cut: int) -> None:
    found = answered(orjson.dumps(ANSWER)[:cut])
    assert isinstance(found, CJError)
    assert found.maybe_done


@settings(max_examples=500, deadline=None)
@given(body=mutated(PAGE))
def test_a_damaged_page_is_an_error_or_holds_no_more_records(body: Any) -> None:
    try:
        found = decode_page(body, "cj.example")
    except CJError:
        return
    if isinstance(found, CommissionPage):
        assert found.count == found.table.num_rows <= 3
        assert found.table["commission_id"].null_count == 0
        assert isinstance(found.payload_complete, bool)


@settings(max_examples=200, deadline=None)
@given(body=mutated({"data": {"getBuildNumber": "17"}}))
def test_a_damaged_build_number_is_an_error_or_a_text(body: Any) -> None:
    with contextlib.suppress(CJError):
        assert isinstance(decode_text("getBuildNumber", body, 200, "cj.example"), str)


def test_the_untouched_answers_are_read_whole() -> None:
    assert [o.order_id for o in answered(orjson.dumps(ANSWER)).orders] == ["ORD-0", "ORD-1", "ORD-2"]
    assert decode_page(orjson.dumps(PAGE), "cj.example").count == 2
