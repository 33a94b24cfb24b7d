"""Seeding: the accounts a CJ has, and the orders it already holds (those a pixel brought).

A seed folder has `accounts.json` (a list, see docs/sandbox.md) and optionally `orders.parquet`. Seeding an order twice changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from include.domain.money import NotMoney, money, money_text
from include.domain.states import ActionStatus, LockingMethod
from include.sandbox import held
from include.sandbox.accounts import Account, Accounts, SeedError, add_accounts
from include.sandbox.clock import instant, next_second, parse_instant, second
from include.sandbox.held import HeldOrder
from include.sandbox.knobs import Knobs
from include.sandbox.ledger import Posting
from include.sandbox.posting import PRICES, Item, action_type, figures, in_minor_units, items_total, locking_date
from include.sandbox.store import Store

BATCH = 20_000


def seed_folder(store: Store, accounts: Accounts, folder: Path, knobs: Knobs) -> tuple[int, int]:
    """Takes in a seed folder; returns how many accounts and how many new orders. Raises SeedError."""
    file = folder / "accounts.json"
    if not file.is_file():
        raise SeedError(f"The seed folder {str(folder)!r} has no accounts.json; every seed needs one.")
    raw = json.loads(file.read_text(encoding="utf-8"))
    parquet = folder / "orders.parquet"
    orders: Iterable[Mapping[str, Any]] = ()
    if parquet.is_file():
        orders = _rows(parquet)
    return seed(store, accounts, raw, orders, knobs)


def _rows(parquet: Path) -> Iterator[Mapping[str, Any]]:
    """The rows in the order they posted, so that commission ids rise with posting dates."""
    table = pq.ParquetFile(parquet).read().sort_by([("posted_at", "ascending"), ("order_id", "ascending")])
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):  # as text: as objects they would cost an import of pandas
            if field.type.tz is None:
                raise SeedError(f"Column {field.name!r} of {parquet.name} has no time zone: write it as timestamptz.")
            table = table.set_column(index, field.name, table.column(index).cast(pa.timestamp("us", "UTC")).cast(pa.string()))
    for batch in table.to_batches(max_chunksize=BATCH):
        yield from batch.to_pylist()


def seed(
    store: Store, accounts: Accounts, raw_accounts: Iterable[Mapping[str, Any]], orders: Iterable[Mapping[str, Any]], knobs: Knobs
) -> tuple[int, int]:  # fmt: skip
    """Accounts as in accounts.json, orders with the columns of orders.parquet. Raises SeedError; a batch is taken whole or not at all."""
    known = add_accounts(store, raw_accounts)
    accounts.reload()
    added = 0
    batch: list[Mapping[str, Any]] = []
    for order in orders:
        batch.append(order)
        if len(batch) == BATCH:
            added += _add(store, accounts, batch, knobs)
            batch = []
    return known, added + _add(store, accounts, batch, knobs)


def _add(store: Store, accounts: Accounts, rows: list[Mapping[str, Any]], knobs: Knobs) -> int:
    new: dict[held.Key, HeldOrder] = {}
    with store.writing() as db:
        posting = Posting(store)
        for row in rows:
            key = (str(row["enterprise_id"]), int(row["action_tracker_id"]), str(row["order_id"]))
            if key in new or held.exists(db, key):
                continue
            try:
                new[key] = _post(store, accounts, key, row, posting, knobs)
            except (NotMoney, KeyError, TypeError, ValueError) as reason:
                raise SeedError(f"Seed order {key[2]!r} cannot be used: {reason}.") from None
        posting.write(db)
        held.write(db, new.values())
    return len(new)


def _post(
    store: Store, accounts: Accounts, key: held.Key, row: Mapping[str, Any], posting: Posting, knobs: Knobs
) -> HeldOrder:  # fmt: skip
    account = accounts.find_enterprise(key[0])
    tracker = account.trackers.get(key[1]) if account else None
    if account is None or tracker is None:
        raise SeedError(f"Seed order {key[2]!r} names enterprise {key[0]} and action tracker {key[1]}, which no account has.")
    items = _items(row.get("items"))
    amount = items_total(items) if row.get("amount") is None else _text(row["amount"])
    discount = None if row.get("discount") is None else _text(row["discount"])
    currency, coupon = row.get("currency") or account.currency, row.get("coupon")
    if knobs.round_amounts:
        amount, discount, items = in_minor_units(amount, discount, items, currency)
    event, posted = _moment(row["event_time"]), _moment(row["posted_at"])
    commissionable = row.get("commissionable") is not False
    status = row.get("action_status")
    locked = row.get("locking_date")
    order = HeldOrder(
        ref=store.next_ref, enterprise_id=key[0], action_tracker_id=key[1], order_id=key[2], advertiser_id=account.advertiser_id,
        action_type=action_type(items), publisher_id=str(row.get("publisher_id") or account.publisher_of(key[2])), event_date=second(event),
        locking_date=next_second(_moment(locked)) if locked else locking_date(tracker, event, posted),
        action_status=ActionStatus(status).value if status and status != ActionStatus.NEW else None, original_id=store.next_record,
        amount=amount, discount=discount, currency=currency, coupon=coupon, items=items, cancelled=False, commissionable=commissionable,
        updated_at=instant(event),
        figures=figures(account, tracker, _rate(account, currency), amount, discount, coupon, items, commissionable),
    )  # fmt: skip
    store.next_ref += 1
    validation = "PENDING" if tracker.locking_method == LockingMethod.OPEN_ENDED else "AUTOMATED"
    posting.add(order.ref, order.advertiser_id, next_second(posted), True, validation, None, order.figures)
    return order


def _rate(account: Account, currency: str) -> Decimal:
    rate = account.rate(currency)
    if rate is None:
        raise SeedError(f"Account {account.enterprise_id} has no rate for {currency}: add it to its rates.")
    return rate


@lru_cache(maxsize=PRICES)
def _text(value: Any) -> str:
    return money_text(money(value))


def _moment(value: datetime | str) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise SeedError(f"{value.isoformat()} has no time zone")
        return value.astimezone(UTC)
    return parse_instant(value)


def _items(raw: str | list[Any] | None) -> list[Item]:
    parsed = orjson.loads(raw) if isinstance(raw, str) else raw or []
    return [
        (str(i["sku"]), int(i["quantity"]), _text(str(i["unit_price"])), None if i.get("discount") is None else _text(str(i["discount"])))
        for i in parsed
    ]
