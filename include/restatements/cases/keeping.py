"""cj.cases, cj.case_orders and cj.case_events: what the journal has of a case that was filed, and a ready one as it is to be filed.

Whoever writes them is inside a transaction that holds LOCK.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from include.domain.money import money
from include.domain.shapes import INSTANT, MONEY
from include.domain.states import CaseAct, CaseState
from include.restatements.cases.desk import Calendar, Filing
from include.restatements.cases.events import CaseEvent, Standing, standing
from include.restatements.cases.kinds import CaseKind
from include.restatements.cases.pack import Pack
from include.warehouse.base import Session

LOCK = "cj.cases"
"""The name under which writers wait for each other (`Session.serialize`)."""

_TEXT, _WHOLE = pa.string(), pa.int64()

CASES = pa.schema(
    [
        ("case_id", _TEXT), ("kind", _TEXT), ("enterprise_id", _TEXT), ("advertiser_id", _TEXT), ("operation", _TEXT), ("reason", _TEXT), ("digest", _TEXT),
        ("subject", _TEXT), ("description", _TEXT), ("case_reason", _TEXT), ("sub_reason", _TEXT), ("cc", _TEXT), ("line", _TEXT), ("attachments", _TEXT),
        ("orders", _WHOLE), ("at_risk", MONEY), ("unpriced", _WHOLE), ("currency", _TEXT), ("first_lock", INSTANT), ("state", _TEXT), ("case_number", _TEXT),
        ("filed_by", _TEXT), ("filed_at", INSTANT), ("asked_at", INSTANT), ("due_usual", INSTANT), ("due_early", INSTANT), ("due_late", INSTANT),
        ("answered_at", INSTANT), ("closes_at", INSTANT), ("settled_at", INSTANT),
    ]
)  # fmt: skip
"""Rows of cj.cases."""

_ORDERS = pa.schema(
    [("case_id", _TEXT), ("enterprise_id", _TEXT), ("action_tracker_id", _WHOLE), ("order_id", _TEXT), ("updated_at", INSTANT)]
)
_EVENTS = pa.schema(
    [
        ("case_id", _TEXT),
        ("event", _WHOLE),
        ("act", _TEXT),
        ("happened_at", INSTANT),
        ("said_by", _TEXT),
        ("case_number", _TEXT),
        ("note", _TEXT),
    ]
)
_STANDING = ("state", "due_usual", "due_early", "due_late", "answered_at", "closes_at", "settled_at", "asked_at")

Row = dict[str, Any]


def cases(session: Session, *states: CaseState) -> list[Row]:
    """The cases in these states, in all without one."""
    wanted = [state.value for state in states or CaseState]
    names = ", ".join(f":state_{n}" for n in range(len(wanted)))
    bound = {f"state_{n}": state for n, state in enumerate(wanted)}
    return [dict(row) for row in session.rows(f"SELECT * FROM cj.cases WHERE state IN ({names}) ORDER BY case_id", bound)]


def case_row(session: Session, case_id: str) -> Row | None:
    """One case as the table has it."""
    found = session.rows("SELECT * FROM cj.cases WHERE case_id = :case_id", {"case_id": case_id})
    return dict(found[0]) if found else None


def named(session: Session, name: str) -> Row | None:
    """The case of this id, or of this number of CJ's."""
    found = case_row(session, name)
    if found is None and name:
        rows = session.rows("SELECT * FROM cj.cases WHERE case_number = :number", {"number": name})
        found = dict(rows[0]) if rows else None
    return found


