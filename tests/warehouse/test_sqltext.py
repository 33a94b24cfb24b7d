"""Values never enter the SQL text, and only what is a parameter is taken for one."""

from __future__ import annotations

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
