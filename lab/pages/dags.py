"""docs/dags.md from the DAGs' docstrings: the runbook is written once, where the DAG is."""

from __future__ import annotations

import ast
from pathlib import Path

from include.airflow.environment import ROOT
from include.airflow.tags import MEANINGS

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
