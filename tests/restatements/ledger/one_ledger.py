"""One account's ledger in a warehouse, for tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from include.domain.shapes import INSTANT
from include.restatements.ledger.reading import AHEAD, LedgerRead, read_ledger
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.ledger.commission_detail import ACCOUNT, Asked, CommissionDetail

DAY, SECOND, TICK = timedelta(days=1), timedelta(seconds=1), timedelta(microseconds=1)
DEADLINE = timedelta(hours=36)


@dataclass
class Ledger:
    """One account's ledger in a warehouse, and the CJ it is read from."""

    location: WarehouseLocation
    cj: CommissionDetail

    def read(self, since: date | None = None, days: int = 400, processing: timedelta = AHEAD) -> LedgerRead:
        self.cj.asked.clear()
        with self.cj.client() as client:
            return read_ledger(client, ACCOUNT, self.location, ledger_days=days, since=since, deadline=DEADLINE, processing=processing)

    def was_read(self, kind: str, until: datetime, cursor: str = "500", start: datetime | None = None) -> None:
        """A reading of the past, as the table has it."""
        row = {
            "advertiser_id": [ACCOUNT.advertiser_id], "cursor_commission_id": [cursor], "kind": [kind],
            "read_from": pa.array([start or until - DAY], INSTANT), "complete_until": pa.array([until], INSTANT), "records": [1],
            "read_at": pa.array([datetime.now(UTC)], INSTANT),
        }  # fmt: skip
        with open_warehouse(self.location) as session:
            session.create_tables()
            session.append("cj.ledger_reads", pa.table(row))

    def was_read_of_another(self, reading: int) -> None:
        """A reading of another account: all share their numbers."""
        with open_warehouse(self.location) as session:
            session.execute(
                "INSERT INTO cj.ledger_reads SELECT 'another', cursor_commission_id, kind, read_from, complete_until, records, read_at, "
                f"{reading} FROM cj.ledger_reads WHERE advertiser_id = '{ACCOUNT.advertiser_id}' AND kind = 'first'"
            )

    def sent(self, submitted_at: datetime, outcome: str = "accepted", **other: object) -> None:
        """An order that was submitted."""
        row = {
            "run_id": "r", "chunk_id": "c", "operation": "restate", "mode": "live", "advertiser_id": ACCOUNT.advertiser_id, "enterprise_id": "1",
            "action_tracker_id": 401, "order_id": "o", "updated_at": submitted_at, "payload_hash": "h", "attempt": 1, "outcome": outcome,
            "submitted_at": submitted_at, "known_reading": 0, "plan_number": 1,
        } | other  # fmt: skip
        self._append("cj.submissions", row)

    def judged(self, status: str, submitted_at: datetime, reason: str | None = None, order_id: str = "o") -> None:
        """The verdict on an order that was sent."""
        row = {
            "run_id": "r", "advertiser_id": ACCOUNT.advertiser_id, "enterprise_id": "1", "action_tracker_id": 401, "order_id": order_id,
            "updated_at": submitted_at, "operation": "restate", "attempts": 1, "within_band": False, "checked_at": submitted_at, "status": status,
            "submitted_at": submitted_at,
        } | ({"reason": reason} if reason else {})  # fmt: skip
        self._append("cj.reconciliation", row)

    def held_back(self, row: dict[str, object]) -> None:
        self._append("cj.quarantine", row)

    def _append(self, table: str, row: dict[str, object]) -> None:
        columns = {name: pa.array([value], INSTANT if isinstance(value, datetime) else None) for name, value in row.items()}
        with open_warehouse(self.location) as session:
            session.append(table, pa.table(columns))

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with open_warehouse(self.location) as session:
            return [dict(row) for row in session.rows(sql)]

    def held(self) -> list[str]:
        return [str(row["id"]) for row in self.rows("SELECT commission_id AS id FROM cj.commissions ORDER BY LENGTH(commission_id), 1")]

    def window(self) -> Asked:
        (asked,) = [asked for asked in self.cj.asked if asked.ids is None]
        return asked
