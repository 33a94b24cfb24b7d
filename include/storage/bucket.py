"""A prefix in a bucket, with the methods of `folder.Folder`.

How it works:

    read, exists, names   ask the store each time; no listing is kept, because another process may have created the file a moment ago
    write, put            one request, or a multipart upload that becomes visible when it is completed: a reader never sees half a file
    create                the store refuses the second writer (S3: `If-None-Match: *`). An answer lost on the way is told apart from a lost race
                          by the writer's name on the object

A store that takes the condition and ignores it would let two processes post the same chunk. So the first `create` of a process in a bucket tries
it out, and no file is created where the store fails.

Known limitation: a multipart upload whose process was killed leaves its parts in the bucket, unseen and paid for. Give the bucket a lifecycle
rule that aborts incomplete uploads.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from include.domain.errors import SettingError, StorageError
from include.storage.folder import storage_failed

PROBE = ".probe-"
CONFLICT_TRIES = 6
"""S3 answers 409 where two creations meet, and asks that it be tried again."""

_exclusive: set[tuple[str, str]] = set()
_trying = threading.Lock()


def object_folder(url: str, conn_id: str | None) -> ObjectFolder:
    """The folder at `url`, reached through Airflow's connection `conn_id`. Raises SettingError where that cannot be."""
    from airflow.sdk import BaseHook, ObjectStoragePath

    if conn_id is not None:
        # Airflow's hook goes on without credentials when there is no such connection.
        try:
            BaseHook.get_connection(conn_id)
        except Exception as error:  # noqa: BLE001 - each backend of secrets raises what it likes, and may quote what it holds
            raise SettingError(
                f"Variable cj_storage_conn_id names connection {conn_id!r}, which cannot be read ({type(error).__name__}). Create it, or correct the Variable."
            ) from None
    try:
        root = ObjectStoragePath(url, conn_id=conn_id)
        return ObjectFolder(url, root.fs, str(root.path).rstrip("/"), conn_id)
    except Exception as error:
        raise SettingError(
            f"Storage {url!r} cannot be used: {type(error).__name__}: {error}. Install the provider package of that storage, or use s3:// or file://."
        ) from error


