"""Every figure of the demo's three nights, on both warehouses, against what a person has looked at and approved.

A change that is meant is approved by `APPROVE=1 pytest tests/journeys/test_demo_totals.py` and shows in the review as the figures that moved.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from include.warehouse.base import WarehouseLocation
from tests.demo_nights import Played, play

APPROVED = Path(__file__).parent / "snapshots" / "demo_nights.txt"


def test_every_night_of_the_demo_comes_to_the_approved_figures(played: Played) -> None:
    if os.environ.get("APPROVE"):
        APPROVED.write_text(played.totals, encoding="utf-8")
    assert played.totals == APPROVED.read_text(encoding="utf-8")


def test_on_postgresql_they_come_to_the_same(postgres_database: str, tmp_path: Path) -> None:
    assert play(WarehouseLocation("postgres", uri=postgres_database), tmp_path).totals == APPROVED.read_text(encoding="utf-8")


@pytest.mark.parametrize("status", ["awaiting", "late", "matched", "mismatched", "missing", "superseded"])
def test_every_status_has_figures_of_its_own_at_the_end(status: str) -> None:
    last = APPROVED.read_text(encoding="utf-8").rpartition("== ")[2]
    assert any(line.split()[:2] == ["verdicts", status] for line in last.splitlines())
