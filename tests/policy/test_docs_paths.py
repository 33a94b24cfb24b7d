"""What the pages name exists: files and folders, wherever one stands in backticks; and what exists is named where people look for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from include import __version__
from tests.policy.sources import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")

TOP = {path.name for path in ROOT.iterdir()} | {"docs", "include", "tests", "lab", "dags", "plugins"}


def named_paths(text: str) -> set[str]:
    """What stands in backticks, holds a slash and begins with something that lies in the root."""
    plain = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    found = {name.rstrip("/") for name in re.findall(r"`([\w.<>*{},-]+/[\w./<>*{},-]*)`", plain)}
    return {name for name in found if name.split("/")[0] in TOP}


def exists(name: str) -> bool:
    """Whether there is such a path; what stands in `<>` is for the reader to fill in, and something like it has to be there."""
    pattern = re.sub(r"<\w+>", "*", name)
    return any(True for _ in ROOT.glob(pattern))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_path_that_a_page_names_is_there(page: Path) -> None:
    found = named_paths(page.read_text(encoding="utf-8"))
    assert {name for name in found if not exists(name)} == set()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("see `include/gone.py` and `docs/adr/`", {"include/gone.py", "docs/adr"}),
        ("`<storage>/run`, `quality/`, `duckdb/x`", set()),
        ("`include/warehouse/<kind>_warehouse.py`", {"include/warehouse/<kind>_warehouse.py"}),
        ("```sh\n`include/x`\n```\n", set()),
    ],
)
def test_a_path_is_found_in_a_page(text: str, names: set[str]) -> None:
    assert named_paths(text) == names


def test_a_path_with_a_gap_is_there_when_something_fills_it() -> None:
    assert exists("include/warehouse/<kind>_warehouse.py")
    assert not exists("include/warehouse/<kind>_lake.py")


def test_every_page_of_the_docs_is_listed_in_the_readme() -> None:
    assert {path.name for path in (ROOT / "docs").glob("*.md") if f"](docs/{path.name})" not in README} == set()
    assert all(f"[{name}]({name})" in README for name in ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"))


def test_every_decision_is_listed_in_the_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert {path.name for path in records if f"](adr/{path.name})" not in page} == set()
    assert [path.name[:4] for path in records] == [f"{n:04}" for n in range(1, len(records) + 1)]


@pytest.mark.parametrize("record", sorted((ROOT / "docs" / "adr").glob("*.md")), ids=lambda record: record.stem)
def test_a_decision_says_what_why_and_at_what_price(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert text.startswith(f"# {int(record.name[:4])}. ")
    assert [part for part in ("**Decision.**", "**Why.**", "**Price.**") if part not in text] == []
    assert text.count("\n") <= 40


def test_every_dag_is_in_the_readme() -> None:
    assert {file.stem for file in (ROOT / "dags").glob("*.py") if f"| `{file.stem}` |" not in README} == set()


def test_the_version_has_its_section_in_the_changelog() -> None:
    sections = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert next(section for section in sections if section != "Unreleased") == __version__
