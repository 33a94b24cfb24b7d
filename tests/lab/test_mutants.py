"""What the laboratory plants is a mistake, where it matters, and nothing else; and what no test notices is told."""

from __future__ import annotations

import ast
import shlex
import subprocess
from pathlib import Path

import pytest

from include.airflow.environment import ROOT
from lab.mutants import __main__ as survey
from lab.mutants import python_code, sql_texts, told_rules
from lab.mutants.__main__ import planted_in
from lab.mutants.decides_nothing import DECIDES_NOTHING
from lab.mutants.mutation import Mutation
from lab.mutants.targets import TARGETS, Target

SQL = """-- a > b AND NOT c
SELECT COALESCE(a, 0) + 1 AS n, {{ held }} {# x > y #}
FROM t
INNER JOIN u
    ON u.id = t.id
WHERE a >= b AND word = 'x > y' OR NOT c OR EXISTS (SELECT 1 FROM v)
"""
RULES = """
WORD = "not a rule"
RULES: tuple[Rule, ...] = (
    Rule("one", "a AND NOT b", "A sentence, which is no condition.", "source"),
    Rule("two", "b OR c", "Another.", "source"),
    Rule("three", "NOT b AND NOT c", "A third.", "source"),
)
"""
PYTHON = """
def f(x: int) -> bool:
    assert x > 0
    if x and not y:
        return abs(x - 1) <= 2
    return "a" + "b"
"""


def planted(found: list[Mutation], source: str) -> set[str]:
    """The lines that were changed, as they stand after it."""
    return {line.strip() for m in found for line in m.applied(source).splitlines() if line not in source.splitlines()}


def test_sql_is_turned_where_it_decides_and_not_in_its_comments_words_joins_and_tags() -> None:
    assert planted(list(sql_texts.mutations("x.sql", SQL)), SQL) == {
        "SELECT COALESCE(a, 0) - 1 AS n, {{ held }} {# x > y #}",
        "SELECT COALESCE(a, 0) + 2 AS n, {{ held }} {# x > y #}",
        "SELECT COALESCE(a, 1) + 1 AS n, {{ held }} {# x > y #}",
        "LEFT JOIN u",
        "WHERE a > b AND word = 'x > y' OR NOT c OR EXISTS (SELECT 1 FROM v)",
        "WHERE a >= b OR word = 'x > y' OR NOT c OR EXISTS (SELECT 1 FROM v)",
        "WHERE a >= b AND word <> 'x > y' OR NOT c OR EXISTS (SELECT 1 FROM v)",
        "WHERE a >= b AND word = 'x > y' AND NOT c OR EXISTS (SELECT 1 FROM v)",
        "WHERE a >= b AND word = 'x > y' OR c OR EXISTS (SELECT 1 FROM v)",
        "WHERE a >= b AND word = 'x > y' OR NOT c AND EXISTS (SELECT 1 FROM v)",
    }


def test_a_rule_is_dropped_swapped_and_turned_in_every_part_of_its_condition() -> None:
    found = {m.what.removeprefix("RULES: ") for m in told_rules.mutations("rules.py", RULES)}
    assert {"one dropped", "two dropped", "three dropped"} <= found
    # `b OR c` leaves nothing to `NOT b AND NOT c`: their turn decides nothing.
    assert {w for w in found if "asked before" in w} == {"two asked before one"}
    assert {w.removeprefix("one where ") for w in found if w.startswith("one where")} == {
        "a OR NOT b", "a AND b", "NOT a AND NOT b", "TRUE AND NOT b", "a AND NOT FALSE",
    }  # fmt: skip
    assert {w.removeprefix("two where ") for w in found if w.startswith("two where")} == {
        "b AND c", "NOT b OR c", "b OR NOT c", "FALSE OR c", "b OR FALSE",
    }  # fmt: skip


def test_the_turn_of_two_rules_that_stand_for_one_word_decides_nothing() -> None:
    told = 'RULES: T = (\n    V("one", Status.A, "a", "s"),\n    V("two", Status.A, "b", "s"),\n    V("three", Status.B, "TRUE", "s"),\n)\n'
    swapped = {m.what for m in told_rules.mutations("rules.py", told) if "asked before" in m.what}
    assert swapped == {"RULES: three asked before two"}


def test_python_is_turned_and_its_assertions_annotations_and_texts_are_left_alone() -> None:
    assert planted(list(python_code.mutations("x.py", PYTHON)), PYTHON) == {
        "if x or not y:", "if x and  y:", "if not (x and not y):", "return (x - 1) <= 2", "return abs(x + 1) <= 2", "return abs(x - 2) <= 2",
        "return abs(x - 1) < 2", "return abs(x - 1) <= 3",
    }  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.path)
def test_every_target_is_there_with_its_tests_and_what_is_planted_can_be_read(target: Target) -> None:
    mistakes = planted_in(target)
    assert mistakes
    for tests in [word for word in shlex.split(" ".join(target.tests)) if "/" in word]:
        assert (ROOT / tests.partition("::")[0]).exists(), tests
    source = (ROOT / target.path).read_text(encoding="utf-8")
    for _, mistake in mistakes:
        assert mistake.applied(source) != source
        assert Path(mistake.path).suffix != ".py" or ast.parse(mistake.applied(source))


@pytest.mark.parametrize(("path", "part", "what"), DECIDES_NOTHING)
def test_what_is_said_to_decide_nothing_still_stands_there(path: str, part: str, what: str) -> None:
    (target,) = [target for target in TARGETS if target.path == path]
    source = (ROOT / path).read_text(encoding="utf-8")
    assert [m for m in target.plants(path, source) if m.what == what and part in source.splitlines()[m.line - 1]]


def test_the_lines_that_changed_since_a_commit_are_those_git_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.example", *words], cwd=tmp_path, check=True, capture_output=True)

    monkeypatch.setattr(survey, "ROOT", tmp_path)
    file = tmp_path / "text.sql"
    file.write_text("one\ntwo\nthree\nfour\n")
    git("init")
    git("add", ".")
    git("commit", "-m", "before")
    assert survey.changed_since("HEAD", "text.sql") == set()
    file.write_text("one\n2\nthree\nmore\nmore\n")
    assert survey.changed_since("HEAD", "text.sql") == {2, 4, 5}
    with pytest.raises(subprocess.CalledProcessError):
        survey.changed_since("no-such-commit", "text.sql")
