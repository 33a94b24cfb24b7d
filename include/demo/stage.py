"""Moving a sandbox through the nights: its clock, and the pixel that goes on reporting meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.demo.files import APPEARS_AT, LATER
from include.domain.shapes import INSTANT
from include.sandbox.control import SandboxControl

ORDERS_A_CALL = 1_000
PLAYED_FOR = timedelta(days=1)
"""Longer than any night takes to play: while it is played, the sandbox's clock goes on from the moment it was set to."""


def move_to(control: SandboxControl, seed_directory: Path, moment: datetime) -> int:
    """Seeds the orders that appear before `moment` (aware) and sets the sandbox's clock to it; returns how many were new to CJ.

    Use it instead of `control.set_clock`, in the order of the moments: what appears after `moment` stays unknown to CJ. The pixel's orders are
    there before the clock moves: CJ works off what is due the moment it does, and a create would be faster than the pixel now and then.
    """
    later = pq.read_table(seed_directory / LATER)
    due = pc.less(later[APPEARS_AT], pa.scalar(moment, INSTANT))
    since = control.clock() - PLAYED_FOR
    if since < moment:
        due = pc.and_(due, pc.greater_equal(later[APPEARS_AT], pa.scalar(since, INSTANT)))
    added = 0
    for batch in later.filter(due).drop_columns([APPEARS_AT]).to_batches(max_chunksize=ORDERS_A_CALL):
        added += control.seed(orders=batch.to_pylist())["orders_added"]
    control.set_clock(moment)
    return added
