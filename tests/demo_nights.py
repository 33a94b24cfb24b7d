"""The demo's three nights, played once through the whole loop; every test that looks at what came of them shares it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from include.demo.shop import Shop


@cache
def demo_shop() -> Shop:
    """The shop that every test of the demo's nights looks at."""
    from include.demo.shop import open_shop

    return open_shop(datetime(2026, 11, 19, tzinfo=UTC))


@dataclass
class Played:
    shop: Shop
    warehouse: Path
    rows: dict[str, dict[str, list[dict[str, Any]]]]
    """Table, then order id, then that order's rows."""
    live_posts: dict[str, int]
    sent: dict[str, int]
    last_run: str


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """What the three nights came to. Nobody may write to its warehouse."""
    from include.demo.files import write_shop, write_warehouse
    from include.demo.stage import move_to
    from include.restatements.reconcile import reconcile
    from include.restatements.settings import Run
    from include.sandbox.process import start_sandbox
    from include.warehouse.base import WarehouseLocation
    from lab.night import run_night
    from lab.real_month import settings_for

    place = tmp_path_factory.mktemp("storyline")
    shop, warehouse = demo_shop(), place / "w.duckdb"
    write_shop(warehouse, place / "seed", shop, shop.story.nights[0].runs_at)
    location = WarehouseLocation("duckdb", path=str(warehouse))
    with start_sandbox(place / "cj.sqlite", seed=place / "seed", delay_seconds=1500, rate_limit=False) as sandbox:
        settings = settings_for(sandbox.url, place / "storage")
        sandbox.control.add_faults(shop.story.faults)
        for night in shop.story.nights:
            write_warehouse(warehouse, shop.changes, until=night.runs_at)
            move_to(sandbox.control, place / "seed", night.runs_at)
            run = Run(f"demo__{night.end:%F}", night.start, night.end)
            run_night(run, settings, location)
            again = run_night(Run(f"again__{night.end:%F}", night.start, night.end), settings, location)
            # What Test Mode refused is asked there again; nothing goes live a second time.
            assert sum(s.accepted + s.rejected + s.unknown for s in again.submitted) == 0
            move_to(sandbox.control, place / "seed", night.reconciles_at)
            reconcile(settings, location, run.run_id)
        posts: dict[str, int] = {}
        for update in sandbox.control.submissions():
            posts[update["order_id"]] = posts.get(update["order_id"], 0) + 1
    yield _read(shop, warehouse, posts, run.run_id)


def _read(shop: Shop, warehouse: Path, posts: dict[str, int], last_run: str) -> Played:
    from include.warehouse.base import WarehouseLocation, open_warehouse

    rows: dict[str, dict[str, list[dict[str, Any]]]] = {}
    with open_warehouse(WarehouseLocation("duckdb", path=str(warehouse))) as session:
        for table in ("submissions", "quarantine", "skipped", "reconciliation"):
            found = rows.setdefault(table, {})
            for row in session.rows(f"SELECT * FROM cj.{table}"):
                found.setdefault(str(row["order_id"]), []).append(row)
    sent = {order: len(found) for order, found in rows["submissions"].items()}
    return Played(shop, warehouse, rows, posts, sent, last_run)
