"""One record that cannot be kept stops nothing: it is kept with a change or set aside, the reading goes on, and a table says which and why."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.cj.records import CommissionPage, decode_page
from include.cj.set_aside import SET_ASIDE
from include.domain.marks import sku_hash
from include.restatements.ledger.appending import append_records, tell_set_aside
from include.restatements.ledger.spool import PageSpool
from include.sql import _environment
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from tests.restatements.ledger.commission_detail import ACCOUNT, NOW, CommissionDetail, record
from tests.restatements.ledger.one_ledger import Ledger

NUL_SKU = [{"commissionItemId": "1", "sku": "A\0B", "quantity": 2, "perItemSaleAmountAdvCurrency": "5.00"}]
LONG_AGO = NOW - timedelta(days=3)


def in_doubt(ledger: Ledger, *orders: str, tracker: int = 401) -> list[object]:
    """Of these orders, those of which a record was set aside: as the rules ask."""
    values = ", ".join(f"('{order}', {tracker})" for order in orders)
    told = _environment().from_string('{% from "fragments.sql" import set_aside_of %}' + "{{ set_aside_of('wanted') }}").render()
    wanted = (
        f"SELECT '5501' AS advertiser_id, v.name AS order_id, v.tracker AS action_tracker_id FROM (VALUES {values}) AS v (name, tracker)"
    )
    return [row["order_id"] for row in ledger.rows(f"WITH wanted AS ({wanted}), {told} SELECT order_id FROM doubtful ORDER BY 1")]


@pytest.fixture
def ledger(location: WarehouseLocation) -> Ledger:
    return Ledger(location, CommissionDetail())


def said(ledger: Ledger) -> list[tuple[Any, ...]]:
    names = ("commission_id", "order_id", "action_tracker_id", "what", "why", "kept")
    rows = ledger.rows("SELECT * FROM cj.ledger_set_aside ORDER BY LENGTH(commission_id), commission_id, what")
    assert all(row["advertiser_id"] == ACCOUNT.advertiser_id and row["set_aside_at"] for row in rows)
    return [tuple(row[name] for name in names) for row in rows]


def test_a_reading_goes_on_past_each_record_that_cannot_be_kept(ledger: Ledger) -> None:
    ledger.cj.records = [
        record("501", LONG_AGO),
        record("502", LONG_AGO, saleAmountAdvCurrency="10.123456789012"),
        record("503", LONG_AGO, items=NUL_SKU, saleAmountAdvCurrency="10.00"),
        record("504", LONG_AGO, saleAmountAdvCurrency="123456789012345678901234567.00"),
        record("505", LONG_AGO, advCommissionAmountAdvCurrency="Infinity"),
        record("506", LONG_AGO, coupon="C\x01\x7f"),
        record("507", LONG_AGO),
    ]
    read = ledger.read()
    assert (read.records, read.appended, read.set_aside) == (5, 5, 2)
    assert ledger.held() == ["501", "502", "503", "506", "507"]
    assert said(ledger) == [
        ("502", "o-502", 401, "saleAmountAdvCurrency", "rounded", True),
        ("503", "o-503", 401, "items.sku", "character", True),
        ("504", "o-504", 401, "saleAmountAdvCurrency", "too_large", False),
        ("505", "o-505", 401, "advCommissionAmountAdvCurrency", "not_a_number", False),
    ]
    (kept,) = ledger.rows("SELECT sale_amount, items_mark FROM cj.commissions WHERE commission_id = '502'")
    assert kept["sale_amount"] == Decimal("10.1234567890")
    (mark,) = ledger.rows("SELECT CAST(items_mark AS text) AS mark FROM cj.commissions WHERE commission_id = '503'")
    assert mark["mark"] == str(2 * sku_hash("A\0B"))
    assert ledger.rows("SELECT sku FROM cj.commission_items WHERE commission_id = '503'") == [{"sku": "A\ufffdB"}]
    assert ledger.rows("SELECT coupon FROM cj.commissions WHERE commission_id = '506'") == [{"coupon": "C\x01\x7f"}]
    assert in_doubt(ledger, *(f"o-{n}" for n in range(501, 509))) == ["o-504", "o-505"]
    assert in_doubt(ledger, "o-504", tracker=402) == []

    # The next reading goes on past them; a sweep that reaches them again says nothing twice.
    ledger.cj.records.append(record("508", NOW - timedelta(minutes=1)))
    assert ledger.read().kind == "cursor"
    assert ledger.window().cursor == "507"
    ledger.read(since=(NOW - timedelta(days=9)).date())
    assert ledger.held() == ["501", "502", "503", "506", "507", "508"]
    assert len(said(ledger)) == 4


def test_an_order_whose_tracker_cannot_be_read_is_in_doubt_under_each(ledger: Ledger) -> None:
    ledger.cj.records = [record("501", LONG_AGO, actionTrackerId="many", orderId="o-1"), record("502", LONG_AGO, orderId=7)]
    ledger.read()
    assert in_doubt(ledger, "o-1", "7", "o-2", tracker=402) == ["o-1"]
    assert in_doubt(ledger, "o-1", "7", "o-2") == ["7", "o-1"]


def test_a_page_of_nothing_else_is_passed_as_well(ledger: Ledger) -> None:
    ledger.cj.records = [record("501", LONG_AGO, original=None), record("502", LONG_AGO, original=None)]
    read = ledger.read()
    assert (read.records, read.appended, read.set_aside, ledger.held()) == (0, 0, 2, [])
    assert ledger.read().kind == "cursor"
    assert ledger.window().cursor == "502"


def test_a_record_that_cj_mends_is_kept_by_a_later_reading_and_its_order_is_known_again(ledger: Ledger) -> None:
    ledger.cj.records = [record("501", LONG_AGO, saleAmountAdvCurrency="many")]
    ledger.read()
    assert in_doubt(ledger, "o-501", "o-502") == ["o-501"]
    ledger.cj.records = [record("501", LONG_AGO)]
    ledger.read(since=(NOW - timedelta(days=9)).date())
    assert ledger.held() == ["501"]
    assert in_doubt(ledger, "o-501") == []


def test_a_record_whose_status_cannot_be_read_again_stays_as_it_is(ledger: Ledger) -> None:
    lock = {"lockingDate": "2031-03-14T12:00:00Z"}
    ledger.cj.records = [record("501", LONG_AGO, **lock), record("502", LONG_AGO, **lock)]
    ledger.read()
    ledger.cj.records = [record("501", LONG_AGO, actionStatus=7, **lock), record("502", LONG_AGO, actionStatus="locked", **lock)]
    ledger.read()
    found = ledger.rows("SELECT action_status FROM cj.commissions ORDER BY commission_id")
    assert [row["action_status"] for row in found] == ["new", "locked"]
    assert said(ledger) == [("501", "o-501", 401, "actionStatus", "wrong_type", False)]
    assert in_doubt(ledger, "o-501") == []  # the record is there, and with it the sum


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(10**40), 10**40) | st.floats() | st.text(max_size=6)
    | st.sampled_from(["", "\0", "\ud800", "Infinity", "-1e400", "NaN", "9" * 28, "9" * 18, "0.123456789012", "9999-12-31T23:59:59.999999Z",
                       "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "o" * 3000]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)  # fmt: skip
ITEM = {"commissionItemId": "1", "sku": "A", "quantity": 1, "perItemSaleAmountAdvCurrency": "10.00", "discountAdvCurrency": "0.00"}
FULL = {
    "actionTrackerName": "T", "publisherName": "P", "eventDate": "2031-03-01T00:00:00Z", "lockingDate": "2031-04-01T00:00:00Z",
    "lockingMethod": "FIXED_DATE", "validationStatus": "PENDING", "correctionReason": "OTHER", "orderDiscountAdvCurrency": "1.00",
    "orderDiscountOrigCurrency": "1.00", "advCommissionAmountAdvCurrency": "1.00", "cjFeeAdvCurrency": "0.30", "coupon": "C", "items": [ITEM],
}  # fmt: skip
FIELDS = sorted(record("1", NOW, **FULL))

_IDS = count(1000)


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """A record with something in the place of one field or two, or something in the place of a whole record."""
    if draw(st.integers(0, 9)) == 0:
        return draw(JUNK)
    fields = {name: draw(JUNK) for name in draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=2))}
    if draw(st.booleans()):
        fields["items"] = [ITEM | {draw(st.sampled_from(sorted(ITEM))): draw(JUNK)}]
    return record(f"{next(_IDS)}", NOW, **FULL) | fields


def answer(records: list[Any]) -> bytes:
    page = {"payloadComplete": True, "maxCommissionId": "1", "records": records}
    text = json.dumps({"data": {"advertiserCommissions": page}})
    # JSON has no such constants; what stands for them is a number beyond every float.
    return text.replace("-Infinity", "-1e999").replace("Infinity", "1e999").replace("NaN", "1e999").encode()


def kept(session: Session, body: bytes) -> CommissionPage:
    found = decode_page(body, "cj.example")
    assert isinstance(found, CommissionPage)
    with PageSpool() as spool, session.transaction():
        pages = spool.fill(iter([found])).pages()
        append_records(session, [pages], 1)
        tell_set_aside(session, pages, ACCOUNT.advertiser_id, 1)
    return found


def test_whatever_stands_in_a_record_the_others_are_kept_and_both_warehouses_take_what_is_left(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()

        @settings(max_examples=80, deadline=None)
        @given(st.lists(spoiled(), min_size=1, max_size=3), st.integers(0, 3))
        def one_page(bad: list[Any], place: int) -> None:
            good = [record(f"{next(_IDS)}", NOW, **FULL) for _ in range(3)]
            found = kept(session, answer([*good[:place], *bad, *good[place:]]))
            here = session.rows(
                "SELECT c.commission_id, c.sale_amount, CAST(c.items_mark AS text) AS mark, i.sku FROM cj.commissions AS c "
                "JOIN cj.commission_items AS i ON i.commission_id = c.commission_id WHERE c.commission_id IN (:a, :b, :c)",
                {name: one["commissionId"] for name, one in zip("abc", good, strict=True)},
            )
            assert sorted(str(row["commission_id"]) for row in here) == [one["commissionId"] for one in good]
            assert {(row["sale_amount"], row["mark"], row["sku"]) for row in here} == {(Decimal(10), str(sku_hash("A")), "A")}
            assert found.count + found.gone == len(bad) + 3
            assert found.set_aside.schema == SET_ASIDE
            assert (found.gone > 0) == (not all(found.set_aside["kept"].to_pylist()))
            # What was kept can be summed up and given out again.
            session.rows("SELECT SUM(sale_amount) AS a, SUM(cj_fee) AS b FROM cj.commissions")
            session.rows("SELECT CAST(SUM(items_mark) AS text) AS m FROM cj.commissions")
            session.rows("SELECT * FROM cj.ledger_set_aside ORDER BY set_aside_at DESC LIMIT 5")
            session.rows("SELECT * FROM cj.order_state LIMIT 5")

        one_page()
