"""A name that nothing reads is told, with the one that may have been meant; and each remedy names a Variable as the environment spells it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.airflow.pools import variables
from include.restatements.doctor.checks import Found, State
from include.restatements.settings import TOLD, variable_of
from tests.restatements.doctor.ground import Ground, wrong


def settings_of(ground: Ground, **told: str) -> Found:
    ground.variables(**told)
    return ground.examined()["settings"].found


def test_a_misspelled_variable_is_told_with_the_one_that_was_meant(ground: Ground) -> None:
    found = settings_of(ground, cj_chunk_szie="500")
    assert found.state is State.LOOK
    assert "AIRFLOW_VAR_CJ_CHUNK_SZIE is read by nothing; did you mean cj_chunk_size (AIRFLOW_VAR_CJ_CHUNK_SIZE)?" in found.sentence
    assert "A night would run in mode" in found.sentence


def test_a_variable_like_none_of_ours_is_told_without_a_guess(ground: Ground) -> None:
    assert "AIRFLOW_VAR_CJ_XYLOPHONE is read by nothing." in settings_of(ground, cj_xylophone="1").sentence


def test_a_variable_in_small_letters_is_read_by_nothing_either(ground: Ground) -> None:
    ground.monkeypatch.setenv("AIRFLOW_VAR_cj_approve_above", "0")
    found = ground.examined()["settings"].found
    assert (
        "AIRFLOW_VAR_cj_approve_above is read by nothing; did you mean cj_approve_above (AIRFLOW_VAR_CJ_APPROVE_ABOVE)?" in found.sentence
    )


def test_every_setting_of_ours_is_none_of_them(ground: Ground) -> None:
    for name in TOLD:
        if variable_of(name) not in ("cj_conn_ids", "cj_storage"):
            ground.variable(variable_of(name), "")
    assert ground.examined()["settings"].found.state is State.RIGHT


@pytest.fixture
def database() -> Iterator[None]:
    """Airflow's own table of Variables, in the tests' metadata database, for as long as a test runs."""
    from airflow import settings
    from airflow.models import team, variable  # noqa: F401 - each makes its table known
    from airflow.models.base import Base

    tables = [Base.metadata.tables[name] for name in ("team", "variable")]
    Base.metadata.create_all(settings.engine, tables)
    yield
    Base.metadata.drop_all(settings.engine, tables)


def test_variables_in_airflows_database_are_looked_at_too(ground: Ground, database: None) -> None:
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session

    with create_session() as session:
        session.add_all([Variable(key=key, val="1") for key in ("cj_deadline_hour", "cj_ledger_days", "CJ_MODE", "theirs", "cjx_own")])
    found = ground.examined(variables=variables)["settings"].found
    assert found.state is State.LOOK
    assert "Variable cj_deadline_hour is read by nothing; did you mean cj_deadline_hours" in found.sentence
    assert "Variable CJ_MODE is read by nothing; did you mean cj_mode" in found.sentence
    assert not any(name in found.sentence for name in ("cj_ledger_days", "theirs", "cjx_own"))


def test_a_database_that_cannot_be_asked_is_left_to_the_pools_to_tell(ground: Ground) -> None:
    assert ground.examined(variables=variables)["settings"].found.state is State.RIGHT


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [("cj_chunk_size", "many", "settings"), ("cj_conn_ids", "cj", "accounts"), ("cj_order_changes_sql", "/gone.sql", "query"),
     ("cj_storage", "file:///dev/null/x", "storage")],
)  # fmt: skip
def test_a_remedy_about_a_variable_names_it_as_the_environment_does(ground: Ground, name: str, value: str, check: str) -> None:
    ground.variable(name, value)
    assert f"Variable {name} is AIRFLOW_VAR_{name.upper()} in the environment." in wrong(ground.examined())[check].split(" → ")[1]
