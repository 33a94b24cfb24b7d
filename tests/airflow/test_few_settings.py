"""A task that needs few settings asks Airflow for those alone, and can take none of the others for what it is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include.airflow.connections import Secrets, settings_from_airflow
from include.domain.errors import SettingError
from include.domain.states import Mode
from include.restatements.settings import TOLD, few_settings
from include.restatements.submit import NEEDS, submit
from tests.airflow.test_settings import bare, connect, sentence
from tests.model.world import BEGIN, Options
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
    settings = settings_from_airflow({"approve_above": 5}, Counted(), names=NEEDS)
    assert sorted(asked) == ["cj_approve_above", "cj_conn_ids", "cj_mode", "cj_storage", "cj_storage_conn_id"]
    whole = settings_from_airflow({"approve_above": 5, "chunk_size": 7})
    assert {name: getattr(settings, name) for name in NEEDS} == {name: getattr(whole, name) for name in NEEDS}
    assert settings.effective_mode(settings.accounts[0]) is Mode.TEST
    for name in TOLD.keys() - NEEDS:
        with pytest.raises(AttributeError, match=name):
            getattr(settings, name)


def test_few_settings_are_read_as_carefully_as_all(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch)
    for name, value in (("mode", "live"), ("approve_above", "much")):
        with pytest.raises(SettingError) as few:
            settings_from_airflow({name: value}, names=NEEDS)
        assert str(few.value) == sentence({name: value})


def test_submitting_reads_no_setting_but_those_it_needs(new_world: NewWorld) -> None:
    world = new_world(Options())
    world.append([placed()])
    night = world.prepare(BEGIN - timedelta(days=9), world.now())
    few = few_settings(NEEDS, {name: getattr(world.settings, name) for name in NEEDS})
    assert sum(submit(night.run, few, batch).accepted for batch in night.prepared.batches) == 1
