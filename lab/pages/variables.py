"""The README's table of Variables, from what `Settings` tells of itself; the rest of the README is written by hand."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from include.airflow.environment import ROOT
from include.restatements.settings import TOLD, Settings, variable_of

BEGIN = "<!-- Variables: written by `make docs` from include/restatements/settings.py and include/domain/kinds.py. Edit those. -->"
END = "<!-- Variables: end -->"

_HEAD = "| Variable | default | may be | meaning |\n|---|---|---|---|\n"


def table() -> str:
    """Every Variable with its default, what it may be, and its meaning."""
    defaults = {one.name: one.default for one in fields(Settings)}
    rows = (
        f"| `{variable_of(name)}` | {told.unset or shown(defaults[name])} | {told.kind.may_be} | {told.meaning} |\n"
        for name, told in TOLD.items()
    )
    return _HEAD + "".join(rows)


def shown(default: Any) -> str:
    """A default as somebody would type it."""
    if isinstance(default, bool):
        return str(default).lower()
    return "`[]`" if default == frozenset() else str(default)


def readme() -> str:
    """The README with the table between its marks."""
    before, begin, rest = (ROOT / "README.md").read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"README.md has no place for the table of Variables. Put these two lines where it belongs:\n{BEGIN}\n{END}")
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"
