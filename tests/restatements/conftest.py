"""A warehouse, a sandbox and a shop of its own for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from include.sandbox.process import SandboxProcess, start_sandbox
from include.warehouse.base import WarehouseLocation
from tests.model.machine import sandboxes
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import NewWorld


@pytest.fixture(scope="module")
def new_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewWorld]:
    with sandboxes(tmp_path_factory.mktemp("worlds")) as made:
        yield made


@pytest.fixture(scope="module")
def cj(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with start_sandbox(tmp_path_factory.mktemp("cj") / "state.sqlite", rate_limit=False) as sandbox:
        yield sandbox


@pytest.fixture
def world(cj: SandboxProcess, location: WarehouseLocation, tmp_path: Path) -> WorldOn:
    return WorldOn(cj, tmp_path / "world", location)
