"""What a review came to, in figures, and the digest of what somebody has to look at. No rendering.

Kept in cj.prelock_sweeps as JSON: money as exact text, in the advertiser's own currency; amounts of different accounts are never added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from include.domain.money import ZERO, money, money_text
from include.domain.prelock import Extension, Finding
from include.domain.states import Mode
from include.restatements.plan.digest import DIGEST_BYTES
from include.restatements.prelock.rules import WRONG
from include.sql import filled
from include.warehouse.base import Session

if TYPE_CHECKING:  # the sweep loads what judges a night, which no page needs
    from include.restatements.prelock.sweep import Asked, Swept


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """An account that was reviewed."""

    conn_id: str
    enterprise_id: str
    advertiser_id: str
    currency: str
    mode: str
    extension_subscription_id: str = ""
    as_of: datetime | None = None
    """It could not be read: what is said of it is what an earlier review found, then. None: it was read for this one."""


@dataclass(frozen=True, kw_only=True)
class LockDay:
    """What locks on one UTC day: all that is open then, what CJ holds on it, and what of it is wrong. An empty day: CJ gives none that is near."""

    advertiser_id: str
    day: str
    near: bool
    orders: int
    held_cost: str
    """Commission and CJ's fee on all of them."""
    wrong: int
    to_send: int
    """Of those that are wrong, what the next night mends: none of an account in Test Mode."""
    at_stake: str
    unpriced: int
    """Of those that are wrong, how many nobody can price."""
    tested: int = 0
    """Of those that are wrong, what the next night asks CJ about in Test Mode, and does not mend."""
    send_now: int = 0
    """Of those that are wrong, how many CJ locks before the next night can mend them."""
    first_lock: datetime | None = None
    """When the first of `send_now` locks."""


@dataclass(frozen=True, kw_only=True)
class Lost:
    """What cannot be mended any more, of one month of locks, for one reason and one kind of change."""

    advertiser_id: str
    month: str
    reason: str
    change: str
    orders: int
    cost: str
    unpriced: int


@dataclass(frozen=True, kw_only=True)
class Word:
    """Orders of an account under one word."""

    advertiser_id: str
    word: str
    orders: int


@dataclass(frozen=True, kw_only=True)
class Broken:
    """The open breaks of an account, whether somebody has taken note of them or not."""

    advertiser_id: str
    orders: int
    at_risk: str
    unpriced: int


@dataclass(frozen=True, kw_only=True)
class Pack:
    """One review. Times are UTC; `reviewed_at` is CJ's."""

    review: int
    run_id: str
    reviewed_at: datetime
    days_before_lock: int
    return_days: int | None
    digest: str
    orders: int
    findings: Mapping[str, int]
    accounts: tuple[Reviewed, ...]
    locks: tuple[LockDay, ...]
    lost: tuple[Lost, ...]
    breaks: tuple[Broken, ...]
    extensions: tuple[Word, ...]
    problems: tuple[str, ...]
    """What was left out of it, and why."""

    def count(self, *words: str) -> int:
        """Orders with one of these findings."""
        return sum(self.findings.get(word, 0) for word in words)

    def currency_of(self, advertiser_id: str) -> str:
        return next((one.currency for one in self.accounts if one.advertiser_id == advertiser_id), "")

    def chosen(self, advertiser_id: str) -> int:
        """Orders on the list to be put off."""
        return sum(one.orders for one in self.extensions if one.advertiser_id == advertiser_id and one.word == Extension.CHOSEN)


def collect(
    session: Session, asked: Asked, swept: Swept, accounts: tuple[Reviewed, ...], problems: Iterable[str], before: Pack | None = None
) -> Pack:
    """The figures of a sweep that has ended; of an account that was not read, those of the review `before`. Raises what the session raises."""
    bound = {"review": asked.number}
    return Pack(
        review=asked.number,
        run_id=asked.run_id,
        reviewed_at=asked.now,
        days_before_lock=asked.settings.days_before_lock,
        return_days=asked.settings.return_days,
        digest=digest_of(session, asked.number),
        orders=swept.orders,
        findings={finding.value: swept.findings[finding.value] for finding in Finding if swept.findings[finding.value]},
        accounts=accounts,
        locks=_in_order([*_locks(swept, asked.near.date(), {one.advertiser_id for one in accounts if one.mode == Mode.LIVE}), *_carried(before, accounts, asked)]),
        lost=tuple(
            Lost(
                advertiser_id=str(row["advertiser_id"]), month=str(row["month"]), reason=str(row["reason"]), change=str(row["change"]),
                orders=_int(row["orders"]), cost=_text(row["cost"]), unpriced=_int(row["unpriced"]),
            )
            for row in session.rows(filled("prelock_lost"), bound)
        ),
        breaks=tuple(
            Broken(
                advertiser_id=str(row["advertiser_id"]), orders=_int(row["orders"]), at_risk=_text(row["at_risk"]), unpriced=_int(row["unpriced"])
            )
            for row in session.rows(
                "SELECT advertiser_id, COUNT(*) AS orders, CAST(SUM(verdict_risk) AS decimal(38, 10)) AS at_risk, COUNT(*) - COUNT(verdict_risk) AS unpriced "
                "FROM cj.prelock_orders WHERE review = :review AND verdict IS NOT NULL GROUP BY advertiser_id ORDER BY advertiser_id",
                bound,
            )
        ),
        extensions=tuple(
            Word(advertiser_id=str(row["advertiser_id"]), word=str(row["extension"]), orders=_int(row["orders"]))
            for row in session.rows(
                "SELECT advertiser_id, extension, COUNT(*) AS orders FROM cj.prelock_orders WHERE review = :review AND extension IS NOT NULL "
                "GROUP BY advertiser_id, extension ORDER BY advertiser_id, extension",
                bound,
            )
        ),
        problems=tuple(problems),
    )  # fmt: skip


