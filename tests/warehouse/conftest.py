"""Every promise of a session is kept by every warehouse: tests that take `location` or `session` run on each, and on one more.

That one more is `third/rowwise_warehouse.py`. It is no part of the package: its folder is put on the package's path while a test uses it, as
if the module stood beside the others, and nothing else knows of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import include.warehouse
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from include.warehouse.location import ConnectionParts, location_of
from tests.warehouses import EMPTY

THIRD = Path(__file__).parent / "third"


@pytest.fixture
def third_kind(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the third kind, which is there while the test runs."""
    monkeypatch.setattr(include.warehouse, "__path__", [*include.warehouse.__path__, str(THIRD)])
    return "rowwise"


@pytest.fixture
def third_parts(postgres_database: str, third_kind: str) -> ConnectionParts:
    """What an Airflow connection to an empty database of the third kind says."""
    server = urlsplit(postgres_database)
    return ConnectionParts(
        "warehouse", third_kind, host=parse_qs(server.query)["host"][0], login=server.username or "", extra={"database": server.path[1:]}
    )


def _rowwise(request: pytest.FixtureRequest) -> WarehouseLocation:
    return location_of(request.getfixturevalue("third_parts"))


@pytest.fixture(params=[*EMPTY, "rowwise"])
def location(request: pytest.FixtureRequest) -> WarehouseLocation:
    """An empty warehouse: a test that takes it runs on each kind, and on the third."""
    return (EMPTY | {"rowwise": _rowwise})[request.param](request)


@pytest.fixture
def session(location: WarehouseLocation) -> Iterator[Session]:
    with open_warehouse(location) as opened:
        yield opened
