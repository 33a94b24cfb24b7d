"""What a publisher sees and earns is kept with each record; one read before that was asked for is filled in when it is read again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from include.warehouse.base import open_warehouse
from tests.restatements.ledger.commission_detail import NOW, record
from tests.restatements.ledger.one_ledger import Ledger

NAMES = "sale_amount_pub_currency, sale_amount_usd, pub_commission_amount_pub_currency, pub_commission_amount_usd"
SEEN = {
    "saleAmountPubCurrency": "9.10",
    "saleAmountUsd": "12.20",
    "pubCommissionAmountPubCurrency": "0.91",
    "pubCommissionAmountUsd": "1.2345",
    "advCommissionAmountAdvCurrency": "1.10",
}
KEPT = [Decimal("9.10"), Decimal("12.20"), Decimal("0.91"), Decimal("1.2345")]


def kept(ledger: Ledger, commission_id: str) -> list[object]:
    (row,) = ledger.rows(f"SELECT {NAMES} FROM cj.commissions WHERE commission_id = '{commission_id}'")
    return list(row.values())


def test_what_the_publisher_sees_and_earns_is_kept_exactly(either: Ledger) -> None:
    either.cj.records = [record("1", NOW - timedelta(days=9), **SEEN), record("2", NOW - timedelta(days=9))]
    either.read()
    assert kept(either, "1") == KEPT
    assert kept(either, "2") == [None] * 4, "what CJ does not say is not known"


def test_a_record_from_before_is_filled_in_when_it_is_read_again_and_nothing_else_of_it_changes(either: Ledger) -> None:
    either.cj.records = [record("1", NOW - timedelta(days=9)), record("2", NOW - timedelta(days=9), **SEEN)]
    either.read()
    with open_warehouse(either.location) as session:
        session.execute("UPDATE cj.commissions SET pub_commission_amount_usd = 7 WHERE commission_id = '2'")
    before = either.rows("SELECT * FROM cj.commissions ORDER BY commission_id")
    either.cj.records = [record("1", NOW - timedelta(days=9), coupon="OTHER", **SEEN), either.cj.records[1]]
    assert either.read(since=(NOW - timedelta(days=20)).date()).appended == 0
    after = either.rows("SELECT * FROM cj.commissions ORDER BY commission_id")
    assert kept(either, "1") == KEPT
    names = NAMES.split(", ")
    assert [{n: v for n, v in row.items() if n not in names} for row in after] == [
        {n: v for n, v in row.items() if n not in names} for row in before
    ]
    assert after[1] == before[1], "what was said once stays"
    assert either.rows("SELECT * FROM cj.incoming_commissions") == []
