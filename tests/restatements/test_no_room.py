"""A machine without room for what is read says so, and nothing is planned."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from include.domain.errors import StorageError
from include.restatements.plan.spool import ORDERS, Spool
from include.restatements.scratch import scratch_folder
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, placed


@pytest.fixture
def world(new_world: NewWorld) -> World:
    return new_world(Options())


def planned(world: World, run_id: str) -> Night:
    return world.prepare(BEGIN - timedelta(days=9), world.now(), run_id)


def test_a_full_temporary_folder_gives_a_sentence() -> None:
    with pytest.raises(StorageError, match=r"is full \(.*\)\. Nothing was sent\. Make room there"):
        with scratch_folder("cj-test-") as place:
            (place / "orders.parquet").symlink_to("/dev/full")
            spool = Spool(place / "orders.parquet", ORDERS)
            spool.add(pa.Table.from_pylist([{"order_id": "o-1"}] * 100_000, ORDERS))
            spool.finish()


def test_no_temporary_folder_gives_a_sentence_and_nothing_is_planned(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    world.append([placed()])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(StorageError, match=r"^No temporary folder can be used on this machine .*Let TMPDIR of the worker name a folder"):
        planned(world, "night")
    assert world.rows("SELECT * FROM cj.planned") == []
