"""Every run has a folder of its own, inside the journal, and the runs of today are found where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.restatements.journal.journal import ROOT, run_folder
from include.restatements.prepare import prepare
from include.restatements.publish import publish
from include.restatements.settings import Run
from include.restatements.submit import submit
from tests.model.world import BEGIN, Options
from tests.restatements.nights import NewWorld, placed

OF_AIRFLOW = {
    "scheduled__2026-03-02T02:00:00+00:00": "scheduled__2026-03-02T02-00-00-00-00",
    "manual__2026-03-02T02:00:00.123456+00:00": "manual__2026-03-02T02-00-00.123456-00-00",
    "manual__2026-03-02T02:00:00.123456+00:00_aB3dE9xY": "manual__2026-03-02T02-00-00.123456-00-00_aB3dE9xY",
    "backfill__2026-03-02T02:00:00+00:00": "backfill__2026-03-02T02-00-00-00-00",
    "asset_triggered__2026-03-02T02:00:00+00:00_x": "asset_triggered__2026-03-02T02-00-00-00-00_x",
}
PLAIN = ["tonight", "manual__1", "A.b-c_9", "run_0"]
LOOKALIKES = [
    "..", ".", "", "...", "/", "../..", "a b", "a:b", "a+b", "a-b", "a_b", "a.b", "é", "e", "breakers", "reports", "-", ".hidden", "hidden",
    *OF_AIRFLOW, *OF_AIRFLOW.values(), "scheduled__2026-03-02T02:00:00-00:00", "scheduled__2026-03-02T02:00:00+00-00", "x" * 250, "x" * 251,
    " " * 250, " " * 251, "a" * 200 + ":" * 50, "a" * 200 + ":" * 49,
]  # fmt: skip


@pytest.mark.parametrize("run_id", OF_AIRFLOW)
def test_an_id_that_airflow_makes_keeps_its_folder(run_id: str) -> None:
    assert run_folder(run_id) == OF_AIRFLOW[run_id]


@pytest.mark.parametrize("run_id", PLAIN)
def test_an_id_that_is_a_folder_name_already_keeps_it(run_id: str) -> None:
    assert run_folder(run_id) == run_id


def test_no_two_ids_share_a_folder_and_none_leads_out_of_the_journal() -> None:
    everything = [*LOOKALIKES, *PLAIN]
    everything += [run_folder(run_id) for run_id in everything]  # who knows the mark may write it
    folders = {run_id: run_folder(run_id) for run_id in everything}
    assert len(set(folders.values())) == len(folders)
    for name in folders.values():
        assert Path(name).name == name
        assert not name.startswith(".")
        assert name not in ("", "breakers", "reports")
        assert len(name) < 255


def test_runs_whose_ids_differ_only_in_punctuation_are_both_planned_and_sent(new_world: NewWorld) -> None:
    world = new_world(Options())
    world.append([placed()])
    for run_id, sent in (("manual:1", 1), ("manual 1", 0), ("..", 0)):
        run = Run(run_id, BEGIN.replace(day=1), world.now())
        prepared = prepare(run, world.settings, world.location)
        assert sum(submit(run, world.settings, batch).accepted for batch in prepared.batches) == sent
        assert publish(run, world.settings, world.location).incomplete == 0
    storage = Path(world.settings.storage.removeprefix("file://"))
    assert [found.name for found in storage.iterdir()] == [ROOT]
    assert len(world.journal.runs()) >= 3
    assert len(world.fates()) == 1
