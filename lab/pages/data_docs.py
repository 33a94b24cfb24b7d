"""The page of rules that each night keeps, as Great Expectations makes it of the gate's suite."""

from __future__ import annotations

from include.restatements.gate.data_docs import rules_page

_BY = "<!-- Written by `make docs` from include/restatements/gate/expectations/order_changes.json. Edit that. -->\n"


def page() -> str:
    return rules_page() + _BY
