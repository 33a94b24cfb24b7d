"""The reconciliation's report: figures from the tables, rendered for a browser, a console and a program.

    figures = collect(session, checked_at=..., run_ids=...)    # aggregating SQL, frozen result
    page = write(figures, folder)                               # report.html, summary.txt, summary.json

Nothing personal is in it: no sid, no custom parameters; order ids carry no personal data by CJ's rule (Restatements API).
Known limitation: pictures need vl-convert (84 MB), so a report is made in a task, never in the API server.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol, Self, TypeVar

from include.domain.errors import StorageError
from include.domain.money import money_text
from include.restatements.report.collect import collect
from include.restatements.report.figures import Amount, Figures
from include.restatements.report.html import html
from include.restatements.report.terminal import terminal, terminal_text
from include.restatements.report.words import headline

__all__ = ["collect", "files", "html", "summary", "terminal", "terminal_text", "write"]


class Folder(Protocol):
    """What `pathlib.Path` and `airflow.sdk.ObjectStoragePath` have in common and a report needs."""

    def __truediv__(self, name: str, /) -> Self: ...
    def mkdir(self, *, parents: bool = ..., exist_ok: bool = ...) -> None: ...
    def write_bytes(self, data: bytes, /) -> Any: ...


F = TypeVar("F", bound=Folder)


def files(figures: Figures, *, report: str) -> dict[str, bytes]:
    """The report's files by name, complete in memory; report.html is the last, so that where it is, the others are.

    `report` is where report.html will be: the console's text ends with it.
    """
    return {
        "summary.json": summary(figures),
        "summary.txt": terminal_text(figures, report=report).encode(),
        "report.html": html(figures).encode(),
    }


def write(figures: Figures, folder: F) -> F:
    """Writes summary.json, summary.txt and report.html into `folder` and returns the path of report.html.

    Raises StorageError when the folder cannot be written.
    """
    page = folder / "report.html"
    contents = files(figures, report=str(page))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise StorageError(f"The report could not be written to {folder}: {cause}. Check the storage.") from error
    return page


def summary(figures: Figures) -> bytes:
    """The figures as JSON: amounts as exact text, times as ISO 8601 with `Z`, the headline and the balance's difference beside them."""
    facts: dict[str, Any] = {"headline": " ".join(headline(figures)[1:]).strip()}
    facts.update(_jsonable(asdict(figures)))
    facts["balance"]["difference"] = figures.balance.difference
    facts["at_risk"] = _jsonable(figures.at_risk)
    return (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode()


def _jsonable(value: Any) -> Any:
    if isinstance(value, Amount):
        return {"currency": value.currency, "amount": money_text(value.amount)}
    if isinstance(value, Decimal):
        return money_text(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    return value
