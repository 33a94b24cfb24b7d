"""The verb: a partner's log is loaded, joined with CJ's records of the publisher, judged, and stated.

It reads the ledger as it is and asks CJ nothing: cj_commission_ledger keeps that up to date. Everything within the window is judged anew each time; what is
older keeps its last verdict. Repeating it changes nothing but the time it was checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from include.domain.partners import Grain
from include.domain.shapes import INSTANT
from include.partners import rules
from include.partners.calendar import PAYMENT_SOURCE, LockingMonth, locking_month, next_month
from include.partners.loading import LOCK, Loaded, load
from include.partners.mapping import PartnerMapping
from include.partners.statement import html
from include.partners.views import differences, differences_csv, statements, statements_csv, to_send, to_send_csv
from include.sql import filled
from include.storage.opening import folder
from include.warehouse.base import Params, Session, WarehouseLocation, open_warehouse

FOLDER = "cj_restatements/partners"
LONGEST_TO_LOCK = timedelta(days=200)
"""How long before its lock a record may have been posted; an extended monthly cycle takes two months."""


@dataclass(frozen=True)
class PartnerReconciled:
    """One round: what was loaded, verdicts by word (of orders, and apart of months), where the files are."""

    loaded: Loaded
    orders: dict[str, int]
    months: dict[str, int]
    files: str


def reconcile_partner(
    mapping: PartnerMapping,
    location: WarehouseLocation,
    run_id: str,
    *,
    storage: str,
    storage_conn_id: str | None = None,
    payment_day: int = 1,
    days: int = 120,
    now: datetime | None = None,
) -> PartnerReconciled:
    """Bring one partner's tables and files up to date, over the last `days`.

    Raises SettingError for a mapping that does not fit, StorageError, WarehouseError. What was loaded by then stays loaded.
    """
    now = now or datetime.now(UTC)
    since = (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    with open_warehouse(location) as session:
        session.create_tables()
    loaded = load(mapping, location, since)
    with open_warehouse(location) as session:
        with session.transaction():
            session.serialize(LOCK)
            counts = _judge(session, mapping, run_id, since, now, payment_day)
        return PartnerReconciled(loaded, counts[Grain.ORDER], counts[Grain.MONTH], _write(session, mapping, storage, storage_conn_id, now))


def _judge(
    session: Session, mapping: PartnerMapping, run_id: str, since: datetime, now: datetime, payment_day: int
) -> dict[str, dict[str, int]]:
    """The verdicts and the statements, inside the caller's transaction. Returns how many of each verdict, by grain."""
    for table in ("partner_rows", "partner_calendar", "partner_verdicts"):
        session.execute(f"DELETE FROM cj.{table}")
    params = _params(mapping, run_id, since, now)
    session.execute(filled("partner_rows"), params)
    session.append("cj.partner_calendar", _calendar(session, mapping, params, payment_day))
    session.analyze("cj.partner_rows", "cj.partner_calendar")
    known = _known_until(session, mapping, now)
    if known is not None:
        begins = max(since, mapping.starts or _first_day(session, mapping))
        if mapping.grain is Grain.ORDER:
            session.execute(rules.order_verdicts_sql(), params | _of_the_log(mapping, begins, known, now))
        if mapping.by_month:
            session.execute(rules.month_verdicts_sql(), params | _of_the_months(mapping, begins, known))
    session.analyze("cj.partner_verdicts")
    counts = _counts(session)
    session.execute("DELETE FROM cj.partner_reconciliation WHERE publisher_id = :publisher_id AND happened_at >= :since", params)
    session.execute(
        "DELETE FROM cj.partner_reconciliation WHERE publisher_id = :publisher_id AND unit IN (SELECT v.unit FROM cj.partner_verdicts AS v)",
        params,
    )
    session.execute("INSERT INTO cj.partner_reconciliation SELECT * FROM cj.partner_verdicts")
    session.execute(
        "DELETE FROM cj.partner_statements WHERE publisher_id = :publisher_id AND "
        "(locking_month = 'not set' OR locking_month >= :first_month)",
        params | {"first_month": f"{_month_of(since):%Y-%m}"},
    )
    session.execute(filled("partner_statements"), params)
    for table in ("partner_rows", "partner_calendar", "partner_verdicts"):
        session.execute(f"DELETE FROM cj.{table}")
    return counts


def _params(mapping: PartnerMapping, run_id: str, since: datetime, now: datetime) -> dict[str, object]:
    return {
        "publisher_id": mapping.publisher_id,
        "partner": mapping.name,
        "currency": mapping.currency,
        "run_id": run_id,
        "now": now,
        "since": since,
        "locks_since": _month_of(since),
        "reconciled_by": "month" if mapping.by_month else "order",
        "payable_source": PAYMENT_SOURCE,
        "credit_source": mapping.credit_source,
    }


