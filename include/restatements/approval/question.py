"""What a person reads before a plan is sent: the same for the same plan, so that an answer is an answer to what was shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.restatements.approval.stake import stake_told
from include.restatements.journal.documents import Move

_MARKUP = re.compile(r"[|\\`*_\[\]<>\r\n]")


@dataclass(frozen=True)
class Asked:
    """What the question is about. `at_stake` is money as text in the advertiser's currency; `summary` is the plan's counts on one line, `modes` how far
    each account goes; `page` the address of the plan's page.
    """

    run_id: str
    digest: str
    at_stake: str
    unpriced: int
    summary: str
    modes: str
    moves: Sequence[Move]
    reasons: Sequence[str]
    page: str
    found: int = 0
    """How many of its orders a pre-lock review has found to differ."""


def subject(asked: Asked) -> str:
    """One line."""
    return f"Send this night's restatements to CJ? Plan {asked.digest}, {stake_told(asked.at_stake, asked.unpriced)} at stake"


def body(asked: Asked) -> str:
    """Markdown: why a person is asked, what would be sent, what it moves by operation and partner, and what is not known."""
    figures = (
        f"Plan **{asked.digest}** of run {asked.run_id}. Money at stake: **{stake_told(asked.at_stake, asked.unpriced)}**. "
        f"Planned: {asked.summary}. Mode: {asked.modes}."
    )
    parts = [
        figures,
        "**Why you are asked**\n\n" + "\n".join(f"- {reason}" for reason in asked.reasons),
        "**What it moves**, in the advertiser's currency: the commission and fee at stake, and the sales that commission is paid on\n\n"
        + _table(asked.moves),
        _of_a_review(asked.found),
        _not_known(asked.moves),
        f"[The plan's page]({asked.page})",
        "Approve sends this plan and no other. Reject sends nothing and fails the run; its orders are planned again. Without an answer nothing is sent.",
    ]
    return "\n\n".join(part for part in parts if part)


def _of_a_review(found: int) -> str:
    if not found:
        return ""
    what = "1 of these orders is one" if found == 1 else f"{found} of these orders are ones"
    return (
        f"**Of a review**: {what} that a pre-lock review found to differ. To send the rest without what only the review found: reject, set the Variable "
        "`cj_send_found` to false, and clear task prepare with its downstream. What was found waits until the Variable is true again: before it locks."
    )


def _table(moves: Sequence[Move]) -> str:
    head = "| enterprise | operation | partner | orders | at stake | sales taken back | sales added |\n| --- | --- | --- | ---: | ---: | ---: | ---: |\n"
    return head + "\n".join(
        f"| {move.enterprise_id} | {move.operation.value} | {_partner(move)} | {move.orders} | {_or_unknown(move.at_stake, move.unpriced)} "
        f"| {_or_unknown(move.taken_back, move.unmeasured)} | {_or_unknown(move.added, move.unmeasured)} |"
        for move in moves
    )


def _partner(move: Move) -> str:
    """Names are CJ's own text: nothing of it may become markup."""
    if move.publisher_id is None:
        return "not known before it posts"
    return " ".join(filter(None, (_MARKUP.sub(" ", move.publisher_name or ""), f"({move.publisher_id})" if move.publisher_id else "")))


def _or_unknown(amount: str, unknown: int) -> str:
    return f"{amount} + ?" if unknown else amount


def _not_known(moves: Sequence[Move]) -> str:
    unpriced, unmeasured = sum(move.unpriced for move in moves), sum(move.unmeasured for move in moves)
    counted: Mapping[str, int] = {"what is at stake": unpriced, "what it changes of the sales": unmeasured}
    told = [f"{what} of {orders} order{'' if orders == 1 else 's'}" for what, orders in counted.items() if orders]
    return f"**Not known** (marked ?): {', and '.join(told)}." if told else ""
