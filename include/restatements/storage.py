"""The files of a run: written whole or not at all, and created exclusively where one writer must win.

`folder("file:///var/cj")` is a plain directory; `folder("s3://bucket/prefix", conn_id="…")` is a bucket (`object_storage`). Both offer the same
few verbs. What the safety of the package rests on is `create`: of any number of processes that try, exactly one succeeds, and its
content is there at once.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from include.domain.errors import SettingError, StorageError


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


def folder(url: str, conn_id: str | None = None) -> Folder:
    """The folder at `url`. Raises SettingError for a URL that cannot hold a run's files."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return LocalFolder(Path(unquote(parts.path)))
    if not parts.scheme:
        raise SettingError(f"Variable cj_storage is {url!r}: it must be a URL such as file:///var/cj or s3://bucket/cj.")
    if not parts.netloc:
        raise SettingError(f"Variable cj_storage is {url!r}: it names no bucket. Write it as {parts.scheme}://bucket/prefix.")
    from include.restatements.object_storage import object_folder

    return object_folder(url, conn_id)


class LocalFolder:
    """A directory. Durable before `write` and `create` return."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = f"file://{root}"

    def read(self, path: str) -> bytes | None:
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise storage_failed("read", self.root / path, error) from error

    def write(self, path: str, data: bytes) -> None:
        target = self.root / path
        try:
            half = self._half_written(target, data)
            half.replace(target)
            _sync_directory(target.parent)
        except OSError as error:
            raise storage_failed("write", target, error) from error

    def create(self, path: str, data: bytes) -> bool:
        target = self.root / path
        try:
            half = self._half_written(target, data)
            try:
                os.link(half, target)
            except FileExistsError:
                # On a network file system the link may have been made and only its answer lost: then the file has both names.
                return half.stat().st_nlink == 2
            finally:
                half.unlink()
            _sync_directory(target.parent)
            return True
        except OSError as error:
            raise storage_failed("create", target, error) from error

    def put(self, path: str, local: Path) -> None:
        self.write(path, local.read_bytes())

    def remove(self, path: str) -> None:
        try:
            (self.root / path).unlink(missing_ok=True)
            _sync_directory((self.root / path).parent)
        except FileNotFoundError:
            return
        except OSError as error:
            raise storage_failed("remove", self.root / path, error) from error

    def exists(self, path: str) -> bool:
        try:
            return (self.root / path).exists()
        except OSError as error:
            raise storage_failed("look for", self.root / path, error) from error

    def names(self, path: str = "") -> list[str]:
        try:
            return sorted(p.name for p in (self.root / path).iterdir() if not p.name.startswith(".half-"))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise storage_failed("list", self.root / path, error) from error

    def below(self, path: str) -> LocalFolder:
        return LocalFolder(self.root / path)

    def _half_written(self, target: Path, data: bytes) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".half-")
        half = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            half.chmod(0o644)
        except BaseException:
            half.unlink()
            raise
        return half


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage_failed(verb: str, path: object, error: Exception) -> StorageError:
    """The error for a file that could not be read or written: which, why, what to do."""
    return StorageError(
        f"Could not {verb} {path}: {type(error).__name__}: {error}. Check the storage (space, rights, reachability), then retry."
    )
