"""One sandbox process for the tests that share it; each test takes orders of its own and leaves the knobs as it found them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.sandbox.knobs import Knobs
from include.sandbox.process import SandboxProcess, start_sandbox
from tests.sandbox.shop import OTHER_ACCOUNT, Shop


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox") / "state.sqlite", rate_limit=False) as started:
        started.control.seed(accounts=[OTHER_ACCOUNT])
        yield started


@pytest.fixture
def sandbox(process: SandboxProcess) -> Iterator[SandboxProcess]:
    yield process
    process.control.clear_faults()
    process.control.configure(**Knobs(rate_limit=False).as_dict())


@pytest.fixture
def shop(sandbox: SandboxProcess) -> Iterator[Shop]:
    shop = Shop(sandbox.url, sandbox.control)
    yield shop
    shop.http.close()


@pytest.fixture
def other_shop(sandbox: SandboxProcess) -> Iterator[Shop]:
    shop = Shop(sandbox.url, sandbox.control, "other-token", "1500002", "5500002")
    yield shop
    shop.http.close()
