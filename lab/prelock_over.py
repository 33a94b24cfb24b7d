"""A pre-lock review over a change log: CJ as it stood some weeks ago, the warehouse as it is, and every difference found, on DuckDB and PostgreSQL.

    python -m lab.prelock_over --changes LOG.parquet --end 2026-11-05 [--reviews 12] [--postgres URI]

How it works. The log (the contract's columns) is loaded up to --end. CJ holds every publisher's order placed since the month before began, as it was placed, and
no night was played: what happened to them since is what the review has to find. What it should find is worked out from the log alone, by another text. Some of the orders are
planted besides: one in fifty is unknown to the warehouse. It talks to a sandbox of its own and to nothing else; the PostgreSQL that --postgres names gets a table
order_changes and a schema cj, which are dropped before each review: name an empty one. --reviews makes as many, each on the same day of the month before.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc

from include.demo.__main__ import instant
from include.demo.files import ORDER_CHANGES, TOKEN
from include.demo.orders import ADVERTISER, ENTERPRISE
from include.demo.stage import ORDERS_A_CALL
from include.domain.account import Account, Token
from include.domain.money import money
from include.domain.states import Mode
from include.restatements.prelock.review import Made, review
from include.restatements.settings import GATE_OFF, Settings
from include.sandbox.process import SandboxProcess, start_sandbox
from include.warehouse.base import WarehouseLocation, open_warehouse
from lab.real_month import ChangeLog

OWN = "GBP"
MOST_ITEMS = 100
"""CJ's: the gate holds back an order with more."""
UNKNOWN_HERE = 50
"""One in so many of CJ's orders is not in the warehouse."""


@dataclass(frozen=True)
class Expected:
    """What a review has to find, worked out from the log alone: order id → finding, of every order that does not agree."""

    differs: Mapping[str, str]
    orders: int


@dataclass(frozen=True)
class Outcome:
    """One review beside what it had to find."""

    made: Made
    missed: list[str]
    too_many: list[str]
    seconds: float


def expected_of(log: ChangeLog, pixel: pa.Table, end: datetime) -> Expected:
    """Each of CJ's orders as it was placed, beside its newest row before `end`."""
    newest: dict[str, dict[str, object]] = {}
    for row in log.arrived(end).select(["order_id", "change_type", "updated_at", "amount", "items", "currency"]).to_pylist():
        newest[row["order_id"]] = row
    differs = {}
    for order in pixel.to_pylist():
        name, now = order["order_id"], newest.get(order["order_id"])
        if unknown_here(name):
            differs[name] = "not_in_warehouse"
        elif now is not None and now["change_type"] != "cancelled" and len(json.loads(str(now["items"]))) > MOST_ITEMS:
            differs[name] = "refused"
        elif now is not None and (
            now["change_type"] == "cancelled" or money(str(now["amount"])) != money(order["amount"]) or now["items"] != order["items"]
        ):  # fmt: skip
            differs[name] = "to_send"
    return Expected(differs, pixel.num_rows)


def unknown_here(order_id: str) -> bool:
    """One of those that are planted."""
    return crc32(order_id.encode()) % UNKNOWN_HERE == 0


def played(sandbox: SandboxProcess, log: ChangeLog, pixel: pa.Table, end: datetime, location: WarehouseLocation, storage: Path) -> Outcome:
    """A review on this warehouse. The sandbox has the orders already."""
    arrived = log.arrived(end)
    keep = pc.invert(pa.array([unknown_here(one) for one in arrived["order_id"].to_pylist()]))
    with open_warehouse(location) as session:
        session.execute("DROP TABLE IF EXISTS order_changes; DROP SCHEMA IF EXISTS cj CASCADE")
        session.execute(_table())
        session.append("order_changes", arrived.filter(keep))
        session.execute("CREATE INDEX order_changes_order ON order_changes (order_id)")
    account = Account(
        "cj", ENTERPRISE, ADVERTISER, Token(TOKEN), OWN, Mode.LIVE, sandbox.url, f"{sandbox.url}/query", extension_subscription_id="99001"
    )
    settings = Settings((account,), storage=storage.as_uri(), days_before_lock=31, return_days=45, **GATE_OFF)  # type: ignore[arg-type]
    began = time.monotonic()
    made = review(settings, location, f"review_{location.kind}")
    seconds = time.monotonic() - began
    with open_warehouse(location) as session:
        rows = session.rows("SELECT order_id, finding FROM cj.prelock_orders WHERE finding <> 'agrees'")
    found = {str(row["order_id"]): str(row["finding"]) for row in rows}
    wanted = expected_of(log, pixel, end).differs
    told = Counter(found.values())
    print(f"{end:%Y-%m-%d} {location.kind}: {made.pack.orders:,} orders in {seconds:.1f} s; found {dict(told)}; digest {made.pack.digest}")
    missed = sorted(name for name, finding in wanted.items() if found.get(name) != finding)
    too_many = sorted(name for name in found if name not in wanted)
    return Outcome(
        made,
        [f"{name}: {wanted[name]}, found {found.get(name)}" for name in missed],
        [f"{name}: {found[name]}" for name in too_many],
        seconds,
    )


