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


def test_a_table_that_keeps_its_rows_is_looked_at_anew_where_it_has_grown_by_a_tenth(postgres_database: str) -> None:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as session, session.transaction():
        session.execute("CREATE TABLE numbers (n bigint)")
        for rows, known in ((0, 0), (50_000, 50_000), (1_000, 50_000), (30_000, 81_000), (1, 81_000)):
            session.append("numbers", pa.table({"n": range(rows)}))
            session.analyze_grown("numbers")
            found = session.rows("SELECT CAST(reltuples AS bigint) AS n FROM pg_class WHERE relname = 'numbers'")[0]["n"]
            assert (rows, found) == (rows, known)


def test_analyzing_changes_no_row_on_any_warehouse(session: Session) -> None:
    with session.transaction():
        session.execute("CREATE TABLE numbers (n bigint)")
        session.append("numbers", pa.table({"n": [1, 2, 3]}))
        session.analyze("numbers")
        session.analyze_grown("numbers")
        assert [row["n"] for row in session.rows("SELECT n FROM numbers ORDER BY n")] == [1, 2, 3]


def test_only_tables_emptied_in_their_own_transaction_are_left_out_of_the_crash_log(postgres_database: str) -> None:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as session:
        session.create_tables()
        found = session.rows(
            "SELECT CAST(c.relname AS text) AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'cj' AND c.relkind = 'r' AND c.relpersistence = 'u' ORDER BY 1"
        )
    assert [row["name"] for row in found] == [
        "accounts_now", "asked_commissions", "asked_orders", "case_breaks", "held_news", "incoming_commissions", "open_orders", "partner_calendar",
        "partner_incoming", "partner_rows", "partner_verdicts", "plan_input", "prelock_found", "prelock_keys", "prelock_refused", "replan_keys", "report_elsewhere", "settled_orders", "verdicts",
    ]  # fmt: skip


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("column", ["text", 'text COLLATE "C"'])
def test_keys_come_in_the_order_of_their_bytes_whatever_the_database_and_the_column_say(
    postgres_database: str, postgres_url: str, locale: str, column: str
) -> None:
    name = f"sorted_{locale.replace('.', '_').replace('-', '_').lower()}"
    words = ["a", "B", "ä", "z", "Z", "é", "e", "\U0001f375", "～", "-1", "1"]
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_url)) as session:
        session.execute(f"DROP DATABASE IF EXISTS {name}")
        session.execute(f"CREATE DATABASE {name} LOCALE '{locale}' TEMPLATE template0")
    other = postgres_database.replace(postgres_database.split("?")[0].rsplit("/", 1)[1], name, 1)
    try:
        with open_warehouse(WarehouseLocation("postgres", uri=other)) as session:
            session.execute(f"CREATE TABLE words (word {column})")
            session.append("words", pa.table({"word": words}))
            found = session.rows(f"SELECT word FROM words ORDER BY {session.binary_order('word')}")
    finally:
        with open_warehouse(WarehouseLocation("postgres", uri=postgres_url)) as session:
            session.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert [row["word"] for row in found] == sorted(words, key=str.encode)


def test_a_text_is_put_in_the_order_of_its_bytes_even_where_the_database_knows_no_other(postgres_database: str) -> None:
    """The tests' server knows no language's order: what makes the difference on others is asked for here."""
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as session:
        assert session.binary_order("word") in ('word COLLATE "C"', 'word COLLATE "default"')


def test_a_night_already_sorted_by_its_key_is_not_sorted_again(postgres_database: str) -> None:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as session:
        if not session._sorts_by_bytes():  # type: ignore[attr-defined]
            pytest.skip("this server's databases sort by a language's rules")
        session.execute("CREATE TABLE words (word text)")
        inner = "SELECT word, ROW_NUMBER() OVER (PARTITION BY word) AS age FROM words"
        plan = session.rows(f"EXPLAIN SELECT * FROM ({inner}) AS w WHERE age = 1 ORDER BY {session.binary_order('word')}")
    assert sum("Sort Key" in str(next(iter(row.values()))) for row in plan) == 1
