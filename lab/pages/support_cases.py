"""docs/support-cases.md: its tables from what is a case and what is none, and from CJ's desks; the rest of the page is written by hand."""

from __future__ import annotations

from include.airflow.environment import ROOT
from include.restatements.cases.desk import DESKS
from include.restatements.cases.kinds import NOT_A_CASE, RULES

_PATH = "docs/support-cases.md"
_BY = "written by `make docs` from include/restatements/cases/"
_PARTS = {"What is a case": "kinds.py", "Desks": "desk.py"}


def page() -> str:
    """The whole page, its tables between their marks. Raises SystemExit where a mark is gone."""
    text = (ROOT / _PATH).read_text(encoding="utf-8")
    for name, table in (("What is a case", _kinds()), ("Desks", _desks())):
        begin, end = f"<!-- {name}: {_BY}{_PARTS[name]}. Edit that. -->", f"<!-- {name}: end -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise SystemExit(f"{_PATH} has no place for a table. Put these two lines where it belongs:\n{begin}\n{end}")
        text = f"{before}{begin}\n\n{table}\n{end}{after}"
    return text


def _kinds() -> str:
    asked = "".join(f"| `{rule.status.value}`, `{reason.value}` | `{rule.kind.value}` |\n" for rule in RULES for reason in rule.reasons)
    left = "".join(f"| `{reason.value}` | none: {why} |\n" for reason, why in NOT_A_CASE.items())
    return f"| verdict and reason | case |\n|---|---|\n{asked}{left}"


def _desks() -> str:
    rows = "".join(
        f"| `{region}` | {desk.line} | {f'{desk.hours[0]:%H:%M} to {desk.hours[1]:%H:%M} {desk.clock}, Monday to Friday' if desk.hours else 'not published'} | {desk.source} |\n"
        for region, desk in DESKS.items()
    )
    return f"| `cj_case_region` | line | hours | from |\n|---|---|---|---|\n{rows}"
