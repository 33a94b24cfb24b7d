"""What people are told of. Told here and nowhere else: the messages, docs/notices.md and the tests come from this table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NoticeKind(StrEnum):
    """A state of things that somebody must know of. It is told when it begins, and not again before it has ended."""

    NIGHT_FAILED = "night_failed"
    """Last night's run failed: what it did not send is not at CJ."""
    NIGHT_LATE = "night_late"
    """Last night's run is not finished by its hour: its corrections may miss a lock."""
    NIGHT_ABSENT = "night_absent"
    """Last night's run never began: nothing of that day is at CJ."""
    APPROVAL_WAITS = "approval_waits"
    """A person must answer, or nothing of that night is sent."""
    BREAK_ABOVE = "break_above"
    """An order that costs more than the limit is not at CJ as it should be."""
    LOCK_NEARS = "lock_nears"
    """CJ locks orders soon that are wrong: after it they are paid so, for good."""
    ACCOUNT_REFUSED = "account_refused"
    """CJ refuses an account's token: nothing of it is sent or read."""
    CASE_DUE = "case_due"
    """CJ's support owes an answer, or a case closes by itself soon: what it is about goes on costing."""

    WATCH_BLIND = "watch_blind"
    """The watch cannot read its settings or the warehouse: what it would tell is told to nobody."""


@dataclass(frozen=True)
class Told:
    """When a kind is told, and what to do about it. `settings` are the fields of Settings it asks."""

    when: str
    advice: str
    settings: tuple[str, ...] = ()


KINDS: dict[NoticeKind, Told] = {
    NoticeKind.NIGHT_FAILED: Told(
        "last night's run of cj_restatements has failed, and no other run of that night is on its way or done",
        "The failed task's log ends with what and what to do. Nothing that was answered is sent again.",
    ),
    NoticeKind.NIGHT_LATE: Told(
        "last night's run is on its way `night_hours` after it was due",
        "Look which task it is in: it may wait for a person, or for CJ to come back.",
        ("night_hours",),
    ),
    NoticeKind.NIGHT_ABSENT: Told(
        "there is no run of last night `night_hours` after it was due, and there have been nights before",
        "Look whether the DAG is paused and the scheduler runs. A backfill of that one day makes up for it.",
        ("night_hours",),
    ),
    NoticeKind.APPROVAL_WAITS: Told(
        "a question of `approve` has no answer yet", "Read the plan, then approve or reject it. Without an answer nothing of it is sent."
    ),
    NoticeKind.BREAK_ABOVE: Told(
        "a break of the last thirty nights has more than `notice_break_above` at risk",
        "The reconciliation's report says why, and what to do.",
        ("notice_break_above",),
    ),
    NoticeKind.LOCK_NEARS: Told(
        "orders that are breaks lock within `notice_lock_days`: an account and lock date together",
        "What is not right at CJ by then is paid so. Settle the dearest first; for what CJ dropped, open a case with its support.",
        ("notice_lock_days",),
    ),
    NoticeKind.ACCOUNT_REFUSED: Told(
        "CJ refuses the account's token",
        "Make a new personal access token at CJ and put it into the connection's password. What waits is sent by the next night.",
    ),
    NoticeKind.CASE_DUE: Told(
        "a case has had no answer by the late reading of 72 business hours (by the early one, where the hours of the desk are not known); or an answered case closes by itself within a day",
        "Look into My Cases in CJ's Support Center, reply or call, and enter what happened on the case's page or with `include.commands.cases`.",
    ),
    NoticeKind.WATCH_BLIND: Told(
        "the watch cannot read its settings, the warehouse or the storage; of last night it then tells what Airflow alone knows",
        "Task watch's log says what and what to do. The night's own tasks most likely meet the same.",
    ),
}
"""Every kind has its row."""


@dataclass(frozen=True)
class Notice:
    """One state of things that is so now. `about` names it among its kind; two at different times with the same name are the same."""

    kind: NoticeKind
    about: str
    subject: str
    words: str
    page: str
    """The address of the page to look at."""


def notice(kind: NoticeKind, about: str, subject: str, words: str, page: str) -> Notice:
    """With the advice of its kind."""
    return Notice(kind, about, subject, f"{words} {KINDS[kind].advice}", page)
