"""The demo's three nights through the whole loop: every order that was designed to end in a status or reason ends there, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.demo.files import write_shop, write_warehouse
from include.demo.real_month import settings_for
from include.demo.shop import Shop, open_shop
from include.demo.stage import move_to
from include.demo.story_types import Case
from include.restatements.reconciliation import reconcile
from include.restatements.rehearsal import run_night
from include.restatements.settings import Run
from include.sandbox.process import start_sandbox
from include.warehouse.base import WarehouseLocation, open_warehouse

SHOP = open_shop(datetime(2026, 11, 19, tzinfo=UTC))


@dataclass
class Played:
    shop: Shop
    rows: dict[str, dict[str, list[dict[str, Any]]]]
    """Table, then order id, then that order's rows."""
    live_posts: dict[str, int]
    sent: dict[str, int]
    last_run: str


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    place = tmp_path_factory.mktemp("storyline")
    story = SHOP.story
    write_shop(place / "w.duckdb", place / "seed", SHOP, story.nights[0].runs_at)
    location = WarehouseLocation("duckdb", path=str(place / "w.duckdb"))
    with start_sandbox(place / "cj.sqlite", seed=place / "seed", delay_seconds=1500, rate_limit=False) as sandbox:
        settings = settings_for(sandbox.url, place / "storage")
        sandbox.control.add_faults(story.faults)
        for night in story.nights:
            write_warehouse(place / "w.duckdb", SHOP.changes, until=night.runs_at)
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
    yield _read(location, posts, run.run_id, place)


def _read(location: WarehouseLocation, posts: dict[str, int], last_run: str, _: Path) -> Played:
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {}
    with open_warehouse(location) as session:
        for table in ("submissions", "quarantine", "skipped", "reconciliation"):
            found = rows.setdefault(table, {})
            for row in session.rows(f"SELECT * FROM cj.{table}"):
                found.setdefault(str(row["order_id"]), []).append(row)
    sent = {order: len(found) for order, found in rows["submissions"].items()}
    return Played(SHOP, rows, posts, sent, last_run)


@pytest.mark.parametrize("case", SHOP.story.cases, ids=lambda case: case.name)
def test_every_designed_order_ends_where_it_was_meant_to(played: Played, case: Case) -> None:
    for order_id in case.order_ids:
        rows = played.rows[case.table].get(order_id, [])
        assert _word(case, rows, played.last_run) in {(case.state, reason) for reason in case.reasons or (None,)}, (order_id, rows)


def _word(case: Case, rows: list[dict[str, Any]], last_run: str) -> tuple[Any, Any]:
    if case.table == "reconciliation":
        rows = [r for r in rows if case.updated_before is None or r["updated_at"] < case.updated_before]
        newest = max(rows, key=lambda row: row["updated_at"])
        return newest["status"], newest["reason"] if case.reasons else None
    mine = [row for row in rows if row["run_id"] == last_run]
    assert len(mine) == 1
    column, reason = {"quarantine": ("stage", "reason"), "skipped": ("reason", ""), "submissions": ("operation", "outcome")}[case.table]
    return mine[0][column], mine[0][reason] if case.reasons else None


def test_every_status_is_on_show(played: Played) -> None:
    shown = {row["status"] for rows in played.rows["reconciliation"].values() for row in rows}
    assert shown == {"awaiting", "late", "matched", "mismatched", "missing", "superseded"}


def test_each_order_a_run_picked_is_in_exactly_one_table(played: Played) -> None:
    seen: dict[tuple[str, str, int | None, str], int] = {}
    for table in ("submissions", "quarantine", "skipped"):
        for order_id, rows in played.rows[table].items():
            for row in rows:
                key = (row["run_id"], row["enterprise_id"], row["action_tracker_id"], order_id)
                seen[key] = seen.get(key, 0) + 1
    duplicated = {key for key, count in seen.items() if count != 1 and key[3] != "None" and "sha256" not in key[3]}
    assert not duplicated


def test_cj_got_each_live_submission_once(played: Played) -> None:
    assert played.live_posts == played.sent
