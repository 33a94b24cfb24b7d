"""The SQL texts are written once: each of them translates to warehouses the package does not run on yet, with nothing lost on the way."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from include.partners.rules import order_verdicts_sql
from include.restatements.cases.kinds import RULES
from include.restatements.prelock.sweep import found_sql
from include.restatements.rules.plan import plan_sql, replan_sql
from include.restatements.rules.verdicts import verdicts_sql
from include.sql import FOLDER, filled
from include.warehouse import sqltext

TEXTS = sorted(path for path in FOLDER.rglob("*.sql") if not path.stem.endswith("fragments"))
DIALECTS = ["snowflake", "bigquery", "redshift"]

EVERY_FILTER = frozenset(
    {
        "since", "account", "status", "reason", "run", "sent_from", "sent_before", "locks_before", "locks_after", "order", "acknowledged", "open_only",
        "partner", "after", "rows", "rule", "stage", "enterprise", "verdict", "money", "joined", "totals",
        "near", "finding", "extension", "extensions", "broken", "state", "case",
    }
)  # fmt: skip
"""Of the pages, all at once."""

FILLED: dict[str, Callable[[], str]] = {
    "plan": plan_sql,
    "replan_keys": replan_sql,
    "plan_facts": lambda: filled("plan_facts"),
    "verdicts": verdicts_sql,
    "verdict_facts": verdicts_sql,
    "cases_breaks": lambda: filled("cases_breaks", rules=RULES),
    "partner_verdicts": order_verdicts_sql,
    **{
        name: functools.partial(filled, name, asked=EVERY_FILTER, at_rest=["agree"])
        for name in ("partner_differences", "partner_differences_totals", "partner_to_send")
    },
    "partner_rows_of": lambda: filled("partner_rows_of", column="order_id", asked=EVERY_FILTER),
    "gate_held": lambda: filled("gate_held", whole=False),
    "prelock_found": found_sql,
    "prelock_news": lambda: filled("prelock_news", planned=["to_send"]),
    "order_state": lambda: filled("order_state", records="cj.commissions"),
    "commission_items": lambda: filled("commission_items", items="(SELECT commission_id, element FROM elements)"),
    "page_breaks": lambda: filled("page_breaks", asked=EVERY_FILTER, sort="risk"),
    **{
        name: functools.partial(filled, name, asked=EVERY_FILTER)
        for name in ("page_prelock", "page_breaks_totals", "page_held", "page_runs", "page_cases", "page_case_orders")
    },
}
"""Those that need values."""


def whole(path: Path) -> str:
    """The text as a warehouse is given it, with its fragments and the rules."""
    name = str(path.relative_to(FOLDER).with_suffix(""))
    return FILLED.get(name, lambda: filled(name))().replace("(:runs)", "(:run)")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_no_placeholder_is_left(path: Path) -> None:
    assert "{" not in whole(path)


def test_a_join_that_is_said_to_find_few_is_one_that_duckdb_looks_up() -> None:
    looked_up = {path.stem for path in TEXTS if sqltext.found_by_row(whole(path)) != whole(path)}
    assert looked_up == {"plan", "plan_facts", "verdicts", "verdict_facts", "cases_held", "prelock_found"}


def parameters(statement: Any) -> list[str]:
    """The names of the parameters; BigQuery writes them `@name`."""
    return sorted(found.name for found in statement.find_all(exp.Placeholder, exp.Parameter))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_text_translates_and_keeps_every_statement_and_parameter(path: Path, dialect: str) -> None:
    text = whole(path)
    originals = [s for s in sqlglot.parse(text, read="postgres") if s is not None]
    translated = sqlglot.transpile(text, read="postgres", write=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)
    again = [sqlglot.parse_one(statement, read=dialect) for statement in translated if statement]
    assert len(again) == len(originals) > 0
    for before, after in zip(originals, again, strict=True):
        assert type(before) is type(after)
        assert parameters(before) == parameters(after)