def kept(pack: Pack) -> str:
    """As it stands in cj.prelock_sweeps.figures."""
    return msgspec.json.encode(pack).decode()


def pack_of(text: str | None) -> Pack | None:
    """What `kept` kept; None where there is nothing, or another release wrote it otherwise."""
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=Pack)
    except msgspec.MsgspecError:
        return None


_TOLD = (
    "enterprise_id", "action_tracker_id", "order_id", "finding", "rule", "reason", "at_stake", "held_amount", "wanted_amount", "currency", "locking_date",
    "verdict", "verdict_reason", "verdict_risk", "extension",
)  # fmt: skip


def digest_of(session: Session, review: int) -> str:
    """blake2b over what somebody has to look at, order by order: what is found, what it costs, when it locks. The same facts are the same digest, whenever
    they were looked at."""
    digest = blake2b(digest_size=DIGEST_BYTES)
    order = ", ".join(session.binary_order(name) if name != "action_tracker_id" else name for name in _TOLD[:3])
    rows = session.stream(
        f"SELECT {', '.join(_TOLD)} FROM cj.prelock_orders WHERE review = :review AND (near OR extension IS NOT NULL) ORDER BY {order}",
        {"review": review},
    )
    for batch in rows:
        for row in batch.to_pylist():
            digest.update(msgspec.json.encode([_plain(row[name]) for name in _TOLD]))
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    return money_text(value) if isinstance(value, Decimal) else value


def _carried(before: Pack | None, accounts: tuple[Reviewed, ...], asked: Asked) -> list[LockDay]:
    """What locks from today on in accounts that were not read. This review has put none of it before the night."""
    left_out = {one.advertiser_id for one in accounts if one.as_of is not None}
    today, near = asked.now.date().isoformat(), asked.near.date().isoformat()
    return [
        replace(lock, near=bool(lock.day) and lock.day <= near, to_send=0, tested=0, send_now=0, first_lock=None)
        for lock in (before.locks if before else ())
        if lock.advertiser_id in left_out and (not lock.day or lock.day >= today)
    ]


def _in_order(locks: list[LockDay]) -> tuple[LockDay, ...]:
    return tuple(sorted(locks, key=lambda one: (one.day or "9", one.advertiser_id)))


def _locks(swept: Swept, near: date, live: set[str]) -> list[LockDay]:
    days: dict[tuple[str, str], dict[str, Any]] = {}
    for (advertiser, day, finding), lock in swept.locks.items():
        if finding == Finding.TOO_LATE:
            continue
        told = days.setdefault(
            (advertiser, day),
            {"orders": 0, "held": ZERO, "wrong": 0, "to_send": 0, "tested": 0, "stake": ZERO, "unpriced": 0, "now": 0, "first": None},
        )
        told["orders"] += lock.orders
        told["held"] += lock.held_cost
        if finding in WRONG:
            told["wrong"] += lock.orders
            told["stake"] += lock.at_stake
            told["unpriced"] += lock.unpriced
        if finding == Finding.TO_SEND:
            told["to_send" if advertiser in live else "tested"] += lock.orders
        if finding == Finding.SEND_NOW:
            told["now"], told["first"] = lock.orders, lock.first
    return [
        LockDay(
            advertiser_id=advertiser, day=day, near=bool(day) and day <= near.isoformat(), orders=told["orders"], held_cost=money_text(told["held"]),
            wrong=told["wrong"], to_send=told["to_send"], at_stake=money_text(told["stake"]), unpriced=told["unpriced"],
            tested=told["tested"], send_now=told["now"], first_lock=told["first"],
        )
        for (advertiser, day), told in days.items()
    ]  # fmt: skip


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _text(value: object) -> str:
    return money_text(money(str(value or 0)))