class ObjectFolder:
    """See `folder.Folder`. `fs` is an fsspec file system, `key` the folder's place in it (`bucket/prefix`)."""

    def __init__(self, url: str, fs: Any, key: str, conn_id: str | None) -> None:
        self.url, self.fs, self.key, self.conn_id = url.rstrip("/"), fs, key, conn_id
        self._is_s3 = "s3" in ((fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol)
        listings = getattr(fs, "dircache", None)
        if listings is not None:
            listings.clear()
            listings.use_listings_cache = False

    def read(self, path: str) -> bytes | None:
        # On S3 one request reads one state of the object; in parts, an object replaced meanwhile could come out mixed.
        whole = {"max_concurrency": 1} if self._is_s3 else {}
        try:
            return bytes(self.fs.cat_file(self._key(path), **whole))
        except FileNotFoundError as error:
            self._not_there("read", path, error)
            return None
        except Exception as error:
            raise self._failed("read", path, error) from error

    def write(self, path: str, data: bytes) -> None:
        try:
            self.fs.pipe_file(self._key(path), data)
        except Exception as error:
            raise self._failed("write", path, error) from error

    def create(self, path: str, data: bytes) -> bool:
        self._must_be_exclusive()
        return self._create(path, data)

    def put(self, path: str, local: Path) -> None:
        try:
            self.fs.put_file(str(local), self._key(path))
        except Exception as error:
            raise self._failed("write", path, error) from error

    def remove(self, path: str) -> None:
        try:
            self.fs.rm_file(self._key(path))
        except FileNotFoundError as error:
            self._not_there("remove", path, error)
        except Exception as error:
            raise self._failed("remove", path, error) from error

    def exists(self, path: str) -> bool:
        # Not fs.exists: some file systems answer False when they could not ask.
        try:
            self.fs.info(self._key(path))
        except FileNotFoundError as error:
            self._not_there("look for", path, error)
            return False
        except Exception as error:
            raise self._failed("look for", path, error) from error
        return True

    def names(self, path: str = "") -> list[str]:
        inside = f"{self._key(path)}/"
        try:
            found = [str(name).rstrip("/") for name in self.fs.ls(inside.rstrip("/"), detail=False)]
        except FileNotFoundError as error:
            self._not_there("list", path, error)
            return []
        except Exception as error:
            raise self._failed("list", path, error) from error
        names = {name.removeprefix(inside) for name in found if name.startswith(inside)}
        return sorted(name for name in names if name and not name.startswith(PROBE))

    def below(self, path: str) -> ObjectFolder:
        return ObjectFolder(f"{self.url}/{path}", self.fs, self._key(path), self.conn_id)

    # -- exclusive creation ----------------------------------------------------------------------------------------------------------

    def _create(self, path: str, data: bytes) -> bool:
        writer = uuid.uuid4().hex
        marked = {"Metadata": {"writer": writer}} if self._is_s3 else {}
        for left in reversed(range(CONFLICT_TRIES)):
            try:
                self.fs.pipe_file(self._key(path), data, mode="create", **marked)
                return True
            except (TypeError, NotImplementedError) as error:
                raise self._cannot_create() from error
            except Exception as error:
                said = set(_codes(error))
                if isinstance(error, FileExistsError) or said & {"PreconditionFailed", "412"}:
                    return self._is_s3 and self._wrote(path, writer)
                if "NotImplemented" in said:
                    raise self._cannot_create() from error
                if "ConditionalRequestConflict" not in said or not left:
                    raise self._failed("create", path, error) from error
                time.sleep(0.05 * 2 ** (CONFLICT_TRIES - left))
        raise AssertionError("unreachable")

    def _wrote(self, path: str, writer: str) -> bool:
        """Whether the object that is there is this very call's: its answer was lost, and the client sent it again."""
        try:
            return bool(self.fs.metadata(self._key(path)).get("writer") == writer)
        except FileNotFoundError:
            return False
        except Exception as error:
            raise self._failed("create", path, error) from error

    def _must_be_exclusive(self) -> None:
        """Once a process and bucket: of two creations the store must refuse the second. Raises SettingError."""
        bucket = (self.conn_id or "", f"{self.url.partition('://')[0]}://{self.key.partition('/')[0]}")
        with _trying:
            if bucket in _exclusive:
                return
            probe = f"{PROBE}{uuid.uuid4().hex}"
            first = self._create(probe, b"first")
            try:
                if not first or self._create(probe, b"second"):
                    raise self._cannot_create()
            finally:
                self.remove(probe)
            _exclusive.add(bucket)

    def _cannot_create(self) -> SettingError:
        return SettingError(
            f"Storage {self.url!r} cannot create a file exclusively, which keeps a chunk from being posted twice. Nothing was sent. "
            "Use file:// or an S3-compatible bucket that honours If-None-Match."
        )

    # -- errors ----------------------------------------------------------------------------------------------------------------------

    def _key(self, path: str) -> str:
        return f"{self.key}/{path}".rstrip("/")

    def _not_there(self, doing: str, path: str, error: Exception) -> None:
        """A missing file is an answer; a missing bucket is not."""
        if "NoSuchBucket" in _codes(error):
            raise StorageError(
                f"Could not {doing} {self.url}/{path}: the bucket does not exist. Create it, or correct the Variable cj_storage, then retry."
            ) from error

    def _failed(self, doing: str, path: str, error: Exception) -> StorageError:
        self._not_there(doing, path, error)
        return storage_failed(doing, f"{self.url}/{path}", error)


def _codes(error: BaseException | None) -> Iterator[str]:
    """The error codes the store gave, along the chain of exceptions."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            yield str(response.get("Error", {}).get("Code", ""))
        error = error.__cause__ or error.__context__
