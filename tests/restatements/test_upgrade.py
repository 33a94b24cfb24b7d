"""A warehouse and a journal from before they had versions go on working: a night before, a night after, on both warehouses."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.domain.errors import WarehouseShapeError
from include.restatements.journal.documents import VERSION
from include.restatements.rebuild import rebuild
from include.warehouse.base import open_warehouse
from include.warehouse.schema import lasting_tables
from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Key
from tests.model.world import BEGIN, Night
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import later, operations, placed

BEFORE = (Path(__file__).parents[1] / "warehouse" / "schemas" / "before_versions.sql").read_text(encoding="utf-8")
NEW_SINCE = {"account_states", "acknowledgements", "approvals", "case_events", "case_orders", "cases", "held_open", "held_open_until", "judged_readings", "ledger_set_aside", "nights", "notices", "partner_loads", "partner_log", "partner_reconciliation", "partner_statements", "plans", "prelock_begun", "prelock_orders", "prelock_reviews", "prelock_sweeps", "rates", "schema_version", "tracker_readings", "verdicts_log"}  # fmt: skip
TABLES_THEN = {"commission_items"}
"""Views since."""
NEW_COLUMNS = {"amount_checked", "collected", "figures", "found_after", "gone_reading", "known_reading", "moved_reading", "plan_number", "pub_commission_amount_pub_currency", "pub_commission_amount_usd", "rate", "reading", "rule", "sale_amount_pub_currency", "sale_amount_usd", "status_reading", "untouched"}  # fmt: skip
NEW_IN_TABLES = NEW_COLUMNS | {"items"}
"""An order's own items are as old as its chunk."""


def night_of(world: WorldOn) -> Night:
    return world.prepare(BEGIN - timedelta(days=9), world.now())


def send(world: WorldOn, night: Night) -> None:
    world.submit(night)
    world.publish(night)
    world.advance(timedelta(hours=2))
    world.reconcile()


def lasting(world: WorldOn) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table there was before."""
    found = {}
    for name in sorted((lasting_tables() - NEW_SINCE) | TABLES_THEN):
        rows = world.rows(f"SELECT * FROM cj.{name}")
        found[name] = sorted(({c: v for c, v in row.items() if c not in NEW_IN_TABLES} for row in rows), key=repr)
    return found


def as_it_was(world: WorldOn) -> None:
    """Warehouse and journal as the package left them before either had a version: the same rows in the tables of then, no version in a file."""
    with open_warehouse(world.location) as session:
        kept = {name: session.table(f"SELECT * FROM cj.{name}") for name in (lasting_tables() - NEW_SINCE) | TABLES_THEN}
        session.execute("DROP SCHEMA cj CASCADE")
        session.execute(BEFORE)
        for name, rows in kept.items():
            session.append(f"cj.{name}", rows.drop_columns([c for c in rows.column_names if c in NEW_IN_TABLES]))
    files = list(Path(world.settings.storage.removeprefix("file://")).rglob("*.json"))
    documents = [file for file in files if file.name == "manifest.json" or file.name.split(".")[-2] in ("intent", "tested", "answer")]
    assert len(documents) >= 4
    for chunk in files[0].parents[2].rglob("*/*/*.parquet"):
        orders = pq.read_table(chunk)
        pq.write_table(orders.drop_columns([c for c in orders.column_names if c in NEW_COLUMNS]), chunk)
    for file in documents:
        document = orjson.loads(file.read_bytes())
        assert document.pop("version") == VERSION
        document.pop("plan_number", None)
        file.write_bytes(orjson.dumps(document).replace(b'Z"', b'+00:00"'))


def test_a_night_before_and_a_night_after_the_upgrade(world: WorldOn) -> None:
    first, second = placed(), placed(key=Key(FIXED_DATE, "o-2"))
    world.pixel([pixel_order(second, second.event_time)])
    world.append([first, later(second, 5, amount=Decimal("60.00")), placed(key=Key(FIXED_DATE, "o-3"), cj_event=None)])
    before = night_of(world)
    assert sorted(operations(before)) == ["create", "restate"]
    send(world, before)
    world.append([later(second, 30, amount=Decimal("40.00"))])
    planned = night_of(world)
    tables = lasting(world)
    assert {name for name, rows in tables.items() if rows} >= {"submissions", "skipped", "planned", "commissions", "reconciliation"}

    as_it_was(world)
    world.submit(planned)  # planned before, sent after
    world.publish(planned)
    now = lasting(world)
    assert [row for row in now["submissions"] if row["run_id"] == before.run.run_id] == tables["submissions"]
    assert (now["commissions"], now["reconciliation"]) == (tables["commissions"], tables["reconciliation"])
    world.advance(timedelta(hours=2))
    world.append([later(first, 90, change_type="cancelled")])
    after = night_of(world)
    assert operations(after) == ["cancel"]
    send(world, after)
    held = world.held()
    assert (held[second.key]["amount"], held[first.key]["cancelled"]) == ("40.00", True)
    assert sorted((s["operation"], s["order_id"]) for s in world.fates()) == [
        ("cancel", "o-1"),
        ("create", "o-1"),
        ("restate", "o-2"),
        ("restate", "o-2"),
    ]
    assert operations(night_of(world)) == []


def test_a_rebuild_from_a_journal_without_versions_gives_the_tables_back(world: WorldOn) -> None:
    world.append([placed()])
    send(world, night_of(world))
    tables = lasting(world)
    as_it_was(world)
    rebuild(world.settings, world.location)
    now = lasting(world)
    for name in ("submissions", "quarantine", "skipped", "planned", "commissions"):
        assert now[name] == tables[name], name
    assert [row["status"] for row in now["reconciliation"]] == ["matched"]


def test_an_older_package_asks_and_sends_nothing(world: WorldOn) -> None:
    world.append([placed()])
    night = night_of(world)
    with open_warehouse(world.location) as session:
        session.append("cj.schema_version", pa.table({"version": [99], "name": ["0099_tomorrow"], "applied_at": [BEGIN]}))
    readings = world.rows("SELECT * FROM cj.ledger_reads")
    for verb in (lambda: night_of(world), world.reconcile, lambda: rebuild(world.settings, world.location)):
        with pytest.raises(WarehouseShapeError, match="nothing was sent"):
            verb()
    assert world.fates() == []
    assert world.rows("SELECT * FROM cj.ledger_reads") == readings
    assert [row["run_id"] for row in world.rows("SELECT run_id FROM cj.planned")] == [night.run.run_id]
