"""Commission Detail: who may read what, which window, which page, which fields."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from include.sandbox.process import SandboxProcess
from tests.sandbox.shop import Shop, total

START = datetime(2027, 6, 1, 12, tzinfo=UTC)


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def account(number: int) -> dict[str, Any]:
    tracker = {"id": 700, "name": "T", "locking_method": "FIXED_DURATION", "lock_days": 30, "commission_rate": "0.10", "fee_rate": "0.02"}
    return {
        "token": f"reader-{number}", "enterprise_id": f"16{number}", "advertiser_id": f"56{number}", "advertiser_name": "Reader",
        "currency": "EUR", "rates": {"USD": "0.80"}, "action_trackers": [tracker],
        "publishers": [{"id": "71", "name": "Seventy-one"}, {"id": "72", "name": "Seventy-two"}],
    }  # fmt: skip


@pytest.fixture(scope="module")
def seeded(process: SandboxProcess) -> Iterator[Shop]:
    """Twenty-five orders, one every six hours before START, by two publishers in turn."""
    orders = [
        {
            "enterprise_id": "161", "action_tracker_id": 700, "order_id": f"seed-{i:02d}", "amount": f"{i + 1}.00", "discount": None,
            "currency": "EUR", "coupon": None, "items": None, "event_time": START - timedelta(hours=6 * (24 - i), minutes=30),
            "posted_at": START - timedelta(hours=6 * (24 - i)), "publisher_id": str(71 + i % 2), "commissionable": i != 24,
        }
        for i in range(25)
    ]  # fmt: skip
    process.control.seed(accounts=[account(1)], orders=orders)
    shop = Shop(process.url, process.control, "reader-1", "161", "561")
    yield shop
    shop.http.close()


@pytest.fixture
def reader(sandbox: SandboxProcess, seeded: Shop) -> Shop:
    sandbox.control.set_clock(START)
    return seeded


def ids(answer: Any, root: str = "advertiserCommissions") -> list[int]:
    return [int(r["orderId"].removeprefix("seed-")) for r in answer["data"][root]["records"]]


def window(since: datetime | None, before: datetime | None, date: str = "PostingDate") -> str:
    bounds = (("since", since), ("before", before))
    return ", ".join(f'{name}{date}: "{text(moment)}"' for name, moment in bounds if moment is not None)


@pytest.mark.parametrize(
    ("since", "before", "found"),
    [
        (None, None, [21, 22, 23, 24]),
        (START - timedelta(hours=24), None, [20, 21, 22, 23]),
        (None, START - timedelta(hours=24), [16, 17, 18, 19]),
        (START - timedelta(hours=12), START, [22, 23]),
        (START - timedelta(hours=12), START + timedelta(seconds=1), [22, 23, 24]),
        (START - timedelta(days=31), START, list(range(24))),
    ],
)
def test_since_is_inclusive_before_is_exclusive_and_missing_bounds_imply_a_day(
    reader: Shop, since: datetime | None, before: datetime | None, found: list[int]
) -> None:
    reader.control.advance(1)
    assert ids(reader.query(window(since, before))) == found


@pytest.mark.parametrize("date", ["PostingDate", "EventDate", "LockingDate"])
def test_a_range_of_more_than_31_days_is_an_error(reader: Shop, date: str) -> None:
    answer = reader.query(window(START - timedelta(days=31, seconds=1), START, date))
    assert answer["data"] is None
    assert "31 days" in answer["errors"][0]["message"]
    assert "errors" not in reader.query(window(START - timedelta(days=31), START, date))


def test_events_and_locks_are_windows_of_their_own(reader: Shop) -> None:
    event = START - timedelta(minutes=30)
    assert ids(reader.query(window(event - timedelta(hours=6), event, "EventDate"))) == [23]
    lock = event + timedelta(days=30)
    assert ids(reader.query(window(lock, None, "LockingDate"))) == [24]


def test_pages_follow_the_cursor_and_end_complete(reader: Shop) -> None:
    reader.control.configure(page_size=10)
    bounds = window(START - timedelta(days=31), START)
    cursor, sizes, seen = "", [], []
    while True:
        page = reader.query(f"{bounds} {cursor}")["data"]["advertiserCommissions"]
        sizes.append(page["count"])
        seen += [int(r["commissionId"]) for r in page["records"]]
        assert page["limit"] == 10
        assert page["maxCommissionId"] == page["records"][-1]["commissionId"]
        if page["payloadComplete"]:
            break
        cursor = f', sinceCommissionId: "{page["maxCommissionId"]}"'
    assert sizes == [10, 10, 4]
    assert seen == sorted(set(seen))
    after = reader.query(f'{bounds}, sinceCommissionId: "{seen[-1]}"')["data"]["advertiserCommissions"]
    assert (after["count"], after["maxCommissionId"], after["payloadComplete"], after["records"]) == (0, None, True, [])


def test_a_page_that_just_fits_is_complete(reader: Shop) -> None:
    reader.control.configure(page_size=24)
    page = reader.query(window(START - timedelta(days=31), START))["data"]["advertiserCommissions"]
    assert (page["count"], page["payloadComplete"]) == (24, True)


def test_orders_posted_out_of_order_are_all_found(reader: Shop) -> None:
    late = {
        "enterprise_id": "161", "action_tracker_id": 700, "order_id": "seed-99", "amount": "1.00", "currency": "EUR",
        "event_time": START - timedelta(days=20), "posted_at": START - timedelta(days=20),
    }  # fmt: skip
    reader.control.seed(orders=[late])
    assert ids(reader.query(window(START - timedelta(days=31), START))) == [*range(24), 99]
    assert ids(reader.query(window(START - timedelta(days=21), START - timedelta(days=19)))) == [99]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ('publisherIds: ["72"]', [21, 23]),
        ('publisherIds: ["71", "72"]', [20, 21, 22, 23]),
        ('actionStatuses: ["locked"]', []),
        ('actionStatuses: ["new"], publisherIds: ["71"]', [20, 22]),
        ('actionTypes: ["item_sale"]', []),
        ('actionTypes: ["sim_sale"]', [20, 21, 22, 23]),
        ("lockingMethods: [FIXED_DURATION]", [20, 21, 22, 23]),
        ("lockingMethods: [OPEN_ENDED]", []),
        ("validationStatuses: [AUTOMATED]", [20, 21, 22, 23]),
        ("validationStatuses: [PENDING]", []),
        ('websiteIds: ["1"]', []),
    ],
)
def test_filters_narrow_the_records(reader: Shop, filters: str, found: list[int]) -> None:
    assert ids(reader.query(f"{window(START - timedelta(hours=24), START)}, {filters}")) == found


def test_records_are_found_by_their_ids(reader: Shop) -> None:
    bounds = window(START - timedelta(hours=24), START)
    records = reader.query(bounds)["data"]["advertiserCommissions"]["records"]
    wanted = records[1]["commissionId"]
    assert [
        r["commissionId"] for r in reader.query(f'{bounds}, commissionIds: ["{wanted}"]')["data"]["advertiserCommissions"]["records"]
    ] == [wanted]


def test_only_the_fields_asked_for_come_back_in_the_order_asked(reader: Shop) -> None:
    selection = "records { saleAmountUsd id: orderId ...More }"
    bounds = window(START - timedelta(hours=6), START)
    query = f'{{ advertiserCommissions(forAdvertisers: ["561"], {bounds}) {{ {selection} }} }}'
    fragment = "fragment More on AdvertiserCommission { original items { sku } }"
    answer = reader.http.post("/query", json={"query": f"{query} {fragment}"}).json()
    (record,) = answer["data"]["advertiserCommissions"]["records"]
    assert list(answer["data"]["advertiserCommissions"]) == ["records"]
    assert list(record.items()) == [("saleAmountUsd", "30.00"), ("id", "seed-23"), ("original", True), ("items", [])]


def test_variables_are_typed_by_the_schema(reader: Shop) -> None:
    query = "query Q($who: [String!]!, $since: String) { advertiserCommissions(forAdvertisers: $who, sincePostingDate: $since) { count } }"
    good = reader.http.post(
        "/query", json={"query": query, "variables": {"who": ["561"], "since": text(START - timedelta(hours=12))}}
    ).json()
    assert good == {"data": {"advertiserCommissions": {"count": 3}}}
    bad = reader.http.post("/query", json={"query": query, "variables": {"who": [561]}}).json()
    assert bad["errors"][0]["message"] == "Validation error of type WrongType: argument 'who[0]' with value '561' is not a valid 'String'"


def test_an_order_that_is_not_commissionable_shows_and_earns_nothing(reader: Shop) -> None:
    records = reader.records("seed-24", window(START, None))
    assert [r["saleAmountAdvCurrency"] for r in records] == ["25.00"]
    assert total(records, "advCommissionAmountAdvCurrency") == total(records, "cjFeeAdvCurrency") == Decimal(0)


def test_another_advertisers_records_are_unauthorized(reader: Shop) -> None:
    answer = Shop(str(reader.http.base_url), reader.control, "reader-1", advertiser="5500001").query()
    assert [e["message"] for e in answer["errors"]] == ["Unauthorized"]


def test_a_publishers_records_are_read_without_the_advertisers_figures(reader: Shop) -> None:
    bounds = window(START - timedelta(hours=24), START)
    query = f'{{ publisherCommissions(forPublishers: ["72"], {bounds}) {{ records {{ orderId publisherName pubCommissionAmountUsd }} }} }}'
    answer = reader.http.post("/query", json={"query": query}).json()
    assert ids(answer, "publisherCommissions") == [21, 23]
    refused = reader.http.post("/query", json={"query": query.replace("publisherName", "cjFeeUsd")}).json()
    assert "FieldUndefined" in refused["errors"][0]["message"]


@pytest.mark.parametrize("says_how_long", [True, False])
def test_more_calls_than_the_rate_allows_are_429(sandbox: SandboxProcess, says_how_long: bool) -> None:
    sandbox.control.seed(accounts=[account(2 + says_how_long)])
    shop = Shop(sandbox.url, sandbox.control, f"reader-{2 + says_how_long}", advertiser=f"56{2 + says_how_long}")
    sandbox.control.configure(rate_limit=True, rate_calls=3, retry_after=says_how_long)
    query = {"query": f'{{ advertiserCommissions(forAdvertisers: ["{shop.advertiser}"]) {{ count }} }}'}
    assert [shop.http.post("/query", json=query).status_code for _ in range(3)] == [200] * 3
    refused = shop.http.post("/query", json=query)
    assert refused.status_code == 429
    assert ("Retry-After" in refused.headers) is says_how_long
    if says_how_long:
        assert 1 <= int(refused.headers["Retry-After"]) <= 300
    sandbox.control.configure(rate_limit=False)
    assert shop.http.post("/query", json=query).status_code == 200


def test_a_tracker_that_reports_no_items_shows_totals_and_keeps_what_it_was_sent(other_shop: Shop) -> None:
    order_id = other_shop.new_id()
    items = [{"sku": "a", "quantity": 2, "unitPrice": "5.00"}]
    other_shop.post("create", order_id, tracker=503, amount="10.00", items=items)
    other_shop.post("restate", order_id, tracker=503, amount="5.00", items=[items[0] | {"quantity": 1}])
    found = other_shop.records(order_id)
    assert [(r["actionType"], r["items"], r["saleAmountAdvCurrency"]) for r in found] == [
        ("sim_sale", [], amount) for amount in ("10.00", "-10.00", "5.00")
    ]
    assert [i["quantity"] for i in other_shop.state(order_id)["items"]] == [1]
