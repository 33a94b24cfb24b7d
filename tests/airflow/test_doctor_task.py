"""The doctor as a task: what it finds stands in its log, and something to mend fails it for good."""

from __future__ import annotations

import logging

import pytest

from include.airflow.doctor import ToMend, examine_in_a_task
from tests.restatements.doctor.conftest import cj, ground, sandbox
from tests.restatements.doctor.ground import Ground

__all__ = ["cj", "ground", "sandbox"]


def test_a_right_set_up_succeeds_though_a_task_cannot_ask_for_pools(ground: Ground) -> None:
    came = examine_in_a_task()
    assert {name: state for name, state in came.items() if state != "right"} == {"pools": "not_asked", "ledger (cj)": "look"}


def test_something_to_mend_fails_the_task_and_its_log_says_what(ground: Ground, caplog: pytest.LogCaptureFixture) -> None:
    ground.account(password="old-token")
    with (
        caplog.at_level(logging.INFO, logger="include.airflow.doctor"),
        pytest.raises(ToMend, match=r"To be mended: token \(cj\)\.") as raised,
    ):
        examine_in_a_task()
    assert not raised.value.transient
    warnings = [
        record.getMessage() for record in caplog.records if record.name == "include.airflow.doctor" and record.levelno == logging.WARNING
    ]
    assert any("does not accept the token" in line and "Admin, Connections, cj" in line for line in warnings)
    assert "old-token" not in caplog.text
