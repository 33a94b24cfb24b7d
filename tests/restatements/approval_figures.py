"""Figures of an ordinary night, for tests of the money gate."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from include.restatements.approval.rules import Figures

ORDINARY = Figures(
    touched=8, taken_back=Decimal("300.00"), runs=1, open_orders=1000, open_money=Decimal("100000.00"), usual_day=Decimal("4000.00"), usual=30,
    new_orders=40, new_cancelled=1, unseen_trackers=(),
)  # fmt: skip


def figures(**fields: object) -> Figures:
    """An ordinary night but for `fields`."""
    return replace(ORDINARY, **fields)  # type: ignore[arg-type]
