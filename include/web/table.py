"""A list as CSV: written into a file a batch at a time, so that a million rows need no memory, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from include.domain.cells import cell

_IN_MEMORY = 4_000_000


def written(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> IO[bytes]:
    """The rows as a file of UTF-8 from its beginning; a person's spreadsheet knows it by the mark before it."""
    file: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - whoever sends it closes it
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row[name]) for name in columns])
    text.flush()
    text.detach()
    file.seek(0)
    return file


def pieces(file: IO[bytes], size: int = 65_536) -> Iterator[bytes]:
    """The file in pieces, closed at the end."""
    with file:
        while piece := file.read(size):
            yield piece
