"""The generated pages say what they are generated from, and a Variable cannot be forgotten in the README's table."""

from __future__ import annotations

import ast
import re
import shutil
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from include.airflow.environment import read_settings
from include.restatements.settings import TOLD, Settings, variable_of
from lab import docs
from lab.pages import variables
from tests.policy.sources import ROOT, modules, tree

VARIABLES = {variable_of(name) for name in TOLD}


@pytest.mark.parametrize("path", docs.PAGES)
def test_a_generated_page_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == docs.PAGES[path](), f"{path} is not what it is generated from. Run: make docs"


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """The generated pages, in a folder of their own."""
    for path in docs.PAGES:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


@pytest.mark.parametrize("path", docs.PAGES)
def test_a_page_that_is_out_of_date_or_gone_is_named_with_what_to_do(path: str, copies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert docs.main(["--check"], copies) == 0
    with (copies / path).open("a", encoding="utf-8") as page:
        page.write("| `cj_typed_by_hand` |\n")
    # The README's own words are taken from the real one, so a change below its table is seen like any other.
    assert docs.main(["--check"], copies) == 1
    assert capsys.readouterr().err == f"{path} is not what it is generated from. Run: make docs\n"
    (copies / path).unlink()
    assert docs.outdated(copies) == [path]
    assert docs.main([], copies) == 0
    assert docs.outdated(copies) == []


def test_every_page_that_says_it_is_written_by_make_docs_is_in_the_list() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "include").rglob("*.html")]
    written = {
        str(page.relative_to(ROOT)) for page in pages if re.search(r"^<!-- .*[Ww]ritten by `make docs`", page.read_text("utf-8"), re.M)
    }
    assert written == set(docs.PAGES)


@pytest.mark.parametrize("name", TOLD)
def test_every_setting_has_a_row_with_a_default_what_it_may_be_and_a_meaning(name: str) -> None:
    (row,) = [line for line in variables.table().splitlines() if line.startswith(f"| `{variable_of(name)}` |")]
    default, may_be, meaning = (cell.strip() for cell in row.strip("|").split("|")[1:])
    assert default not in ("", "None")
    assert len(may_be.split()) >= 2
    assert len(meaning.split()) >= 3


def test_a_setting_that_tells_nothing_of_itself_cannot_be_declared() -> None:
    assert [one.name for one in fields(Settings)] == list(TOLD)
    unsaid = [one.name for one in fields(Settings) if one.default in (None, MISSING) and not TOLD[one.name].unset]
    assert unsaid == [], "no default that can be shown: say what holds where nobody set it"


def test_a_variable_that_the_code_reads_is_in_the_table() -> None:
    read = {
        node.args[0].value
        for module in modules("include", "dags", "plugins")
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "variable" and node.args
        if isinstance(node.args[0], ast.Constant)
    }
    assert read - VARIABLES == set()
    asked_airflow = [
        str(module) for module in modules("include", "dags", "plugins") if "Variable.get" in (ROOT / module).read_text("utf-8")
    ]
    assert asked_airflow == ["include/airflow/connections.py"]
    assert {entry["variable_name"] for entry in read_settings()["variables"]} <= VARIABLES


def test_a_default_that_a_runbook_or_a_form_repeats_is_the_settings_own() -> None:
    shown = {variable_of(one.name): variables.shown(one.default) for one in fields(Settings)}
    texts = "".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "dags").glob("*.py")))
    said = re.findall(r"Variable (cj_\w+), else ([\d.,]+\d)", texts)
    said += [(f"cj_{name}", default) for name, default in re.findall(r"^\| `(\w+)` \|.*\(default ([\d.,]*\d)", texts, re.MULTILINE)]
    said += [(f"cj_{name}", default) for name, default in re.findall(r'"(\w+)": Param\(\s*([\d._]+),', texts)]
    assert len(said) >= 7
    assert [(name, default) for name, default in said if shown[name] != re.sub("[,_]", "", default)] == []
