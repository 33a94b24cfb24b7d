"""docs/partner-rules.md from the rules: how a partner's rows find CJ's records, what is said of both, and where the money stands."""

from __future__ import annotations

from collections.abc import Mapping

from include.partners import rules

_HEAD = """<!-- Written by `make docs` from include/partners/rules.py. Edit that. -->
# The rules on partners

A partner's rows are joined with CJ's records by the ladder, the facts of each pair are worked out in the warehouse (`include/sql/partner_facts.sql`, of months
`include/sql/partner_month_facts.sql`), and the first rule whose condition holds is the verdict: its id stands in `cj.partner_reconciliation.rule`, its word in
`verdict`. How a partner is set up: [partners.md](partners.md).

## The ladder

A unit is a partner's rows of one order. It stands on the first rung that has a candidate for it; where there is more than one, on either side, nothing is guessed.

| `joined_by` | finds | that means | what to do | source |
|---|---|---|---|---|
"""


def page() -> str:
    """The whole page as Markdown."""
    return "".join(
        [
            _HEAD,
            *(f"| `{rung.word}` | {rung.condition} | {rung.words} | {rung.advice} | {rung.source} |\n" for rung in rules.LADDER),
            "\n## Verdicts\n\n| rule | holds where | verdict | that means | what to do | source |\n|---|---|---|---|---|---|\n",
            *(_line(rule) for rule in rules.VERDICTS),
            _facts("The facts of a pair", rules.FACTS),
            (
                "\n## Where the money stands\n\nThat it was paid is not visible to an advertiser, so no state says it.\n\n"
                "| rule | holds where | `money_state` | that means | what to do | source |\n|---|---|---|---|---|---|\n"
            ),
            *(_line(rule) for rule in rules.MONEY),
            _facts("The facts of the money", rules.MONEY_FACTS),
        ]
    )


def _line(rule: rules.PartnerRule | rules.MoneyRule) -> str:
    condition = "every other" if rule.condition == "TRUE" else f"`{rule.condition}`"
    return f"| `{rule.id}` | {condition} | `{rule.word}` | {rule.words} | {rule.advice or 'Nothing.'} | {rule.source} |\n"


def _facts(title: str, facts: Mapping[str, str]) -> str:
    lines = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in facts.items())
    return f"\n### {title}\n\n| fact | yes where |\n|---|---|\n{lines}"
