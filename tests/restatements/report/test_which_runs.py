"""Which runs a report is about, and what it says of the nights before them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.restatements.reconcile import reconcile
from include.restatements.report.figures import Amount, Older
from include.restatements.report.report import collect, html, terminal_text
from include.restatements.report.words import headline
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from tests.model.histories import pixel_order
from tests.model.world import BEGIN, Options
from tests.restatements.nights import NewWorld, later, placed
from tests.restatements.report import report_tables as tables
from tests.restatements.report.report_tables import CHECKED, EARLIER, OWN, RUN, SENT, append


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_warehouse(WarehouseLocation("duckdb", path=str(tmp_path / "warehouse.duckdb"))) as opened:
        opened.create_tables()
        yield opened


def test_without_run_ids_the_report_is_about_what_was_just_checked_or_is_still_open(session: Session) -> None:
    tables.one_of_everything(session)
    before, done = CHECKED - timedelta(hours=1), {"run_id": "settled-before"}
    append(session, "cj.reconciliation", [tables.verdict("X-1", "matched", "1.00", "1.00", **{**done, "checked_at": before})])
    append(session, "cj.reconciliation", [tables.verdict("X-2", "matched", "1.00", "1.00", run_id="settled-now")])
    assert collect(session, checked_at=CHECKED).run_ids == (RUN, "settled-now")


def test_the_newest_run_is_shown_once_nothing_of_it_is_on_its_way(session: Session) -> None:
    append(session, "cj.plans", [tables.plan(1, EARLIER), tables.plan(2, RUN)])
    append(session, "cj.planned", [tables.planned("P-1", RUN)])
    assert collect(session, checked_at=CHECKED).run_ids == (EARLIER,)
    session.execute("DELETE FROM cj.planned")
    assert collect(session, checked_at=CHECKED).run_ids == (RUN,)


@pytest.mark.parametrize(("nights", "shown"), [(29, True), (30, False)])
def test_of_nights_before_the_thirty_what_is_open_is_one_sum(session: Session, nights: int, shown: bool) -> None:
    sent = CHECKED.replace(hour=0) - timedelta(days=nights) - (timedelta(0) if shown else -timedelta(days=1) + timedelta(seconds=1))
    old: dict[str, Any] = {"run_id": "old", "submitted_at": sent, "checked_at": SENT}
    append(session, "cj.submissions", [tables.submission(name, run="old", submitted_at=sent) for name in ("O-1", "O-2", "O-3", "O-4")])
    risk: dict[str, Any] = {"commission_at_risk": Decimal("1.5"), "reason": "unknown", **old}
    append(
        session,
        "cj.reconciliation",
        [tables.verdict(name, status, "1.00", **risk) for name, status in (("O-1", "missing"), ("O-2", "late"))],
    )
    append(session, "cj.reconciliation", [tables.verdict("O-3", "mismatched", "1.00", **{**risk, "commission_at_risk": None})])
    append(session, "cj.reconciliation", [tables.verdict("O-4", "matched", "1.00", "1.00", **old)])
    figures = collect(session, checked_at=CHECKED, currencies=OWN)
    assert figures.run_ids == (("old",) if shown else ())
    assert figures.balance.breaks == (2 if shown else 0)
    told = Older(0, 0, (), 0) if shown else Older(3, 2, (Amount("USD", Decimal("1.5")),), 1)
    assert figures.older == told
    assert headline(figures).tone == "bad"
    assert shown or headline(figures).claim == "No break of these nights; 2 breaks still open from before them."
    sentence = (
        "Still open from nights before these: 3 orders, 2 breaks among them: 1.50 USD commission and fee at risk, 1 at an unknown cost."
    )
    assert (sentence in html(figures), sentence in " ".join(terminal_text(figures).split())) == (not shown, not shown)


def test_a_round_counts_what_is_open_of_any_night(new_world: NewWorld) -> None:
    """Its log says that nothing is open where this is none; the counts of the thirty nights would not tell."""
    world, first = new_world(Options()), placed()
    assert reconcile(world.settings, world.location, "before").still_open == 0
    world.pixel([pixel_order(first, first.event_time)])
    world.sandbox.control.add_faults([{"kind": "drop", "order_ids": ["o-1"]}])
    world.append([later(first, 5, amount=Decimal(80))])
    night = world.prepare(BEGIN - timedelta(days=9), world.now())
    world.submit(night)
    world.publish(night)
    world.advance(timedelta(hours=38))
    world.reconcile()
    world.advance(timedelta(days=35))
    found = reconcile(world.settings, world.location, "later")
    assert (any(found.counts.values()), found.still_open) == (False, 1)


def test_what_is_matched_is_not_open(new_world: NewWorld) -> None:
    world, first = new_world(Options()), placed()
    world.pixel([pixel_order(first, first.event_time)])
    world.append([later(first, 5, amount=Decimal(80))])
    night = world.prepare(BEGIN - timedelta(days=9), world.now())
    world.submit(night)
    world.publish(night)
    assert reconcile(world.settings, world.location, "at once").still_open == 1
    world.advance(timedelta(hours=2))
    found = reconcile(world.settings, world.location, "then")
    assert (found.counts["matched"], found.still_open) == (1, 0)
