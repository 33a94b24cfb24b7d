"""Cases for CJ's support: what is ready to file, and how far each has come. A person files them; nothing here talks to CJ.

eval "$(make -s env)"                                                the connections and Variables of the DAGs
.venv/bin/python -m include.commands.cases list                      every case, and what is due when
.venv/bin/python -m include.commands.cases pack CASE --to DIR        what goes into CJ's form, and the attachments, as files
.venv/bin/python -m include.commands.cases open CASE@VERSION 01234567 it was filed, and CJ gave it this number
.venv/bin/python -m include.commands.cases answered 01234567         CJ answered; `--note` keeps what
.venv/bin/python -m include.commands.cases replied 01234567          you replied; also for one that had closed: you reopened it
.venv/bin/python -m include.commands.cases closed 01234567           it is over
.venv/bin/python -m include.commands.cases request extension         makes a case ready that asks for a subscription; or correction

CASE is the id in the list; `list` and `pack` print it with its version to copy. Once it is filed CJ's number serves as well. `--at 2026-03-02T15:00:00+00:00` says when, where it was not now.
"""

from __future__ import annotations

import argparse
import getpass
import json
import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from include.airflow.connections import settings_from_airflow
from include.airflow.warehouse import leaving_it_for_pages, warehouse_location
from include.commands.backfill import instant
from include.domain.errors import RestatementsError, SettingError, StorageError
from include.domain.money import money_text
from include.domain.states import CaseAct, CaseState
from include.restatements.cases import keeping
from include.restatements.cases.acting import Acted, Said, act, request
from include.restatements.cases.desk import line_of
from include.restatements.cases.kinds import SUBSCRIPTIONS
from include.restatements.cases.pack import path_of
from include.restatements.journal.journal import journal_of
from include.warehouse.base import open_warehouse

VERBS = {"open": CaseAct.FILED, "answered": CaseAct.ANSWERED, "replied": CaseAct.REPLIED, "closed": CaseAct.CLOSED}
CHOOSE = "(choose the one that fits: CJ publishes no list)"


def show(_: argparse.Namespace) -> None:
    """The table of all cases."""
    settings = settings_from_airflow()
    with open_warehouse(warehouse_location()) as session:
        session.create_tables()
        rows = keeping.cases(session)
    if not rows:
        print("There is no case: nothing that CJ's support would have to explain.")
        return
    table = Table(title="Cases for CJ's support")
    for name in ("case", "number", "state", "orders", "at risk", "answer due", "at the latest", "closes by itself"):
        table.add_column(name, overflow="fold")
    for row in rows:
        waits, answered = row["state"] == CaseState.FILED.value, row["state"] == CaseState.ANSWERED.value
        table.add_row(
            str(row["case_id"]), str(row["case_number"] or ""), str(row["state"]), str(row["orders"]), _at_risk(row), _moment(row["due_early"] if waits else None),
            _moment(row["due_late"] if waits else None), _moment(row["closes_at"] if answered else None),
        )  # fmt: skip
    Console(width=150).print(table)
    for row in rows:
        if row["state"] == CaseState.READY.value:
            print(_open_it(row))
    print(f"File one in CJ Account Manager: the help icon (?), Contact Support. CJ's line: {line_of(settings)}.")


def pack(given: argparse.Namespace) -> None:
    """A case as files: `case.txt` with the fields of CJ's form, and what is to be attached."""
    settings = settings_from_airflow()
    with open_warehouse(warehouse_location()) as session:
        session.create_tables()
        row = keeping.named(session, given.case)
    if row is None:
        raise SettingError(f"There is no case {given.case!r}. `list` shows those there are.")
    files, names = journal_of(settings).files, [one["name"] for one in json.loads(str(row["attachments"]))]
    given.to.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = path_of(str(row["case_id"]), str(row["digest"]), name)
        data = files.read(path)
        if data is None:
            raise StorageError(f"{files.url}/{path} is gone. Restore it from a backup of the storage.")
        (given.to / name).write_bytes(data)
    (given.to / "case.txt").write_text(form(row), encoding="utf-8")
    print(f"{given.to}: case.txt has what goes into the form; {', '.join(names) or 'nothing'} is to be attached.")
    if row["state"] == CaseState.READY.value:
        print(_open_it(row))


