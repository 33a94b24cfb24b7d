"""CJ's records arrive as the warehouse keeps them, exact, with the right nulls."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from include.cj.errors import CJError, CJNoVerdict
from include.cj.records import COMMISSIONS, MANY_SET_ASIDE, CommissionPage, decode_page
from include.domain.marks import sku_hash


def decoded(answer: Any) -> Any:
    return decode_page(json.dumps(answer).encode(), "cj.example")


def test_a_record_becomes_a_row_with_every_figure_exact(
    page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]
) -> None:
    found = decoded(page(records("100"), cursor="100"))
    assert found.table.schema == COMMISSIONS
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
            "sale_amount_pub_currency": Decimal("96.80"),
            "sale_amount_usd": Decimal("122.94"),
            "pub_commission_amount_pub_currency": Decimal("4.84"),
            "pub_commission_amount_usd": Decimal("6.147"),
            "items_mark": Decimal(2 * sku_hash("SKU-1")),
            "items": '[["100-1","SKU-1",2,"22.99","5","2.05"]]',
        }
    ]


def items_of(found: CommissionPage) -> dict[str, list[str]]:
    """The SKUs of each record that has items."""
    rows = found.table.select(["commission_id", "items"]).to_pylist()
    return {row["commission_id"]: [item[1] for item in json.loads(row["items"])] for row in rows if row["items"] is not None}


def test_the_shape_has_the_columns_of_the_table_in_their_order() -> None:
    sql = (Path(__file__).parents[2] / "include/sql/schema/0001_first.sql").read_text()
    columns = re.search(r"cj\.commissions \((.*?)\n\);", sql, re.DOTALL)
    assert columns is not None
    names = [line.split()[0] for line in re.split(r",\s(?![0-9])", columns[1])]
    found = COMMISSIONS.names
    added = [*re.findall(r"ALTER TABLE cj\.commissions ADD COLUMN IF NOT EXISTS (\w+) decimal", _steps()), "items"]
    assert [n for n in found if n not in added] == [n for n in names if n != "ingested_at"]
    assert {n for n in found if n in added} == set(added)


def _steps() -> str:
    """What was added to the tables since they were made first."""
    return "".join(path.read_text() for path in sorted((Path(__file__).parents[2] / "include/sql/schema").glob("0*.sql")))


def test_items_belong_to_their_own_record_and_quantities_may_be_negative(
    page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]
) -> None:
    item = records("1")["items"][0]
    reversal = [item | {"sku": "A", "quantity": -2}, item | {"sku": "B", "quantity": -1}]
    found = decoded(page(records("1"), records("2", items=[]), records("3", items=reversal)))
    assert items_of(found) == {"1": ["SKU-1"], "3": ["A", "B"]}
    assert found.table["items_mark"].to_pylist() == [2 * sku_hash("SKU-1"), 0, -2 * sku_hash("A") - sku_hash("B")]


def test_an_empty_page_is_a_page(page: Callable[..., dict[str, Any]]) -> None:
    found = decoded(page())
    assert (found.count, found.max_commission_id, found.table.schema) == (0, "", COMMISSIONS)


def test_an_empty_text_where_null_is_possible_is_null(page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]) -> None:
    names = ("orderId", "coupon", "lockingDate", "saleAmountAdvCurrency", "correctionReason", "validationStatus")
    row = decoded(page(records("1"), records("2", **dict.fromkeys(names, "")))).table.to_pylist()[1]
    assert [row[n] for n in ("order_id", "coupon", "locking_date", "sale_amount", "correction_reason", "validation_status")] == [None] * 6


def test_fields_nobody_asked_for_are_left_aside(page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]) -> None:
    found = decoded(page(records("1", situations=[{"a": 1}], country=7)) | {"extensions": {"cost": 1}})
    assert found.table.schema == COMMISSIONS


@pytest.mark.parametrize(
    ("change", "what", "why"),
    [
        ({"saleAmountAdvCurrency": 122.94}, "saleAmountAdvCurrency", "wrong_type"),
        ({"saleAmountAdvCurrency": "a lot"}, "saleAmountAdvCurrency", "not_a_number"),
        ({"saleAmountAdvCurrency": "Infinity"}, "saleAmountAdvCurrency", "not_a_number"),
        ({"saleAmountAdvCurrency": "1" + "0" * 18}, "saleAmountAdvCurrency", "too_large"),
        ({"saleAmountAdvCurrency": "1E+999999999999999999999"}, "saleAmountAdvCurrency", "too_large"),
        ({"postingDate": "yesterday"}, "postingDate", "not_a_time"),
        ({"postingDate": "0000-12-31T23:59:59Z"}, "postingDate", "not_a_time"),
        ({"postingDate": None}, "postingDate", "missing"),
        ({"postingDate": ""}, "postingDate", "not_a_time"),
        ({"commissionId": None}, "commissionId", "missing"),
        ({"commissionId": "2\0"}, "commissionId", "character"),
        ({"orderId": "o" * 513}, "orderId", "too_long"),
        ({"actionTrackerId": "tracker"}, "actionTrackerId", "not_a_number"),
        ({"original": "true"}, "original", "wrong_type"),
        ({"items": {"sku": "A"}}, "items", "wrong_type"),
        ({"items": [None]}, "items", "wrong_type"),
        ({"items": [{"sku": "A", "commissionItemId": "1", "quantity": 1.5}]}, "items.quantity", "wrong_type"),
        ({"items": [{"sku": "A", "commissionItemId": "1", "quantity": 2**31 + 1}]}, "items.quantity", "too_large"),
        ({"items": [{"sku": "A", "commissionItemId": "1", "quantity": 10**4000}]}, "items.quantity", "wrong_type"),
        ({"items": [{"sku": None, "commissionItemId": "1", "quantity": 1}]}, "items.sku", "missing"),
    ],
)
def test_a_record_with_a_value_of_another_type_is_set_aside_alone_and_never_guessed(
    page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]], change: Any, what: str, why: str
) -> None:
    found = decoded(page(records("1"), records("2", orderId="ORD-2") | change, records("3"), cursor="3"))
    assert found.table.to_pylist() == decoded(page(records("1"), records("3"))).table.to_pylist()
    assert list(items_of(found)) == ["1", "3"]
    assert (found.count, found.gone, found.max_commission_id) == (2, 1, "3")
    (said,) = found.set_aside.to_pylist()
    assert (said["what"], said["why"], said["kept"]) == (what, why, False)
    assert (said["commission_id"] or "2", said["order_id"][:5], said["action_tracker_id"] or 4001) == (
        "2\ufffd" if change == {"commissionId": "2\0"} else "2", "ORD-2" if "orderId" not in change else "o" * 5, 4001
    )  # fmt: skip


def test_a_record_that_is_no_object_or_has_a_field_twice_is_set_aside_alone(
    page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]
) -> None:
    body = json.dumps(page(records("1"), records("2", orderId="ORD-2"), None, 7, [], "x", records("3")))
    found = decode_page(body.replace('"orderId": "ORD-2"', '"orderId": "ORD-2", "orderId": "ORD-9"').encode(), "cj.example")
    assert isinstance(found, CommissionPage)
    assert found.table["commission_id"].to_pylist() == ["1", "3"]
    assert [(s["what"], s["why"]) for s in found.set_aside.to_pylist()] == [
        ("record", "field_twice"),
        *[("record", "wrong_type")] * 4,
    ]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("1.123456789012", "1.1234567890"),
        ("-1.123456789012", "-1.1234567890"),
        ("0.00000000005", "0"),
        ("0.00000000015", "0.0000000002"),
        ("1E-400", "0"),
        ("99999999999999999.99999999994", "99999999999999999.9999999999"),
    ],
)
def test_an_amount_finer_than_the_column_is_rounded_and_named_with_its_digits(
    page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]], given: str, kept: str
) -> None:
    found = decoded(page(records("1"), records("2", saleAmountAdvCurrency=given)))
    assert found.table["sale_amount"].to_pylist()[1] == Decimal(kept)
    (said,) = found.set_aside.to_pylist()
    assert (said["what"], said["why"], said["kept"], found.gone) == ("saleAmountAdvCurrency", "rounded", True, 0)
    assert given in said["raw"]


@pytest.mark.parametrize("exact", ["1.120000000000", "1.12E0", "112e-2", "+1.12"])
def test_an_amount_with_more_zeros_or_another_spelling_is_exact_and_nothing_is_said(
    page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]], exact: str
) -> None:
    found = decoded(page(records("1", saleAmountAdvCurrency=exact), records("2", coupon="A\0")))
    assert found.table["sale_amount"].to_pylist()[0] == Decimal("1.12")
    assert found.set_aside["what"].to_pylist() == ["coupon"]


@pytest.mark.parametrize("bad", ["\0", "\ud83d"], ids=["NUL", "half a character"])
def test_a_text_no_warehouse_stores_is_kept_with_a_sign_in_its_place(
    page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]], bad: str
) -> None:
    item = records("1")["items"][0] | {"sku": f"A{bad}B"}
    answer = page(records("1", items=[item, records("1")["items"][0]], coupon=f"C{bad}"), records("2"))
    found = decode_page(json.dumps(answer).encode(), "cj.example")
    assert isinstance(found, CommissionPage)
    assert found.table["coupon"].to_pylist() == ["C\ufffd", "SPRING"]
    assert items_of(found) == {"1": ["A\ufffdB", "SKU-1"], "2": ["SKU-1"]}
    assert (found.gone, {s["kept"] for s in found.set_aside.to_pylist()}) == (0, {True})
    # What was sent had the true SKU, so that is what counts.
    true = f"A{bad}B" if bad == "\0" else "A\ufffdB"
    assert found.table["items_mark"].to_pylist() == [2 * sku_hash(true) + 2 * sku_hash("SKU-1"), 2 * sku_hash("SKU-1")]


def test_what_is_said_of_a_record_shows_nothing_that_may_be_a_persons(
    page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]
) -> None:
    mine = "ada.lovelace@example.org"
    bad = records(
        "2", orderId=mine, coupon="FOR-ADA", postingDate=None, sid="ADA-1", lockingMethod={"sid": "ADA-2"}, publisherName="x " + mine
    )
    (said,) = decoded(page(records("1"), bad)).set_aside.slice(0, 1).to_pylist()
    assert said["order_id"] == f"sha256-{hashlib.sha256(mine.encode()).hexdigest()[:32]}"
    assert not re.search("ada|example.org", str(said), re.IGNORECASE)
    assert '"saleAmountAdvCurrency":"122.94"' in said["raw"]


def test_a_page_most_of_whose_records_cannot_be_read_is_another_shape_and_nothing_is_taken(
    page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]
) -> None:
    bad = [records(str(n), saleAmountAdvCurrency=1.5) for n in range(MANY_SET_ASIDE + 1)]
    good = [records(str(n)) for n in range(100, 100 + MANY_SET_ASIDE)]
    with pytest.raises(CJNoVerdict, match="of 41 records 21 cannot be read"):
        decoded(page(*bad, *good))
    assert decoded(page(*bad[1:])).gone == MANY_SET_ASIDE
    assert decoded(page(*bad, *good, records("200"))).count == MANY_SET_ASIDE + 1


def test_a_cursor_that_could_not_be_kept_is_refused(page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(CJNoVerdict, match="maxCommissionId"):
        decoded(page(records("1"), cursor="1\0"))


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
