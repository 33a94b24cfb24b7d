"""What a page, a CSV file or the partner itself is given of a partner's tables. Rows are plain values: Decimal, aware datetime, str, int, None."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from include.domain.money import money_text
from include.domain.partners import PartnerVerdict
from include.sql import filled
from include.warehouse.base import Session

Row = Mapping[str, Any]

AT_REST = frozenset({PartnerVerdict.AGREE, PartnerVerdict.AWAITING})
"""What nobody need look at. Used by the list of differences."""

DIFFERENCES = (
    "verdict", "rule", "grain", "order_id", "transaction_id", "month", "happened_at", "joined_by", "partner_rows", "cj_records", "currency",
    "partner_sale_amount", "cj_sale_amount", "before_sale_amount", "partner_payout", "cj_payout", "before_payout", "difference", "correction_reason",
    "corrected_at", "money_state", "locking_month", "payable_on", "credit_from", "credit_until",
)  # fmt: skip
TO_SEND = (
    "order_id", "transaction_id", "sold_on", "old_sale_amount", "new_sale_amount", "old_payout", "new_payout", "change_of_payout", "currency", "reason",
    "corrected_at", "locks_on", "joined_by",
)  # fmt: skip
STATEMENT = (
    "locking_month", "advertiser_id", "currency", "reconciled_by", "records", "not_known", "open", "locked", "payable", "total", "corrected_since",
    "beside_orders", "payable_on", "payable_source", "credit_from", "credit_until", "credit_source",
)  # fmt: skip

MOST = 10_000
"""Rows of a list; the tables have them all."""


def partners(session: Session) -> Sequence[Row]:
    """Each partner there is a statement or a verdict of: publisher_id, partner, checked_at of its newest."""
    return session.rows(filled("partner_list"))


def statements(session: Session, publisher_id: str) -> Sequence[Row]:
    """The statements of a publisher, the newest locking month first, with `total`: what is open, locked and payable together."""
    return session.rows(filled("partner_stated"), {"publisher_id": publisher_id})


def differences_sql(asked: frozenset[str] = frozenset()) -> str:
    """The statement that gives what somebody should look at of :publisher_id, the largest difference first; `asked` names the filters it is made with."""
    return filled("partner_differences", at_rest=sorted(AT_REST), asked=asked)


def differences_totals(session: Session, asked: frozenset[str], params: Mapping[str, Any]) -> Sequence[Row]:
    """What they come to, all of them: found and difference, by grain, verdict, rule and currency."""
    return session.rows(filled("partner_differences_totals", at_rest=sorted(AT_REST), asked=asked), params)


def to_send_sql(asked: frozenset[str] = frozenset()) -> str:
    """The statement that gives the changed transactions which :publisher_id holds as they were, the oldest correction first."""
    return filled("partner_to_send", asked=asked)


def to_send_totals(session: Session, publisher_id: str) -> Sequence[Row]:
    """What they come to: found, old_payout and new_payout, by currency."""
    return session.rows(filled("partner_to_send_totals"), {"publisher_id": publisher_id})


def differences(session: Session, publisher_id: str) -> Sequence[Row]:
    """What somebody should look at of a publisher, the largest difference first; at most MOST rows."""
    return session.rows(differences_sql(frozenset({"rows"})), {"publisher_id": publisher_id, "rows": MOST})


def to_send(session: Session, publisher_id: str) -> Sequence[Row]:
    """The changed transactions that the partner holds as they were: TO_SEND. One row an order; no month, which names no transaction."""
    return session.rows(to_send_sql(), {"publisher_id": publisher_id})


def rows_of(session: Session, publisher_id: str, unit: str, most: int | None = None) -> Sequence[Row]:
    """The partner's own rows behind the verdict on one `unit`, each in its newest version, in their order; at most so many."""
    kind, _, value = unit.partition(":")
    column = {"order": "order_id", "commission": "commission_id", "transaction": "transaction_id", "month": "month", "row": "row_key"}.get(
        kind
    )
    if column is None:
        return []
    params: dict[str, Any] = {"publisher_id": publisher_id, "value": value}
    asked = frozenset() if most is None else frozenset({"rows"})
    return session.rows(filled("partner_rows_of", column=column, asked=asked), params if most is None else params | {"rows": most})


def differences_csv(rows: Iterable[Row]) -> bytes:
    """What somebody should look at, as a CSV file."""
    return _csv(DIFFERENCES, rows)


def to_send_csv(rows: Iterable[Row]) -> bytes:
    """The changed transactions, as a CSV file for the partner."""
    return _csv(TO_SEND, rows)


def statements_csv(rows: Iterable[Row]) -> bytes:
    """The statements, as a CSV file."""
    return _csv(STATEMENT, rows)


def _csv(columns: tuple[str, ...], rows: Iterable[Row]) -> bytes:
    """UTF-8, one line a row, amounts as exact text, times as ISO 8601 with `Z`."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(columns)
    lines.writerows([_cell(row[column]) for column in columns] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return money_text(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    text = str(value)
    # A spreadsheet runs a text that begins so as a formula.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
