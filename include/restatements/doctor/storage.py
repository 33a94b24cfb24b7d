"""The storage of the journal: whether it takes files, and whether of several that create one name exactly one succeeds.

On that the package rests its promise to post no chunk twice, so it is tried by several threads at once and not taken on trust.
"""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from include.domain.errors import StorageError
from include.restatements.doctor.checks import Found, Notes, mend, right
from include.storage.bucket import PROBE
from include.storage.folder import Folder
from include.storage.local import LocalFolder
from include.storage.opening import folder

WRITERS = 6


def storage(notes: Notes, whose: str) -> Found:
    """Exclusive creation is exclusive. The file it tries with is removed."""
    settings = notes.settings
    files = folder(settings.storage, settings.storage_conn_id)
    # A mistyped path is made like any other.
    new = files.root if isinstance(files, LocalFolder) and not files.root.exists() else None
    name = f"{PROBE}doctor-{uuid.uuid4().hex}"
    try:
        winners = _raced(files, name)
        kept = files.read(name)
    finally:
        # Where it could not be made there is nothing to remove, and why it could not says more.
        with suppress(StorageError):
            files.remove(name)
    if len(winners) != 1 or kept != winners[0]:
        return mend(
            f"{len(winners)} of {WRITERS} writers that created one file on {settings.storage} at once were told that they had made it. "
            "A chunk could be posted twice.",
            "Put file:// on a local disk or NFS, or an S3-compatible bucket that honours If-None-Match, into the Variable cj_storage.",
        )
    here = " It is a folder of this machine: with workers on several machines it must be one that all of them share." * (
        settings.storage.startswith("file:")
    )
    if new:
        here = f" The folder {new} is new: made just now.{here}"
    return right(f"{settings.storage} takes files, and of {WRITERS} that created one at once exactly one did.{here}")


def _raced(files: Folder, name: str) -> list[bytes]:
    """What those wrote who were told that the file is theirs."""
    contents = [f"writer {n}".encode() for n in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as writers:
        made = list(writers.map(lambda content: files.create(name, content), contents))
    return [content for content, mine in zip(contents, made, strict=True) if mine]
