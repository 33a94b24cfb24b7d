"""A world whose warehouse is the one a test is given: DuckDB or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from pathlib import Path

import pyarrow as pa

from include.demo.files import ORDER_CHANGES
from include.sandbox.process import SandboxProcess
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.model.shop import Change
from tests.model.world import Options, World

_NUMBERS = count(900)
_TYPES = {"string": "text", "int64": "bigint", "bool": "boolean", "timestamp[us, tz=UTC]": "timestamp with time zone"}


class WorldOn(World):
    """A world on `location`; the file it would otherwise work on stays empty."""

    def __init__(self, sandbox: SandboxProcess, place: Path, location: WarehouseLocation) -> None:
        place.mkdir()
        super().__init__(sandbox, place, next(_NUMBERS), Options())
        self.location = location
        columns = ", ".join(f"{field.name} {_TYPES.get(str(field.type), 'decimal(38, 10)')}" for field in ORDER_CHANGES)
        with open_warehouse(location) as session:
            session.execute(f"CREATE TABLE order_changes ({columns})")

    def append(self, changes: Iterable[Change]) -> None:
        rows = []
        for change in changes:
            self.log.add(change)
            rows.append(change.row(self.enterprise))
        with open_warehouse(self.location) as session:
            session.append("order_changes", pa.Table.from_pylist(rows, ORDER_CHANGES))
