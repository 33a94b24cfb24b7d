"""Tests run in an Airflow home of their own, decided before anything imports Airflow; nothing of the caller's environment gets in."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from include.airflow.environment import project_environment  # noqa: E402


def _own_environment() -> None:
    """Drops the caller's Airflow variables and sets the project's, with a throw-away AIRFLOW_HOME."""
    for name in [name for name in os.environ if name.startswith(("AIRFLOW_", "CJ_"))]:
        del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="cj-tests-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["AIRFLOW_HOME"] = str(home)
    os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"
    os.environ.update(project_environment())


_own_environment()

from tests.demo_nights import played  # noqa: E402
from tests.postgres_server import postgres_database, postgres_server, postgres_url, postgres_with_tables  # noqa: E402
from tests.warehouses import empty_location, location  # noqa: E402

__all__ = ["empty_location", "location", "played", "postgres_database", "postgres_server", "postgres_url", "postgres_with_tables"]
