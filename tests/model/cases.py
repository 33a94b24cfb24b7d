"""One event at a time: an order each, so that what breaks a promise says which event it was. All of them share their nights.

Each order is held by CJ over 100.00 and read once; then the warehouse says 80.00, and that is sent; some are changed to 60.00 afterwards. An event comes at
a moment of that, named in `MOMENTS`. (`tests.model.storm` plays them in any order, many at a time.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.model.histories import FIXED_DATE, FIXED_DURATION, OPEN_ENDED, TOTALS, pixel_order
from tests.model.shop import Change, Item, Key
from tests.model.storm import Storm
from tests.model.world import BEGIN, Options

MOMENTS = ("unread", "read", "sent", "posted")
"""Before CJ's records are read first; after that; twenty minutes after 80.00 was sent; an hour and a half after that."""

LOCKED, EXTENDED = timedelta(minutes=50), timedelta(days=31)
"""From the beginning: within the hour of what is sent first, and after the moment `sent`. (What has locked cannot be extended any more.)"""
HOURS = 3600


def _act(kind: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, **fields}


_BONUS = _act("record", action_type="bonus", commission="5.00", coupon="PRIZE", action_status="locked")
_LEAD = _act("record", action_type="sim_lead", commission="1.00", fee="0.20", action_status="closed")
_PAIR, _DIFFERENCE = (_act("correct", amount="50.00", shape=shape) for shape in ("pair", "difference"))
_EARLY = _act("lock", action_status="locked")


@dataclass(frozen=True)
class Case:
    """One order. `events` are the names it needs to be played (`storm.EVENTS`)."""

    events: str
    acts: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """What is done to it, by moment."""
    fault: dict[str, Any] | None = None
    """What its first restatement meets."""
    mend: dict[str, Any] | None = None
    """What its second restatement meets, where that is sent to mend what was done to it once it was posted."""
    newer: bool = False
    tracker: int = FIXED_DATE
    amounts: tuple[str, str, str] = ("100.00", "80.00", "60.00")
    again: bool = False
    """The warehouse touches it once more, with the same content, after it was posted."""


CASES: Mapping[str, Case] = {
    "plain": Case("", newer=True),
    "corrected-before-it-was-sent": Case("corrected", {"read": _PAIR}),
    "corrected-while-on-its-way": Case("corrected", {"sent": _PAIR}),
    "corrected-after-it-matched": Case("corrected", {"posted": _DIFFERENCE}),
    "corrected-and-touched": Case("corrected", {"posted": _PAIR}, again=True),
    "corrected-and-mended-late": Case("corrected late", {"posted": _PAIR}, mend={"kind": "delay", "seconds": 5 * HOURS}),
    "bonus-unread": Case("bonus", {"unread": _BONUS}),
    "bonus-while-on-its-way": Case("bonus", {"sent": _BONUS}),
    "bonus-after-it-matched": Case("bonus", {"posted": _BONUS}, newer=True),
    "lead-unread": Case("lead", {"unread": _LEAD}),
    "lead-after-it-matched": Case("lead", {"posted": _LEAD}, newer=True),
    "unsaid-unread": Case("unsaid", {"unread": _act("unsay")}),
    "unsaid-after-it-posted": Case("unsaid", {"sent": _act("unsay")}, newer=True),
    "reposted-before": Case("reposted", {"read": _act("repost")}),
    "reposted-after": Case("reposted", {"posted": _act("repost")}, newer=True),
    "reposted-while-on-its-way": Case("reposted late", {"sent": _act("repost")}, {"kind": "delay", "seconds": 5 * HOURS}),
    "moved-before": Case("moved", {"read": _act("repost", shape="moved")}),
    "moved-after": Case("moved", {"posted": _act("repost", shape="moved")}),
    "lost-once": Case("lost", fault={"kind": "drop"}),
    "late": Case("late", fault={"kind": "delay", "seconds": 24 * HOURS}),
    "hidden": Case("hidden", fault={"kind": "hide", "seconds": 8 * HOURS}),
    "hidden-and-changed": Case("hidden", fault={"kind": "hide", "seconds": 24 * HOURS}, newer=True),
    "half-a-pair": Case("half_pair", fault={"kind": "hide", "seconds": 8 * HOURS, "half": True}),
    "half-a-pair-and-changed": Case("half_pair", fault={"kind": "hide", "seconds": 8 * HOURS, "half": True}, newer=True),
    "locked-early-before": Case("lock_early", {"read": _EARLY}),
    "locked-early-while-on-its-way": Case("lock_early", {"sent": _EARLY}),
    "lock-extended-once-held-back": Case(
        "lock_extended", {"unread": _act("lock", locking_date=(BEGIN + LOCKED).isoformat()),
                          "sent": _act("lock", locking_date=(BEGIN + EXTENDED).isoformat(), action_status="extended")},
    ),
    "one-id-under-two-trackers": Case("two_trackers"),
    "no-items": Case("no_items", tracker=TOTALS, newer=True),
    "finer-than-a-cent": Case("", amounts=("16.6583", "17.0051", "9.995"), newer=True),
}  # fmt: skip


