"""A directory on this machine or a network file system, with the methods of `include.storage.folder.Folder`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from include.storage.folder import storage_failed


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
