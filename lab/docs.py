"""The pages that are generated, each from the one place where its matter is told.

python -m lab.docs             write them
python -m lab.docs --check     fail, and name each that is out of date
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from include.airflow.environment import ROOT
from lab.pages import dags, data_docs, money_gate, notices, partner_rules, plan_rules, prelock, support_cases, validation_rules, variables

PAGES: dict[str, Callable[[], str]] = {
    "README.md": variables.readme,
    "docs/dags.md": dags.page,
    "docs/partner-rules.md": partner_rules.page,
    "docs/money-gate.md": money_gate.page,
    "docs/notices.md": notices.page,
    "docs/plan-rules.md": plan_rules.page,
    "docs/prelock.md": prelock.page,
    "docs/support-cases.md": support_cases.page,
    "docs/validation-rules.md": validation_rules.page,
    "include/restatements/gate/expectations/rules.html": data_docs.page,
}
"""Path from the repository's root → what gives its whole text."""


def outdated(root: Path = ROOT) -> list[str]:
    """The pages that do not say what they would be written with now."""
    return [path for path, text in PAGES.items() if not (root / path).exists() or (root / path).read_text(encoding="utf-8") != text()]


def main(arguments: list[str], root: Path = ROOT) -> int:
    if "--check" in arguments:
        late = outdated(root)
        sys.stderr.write("".join(f"{path} is not what it is generated from. Run: make docs\n" for path in late))
        return 1 if late else 0
    for path, text in PAGES.items():
        (root / path).write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
