"""A review's figures in sentences, for the page, the PDF, the log and whoever signs."""

from __future__ import annotations

from datetime import UTC, datetime

from include.domain.money import ZERO, exact_sum, money
from include.domain.prelock import Finding
from include.restatements.prelock.pack import LockDay, Pack
from include.restatements.prelock.rules import WRONG
from include.restatements.report.figures import Amount, amounts_by_currency, counted, joined


def headline(pack: Pack) -> str:
    """In two or three sentences: what locks, what of it is wrong, what can be done."""
    near = [lock for lock in pack.locks if lock.near]
    wrong = sum(lock.wrong for lock in near)
    sentences = [*at_once(pack), claim(pack)]
    if wrong:
        sentences.append(
            f"{counted(wrong, 'order')} {'does' if wrong == 1 else 'do'} not agree, {_at_stake(pack, near)} at stake; {_tonight(near)}."
        )
    lost = sum(one.orders for one in pack.lost)
    if lost:
        cost = joined(amounts_by_currency(Amount(pack.currency_of(one.advertiser_id), money(one.cost)) for one in pack.lost))
        sentences.append(f"{counted(lost, 'order')} cannot be mended any more, which costs {cost}.")
    return " ".join(sentences)


def at_once(pack: Pack) -> list[str]:
    """What cannot wait for the night, and until when; nothing where it all can."""
    locks = [lock for lock in pack.locks if lock.send_now and lock.first_lock is not None]
    if not locks:
        return []
    orders, first = sum(lock.send_now for lock in locks), min(lock.first_lock for lock in locks if lock.first_lock is not None)
    what = "order locks before the next night can mend it" if orders == 1 else "orders lock before the next night can mend them, the first"
    return [f"{orders:,} {what} at {hour(first)}: run cj_restatements now, by hand."]


def hour(at: datetime) -> str:
    """`2026-03-10 00:00 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def claim(pack: Pack) -> str:
    """What locks, in one sentence."""
    near = [lock for lock in pack.locks if lock.near]
    if not near:
        return f"Nothing locks within {counted(pack.days_before_lock, 'day')}."
    first, orders = min(lock.day for lock in near), sum(lock.orders for lock in near)
    return f"{counted(orders, 'order')} {'locks' if orders == 1 else 'lock'} within {counted(pack.days_before_lock, 'day')}, the first on {first}."


def swept_words(pack: Pack) -> str:
    """How much was looked at, and that nothing was left out."""
    wrong = pack.count(*WRONG)
    parts = [
        f"{counted(pack.orders, 'order')} looked at",
        f"{pack.count(Finding.AGREES):,} agree",
        f"{pack.count(Finding.ON_ITS_WAY):,} on their way",
        f"{wrong:,} to look at",
        f"{pack.count(Finding.TOO_LATE):,} too late",
    ]
    nowhere = pack.count(Finding.NOWHERE)
    return ", ".join([*parts, *([f"{nowhere:,} that neither side has"] if nowhere else [])]) + "."


def _tonight(locks: list[LockDay]) -> str:
    """What the night does about them, by the mode of each account."""
    send, tested = sum(lock.to_send for lock in locks), sum(lock.tested for lock in locks)
    asked = f"the night asks CJ about {tested:,} of them in Test Mode and mends none of those"
    sends = f"the night sends {send:,} of them"
    return f"{sends}; {asked}" if send and tested else asked if tested else sends


def _at_stake(pack: Pack, locks: list[LockDay]) -> str:
    known = joined(
        amounts_by_currency(Amount(pack.currency_of(lock.advertiser_id), exact_sum([ZERO, money(lock.at_stake)])) for lock in locks)
    )
    unpriced = sum(lock.unpriced for lock in locks)
    return known + (f" and what is not known of {unpriced:,}" if unpriced else "")
