"""A night's rows in tables that end between two orders, and those that are set aside while it is not known whether the night goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

import pyarrow as pa

from include.domain.errors import WarehouseShapeError
from include.domain.shapes import CHANGES, KEY
from include.restatements.gate.findings import unsorted


class SetAside:
    """Batches in an open file, each with how many of its rows fail at most."""

    def __init__(self, spool: IO[bytes]) -> None:
        self.spool = spool
        self.bounds: list[list[int]] = []

    def add(self, table: pa.Table, bound: int) -> None:
        if not self.bounds:
            self.writer = pa.ipc.new_stream(self.spool, CHANGES, options=pa.ipc.IpcWriteOptions(compression="lz4"))
        parts = table.combine_chunks().to_batches()
        for part in parts:
            self.writer.write_batch(part)
        self.bounds.append([len(parts), bound])

    def drain(self) -> Iterator[tuple[pa.Table, int]]:
        if not self.bounds:
            return
        self.writer.close()
        self.spool.seek(0)
        reader = pa.ipc.open_stream(self.spool)
        for parts, bound in self.bounds:
            yield pa.Table.from_batches([reader.read_next_batch() for _ in range(parts)], CHANGES), bound
        self.bounds = []
        self.spool.seek(0)
        self.spool.truncate()


def whole_keys(batches: Iterable[pa.RecordBatch | pa.Table], rows: int) -> Iterator[pa.Table]:
    """Tables of about `rows` rows, none of which ends inside a run of equal order keys."""
    waiting: list[pa.Table] = []
    last: tuple[object, ...] | None = None
    for batch in batches:
        table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        waiting.append(_in_shape(table))
        while sum(map(len, waiting)) > rows:
            whole = pa.concat_tables(waiting)
            cut = _cut(whole, rows)
            if cut == len(whole):
                waiting = [whole]
                break
            last = _follows(last, whole.slice(0, cut))
            yield whole.slice(0, cut).combine_chunks()
            waiting = [whole.slice(cut)]
    rest = pa.concat_tables(waiting) if waiting else CHANGES.empty_table()
    if len(rest):
        _follows(last, rest)
        yield rest.combine_chunks()


def _in_shape(table: pa.Table) -> pa.Table:
    if table.schema.remove_metadata().equals(CHANGES):
        return table.replace_schema_metadata(None)
    differ = [f.name for f in CHANGES if f.name not in table.column_names or table.schema.field(f.name).type != f.type]
    raise WarehouseShapeError(f"The order changes do not have the columns the gate judges; look at: {', '.join(differ) or 'their order'}.")


def _cut(table: pa.Table, rows: int) -> int:
    """The first row from `rows` on whose key differs from the one before; the end if there is none."""
    while rows < len(table) and _key(table, rows) == _key(table, rows - 1):
        rows += 1
    return rows


def _key(table: pa.Table, row: int) -> tuple[object, ...]:
    return tuple(table[name][row].as_py() for name in KEY)


def _follows(last: tuple[object, ...] | None, table: pa.Table) -> tuple[object, ...]:
    """The last key of `table`. Raises WarehouseShapeError if its first one is smaller than `last`."""
    first = _key(table, 0)
    for before, after in zip(last or (), first, strict=False):
        if before is None or after is None:
            break
        before, after = (value.encode() if isinstance(value, str) else value for value in (before, after))
        if after < before:  # type: ignore[operator]  # both text or both numbers: one column
            raise unsorted()
        if after != before:
            break
    return _key(table, len(table) - 1)
