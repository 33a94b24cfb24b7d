"""What a change has to pass is told once, in the Makefile: CI and the hooks before a commit ask for exactly that."""

from __future__ import annotations

import re

import yaml

from tests.policy.sources import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def needed(target: str) -> list[str]:
    """What `target` needs, as the Makefile lists it."""
    (line,) = re.findall(rf"^{target}:([^#\n]*)", MAKEFILE, re.MULTILINE)
    return line.split()


def recipe(target: str) -> str:
    """The commands of `target`."""
    (lines,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE)
    return lines


def test_ci_asks_for_make_test_and_that_begins_with_the_static_part() -> None:
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == "exec make test"
    assert needed("test") == ["check"]
    assert "pytest" in recipe("test")


def test_the_static_part_is_format_lint_types_and_the_generated_pages() -> None:
    steps = "".join(recipe(target) for target in needed("check"))
    assert [word for word in ("ruff format --check .", "ruff check .", "mypy", "lab.docs --check") if word not in steps] == []
    assert recipe("check") == "", "a step that is not a target of its own has no hook"
    assert all(needed(target) == ["setup"] for target in needed("check"))


def test_the_hooks_are_the_static_part_and_nothing_from_elsewhere() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert [hook["entry"] for hook in hooks] == [f"make -s {target}" for target in needed("check")]
    assert all(hook["language"] == "system" and hook["pass_filenames"] is False for hook in hooks)
