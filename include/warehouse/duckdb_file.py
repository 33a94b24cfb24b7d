"""What a file is that is none of DuckDB's, told by how it begins.

DuckDB 2 opens a Parquet, CSV or JSON file as a database in memory with a view of it: everything can be read, and what is written is gone at the end.

Look into a file only where DuckDB does not hold it as a database: to close it here would give up the lock that this process has on it.
"""

from __future__ import annotations

from pathlib import Path

_MAGIC, _MAGIC_AT = b"DUCK", 8
_LOOKED_AT = 4096
_KINDS = {
    b"PAR1": "Parquet", b"SQLite format 3": "SQLite", b"ARROW1": "Arrow", b"Obj\x01": "Avro", b"ORC": "ORC", b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "Zstandard", b"PK\x03\x04": "a zip",
}  # fmt: skip


def other_kind(path: Path) -> str | None:
    """`it begins like Parquet`, `it is text`, `it is empty`; None where it is DuckDB's, or is no file that can be read."""
    try:
        with path.open("rb") as file:
            head = file.read(_LOOKED_AT)
    except OSError:
        return None
    if not head:
        return "it is empty"
    if head[_MAGIC_AT:].startswith(_MAGIC):
        return None
    for begin, kind in _KINDS.items():
        if head.startswith(begin):
            return f"it begins like {kind}"
    return "it is text" if _is_text(head) else "it begins like nothing known here"


def _is_text(head: bytes) -> bool:
    # A character may be cut in two at the end: at most three of its bytes are there.
    for cut in range(4):
        try:
            return "\0" not in head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
    return False
