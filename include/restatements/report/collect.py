"""Reads a report's figures from the warehouse: a few aggregating statements (`include/sql/report_*.sql`), never all rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from include.domain.money import ZERO, exact_sum, money
from include.domain.states import BREAKS, Status
from include.restatements.report.figures import (
    LOCK_BUCKETS,
    STATUS_ORDER,
    TOP_BREAKS,
    Amount,
    Balance,
    Break,
    BreakReason,
    Figures,
    Lag,
    LockBucket,
    Night,
    Older,
    Quarantined,
    Sent,
    StatusLine,
    amounts_by_currency,
)
from include.sql import filled
from include.warehouse.base import Session

NIGHTS = 30
_DETAIL_LENGTH = 300
_ADDRESS = re.compile(r"\S+@\S+")


def collect(
    session: Session,
    *,
    checked_at: datetime,
    run_ids: Collection[str] | None = None,
    currencies: Mapping[str, str] | None = None,
    top: int = TOP_BREAKS,
) -> Figures:
    """The figures about `run_ids`, as the tables stand at `checked_at` (aware, CJ's time).

    Without `run_ids`: of the last thirty nights, the runs that this reconciliation looked at or that have anything open, and the newest one. What is
    open of nights before them is told in one sum. `currencies` names each advertiser's own currency (`Account.currency` by `advertiser_id`); without it
    commission at risk carries no currency. Raises what the session raises.
    """
    with session.transaction():
        figures = _collect(session, checked_at, run_ids, currencies or {}, top)
        session.execute("DELETE FROM cj.report_elsewhere")
    return figures


def _collect(session: Session, checked_at: datetime, run_ids: Collection[str] | None, own: Mapping[str, str], top: int) -> Figures:
    since = first_night(checked_at)
    runs = tuple(sorted(run_ids)) if run_ids is not None else _runs(session, checked_at, since)
    _gather(session, runs)
    verdicts, sent = _of_runs(session, "report_status", runs), _of_runs(session, "report_sent", runs)
    checked = _rows(session, "report_checked", checked_at=checked_at)
    aside = _rows(session, "report_set_aside")[0]
    signs = _rows(session, "report_discount_signs", since=since)[0]
    return Figures(
        checked_at=checked_at.astimezone(UTC),
        data_as_of=_instant(_rows(session, "report_freshness")[0]["complete_until"]),
        reconciliation_run_id=str(checked[0]["reconciliation_run_id"]) if checked else None,
        run_ids=runs,
        balance=_balance(next(int(row["orders"]) for row in sent if row["mode"] is None), verdicts),
        statuses=_statuses(verdicts, own),
        break_reasons=_break_reasons(verdicts, own),
        breaks=tuple(_break(row, own) for row in _of_runs(session, "report_breaks", runs, top=top)),
        locks=_locks(session, runs, checked_at, own),
        lag=_lag(session, runs),
        sent=tuple(
            Sent(str(row["mode"]), str(row["operation"]), str(row["outcome"]), int(row["orders"]))
            for row in sent
            if row["mode"] is not None
        ),
        refused=tuple((without_addresses(row["message"]), int(row["orders"])) for row in _of_runs(session, "report_refused", runs, top=10)),
        quarantined=_quarantined(_of_runs(session, "report_quarantined", runs), own),
        skipped=tuple((str(row["reason"]), int(row["orders"])) for row in _of_runs(session, "report_skipped", runs)),
        nights=_nights(_rows(session, "report_nights", since=since), own),
        older=_older(_of_runs(session, "report_older", runs, since=since), own),
        other_basis_matches_all=bool(checked and checked[0]["other_basis_matches_all"]),
        set_aside=int(aside["set_aside"]),
        changed=int(aside["changed"]),
        discounts_with_minus=int(signs["with_minus"]),
        discounts_without_minus=int(signs["without_minus"]),
    )


def _runs(session: Session, checked_at: datetime, since: datetime) -> tuple[str, ...]:
    return tuple(str(row["run_id"]) for row in _rows(session, "report_runs", checked_at=checked_at, since=since))


def _gather(session: Session, runs: tuple[str, ...]) -> None:
    """Fills cj.report_elsewhere: what of the runs is not found by the run of its verdict."""
    session.execute("DELETE FROM cj.report_elsewhere")
    session.execute(*_about(runs, "report_elsewhere"))


def _of_runs(session: Session, name: str, runs: tuple[str, ...], **params: object) -> list[dict[str, Any]]:
    """The rows of a statement about some runs."""
    sql, bound = _about(runs, name)
    return [dict(row) for row in session.rows(sql, bound | params)]


def _rows(session: Session, name: str, **params: object) -> list[dict[str, Any]]:
    return [dict(row) for row in session.rows(filled(name), params)]


def _about(runs: tuple[str, ...], name: str) -> tuple[str, dict[str, object]]:
    """A statement and its parameters. `(:runs)` becomes one parameter a run; values are bound by the driver, never written in."""
    bound: dict[str, object] = {f"run_{number}": run for number, run in enumerate(runs or ("",))}
    names = ", ".join(f":{name}" for name in bound)
    return filled(name).replace("(:runs)", f"({names})"), bound


def _balance(sent: int, verdicts: list[dict[str, Any]]) -> Balance:
    def orders(*statuses: str | None) -> int:
        return sum(int(row["orders"]) for row in verdicts if row["status"] in statuses)

    return Balance(
        sent=sent,
        matched=orders(Status.MATCHED),
        waiting=orders(Status.AWAITING, Status.LATE),
        breaks=orders(*BREAKS),
        superseded=orders(Status.SUPERSEDED),
        unchecked=orders(None),
    )


def _statuses(verdicts: list[dict[str, Any]], own: Mapping[str, str]) -> tuple[StatusLine, ...]:
    lines: dict[tuple[str, str], StatusLine] = {}
    for row in verdicts:
        if row["status"] is None:
            continue
        key = (str(row["status"]), _currency(row, own))
        so_far = lines.get(key, StatusLine(*key, 0, ZERO, ZERO, ZERO, 0, 0))
        lines[key] = StatusLine(
            *key,
            so_far.orders + int(row["orders"]),
            exact_sum([so_far.submitted, _amount(row["submitted"])]),
            exact_sum([so_far.posted, _amount(row["posted"])]),
            exact_sum([so_far.difference, _amount(row["difference"])]),
            so_far.not_compared + int(row["not_compared"]),
            so_far.within_band + int(row["within_band"]),
            so_far.unchecked + int(row["unchecked"]),
        )
    ranks = {str(status): rank for rank, status in enumerate(STATUS_ORDER)}
    return tuple(sorted(lines.values(), key=lambda line: (ranks.get(line.status, len(ranks)), line.currency)))


def _break_reasons(verdicts: list[dict[str, Any]], own: Mapping[str, str]) -> tuple[BreakReason, ...]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in verdicts:
        if row["status"] in BREAKS:
            groups.setdefault((str(row["status"]), str(row["reason"] or "unknown")), []).append(row)
    reasons = [
        BreakReason(
            *key,
            orders=sum(int(row["orders"]) for row in rows),
            at_risk=amounts_by_currency(_own_amount(row, "at_risk", own) for row in rows),
            unpriced=sum(int(row["unpriced"]) for row in rows),
        )
        for key, rows in groups.items()
    ]
    return tuple(sorted(reasons, key=lambda r: (-max(a.amount for a in r.at_risk), -r.orders, r.status, r.reason)))


def _break(row: Mapping[str, Any], own: Mapping[str, str]) -> Break:
    currency = _currency(row, own)

    def amount(column: str, unit: str) -> Amount | None:
        return None if row[column] is None else Amount(unit, _amount(row[column]))

    return Break(
        action_tracker_id=int(row["action_tracker_id"]),
        order_id=str(row["order_id"]),
        operation=str(row["operation"]),
        status=str(row["status"]),
        reason=str(row["reason"] or "unknown"),
        submitted=amount("submitted_amount", currency),
        posted=amount("posted_amount", currency),
        difference=amount("difference", currency),
        submitted_at=row["submitted_at"].astimezone(UTC),
        locking_date=_instant(row["locking_date"]),
        days_to_lock=None if row["days_to_lock"] is None else int(row["days_to_lock"]),
        at_risk=amount("commission_at_risk", own.get(str(row["advertiser_id"]), "")),
        attempts=int(row["attempts"]),
    )


def _locks(session: Session, runs: tuple[str, ...], checked_at: datetime, own: Mapping[str, str]) -> tuple[LockBucket, ...]:
    spans = {"in_two_days": 2, "in_a_week": 7, "in_two_weeks": 14, "in_thirty_days": 30}
    moments = {name: checked_at + timedelta(days=days) for name, days in spans.items()}
    rows = _of_runs(session, "report_locks", runs, checked_at=checked_at, **moments)
    buckets = []
    for days in LOCK_BUCKETS:
        mine = [row for row in rows if row["bucket"] == days]
        if mine:
            at_risk = amounts_by_currency(_own_amount(row, "at_risk", own) for row in mine)
            buckets.append(LockBucket(days, sum(int(row["orders"]) for row in mine), at_risk))
    return tuple(buckets)


def _lag(session: Session, runs: tuple[str, ...]) -> Lag | None:
    rows = _of_runs(session, "report_lag", runs)
    row = next(row for row in rows if row["bin"] is None)
    if not row["orders"]:
        return None
    bins = tuple((int(r["bin"]), int(r["orders"])) for r in rows if r["bin"] is not None)
    # To the millisecond: beyond it warehouses interpolate differently.
    p50, p90, p99, longest = (round(row[name], 3) for name in ("p50", "p90", "p99", "longest"))
    return Lag(int(row["orders"]), p50, p90, p99, longest, bins)


def _quarantined(rows: list[dict[str, Any]], own: Mapping[str, str]) -> tuple[Quarantined, ...]:
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((str(row["stage"]), str(row["rule"] or ""), str(row["reason"])), []).append(row)
    groups_found = []
    for key, mine in groups.items():
        cost = amounts_by_currency(_own_amount(row, "cost", own) for row in mine if row["cost"] is not None)
        details = sorted(str(row["detail"]) for row in mine if row["detail"])
        groups_found.append(
            Quarantined(*key, sum(int(row["orders"]) for row in mine), cost, without_addresses(details[0]) if details else "")
        )
    return tuple(sorted(groups_found, key=lambda h: (-max((a.amount for a in h.cost), default=ZERO), -h.orders, h.stage, h.reason, h.rule)))


def _nights(rows: list[dict[str, Any]], own: Mapping[str, str]) -> tuple[Night, ...]:
    days: dict[date, dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        days.setdefault(row["day"], {}).setdefault(str(row["status"]), []).append(row)
    return tuple(
        Night(
            day,
            tuple((status, sum(int(row["orders"]) for row in mine)) for status, mine in sorted(by_status.items())),
            tuple(
                (status, amounts_by_currency(Amount(_currency(row, own), _amount(row["submitted"])) for row in mine))
                for status, mine in sorted(by_status.items())
            ),
        )
        for day, by_status in sorted(days.items())
    )


def _older(rows: list[dict[str, Any]], own: Mapping[str, str]) -> Older:
    broken = [row for row in rows if row["status"] in BREAKS]
    return Older(
        orders=sum(int(row["orders"]) for row in rows),
        breaks=sum(int(row["orders"]) for row in broken),
        at_risk=amounts_by_currency(_own_amount(row, "at_risk", own) for row in broken),
        unpriced=sum(int(row["unpriced"]) for row in broken),
    )


def without_addresses(text: str) -> str:
    """CJ's words may quote what was sent; anything that looks like a mail address is taken out. A long text is cut after a word."""
    hidden = _ADDRESS.sub("[hidden]", str(text))
    return hidden if len(hidden) <= _DETAIL_LENGTH else f"{hidden[: _DETAIL_LENGTH - 1].rsplit(' ', 1)[0]}…"


def _currency(row: Mapping[str, Any], own: Mapping[str, str]) -> str:
    return str(row["currency"] or own.get(str(row["advertiser_id"]), ""))


def _own_amount(row: Mapping[str, Any], column: str, own: Mapping[str, str]) -> Amount:
    return Amount(own.get(str(row["advertiser_id"]), ""), _amount(row[column]))


def _amount(value: Any) -> Decimal:
    """A sum from the driver, which may hand a numeric over as text; no row is zero."""
    return ZERO if value is None else money(value)


def _instant(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


def first_night(checked_at: datetime) -> datetime:
    """When the oldest of the nights began that a report at `checked_at` is about."""
    return _midnight(checked_at) - timedelta(days=NIGHTS - 1)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
