"""What is deployed runs: the files that go into the image are enough, and the Dockerfile agrees with what is tested here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from include.airflow.environment import airflow_options, project_environment
from tests.policy.sources import ROOT, kept_texts

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
LEFT_OUT = [pattern for pattern in IGNORED if not pattern.startswith("**/")]
ANYWHERE = [pattern.removeprefix("**/") for pattern in IGNORED if pattern.startswith("**/")]


def deployed(path: Path) -> bool:
    """Whether Docker copies this file, as far as .dockerignore uses its language: names in the root, and names anywhere."""
    return not any(fnmatch(path.parts[0], one) for one in LEFT_OUT) and not any(
        fnmatch(part, one) for part in path.parts for one in ANYWHERE
    )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the image would hold, and no other."""
    folder = tmp_path_factory.mktemp("image")
    for path, _ in kept_texts():
        if deployed(path):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, folder / path)
    return folder


def test_the_image_holds_what_runs_and_nothing_else(image: Path) -> None:
    assert [pattern for pattern in IGNORED if "/" in pattern.removeprefix("**/") or "!" in pattern] == []
    held = {"dags", "plugins", "include", "requirements.txt", "packages.txt", "airflow_settings.yaml"}
    assert {path.name for path in image.iterdir()} == held
    assert {".env", ".git", ".venv", "tests", "lab"} <= set(LEFT_OUT)


def test_the_image_imports_and_airflow_loads_its_dags(image: Path, tmp_path: Path) -> None:
    script = (
        "import importlib, pathlib, runpy, sys\n"
        "from airflow.dag_processing.dagbag import DagBag\n"
        "for path in sorted(pathlib.Path('include').rglob('*.py')):\n"
        "    if path.name != '__main__.py':\n"
        "        importlib.import_module('.'.join(path.with_suffix('').parts).removesuffix('.__init__'))\n"
        "for path in sorted(pathlib.Path('plugins').glob('*.py')):\n"
        "    runpy.run_path(str(path))\n"
        "bag = DagBag(dag_folder='dags')\n"
        "assert bag.import_errors == {}, bag.import_errors\n"
        "from include.airflow.environment import ROOT, read_settings\n"
        "assert read_settings()['pools'] and ROOT == pathlib.Path.cwd(), ROOT\n"
        "print(*sorted(bag.dags))\n"
    )
    environment = project_environment({"AIRFLOW_HOME": str(tmp_path), "PATH": ""}) | {
        "PYTHONPATH": str(image),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment |= {"AIRFLOW__CORE__DAGS_FOLDER": str(image / "dags"), "AIRFLOW__CORE__PLUGINS_FOLDER": str(image / "plugins")}
    done = subprocess.run([sys.executable, "-c", script], cwd=image, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split() == sorted(path.stem for path in (image / "dags").glob("*.py")) != []


def test_the_images_airflow_and_python_are_the_ones_tested_here() -> None:
    (release, python) = re.findall(
        r"^FROM astrocrpublic\.azurecr\.io/runtime:(\d+\.\d+)-\d+-python-(\d+\.\d+)-base$", DOCKERFILE, re.MULTILINE
    )[0]
    (pinned,) = re.findall(r"^apache-airflow==(\d+\.\d+)\.\d+", (ROOT / "requirements.in").read_text(encoding="utf-8"), re.MULTILINE)
    assert release == pinned
    assert f"3, {python.split('.')[1]})" in (ROOT / "scripts" / "setup").read_text(encoding="utf-8")


def test_airflow_itself_and_nothing_else_is_taken_out_of_the_requirements(tmp_path: Path) -> None:
    (command,) = re.findall(r"^RUN (sed -i .*?) && ", DOCKERFILE, re.MULTILINE)
    before = Path(shutil.copy(ROOT / "requirements.txt", tmp_path / "requirements.txt")).read_text(encoding="utf-8").splitlines()
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    after = (tmp_path / "requirements.txt").read_text(encoding="utf-8").splitlines()
    taken = [line.split("==")[0] for line in before if line not in after]
    assert taken == ["apache-airflow", "apache-airflow-core", "apache-airflow-task-sdk"]
    assert len(before) - len(after) == 3


def test_the_images_settings_are_those_the_tests_run_with() -> None:
    set_here = dict(re.findall(r"(\w+__\w+|GX_\w+)=(\S+)", DOCKERFILE.partition("\nENV ")[2]))
    # Astro decides where things lie, and how many tasks a machine runs.
    astros = {name for name in airflow_options() if name.endswith(("_FOLDER", "HOME", "EXAMPLES", "PARALLELISM"))}
    assert set_here == {name: value for name, value in airflow_options().items() if name not in astros}
