"""Rows on local disk between two stages, so that memory stays flat however large the night is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from include.domain.shapes import CHANGES, INSTANT, MARK

ORDERS = pa.schema(
    [f for f in CHANGES if f.name != "malformed"] + [("payload_hash", pa.string()), ("items_mark", MARK), ("former_hash", pa.string())]
)
"""What is kept of an order that passed the gate, with its content hash, its items' mark, and the hash it would have had before where that differs."""

QUARANTINED = pa.schema(
    [
        ("run_id", pa.string()),
        ("enterprise_id", pa.string()),
        ("action_tracker_id", pa.int64()),
        ("order_id", pa.string()),
        ("updated_at", INSTANT),
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("quarantined_at", INSTANT),
        ("rule", pa.string()),
        ("plan_number", pa.int64()),
    ]
)
"""Rows of cj.quarantine."""

SKIPPED = pa.schema([f for f in QUARANTINED if f.name not in ("stage", "detail", "quarantined_at")] + [("skipped_at", INSTANT)])
"""Rows of cj.skipped."""

PLANNED = pa.schema(
    [f for f in QUARANTINED if f.name in ("run_id", "enterprise_id", "action_tracker_id", "order_id", "updated_at", "plan_number")]
    + [("chunk_id", pa.string()), ("operation", pa.string()), ("planned_at", INSTANT)]
)
"""Rows of cj.planned."""


class Spool:
    """A local Parquet file that is appended to, finished, and then read back in the same order, as often as needed."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path, self.schema, self.rows = path, schema, 0
        self._writer = pq.ParquetWriter(str(path), schema, compression="zstd")

    def add(self, table: pa.Table) -> None:
        if table.num_rows:
            self._writer.write_table(table.select(self.schema.names).cast(self.schema), row_group_size=100_000)
            self.rows += table.num_rows

    def finish(self) -> Spool:
        self._writer.close()
        return self

    def batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        # Buffered ahead, every row group that was read would stay in memory.
        with pq.ParquetFile(str(self.path), pre_buffer=False) as file:
            yield from file.iter_batches(batch_size=65_536, columns=columns)


def with_constants(table: pa.Table, schema: pa.Schema, **constants: object) -> pa.Table:
    """`table` with the same value in every row of each named column, in the columns of `schema`."""
    columns = {
        name: table[name] if name in table.column_names else pa.array([constants[name]] * table.num_rows, schema.field(name).type)
        for name in schema.names
    }
    return pa.table(columns, schema=schema)
