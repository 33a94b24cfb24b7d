"""What CJ hands out twice, in a page, at the seam of two or in two readings, is in the ledger once, with its items once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

from include.cj.records import COMMISSIONS, CommissionPage
from include.restatements.ledger.appending import append_records
from include.restatements.ledger.spool import Pages, PageSpool
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
    return read_in_parts(location, pages)


def read_in_parts(location: WarehouseLocation, *parts: Sequence[CommissionPage]) -> int:
    with open_warehouse(location) as session, PageSpool() as spool, session.transaction():
        return append_records(session, list(parted(spool, parts)), 1)


def parted(spool: PageSpool, parts: Sequence[Sequence[CommissionPage]]) -> Iterator[Pages]:
    for part in parts:
        there = spool.pages().numbers.stop
        yield spool.fill(iter(part)).pages(there)


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


def test_a_record_at_the_seam_of_two_parts_is_kept_once(location: WarehouseLocation) -> None:
    assert read_in_parts(location, [page("101", "102")], [page("102", "103"), page("103", "101")], [page("101"), page("104", "104")]) == 4
    assert held(location) == of("101", "102", "103", "104")
    assert read_in_parts(location, [page("103", "104")], [page("105", "101")]) == 1


def test_what_trackers_are_seen_to_have_counts_each_record_once_however_it_is_parted(location: WarehouseLocation) -> None:
    read_in_parts(location, [page("101", "102")], [page("102", "103")], [page("103")])
    with open_warehouse(location) as session:
        assert session.rows("SELECT records, with_items FROM cj.tracker_readings") == [{"records": 3, "with_items": 3}]
