"""What the pages name exists: settings, connections' keys, DAGs, make's targets and the files they link to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from include.airflow.connections import EXTRA_KEYS
from include.restatements.settings import TOLD, variable_of
from tests.policy.sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
VARIABLES = {variable_of(name) for name in TOLD}


def test_the_readme_lists_every_variable_and_every_key_of_a_connection() -> None:
    rows = " ".join(line.split("|")[1] for line in README.splitlines() if line.strip().startswith("|"))
    assert {name for name in VARIABLES if f"`{name}`" not in rows} == set()
    assert {name for name in EXTRA_KEYS if f"`{name}`" not in rows} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_names_no_setting_dag_or_target_that_does_not_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    dags = {file.stem for file in (ROOT / "dags").glob("*.py")}
    # Pools, the asset, the storage's folders, columns and a rule.
    known = (
        VARIABLES
        | dags
        | {
            "cj_submit",
            "cj_warehouse",
            "cj_submissions",
            "cj_restatements",
            "cj_data",
            "cj_event",
            "cj_event_length",
            "cj_event_characters",
            "cj_fee",
            "cj_uk",
            "cj_may_follow",
            "cj_not_known",
            "cj_without_id",
        }
    )
    assert set(re.findall(r"`(cj_[a-z_]+)`", text)) - known == set()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make (?:-s )?([a-z-]+)", text)) - targets == set()
    shell = "\n".join(re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE))
    assert set(re.findall(r"\bmake (?:-s )?([a-z-]+)", shell)) - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_module_that_a_page_tells_to_run_is_there(page: Path) -> None:
    modules = re.findall(r"python -m (include[\w.]+)", page.read_text(encoding="utf-8"))
    missing = [
        m
        for m in modules
        if not (ROOT / f"{m.replace('.', '/')}.py").exists() and not (ROOT / m.replace(".", "/") / "__main__.py").exists()
    ]
    assert missing == []
