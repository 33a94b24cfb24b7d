"""docs/plan-rules.md from the rules: what is done with an order and why, and what becomes of a state that was sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from include.domain.states import Reason
from include.restatements.rules import plan, verdicts

_HEAD = """<!-- Written by `make docs` from include/restatements/rules/. Edit that. -->
# The rules that decide where money goes

For every order a run picked, the facts below are worked out in the warehouse (`include/sql/plan_facts.sql`), and the first rule whose condition holds
decides. Its id stands in `cj.quarantine.rule` or `cj.skipped.rule`, its word in `reason`.

## What is done with an order

| rule | holds where | what is done | why | what to do | source |
|---|---|---|---|---|---|
"""

_REFUSED = f"""| `{plan.REFUSED_IN_TEST_MODE}` | CJ refused it in Test Mode | held back: `refused` | CJ's own words | Correct what they name. | CJ Restatements API: Test Mode |
"""

_VERDICTS = """
## What became of a state that was sent

The verdict of each order state sent live is the first of these that holds. A `mismatched` takes its reason from the first difference, a `missing` from
the first explanation in CJ's own records (`include/sql/verdict_facts.sql`).
"""


def page() -> str:
    """The whole page as Markdown."""
    return "".join(
        [
            _HEAD,
            *(_plan_line(rule) for rule in plan.RULES),
            "\nDecided elsewhere in the loop:\n\n| rule | holds where | what is done | why | what to do | source |\n|---|---|---|---|---|---|\n",
            *(_plan_line(rule) for rule in plan.OTHER_RULES),
            _REFUSED,
            _facts("The facts of an order", plan.FACTS),
            _VERDICTS,
            _verdict_table("Verdicts", verdicts.STATUSES),
            _verdict_table("Differences", verdicts.DIFFERENCES),
            _verdict_table("Why it never posted", verdicts.MISSING),
            "\n### What a reason means\n\n| reason | what happened | what to do |\n|---|---|---|\n",
            *(f"| `{reason}` | {advice.meaning} | {advice.action} |\n" for reason, advice in verdicts.REASONS.items()),
            _facts("The facts of a state", {**verdicts.FACTS, **verdicts.DERIVED}),
        ]
    )


def _plan_line(rule: plan.Rule) -> str:
    condition = "every other order" if rule.condition == "TRUE" else _code(rule)
    return f"| `{rule.id}` | {condition} | {_done(rule)} | {rule.sentence} | {rule.advice} | {rule.source} |\n"


def _code(rule: plan.Rule) -> str:
    return f"`{rule.condition}`" if rule in plan.RULES else rule.condition


def _done(rule: plan.Rule) -> str:
    if rule.operation:
        return f"sent as `{rule.operation}`"
    reason = "that of the newest verdict" if rule.reason_of_last_verdict else f"`{rule.word}`"
    return f"held back: {reason}" if rule.hold else f"nothing to send: {reason}"


def _facts(title: str, facts: Mapping[str, str]) -> str:
    lines = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in facts.items())
    return f"\n### {title}\n\n| fact | yes where |\n|---|---|\n{lines}"


def _verdict_table(title: str, rules: Iterable[verdicts.VerdictRule]) -> str:
    what = "reason" if all(isinstance(rule.word, Reason) for rule in rules) else "verdict"
    lines = "".join(
        f"| `{rule.id}` | {'every other state' if rule.condition == 'TRUE' else f'`{rule.condition}`'} | `{rule.word}` | {rule.source} |\n"
        for rule in rules
    )
    return f"\n### {title}\n\n| rule | holds where | {what} | source |\n|---|---|---|---|\n{lines}"