def _calendar(session: Session, mapping: PartnerMapping, params: Params, payment_day: int) -> pa.Table:
    """cj.partner_calendar: each month in which a record of the publisher locks, and what follows from it."""
    found = session.rows(filled("partner_months_locking"), {**params, "locks_since": _longest_ago(params)})
    months: list[LockingMonth] = [
        locking_month(begins, payment_day, mapping.credited_after) for row in found if isinstance(begins := row["begins"], datetime)
    ]
    columns = ("begins", "payable_on", "credit_from", "credit_until")
    dates = {name: pa.array([getattr(month, name) for month in months], INSTANT) for name in columns}
    return pa.table({**dates, "label": pa.array([month.label for month in months], pa.string())})


def _longest_ago(params: Params) -> datetime:
    since = params["since"]
    assert isinstance(since, datetime)
    return _month_of(since - timedelta(days=366))


def _known_until(session: Session, mapping: PartnerMapping, now: datetime) -> datetime | None:
    """Up to when the partner's log is known to be whole, `late_days` before where it reaches. None where there is no log.

    A query and the receiver reach the present. A file reaches its newest row, or the moment it was loaded, as `reaches` of the mapping says.
    """
    mine: Params = {"publisher_id": mapping.publisher_id}
    newest = session.rows("SELECT MAX(occurred_at) AS newest FROM cj.partner_log WHERE publisher_id = :publisher_id", mine)[0]["newest"]
    if not isinstance(newest, datetime):
        return None
    loads = session.rows(
        "SELECT source, MAX(loaded_at) AS loaded_at FROM cj.partner_loads WHERE publisher_id = :publisher_id GROUP BY source", mine
    )
    reaches = now
    if not mapping.sql and not any(str(row["source"]).endswith(".jsonl") for row in loads):
        loaded = max((at for row in loads if isinstance(at := row["loaded_at"], datetime)), default=now)
        month_over = next_month(_month_of(newest)) if mapping.grain is Grain.MONTH else newest
        reaches = min(now, loaded if mapping.reaches == "loaded" else month_over)
    return reaches - timedelta(days=0 if mapping.grain is Grain.MONTH else mapping.late_days)


def _of_the_log(mapping: PartnerMapping, begins: datetime, known: datetime, now: datetime) -> dict[str, object]:
    """From when the log speaks of orders, and from when on the other side may still follow."""
    return {
        "log_begins": begins,
        "log_has_ids": mapping.has_ids,
        "partner_known_until": known,
        "cj_known_until": now - timedelta(days=mapping.late_days),
    }


def _first_day(session: Session, mapping: PartnerMapping) -> datetime:
    found = session.rows(
        "SELECT MIN(occurred_at) AS first FROM cj.partner_log WHERE publisher_id = :publisher_id", {"publisher_id": mapping.publisher_id}
    )[0]["first"]
    assert isinstance(found, datetime)
    return found.replace(hour=0, minute=0, second=0, microsecond=0)


def _of_the_months(mapping: PartnerMapping, begins: datetime, known: datetime) -> dict[str, object]:
    """The whole months there are: none that began before the window, or the log, and none that is not over."""
    first = _month_of(begins) if begins.day == 1 else next_month(_month_of(begins))
    back = LONGEST_TO_LOCK if mapping.month_of == "locking" else timedelta(0)
    return {"months_since": first, "months_until": _month_of(known), "month_of": mapping.month_of, "records_since": first - back}


def _month_of(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, 1, tzinfo=UTC)


def _counts(session: Session) -> dict[str, dict[str, int]]:
    """How many of each verdict there are in this round, by grain."""
    counts: dict[str, dict[str, int]] = {grain: {} for grain in Grain}
    for row in session.rows(
        "SELECT grain, verdict, COUNT(*) AS found FROM cj.partner_verdicts GROUP BY grain, verdict ORDER BY grain, verdict"
    ):
        counts[str(row["grain"])][str(row["verdict"])] = int(str(row["found"]))
    return counts


def _write(session: Session, mapping: PartnerMapping, storage: str, conn_id: str | None, now: datetime) -> str:
    """The files of the round, the newest in place of those before: the statement, the differences, what to send. Returns where they are."""
    target = folder(storage, conn_id).below(f"{FOLDER}/{mapping.publisher_id}")
    stated, differ, send = (
        statements(session, mapping.publisher_id),
        differences(session, mapping.publisher_id),
        to_send(session, mapping.publisher_id),
    )
    contents: Mapping[str, bytes] = {
        "to_send.csv": to_send_csv(send),
        "differences.csv": differences_csv(differ),
        "statement.csv": statements_csv(stated),
        "statement.html": html(mapping, stated, differ, send, now),
    }
    for name, content in contents.items():
        target.write(name, content)
    return target.url
