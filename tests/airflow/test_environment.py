"""The export lines survive odd values, what is set already wins, and the demo never takes a caller's connection."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from include.airflow.environment import ROOT, _quoted, export_lines, project_environment, python_path, read_settings
from include.commands.demo import demo_environment, interval_end
from include.commands.up import LOOPBACK, reaching_it, up_environment
from include.domain.errors import SettingError

SHELLS = [shell for shell in ("bash", "dash", "zsh") if shutil.which(shell)]


def evaluated(shell: str, show: str, **given: str) -> str:
    lines = "\n".join(export_lines())
    environment = {"PATH": os.environ["PATH"], **given}
    done = subprocess.run([shell, "-c", f'{lines}\nprintf %s "{show}"'], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_only_export_lines_are_printed() -> None:
    done = subprocess.run([sys.executable, "-m", "include.airflow.environment"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.splitlines() if not line.startswith("export ")] == []
    assert done.stderr == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_connections_arrive_as_json_and_follow_airflow_home(shell: str) -> None:
    assert json.loads(evaluated(shell, "$AIRFLOW_CONN_CJ"))["extra"]["mode"] == "test"
    home = "/tmp/a home"
    assert json.loads(evaluated(shell, "$AIRFLOW_CONN_WAREHOUSE", AIRFLOW_HOME=home))["host"] == f"{home}/warehouse.duckdb"


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_set_already_wins(shell: str) -> None:
    mine = '{"conn_type": "http", "password": "a\'b$c}`d"}'
    assert evaluated(shell, "$AIRFLOW_CONN_CJ", AIRFLOW_CONN_CJ=mine) == mine


@pytest.mark.parametrize("shell", SHELLS)
def test_any_value_survives_the_quoting(shell: str) -> None:
    odd = "a'b\"c\\d$e`f}g{h i!*~ $(echo no) ${é"
    done = subprocess.run([shell, "-c", f'x="${{NOT_SET:-{_quoted(odd)}}}"; printf %s "$x"'], capture_output=True, text=True, check=True)
    assert done.stdout == odd


def test_the_root_comes_first_on_the_path_and_once() -> None:
    assert python_path(f"/other{os.pathsep}{ROOT}") == f"{ROOT}{os.pathsep}/other"


def test_a_demo_takes_no_connection_of_the_callers(tmp_path: Path) -> None:
    real = {
        "AIRFLOW_CONN_CJ": '{"password": "real"}',
        "AIRFLOW_VAR_CJ_CONN_IDS": '["cj_live"]',
        "AIRFLOW_HOME": "/srv/airflow",
        "PATH": "/bin",
    }
    environment = demo_environment(tmp_path, "http://127.0.0.1:1", real)
    assert "real" not in "".join(value for name, value in environment.items() if name.startswith("AIRFLOW_CONN"))
    assert json.loads(environment["AIRFLOW_CONN_CJ"])["extra"]["tracking_url"] == "http://127.0.0.1:1"
    assert environment["AIRFLOW_VAR_CJ_CONN_IDS"] == '["cj"]'
    assert environment["AIRFLOW_HOME"].startswith(str(tmp_path))
    assert environment["PATH"] == "/bin"


def test_everybody_is_admin_only_on_loopback(tmp_path: Path) -> None:
    environment = up_environment(tmp_path, "http://127.0.0.1:1", 8080, {"AIRFLOW__API__HOST": "0.0.0.0"})
    assert environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "True"
    assert environment["AIRFLOW__API__HOST"] == LOOPBACK
    assert "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS" not in project_environment({})


def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "airflow_settings.yaml"
    broken.write_text("airflow: [")
    with pytest.raises(SettingError, match=r"airflow_settings\.yaml"):
        read_settings(broken)


def test_a_night_is_run_with_the_interval_that_holds_it() -> None:
    from datetime import UTC, datetime

    assert interval_end(datetime(2026, 3, 2, 2, tzinfo=UTC)) == datetime(2026, 3, 2, 2, tzinfo=UTC)
    assert interval_end(datetime(2026, 3, 2, 0, tzinfo=UTC)) == datetime(2026, 3, 2, 2, tzinfo=UTC)
    assert interval_end(datetime(2026, 3, 2, 3, tzinfo=UTC)) == datetime(2026, 3, 3, 2, tzinfo=UTC)


def test_the_line_that_up_prints_reaches_its_own_airflow(tmp_path: Path) -> None:
    """Also where the shell has another one from before, and where the path holds a blank. `make -s env` is the module it runs."""
    folder = tmp_path / "with a blank"
    line = reaching_it(folder)
    assert line.startswith('eval "$(make -s env)"; ')
    said = subprocess.run(
        ["bash", "-c", f'make() {{ "{sys.executable}" -m include.airflow.environment; }}\n{line}\n"{sys.executable}" -m airflow config get-value core dags_folder; env'],
        cwd=ROOT, env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "AIRFLOW_HOME": "/another"}, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    its_own = up_environment(folder, "", 0, {})
    assert str(ROOT / "dags") in said
    assert f"AIRFLOW_HOME={its_own['AIRFLOW_HOME']}" in said
    assert (folder / "airflow" / "airflow.cfg").exists()
