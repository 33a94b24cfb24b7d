"""The SQL texts: the user's `order_changes`, the tables, and the heavy joins, one dialect-neutral text each."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from include.domain.errors import SettingError

FOLDER = Path(__file__).parent


@cache
def sql_text(name: str) -> str:
    """The text of `include/sql/<name>.sql`. Raises SettingError where there is no such file."""
    path = FOLDER / f"{name}.sql"
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        raise SettingError(f"include/sql/{name}.sql cannot be read. Put the file back, or correct the name that asks for it.") from None
