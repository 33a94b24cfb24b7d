"""The SQL texts are written once: each of them translates to warehouses the package does not run on yet, with nothing lost on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from include.restatements.reconcile import verdicts_sql
from include.sql import FOLDER, sql_text

TEXTS = sorted([*FOLDER.glob("*.sql"), *FOLDER.glob("schema/*.sql")])
DIALECTS = ["snowflake", "bigquery", "redshift"]


def filled(path: Path) -> str:
    """The text as a warehouse is given it, the fold over an order's records and CJ's spellings written out."""
    if path.stem == "reconciliation":
        return verdicts_sql()
    text = path.read_text(encoding="utf-8").replace("{order_state}", sql_text("order_state"))
    return text.replace("{records}", "cj.commissions").replace("(:runs)", "(:run)")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_no_placeholder_is_left(path: Path) -> None:
    assert "{" not in filled(path)


def parameters(statement: Any) -> list[str]:
    """The names of the parameters; BigQuery writes them `@name`."""
    return sorted(found.name for found in statement.find_all(exp.Placeholder, exp.Parameter))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_text_translates_and_keeps_every_statement_and_parameter(path: Path, dialect: str) -> None:
    text = filled(path)
    originals = [s for s in sqlglot.parse(text, read="postgres") if s is not None]
    translated = sqlglot.transpile(text, read="postgres", write=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)
    again = [sqlglot.parse_one(statement, read=dialect) for statement in translated if statement]
    assert len(again) == len(originals) > 0
    for before, after in zip(originals, again, strict=True):
        assert type(before) is type(after)
        assert parameters(before) == parameters(after)
