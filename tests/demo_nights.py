"""The demo's three nights, played once through the whole loop; every test that looks at what came of them shares it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from include.demo.shop import Shop
    from include.warehouse.base import WarehouseLocation


@cache
def demo_shop() -> Shop:
    """The shop that every test of the demo's nights looks at."""
    from include.demo.shop import open_shop

    return open_shop(datetime(2026, 11, 19, tzinfo=UTC))


class Live(NamedTuple):
    """One order of one live request: who, which call, and as of when (None: a create, which CJ dates by the order)."""

    enterprise_id: str
    action_tracker_id: int
    order_id: str
    operation: str
    updated_at: datetime | None


@dataclass
class Played:
    shop: Shop
    warehouse: WarehouseLocation
    rows: dict[str, dict[str, list[dict[str, Any]]]]
    """Table, then order id, then that order's rows."""
    received: Counter[Live]
    """What the sandbox took in on its live endpoint."""
    live_orders: int
    """Orders in all requests to its live endpoint, as its log of calls counts them."""
    last_run: str
    totals: str
    """What each night came to, as text."""


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """What the three nights came to on DuckDB. Nobody may write to its warehouse."""
    from include.warehouse.base import WarehouseLocation

    place = tmp_path_factory.mktemp("storyline")
    yield play(WarehouseLocation("duckdb", path=str(place / "w.duckdb")), place)


def play(location: WarehouseLocation, place: Path) -> Played:
    """The three nights on an empty warehouse."""
    from include.demo.files import write_seed, write_storyline
    from include.demo.stage import move_to
    from include.restatements.reconcile import reconcile
    from include.restatements.settings import Run
    from include.sandbox.process import start_sandbox
    from lab.night import run_night
    from lab.real_month import settings_for
    from tests.demo_totals import totals_of_night, totals_of_reconciliation

    shop, told = demo_shop(), []
    write_seed(place / "seed", shop.pixel, shop.story.nights[0].runs_at)
    write_storyline(place / "seed", shop.story)
    with start_sandbox(place / "cj.sqlite", seed=place / "seed", delay_seconds=1500, rate_limit=False) as sandbox:
        settings = settings_for(sandbox.url, place / "storage")
        sandbox.control.add_faults(shop.story.faults)
        for night in shop.story.nights:
            load_changes(location, shop, night.runs_at)
            move_to(sandbox.control, place / "seed", night.runs_at)
            run = Run(f"demo__{night.end:%F}", night.start, night.end)
            told.append(totals_of_night(location, run.run_id, run_night(run, settings, location)))
            again = run_night(Run(f"again__{night.end:%F}", night.start, night.end), settings, location)
            # What Test Mode refused is asked there again; nothing goes live a second time.
            assert sum(s.accepted + s.rejected + s.unknown for s in again.submitted) == 0
            move_to(sandbox.control, place / "seed", night.reconciles_at)
            reconcile(settings, location, run.run_id)
            told.append(totals_of_reconciliation(location, run.run_id))
        ask_the_partner(location, place, shop.story.nights[-1].reconciles_at)
        received = Counter(map(_received, sandbox.control.submissions()))
        live_orders = sum(call["orders"] for call in sandbox.control.calls() if call["path"] == "/graphql")
    return Played(shop, location, _rows(location), received, live_orders, run.run_id, "\n".join(told))


def ask_the_partner(location: WarehouseLocation, place: Path, now: datetime) -> None:
    """What Aspire saw, which is each sale as it was placed, against what CJ holds of it by now."""
    from include.demo.partners import write_mapping
    from include.partners.mapping import read_mapping
    from include.partners.reconcile import reconcile_partner

    reconcile_partner(read_mapping(write_mapping(place)), location, "demo", storage=f"file://{place}/storage", days=400, now=now)


def load_changes(location: WarehouseLocation, shop: Shop, until: datetime) -> None:
    """The warehouse's `order_changes` as of `until`."""
    from include.demo.files import ORDER_CHANGES, write_warehouse
    from tests.faults.stage import load_order_changes_into

    if location.kind == "duckdb":
        write_warehouse(Path(str(location.path)), shop.changes, until=until)
        return
    import pyarrow as pa

    rows = [row for row in (change.row() for change in shop.changes) if row["arrives_at"] < until]  # type: ignore[operator]
    columns = {field.name: pa.array([row[field.name] for row in rows], field.type) for field in ORDER_CHANGES}
    load_order_changes_into(location, pa.table(columns, schema=ORDER_CHANGES))


def _received(update: dict[str, Any]) -> Live:
    as_of = None if update["operation"] == "create" else datetime.fromisoformat(update["update_time"])
    return Live(update["enterprise_id"], int(update["action_tracker_id"]), update["order_id"], update["operation"], as_of)


def _rows(location: WarehouseLocation) -> dict[str, dict[str, list[dict[str, Any]]]]:
    from include.warehouse.base import open_warehouse

    rows: dict[str, dict[str, list[dict[str, Any]]]] = {}
    with open_warehouse(location) as session:
        for table in ("submissions", "quarantine", "skipped", "reconciliation"):
            found = rows.setdefault(table, {})
            for row in session.rows(f"SELECT * FROM cj.{table}"):
                found.setdefault(str(row["order_id"]), []).append(row)
    return rows
