"""The doctor's findings for a person, as a table, and for machines, as JSON."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from include.restatements.doctor.checks import Finding, State, to_mend

JSON_VERSION = 1
WIDTH = 140
_SIGNS = {State.RIGHT: ("ok", "green"), State.LOOK: ("look", "yellow"), State.MEND: ("MEND", "bold red"), State.NOT_ASKED: ("-", "dim")}


def examined_and_shown(arguments: list[str]) -> int:
    """Asks everything and prints it; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m include.commands.doctor", description="Find out what a night would meet. Sends nothing live."
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    given = parser.parse_args(arguments)
    # Before Airflow is imported: it takes its level and its screen then, and the screen is for the table, or for JSON alone.
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    for chatty in ("great_expectations", "include"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    with contextlib.redirect_stdout(sys.stderr):
        from include.airflow.doctor import examination
        from include.airflow.pools import slots, variables

        findings = list(examination(slots=slots, variables=variables))
    if given.json:
        print(json.dumps(as_json(findings), indent=2, ensure_ascii=False))
    else:
        show(findings, Console(width=WIDTH) if not Console().is_terminal else Console())
    return 1 if to_mend(findings) else 0


def as_json(findings: Iterable[Finding]) -> dict[str, object]:
    """`right`: nothing is to be mended. `checks` in the order they were asked; `state` is right, look, mend or not_asked."""
    found = list(findings)
    return {
        "version": JSON_VERSION,
        "asked_at": datetime.now(UTC).isoformat(),
        "right": not to_mend(found),
        "checks": [
            {
                "id": one.id,
                "connection": one.whose or None,
                "asks": one.asks,
                "state": one.found.state.value,
                "sentence": one.found.sentence,
                "remedy": one.found.remedy or None,
                "because": one.because or None,
                "examples": [dict(example) for example in one.found.examples],
            }
            for one in found
        ],
    }


def show(findings: Iterable[Finding], console: Console) -> None:
    """The table, the examples below it, and how many are to be mended."""
    found = list(findings)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in ("", "what", "found"):
        table.add_column(heading, no_wrap=not heading, overflow="fold", ratio=None if not heading else (2 if heading == "what" else 5))
    for one in found:
        sign, style = _SIGNS[one.found.state]
        said = Text(plain(one.found.sentence))
        if one.found.remedy:
            said.append(f"\n→ {plain(one.found.remedy)}", style="bold")
        table.add_row(Text(sign, style=style), Text(f"{one.name}: {one.asks}"), said)
    console.print(table)
    for one in found:
        if one.found.examples:
            console.print(_examples(one))
    bad = to_mend(found)
    console.print(Text(f"{len(bad)} to mend: {', '.join(one.name for one in bad)}." if bad else "Nothing to mend.", style="bold"))
    console.print("Nothing was sent live, and no table and no file was left behind.")


def _examples(one: Finding) -> Table:
    table = Table(
        title=Text(f"\n{one.name}: the dearest {len(one.found.examples)}"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    for heading in one.found.examples[0]:
        table.add_column(heading, overflow="fold", justify="right" if heading == "amount" else "left")
    for example in one.found.examples:
        table.add_row(*(Text(plain(value)) for value in example.values()))
    return table


def plain(text: str) -> str:
    """Control characters, which a name in the warehouse may hold, become `?`."""
    return "".join(c if c.isprintable() else "?" for c in text)
