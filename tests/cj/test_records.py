"""CJ's records arrive as the warehouse keeps them, exact, with the right nulls."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from include.cj.errors import CJError, CJNoVerdict
from include.cj.records import COMMISSION_ITEMS, COMMISSIONS, decode_page
from include.domain.marks import sku_hash


def decoded(answer: Any) -> Any:
    return decode_page(orjson.dumps(answer), "cj.example")


def test_a_record_becomes_a_row_with_every_figure_exact(
    page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]
) -> None:
    found = decoded(page(records("100"), cursor="100"))
    assert found.table.schema == COMMISSIONS
    assert found.items.schema == COMMISSION_ITEMS
    assert (found.payload_complete, found.max_commission_id, found.count) == (True, "100", 1)
    assert found.table.to_pylist() == [
        {
            "commission_id": "100",
            "advertiser_id": "5501",
            "action_tracker_id": 4001,
            "action_tracker_name": "Sale",
            "order_id": "ORD-1",
            "action_type": "item_sale",
            "action_status": "new",
            "publisher_id": "7108602",
            "publisher_name": "Aspire",
            "event_date": datetime(2026, 3, 1, 9, tzinfo=UTC),
            "posting_date": datetime(2026, 3, 1, 10, 3, 0, 250_000, tzinfo=UTC),
            "locking_date": datetime(2026, 4, 10, 9, tzinfo=UTC),
            "locking_method": "FIXED_DATE",
            "validation_status": "PENDING",
            "original": True,
            "original_action_id": "77",
            "correction_reason": None,
            "sale_amount": Decimal("122.94"),
            "order_discount": Decimal("-0.10"),
            "order_discount_orig_currency": None,
            "adv_commission_amount": Decimal("6.147"),
            "cj_fee": Decimal("1.8441"),
            "coupon": "SPRING",
            "items_mark": Decimal(2 * sku_hash("SKU-1")),
        }
    ]
    assert found.items.to_pylist() == [
        {
            "commission_id": "100",
            "commission_item_id": "100-1",
            "sku": "SKU-1",
            "quantity": 2,
            "sale_amount": Decimal("22.99"),
            "discount": Decimal("5.00"),
            "commission": Decimal("2.05"),
        }
    ]


@pytest.mark.parametrize("table", ["commissions", "commission_items"])
def test_the_shapes_have_the_columns_of_the_tables_in_their_order(table: str) -> None:
    sql = (Path(__file__).parents[2] / "include/sql/schema/0001_first.sql").read_text()
    columns = re.search(rf"cj\.{table} \((.*?)\n\);", sql, re.DOTALL)
    assert columns is not None
    names = [line.split()[0] for line in re.split(r",\s(?![0-9])", columns[1])]
    assert (COMMISSIONS if table == "commissions" else COMMISSION_ITEMS).names == [n for n in names if n != "ingested_at"]


def test_items_belong_to_their_own_record_and_quantities_may_be_negative(
    page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]
) -> None:
    item = records("1")["items"][0]
    reversal = [item | {"sku": "A", "quantity": -2}, item | {"sku": "B", "quantity": -1}]
    found = decoded(page(records("1"), records("2", items=[]), records("3", items=reversal)))
    assert found.items["commission_id"].to_pylist() == ["1", "3", "3"]
    assert found.table["items_mark"].to_pylist() == [2 * sku_hash("SKU-1"), 0, -2 * sku_hash("A") - sku_hash("B")]


def test_an_empty_page_is_a_page(page: Callable[..., dict[str, Any]]) -> None:
    found = decoded(page())
    assert (found.count, found.max_commission_id, found.table.schema, found.items.schema) == (0, "", COMMISSIONS, COMMISSION_ITEMS)


def test_an_empty_text_where_null_is_possible_is_null(page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]) -> None:
    names = ("orderId", "coupon", "lockingDate", "saleAmountAdvCurrency", "correctionReason", "validationStatus")
    row = decoded(page(records("1"), records("2", **dict.fromkeys(names, "")))).table.to_pylist()[1]
    assert [row[n] for n in ("order_id", "coupon", "locking_date", "sale_amount", "correction_reason", "validation_status")] == [None] * 6


def test_fields_nobody_asked_for_are_left_aside(page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]) -> None:
    found = decoded(page(records("1", situations=[{"a": 1}], country=7)) | {"extensions": {"cost": 1}})
    assert found.table.schema == COMMISSIONS


@pytest.mark.parametrize(
    "change",
    [
        {"saleAmountAdvCurrency": 122.94},
        {"saleAmountAdvCurrency": "a lot"},
        {"saleAmountAdvCurrency": "1.12345678901"},
        {"postingDate": "yesterday"},
        {"postingDate": None},
        {"postingDate": ""},
        {"commissionId": None},
        {"actionTrackerId": "tracker"},
        {"original": "true"},
        {"items": {"sku": "A"}},
        {"items": [{"sku": "A", "commissionItemId": "1", "quantity": 1.5}]},
        {"items": [{"sku": None, "commissionItemId": "1", "quantity": 1}]},
    ],
)
def test_a_value_of_another_type_is_refused_and_never_guessed(
    page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]], change: Any
) -> None:
    with pytest.raises(CJNoVerdict) as raised:
        decoded(page(records("1"), records("2", **change)))
    assert "122" not in str(raised.value)
    assert "a lot" not in str(raised.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"{}",
        b'{"data": null}',
        b'{"data": {"advertiserCommissions": null}}',
        b'{"data": {}}{"data": {}}',
        b"\xff",
    ],
)
def test_what_is_no_page_is_an_error(body: Any) -> None:
    with pytest.raises(CJError):
        decode_page(body, "cj.example")


def test_text_that_is_no_unicode_is_refused(page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]) -> None:
    body = orjson.dumps(page(records("1", orderId="MARK"))).replace(b"MARK", b"\xff\xfe")
    with pytest.raises(CJNoVerdict):
        decode_page(body, "cj.example")
