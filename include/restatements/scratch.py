"""Local folders for the length of a reading or a plan: a sentence where this machine has none, or no room in them."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from include.domain.errors import StorageError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """A folder under TMPDIR for as long as the body runs. Raises StorageError where there is none to be had, or no room in it."""
    with room_told(), tempfile.TemporaryDirectory(prefix=prefix) as made:
        yield Path(made)


@contextmanager
def room_told() -> Iterator[None]:
    """Around whatever works in a temporary folder, where other storage has sentences of its own: StorageError for what the operating system says."""
    try:
        yield
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        raise StorageError(
            f"No temporary folder can be used on this machine ({error.strerror or error}). Nothing was sent. "
            "Let TMPDIR of the worker name a folder it may write to, then clear the task."
        ) from error
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise StorageError(
            f"The temporary folder {tempfile.gettempdir()} of this machine is full ({error.strerror or error}). Nothing was sent. "
            "Make room there, or let TMPDIR of the worker name another folder, then clear the task."
        ) from error
