"""What is kept of the open orders is what the records come to, whatever CJ posts, moves, locks or shows under another id, and whenever a plan looks."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from include.restatements.approval.held_open import bring_up
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.ledger.commission_detail import ACCOUNT, NOW, record, text
from tests.restatements.ledger.one_ledger import DAY, SECOND, Ledger

FAR = text(NOW + 30 * DAY)


def plan(ledger: Ledger, advertiser_id: str = ACCOUNT.advertiser_id) -> None:
    """As a plan does it: the last reading is taken before anything is looked at."""
    with open_warehouse(ledger.location) as session, session.transaction():
        reading = session.rows("SELECT MAX(reading) AS newest FROM cj.ledger_reads")[0]["newest"]
        assert isinstance(reading, int)
        bring_up(session, advertiser_id, reading)


def kept(ledger: Ledger) -> dict[str, tuple[Any, ...]]:
    found = ledger.rows("SELECT * FROM cj.held_open")
    assert len({row["order_id"] for row in found}) == len(found)
    return {
        row["order_id"]: (row["sale_amount"], row["order_discount"], row["sold_amount"], row["sold_discount"], row["locks_at"])
        for row in found
    }


def folded(ledger: Ledger) -> dict[str, tuple[Any, ...]]:
    """The same from every record there is."""
    orders: dict[str, list[dict[str, Any]]] = {}
    for row in ledger.rows("SELECT * FROM cj.commissions"):
        if (
            row["action_status"] in ("new", "extended")
            and row["gone_reading"] is None
            and row["action_type"] != "bonus"
            and row["order_id"]
        ):
            orders.setdefault(row["order_id"], []).append(row)
    return {order: _sums(records) for order, records in orders.items()}


def _sums(records: list[dict[str, Any]]) -> tuple[Any, ...]:
    originals = [r for r in records if r["original"]]
    locks = [r["locking_date"] for r in records]
    return (
        *(
            sum((r[name] or Decimal(0) for r in rows), Decimal(0))
            for rows in (records, originals)
            for name in ("sale_amount", "order_discount")
        ),
        None if None in locks else max(locks),
    )


@pytest.mark.parametrize("seed", range(2))
def test_it_is_what_the_records_come_to_whatever_cj_does_and_whenever_a_plan_looks(either: Ledger, seed: int) -> None:
    random, records, plans = Random(seed), either.cj.records, 0
    for number in range(1, 25):
        for _ in range(random.randrange(3)):
            cj_posts(random, records)
        if records and random.random() < 0.6:
            cj_moves(random, records)
        if number == 1 or random.random() < 0.7:
            either.read(days=30)
        if random.random() < 0.6:
            plan(either)
            plans += 1
            assert kept(either) == folded(either)
    assert plans > 5
    assert len(folded(either)) > 3
    assert len(folded(either)) < len({r["orderId"] for r in records})


def cj_posts(random: Random, records: list[dict[str, Any]]) -> None:
    """An order, or one more record of one; bonuses and records without an order besides."""
    amount, order = f"{random.randrange(-500, 9_000) / 100:.2f}", f"o-{random.randrange(12)}"
    number = 1 + max((int(r["commissionId"]) for r in records), default=0)
    records.append(
        record(
            str(number), NOW - DAY, orderId=random.choice([order, order, order, order, ""]), saleAmountAdvCurrency=amount,
            orderDiscountAdvCurrency=random.choice(["0.00", "1.25"]), original=random.random() < 0.6, lockingDate=random.choice([FAR, text(NOW - SECOND)]),
            actionType=random.choice(["sim_sale", "sim_sale", "sim_sale", "bonus"]), actionStatus=random.choice(["new", "new", "extended", "locked"]),
        )
    )  # fmt: skip


def cj_moves(random: Random, records: list[dict[str, Any]]) -> None:
    """What CJ does to a record: locks it, extends it, closes it, or shows it under another id."""
    one = random.choice(records)
    what = random.randrange(4)
    if what == 0:
        one["actionStatus"] = random.choice(["locked", "closed"])
    elif what == 1:
        one |= {"actionStatus": "extended", "lockingDate": FAR}
    elif what == 2:
        one |= {"lockingDate": text(NOW + random.randrange(2, 90) * DAY)}
    else:
        one["commissionId"] = str(1 + max(int(r["commissionId"]) for r in records))


@pytest.mark.parametrize(("status", "open_still"), [("locked", False), ("closed", False), ("extended", True)])
def test_an_order_that_cj_locks_is_open_no_more_at_the_next_plan(either: Ledger, status: str, open_still: bool) -> None:
    either.cj.records = [record("7", NOW - DAY, lockingDate=text(NOW - SECOND)), record("8", NOW - DAY, lockingDate=FAR)]
    either.read()
    plan(either)
    assert sorted(kept(either)) == ["o-7", "o-8"]
    either.cj.records[0]["actionStatus"] = status
    either.read()
    plan(either)
    assert sorted(kept(either)) == (["o-7", "o-8"] if open_still else ["o-8"])


def test_what_is_read_while_a_plan_is_made_is_looked_at_by_the_next_one(either: Ledger) -> None:
    either.cj.records = [record("7", NOW - DAY, lockingDate=FAR)]
    either.read()
    with open_warehouse(either.location) as session, session.transaction():
        bring_up(session, ACCOUNT.advertiser_id, 0)  # it knew of no reading yet
    either.cj.records.append(record("8", NOW - DAY, orderId="o-7", lockingDate=FAR))
    either.read()
    plan(either)
    assert kept(either) == folded(either)
    assert kept(either)["o-7"][0] == 20


def test_each_account_is_brought_up_by_itself(either: Ledger) -> None:
    either.cj.records = [record("7", NOW - DAY, lockingDate=FAR)]
    either.read()
    plan(either, "another")
    assert kept(either) == {}
    either.was_read_of_another(9)
    plan(either, "another")
    plan(either)
    assert sorted(kept(either)) == ["o-7"]


def test_readings_that_began_anew_make_it_anew(location: WarehouseLocation, either: Ledger) -> None:
    either.cj.records = [record("7", NOW - DAY, lockingDate=FAR)]
    for _ in range(3):
        either.read()
    plan(either)
    with open_warehouse(location) as session:
        session.execute("DELETE FROM cj.commissions; DELETE FROM cj.ledger_reads; DELETE FROM cj.tracker_readings")
    either.cj.records = [record("8", NOW - DAY, lockingDate=FAR)]
    either.read()
    plan(either)
    assert sorted(kept(either)) == ["o-8"]
