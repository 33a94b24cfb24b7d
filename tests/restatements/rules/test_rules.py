"""The rules as data: nothing of one can be forgotten, and each asks only for facts that there are."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from include.domain.states import Operation, Reason, Skip, Status
from include.restatements.rules import plan, verdicts
from include.sql import filled
from include.warehouse.base import WarehouseLocation, open_warehouse

Told = plan.Rule | verdicts.VerdictRule

LISTS: dict[str, Sequence[Told]] = {
    "plan": plan.RULES,
    "differences": verdicts.DIFFERENCES,
    "missing": verdicts.MISSING,
    "statuses": verdicts.STATUSES,
}


def asked(condition: str) -> set[str]:
    """The facts a condition names."""
    return set(re.findall(r"\b[a-z_]+\b", condition))


@pytest.mark.parametrize("rule", [*plan.RULES, *plan.OTHER_RULES], ids=lambda rule: rule.id)
def test_a_rule_of_the_plan_says_all_that_is_asked_of_it(rule: plan.Rule) -> None:
    assert [rule.operation, rule.skip, rule.hold].count(None) == 2
    assert rule.sentence.endswith(".") and rule.source
    assert rule.advice.endswith(".") if rule.hold else not rule.advice
    assert not rule.reason_of_last_verdict or rule.hold


@pytest.mark.parametrize("name", LISTS)
def test_a_rule_asks_for_facts_alone_and_no_fact_is_idle(name: str) -> None:
    facts = set(plan.FACTS) if name == "plan" else {*verdicts.FACTS, *verdicts.DERIVED}
    for rule in LISTS[name]:
        assert asked(rule.condition) <= facts, rule.id


def test_no_fact_is_idle() -> None:
    assert set(plan.FACTS) == {fact for rule in plan.RULES for fact in asked(rule.condition)}
    used = {fact for name in ("differences", "missing", "statuses") for rule in LISTS[name] for fact in asked(rule.condition)}
    assert {*verdicts.FACTS, *verdicts.DERIVED} == used


@pytest.mark.parametrize("name", LISTS)
def test_ids_are_told_once(name: str) -> None:
    ids = [rule.id for rule in LISTS[name]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", ["plan", "missing", "statuses"])
def test_some_rule_holds_for_everything(name: str) -> None:
    conditions = [rule.condition for rule in LISTS[name]]
    assert conditions[-1] == "TRUE"
    assert "TRUE" not in conditions[:-1]


def test_every_word_has_a_rule() -> None:
    assert {rule.operation for rule in plan.RULES} - {None} == set(Operation)
    assert {rule.skip for rule in (*plan.RULES, *plan.OTHER_RULES)} - {None} == set(Skip)
    assert {rule.word for rule in verdicts.STATUSES} == set(Status)
    said = {rule.word for name in ("differences", "missing") for rule in LISTS[name]} | {rule.hold for rule in plan.RULES if rule.hold}
    assert said == set(Reason) == set(verdicts.REASONS)


def test_an_operation_has_one_rule_and_its_name() -> None:
    """include/sql/plan.sql gives a status by the rule's id."""
    assert {rule.id: rule.operation for rule in plan.RULES if rule.operation} == {o.value: o for o in Operation}


def test_the_facts_are_the_columns_that_are_worked_out(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        of_the_plan = session.columns_of(filled("plan_facts"))
        of_the_verdicts = session.columns_of(verdicts.facts_sql())
    assert {name for name, kind in of_the_plan.items() if kind == "boolean"} == set(plan.FACTS)
    assert {name for name, kind in of_the_verdicts.items() if kind == "boolean"} == set(verdicts.FACTS)
