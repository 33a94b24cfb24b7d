"""The files of a run: written whole or not at all, and created exclusively where one writer must win.

`folder("file:///var/cj")` is a plain directory; `folder("s3://bucket/prefix", conn_id="…")` is a bucket (`opening`). Both offer the same
few methods. What the safety of the package rests on is `create`: of any number of processes that try, exactly one succeeds, and its
content is there at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from include.domain.errors import StorageError


class Folder(Protocol):
    """Files by relative path (`create/ab12.parquet`). Raises StorageError when the storage itself fails (disk full, bucket gone)."""

    url: str

    def read(self, path: str) -> bytes | None:
        """The file's bytes, or None when there is none."""

    def write(self, path: str, data: bytes) -> None:
        """Write whole, replacing what was there; a reader sees the old bytes or the new ones."""

    def create(self, path: str, data: bytes) -> bool:
        """Write whole if nothing is there. False when somebody else was first."""

    def remove(self, path: str) -> None:
        """Remove the file, if it is there."""

    def exists(self, path: str) -> bool: ...

    def names(self, path: str = "") -> list[str]:
        """Names directly below `path`, sorted; empty when there is no such folder."""

    def below(self, path: str) -> Folder: ...

    def put(self, path: str, local: Path) -> None:
        """Copy a finished local file here, whole."""


def storage_failed(doing: str, path: object, error: Exception) -> StorageError:
    """The error for a file that could not be read or written: which, why, what to do."""
    return StorageError(
        f"Could not {doing} {path}: {type(error).__name__}: {error}. Check the storage (space, rights, reachability), then retry."
    )
