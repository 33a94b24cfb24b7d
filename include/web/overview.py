"""The morning minute: did last night arrive, what did not, what does it cost, and by when must it be mended. The figures are the report's, as kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from include.domain.money import ZERO, money
from include.domain.states import Status
from include.restatements.report import words
from include.restatements.report.collect import NIGHTS
from include.restatements.report.figures import BIN_SECONDS, LAST_BIN, LOCK_BUCKETS, Amount, Figures, Night, amounts_by_currency, joined
from include.warehouse.base import Session
from include.web import drawn
from include.web.asked import Asked
from include.web.breaks import dearest
from include.web.common import Round, a_night_before, accounts, first_of_thirty, freshness, newest_round
from include.web.morning import BalanceLine, LagLine, LockLine, NightLine, Overview, Tile
from include.web.page import Page
from include.web.runs import Run, newest
from include.web.shown import Money, difference, moment

SHOWN = 8
"""Breaks on the overview; the rest are on their page."""

NIGHTLY = timedelta(hours=26)
"""After which a night should have followed the last one."""

HOUR = 3600
"""CJ's: processing takes up to an hour or longer (Restatements API)."""


def look(session: Session, asked: Asked) -> Overview:
    """The newest reconciliation's figures, and the breaks that cost most by now."""
    fresh, known = freshness(session, asked.now), accounts(session)
    this, night = newest_round(session), newest(session)
    if this is None:
        return Overview(
            fresh, known, night, None, "note", "Nothing has been reconciled yet.",
            "After the first night and the first cj_reconciliation this page shows what arrived at CJ, what did not, and what it costs.",
            (), (), None, (), "", (), "", None, (), 0,
        )  # fmt: skip
    own = {account.advertiser_id: account.currency for account in known}
    figures, before = this.figures, a_night_before(session, this)
    top = words.headline(figures)
    return Overview(
        fresh=fresh,
        accounts=known,
        night=night,
        run_id=this.run_id,
        tone=top.tone,
        claim=top.claim,
        rest=top.rest,
        notes=_notes(figures, night, asked.now),
        tiles=_tiles(figures, before),
        balance=_balance(figures),
        nights=_nights(figures),
        nights_finding=words.nights_finding(figures),
        locks=tuple(
            LockLine(lock.days, lock.orders, Money.told(lock.at_risk))
            for lock in sorted(figures.locks, key=lambda lock: LOCK_BUCKETS.index(lock.days) if lock.days in LOCK_BUCKETS else 99)
        ),
        lock_finding=words.lock_finding(figures),
        lag=_lag(figures),
        dearest=dearest(session, asked, first_of_thirty(fresh, asked.now), own, SHOWN),
        breaks=figures.balance.breaks + figures.older.breaks,
    )


def _notes(figures: Figures, night: Run | None, now: datetime) -> tuple[str, ...]:
    said = [
        f"No night has been planned since {moment(night.planned_at)}: see in Airflow whether cj_restatements failed, waits or is paused."
        if night and now - night.planned_at > NIGHTLY
        else "",
        words.older_finding(figures),
        "The balance does not tie: cj.submissions and cj.reconciliation contradict each other. Rebuild the tables from the journal before acting on this page."
        if figures.balance.difference
        else "",
        "With the other reading of CJ's sale amount (net or gross of the order discount) every order would match: see sale_amount_basis."
        if figures.other_basis_matches_all
        else "",
        words.set_aside_finding(figures),
        words.unchecked_finding(figures),
    ]
    return tuple(filter(None, said))


def _at_risk(figures: Figures) -> tuple[Amount, ...]:
    return amounts_by_currency([*figures.at_risk, *figures.older.at_risk])


