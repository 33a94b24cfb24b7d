"""Three nights of an invented shop through the whole package, from a recipe's SQL: prepare, submit, publish and reconcile against the sandbox's HTTP."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from include.domain.account import Account, Token
from include.domain.states import Mode
from include.restatements.changes.extraction import ALLOWED, check_shape, left_out, order_changes_sql
from include.restatements.reconcile import reconcile
from include.restatements.settings import GATE_OFF, Run, Settings
from include.sandbox.process import start_sandbox
from include.warehouse.base import WarehouseLocation, open_warehouse
from lab.night import run_night
from tests.policy.sources import ROOT
from tests.recipes.orders import NOTHING, Held, Order

RECIPES = ROOT / "docs" / "recipes"
ENTERPRISE, ADVERTISER, TRACKER = "1500001", "5500001", 401
"""What stands in the recipes as an example: the sandbox's own account."""

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = [FIRST_DAY + timedelta(days=n) for n in range(3)]
RUNS_AFTER = timedelta(minutes=30)
LANDS_AFTER, LANDS_LATE = timedelta(minutes=10), timedelta(hours=30)

Tables = Mapping[str, Mapping[str, str]]
"""Table → column → type, as a connector lands them."""
Rows = Mapping[str, Sequence[Mapping[str, Any]]]
Land = Callable[[Order, datetime], Rows]
"""The rows of an order as its tables show them at a moment."""

ACCOUNT = {
    "token": "token", "enterprise_id": ENTERPRISE, "advertiser_id": ADVERTISER, "currency": "USD",
    "rates": {"EUR": "1.08", "GBP": "1.27", "JPY": "0.0064"},
    "action_trackers": [{"id": TRACKER, "name": "sale", "locking_method": "FIXED_DATE", "commission_rate": "0.08", "fee_rate": "0.02"}],
}  # fmt: skip


@dataclass
class Played:
    """What came of the nights."""

    held: dict[str, Held]
    """What CJ holds at the end, by order id."""
    sent: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, str] = field(default_factory=dict)
    """The types of the recipe's columns."""
    given: list[dict[str, list[str]]] = field(default_factory=list)
    """The change types that the recipe gave of each order id, night by night."""


def play(
    location: WarehouseLocation, place: Path, recipe: str, tables: Tables, orders: Sequence[Order], land: Land, name: Callable[[Order], str]
) -> Played:  # fmt: skip
    """Plays the nights; `name` is an order's id as CJ's tag reports it."""
    file = str(RECIPES / f"{recipe}.sql")
    played = Played({})
    with start_sandbox(place / "cj.sqlite", rate_limit=False, round_amounts=True) as sandbox:
        account = Account(
            "cj", ENTERPRISE, ADVERTISER, Token("token"), "USD", Mode.LIVE, sandbox.url, f"{sandbox.url}/query", "net"
        )  # fmt: skip
        settings = Settings((account,), storage=f"file://{place}/storage", order_changes_sql=file, **GATE_OFF)  # type: ignore[arg-type]
        sandbox.control.set_clock(FIRST_DAY)
        sandbox.control.seed(accounts=[ACCOUNT])
        _create(location, tables)
        for number, day in enumerate(DAYS):
            end, runs_at = day + timedelta(days=1), day + timedelta(days=1) + RUNS_AFTER
            sandbox.control.set_clock(runs_at)
            sandbox.control.seed(orders=[_pixel(o, name(o)) for o in orders if o.reported and day <= o.placed < end])
            _fill(location, tables, [land(o, runs_at) for o in orders if o.placed < end])
            with open_warehouse(location) as session:
                played.kinds = check_shape(session, order_changes_sql(file))
                interval = {"interval_start": day, "interval_end": end}
                given: dict[str, list[str]] = {}
                for row in session.rows(f"SELECT order_id, change_type FROM ({order_changes_sql(file)}\n) AS given", interval):
                    given.setdefault(str(row["order_id"]), []).append(str(row["change_type"]))
                played.given.append(given)
            run = Run(f"night_{number}", day, end)
            run_night(run, settings, location)
            sandbox.control.advance(timedelta(hours=2).total_seconds())
            reconcile(settings, location, run.run_id)
        played.held = {order["order_id"]: _held(order) for order in sandbox.control.orders()}
    with open_warehouse(location) as session:
        played.sent = _counted(session.rows("SELECT operation || ' ' || outcome AS word FROM cj.submissions WHERE mode = 'live'"))
        played.verdicts = _counted(session.rows("SELECT status || COALESCE(' ' || reason, '') AS word FROM cj.reconciliation"))
        played.skipped = _counted(session.rows("SELECT DISTINCT reason AS word, order_id FROM cj.skipped"))
        played.quarantined = _counted(session.rows("SELECT stage || ' ' || reason AS word FROM cj.quarantine"))
    return played


