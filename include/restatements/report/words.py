"""The sentences a report opens with, made from its figures. Shared by the HTML and the terminal, so that both say the same."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from include.domain.locking import lock_of
from include.domain.states import Reason, Status
from include.restatements.report.figures import Amount, Break, Figures, counted, duration, joined


class Headline(NamedTuple):
    """`tone` is `good`, `bad` or `note`; `claim` is the one thing to know, `rest` what goes with it."""

    tone: str
    claim: str
    rest: str


def headline(figures: Figures) -> Headline:
    """The night in a sentence or two: failures first, and nothing is called good that has not been decided."""
    balance = figures.balance
    waiting = balance.waiting + balance.unchecked
    rest = f"{counted(waiting, 'order')} still waiting for CJ." if waiting else ""
    if figures.older.breaks and not balance.breaks and not figures.refused_orders:
        return Headline("bad", f"No break of these nights; {counted(figures.older.breaks, 'break')} still open from before them.", rest)
    if figures.empty:
        return Headline("good", "Nothing was sent: no order has changed.", "CJ holds what the warehouse says, or there was nothing to say.")
    if balance.breaks:
        return Headline("bad", _breaks_claim(figures), " ".join(filter(None, (_lock_words(figures), rest))))
    if figures.refused_orders:
        return Headline(
            "bad", f"CJ refused {counted(figures.refused_orders, 'order')} in live mode.", rest or "Nothing changed at CJ for them."
        )
    if balance.sent and balance.matched:
        return Headline("good", "No breaks: every order CJ has reported on matches.", rest)
    if balance.sent:
        return Headline("note" if waiting else "good", "No breaks so far: CJ has not reported yet." if waiting else "No breaks.", rest)
    if figures.tested:
        return Headline("note", "Test Mode only: nothing was posted.", f"CJ accepted {counted(figures.tested, 'order')} in Test Mode.")
    if figures.quarantined:
        return Headline("note", f"Nothing was sent: {counted(figures.quarantined_orders, 'order')} held back.", "See why below.")
    return Headline("good", "Nothing was sent: nothing needed to be.", f"{counted(figures.skipped_orders, 'order')} had nothing to send.")


def lock_finding(figures: Figures) -> str:
    """How many orders lock soon, or have locked."""
    soon, gone = figures.locking("0-2"), figures.locking("locked")
    parts = [
        f"{counted(gone, 'order')} locked already" if gone else "",
        f"{counted(soon, 'order')} locking within two days" if soon else "",
    ]
    return (", ".join(filter(None, parts)) or "None locks within two days") + "."


def status_finding(figures: Figures) -> str:
    """How many orders matched, which the picture leaves out."""
    rate = figures.balance.match_rate
    matched = f"{counted(figures.balance.matched, 'order')} matched"
    return f"{matched}, {rate} of those decided; not drawn." if rate else f"{matched}: CJ has not reported yet."


def lag_finding(figures: Figures) -> str:
    """How long CJ took to post."""
    lag = figures.lag
    return (
        ""
        if lag is None
        else f"Half posted within {duration(lag.p50)}, 90 % within {duration(lag.p90)}, the last after {duration(lag.longest)}."
    )


def breaks_finding(figures: Figures) -> str:
    """Which breaks the table shows, and what its columns mean."""
    shown, total = len(figures.breaks), figures.balance.breaks
    which = f"The {shown:,} of {total:,} that cost most; all are in cj.reconciliation." if shown < total else "Those that cost most first."
    return f"{which} Expected is what was sent, actual what CJ holds, difference actual minus expected."


def quarantined_finding(figures: Figures) -> str:
    """How many orders were held back, and what CJ still holds on them."""
    cost = (
        f" CJ still holds {joined(figures.quarantined_cost)} commission and fee on them."
        if any(a.amount for a in figures.quarantined_cost)
        else ""
    )
    return f"{counted(figures.quarantined_orders, 'order')} would not have arrived as meant, so they were not sent.{cost}"


def set_aside_finding(figures: Figures) -> str:
    """How many of CJ's records are not in the ledger as they came; empty where all are."""
    gone, changed = figures.set_aside, figures.changed
    parts = [
        f"{counted(gone, 'record')} of CJ could not be read and {'was' if gone == 1 else 'were'} set aside: "
        f"what {'its order comes' if gone == 1 else 'their orders come'} to at CJ is not known."
        if gone
        else "",
        f"{counted(changed, 'record')} of CJ {'was' if changed == 1 else 'were'} kept with a change." if changed else "",
    ]
    said = " ".join(filter(None, parts))
    return f"{said} See cj.ledger_set_aside." if said else ""


