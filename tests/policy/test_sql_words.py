"""A word that SQL compares with is one that Python knows: the literals are held against the states they are compared with."""

from __future__ import annotations

from enum import StrEnum

import pytest
import sqlglot
from sqlglot import exp

from include.cj.spelling import CorrectionReason, OrderStatus, PostedReason, ValidationStatus
from include.domain.partners import Grain, JoinedBy, PartnerVerdict
from include.domain.prelock import Extension, Finding
from include.domain.states import (
    ActionStatus,
    ActionType,
    Answer,
    CaseState,
    LockingMethod,
    Mode,
    Operation,
    Outcome,
    Reason,
    Skip,
    Stage,
    Status,
)
from tests.policy.test_sql import TEXTS, whole

WORDS: dict[str, tuple[type[StrEnum], ...]] = {
    "mode": (Mode,),
    "operation": (Operation,),
    "before_operation": (Operation,),
    "last_operation": (Operation,),
    "answer": (Answer,),
    "outcome": (Outcome,),
    "last_outcome": (Outcome,),
    "verdict": (Status, PartnerVerdict),
    "status_now": (Status,),
    "stage": (Stage,),
    "reason": (Reason, Skip),
    "verdict_reason": (Reason,),
    "locking_method": (LockingMethod,),
    "validation_status": (ValidationStatus,),
    "held_validation_status": (ValidationStatus,),
    "action_status": (ActionStatus,),
    "action_type": (ActionType,),
    "correction_reason": (PostedReason, CorrectionReason),
    "word": (Skip, Stage, Reason),
    "status": (Status, OrderStatus, ActionStatus),
    "finding": (Finding,),
    "extension": (Extension,),
    "grain": (Grain,),
    "joined_by": (JoinedBy,),
    "state": (CaseState,),
}
"""Column → the states its words are from."""

FREE = {
    "change_type",
    "decision",
    "sale_amount_basis",
    "coupon",
    "held_coupon",
    "order_id",
    "kind",
    "locking_month",
    "money_rule",
    "stands",
    "verdict_rule",
    "held_correction_reason",
    "difference_rule",
    "missing_rule",
    "rule",
    "status_rule",
    "table_name",
    "table_schema",
    "table_type",
}
"""Columns that are compared with words of the warehouse's, of the user's, or of the rules (tests/restatements/rules)."""


def comparisons(text: str) -> set[tuple[str, str]]:
    """(column, word) of every comparison of a column with a word, in an `=`, a `<>`, an IN or a CASE."""
    found = set()
    for statement in sqlglot.parse(text, read="postgres"):
        for node in statement.walk() if statement else ():
            if isinstance(node, (exp.EQ, exp.NEQ)):
                found |= {(c, w) for c in _columns(node.this) for w in _words(node.expression)}
            elif isinstance(node, exp.In):
                found |= {(c, w) for c in _columns(node.this) for part in node.expressions for w in _words(part)}
            elif isinstance(node, exp.Case) and node.this is not None:
                found |= {(c, w) for c in _columns(node.this) for branch in node.args["ifs"] for w in _words(branch.this)}
    return found


def _columns(node: exp.Expression) -> set[str]:
    if isinstance(node, exp.Column):
        return {node.name}
    return {found.name for found in node.find_all(exp.Column)} if isinstance(node, exp.Coalesce) else set()


def _words(node: exp.Expression) -> set[str]:
    return {node.name} if isinstance(node, exp.Literal) and node.is_string and node.name else set()


@pytest.mark.parametrize("path", [path for path in TEXTS if path.stem != "order_changes"], ids=lambda path: path.stem)
def test_every_word_that_is_compared_with_is_a_state(path: object) -> None:
    for column, word in comparisons(whole(path)):  # type: ignore[arg-type]
        if column not in FREE:
            assert column in WORDS, f"say in WORDS what {column} may be"
            assert any(word in set(states) for states in WORDS[column]), f"{column} is never {word!r}"


def test_a_wrong_word_would_be_found() -> None:
    assert comparisons("SELECT 1 FROM t WHERE a.status = 'mached' AND b IN ('x') AND CASE c WHEN 'y' THEN 1 END = 1") == {
        ("status", "mached"),
        ("b", "x"),
        ("c", "y"),
    }