def gives_the_contract(played: Played) -> None:
    """The recipe's columns are the contract's, and of these it leaves out only what no shop's tables tell."""
    missing = ["status", "ad_id", "promotional_property_id", "sid", "custom_parameters", "vertical_parameters"]
    assert left_out(played.kinds) == missing
    assert set(played.kinds) == set(ALLOWED) - set(missing)


def each_once(played: Played, orders: Sequence[Order], name: Callable[[Order], str]) -> None:
    """Each night the recipe gives every order of that day once, however often it changed, and calls none `new` that is not as it was placed."""
    for day, given in zip(DAYS, played.given, strict=True):
        end = day + timedelta(days=1)
        assert [order_id for order_id, types in given.items() if len(types) > 1] == []
        touched = {name(o) for o in orders if not o.late and not o.unpaid and any(day <= at < end for at in o.moments)}
        assert touched - set(given) == set()
        changed = {name(o) for o in orders if o.held(seen_at(o, end + RUNS_AFTER) or o.placed) != o.first()}
        assert {order_id for order_id in changed if given.get(order_id) == ["new"]} == set()
    assert {types[0] for given in played.given for types in given.values()} == {"new", "restated", "cancelled"}


def differences(played: Played, orders: Sequence[Order], name: Callable[[Order], str]) -> list[str]:
    """Where CJ holds something else than what happened to the order, a line each."""
    end = DAYS[-1] + timedelta(days=1)
    found = []
    for order in orders:
        should = order.held(end) if order.at_cj else NOTHING
        held = played.held.get(name(order), NOTHING)
        if held != should:
            found.append(f"{name(order)} ({order.situation}): CJ holds {held}, and should hold {should}")
    known = {name(order) for order in orders if order.at_cj}
    return found + [f"{order_id}: CJ should not know it" for order_id in sorted(set(played.held) - known)]


def told_situations(recipe: str) -> set[str]:
    """The first column of the page's table of situations."""
    page = (RECIPES / f"{recipe}.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| situation \|.*\n\|[-|]*\n((?:\|.*\n)+)", page, re.MULTILINE)
    told = [row.split("|")[1].strip() for row in table.splitlines()]
    assert len(told) == len(set(told))
    return set(told)


def seen_at(order: Order, until: datetime) -> datetime | None:
    """The order's last moment whose row has landed by `until`; None where none has."""
    return max((at for at in order.moments if landed_at(order, at) < until), default=None)


def landed_at(order: Order, at: datetime) -> datetime:
    """When the connector brought what was written `at`."""
    return at + (LANDS_LATE if order.late and at != order.placed else LANDS_AFTER)


def _pixel(order: Order, order_id: str) -> dict[str, Any]:
    state = order.first()
    items = [{"sku": sku, "quantity": pieces, "unit_price": "1.00"} for sku, pieces in state.pieces.items()]
    return {
        "enterprise_id": ENTERPRISE, "action_tracker_id": TRACKER, "order_id": order_id, "amount": str(state.amount), "discount": str(state.discount),
        "currency": order.currency, "coupon": order.coupon, "items": json.dumps(items), "event_time": order.placed,
        "posted_at": order.placed + timedelta(minutes=20), "publisher_id": "7108602",
    }  # fmt: skip


def _held(order: Mapping[str, Any]) -> Held:
    if order["cancelled"]:
        return NOTHING
    pieces: dict[str, int] = {}
    for item in order["items"]:
        pieces[item["sku"]] = pieces.get(item["sku"], 0) + item["quantity"]
    return Held(Decimal(order["amount"] or 0), Decimal(order["discount"] or 0), {sku: n for sku, n in pieces.items() if n})


def _create(location: WarehouseLocation, tables: Tables) -> None:
    with open_warehouse(location) as session:
        for schema in sorted({table.split(".")[0] for table in tables}):
            session.execute(f"CREATE SCHEMA {schema}")
        for table, columns in tables.items():
            session.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")


def _fill(location: WarehouseLocation, tables: Tables, shown: Sequence[Rows]) -> None:
    """The tables anew, as a connector shows them at that moment."""
    with open_warehouse(location) as session, session.transaction():
        for table, columns in tables.items():
            rows = [row for one in shown for row in one.get(table, ())]
            assert all(set(row) <= {name.strip('"') for name in columns} for row in rows), table
            session.execute(f"DELETE FROM {table}")
            if rows:
                values = ",\n".join("(" + ", ".join(_literal(row.get(name.strip('"'))) for name in columns) + ")" for row in rows)
                session.execute(f"INSERT INTO {table} VALUES {values}")


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, Decimal)):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _counted(rows: Sequence[Mapping[str, Any]]) -> Counter[str]:
    return Counter(str(row["word"]) for row in rows)
