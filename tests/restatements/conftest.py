"""A warehouse, a sandbox and a shop of its own for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.model.machine import sandboxes
from tests.restatements.nights import NewWorld


@pytest.fixture(scope="module")
def new_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewWorld]:
    with sandboxes(tmp_path_factory.mktemp("worlds")) as made:
        yield made
