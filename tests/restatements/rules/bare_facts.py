"""Asks the rules of bare facts: the decision's own SQL over rows that say what is true, and nothing of how it came to be true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from include.restatements.rules import plan, verdicts
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

Row = Mapping[str, object]


def rows_as_sql(columns: Mapping[str, str], rows: Iterable[Row], nothing: Mapping[str, str]) -> str:
    """A query that gives the rows: `columns` and their types; what a row does not name is `nothing`."""
    return " UNION ALL ".join("SELECT " + ", ".join(_column(name, kind, row, nothing) for name, kind in columns.items()) for row in rows)


def _column(name: str, kind: str, row: Row, nothing: Mapping[str, str]) -> str:
    value = row.get(name, nothing.get(name))
    literal = "NULL" if value is None else str(value).upper() if isinstance(value, bool) else f"'{value}'"
    return f"CAST({literal} AS {kind}) AS {name}"


PLAN_COLUMNS = {
    "position": "bigint", "enterprise_id": "text", "action_tracker_id": "bigint", "order_id": "text", "updated_at": "timestamp with time zone",
    "status": "text", "attempts": "bigint", "verdict_reason": "text", "cj_ids": "text", "at_stake": "decimal(38, 10)", "sales_moved": "decimal(38, 10)", "held_sales": "decimal(38, 10)", "publisher_id": "text", "publisher_name": "text",
} | dict.fromkeys(plan.FACTS, "boolean")  # fmt: skip
PLAN_NOTHING = {
    "enterprise_id": "1",
    "action_tracker_id": "401",
    "order_id": "o",
    "updated_at": "2026-03-01 12:00:00+00",
    "attempts": "0",
    "at_stake": "0",
}


def decided(location: WarehouseLocation, cases: Sequence[Row], open_ended_status: str | None = None) -> list[dict[str, object]]:
    """What the plan's SQL makes of each case, in their order."""
    false = dict.fromkeys(plan.FACTS, False)
    rows = [false | dict(case) | {"position": place} for place, case in enumerate(cases)]
    sql = plan.decision_sql(rows_as_sql(PLAN_COLUMNS, rows, PLAN_NOTHING))
    with open_warehouse(location) as session:
        return [dict(row) for row in session.rows(sql, {"open_ended_status": open_ended_status})]


VERDICT_COLUMNS = {
    "run_id": "text", "advertiser_id": "text", "enterprise_id": "text", "action_tracker_id": "bigint", "order_id": "text",
    "updated_at": "timestamp with time zone", "operation": "text", "submitted_at": "timestamp with time zone", "plan_number": "bigint", "attempts": "bigint", "currency": "text",
    "amount": "decimal(38, 10)", "discount": "decimal(38, 10)", "sale_amount": "decimal(38, 10)", "sale_amount_basis": "text", "held_sale_amount": "decimal(38, 10)",
    "held_discount": "decimal(38, 10)", "commission": "decimal(38, 10)", "cj_fee": "decimal(38, 10)", "share": "double precision",
    "posted_at": "timestamp with time zone", "locking_date": "timestamp with time zone",
    "rate": "double precision", "rate_of_others": "double precision",
} | dict.fromkeys(verdicts.FACTS, "boolean")  # fmt: skip
VERDICT_NOTHING = {
    "run_id": "r", "advertiser_id": "2", "enterprise_id": "1", "action_tracker_id": "401", "updated_at": "2026-03-01 12:00:00+00",
    "operation": "restate", "submitted_at": "2026-03-02 02:00:00+00", "attempts": "1", "sale_amount_basis": "net", "posted_at": "2026-03-02 03:00:00+00",
}  # fmt: skip
NOW = "2026-03-03T00:00:00+00:00"


def judged(location: WarehouseLocation, cases: Sequence[Row]) -> list[dict[str, object]]:
    """What the verdicts' SQL makes of each case, in their order."""
    from datetime import datetime

    false = dict.fromkeys(verdicts.FACTS, False)
    rows = [false | dict(case) | {"order_id": f"{place:04}"} for place, case in enumerate(cases)]
    sql = f"SELECT * FROM ({verdicts.verdicts_of(rows_as_sql(VERDICT_COLUMNS, rows, VERDICT_NOTHING))}) AS v ORDER BY order_id"
    with open_warehouse(location) as session:
        return [dict(row) for row in session.rows(sql, {"now": datetime.fromisoformat(NOW), "reading": 7})]


def true(facts: str) -> dict[str, object]:
    """The facts a text names, as what is true."""
    return dict.fromkeys(facts.split(), True)


def columns_given(session: Session, sql: str) -> set[str]:
    return set(session.columns_of(sql))
