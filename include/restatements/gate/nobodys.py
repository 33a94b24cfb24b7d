"""Orders that no publisher brought: most of a shop's are, and none of them goes to CJ unless CJ has heard of it.

Whether it has is asked once the night's rows are all read, and only of those of which something hangs on it: of a row that breaks a rule, whether somebody
need look at it; of the others, once enough rows failed to count their share, whether they are among those it is a share of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from include.domain.shapes import KEY
from include.restatements.gate.items import Flags
from include.restatements.gate.storable import in_range, kept_text

HeardOf = Callable[[pa.Table], Flags]
"""For each row of ASKED whether CJ has heard of the order: it has a record of the id, or one was sent."""

ASKED = pa.schema([("enterprise_id", pa.string()), ("order_id", pa.string())])


def could_go(table: pa.Table, frame: pd.DataFrame, enterprises: frozenset[str]) -> Flags:
    """False for the orders (shapes.CHANGES, with their findings) that could only go to CJ if it has heard of them: they carry no attribution.

    True as well for what cannot be asked about, or could not be told in a row of cj.skipped: no whole key, no time, an enterprise that is none of ours,
    a key that comes twice.
    """
    attributed = pc.or_(table["cj_event"].is_valid(), table["ad_id"].is_valid())
    for name in (*KEY, "updated_at"):
        attributed = pc.or_(attributed, table[name].is_null())
    attributed = pc.or_(attributed, pc.invert(pc.fill_null(in_range(table["updated_at"].combine_chunks()), False)))
    attributed = pc.or_(attributed, pc.invert(pc.is_in(table["enterprise_id"], pa.array(sorted(enterprises), pa.string()))))
    sure: Flags = attributed.to_numpy() | ~frame["key_unique"].to_numpy()
    return sure


def asked_about(table: pa.Table) -> pa.Table:
    """What is asked of the rows, in ASKED."""
    return pa.table([kept_text(table[name].combine_chunks()) for name in ASKED.names], schema=ASKED)


class Kept:
    """Tables of one shape in an open file, until they are asked for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._writer: pa.RecordBatchStreamWriter | None = None

    def add(self, table: pa.Table) -> None:
        if self._writer is None:
            self._writer = pa.ipc.new_stream(self._file, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))
        self._writer.write_table(table)

    def tables(self) -> Iterator[pa.Table]:
        """All of them, in pieces. Nothing can be added afterwards."""
        if self._writer is not None:
            self._writer.close()
            self._file.seek(0)
            for batch in pa.ipc.open_stream(self._file):
                yield pa.Table.from_batches([batch])


def known_of(asked: Kept, heard_of: HeardOf) -> int:
    """How many of the rows CJ has heard of."""
    return sum(int(np.count_nonzero(heard_of(table))) for table in asked.tables())
