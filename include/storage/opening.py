"""Which kind of folder a URL means."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from include.domain.errors import SettingError
from include.storage.folder import Folder
from include.storage.local import LocalFolder


def folder(url: str, conn_id: str | None = None) -> Folder:
    """The folder at `url`. Raises SettingError for a URL that cannot hold a run's files."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return LocalFolder(Path(unquote(parts.path)))
    if not parts.scheme:
        raise SettingError(f"Variable cj_storage is {url!r}: it must be a URL such as file:///var/cj or s3://bucket/cj.")
    if not parts.netloc:
        raise SettingError(f"Variable cj_storage is {url!r}: it names no bucket. Write it as {parts.scheme}://bucket/prefix.")
    from include.storage.bucket import object_folder

    return object_folder(url, conn_id)