def play_cases(storm: Storm) -> None:
    """All of them, then calm and the promises."""
    chosen = CASES
    storm.open_for_cases(Options(allow_field_loss=frozenset({"coupon", "discount", "items"})))
    keys = {name: Key(case.tracker, name) for name, case in chosen.items()}
    first = [_change(storm, keys[name], "new", case.amounts[0]) for name, case in chosen.items()]
    storm.world.append(first)
    storm.world.pixel([pixel_order(change, change.event_time) for change in first])
    _hands(storm, chosen, keys, "unread")
    storm.nightly()
    _hands(storm, chosen, keys, "read")
    storm.world.advance(timedelta(minutes=5))
    storm.reconcile()
    _meets(storm, {name: case.fault for name, case in chosen.items()})
    storm.world.append([_change(storm, keys[name], "restated", case.amounts[1]) for name, case in chosen.items()])
    if storm.world.two_trackers:
        storm.world.append([_change(storm, Key(FIXED_DURATION, "one-id-under-two-trackers"), "new", "30.00")])
    storm.nightly()
    storm.world.advance(timedelta(minutes=20))
    _hands(storm, chosen, keys, "sent")
    for span in (timedelta(minutes=10), timedelta(minutes=90)):
        storm.world.advance(span)
        storm.reconcile()
        storm.nightly()
    _hands(storm, chosen, keys, "posted")
    _meets(storm, {name: case.mend for name, case in chosen.items()})
    storm.world.advance(timedelta(minutes=10))
    storm.world.append([_change(storm, keys[name], "restated", case.amounts[1]) for name, case in chosen.items() if case.again])
    storm.reconcile()
    storm.nightly()
    storm.world.advance(timedelta(minutes=1))
    storm.world.append([_change(storm, keys[name], "restated", case.amounts[2]) for name, case in chosen.items() if case.newer])
    storm.nightly()
    storm.world.advance(timedelta(hours=3))
    storm.reconcile()
    storm.nightly()
    storm.teardown()


def _meets(storm: Storm, faults: Mapping[str, dict[str, Any] | None]) -> None:
    storm.world.sandbox.control.add_faults([fault | {"order_ids": [name], "times": 1} for name, fault in faults.items() if fault])


def _hands(storm: Storm, chosen: Mapping[str, Case], keys: Mapping[str, Key], moment: str) -> None:
    for name, case in chosen.items():
        if moment in case.acts:
            storm.world.act(case.events.split()[0], [keys[name]], case.acts[moment])


def _change(storm: Storm, key: Key, kind: str, amount: str) -> Change:
    at = storm.world.now() - timedelta(seconds=5)
    whole = Decimal(amount)
    item = Item("SKU-1", int(whole) // 10, Decimal(10)) if whole % 10 == 0 else Item("SKU-1", 1, whole)
    before = storm.world.log.changes.get(key)
    return Change(
        key=key, change_type=kind, event_time=before[0].event_time if before else at - timedelta(hours=1), updated_at=at, amount=whole, items=(item,),
        cj_event=f"click-{key.order_id}", status="Pending" if key.tracker == OPEN_ENDED else None,
    )  # fmt: skip
