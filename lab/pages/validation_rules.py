"""docs/validation-rules.md from the suite of the gate: every rule, in the order they decide the reason."""

from __future__ import annotations

from include.restatements.gate.suite import rules

_HEAD = """<!-- Written by `make docs` from include/restatements/gate/expectations/order_changes.json. Edit that. -->
# Validation rules

What an order change must be before it may go to CJ.

An order that breaks a rule is held back in `cj.quarantine` with stage `validation`. Its `reason` is that of the first rule it breaks, in
the order below; its `detail` says every one. What a cancellation does not carry to CJ (amount, discount, currency, coupon, items,
parameters, attribution) is not judged on one. Once at least 20 orders fail and they are more than `max_quarantine_ratio` of those
that could go to CJ, nothing is sent.

Only what could go to CJ is judged: an order that carries attribution, or that CJ has heard of. Of the others, which no publisher
brought, one that breaks a rule is in `cj.skipped` as `not_in_cj`, and counts nowhere. One without its whole key or its time is held back whoever brought it.

| reason | columns | rule | source |
|---|---|---|---|
"""


def page() -> str:
    """The whole page as Markdown."""
    return _HEAD + "".join(f"| `{rule.reason}` | {rule.about} | {rule.rule} | {rule.source} |\n" for rule in rules())
