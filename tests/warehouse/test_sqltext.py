"""Values never enter the SQL text, and only what is a parameter is taken for one."""

from __future__ import annotations

import duckdb
import pytest

from include.warehouse import sqltext


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a::text",
        "SELECT ':name'",
        "SELECT 'it''s :name'",
        "SELECT E'it\\'s :name'",
        'SELECT ":name"',
        "SELECT 1 -- :name",
        "SELECT 1 /* :name; ' */",
        "SELECT $$ :name $$",
        "SELECT $tag$ :name $$ ; $tag$",
        "SELECT '12:30'",
    ],
)
def test_nothing_in_literals_identifiers_comments_or_casts_is_a_parameter(sql: str) -> None:
    assert sqltext.names(sql) == []
    assert sqltext.bind(sql, lambda name: "?") == sql
    assert sqltext.statements(sql) == [sql]


def test_a_parameter_beside_a_cast_is_still_one() -> None:
    assert sqltext.bind("SELECT :a::text, b::date>=:b AND c=:a", "${}".format) == "SELECT $a::text, b::date>=$b AND c=$a"
    assert sqltext.names("SELECT :a::text, :b, :a") == ["a", "b"]


def test_statements_end_at_semicolons_and_comments_alone_are_none() -> None:
    assert sqltext.statements("SELECT ';'; -- first; still\nSELECT 2;\n-- the end\n") == ["SELECT ';'", "-- first; still\nSELECT 2"]


OURS = {"text": "varchar", "decimal(38, 10)": "number(38, 10)", "timestamp with time zone": "timestamp_tz"}


@pytest.mark.parametrize(
    ("sql", "spelled"),
    [
        ("SELECT CAST(a AS text)", "SELECT CAST(a AS varchar)"),
        ("SELECT cast(CAST(:a AS Text) AS decimal(38,  10))", "SELECT cast(CAST(:a AS varchar) AS number(38, 10))"),
        ("SELECT CAST(COALESCE(a, (b)) AS timestamp\n with time zone)", "SELECT CAST(COALESCE(a, (b)) AS timestamp_tz)"),
        ("SELECT CAST(a AS texture), CAST(b AS decimal(38, 0))", "SELECT CAST(a AS texture), CAST(b AS decimal(38, 0))"),
        ("SELECT text, a AS text FROM text", "SELECT text, a AS text FROM text"),
        ("SELECT * FROM (SELECT a AS text) AS t", "SELECT * FROM (SELECT a AS text) AS t"),
        ("SELECT 'CAST(a AS text)' -- CAST(a AS text)", "SELECT 'CAST(a AS text)' -- CAST(a AS text)"),
        ("SELECT CAST(') AS text' AS text)", "SELECT CAST(') AS text' AS varchar)"),
        (
            "-- the text\nCREATE TABLE IF NOT EXISTS t (a text NOT NULL, text decimal(38, 10), at timestamp with time zone)",
            "-- the text\nCREATE TABLE IF NOT EXISTS t (a varchar NOT NULL, text number(38, 10), at timestamp_tz)",
        ),
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a text", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a varchar"),
        ("CREATE TABLE t AS SELECT CAST(a AS text) AS text FROM u", "CREATE TABLE t AS SELECT CAST(a AS varchar) AS text FROM u"),
    ],
)
def test_only_types_are_spelled_otherwise(sql: str, spelled: str) -> None:
    assert sqltext.respelled(sql, OURS) == spelled
    assert sqltext.respelled(sql, {}) == sql


MARKED = "SELECT m.a FROM cj.many AS m /* few */\n    INNER JOIN (SELECT DISTINCT a, b FROM cj.wanted) AS w USING (a, b)\n    WHERE m.c > 1"


def test_a_join_that_finds_few_looks_for_their_numbers_first() -> None:
    assert sqltext.found_by_row(MARKED) == (
        "SELECT m.a FROM cj.many AS m INNER JOIN (SELECT few.rowid AS number FROM cj.many AS few INNER JOIN (SELECT DISTINCT a, b FROM cj.wanted) AS w USING (a, b)) AS few "
        "ON few.number = m.rowid\n    WHERE m.c > 1"
    )
    unmarked = MARKED.replace(" /* few */", "")
    assert sqltext.found_by_row(unmarked) == unmarked


@pytest.mark.parametrize(
    "sql", [MARKED, f"WITH k AS (SELECT DISTINCT a, b FROM cj.wanted) {MARKED.replace('(SELECT DISTINCT a, b FROM cj.wanted)', 'k')}"]
)
def test_it_finds_what_the_join_finds(sql: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE SCHEMA cj; CREATE TABLE cj.many (a integer, b text, c integer); CREATE TABLE cj.wanted (a integer, b text)"
        )
        connection.execute("INSERT INTO cj.many SELECT i % 7, CAST(i % 3 AS text), i % 2 + 1 FROM range(200) AS t (i)")
        connection.execute("INSERT INTO cj.wanted VALUES (1, '1'), (1, '1'), (2, '0'), (3, NULL), (9, '1')")
        found = connection.execute(f"{sql} ORDER BY ALL").fetchall()
        assert connection.execute(f"{sqltext.found_by_row(sql)} ORDER BY ALL").fetchall() == found != []
