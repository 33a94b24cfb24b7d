"""What is so now, and somebody must know of: from the tables, and from what the edge knows of Airflow and of CJ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from include.domain.errors import RestatementsError
from include.domain.locking import lock_of
from include.domain.money import ZERO, exact_sum, money, money_text
from include.domain.states import CaseState
from include.restatements.notices.kinds import Notice, NoticeKind, notice
from include.restatements.report.collect import first_night
from include.restatements.settings import Settings
from include.sql import filled
from include.warehouse.base import Session


@dataclass(frozen=True)
class LastNight:
    """Last night's runs as Airflow has them: how many there are, and in which state."""

    begins: datetime
    """Where its data interval begins: the night's name."""
    due_at: datetime
    runs: int
    succeeded: int
    failed: int


def of_the_night(night: LastNight, night_hours: float, now: datetime, had_nights: bool, page: str) -> list[Notice]:
    """At most one: a night that failed, or is late, or never began. `now` is of the clock that `due_at` is of."""
    name, over = f"{night.begins:%Y-%m-%d}", now >= night.due_at + timedelta(hours=night_hours)
    running = night.runs - night.succeeded - night.failed
    if night.succeeded:
        return []
    if night.failed and not running:
        return [notice(NoticeKind.NIGHT_FAILED, name, f"The night of {name} failed", f"The run of the orders of {name} failed.", page)]
    if over and running:
        words = f"The run of the orders of {name} was due at {night.due_at:%H:%M} UTC and is not finished {night_hours:g} hours later."
        return [notice(NoticeKind.NIGHT_LATE, name, f"The night of {name} is not finished", words, page)]
    if over and had_nights and not night.runs:
        words = f"There is no run of the orders of {name}, which was due at {night.due_at:%H:%M} UTC."
        return [notice(NoticeKind.NIGHT_ABSENT, name, f"The night of {name} never began", words, page)]
    return []


def had_nights(session: Session) -> bool:
    """Whether there was ever a plan: a package that was just set up has missed no night."""
    return session.rows("SELECT COUNT(*) AS n FROM (SELECT plan_number FROM cj.plans LIMIT 1) AS p") != [{"n": 0}]


def waiting_approvals(session: Session) -> list[dict[str, object]]:
    """The questions without an answer: run_id, question, plan_digest, at_stake, reasons."""
    return session.rows(
        "SELECT run_id, question, plan_digest, at_stake, reasons FROM cj.approvals WHERE answer IS NULL ORDER BY run_id, question"
    )


def of_approvals(waiting: Iterable[Mapping[str, object]], page_of: Mapping[str, str]) -> list[Notice]:
    """One for each question that waits. `page_of`: run id → its page."""
    return [
        notice(
            NoticeKind.APPROVAL_WAITS,
            f"{row['run_id']}, question {row['question']}",
            f"A night waits for your answer: {money_text(money(str(row['at_stake'])))} at stake",
            f"Plan {row['plan_digest']} of run {row['run_id']} waits. {row['reasons']}",
            page_of[str(row["run_id"])],
        )
        for row in waiting
    ]


def breaks_now(session: Session, now: datetime) -> list[dict[str, object]]:
    """The breaks of the last thirty nights before `now` (CJ's time), dearest first."""
    return session.rows(filled("notices_breaks"), {"since": first_night(now)})


def locks_now(session: Session, settings: Settings, now: datetime) -> list[dict[str, object]]:
    """The breaks that lock within `notice_lock_days` of `now` (CJ's time), whenever they were sent, dearest first."""
    return session.rows(filled("notices_locks"), {"now": now, "until": now + timedelta(days=settings.notice_lock_days)})


def of_breaks(breaks: Sequence[Mapping[str, object]], settings: Settings, page_of: Callable[[str, int, str], str]) -> list[Notice]:
    """One for each that has more at risk than the limit. `page_of`: an order's page by its key."""
    return [
        notice(
            NoticeKind.BREAK_ABOVE,
            f"{row['enterprise_id']}/{row['action_tracker_id']}/{row['order_id']}, {row['updated_at']:%Y-%m-%d %H:%M:%S.%f}",
            f"Order {row['order_id']} is {row['status']}: {money_text(risk)} at risk",
            f"Order {row['order_id']} of enterprise {row['enterprise_id']} is {row['status']} at CJ, reason {row['reason']}: {money_text(risk)} is at risk. "
            f"{_locks(row)}",
            page_of(str(row["enterprise_id"]), int(str(row["action_tracker_id"])), str(row["order_id"])),
        )
        for row in breaks
        if (risk := _risk(row)) is not None and settings.notice_break_above is not None and risk > settings.notice_break_above
    ]


