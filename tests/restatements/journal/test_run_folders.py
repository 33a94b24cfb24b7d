"""Every run has a folder of its own, inside the journal, and the runs of today are found where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.domain.errors import JournalConflict
from include.restatements.journal.documents import Manifest, Summary
from include.restatements.journal.journal import ROOT, Journal, run_folder
from include.restatements.prepare import prepare
from include.restatements.publish import publish
from include.restatements.settings import Run
from include.restatements.submit import submit
from include.storage.local import LocalFolder
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


@pytest.mark.parametrize(
    ("run_id", "folder"),
    [
        ("a b", "a-b.bb37dea5c027f928"),
        ("", "run.e4a6a0577479b2b4"),
        ("x" * 201 + ":", "x" * 200 + ".99174b6093237a5b"),
        (".hidden", "hidden.68ae68da3e7bd41f"),
        ("breakers", "breakers.ddcbe587dcbe87ad"),
    ],
)
def test_any_other_id_has_a_mark_that_stays_the_same_from_release_to_release(run_id: str, folder: str) -> None:
    assert run_folder(run_id) == folder


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


def plan_of(run_id: str) -> Manifest:
    """A plan of nothing."""
    nothing = Summary(
        picked=0,
        to_send=0,
        create=0,
        restate=0,
        cancel=0,
        quarantined=0,
        skipped=0,
        quarantined_by_reason={},
        skipped_by_reason={},
        chunks=0,
    )
    return Manifest(
        run_id=run_id, interval=(BEGIN, BEGIN), planned_at=BEGIN, cj_time=BEGIN, modes={}, advertisers={}, at_stake="0.00", summary=nothing,
        problems=[], chunks=[],
    )  # fmt: skip


def test_a_folder_that_another_runs_plan_is_in_is_not_written_over(tmp_path: Path) -> None:
    """As it may stand where an earlier release gave two ids one folder."""
    journal = Journal(LocalFolder(tmp_path))
    journal.commit_plan(plan_of("night"))
    journal.commit_plan(plan_of("night"))
    (tmp_path / ROOT / "night").rename(tmp_path / ROOT / "other")
    with pytest.raises(JournalConflict, match=r"^Runs 'night' and 'other' would share the folder 'other'\. Nothing was sent\."):
        journal.commit_plan(plan_of("other"))


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
