"""Postbacks on disk, each on a line of its own and flushed before it is answered; one that comes again is not stored again.

A day's lines are one file, `received-2026-03-01.jsonl`, each `{"digest", "received_at", "values", "dropped"}`: the parameters that the mapping names, and the
names of those that were left out. One process writes a folder: a second one is refused. A line that was cut off by the process's end was never answered;
the next start takes it away.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any

from include.domain.errors import SettingError, StorageError

PREFIX = "received-"


class Journal:
    """The folder of one partner's postbacks. Raises SettingError where another process has it, StorageError where it cannot be written."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._writing = Lock()
        self._seen: set[bytes] = set()
        try:
            place.mkdir(parents=True, exist_ok=True)
            self._held = (place / ".receiver").open("w")
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingError(f"Another receiver writes {place}. Stop it, or give this one a folder of its own.") from None
        except OSError as error:
            raise _failed(place, error) from None
        for file in sorted(place.glob(f"{PREFIX}*.jsonl")):
            self._read(file)

    def store(self, values: Mapping[str, str], dropped: list[str]) -> bool:
        """Flushed to the disk when it returns. False where these very values were stored before. Raises StorageError; then nothing is stored."""
        digest = blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=16)
        with self._writing:
            if digest.digest() in self._seen:
                return False
            now = datetime.now(UTC)
            line = {
                "digest": digest.hexdigest(),
                "received_at": now.isoformat(timespec="milliseconds"),
                "values": values,
                "dropped": dropped,
            }
            self._append(self._place / f"{PREFIX}{now:%Y-%m-%d}.jsonl", json.dumps(line, sort_keys=True).encode() + b"\n")
            self._seen.add(digest.digest())
            return True

    def close(self) -> None:
        """Another receiver may have the folder."""
        self._held.close()

    def _append(self, file: Path, line: bytes) -> None:
        try:
            new = not file.exists()
            with file.open("ab") as lines:
                whole = lines.tell()
                try:
                    lines.write(line)
                    lines.flush()
                    os.fsync(lines.fileno())
                except OSError:
                    lines.truncate(whole)
                    raise
            if new:
                _flush_folder(self._place)
        except OSError as error:
            raise _failed(file, error) from None

    def _read(self, file: Path) -> None:
        """The digests of a file's lines; half a line at its end is taken away."""
        try:
            data = file.read_bytes()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                with file.open("r+b") as lines:
                    lines.truncate(whole)
                    os.fsync(lines.fileno())
        except OSError as error:
            raise _failed(file, error) from None
        for line in data[:whole].splitlines():
            self._seen.add(bytes.fromhex(_digest(line, file)))


def _digest(line: bytes, file: Path) -> str:
    try:
        said: Any = json.loads(line)
        return str(said["digest"])
    except (ValueError, KeyError, TypeError):
        raise StorageError(f"{file} holds a line that this receiver did not write. Move the file away, and start it again.") from None


def _flush_folder(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(path: Path, error: OSError) -> StorageError:
    return StorageError(f"{path} cannot be written ({error.strerror}). Check its space and rights.")
