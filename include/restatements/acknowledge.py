"""Taking note of a break: somebody has looked at it, and says what about it.

A break is named as the pages name it, `<enterprise>/<tracker>/<order>`, with the verdict that was looked at after an `@`: a few letters made from verdict,
reason, amounts and lock date. An acknowledgement belongs to that verdict: where any of them is another now it has lapsed, and nothing need be done for it
to lapse. It takes nothing from a total, from a list, or from what is asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from include.domain.errors import SettingError
from include.domain.money import money_text
from include.domain.personal import without_emails
from include.restatements.journal.documents import Noted
from include.restatements.journal.journal import Journal
from include.restatements.journal.notes import keep_note, load_notes, note_of
from include.sql import filled
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

LONGEST_NOTE = 2000

_LIKE = "Name it as its page does, like 1500001/401/A-1@1f0c2d3e"


@dataclass(frozen=True)
class BreakName:
    """An order, and the verdict of it that somebody looked at; an empty `mark` is whatever it is now."""

    enterprise_id: str
    action_tracker_id: int
    order_id: str
    mark: str = ""

    @classmethod
    def parse(cls, text: str) -> BreakName:
        """Raises SettingError. An order id may hold slashes, and an @ where no mark follows it."""
        enterprise, _, rest = text.strip().partition("/")
        tracker, _, order = rest.partition("/")
        named, at, mark = order.rpartition("@")
        if not at or len(mark) != 8 or not set(mark) <= set("0123456789abcdef"):
            named, mark = order, ""
        if not (enterprise and named and tracker.isascii() and tracker.isdigit() and len(tracker) < 19):
            raise SettingError(f"The run's param break names no order. {_LIKE}.")
        return cls(enterprise, int(tracker), named, mark)

    def __str__(self) -> str:
        return f"{self.enterprise_id}/{self.action_tracker_id}/{self.order_id}" + (f"@{self.mark}" if self.mark else "")


@dataclass(frozen=True)
class Acknowledged:
    """What was taken note of."""

    name: str
    status: str
    reason: str | None


def mark_of(verdict: Mapping[str, Any]) -> str:
    """Eight letters that are others where verdict, reason, an amount or the lock date of this row of cj.reconciliation is another."""
    told = [str(verdict[name] or "") for name in ("status", "reason")]
    for name in ("submitted_amount", "posted_amount", "commission_at_risk"):
        amount = verdict[name]
        told.append("" if amount is None else money_text(amount) if isinstance(amount, Decimal) else str(amount))
    told += [_moment(verdict["updated_at"]), _moment(verdict["locking_date"])]
    return blake2b("\0".join(told).encode(), digest_size=4).hexdigest()


def _moment(value: datetime | None) -> str:
    return "" if value is None else value.astimezone(UTC).isoformat()


def acknowledge(journal: Journal, location: WarehouseLocation, name: str, note: str, by: str, run_id: str) -> Acknowledged:
    """Keeps the note with the verdict it is about: in the journal, then in the table. Repeating it for the same run changes nothing.

    Raises SettingError where nothing is said, the order has no break, or another verdict by now than the one that was looked at; StorageError where
    the journal cannot be written. Then nothing was noted.
    """
    asked = BreakName.parse(name)
    note = without_emails(note.strip())
    if not note:
        raise SettingError("The run's param note is empty. Say what was found, or what will be done.")
    if len(note) > LONGEST_NOTE:
        raise SettingError(f"The run's param note has {len(note)} characters. At most {LONGEST_NOTE} are kept: say it shorter.")
    with open_warehouse(location) as session:
        session.create_tables()
        with session.transaction():
            session.serialize("cj.acknowledgements")
            noted = note_of(journal, run_id) or keep_note(journal, _noted(_looked_at(session, asked), asked, note, by, run_id))
            load_notes(session, [noted])
    return Acknowledged(str(asked), noted.status, noted.reason)


def _looked_at(session: Session, asked: BreakName) -> Mapping[str, Any]:
    """The verdict as it stands. Raises SettingError where it is not what somebody looked at."""
    key = {"enterprise_id": asked.enterprise_id, "action_tracker_id": asked.action_tracker_id, "order_id": asked.order_id}
    found = session.rows(filled("break_of_order"), key)
    if not found:
        raise SettingError(f"Order {asked.order_id} has no break. Nothing was noted; look at its page for its verdict.")
    verdict = found[0]
    if asked.mark and asked.mark != mark_of(verdict):
        raise SettingError(
            f"Order {asked.order_id} has another verdict, amount or lock date now than the one that was looked at. Nothing was noted; look at it again."
        )
    return verdict


def _noted(verdict: Mapping[str, Any], asked: BreakName, note: str, by: str, run_id: str) -> Noted:
    reason = verdict["reason"]
    return Noted(
        run_id=run_id,
        enterprise_id=asked.enterprise_id,
        action_tracker_id=asked.action_tracker_id,
        order_id=asked.order_id,
        updated_at=verdict["updated_at"],
        advertiser_id=str(verdict["advertiser_id"]),
        status=str(verdict["status"]),
        reason=None if reason is None else str(reason),
        submitted_amount=_text(verdict["submitted_amount"]),
        posted_amount=_text(verdict["posted_amount"]),
        commission_at_risk=_text(verdict["commission_at_risk"]),
        locking_date=verdict["locking_date"],
        note=note,
        acknowledged_by=by,
        acknowledged_at=datetime.now(UTC),
    )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else money_text(amount)