def put(session: Session, pack: Pack, digest: str, filing: Filing, at: Standing) -> None:
    """The case as this pack has it, in place of what was there."""
    forget(session, pack.case_id)
    row = {
        "case_id": pack.case_id,
        "kind": pack.kind.value,
        "enterprise_id": pack.enterprise_id,
        "advertiser_id": pack.advertiser_id,
        "operation": pack.operation.value if pack.operation else None,
        "reason": pack.reason.value if pack.reason else None,
        "digest": digest,
        "subject": pack.subject,
        "description": pack.description,
        **form_of(filing),
        "attachments": msgspec.json.encode([{"name": one.name, "bytes": one.bytes} for one in pack.attachments]).decode(),
        "orders": len(pack.orders),
        "at_risk": None if pack.at_risk is None else money(pack.at_risk),
        "unpriced": pack.unpriced,
        "currency": pack.currency,
        "first_lock": pack.first_lock,
        "state": at.state.value,
        "case_number": at.number,
        **{name: value for name, value in asdict(at).items() if name not in ("state", "number")},
    }
    session.append("cj.cases", pa.Table.from_pylist([row], CASES))
    session.append(
        "cj.case_orders",
        pa.Table.from_pylist(
            [
                {
                    "case_id": pack.case_id,
                    "enterprise_id": pack.enterprise_id,
                    "action_tracker_id": one.action_tracker_id,
                    "order_id": one.order_id,
                    "updated_at": one.updated_at,
                }
                for one in pack.orders
            ],
            _ORDERS,
        ),
    )


def form_of(filing: Filing) -> dict[str, str | None]:
    """The fields of CJ's form that the settings say, as columns of cj.cases."""
    return {
        "case_reason": filing.case_reason,
        "sub_reason": filing.sub_reason,
        "cc": ", ".join(filing.cc) or None,
        "line": filing.line,
    }


def put_events(session: Session, case_id: str, events: Sequence[CaseEvent]) -> None:
    """All that happened to it, in place of what was there."""
    session.execute("DELETE FROM cj.case_events WHERE case_id = :case_id", {"case_id": case_id})
    rows = [
        {
            "case_id": case_id,
            "event": number,
            "act": one.act.value,
            "happened_at": one.at,
            "said_by": one.by,
            "case_number": one.number,
            "note": one.note,
        }
        for number, one in enumerate(events, 1)
    ]
    session.append("cj.case_events", pa.Table.from_pylist(rows, _EVENTS))


def known_events(session: Session, case_id: str) -> list[CaseEvent]:
    """What the table has of what happened to a case: enough to say how it stands."""
    rows = session.rows("SELECT * FROM cj.case_events WHERE case_id = :case_id ORDER BY event", {"case_id": case_id})
    return [
        CaseEvent(act=CaseAct(str(row["act"])), at=row["happened_at"], by=row["said_by"], number=row["case_number"], note=row["note"])  # type: ignore[arg-type]
        for row in rows
    ]


def events_known(session: Session, case_id: str) -> int:
    """How many things of a case the table knows."""
    return int(
        str(session.rows("SELECT COUNT(*) AS events FROM cj.case_events WHERE case_id = :case_id", {"case_id": case_id})[0]["events"])
    )


def filed_ids(session: Session, enterprise_id: str, kind: CaseKind) -> list[str]:
    """The cases of this kind that were filed."""
    of = {"enterprise_id": enterprise_id, "kind": kind.value, "ready": CaseState.READY.value}
    found = session.rows("SELECT case_id FROM cj.cases WHERE enterprise_id = :enterprise_id AND kind = :kind AND state <> :ready", of)
    return [str(row["case_id"]) for row in found]


def move(session: Session, row: Row, calendar: Calendar, now: datetime) -> Standing:
    """How a filed case stands at `now`, written down where that is another than before."""
    at = standing(known_events(session, str(row["case_id"])), calendar, now)
    told = asdict(at) | {"state": at.state.value}
    if any(told[name] != row[name] for name in _STANDING):
        sets = ", ".join(f"{name} = :{name}" for name in _STANDING)
        session.execute(
            f"UPDATE cj.cases SET {sets} WHERE case_id = :case_id", {name: told[name] for name in _STANDING} | {"case_id": row["case_id"]}
        )
    return at


def forget(session: Session, *case_ids: str) -> None:
    """The rows of these cases, but for what happened to them."""
    for case_id in case_ids:
        for table in ("cases", "case_orders"):
            session.execute(f"DELETE FROM cj.{table} WHERE case_id = :case_id", {"case_id": case_id})
