"""Imports only go down: the floor plan of docs/architecture.md, and nothing in a circle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.sources import imports, modules

FLOORS = (
    ("include/domain",),
    ("include/storage", "include/sql"),
    ("include/cj", "include/warehouse"),
    ("include/restatements",),
    ("include/partners",),
    ("include/sandbox", "include/web"),
    ("include/demo",),
    ("include/airflow",),
    ("include/commands",),
    ("dags", "plugins", "lab"),
)
"""From the ground up. A room may use what lies below it, never what lies beside or above it."""

STAGES = (
    ("settings", "checkpoints", "rules", "scratch"),
    ("adoption", "changes", "gate", "journal", "ledger", "report", "retention"),
    ("approval",),
    ("posting", "plan", "quality", "verdicts", "notices", "cases"),
    ("acknowledge", "preview", "prelock", "prepare", "prove", "publish", "reconcile", "submit"),
    ("rebuild", "doctor"),
)
"""The floors inside include/restatements: what a run may do, the stages, those that use other stages, the verbs."""

ROOMS = [room for floor in FLOORS for room in floor]


def room_of(name: str) -> str | None:
    """The room of a dotted module name or of a path; None for what is no module of ours."""
    path = name.replace(".", "/")
    return next((room for room in ROOMS if path == room or path.startswith(f"{room}/")), None)


def floor_of(room: str) -> int:
    """Counted from the ground."""
    return next(n for n, rooms in enumerate(FLOORS) if room in rooms)


def upward(paths: list[Path]) -> list[str]:
    """Imports that do not go down, as `file:line: room -> room`."""
    found = []
    for module in paths:
        mine = room_of(str(module))
        for name, line in imports(module):
            theirs = room_of(name)
            if mine and theirs and mine != theirs and floor_of(theirs) >= floor_of(mine):
                found.append(f"{module}:{line}: {mine} -> {theirs}")
    return found


def test_imports_only_go_down() -> None:
    assert upward(modules("include", "dags", "plugins", "lab")) == []


def test_every_module_stands_in_a_room() -> None:
    outside = [str(m) for m in modules("include", "dags", "plugins", "lab") if room_of(str(m)) is None and str(m) != "include/__init__.py"]
    assert outside == []


def stage_of(name: str) -> int | None:
    """The floor of a stage inside include/restatements."""
    parts = name.replace(".", "/").removesuffix("/py").split("/")
    if parts[:2] != ["include", "restatements"] or len(parts) < 3:
        return None
    return next((n for n, stages in enumerate(STAGES) if parts[2] in stages), None)


def test_a_stage_uses_only_what_lies_below_it() -> None:
    found = []
    for module in modules("include/restatements"):
        mine, floor = module.parts[2].removesuffix(".py"), stage_of(str(module.with_suffix("")))
        for name, line in imports(module):
            theirs = stage_of(name)
            if theirs is not None and floor is not None and name.split(".")[2] != mine and theirs >= floor:
                found.append(f"{module}:{line}: {name}")
    assert found == []


def test_every_part_of_the_loop_is_a_stage_or_a_verb() -> None:
    known = {stage for stages in STAGES for stage in stages} | {"__init__"}
    assert {m.parts[2].removesuffix(".py") for m in modules("include/restatements")} - known == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {dotted(m): {name for name, _ in imports(m)} for m in modules("include", "dags", "plugins", "lab")}
    graph = {name: {used for used in names if used in graph and used != name} for name, names in graph.items()}
    assert circle(graph) == []


def dotted(module: Path) -> str:
    """The module's name as it is imported."""
    return str(module.with_suffix("")).replace("/", ".").removesuffix(".__init__")


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The names of one circle, or nothing: what is left when what imports nothing more is taken away again and again."""
    left = {name: set(used) for name, used in graph.items()}
    while free := [name for name, used in left.items() if not used & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


def test_a_circle_would_be_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]


@pytest.mark.parametrize(("name", "room"), [("include.cj.client", "include/cj"), ("lab.bench", "lab"), ("airflow.sdk", None)])
def test_a_module_is_found_in_its_room(name: str, room: str | None) -> None:
    assert room_of(name) == room
