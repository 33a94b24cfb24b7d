"""The files that are shipped with the pages, each under a name that changes with its content, so that a browser keeps it until it does."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from pathlib import Path

FOLDER = Path(__file__).parent / "static"

TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
"""What is served; everything else in the folder is for whoever reads it."""


@cache
def names() -> frozenset[str]:
    """The files that are served."""
    return frozenset(path.name for path in FOLDER.iterdir() if path.suffix in TYPES)


@cache
def version(name: str) -> str:
    """A few letters of the file's content."""
    return blake2b((FOLDER / name).read_bytes(), digest_size=6).hexdigest()


def kind(name: str) -> str:
    """Its content type."""
    return TYPES[Path(name).suffix]