def of_locks(breaks: Sequence[Mapping[str, object]], settings: Settings, now: datetime, page: str) -> list[Notice]:
    """One for each account and lock date that nears with a break open (`locks_now`). `now` is CJ's time."""
    until, found = now + timedelta(days=settings.notice_lock_days), dict[tuple[str, str], list[Mapping[str, object]]]()
    for row in breaks:
        locks = row["locking_date"]
        if isinstance(locks, datetime) and now < locks <= until:
            found.setdefault((str(row["enterprise_id"]), f"{locks:%Y-%m-%d %H:%M}"), []).append(row)
    return [_lock(enterprise, locks, rows, page) for (enterprise, locks), rows in found.items()]


def _lock(enterprise: str, locks: str, rows: Sequence[Mapping[str, object]], page: str) -> Notice:
    known = [risk for row in rows if (risk := _risk(row)) is not None]
    at_risk, unknown = money_text(exact_sum([ZERO, *known])), len(rows) - len(known)
    more = f", and an amount that is not known of {unknown} of them" if unknown else ""
    return notice(
        NoticeKind.LOCK_NEARS,
        f"{enterprise}, {locks}",
        f"{len(rows)} wrong order{'' if len(rows) == 1 else 's'} lock{'s' if len(rows) == 1 else ''} at {locks} UTC: {at_risk} at risk",
        f"CJ locks {len(rows)} order{'' if len(rows) == 1 else 's'} of enterprise {enterprise} at {locks} UTC that it does not hold as the warehouse says. {at_risk} is at "
        f"risk{more}. The dearest: {', '.join(str(row['order_id']) for row in rows[:5])}.",
        page,
    )


def of_the_watch(error: Exception, page: str) -> Notice:
    """The watch itself cannot look. Only our own errors are shown in their words: what others say may hold what nobody is to read."""
    name = type(error).__name__
    words = str(error) if isinstance(error, RestatementsError) else f"It ended with {name}."
    return notice(NoticeKind.WATCH_BLIND, name, "The hourly watch cannot look", words, page)


def of_accounts(refused: Mapping[str, str], page: str) -> list[Notice]:
    """One for each account whose token is refused: connection id → CJ's words as a sentence."""
    return [
        notice(NoticeKind.ACCOUNT_REFUSED, conn_id, f"CJ refuses the token of account {conn_id}", f"Connection {conn_id!r}: {words}", page)
        for conn_id, words in refused.items()
    ]


def of_cases(cases: Iterable[Mapping[str, object]], now: datetime, page_of: Callable[[str], str]) -> list[Notice]:
    """At most one for each row of cj.cases: CJ's answer is late, or the case closes by itself within a day. `page_of`: case id → its page."""
    found = []
    for row in cases:
        late, closes = _moment(row["due_late"] or row["due_early"]), _moment(row["closes_at"])
        name, page = f"{row['case_number']}", page_of(str(row["case_id"]))
        what = f"case {name} ({row['subject']})"
        if row["state"] == CaseState.FILED.value and late is not None and late <= now:
            words = f"CJ's answer to {what} was due at {late:%Y-%m-%d %H:%M} UTC at the latest. {row['line']}."
            found.append(
                notice(NoticeKind.CASE_DUE, f"{name}, answer of {late:%Y-%m-%d %H:%M}", f"CJ's answer to case {name} is late", words, page)
            )
        elif row["state"] == CaseState.ANSWERED.value and closes is not None and now < closes <= now + timedelta(days=1):
            words = f"CJ has answered {what}, and nobody has replied: it closes by itself at {closes:%Y-%m-%d %H:%M} UTC."
            found.append(
                notice(NoticeKind.CASE_DUE, f"{name}, closes {closes:%Y-%m-%d %H:%M}", f"Case {name} closes by itself soon", words, page)
            )
    return found


def _moment(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _risk(row: Mapping[str, object]) -> Decimal | None:
    return None if row["commission_at_risk"] is None else money(str(row["commission_at_risk"]))


def _locks(row: Mapping[str, object]) -> str:
    locks = lock_of(_moment(row["locking_date"]))
    return "No day is set for its lock." if locks is None else f"It locks at {locks:%Y-%m-%d %H:%M} UTC."
