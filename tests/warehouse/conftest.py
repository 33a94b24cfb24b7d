"""Every promise of a session is kept by both warehouses: tests that take `location` or `session` run on each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.warehouse.base import Session, WarehouseLocation, open_warehouse


@pytest.fixture
def session(location: WarehouseLocation) -> Iterator[Session]:
    with open_warehouse(location) as opened:
        yield opened
