"""How the package is laid out: who may know Airflow, how long a module may be, what says what it is, and what no kept file may mention."""

from __future__ import annotations

import ast
import re
import socket
import tempfile
from pathlib import Path

import pytest

from tests.policy.sources import ROOT, imports, kept_texts, modules, tree

SEAMS = {
    "include/airflow": "the edge",
    "include/commands": "start Airflow, or read the settings of its DAGs",
    "include/storage/bucket.py": "ObjectStoragePath, and the connection of a bucket",
}
"""The only places that import Airflow."""

THE_BENCHMARKS = ("polars",)
"""Libraries that one of the scripts we are measured beside is written with, and nothing of ours."""

LONGEST = 400


def test_only_the_seams_import_airflow() -> None:
    found = [
        f"{module}:{line}"
        for module in modules("include")
        if not str(module).startswith(tuple(SEAMS))
        for name, line in imports(module)
        if name.split(".")[0] == "airflow"
    ]
    assert found == [], "take what is needed as an argument: include.airflow hands it in"


def test_what_is_deployed_runs_without_its_tests_and_the_laboratory() -> None:
    found = [
        f"{m}:{line}: {name}"
        for m in modules("include", "dags", "plugins")
        for name, line in imports(m)
        if name.split(".")[0] in ("tests", "lab")
    ]
    assert found == []


def test_what_a_script_beside_us_is_written_with_is_imported_by_the_laboratory_alone() -> None:
    found = [
        f"{module}:{line}: {name}"
        for module in modules("include", "dags", "plugins", "tests")
        for name, line in imports(module)
        if name.split(".")[0] in THE_BENCHMARKS
    ]
    assert found == []


@pytest.mark.parametrize("module", modules("include", "dags", "plugins", "lab", "tests"), ids=str)
def test_a_module_says_what_it_is_and_is_short_enough_to_be_read(module: Path) -> None:
    text = (ROOT / module).read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST or module in (Path("tests/warehouse/test_session.py"), Path("tests/restatements/gate/test_gate.py"))
    if module.name != "__init__.py" or text.strip():
        assert ast.get_docstring(tree(module)), f"{module} does not say what it is for"


@pytest.mark.parametrize("module", modules("include"), ids=str)
def test_every_public_function_and_class_says_what_it_is(module: Path) -> None:
    silent = [
        f"{module}:{node.lineno}: {node.name}"
        for node in tree(module).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_") and node.name != "main"
        if not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_kept_file_knows_the_machine_it_was_written_on() -> None:
    """Neither where the clone lies, nor a home, a host or a mirror of packages."""
    everybodys = {Path("/"), Path(tempfile.gettempdir()), Path.home().parent}
    places = [f"{place}/" for place in (ROOT, ROOT.parent, Path.home()) if place not in everybodys]
    known = re.compile("|".join([*map(re.escape, places), r"--(extra-)?index-url[ =]+\S", r"--trusted[-]host"]))
    found = [f"{path}:{n}" for path, text in kept_texts() for n, line in enumerate(text.splitlines(), 1) if known.search(line)]
    assert found == []
    host = socket.gethostname()
    assert len(host) < 8 or [str(path) for path, text in kept_texts() if host in text] == []


def test_no_relative_path_leaves_the_repository() -> None:
    leaving = [
        f"{path}: {relative[0]}"
        for path, text in kept_texts()
        for relative in re.finditer(r"(?<![\w./])(\.\./)+[\w.-]+", text)
        if not (ROOT / path.parent / relative[0]).resolve().is_relative_to(ROOT)
    ]
    assert leaving == []


def test_no_kept_file_holds_what_looks_like_a_token() -> None:
    secret = re.compile(r"\b(ghp_[A-Za-z0-9]{30,}|AKIA[A-Z0-9]{16}|xox[bp]-[A-Za-z0-9-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY-----)")
    assert [str(path) for path, text in kept_texts() if secret.search(text)] == []
