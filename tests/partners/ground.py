"""Bare records of CJ's and bare rows of a partner, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from include.demo.partners import _RECORDS
from include.partners.loading import Loaded, load
from include.partners.mapping import PartnerMapping
from include.partners.reconcile import reconcile_partner
from include.warehouse.base import WarehouseLocation, open_warehouse

NOW = datetime(2026, 4, 14, 6, tzinfo=UTC)
SOLD = datetime(2026, 3, 9, 12, tzinfo=UTC)
LOCKS = datetime(2026, 5, 11, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
COLUMNS = {name: name for name in ("transaction_id", "order_id", "commission_id", "occurred_at", "sale_amount", "payout", "currency")}
MAPPING = PartnerMapping("7", "Partner", COLUMNS, "partner.yaml", reaches="loaded", starts=datetime(2026, 1, 1, tzinfo=UTC))

RECORD: Mapping[str, Any] = {
    "advertiser_id": "2", "action_tracker_id": 401, "order_id": "o", "action_type": "sim_sale", "action_status": "new", "publisher_id": "7",
    "event_date": SOLD, "posting_date": SOLD + HOUR, "locking_date": LOCKS, "original": True, "sale_amount": "100.00", "sale_amount_usd": "100.00",
    "pub_commission_amount_usd": "10.00", "adv_commission_amount": "11.00", "cj_fee": "3.00", "items_mark": "0", "ingested_at": SOLD + HOUR, "reading": 1,
}  # fmt: skip
"""One of CJ's, where a test says nothing else."""
ROW: Mapping[str, str] = {
    "transaction_id": "", "order_id": "o", "commission_id": "", "occurred_at": SOLD.isoformat(), "sale_amount": "100.00", "payout": "10.00", "currency": "",
}  # fmt: skip
"""One of the partner's."""


class PartnerGround:
    """Each call adds one; `verdicts` says what comes of all."""

    def __init__(self, location: WarehouseLocation, place: Path, mapping: PartnerMapping = MAPPING) -> None:
        self.location, self.place, self.mapping = location, place, mapping
        self.exports = place / "exports"
        self.exports.mkdir()
        self._ids = count(1)
        self._rows: list[dict[str, str]] = []
        with open_warehouse(location) as session:
            session.create_tables()
            for table in (
                "commissions",
                "partner_log",
                "partner_loads",
                "partner_reconciliation",
                "partner_statements",
                "ledger_set_aside",
            ):
                session.execute(f"DELETE FROM cj.{table}")

    def mapped(self, **other: Any) -> PartnerGround:
        self.mapping = replace(self.mapping, **other)
        return self

    def record(self, **other: Any) -> PartnerGround:
        row = dict(RECORD) | {"commission_id": f"c{next(self._ids)}"} | other
        money = ("sale_amount", "adv_commission_amount", "cj_fee", "items_mark", "order_discount")
        for name, value in row.items():
            if isinstance(value, str) and (name in money or name.endswith(("_usd", "_currency"))):
                row[name] = Decimal(value)
        with open_warehouse(self.location) as session:
            session.append("cj.commissions", pa.Table.from_pylist([row], _RECORDS))
        return self

    def pair(self, old: str, new: str, at: datetime = SOLD + DAY, **other: Any) -> PartnerGround:
        """A restatement: the reversal and the new state; a tenth is the publisher's."""
        for amount in (f"-{old}", new):
            earned = Decimal(amount) / 10
            self.record(posting_date=at, original=False, sale_amount_usd=amount, pub_commission_amount_usd=str(earned), **other)
        return self

    def row(self, **other: str) -> PartnerGround:
        self._rows.append({**ROW, **other})
        return self

    def export(self, name: str = "export.csv") -> PartnerGround:
        """The rows so far as a file; the next begins anew."""
        lines = [",".join(ROW), *(",".join(row.values()) for row in self._rows)]
        (self.exports / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._rows = []
        return self

    def load(self) -> Loaded:
        return load(replace(self.mapping, files=f"file://{self.exports}"), self.location, SOLD - 90 * DAY)

    def verdicts(self, now: datetime = NOW, **other: Any) -> list[dict[str, Any]]:
        """The rows of cj.partner_reconciliation, of this round and before, in the order of what they are about."""
        if self._rows:
            self.export(f"{len(list(self.exports.iterdir()))}.csv")
        mapping = replace(self.mapping, files=f"file://{self.exports}") if any(self.exports.iterdir()) else self.mapping
        reconcile_partner(mapping, self.location, "run", storage=f"file://{self.place}/storage", now=now, **other)
        return self.rows("SELECT * FROM cj.partner_reconciliation ORDER BY grain, order_id, unit, action_tracker_id")

    def said(self, now: datetime = NOW) -> list[tuple[str, str]]:
        """(rule, joined_by) of each."""
        return [(row["rule"], row["joined_by"]) for row in self.verdicts(now)]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with open_warehouse(self.location) as session:
            return [dict(row) for row in session.rows(sql)]