def _tiles(figures: Figures, before: Round | None) -> tuple[Tile, ...]:
    breaks = figures.balance.breaks + figures.older.breaks
    risk, soon = _at_risk(figures), figures.at_risk_in("0-2")
    unknown = figures.unpriced + figures.older.unpriced
    compared = _compared(figures, before)
    return (
        Tile(
            "Money at risk", joined(risk), compared[0] or (f"{unknown:,} more at unknown cost" if unknown else "commission and fee"),
            "Commission and CJ's fee that is paid too much, or owed and not booked, while CJ holds another state than the one sent.",
            compared[1], any(one.amount for one in risk),
        ),
        Tile(
            "Locks within two days", joined(soon), f"{figures.locking('0-2'):,} breaks; {joined(figures.at_risk_in('locked'))} locked already",
            "After its lock date CJ pays what it holds, whatever changes.", "", any(one.amount for one in soon),
        ),
        Tile("Open breaks", f"{breaks:,}", compared[2], "Verdicts that somebody has to look at: missing or mismatched.", compared[3], breaks > 0),
        Tile(
            "Match rate", figures.balance.match_rate or "–", f"{figures.balance.matched:,} matched, {figures.balance.waiting:,} waiting",
            "Of the order states CJ has decided on, those it holds just as they were sent.",
        ),
        Tile(
            "Balance", f"{figures.balance.difference:,}", "sent = matched + waiting + breaks + superseded",
            "What was sent, counted from the submissions, less what the verdicts say became of it. Zero, or the tables contradict each other.",
            "", figures.balance.difference != 0,
        ),
    )  # fmt: skip


def _compared(figures: Figures, before: Round | None) -> tuple[str, str, str, str]:
    """(money in words, money's change, breaks in words, breaks' change) since a night ago; empty where it cannot be said."""
    breaks = figures.balance.breaks + figures.older.breaks
    told = f"{figures.orders_with(Status.MISSING):,} missing, {figures.orders_with(Status.MISMATCHED):,} mismatched"
    if before is None:
        return "", "", told, ""
    former = before.figures.balance.breaks + before.figures.older.breaks
    now, then = dict(_at_risk(figures)), dict(_at_risk(before.figures))
    money_words, change = "", ""
    if len(now) == 1 and now.keys() == then.keys():
        (currency,) = now
        moved = now[currency] - then[currency]
        change = difference(now[currency], then[currency])
        money_words = (
            "as a night ago"
            if change == "same"
            else f"{joined((Amount(currency, abs(moved)),))} {'more' if moved > 0 else 'less'} than a night ago"
        )
    change_of_breaks = difference(_count(breaks), _count(former))
    if breaks != former:
        told = f"{abs(breaks - former):,} {'more' if breaks > former else 'fewer'} than a night ago"
    return money_words, change, told, change_of_breaks


def _count(number: int) -> Decimal:
    return money(number)


def _balance(figures: Figures) -> BalanceLine:
    b = figures.balance
    return BalanceLine(b.sent, b.matched, b.waiting, b.breaks, b.superseded, b.unchecked, b.difference)


def _nights(figures: Figures) -> tuple[NightLine, ...]:
    """Each of the last thirty days, also those on which nothing was sent."""
    by_day = {night.day: night for night in figures.nights}
    last, currency = figures.checked_at.date(), _main_currency(figures.nights)
    return tuple(_night(by_day.get(day, Night(day, ())), currency) for day in (last - timedelta(days=n) for n in range(NIGHTS - 1, -1, -1)))


def _main_currency(nights: tuple[Night, ...]) -> str:
    sent: dict[str, Decimal] = {}
    for night in nights:
        for _, amounts in night.submitted:
            for one in amounts:
                sent[one.currency] = sent.get(one.currency, ZERO) + abs(one.amount)
    return max(sent, key=lambda name: sent[name], default="")


def _night(night: Night, currency: str) -> NightLine:
    matched, broken = night.count(Status.MATCHED), night.count(Status.MISSING, Status.MISMATCHED)
    tenths = matched * 1000 // (matched + broken) if matched + broken else None
    submitted = {
        status: Money.told(tuple(one for one in amounts if one.currency == currency))[0]
        for status, amounts in night.submitted
        if any(one.currency == currency for one in amounts)
    }
    return NightLine(night.day, dict(night.orders), submitted, None if tenths is None else f"{tenths // 10}.{tenths % 10}")


def _lag(figures: Figures) -> LagLine | None:
    lag = figures.lag
    if lag is None:
        return None
    minutes = BIN_SECONDS // 60
    bins = tuple((min(number, LAST_BIN) * minutes, orders) for number, orders in lag.bins)
    within = sum(orders for start, orders in bins if start * 60 < HOUR)
    return LagLine(lag.orders, lag.p50, lag.p90, lag.longest, within, bins, words.lag_finding(figures))


PAGE = Page(
    "overview",
    "/",
    look,
    Overview,
    "The newest reconciliation in figures, how each account stands, and the breaks that cost most",
    "Overview",
    words={"nights_data": drawn.nights, "locks_data": drawn.locks, "lag_data": drawn.lag},
)
