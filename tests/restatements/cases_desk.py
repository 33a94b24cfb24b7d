"""The tables of one warehouse with verdicts by hand, a journal, and a person who files cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from include.domain.account import Account, Token
from include.domain.states import CaseAct
from include.restatements.cases import keeping
from include.restatements.cases.acting import Acted, Said, act
from include.restatements.cases.following import follow
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal.journal import journal_of
from include.restatements.settings import Settings
from include.storage.folder import Folder
from include.warehouse.base import WarehouseLocation, open_warehouse

NOW = datetime(2026, 3, 16, 16, tzinfo=UTC)
"""A Monday, nine in the morning at CJ's desk in California."""
TOKEN = "pat-planted-0123456789"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Desk:
    """`verdict` says how an order stands; `refresh` is what each round and each hour does; `say` is what a person does."""

    def __init__(self, location: WarehouseLocation, place: Path, **settings: Any) -> None:
        self.location = location
        account = Account("cj", "1500001", "5500001", Token(TOKEN))
        self.settings = replace(Settings(accounts=(account,), storage=f"file://{place / 'storage'}"), **settings)
        with open_warehouse(location) as session:
            session.create_tables()

    @property
    def files(self) -> Folder:
        return journal_of(self.settings).files

    def verdict(self, order: str, status: str = "missing", reason: str | None = "unknown", sendings: int = 3, **of: Any) -> None:
        """In place of what was said of this state before; sent so many times, a day apart, last at `at`."""
        told: dict[str, Any] = {
            "operation": "cancel", "at_risk": Decimal("10.00"), "enterprise": "1500001", "at": NOW - 3 * DAY, "updated": NOW - 9 * DAY, "submission": "s-1",
            "posted": None, "words": None, "locks": NOW + 20 * DAY, "outcome": "accepted",
        } | of  # fmt: skip
        told |= {"order": order, "status": status, "reason": reason, "attempts": sendings}
        with open_warehouse(self.location) as session:
            for table in ("reconciliation", "submissions"):
                session.execute(f"DELETE FROM cj.{table} WHERE order_id = :order AND updated_at = :updated", told)
            session.execute(
                "INSERT INTO cj.reconciliation (run_id, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, status, reason, "
                "submitted_amount, posted_amount, currency, submitted_at, locking_date, commission_at_risk, attempts, within_band, checked_at, plan_number) "
                "VALUES ('r', '5500001', :enterprise, 401, :order, :updated, :operation, :status, :reason, 80, :posted, 'USD', :at, :locks, :at_risk, :attempts, "
                "FALSE, :at, 7)",
                told,
            )
            for sending in range(sendings):
                session.execute(
                    "INSERT INTO cj.submissions (run_id, chunk_id, operation, mode, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, "
                    "payload_hash, attempt, outcome, submission_id, batch_id, submitted_at, error_message, plan_number) VALUES ('r', 'c', :operation, 'live', "
                    f"'5500001', :enterprise, 401, :order, :updated, 'h', {sending + 1}, :outcome, :submission, 'b-1', :sent, :words, {sending + 1})",
                    told | {"sent": told["at"] - (sendings - 1 - sending) * DAY},
                )

    def refresh(self, now: datetime = NOW, checkpoint: Checkpoint = no_checkpoint, cj_now: datetime = NOW) -> list[dict[str, Any]]:
        """One round. Returns the cases."""
        with open_warehouse(self.location) as session:
            follow(session, self.files, self.settings, cj_now, now, checkpoint)
            return keeping.cases(session)

    def say(self, case: str, what: CaseAct, at: datetime = NOW, number: str = "", **of: Any) -> Acted:
        checkpoint = of.pop("checkpoint", no_checkpoint)
        return act(
            self.settings, self.location, Said(case, what, "ada", number, at, **of), checkpoint, now=max(at, NOW) if at.year < 2999 else NOW
        )

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with open_warehouse(self.location) as session:
            return [dict(row) for row in session.rows(sql)]

    def attachment(self, case: dict[str, Any], name: str) -> bytes:
        data = self.files.read(f"cases/{case['case_id']}/packs/{case['digest']}/{name}")
        assert data is not None
        return data
