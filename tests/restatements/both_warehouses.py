"""A world whose warehouse is the one a test is given: DuckDB or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """A world on `location`; the file it would otherwise work on stays empty.

    `types` makes columns of order_changes otherwise than usual: `{"order_id": "bigint"}`. The shop then writes to the table `landed`, and
    each of its rows is cast from there.
    """

    def __init__(self, sandbox: SandboxProcess, place: Path, location: WarehouseLocation, types: Mapping[str, str] | None = None) -> None:
        place.mkdir()
        super().__init__(sandbox, place, next(_NUMBERS), Options())
        self.location, self.types = location, dict(types or {})
        usual = {field.name: _TYPES.get(str(field.type), "decimal(38, 10)") for field in ORDER_CHANGES}
        with open_warehouse(location) as session:
            session.execute(_table("order_changes", usual | self.types))
            if self.types:
                session.execute(_table("landed", usual))

    def append(self, changes: Iterable[Change]) -> None:
        rows = []
        for change in changes:
            self.log.add(change)
            rows.append(change.row(self.enterprise))
        table = pa.Table.from_pylist(rows, ORDER_CHANGES)
        with open_warehouse(self.location) as session:
            if not self.types:
                session.append("order_changes", table)
                return
            session.append("landed", table)
            casts = ", ".join(f"CAST({name} AS {self.types[name]})" if name in self.types else name for name in ORDER_CHANGES.names)
            session.execute(f"INSERT INTO order_changes ({', '.join(ORDER_CHANGES.names)}) SELECT {casts} FROM landed; DELETE FROM landed")


def _table(name: str, types: Mapping[str, str]) -> str:
    return f"CREATE TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in types.items())})"
