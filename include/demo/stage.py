"""Moving a sandbox through the nights: its clock, and the pixel that goes on reporting meanwhile."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.demo.files import APPEARS_AT, LATER
from include.domain.shapes import INSTANT
from include.sandbox.control import SandboxControl

ORDERS_A_CALL = 1_000


def move_to(control: SandboxControl, seed_directory: Path, moment: datetime) -> int:
    """Sets the sandbox's clock to `moment` (aware) and seeds the orders that appear before then; returns how many were new to CJ.

    Use it instead of `control.set_clock`, in the order of the moments: what appears after `moment` stays unknown to CJ.
    """
    left = control.clock()
    control.set_clock(moment)
    later = pq.read_table(seed_directory / LATER)
    due = pc.less(later[APPEARS_AT], pa.scalar(moment, INSTANT))
    if left < moment:
        due = pc.and_(due, pc.greater_equal(later[APPEARS_AT], pa.scalar(left, INSTANT)))
    added = 0
    for batch in later.filter(due).drop_columns([APPEARS_AT]).to_batches(max_chunksize=ORDERS_A_CALL):
        added += control.seed(orders=batch.to_pylist())["orders_added"]
    return added
