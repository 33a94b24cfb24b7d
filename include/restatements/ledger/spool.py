"""Pages on local disk between CJ and the warehouse, so that memory stays flat and the warehouse need not be open while CJ is asked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from include.cj.records import CommissionPage
from include.domain.shapes import INSTANT


def newest_of(*cursors: str) -> str:
    """CJ's ids grow: longer is newer, then by digits."""
    return max(cursors, key=lambda cursor: (len(cursor), cursor))


@dataclass(frozen=True)
class Pages:
    """Pages that follow each other, each read when it is asked for."""

    folder: Path
    numbers: range

    def ids(self) -> Iterator[pa.RecordBatch]:
        for page in self._read("records"):
            yield from page.select(["commission_id"]).to_batches()

    def records(self) -> Iterator[pa.Table]:
        return self._read("records")

    def told(self) -> Iterator[pa.Table]:
        """What is to be said of records that are not as they came."""
        return self._read("told")

    def _read(self, kind: str) -> Iterator[pa.Table]:
        for page in self.numbers:
            with pa.memory_map(_file(self.folder, kind, page)) as source:
                yield pa.ipc.open_file(source).read_all()


class PageSpool:
    """The pages of one question to CJ, as they come. Use as a context manager, which leaves nothing on the disk."""

    def __init__(self) -> None:
        self.count, self.cursor = 0, "0"
        """Records, and the newest of their ids."""
        self.set_aside = 0
        self._pages = 0

    def __enter__(self) -> PageSpool:
        self._scratch = tempfile.TemporaryDirectory(prefix="cj-ledger-")
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.cleanup()

    def fill(self, pages: Iterator[CommissionPage], after_each: Callable[[], None] = lambda: None) -> PageSpool:
        """Keep every page, as it comes."""
        for page in pages:
            self._add(page)
            after_each()
        return self

    def pages(self, first: int = 0) -> Pages:
        """Those that are there now, from the `first` on."""
        return Pages(Path(self._scratch.name), range(first, self._pages))

    def _add(self, page: CommissionPage) -> None:
        self.cursor = newest_of(self.cursor, page.max_commission_id or "0")
        if not page.count and not page.set_aside.num_rows:
            return
        stamp = pa.array([datetime.now(UTC)] * page.count, INSTANT)
        self._write("records", page.table.append_column("ingested_at", stamp))
        self._write("told", page.set_aside)
        self.count, self._pages = self.count + page.count, self._pages + 1
        self.set_aside += page.gone

    def _write(self, kind: str, table: pa.Table) -> None:
        with pa.OSFile(_file(Path(self._scratch.name), kind, self._pages), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)


def _file(folder: Path, kind: str, page: int) -> str:
    return str(folder / f"{kind}-{page}.arrow")
