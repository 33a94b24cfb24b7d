"""What several pages ask: the accounts, the newest reconciliation, and how old what is read may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from include.restatements.report.collect import first_night
from include.restatements.report.figures import Figures
from include.restatements.report.kept import figures_of
from include.sql import filled
from include.warehouse.base import Session
from include.web.reading import age_of

_FAR = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Account:
    """One connection to CJ, as the last task that asked it left it."""

    conn_id: str
    enterprise_id: str
    advertiser_id: str
    currency: str
    mode: str
    reached: bool
    """Whether CJ took its token and answered to the end, when it was asked last."""
    said: str | None
    """Why not."""
    since: datetime
    """Since when it stands like this."""
    last_success: datetime | None
    """When its ledger was read last."""
    fresh_until: datetime | None
    """CJ's time: every record posted up to then is in the ledger."""


@dataclass(frozen=True)
class Freshness:
    """Of which moment a page is."""

    checked_at: datetime | None
    """The newest reconciliation's."""
    data_as_of: datetime | None
    """CJ's time: everything posted up to then was read, of the account furthest behind."""
    copy_left_at: datetime | None
    """Where a copy of the warehouse is read: when the last finished task left it."""
    copy_age_seconds: int | None


@dataclass(frozen=True)
class Round:
    """One reconciliation with its figures."""

    run_id: str
    checked_at: datetime
    figures: Figures
    report: str


def accounts(session: Session) -> tuple[Account, ...]:
    """Every account that was ever asked."""
    return tuple(
        Account(
            str(row["conn_id"]),
            str(row["enterprise_id"]),
            str(row["advertiser_id"]),
            str(row["currency"]),
            str(row["mode"]),
            bool(row["reached"]),
            None if row["said"] is None else str(row["said"]),
            row["seen_at"],
            row["read_at"],
            row["complete_until"],
        )
        for row in rows(session, "page_accounts")
    )


def rows(session: Session, name: str, /, asked: frozenset[str] = frozenset(), **params: Any) -> list[dict[str, Any]]:
    """The rows of one of the pages' statements; `asked` names the filters its text is made with."""
    return [dict(row) for row in session.rows(filled(name, asked=asked), params)]


def own_currencies(session: Session) -> dict[str, str]:
    """Each advertiser's currency."""
    return {account.advertiser_id: account.currency for account in accounts(session)}


def newest_round(session: Session, before: datetime = _FAR) -> Round | None:
    """The newest reconciliation up to then whose figures were kept."""
    for row in rows(session, "page_round", before=before):
        figures = figures_of(row["figures"])
        if figures is not None:
            return Round(str(row["reconciliation_run_id"]), row["checked_at"], figures, str(row["report"] or ""))
    return None


def a_night_before(session: Session, this: Round) -> Round | None:
    """The last reconciliation of the night before this one."""
    return newest_round(session, this.checked_at - timedelta(hours=20))


def freshness(session: Session, now: datetime) -> Freshness:
    """Of which moment the tables are."""
    found = rows(session, "page_freshness")[0]
    return Freshness(found["checked_at"], found["complete_until"], session.as_of, age_of(session, now))


def first_of_thirty(fresh: Freshness, now: datetime) -> datetime:
    """When the oldest of the last thirty nights began."""
    return first_night(fresh.checked_at or now)