def _open_it(row: dict[str, Any]) -> str:
    return f"Once it is filed: open {row['case_id']}@{row['digest']} <CJ's case number>"


def form(row: dict[str, Any]) -> str:
    """What a person copies into CJ's form, field by field."""
    fields = {
        "Subject line": row["subject"],
        "Case reason": row["case_reason"] or CHOOSE,
        "Sub-reason": row["sub_reason"] or CHOOSE,
        "Email address(es) to CC": row["cc"] or "(nobody)",
        "Attachments": ", ".join(one["name"] for one in json.loads(str(row["attachments"]))) or "(none)",
        "Description": f"\n{row['description']}",
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def say(given: argparse.Namespace) -> None:
    """What a person says of a case."""
    said = Said(given.case, VERBS[given.verb], given.by, getattr(given, "number", ""), given.at, given.note)
    with leaving_it_for_pages() as location:
        print(told(act(settings_from_airflow(), location, said)))


def told(acted: Acted) -> str:
    """How the case stands now, in a sentence."""
    at, name = acted.at, f"Case {acted.at.number or acted.case_id}"
    if at.state is CaseState.FILED:
        late = (
            f"{_moment(at.due_late)} by the other reading"
            if at.due_late
            else "the other reading needs the hours of CJ's desk (cj_case_desk_hours)"
        )
        return f"{name} waits for CJ. Its answer usually comes by {_moment(at.due_usual)}, and is due by {_moment(at.due_early)}; {late}."
    if at.state is CaseState.ANSWERED:
        return f"{name} is answered. It closes by itself at {_moment(at.closes_at)} unless you reply."
    return f"{name} is {at.state.value}."


def ask(given: argparse.Namespace) -> None:
    """Makes the request for a subscription ready."""
    with leaving_it_for_pages() as location:
        case_id = request(settings_from_airflow(), location, given.what, given.account)
    print(f"Case {case_id} is ready: `pack {case_id} --to DIR` writes it.")


def _moment(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if isinstance(moment, datetime) else ""


def _at_risk(row: dict[str, Any]) -> str:
    if row["at_risk"] is None:
        return "unknown" if row["orders"] else ""
    return f"{money_text(row['at_risk'])} {row['currency']}" + (f" and {row['unpriced']} unknown" if row["unpriced"] else "")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m include.commands.cases", description="Cases for CJ's support.")
    verbs = parser.add_subparsers(required=True, dest="verb")
    verbs.add_parser("list", help="every case, and what is due when").set_defaults(does=show)
    packing = verbs.add_parser("pack", help="a case as files: the fields of CJ's form, and the attachments")
    packing.set_defaults(does=pack)
    packing.add_argument("case")
    packing.add_argument("--to", type=Path, required=True, help="the folder to write into")
    for verb in VERBS:
        saying = verbs.add_parser(verb, help="say that a case was filed" if verb == "open" else f"say that a case was {verb}")
        saying.set_defaults(does=say)
        saying.add_argument("case", help="its id, with @ and its version where it was filed; or CJ's number")
        if verb == "open":
            saying.add_argument("number", help="the number that CJ showed after Submit")
        saying.add_argument("--at", type=instant, help="when; now without it")
        saying.add_argument("--note", default="", help="what is worth keeping")
        saying.add_argument("--by", default=getpass.getuser(), help="who says so; your login without it")
    asking = verbs.add_parser("request", help="make a case ready that asks for a subscription")
    asking.set_defaults(does=ask)
    asking.add_argument("what", choices=[kind.value for kind in SUBSCRIPTIONS])
    asking.add_argument("--account", default="", help="its connection; the first one without it")
    given = parser.parse_args(arguments)
    # Airflow's logging prints to the screen, where the table is.
    logging.getLogger("include").setLevel(logging.WARNING)
    try:
        given.does(given)
    except RestatementsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
