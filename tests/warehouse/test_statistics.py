"""A table filled inside a transaction is empty to PostgreSQL's planner until it is told otherwise."""

from __future__ import annotations

import pyarrow as pa
import pytest

from include.warehouse.base import Session, WarehouseLocation, open_warehouse


def expected_rows(session: Session) -> int:
    plan = session.rows("EXPLAIN (FORMAT TEXT) SELECT * FROM numbers WHERE n >= 0")
    return int(str(next(iter(plan[0].values()))).split("rows=")[1].split(" ")[0])


def test_the_planner_knows_a_table_filled_in_this_very_transaction(postgres_database: str) -> None:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as session, session.transaction():
        session.execute("CREATE TABLE numbers (n bigint)")
        session.append("numbers", pa.table({"n": range(50_000)}))
        assert expected_rows(session) != 50_000
        session.analyze("numbers")
        assert expected_rows(session) == pytest.approx(50_000, rel=0.01)


def test_analyzing_changes_no_row_on_either_warehouse(session: Session) -> None:
    with session.transaction():
        session.execute("CREATE TABLE numbers (n bigint)")
        session.append("numbers", pa.table({"n": [1, 2, 3]}))
        session.analyze("numbers")
        assert [row["n"] for row in session.rows("SELECT n FROM numbers ORDER BY n")] == [1, 2, 3]


def test_only_tables_emptied_in_their_own_transaction_are_left_out_of_the_crash_log(postgres_database: str) -> None:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as session:
        session.create_tables()
        found = session.rows(
            "SELECT CAST(c.relname AS text) AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'cj' AND c.relkind = 'r' AND c.relpersistence = 'u' ORDER BY 1"
        )
    assert [row["name"] for row in found] == [
        "accounts_now", "incoming_commissions", "incoming_items", "open_orders", "plan_input", "replan_keys", "verdicts",
    ]  # fmt: skip
