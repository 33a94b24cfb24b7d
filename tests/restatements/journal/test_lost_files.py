"""A chunk file, or the whole journal, that was lost holds nothing up: clearing `prepare`, as the error asks, plans and sends the night."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.domain.errors import StorageError
from include.restatements.prepare import prepare
from include.restatements.publish import publish
from include.restatements.settings import Run, Settings
from include.restatements.submit import submit
from include.sandbox.process import SandboxProcess, start_sandbox
from include.warehouse.base import WarehouseLocation, open_warehouse
from lab.bulk import load_bulk, write_bulk
from lab.real_month import settings_for

NIGHT = datetime(2026, 11, 19, tzinfo=UTC)
RUN = Run("night", NIGHT - timedelta(days=1), NIGHT)
NEXT = Run("next", NIGHT - timedelta(days=1), NIGHT)


@pytest.fixture
def cj(tmp_path: Path) -> Iterator[SandboxProcess]:
    write_bulk(tmp_path, NIGHT, 200)
    load_bulk(tmp_path / "warehouse.duckdb", tmp_path)
    with start_sandbox(tmp_path / "cj.sqlite", seed=tmp_path, rate_limit=False) as sandbox:
        sandbox.control.set_clock(NIGHT + timedelta(hours=2))
        yield sandbox


@pytest.fixture
def settings(cj: SandboxProcess, tmp_path: Path) -> Settings:
    return settings_for(cj.url, tmp_path / "storage")


def lose_a_chunk(storage: Path) -> None:
    min(storage.rglob("restate/*.parquet")).unlink()


def lose_everything(storage: Path) -> None:
    shutil.rmtree(storage)


@pytest.mark.parametrize("lose", [lose_a_chunk, lose_everything])
def test_a_cleared_prepare_plans_the_night_again(cj: SandboxProcess, settings: Settings, tmp_path: Path, lose: object) -> None:
    assert callable(lose)
    location = WarehouseLocation("duckdb", path=str(tmp_path / "warehouse.duckdb"))
    planned = prepare(RUN, settings, location)
    lose(tmp_path / "storage")
    if lose is lose_a_chunk:
        with pytest.raises(StorageError, match="clear `prepare`"):
            for batch in planned.batches:
                submit(RUN, settings, batch)
    else:
        # Its orders are still that run's: nobody else may guess what became of them.
        with pytest.raises(StorageError, match="clear `prepare`"):
            prepare(NEXT, settings, location)
    again = prepare(RUN, settings, location)
    for batch in again.batches:
        submit(RUN, settings, batch)
    assert publish(RUN, settings, location).incomplete == 0
    with open_warehouse(location) as session:
        counts = {
            t: session.rows(f"SELECT COUNT(*) AS n FROM cj.{t} WHERE run_id = 'night'")[0]["n"]
            for t in ("submissions", "quarantine", "skipped", "planned")
        }
    # 120 restated, 20 cancelled, 10 missed; 20 unchanged and 30 nobody's.
    assert counts == {"submissions": 150, "quarantine": 0, "skipped": 50, "planned": 0}
    assert len(list(cj.control.submissions())) == 150
