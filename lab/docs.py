"""docs/dags.md from the DAGs' docstrings: the runbook is written once, where the DAG is.

python -m lab.docs             write it
python -m lab.docs --check     fail when it is out of date
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from include.airflow.environment import ROOT
from include.airflow.tags import MEANINGS

PAGE = ROOT / "docs" / "dags.md"

_HEAD = """<!-- Written by `make docs` from the docstrings in dags/ and the tags in include/airflow/tags.py. Edit those. -->
# DAGs

What runs when, and what to do when it fails.
"""


def runbook(dag_file: Path) -> str:
    """The docstring of a DAG file, without importing it."""
    return ast.get_docstring(ast.parse(dag_file.read_text(encoding="utf-8"))) or ""


def page(dags: Path = ROOT / "dags") -> str:
    """The whole page as Markdown."""
    sections = [f"## `{file.stem}`\n\n{runbook(file)}\n" for file in sorted(dags.glob("*.py"))]
    tags = "\n".join(f"| `{tag}` | {meaning} |" for tag, meaning in MEANINGS.items())
    return "\n".join([_HEAD, *sections, f"## Tags\n\n| tag | meaning, and what to do |\n|---|---|\n{tags}\n"])


def main(arguments: list[str]) -> int:
    if "--check" not in arguments:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    sys.stderr.write("docs/dags.md is not what the DAGs' docstrings say. Run: make docs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
