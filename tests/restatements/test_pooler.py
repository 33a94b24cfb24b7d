"""Nights through a pooler in transaction mode: they end as without one, and nothing of ours outlives a transaction on its connections."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from include.domain.errors import RestatementsError, SettingError, WarehouseError
from include.sandbox.process import SandboxProcess
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.guarded_server import Guarded, free_port, guarded
from tests.pooler import Pooler
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import later, night, operations, placed, quiet_night

__all__ = ["guarded"]

#: What a connection looks like to whoever gets it next.
LEFT_BEHIND = """
SELECT current_setting('work_mem') AS work_mem, current_setting('jit') AS jit, current_setting('TimeZone') AS zone, current_setting('cursor_tuple_fraction') AS fraction,
    current_setting('transaction_isolation') AS isolation, COALESCE(current_setting('cj.value_0', true), '') AS value,
    (SELECT count(*) FROM pg_prepared_statements WHERE name <> '') AS prepared, (SELECT count(*) FROM pg_cursors) AS cursors,
    (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory') AS locks,
    (SELECT count(*) FROM pg_class WHERE relpersistence = 't') AS temporary
"""


@pytest.fixture
def database(guarded: Guarded) -> Iterator[str]:
    name = f"pooled_{uuid.uuid4().hex[:8]}"
    guarded.admin(f"CREATE DATABASE {name}")
    yield name
    guarded.admin(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["harsh", "pgbouncer"])
def port(request: pytest.FixtureRequest, guarded: Guarded, database: str, tmp_path: Path) -> Iterator[int]:
    """Where a pooler listens: one of the tests' own, and pgbouncer where it is installed."""
    if request.param == "harsh":
        pooler = Pooler(guarded.port)
        with contextlib.closing(pooler):
            yield pooler.port
            assert pooler.transactions > 20
        return
    with pgbouncer(guarded, database, tmp_path, "pool_mode = transaction") as listens:
        yield listens


@contextlib.contextmanager
def pgbouncer(guarded: Guarded, database: str, folder: Path, mode: str) -> Iterator[int]:
    """The port of a pgbouncer that changes the server connection whenever it may. Skips the test where there is none."""
    program = shutil.which("pgbouncer")
    if program is None:
        pytest.skip("pgbouncer is not installed here")
    listens = free_port()
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n{database} = host=127.0.0.1 port={guarded.port} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {listens}\n"
        f"auth_type = any\n{mode}\ndefault_pool_size = 3\nmin_pool_size = 3\nserver_round_robin = 1\nunix_socket_dir =\nuser = nobody\n"
    )
    # It gives up root's rights, and reads its settings again then.
    for place, rights in ((settings, 0o644), (folder, 0o755), (folder.parent, 0o755), (folder.parent.parent, 0o755)):
        place.chmod(rights)
    with subprocess.Popen([program, "-q", str(settings)]) as running:
        for _ in range(100):
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(f"postgresql://postgres@127.0.0.1:{listens}/{database}").close()
                break
            time.sleep(0.05)
        yield listens
        running.terminate()


def left_behind(uri: str, connections: int) -> set[tuple[object, ...]]:
    """As whoever comes next finds as many connections."""
    found: set[tuple[object, ...]] = set()
    for _ in range(connections):
        with psycopg.connect(uri, autocommit=True) as next_one:
            found.update(next_one.execute(LEFT_BEHIND.encode()).fetchall())
    return found


def test_nights_end_as_without_a_pooler_and_leave_nothing_behind(
    cj: SandboxProcess, tmp_path: Path, guarded: Guarded, database: str, port: int
) -> None:
    pooled = f"postgresql://postgres@127.0.0.1:{port}/{database}"
    world = WorldOn(cj, tmp_path / "world", WarehouseLocation("postgres", uri=pooled))
    order = placed()
    world.append([order, placed(key=order.key._replace(order_id="o-2"))])
    assert operations(night(world)) == ["create", "create"]
    world.append([later(order, 1, amount=Decimal("80.00"))])
    assert operations(night(world)) == ["restate"]
    assert operations(quiet_night(world)) == []
    world.advance(timedelta(hours=2))
    assert world.rows("SELECT status, COUNT(*) AS n FROM cj.reconciliation GROUP BY status ORDER BY status") == [
        {"status": "matched", "n": 2}, {"status": "superseded", "n": 1},
    ]  # fmt: skip
    fresh = left_behind(f"postgresql://postgres@127.0.0.1:{guarded.port}/{database}", 1)
    assert left_behind(pooled, 6) == fresh


def test_an_instant_is_in_utc_through_a_pooler_whatever_the_server_shows(guarded: Guarded, database: str, port: int) -> None:
    guarded.admin(f"ALTER DATABASE {database} SET TimeZone = 'Asia/Kolkata'")
    with open_warehouse(WarehouseLocation("postgres", uri=f"postgresql://postgres@127.0.0.1:{port}/{database}")) as session:
        for _ in range(10):
            found = session.rows("SELECT CAST(CAST('2026-03-01 00:00+00' AS timestamp with time zone) AS text) AS at")
            assert found == [{"at": "2026-03-01 00:00:00+00"}]
            assert session.columns_of("SELECT CAST(1 AS bigint) AS one, :name AS name") == {"one": "integer", "name": "text"}


@pytest.mark.parametrize(
    ("mode", "extra", "kind", "sentence"),
    [
        ("pool_mode = statement", "", WarehouseError, "A pooler in statement mode stands before PostgreSQL.*Use its transaction or session mode"),
        ("pool_mode = transaction", "?options=-c%20search_path%3Dsales", SettingError, "a pooler stands before it, and takes no options.*ALTER ROLE"),
    ],
)  # fmt: skip
def test_a_pooler_that_cannot_work_is_refused_at_once(
    guarded: Guarded, database: str, tmp_path: Path, mode: str, extra: str, kind: type[RestatementsError], sentence: str
) -> None:
    with pgbouncer(guarded, database, tmp_path, mode) as port, pytest.raises(kind, match=sentence) as caught:
        with open_warehouse(WarehouseLocation("postgres", uri=f"postgresql://postgres@127.0.0.1:{port}/{database}{extra}")) as session:
            session.create_tables()
    assert not caught.value.transient
