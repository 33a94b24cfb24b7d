"""A kind of warehouse is one module: what it must hold, what a location may cost, and a third kind through everything with no other file changed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.airflow.warehouse import warehouse_location
from include.domain.errors import SettingError
from include.restatements.reconcile import reconcile
from include.restatements.settings import Run
from include.sandbox.process import start_sandbox
from include.warehouse.base import WarehouseLocation, open_warehouse, supported_kinds
from include.warehouse.location import ConnectionParts, kind_named, kind_of, location_of, ways_to_connect
from lab.night import run_night
from lab.real_month import settings_for
from lab.scale.stage import write_night
from tests.warehouses import EMPTY

ROOT = Path(__file__).resolve().parents[2]
MIDNIGHT = datetime(2026, 11, 19, tzinfo=UTC)
SECRET = "hunter2-not-to-be-seen"

_LOCATED = """
import sys
from contextlib import suppress
from include.domain.errors import SettingError
from include.warehouse.location import ConnectionParts, kind_named, location_of, supported_kinds, ways_to_connect
ways_to_connect()
for kind in supported_kinds():
    with suppress(SettingError):
        print(location_of(ConnectionParts("warehouse", kind, host="/somewhere", schema="shop")))
drivers = [kind_named(kind).DRIVER.partition(".")[0] for kind in supported_kinds()]
print(sorted(name for name in ("pyarrow", "airflow", *drivers) if name in sys.modules))
"""


def test_every_kind_in_the_package_is_one_the_tests_run_on() -> None:
    assert supported_kinds() == sorted(EMPTY)


@pytest.mark.parametrize("kind", [*EMPTY, "rowwise"])
def test_a_kinds_module_holds_all_that_is_asked_of_it(kind: str, third_kind: str) -> None:
    module = kind_named(kind)
    assert module.CONNECTION.startswith(f"type {kind}")
    assert [kind_of(alias) for alias in (kind, *module.ALIASES)] == [kind] * (1 + len(module.ALIASES))
    with pytest.raises(SettingError, match=r"Connection 'warehouse' .*host"):
        module.location(ConnectionParts("warehouse", kind))
    assert kind in supported_kinds()


def test_a_location_costs_no_driver(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOCATED], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    *located, imported = done.stdout.splitlines()
    assert {"duckdb at /somewhere", "postgres at the local socket/shop"} <= set(located)
    assert imported == "[]"


def test_opening_a_warehouse_takes_the_driver_its_module_names(location: WarehouseLocation, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = kind_named(location.kind).DRIVER
    monkeypatch.setitem(sys.modules, driver, None)  # Python's way to say that there is no such module
    with pytest.raises(ModuleNotFoundError, match=driver.partition(".")[0]), open_warehouse(location):
        raise AssertionError("never reached")


def test_what_a_connection_says_is_not_printed() -> None:
    parts = ConnectionParts("warehouse", "duckdb", f"md:x?token={SECRET}", SECRET, SECRET, "shop", 1, {"sslpassword": SECRET})
    assert SECRET not in f"{parts!r} {parts}"
    with pytest.raises(SettingError, match="begins with 'md:'") as refused:
        location_of(parts)
    assert SECRET not in str(refused.value)


def test_a_third_kind_is_found_by_its_module_alone(third_kind: str) -> None:
    assert supported_kinds() == sorted([*EMPTY, "rowwise"])
    assert kind_of("rows") == third_kind
    assert "type rowwise with the server in host" in ways_to_connect()
    with pytest.raises(SettingError, match=r"'mssql', which is not supported\. Use one of: .*rowwise"):
        location_of(ConnectionParts("warehouse", "mssql", "db"))


def test_a_third_kinds_connection_is_read_by_its_own_module(third_parts: ConnectionParts, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"conn_type": "rows", "host": third_parts.host, "login": third_parts.login, "extra": dict(third_parts.extra)}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(said))
    location = warehouse_location()
    assert location == location_of(third_parts)
    assert str(location) == f"rowwise at {third_parts.host}/{third_parts.extra['database']}"
    with open_warehouse(location) as session:
        assert session.rows("SELECT CAST(1 AS bigint) AS one") == [{"one": 1}]


def test_a_third_kind_spells_the_types_of_the_packages_tables(third_parts: ConnectionParts) -> None:
    with open_warehouse(location_of(third_parts)) as session:
        session.create_tables()
        found = session.rows(
            "SELECT data_type AS kind, count(*) AS n FROM information_schema.columns WHERE table_schema = 'cj' AND table_name = 'submissions' "
            "GROUP BY data_type"
        )
    kinds = Counter({str(row["kind"]): row["n"] for row in found})
    assert kinds["text"] == 0 < kinds["character varying"]


def test_a_whole_night_runs_on_a_third_kind(tmp_path: Path, third_parts: ConnectionParts) -> None:
    location = location_of(third_parts)
    write_night(tmp_path, location, MIDNIGHT, 200)
    run = Run("scheduled__2026-11-19T02:00:00+00:00", MIDNIGHT - timedelta(days=1), MIDNIGHT)
    with start_sandbox(tmp_path / "sandbox.sqlite", seed=tmp_path) as sandbox:
        sandbox.control.set_clock(MIDNIGHT + timedelta(hours=2))
        settings = replace(settings_for(sandbox.url, tmp_path), chunk_size=50)
        played = run_night(run, settings, location)
        assert played.prepared.summary["to_send"] == sum(s.accepted for s in played.submitted) == 150
        assert (played.published.incomplete, played.published.problems) == (0, [])
        again = run_night(run, settings, location)
        assert again.prepared.summary["to_send"] == 0
        assert len(list(sandbox.control.submissions())) == 150
        sandbox.control.advance(3_660)
        result = reconcile(settings, location, "reconciled")
    assert {status: n for status, n in result.counts.items() if n} == {"matched": 150}
