"""Bare rows in the tables that the facts are worked out from: an order, CJ's records of it, what was sent of it, and what became of that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from include.restatements.plan.planner import find_again
from include.restatements.rules import verdicts
from include.sql import filled
from include.warehouse.base import Session

UPDATED = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When the order changed last."""
SENT = datetime(2026, 3, 2, 2, tzinfo=UTC)
"""When it was sent last."""
POSTED = datetime(2026, 2, 1, tzinfo=UTC)
"""When CJ posted its first record."""
FAR = datetime(2026, 6, 1, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
ARRIVED = SENT + HOUR
"""When CJ posted what was sent."""
TOLERANCE = timedelta(minutes=5)
"""How much earlier than its call what was sent may be posted, by another clock."""
POUNDS_BEFORE = {"currency": "GBP", "amount": "80.00", "payload_hash": "other", "updated_at": UPDATED - HOUR, "submitted_at": SENT - HOUR}
"""Of a state in another currency that was sent before."""

KEY = {"enterprise_id": "1", "action_tracker_id": 401, "order_id": "o"}

ROWS: dict[str, dict[str, Any]] = {
    "plan_input": KEY | {
        "run_id": "now", "position": 0, "advertiser_id": "2", "functional_currency": "USD", "sale_amount_basis": "net", "change_type": "restated",
        "was_new": False, "attributed": True, "before_ledger": False, "updated_at": UPDATED, "amount": "100.00", "has_items": False,
        "payload_hash": "this",
    },
    "commissions": {
        "commission_id": "1", "advertiser_id": "2", "action_tracker_id": 401, "order_id": "o", "action_type": "sim_sale", "action_status": "new",
        "publisher_id": "7", "posting_date": POSTED, "locking_date": FAR, "locking_method": "FIXED_DATE", "validation_status": "AUTOMATED",
        "original": True, "sale_amount": "100.00", "adv_commission_amount": "8.00", "cj_fee": "2.00", "items_mark": 0, "ingested_at": POSTED, "reading": 1,
    },
    "submissions": KEY | {
        "run_id": "before", "chunk_id": "c", "operation": "restate", "mode": "live", "advertiser_id": "2", "updated_at": UPDATED, "amount": "100.00",
        "payload_hash": "this", "attempt": 1, "outcome": "accepted", "submitted_at": SENT, "known_reading": 0,
    },
    "reconciliation": KEY | {
        "run_id": "before", "advertiser_id": "2", "updated_at": UPDATED, "operation": "restate", "status": "late", "submitted_at": SENT, "attempts": 1,
        "within_band": False, "checked_at": SENT, "reading": 1,
    },
    "skipped": KEY | {
        "run_id": "before", "updated_at": UPDATED, "reason": "waiting", "rule": "waiting", "skipped_at": SENT, "plan_number": 1,
    },
    "quarantine": KEY | {
        "run_id": "before", "updated_at": UPDATED, "stage": "validation", "reason": "amount", "rule": "amount", "quarantined_at": SENT, "plan_number": 1,
    },
    "verdicts_log": KEY | {
        "advertiser_id": "2", "run_id": "before", "operation": "restate", "updated_at": UPDATED, "submitted_at": SENT, "change": 1, "status": "late",
        "checked_at": SENT,
    },
    "reconciliation_runs": {},
    "ledger_reads": {
        "advertiser_id": "2", "cursor_commission_id": "1", "kind": "first", "read_from": POSTED, "complete_until": SENT, "records": 1, "read_at": SENT,
        "reading": 1,
    },
    "plans": {"plan_number": 1, "run_id": "before", "reading": 1, "planned_at": SENT},
    "planned": KEY | {
        "run_id": "before", "chunk_id": "c", "operation": "restate", "updated_at": UPDATED, "planned_at": SENT, "plan_number": 1,
    },
    "case_orders": KEY | {"case_id": "1-lost-restate-1", "updated_at": UPDATED},
    "open_orders": KEY | {"attempts": 1},
    "unjudged": KEY,
    "settled_orders": KEY | {"advertiser_id": "2"},
    "tracker_readings": {
        "advertiser_id": "2", "action_tracker_id": 401, "reading": 1, "records": 1, "with_items": 1, "sale_amount": "100.00", "order_discount": "0",
        "commission": "10.00",
    },
    "rates": {
        "advertiser_id": "2", "functional_currency": "USD", "currency": "GBP", "rate": "1.27", "orders": 2, "reading": 1, "seen_at": SENT,
    },
    "ledger_set_aside": {
        "advertiser_id": "2", "commission_id": "aside", "action_tracker_id": 401, "order_id": "o", "what": "amount", "why": "unreadable", "kept": False,
        "raw": "{}", "set_aside_at": SENT,
    },
    "verdicts": KEY | {
        "run_id": "before", "advertiser_id": "2", "updated_at": UPDATED, "operation": "restate", "status": "late", "submitted_at": SENT, "attempts": 1,
        "within_band": False, "checked_at": SENT, "reading": 1,
    },
    "asked_commissions": {"commission_id": "1"},
    "accounts_now": {
        "advertiser_id": "2", "functional_currency": "USD", "sale_amount_basis": "net", "judged_reading": 0, "read_whole_until": FAR,
    },
}  # fmt: skip
"""A row of each table, where a test says nothing else."""
ROWS["incoming_commissions"] = ROWS["commissions"]
ROWS["replan_news"] = KEY

NO_PLAN = -1
"""Of a plan that leaves no word: what was read before it is looked through by the next one too."""


def plan_number(submitted_at: datetime, attempt: int = 1) -> int:
    """The number of the plan that sent it."""
    return round((submitted_at - SENT).total_seconds()) * 10 + attempt


class Ground:
    """The tables, empty at first. Each call adds rows like `ROWS`, but for what is said."""

    def __init__(self, session: Session) -> None:
        self.session = session
        for table in ROWS:
            session.execute(f"DELETE FROM cj.{table}")
        self.records = 0

    def order(self, **other: Any) -> Ground:
        return self._put("plan_input", other)

    def record(self, **other: Any) -> Ground:
        """One record more of what CJ holds, with an id greater than those before."""
        self.records += 1
        return self._put("commissions", {"commission_id": str(self.records)} | other)

    def asked(self, *commission_ids: str) -> Ground:
        """CJ was asked for these records once more."""
        for commission_id in commission_ids:
            self._put("asked_commissions", {"commission_id": commission_id})
        return self

    def shown(self, commission_id: str, **other: Any) -> Ground:
        """It showed this one."""
        return self._put("incoming_commissions", {"commission_id": commission_id} | other)

    def sent(self, **other: Any) -> Ground:
        return self._put("submissions", other)

    def unjudged(self, **other: Any) -> Ground:
        """Something was sent of it, or taken back, since it was judged last."""
        return self._put("unjudged", other)

    def verdict(self, **other: Any) -> Ground:
        return self._put("reconciliation", other)

    def tracker(self, **other: Any) -> Ground:
        """What readings so far say of an action tracker: CJ reported items under it, and a tenth of a sale is commission and fee."""
        return self._put("tracker_readings", other)

    def rate(self, **other: Any) -> Ground:
        """What an earlier round saw."""
        return self._put("rates", other)

    def set_aside(self, **other: Any) -> Ground:
        """A record that could not be kept."""
        return self._put("ledger_set_aside", other)

    def account(self, **other: Any) -> Ground:
        return self._put("accounts_now", other)

    def to_judge(self, **other: Any) -> Ground:
        """The order is to be judged, and its account is known."""
        account = {name: other.pop(name) for name in ROWS["accounts_now"] if name in other}
        return self._put("open_orders", other)._put("accounts_now", account)

    def skipped(self, **other: Any) -> Ground:
        return self._put("skipped", other)

    def held_back(self, **other: Any) -> Ground:
        return self._put("quarantine", other)

    def planned(self, **other: Any) -> Ground:
        """A plan was made."""
        return self._put("plans", other)

    def read(self, **other: Any) -> Ground:
        """Commission Detail was read."""
        return self._put("ledger_reads", other)

    def plan(self, **other: Any) -> list[dict[str, Any]]:
        """The facts of the plan, order by order."""
        params: dict[str, object] = {
            "run_id": "now", "process_by": SENT + HOUR, "pairs_since": SENT - 36 * HOUR, "open_ended_status": None, "max_attempts": 3, "currency_band": "0.03",
            "interval_start": UPDATED - 12 * HOUR, "interval_end": UPDATED + 12 * HOUR, "fewest_orders": 10, "ids_must_meet": Decimal("0.1"),
            "allow_coupon_loss": False, "allow_discount_loss": False, "allow_items_loss": False,
        }  # fmt: skip
        rows = self.session.rows(f"SELECT * FROM ({filled('plan_facts')}) AS f ORDER BY position", _money(params | other))
        return [dict(row) for row in rows]

    def again(self, max_attempts: int = 3, by_plan: int = NO_PLAN) -> list[str]:
        """Which orders are planned again, once each; by a plan that is in the tables, or by one that leaves no word of it."""
        self.session.execute("DELETE FROM cj.replan_keys")
        find_again(self.session, by_plan, max_attempts)
        return [str(row["order_id"]) for row in self.session.rows("SELECT order_id FROM cj.replan_keys ORDER BY order_id, updated_at")]

    def waiting(self) -> list[str]:
        """Of those found planned again, the orders that something was to be sent of."""
        return [str(row["order_id"]) for row in self.session.rows("SELECT order_id FROM cj.replan_keys WHERE waits ORDER BY order_id")]

    def judged(self, **other: Any) -> Ground:
        """A verdict of this round."""
        return self._put("verdicts", other)

    def logged(self, **other: Any) -> Ground:
        return self._put("verdicts_log", other)

    def kept(self, now: datetime) -> Ground:
        """The verdicts of this round are written down."""
        self.session.execute(filled("verdicts_apply"), {"now": now})
        return self

    def told(self, checked_at: datetime) -> dict[str, Any]:
        """The row about the round of that moment."""
        self.session.execute(
            filled("reconciliation_run"), {"reconciliation_run_id": "round", "checked_at": checked_at, "report": "report.html"}
        )
        (row,) = self.rows("SELECT * FROM cj.reconciliation_runs")
        return row

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.session.rows(sql)]

    def looked_at(self) -> list[str]:
        """Which orders a reconciliation looks at."""
        self.session.execute("DELETE FROM cj.open_orders")
        judged = self.rows("SELECT COALESCE(MIN(judged_reading), 0) AS since FROM cj.accounts_now")[0]["since"]
        self.session.execute(filled("open_orders"), {"judged_since": judged})
        return [str(row["order_id"]) for row in self.session.rows("SELECT order_id FROM cj.open_orders ORDER BY order_id")]

    def verdicts(self, **other: Any) -> list[dict[str, Any]]:
        """The facts of the verdicts, by time sent."""
        params: dict[str, object] = {
            "now": SENT + 2 * HOUR,
            "pairs_since": SENT - 34 * HOUR,
            "processing_seconds": 3_600,
            "deadline_seconds": 36 * 3_600,
            "currency_band": "0.03",
        }
        self.session.execute(_COUNT_ATTEMPTS)
        rows = self.session.rows(f"SELECT * FROM ({verdicts.facts_sql()}) AS f ORDER BY order_id, submitted_at", _money(params | other))
        return [dict(row) for row in rows]

    def _put(self, table: str, other: Mapping[str, Any]) -> Ground:
        row = ROWS[table] | dict(other)
        if table in ("submissions", "reconciliation", "verdicts"):
            # Plans were made in the order of what they sent, where a test says nothing else.
            row = {"plan_number": plan_number(row["submitted_at"] or SENT, row.get("attempt", 1))} | row
        values = ", ".join(_literal(value) for value in row.values())
        self.session.execute(f"INSERT INTO cj.{table} ({', '.join(row)}) VALUES ({values})")
        return self


_COUNT_ATTEMPTS = """
UPDATE cj.open_orders SET attempts = (
    SELECT COUNT(*) FROM cj.submissions AS s
    WHERE s.enterprise_id = cj.open_orders.enterprise_id AND s.action_tracker_id = cj.open_orders.action_tracker_id
      AND s.order_id = cj.open_orders.order_id AND s.mode = 'live' AND s.outcome IN ('accepted', 'unknown')
)
"""
"""As include/sql/open_orders.sql does of the orders it finds."""


def _money(params: dict[str, object]) -> dict[str, object]:
    return params | {"currency_band": Decimal(str(params["currency_band"]))}


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    return f"'{value.isoformat() if isinstance(value, datetime) else value}'"
