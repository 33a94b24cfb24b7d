"""A report's figures as they are kept in `cj.reconciliation_runs.figures`, so that whoever opens with them (the pages) need not count anew.

Its breaks are left out: the table has them, each with its newest verdict.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from include.restatements.report.figures import Figures

if TYPE_CHECKING:
    from pydantic import TypeAdapter


def kept(figures: Figures) -> str:
    """The figures as JSON on one line, as `summary.json` has them, without its list of breaks."""
    # Whoever only reads figures pays for no rendering.
    from include.restatements.report.report import summary

    return json.dumps(json.loads(summary(replace(figures, breaks=()))), ensure_ascii=False, separators=(",", ":"))


def figures_of(text: str | None) -> Figures | None:
    """What `kept` kept; None where nothing is, or what a package of another version wrote."""
    from pydantic import ValidationError

    if text is None:
        return None
    try:
        return _reader().validate_json(text)
    except ValidationError:
        return None


@cache
def _reader() -> TypeAdapter[Figures]:
    from pydantic import TypeAdapter

    return TypeAdapter(Figures)
