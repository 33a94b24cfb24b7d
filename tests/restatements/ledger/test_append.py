"""What CJ hands out twice, in a page, at the seam of two or in two readings, is in the ledger once, with its items once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

from include.cj.records import COMMISSIONS, CommissionPage
from include.restatements.ledger.reading import PageSpool, append_records
from include.warehouse.base import WarehouseLocation, open_warehouse

POSTED = datetime(2026, 3, 1, 12, tzinfo=UTC)
SKUS = ("A-1", "B-2")


def page(*ids: str) -> CommissionPage:
    """Records of those ids, each with the two items."""
    given = {
        "advertiser_id": "1", "action_tracker_id": 7, "order_id": "o-1", "action_type": "sale", "action_status": "new", "publisher_id": "2",
        "posting_date": POSTED, "original": True, "sale_amount": Decimal("10.00"), "items_mark": Decimal(3),
    }  # fmt: skip
    items = {one: json.dumps([[f"{one}-{sku}", sku, 1, None, None, None] for sku in SKUS]) for one in ids}
    records = [dict.fromkeys(COMMISSIONS.names) | given | {"commission_id": one, "items": items[one]} for one in ids]
    return CommissionPage(pa.Table.from_pylist(records, COMMISSIONS), True, max(ids), len(ids))


def read(location: WarehouseLocation, *pages: CommissionPage) -> int:
    def given() -> Iterator[CommissionPage]:
        yield from pages

    with open_warehouse(location) as session, PageSpool(given()) as spool:
        session.create_tables()
        with session.transaction():
            return append_records(session, spool, 1)


def held(location: WarehouseLocation) -> tuple[list[str], list[str]]:
    with open_warehouse(location) as session:
        records = session.rows("SELECT commission_id FROM cj.commissions ORDER BY 1")
        items = session.rows("SELECT commission_item_id FROM cj.commission_items ORDER BY 1")
    return [str(r["commission_id"]) for r in records], [str(r["commission_item_id"]) for r in items]


def of(*ids: str) -> tuple[list[str], list[str]]:
    return list(ids), [f"{one}-{sku}" for one in ids for sku in SKUS]


def test_a_record_at_the_seam_of_two_pages_is_kept_once(location: WarehouseLocation) -> None:
    assert read(location, page("101", "102"), page("102", "103"), page("103", "104")) == 4
    assert held(location) == of("101", "102", "103", "104")


def test_a_record_that_stands_twice_in_one_page_alone_is_kept_once(location: WarehouseLocation) -> None:
    assert read(location, page("101", "102", "101"), page("103")) == 3
    assert held(location) == of("101", "102", "103")


def test_a_record_that_stands_twice_in_a_page_is_kept_once(location: WarehouseLocation) -> None:
    assert read(location, page("101", "102", "101"), page("101", "103")) == 3
    assert held(location) == of("101", "102", "103")


def test_reading_the_same_pages_again_adds_what_is_new_alone(location: WarehouseLocation) -> None:
    assert read(location, page("101", "102")) == 2
    assert read(location, page("101", "102"), page("103", "102")) == 1
    assert read(location, page("101", "102", "103")) == 0
    assert held(location) == of("101", "102", "103")
