"""A record that CJ shows under a new id is one record: where two say the same of an order, CJ is asked whether it shows both still."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from include.restatements.ledger.reading import CARED_FOR
from tests.restatements.ledger.commission_detail import NOW, record
from tests.restatements.ledger.one_ledger import DAY, Ledger

HOUR = timedelta(hours=1)
POSTED = NOW - 2 * HOUR


def of_one_order(commission_id: str, **fields: Any) -> dict[str, Any]:
    return record(commission_id, POSTED, **{"orderId": "o"} | fields)


def asked_by_id(ledger: Ledger) -> list[str]:
    return sorted(i for asked in ledger.cj.asked for i in asked.ids or ())


def held(ledger: Ledger) -> list[tuple[int, str]]:
    return [(row["records"], f"{row['sale_amount']:.2f}") for row in ledger.rows("SELECT records, sale_amount FROM cj.order_state")]


def gone(ledger: Ledger) -> list[str]:
    found = ledger.rows("SELECT commission_id AS id FROM cj.commissions WHERE gone_reading IS NOT NULL ORDER BY 1")
    return [str(row["id"]) for row in found]


def read_then(ledger: Ledger, *records: dict[str, Any]) -> None:
    """One reading of record 7 alone, and one of these records."""
    ledger.cj.records = [of_one_order("7")]
    ledger.read(days=30)
    ledger.cj.records = list(records)
    ledger.read(days=30)


def test_a_record_that_shows_under_a_new_id_counts_once_and_is_news(either: Ledger) -> None:
    read_then(either, of_one_order("8"))
    assert asked_by_id(either) == ["7", "8"]
    assert (gone(either), held(either)) == (["7"], [(1, "10.00")])
    found = either.rows("SELECT moved_reading AS moved FROM cj.commissions WHERE commission_id = '7'")
    assert found[0]["moved"] == 1 + either.rows("SELECT MAX(reading) AS newest FROM cj.ledger_reads")[0]["newest"]


def test_two_alike_that_cj_shows_both_are_two(either: Ledger) -> None:
    read_then(either, of_one_order("7"), of_one_order("8"))
    assert asked_by_id(either) == ["7", "8"]
    assert (gone(either), held(either)) == ([], [(2, "20.00")])


def test_where_cj_shows_neither_when_it_is_asked_nothing_is_known(either: Ledger) -> None:
    either.cj.records = [of_one_order("7")]
    either.read(days=30)
    either.cj.records, either.cj.hidden_by_id = [of_one_order("8")], {"7", "8"}
    either.read(days=30)
    assert (gone(either), held(either)) == ([], [(2, "20.00")])
    either.cj.hidden_by_id = set()
    either.read(days=30)
    assert (gone(either), held(either)) == (["7"], [(1, "10.00")])


@pytest.mark.parametrize(
    "other",
    [
        {"orderId": "p"}, {"actionTrackerId": "402"}, {"saleAmountAdvCurrency": "11.00"}, {"saleAmountAdvCurrency": "-10.00"}, {"coupon": "SPRING"},
        {"orderDiscountAdvCurrency": "1.00"}, {"actionType": "bonus"},
        {"items": [{"commissionItemId": "1", "sku": "A", "quantity": 1, "perItemSaleAmountAdvCurrency": "10.00"}]},
    ],
)  # fmt: skip
def test_what_says_something_else_is_another_record_and_cj_is_not_asked(either: Ledger, other: dict[str, Any]) -> None:
    read_then(either, of_one_order("8", **other))
    assert asked_by_id(either) == []
    assert gone(either) == []


@pytest.mark.parametrize("by_id", [True, False])
def test_a_record_that_was_gone_and_shows_again_counts_again(either: Ledger, by_id: bool) -> None:
    """As it is asked for by its id, since its lock date comes; or as the days are read again without the cursor."""
    lock = {"lockingDate": f"{NOW - HOUR:%Y-%m-%dT%H:%M:%SZ}"} if by_id else {}
    either.cj.records = [of_one_order("7", **lock)]
    either.read(days=30)
    either.cj.records = [of_one_order("8")]
    either.read(days=30)
    assert gone(either) == ["7"]
    either.cj.records.append(of_one_order("7", **lock))
    if not by_id:
        either.cj.now = NOW + DAY + HOUR
    either.read(days=30)
    assert (gone(either), held(either)) == ([], [(2, "20.00")])
    moved = either.rows("SELECT moved_reading AS moved FROM cj.commissions WHERE commission_id = '7'")[0]["moved"]
    newest = either.rows("SELECT MAX(reading) AS newest FROM cj.ledger_reads")[0]["newest"]
    assert moved == newest


def test_what_was_read_at_once_from_the_first_is_not_asked_for(either: Ledger) -> None:
    """CJ showed both of them."""
    either.cj.records = [of_one_order("7"), of_one_order("8")]
    either.read(days=30)
    assert asked_by_id(either) == []


def test_an_earlier_reading_that_was_cut_before_it_asked_is_made_up_for(either: Ledger) -> None:
    either.cj.records = [of_one_order("7")]
    either.read(days=30)
    either.cj.records, either.cj.fails_by_id = [of_one_order("8")], True
    with pytest.raises(Exception, match="503"):
        either.read(days=30)
    assert (gone(either), held(either)) == ([], [(2, "20.00")])
    either.was_read_of_another(reading=9)
    either.cj.fails_by_id = False
    either.read(days=30)
    assert (gone(either), held(either)) == (["7"], [(1, "10.00")])


@pytest.mark.parametrize("ago", [CARED_FOR - DAY, CARED_FOR + DAY])
@pytest.mark.parametrize("status", ["mismatched", "matched"])
def test_a_record_cj_did_not_show_for_once_is_asked_for_while_its_order_is_not_held_as_sent(
    either: Ledger, status: str, ago: timedelta
) -> None:
    read_then(either, of_one_order("8"))
    either.judged(status, NOW - ago)
    either.cj.records = [of_one_order("7"), of_one_order("8")]
    either.read()
    asked = status == "mismatched" and ago < CARED_FOR
    assert (asked_by_id(either), gone(either)) == ((["7", "8"], []) if asked else ([], ["7"]))
