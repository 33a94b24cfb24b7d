"""A whole night without a scheduler: for rehearsals, tests and benchmarks. The nightly run is `dags/cj_restatements.py`."""

from __future__ import annotations

from dataclasses import dataclass

from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.posting.poster import Submitted
from include.restatements.prepare import Prepared, prepare
from include.restatements.publish import Published, publish
from include.restatements.settings import Run, Settings
from include.restatements.submit import submit
from include.warehouse.base import WarehouseLocation


@dataclass(frozen=True)
class NightPlayed:
    """What the three verbs returned."""

    prepared: Prepared
    submitted: tuple[Submitted, ...]
    published: Published


def run_night(run: Run, settings: Settings, location: WarehouseLocation, checkpoint: Checkpoint = no_checkpoint) -> NightPlayed:
    """Prepare, submit every batch, publish. Raises what they raise; repeating it is as safe as repeating them."""
    prepared = prepare(run, settings, location, checkpoint)
    submitted = tuple(submit(run, settings, batch, checkpoint) for batch in prepared.batches)
    return NightPlayed(prepared, submitted, publish(run, settings, location, checkpoint))
