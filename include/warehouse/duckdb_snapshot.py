"""Copies of a DuckDB file's tables for whoever only reads: the file itself has one process at a time, and a reader would keep its writer out.

They lie in a folder beside the file, `<file>.snapshots/<number>.duckdb`. A copy gets its name once it is whole, and is never changed; who reads one
goes on reading it while the next is left, and the one before goes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

KEPT = 2
"""The newest, and the one that somebody may just be about to open."""


class Snapshot(NamedTuple):
    """One whole copy."""

    file: Path
    left_at: datetime


def _folder(path: str) -> Path:
    return Path(f"{path}.snapshots")


def newest_first(path: str) -> list[Snapshot]:
    """The copies of the DuckDB file `path`."""
    found = []
    for file in sorted(_folder(path).glob("*.duckdb"), key=lambda file: int(file.stem), reverse=True):
        try:
            found.append(Snapshot(file, datetime.fromtimestamp(file.stat().st_mtime, UTC)))
        except FileNotFoundError:
            continue  # a newer one took its place just now
    return found


@contextmanager
def copied(path: str) -> Iterator[Path]:
    """The name to write the next copy under; it counts once the block has ended well. Raises OSError where there is no room."""
    folder = _folder(path)
    folder.mkdir(exist_ok=True)
    there = newest_first(path)
    number = int(there[0].file.stem) + 1 if there else 1
    begun = folder / f"{number}.{os.getpid()}.begun"
    begun.unlink(missing_ok=True)
    try:
        yield begun
        begun.replace(folder / f"{number}.duckdb")
    finally:
        begun.unlink(missing_ok=True)
        Path(f"{begun}.wal").unlink(missing_ok=True)
    for old in there[KEPT - 1 :]:
        old.file.unlink(missing_ok=True)
