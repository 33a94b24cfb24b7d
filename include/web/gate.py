"""Of one night: what the money gate compared, why it asked, what was asked, and what a person answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from include.restatements.approval.rules import RULES
from include.warehouse.base import Session
from include.web.common import rows
from include.web.shown import Money

CONDITIONS = {rule.id: rule.condition for rule in RULES}
"""What each rule of the gate asks, as docs/money-gate.md has it."""


@dataclass(frozen=True)
class Question:
    """One question of the night. `answer` is None while it waits; `reasons` are a sentence each."""

    number: int
    plan_digest: str
    at_stake: Money | None
    unpriced: int
    """Orders of which it is not known what is at stake."""
    reasons: tuple[str, ...]
    shown: str
    """All that was shown, as it was."""
    asked_at: datetime
    answer: str | None
    by: str | None
    answered_at: datetime | None


@dataclass(frozen=True)
class Compared:
    """What the night was to change of one account, beside what was open at CJ. Money is in the advertiser's currency."""

    enterprise_id: str
    created: int
    touched: int
    taken_back: Money | None
    open_orders: int
    open_money: Money | None
    asked_by: tuple[str, ...]
    """The rules that asked for a person."""


def questions(session: Session, run_id: str) -> tuple[Question, ...]:
    """The last one first."""
    return tuple(
        Question(
            int(row["question"]), str(row["plan_digest"]), Money.of(row["at_stake"], ""), int(row["unpriced"]), tuple(str(row["reasons"]).split("\n")), str(row["shown"]),
            row["asked_at"], row["answer"], row["answered_by"], row["answered_at"],
        )
        for row in rows(session, "page_run_questions", run=run_id)
    )  # fmt: skip


def compared(session: Session, run_id: str) -> tuple[Compared, ...]:
    """An account each, of those that were going live."""
    return tuple(
        Compared(
            str(row["enterprise_id"]), int(row["created"]), int(row["touched"]), Money.of(row["taken_back"], ""), int(row["open_orders"]),
            Money.of(row["open_money"], ""), tuple(str(row["asked_by"]).split(", ")) if row["asked_by"] else (),
        )
        for row in rows(session, "page_run_gate", run=run_id)
    )  # fmt: skip
