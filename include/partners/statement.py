"""A partner's statement as one HTML file, in the style of the reconciliation's report: no scripts, no requests. What comes from tables is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template

from include.domain.money import ZERO, exact_sum, money_text
from include.partners.mapping import PartnerMapping
from include.partners.rules import rule_of
from include.partners.views import Row

FIRST = 200
"""Differences that the file shows; differences.csv has them all."""


def html(mapping: PartnerMapping, stated: Sequence[Row], differ: Sequence[Row], send: Sequence[Row], now: datetime) -> bytes:
    """The whole file, as UTF-8."""
    columns = ("open", "locked", "payable", "total")
    return (
        _template()
        .render(
            partner=mapping,
            statements=stated,
            sums={name: exact_sum([row[name] for row in stated]) for name in columns},
            differences=differ[:FIRST],
            found=len(differ),
            at_difference=exact_sum([row["difference"] or ZERO for row in differ if row["grain"] == "order"]),
            send=send,
            now=now,
        )
        .encode()
    )


def _money(amount: Any) -> str:
    """`1,234.50`, with a real minus; a dash where nothing is known."""
    if amount is None:
        return "–"
    whole, _, cents = money_text(abs(amount)).partition(".")
    return f"{'−' if amount < 0 else ''}{int(whole):,}.{cents}"


def _day(moment: Any) -> str:
    return f"{moment:%Y-%m-%d}" if isinstance(moment, datetime) else "–"


@cache
def _template() -> Template:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("include.partners", "templates"), PackageLoader("include.restatements.report", "templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(money=_money, day=_day, rule_of=rule_of, words=lambda word: str(word or "–").replace("_", " "))
    return environment.get_template("statement.html.j2")
