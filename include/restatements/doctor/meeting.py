"""Whether the orders CJ has and the warehouse's are the same ones: by their ids, by their action tracker, and by what CJ calls the sale amount."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pyarrow.compute as pc

from include.domain.money import money
from include.domain.personal import named
from include.domain.states import FEWEST_ORDERS
from include.restatements.doctor.checks import LOOKED_AT, Found, NotAsked, Notes, look, mend, right
from include.restatements.doctor.words import share

LAG = timedelta(days=1)
"""What CJ's tag reported later than this the warehouse may not have yet."""

CENT = money("0.01")

SHOWN = 3
"""Ids of each side in a sentence."""


def _last_digits(order_id: str) -> str:
    found = re.findall(r"\d+", order_id)
    return found[-1].lstrip("0") if found else order_id


SPELLINGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("with capitals and small letters taken for the same", str.casefold),
    ("without the blanks and signs around them", lambda order_id: order_id.strip(" \t#*'\"")),
    ("without the zeros in front", lambda order_id: order_id.lstrip("0")),
    ("by their last digits alone, without what stands around them", _last_digits),
)
"""How two spellings of one id may differ, the least difference first."""


def ids(notes: Notes, whose: str) -> Found:
    """The warehouse knows CJ's recent orders by CJ's ids; else each would be created a second time and paid twice."""
    theirs, ours = _cj_ids(notes, whose), _our_ids(notes, whose)
    if not theirs:
        raise NotAsked("CJ has no order that was placed in these days and posted")
    if not ours:
        raise NotAsked("the query gave no orders of this enterprise")
    met = len(theirs & ours)
    sentence = f"Of {len(theirs):,} orders CJ has of the last {LOOKED_AT.days} days, the warehouse knows {met:,} ({share(met, len(theirs))}) by their ids."
    if met == len(theirs):
        return right(sentence)
    spelling, meeting = _other_spelling(theirs - ours, ours - theirs)
    if meeting:
        sentence += f" {meeting:,} of the others meet {spelling}."
    sentence += f" CJ's: {_some(theirs - ours)}. Here: {_some(ours - theirs) or 'none besides'}."
    if len(theirs) < FEWEST_ORDERS and met:
        return look(sentence, "So few orders tell little: ask again when there are more.")
    if met < notes.settings.ids_must_meet * len(theirs) or meeting > met:
        return mend(
            sentence,
            "Give order_id in the query as CJ's tag on the thank-you page reports it (often the order number, not the id in the database). "
            "Until then every affiliate order would be created a second time.",
        )
    if 10 * met < 9 * len(theirs):
        return look(
            sentence, "Find out which orders the query leaves out, or whose they are: another shop of the same advertiser, perhaps."
        )
    return right(sentence)


def trackers(notes: Notes, whose: str) -> Found:
    """CJ holds the orders under the action tracker that the query gives."""
    ours: dict[str, set[int]] = {}
    for order_id, tracker in _pairs(notes, whose, "order_id", "action_tracker_id"):
        ours.setdefault(order_id, set()).add(tracker)
    records = notes.records[whose]
    theirs = set(zip(records["order_id"].to_pylist(), records["action_tracker_id"].to_pylist(), strict=True))
    both = {(order_id, tracker) for order_id, tracker in theirs if order_id in ours}
    if not both:
        raise NotAsked("no order is on both sides")
    elsewhere = Counter((tracker, min(ours[order_id])) for order_id, tracker in both if tracker not in ours[order_id])
    if not elsewhere:
        return right(f"All {len(both):,} orders on both sides have the same action tracker.")
    (cjs, here), _ = elsewhere.most_common(1)[0]
    return mend(
        f"{sum(elsewhere.values()):,} of {len(both):,} orders on both sides have another action tracker at CJ, most of them {cjs} there and {here} here.",
        "Give action_tracker_id in the query as CJ has it: under another it is another order to CJ.",
    )


def basis(notes: Notes, whose: str) -> Found:
    """Net or gross: what CJ calls the sale amount of orders with a discount, compared with both."""
    account = notes.accounts[whose]
    held = _whole_at_cj(notes, whose)
    fits, seen = Counter[str](), 0
    for row in notes.week.of(account.enterprise_id).to_pylist():
        sale = held.get((row["order_id"], row["action_tracker_id"]))
        own = row["currency"] in (None, "", account.currency)
        if sale is None or not own or row["change_type"] != "new" or not row["discount"] or row["amount"] is None:
            continue
        seen += 1
        # What is finer than a cent is rounded before it is sent.
        fits.update({"gross": abs(sale - row["amount"]) < CENT, "net": abs(sale - row["amount"] + row["discount"]) < CENT})
    if not seen:
        raise NotAsked("no untouched order with an order discount is on both sides")
    said, other = account.sale_amount_basis, "gross" if account.sale_amount_basis == "net" else "net"
    sentence = (
        f"Of {seen:,} untouched orders with a discount CJ's sale amount is {said} of it for {fits[said]:,}, {other} for {fits[other]:,}."
    )
    if fits[other] > fits[said]:
        return mend(
            f"sale_amount_basis says {said}. {sentence}",
            f'Set "sale_amount_basis": "{other}" in the extra of connection {whose!r}; else every order with a discount is called a mismatch.',
        )
    if fits[said] < seen:
        return look(
            sentence, "Compare amount and discount of some orders with CJ's: amount is after item discounts, before tax and shipping."
        )
    return right(sentence)


def _cj_ids(notes: Notes, conn_id: str) -> set[str]:
    """Ids of orders that were placed in these days, but for the newest."""
    records, now = notes.records[conn_id], notes.now()
    placed = records["event_date"]
    recent = pc.and_(pc.greater_equal(placed, now - LOOKED_AT), pc.less(placed, now - LAG))
    return set(records.filter(pc.fill_null(recent, False))["order_id"].to_pylist()) - {""}


def _our_ids(notes: Notes, conn_id: str) -> set[str]:
    return {order_id for order_id, _ in _pairs(notes, conn_id, "order_id", "action_tracker_id")}


def _pairs(notes: Notes, conn_id: str, *columns: str) -> set[tuple[str, int]]:
    week = notes.week.of(notes.accounts[conn_id].enterprise_id)
    found = zip(*(week[name].to_pylist() for name in columns), strict=True)
    return {(order_id, tracker) for order_id, tracker in found if order_id and tracker is not None}


def _whole_at_cj(notes: Notes, conn_id: str) -> dict[tuple[str, int], Decimal]:
    """(order id, tracker) → CJ's sale amount, of orders that are one original record there."""
    rows = notes.records[conn_id].select(["order_id", "action_tracker_id", "original", "sale_amount"]).to_pylist()
    times = Counter((row["order_id"], row["action_tracker_id"]) for row in rows)
    return {
        (row["order_id"], row["action_tracker_id"]): row["sale_amount"]
        for row in rows
        if row["original"] and row["sale_amount"] is not None and times[row["order_id"], row["action_tracker_id"]] == 1
    }


def _other_spelling(theirs: set[str], ours: set[str]) -> tuple[str, int]:
    """The least change of spelling with which most of them meet, and how many do."""
    best = ("", 0)
    for name, spelled in SPELLINGS:
        here = {spelled(order_id) for order_id in ours}
        met = sum(spelled(order_id) in here for order_id in theirs)
        if met > best[1]:
            best = (name, met)
    return best


def _some(order_ids: set[str]) -> str:
    return ", ".join(named(order_id) for order_id in sorted(order_ids)[:SHOWN])
