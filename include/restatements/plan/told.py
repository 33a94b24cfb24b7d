"""What a plan came to, in sentences: what goes to CJ, what is held back, what waits, and what needs nothing. Each kind of outcome has its own.

The counts are those of `Summary`; every order that was picked is counted in exactly one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from include.domain.states import Skip
from include.restatements.journal.documents import Summary

_SKIPPED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        Skip.WAITING: ("{n} order waits", "{n} orders wait"),
        Skip.UNCHANGED: ("{n} order is unchanged", "{n} orders are unchanged"),
        Skip.NOT_IN_CJ: ("{n} order is not an affiliate's", "{n} orders are not an affiliate's"),
        Skip.NEVER_SENT: ("{n} order was new and cancelled before it was ever sent", "{n} orders were new and cancelled before they were ever sent"),
        Skip.SUPERSEDED: ("{n} order was taken over", "{n} orders were taken over"),
    }
)  # fmt: skip

_WHY: Mapping[str, str] = MappingProxyType(
    {
        Skip.WAITING: "an earlier change is on its way, or what CJ holds could not be read; planned again once that is settled",
        Skip.UNCHANGED: "CJ holds this very state, or has accepted it",
        Skip.NOT_IN_CJ: "no click or ad is named, and CJ does not know it",
        Skip.NEVER_SENT: "nobody is owed anything",
        Skip.SUPERSEDED: "a later run carries it",
    }
)


def told(summary: Summary) -> list[str]:
    """The sentences, the ones somebody must act on first. Of a night without an order, the one that says so."""
    if not summary.picked:
        return ["Nothing to send this night: no order was touched in this interval, and none was to be planned again."]
    sentences = [held] if (held := held_back(summary)) else []
    if summary.to_send:
        by_kind = {"create": summary.create, "restate": summary.restate, "cancel": summary.cancel}
        sentences.append(f"{_counted(summary.to_send, ('{n} order goes to CJ', '{n} orders go to CJ'))}: {_listed(by_kind)}.")
    else:
        sentences.append("Nothing to send this night.")
    for reason, orders in summary.skipped_by_reason.items():
        if orders:
            sentences.append(f"{_counted(orders, _SKIPPED[reason])}: {_WHY[reason]}.")
    return sentences


def held_back(summary: Summary) -> str:
    """How many of all are held back and for which reasons; empty where none is."""
    if not summary.quarantined:
        return ""
    many = _counted(summary.quarantined, ("{n} of {all} is held back", "{n} of {all} are held back"))
    return (
        f"{many.replace('{all}', _counted(summary.picked, ('{n} order', '{n} orders')))}: {_listed(summary.quarantined_by_reason)}. "
        "They are not sent until somebody has looked: cj.quarantine says of each why, and what to do."
    )


def _counted(orders: int, forms: tuple[str, str]) -> str:
    return forms[orders != 1].replace("{n}", str(orders))


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {orders}" for name, orders in counts.items() if orders)
