"""The SQL texts: the user's `order_changes`, the schema's steps, and the heavy joins, one dialect-neutral text each.

Ours are Jinja templates: what several of them must agree on is a macro in `fragments.sql` (of the pages and of partners alone: in `page_fragments.sql`
and `partner_fragments.sql`), and rules told as data become a CASE. The user's query is read as it stands.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from include.domain.errors import SettingError
from include.domain.locking import NO_LOCK_FROM
from include.domain.states import NO_ORDERS

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent


@cache
def sql_text(name: str) -> str:
    """The text of `include/sql/<name>.sql` as it stands. Raises SettingError where there is no such file."""
    path = FOLDER / f"{name}.sql"
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        raise SettingError(f"include/sql/{name}.sql cannot be read. Put the file back, or correct the name that asks for it.") from None


def filled(name: str, **values: object) -> str:
    """The statement of `include/sql/<name>.sql` with its fragments and `values` filled in. Values of rows never come this way: those are bound.

    Raises SettingError where there is no such file.
    """
    from jinja2 import TemplateNotFound

    try:
        return _environment().get_template(f"{name}.sql").render(**values)
    except TemplateNotFound:
        return sql_text(name)  # says so


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
    made.globals |= {"no_orders": sorted(NO_ORDERS), "no_lock_from": NO_LOCK_FROM.isoformat(" ")}
    return made