def signs_finding(figures: Figures) -> str:
    """That CJ's reversals carry the order discount without a minus; empty where none was seen to."""
    if not figures.discounts_without_minus:
        return ""
    with_minus = f", and {figures.discounts_with_minus:,} with one" if figures.discounts_with_minus else ""
    return (
        f"CJ gives the order discount without a minus in {counted(figures.discounts_without_minus, 'reversal')}{with_minus}. "
        "What a reversal takes back is read as taken back either way (cj.order_state)."
    )


def unchecked_finding(figures: Figures) -> str:
    """Of how many orders nothing but the order itself says whether the amount is right; empty where there are none."""
    count = figures.unchecked
    if not count:
        return ""
    return (
        f"{counted(count, 'matched order')} in a converted currency whose amount could not be checked: "
        "no other order shows at what rate CJ converts it yet (amount_checked in cj.reconciliation)."
    )


def older_finding(figures: Figures) -> str:
    """What is open of nights before those the report shows; empty where nothing is."""
    older = figures.older
    if not older.orders:
        return ""
    unknown = f", {older.unpriced:,} at an unknown cost" if older.unpriced else ""
    breaks = (
        f", {counted(older.breaks, 'break')} among them: {joined(older.at_risk)} commission and fee at risk{unknown}"
        if older.breaks
        else ""
    )
    return f"Still open from nights before these: {counted(older.orders, 'order')}{breaks}. See cj.reconciliation."


def nights_finding(figures: Figures) -> str:
    """In how many nights something broke, and in which most."""
    broken = [night for night in figures.nights if night.count(Status.MISSING, Status.MISMATCHED)]
    breaks = sum(night.count(Status.MISSING, Status.MISMATCHED) for night in broken)
    if not broken:
        return "No break in any of them."
    worst = max(broken, key=lambda night: night.count(Status.MISSING, Status.MISMATCHED))
    most = worst.count(Status.MISSING, Status.MISMATCHED)
    return f"{counted(breaks, 'break')} in {counted(len(broken), 'night')}; most on {worst.day:%b} {worst.day.day} ({most:,})."


def plain(word: str) -> str:
    """A word of a table for reading: `not_in_cj` -> `not in CJ`."""
    return word.replace("_", " ").replace(" cj", " CJ")


def is_locked(row: Break) -> bool:
    """CJ takes no correction any more."""
    return row.reason in (Reason.LOCKED, Reason.CLOSED) or (row.days_to_lock is not None and row.days_to_lock < 0)


def is_open_ended(row: Break) -> bool:
    """CJ locks it only once it is accepted; until then its locking date is 2099-12-31."""
    return row.locking_date is not None and lock_of(row.locking_date) is None


def lock_day(date: datetime, today: datetime) -> str:
    """`Nov 21`, with the year when it is not this year."""
    return f"{date:%b} {date.day}" + ("" if date.year == today.year else f" {date.year}")


def lock_words(row: Break) -> str:
    """The days left before CJ locks the order, in words."""
    if is_locked(row):
        return "locked"
    if is_open_ended(row):
        return "open"
    return "no date" if row.days_to_lock is None else f"{row.days_to_lock} d"


def _breaks_claim(figures: Figures) -> str:
    breaks = counted(figures.balance.breaks, "break")
    at_risk = [a for a in figures.at_risk if a.amount]
    money = f"{joined(tuple(at_risk))} commission and fee at risk" if at_risk else ""
    unknown = f"{figures.unpriced:,} at an unknown cost" if figures.unpriced else ""
    return f"{breaks}: {', '.join(filter(None, (money, unknown))) or 'no commission at risk'}."


def _lock_words(figures: Figures) -> str:
    soon: tuple[Amount, ...] = figures.at_risk_in("0-2")
    gone = figures.at_risk_in("locked")
    parts = []
    if any(a.amount for a in soon):
        parts.append(f"{joined(soon)} locks within two days")
    if any(a.amount for a in gone):
        parts.append(f"{joined(gone)} is locked already")
    return "; ".join(parts) + "." if parts else ""