def seeded(sandbox: SandboxProcess, pixel: pa.Table, now: datetime) -> None:
    """CJ with these orders, at `now`."""
    sandbox.control.set_clock(now)
    sandbox.control.seed(
        accounts=[
            {"token": TOKEN, "enterprise_id": ENTERPRISE, "advertiser_id": ADVERTISER, "currency": OWN, "rates": {"EUR": "0.87"},
             "action_trackers": [{"id": 401, "name": "Shop", "locking_method": "FIXED_DATE", "commission_rate": "0.08", "fee_rate": "0.02"}]}
        ]
    )  # fmt: skip
    for batch in pixel.to_batches(max_chunksize=ORDERS_A_CALL):
        sandbox.control.seed(orders=[{name: value for name, value in row.items() if value is not None} for row in batch.to_pylist()])


def _table() -> str:
    types = {"string": "text", "int64": "bigint", "bool": "boolean", "timestamp[us, tz=UTC]": "timestamp with time zone"}
    columns = ", ".join(f"{field.name} {types.get(str(field.type), 'decimal(38, 10)')}" for field in ORDER_CHANGES)
    return f"CREATE TABLE order_changes ({columns})"


def _ends(last: datetime, many: int) -> list[datetime]:
    """The same day of each month, the newest first."""
    months = [last.year * 12 + last.month - 1 - back for back in range(many)]
    return [last.replace(year=month // 12, month=month % 12 + 1) for month in months]


def _one(log: ChangeLog, end: datetime, postgres: str | None) -> int:
    """How many orders a review got wrong, on every warehouse together."""
    since = (end.replace(day=1) - timedelta(days=1)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)  # what locks in this month
    pixel = log.pixel(since, end, reported=1.0)
    pixel = pixel.filter(pc.greater_equal(pixel["event_time"], pa.scalar(since, pixel["event_time"].type)))
    with tempfile.TemporaryDirectory(prefix="cj-prelock-") as scratch:
        place = Path(scratch)
        locations = [WarehouseLocation("duckdb", path=str(place / "warehouse.duckdb"))]
        if postgres:
            locations.append(WarehouseLocation("postgres", uri=postgres))
        with start_sandbox(place / "cj.sqlite") as sandbox:
            seeded(sandbox, pixel, end)
            outcomes = [played(sandbox, log, pixel, end, one, place / one.kind) for one in locations]
    for one in outcomes:
        for line in (*(f"missed {name}" for name in one.missed[:20]), *(f"too many: {name}" for name in one.too_many[:20])):
            print(line)
    alike = len({one.made.pack.digest for one in outcomes}) == 1
    if not alike:
        print("The digests differ from warehouse to warehouse.")
    return sum(len(one.missed) + len(one.too_many) for one in outcomes) + (not alike)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m lab.prelock_over", description="A pre-lock review over a change log, against the sandbox."
    )
    parser.add_argument("--changes", type=Path, required=True)
    parser.add_argument("--end", type=instant, required=True)
    parser.add_argument("--postgres", help="the URI of an empty database")
    parser.add_argument("--reviews", type=int, default=1)
    given = parser.parse_args(arguments)
    log = ChangeLog(given.changes)
    wrong = sum(_one(log, end, given.postgres) for end in _ends(given.end, given.reviews))
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
