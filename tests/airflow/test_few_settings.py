"""A task that needs few settings asks Airflow for those alone, and can take none of the others for what it is not."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest

from include.airflow.connections import Secrets, settings_from_airflow
from include.domain.errors import SettingError
from include.domain.states import Mode
from include.restatements.prepare import prepare
from include.restatements.settings import NEEDED_TO_PREPARE, NEEDED_TO_SUBMIT, TOLD, Run, few_settings
from include.restatements.submit import submit
from tests.airflow.test_settings import bare, connect, sentence
from tests.model.world import BEGIN, Options
from tests.policy.sources import ROOT, imports, tree
from tests.restatements.conftest import new_world
from tests.restatements.nights import NewWorld, placed

__all__ = ["bare", "new_world"]


def test_a_task_that_needs_few_settings_asks_for_those_alone_and_has_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Counted(Secrets):
        def variable(self, name: str) -> str | None:
            asked.append(name)
            return super().variable(name)

    connect(monkeypatch, {"mode": "live"})
    monkeypatch.setenv("AIRFLOW_VAR_CJ_MODE", "test")
    monkeypatch.setenv("AIRFLOW_VAR_CJ_CHUNK_SIZE", "many")  # another task's to complain of
    settings = settings_from_airflow({"approve_above": 5}, Counted(), names=NEEDED_TO_SUBMIT)
    assert sorted(asked) == ["cj_approve_above", "cj_conn_ids", "cj_mode", "cj_storage", "cj_storage_conn_id"]
    whole = settings_from_airflow({"approve_above": 5, "chunk_size": 7})
    assert {name: getattr(settings, name) for name in NEEDED_TO_SUBMIT} == {name: getattr(whole, name) for name in NEEDED_TO_SUBMIT}
    assert settings.effective_mode(settings.accounts[0]) is Mode.TEST
    for name in TOLD.keys() - NEEDED_TO_SUBMIT:
        with pytest.raises(AttributeError, match=name):
            getattr(settings, name)


def test_few_settings_are_read_as_carefully_as_all(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch)
    for name, value in (("mode", "live"), ("approve_above", "much")):
        with pytest.raises(SettingError) as few:
            settings_from_airflow({name: value}, names=NEEDED_TO_SUBMIT)
        assert str(few.value) == sentence({name: value})


def all_that_it_imports(module: str) -> set[Path]:
    """The modules of the core that a verb can come through."""
    found, open_ = set(), [Path(f"{module.replace('.', '/')}.py")]
    while open_:
        path = open_.pop()
        if path in found or not (ROOT / path).exists():
            continue
        found.add(path)
        open_ += [Path(f"{name.replace('.', '/')}.py") for name, _ in imports(path) if name.startswith("include.")]
    return found


@pytest.mark.parametrize(
    ("verb", "needed"), [("include.restatements.submit", NEEDED_TO_SUBMIT), ("include.restatements.prepare", NEEDED_TO_PREPARE)]
)
def test_no_line_that_a_verb_can_come_through_reads_a_setting_it_did_not_ask_for(verb: str, needed: frozenset[str]) -> None:
    others = TOLD.keys() - needed
    read = {
        (str(module), node.attr)
        for module in all_that_it_imports(verb)
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and node.attr in others
        and "settings" in ast.unparse(node.value)
    }
    assert read == set()


def test_a_night_of_few_settings_is_prepared_and_submitted(new_world: NewWorld) -> None:
    world = new_world(Options())
    world.append([placed()])
    prepare_with, submit_with = (
        few_settings(names, {name: getattr(world.settings, name) for name in names}) for names in (NEEDED_TO_PREPARE, NEEDED_TO_SUBMIT)
    )
    run = Run("few", BEGIN - timedelta(days=9), world.now())
    prepared = prepare(run, prepare_with, world.location)
    assert sum(submit(run, submit_with, batch).accepted for batch in prepared.batches) == 1
