"""Any history, any order of runs, any fault: in the end CJ holds what the warehouse says, or a true reason says why not.

`make test` plays a fixed set of examples; `make soak` draws new ones for as long as it is told (`tests/model/soak.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Loop, sandboxes

EXAMPLES, STEPS = 5, 12


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_cj_comes_to_hold_what_the_warehouse_says_whatever_happens_on_the_way(tmp_path: Path) -> None:
    with sandboxes(tmp_path) as new_world:
        play(new_world, max_examples=EXAMPLES, derandomize=True)


def play(new_world: Callable[..., object], **chosen: object) -> None:
    quiet = settings(
        deadline=None, stateful_step_count=STEPS, database=None, print_blob=True, suppress_health_check=list(HealthCheck), **chosen  # type: ignore[arg-type]
    )  # fmt: skip
    run_state_machine_as_test(lambda: Loop(new_world), settings=quiet)  # type: ignore[arg-type]
