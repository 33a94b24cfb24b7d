"""The doctor is read by a person and by machines, and its exit code says whether something is to be mended."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator

import pytest
from rich.console import Console

from include.airflow.environment import ROOT
from include.commands import doctor
from include.commands.doctor_shown import as_json, show
from include.restatements.doctor.checks import Finding, Found, State
from tests.restatements.doctor.conftest import cj, ground, sandbox
from tests.restatements.doctor.ground import Ground, pools_table

__all__ = ["cj", "ground", "sandbox"]

FINDINGS = [
    Finding("python", "", "the interpreter fits", Found(State.RIGHT, "Python 3.12.")),
    Finding("token", "cj", "CJ takes the token", Found(State.MEND, "It does not.", "Put another there.")),
    Finding("ids", "cj", "ids meet", Found(State.NOT_ASKED, "Not asked, because of token (cj): mend that first."), "token (cj)"),
    Finding(
        "orders", "", "orders pass", Found(State.LOOK, "Most do.", "Correct them.", ({"order": "o-[red]1\x1b", "amount": "5.00", "reason": "r", "rule": "R."},))
    ),
]  # fmt: skip


def test_a_table_shows_each_line_with_its_remedy_and_the_examples() -> None:
    screen = io.StringIO()
    show(FINDINGS, Console(file=screen, width=140))
    lines = [line.strip() for line in screen.getvalue().splitlines()]
    assert any(line.startswith("MEND") and "token (cj): CJ takes the token" in line and line.endswith("It does not.") for line in lines)
    assert "→ Put another there." in lines
    assert any("o-[red]1?" in line and "5.00" in line for line in lines)
    assert "1 to mend: token (cj)." in lines


def test_machines_get_the_same() -> None:
    told = json.loads(json.dumps(as_json(FINDINGS)))
    assert (told["version"], told["right"]) == (1, False)
    assert [(one["id"], one["connection"], one["state"]) for one in told["checks"]] == [
        ("python", None, "right"), ("token", "cj", "mend"), ("ids", "cj", "not_asked"), ("orders", None, "look"),
    ]  # fmt: skip
    assert told["checks"][1]["remedy"] == "Put another there."
    assert told["checks"][2]["because"] == "token (cj)"
    assert told["checks"][3]["examples"][0]["amount"] == "5.00"


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command sets levels for its whole process, which is the tests'."""
    monkeypatch.setenv("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    levels = {name: logging.getLogger(name).level for name in ("great_expectations", "include")}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_the_exit_code_says_whether_something_is_to_be_mended(ground: Ground, quiet: None, capsys: pytest.CaptureFixture[str]) -> None:
    from include.airflow.pools import create_missing_pools

    with pools_table():
        create_missing_pools()
        capsys.readouterr()
        assert doctor.main(["--json"]) == 0
        assert json.loads(capsys.readouterr().out)["right"] is True
        ground.account(password="old-token")
        assert doctor.main([]) == 1
    shown = capsys.readouterr().out
    assert "1 to mend: token (cj)." in shown
    assert "old-token" not in shown


@pytest.mark.parametrize("module", ["include/__init__.py", "include/commands/__init__.py", "include/commands/doctor.py", "include/restatements/__init__.py",
                                    "include/restatements/doctor/__init__.py", "include/restatements/doctor/interpreter.py"])  # fmt: skip
def test_a_python_too_old_for_the_package_can_read_what_tells_it_so(module: str) -> None:
    text = (ROOT / module).read_text(encoding="utf-8")
    imported = [node for node in ast.parse(text, feature_version=(3, 7)).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imported}
    assert names <= {"__future__", "sys", "include.restatements.doctor.interpreter"}
