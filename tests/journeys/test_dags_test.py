"""The two main DAGs by `airflow dags test`, as a user runs them: connections from the environment, a home of its own, CJ over real HTTP.

The first journey is the real command line. The others are `dag.test` in one process of their own, because starting Airflow is slow.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from include.airflow.environment import ROOT, gate_off, project_environment
from tests.journeys.shop import (
    CANCELLED,
    EMAIL,
    MISSED,
    NOBODYS,
    RESTATED,
    RUNS_AT,
    SID,
    TOKEN,
    UNCHANGED,
    connection_of,
    open_cj,
    rows,
    warehouse_at,
    write_shop,
)
from tests.warehouses import EMPTY

SENT = RESTATED + CANCELLED + MISSED


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sandbox's seed and a warehouse, for the journeys to copy."""
    place = tmp_path_factory.mktemp("shop")
    write_shop(place)
    return place


# -- the real command line ---------------------------------------------------------------------------------------------------------------


def without_airflow(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("AIRFLOW")}


@dataclass(frozen=True)
class Journey:
    """A night and its reconciliation by the command line. `outputs` is what a user saw, by command."""

    home: Path
    storage: Path
    warehouse: Path
    outputs: dict[str, str]
    posted: list[dict[str, Any]]


@pytest.fixture(scope="module")
def journey(shop: Path, playing: Playing, tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """Played while the scenes play."""
    place = tmp_path_factory.mktemp("journey")
    home, storage, warehouse = place / "home", place / "storage", place / "warehouse.duckdb"
    shutil.copy(shop / "warehouse.duckdb", warehouse)
    cj = open_cj(shop, place)
    given = without_airflow(os.environ) | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONN_CJ": connection_of(cj.url, "live"),
        "AIRFLOW_CONN_WAREHOUSE": warehouse_at(warehouse),
        "AIRFLOW_VAR_CJ_STORAGE": storage.as_uri(),
        **gate_off(),
    }

    def command(line: str) -> str:
        script = f'eval "$({sys.executable} -m include.airflow.environment)"; {line}'
        log = place / "output.log"
        with log.open("w") as output:
            # A failed attempt is tried again after minutes: waiting for that tells nothing more.
            done = subprocess.run(
                ["timeout", "120", "bash", "-c", script], env=given, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False
            )
        assert done.returncode == 0, log.read_text()[-6000:]
        return log.read_text()

    with cj:
        outputs = {"night": command(f"airflow db migrate && airflow dags test cj_restatements {RUNS_AT.isoformat()}")}
        posted = list(cj.control.submissions())
        cj.control.advance(7200)
        outputs["reconciliation"] = command("""airflow dags test cj_reconciliation -c '{"processing_minutes": 0}'""")
    return Journey(home, storage, warehouse, outputs, posted)


def test_a_night_by_the_command_line_sends_each_changed_order_once(journey: Journey) -> None:
    counted = dict(
        rows(journey.warehouse, "SELECT operation, count(*) FROM cj.submissions WHERE mode = 'live' AND outcome = 'accepted' GROUP BY 1")
    )
    assert counted == {"restate": RESTATED, "cancel": CANCELLED, "create": MISSED}
    assert sorted(update["order_id"] for update in journey.posted) == sorted(
        order for (order,) in rows(journey.warehouse, "SELECT order_id FROM cj.submissions")
    )
    assert dict(rows(journey.warehouse, "SELECT reason, count(*) FROM cj.skipped GROUP BY 1")) == {
        "unchanged": UNCHANGED,
        "not_in_cj": NOBODYS,
    }
    assert rows(journey.warehouse, "SELECT stage, reason, count(*) FROM cj.quarantine GROUP BY ALL") == [("validation", "personal_data", 1)]
    assert f"create {MISSED}, restate {RESTATED}, cancel {CANCELLED}" in journey.outputs["night"]


def test_the_reconciliation_by_the_command_line_gives_every_order_sent_its_verdict(journey: Journey) -> None:
    assert rows(journey.warehouse, "SELECT status, count(*) FROM cj.reconciliation GROUP BY 1") == [("matched", SENT)]
    (report,) = rows(journey.warehouse, "SELECT report FROM cj.reconciliation_runs")[0]
    assert Path(report.removeprefix("file://")).exists()
    assert report in journey.outputs["reconciliation"]


def test_no_token_and_no_personal_data_is_left_anywhere(journey: Journey) -> None:
    """The sid is CJ's to have: it stands in the orders to create, and nowhere else."""
    chunks = set(journey.storage.glob("*/*/create/*.parquet"))
    assert chunks
    files = [file for folder in (journey.home, journey.storage) for file in folder.rglob("*") if file.is_file()]
    assert {"airflow.db", "manifest.json", "summary.json"} <= {file.name for file in files}
    texts = {str(file): readable(file) for file in files if file not in chunks} | journey.outputs
    for secret in (TOKEN, SID, EMAIL):
        assert [name for name, text in texts.items() if secret in text] == [], secret
    kept = "".join(readable(chunk) for chunk in chunks)
    assert (SID in kept, TOKEN in kept, EMAIL in kept) == (True, False, False)


def readable(file: Path) -> str:
    """The file as text, Parquet decoded."""
    if file.suffix == ".parquet":
        return str(pq.read_table(file).to_pylist())
    return file.read_bytes().decode("utf-8", "replace")


# -- one process for many nights -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """What is different about a run. `environment` is made from CJ's address and the scene's own folder, where its warehouse is."""

    environment: Callable[[str, Path], dict[str, str]] = lambda url, place: {}
    conf: dict[str, Any] | None = None
    dag_id: str = "cj_restatements"
    sentence: str = ""
    """What a person reads when it fails."""


def live(url: str, place: Path) -> dict[str, str]:
    return {"AIRFLOW_CONN_CJ": connection_of(url, "live")}


def quiet_and_live(url: str, place: Path) -> dict[str, str]:
    """Live, on a warehouse in which nothing changed."""
    with duckdb.connect(str(place / "warehouse.duckdb")) as warehouse:
        warehouse.execute("DELETE FROM order_changes")
    return live(url, place)


def with_double_amounts(url: str, place: Path) -> dict[str, str]:
    with duckdb.connect(str(place / "warehouse.duckdb")) as warehouse:
        warehouse.execute("ALTER TABLE order_changes ALTER amount TYPE double")
    return live(url, place)


def without_amounts(url: str, place: Path) -> dict[str, str]:
    with duckdb.connect(str(place / "warehouse.duckdb")) as warehouse:
        warehouse.execute("UPDATE order_changes SET amount = NULL")
    return live(url, place)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


GOOD = {
    "mode_test": Scene(),
    "careful_run": Scene(live, conf={"mode": "test"}),
    "empty_night": Scene(quiet_and_live),
    "empty_reconciliation": Scene(quiet_and_live, dag_id="cj_reconciliation"),
}
REFUSED = {"chunk_size_10001_in_the_conf": Scene(live, conf={"chunk_size": 10001})}
WRONG = {
    "live_on_a_test_connection": Scene(
        conf={"mode": "live"}, sentence="The run's param mode asks for mode 'live', but connection 'cj' says 'test'. Nothing was sent."
    ),
    "wrong_token": Scene(
        lambda url, _: {"AIRFLOW_CONN_CJ": connection_of(url, "live", token="pat-of-yesterday")}, sentence="does not accept the token"
    ),
    "closed_port": Scene(
        lambda url, _: {"AIRFLOW_CONN_CJ": connection_of(f"http://127.0.0.1:{free_port()}", "live")},
        sentence="cannot be reached (ConnectError). Nothing was sent.",
    ),
    "unsupported_warehouse": Scene(
        lambda url, _: live(url, _) | {"AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "sqlite", "host": "db"})},
        sentence=f"Connection 'warehouse' is of type 'sqlite', which is not supported. Use one of: {', '.join(EMPTY)}.",
    ),
    "missing_table": Scene(
        lambda url, place: live(url, place) | {"AIRFLOW_CONN_WAREHOUSE": warehouse_at(place / "empty.duckdb")},
        sentence="Table with name order_changes does not exist. Create it",
    ),
    "column_of_the_wrong_type": Scene(with_double_amounts, sentence="Column amount is a double, and a double has lost the cents already"),
    "bad_rows": Scene(without_amounts, sentence="Nothing was sent. Mend what the warehouse's query returns"),
    "chunk_size_10001": Scene(
        lambda url, place: live(url, place) | {"AIRFLOW_VAR_CJ_CHUNK_SIZE": "10001"},
        sentence="Variable cj_chunk_size is '10001'; it must be a whole number from 1 to 10000, the orders CJ takes in a request.",
    ),
}


@dataclass(frozen=True)
class Ended:
    state: str
    output: str
    warehouse: Path
    retries: list[str]
    """What was decided after each failed attempt."""
    live_calls: int
    test_calls: int


@dataclass(frozen=True)
class Playing:
    """The scenes on their way, in a process of their own."""

    top: Path
    process: subprocess.Popen[str]


@pytest.fixture(scope="module")
def playing(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playing]:
    """Every scene, once, each on a copy of the shop's warehouse and with a test connection unless it says otherwise."""
    top = tmp_path_factory.mktemp("scenes")
    with open_cj(shop, top) as cj:
        scenarios = []
        for name, scene in (GOOD | REFUSED | WRONG).items():
            place = top / name
            place.mkdir()
            shutil.copy(shop / "warehouse.duckdb", place / "warehouse.duckdb")
            environment = {
                "AIRFLOW_CONN_CJ": connection_of(cj.url, "test"),
                "AIRFLOW_CONN_WAREHOUSE": warehouse_at(place / "warehouse.duckdb"),
                "AIRFLOW_VAR_CJ_STORAGE": (place / "storage").as_uri(),
                **gate_off(),
            } | scene.environment(cj.url, place)
            scenario = {"name": name, "dag_id": scene.dag_id, "conf": scene.conf, "environment": environment, "at": RUNS_AT.isoformat()}
            scenarios.append(scenario | {"output": str(place / "output.log")})
        (top / "home").mkdir()
        (top / "scenarios.json").write_text(json.dumps(scenarios))
        own = project_environment(without_airflow(os.environ) | {"AIRFLOW_HOME": str(top / "home")})
        command = [sys.executable, "-m", "tests.journeys.driver", cj.url]
        with (top / "scenarios.json").open() as asked, (top / "ended.json").open("w") as answer, (top / "errors.log").open("w") as errors:
            process = subprocess.Popen(command, env=own, cwd=ROOT, stdin=asked, stdout=answer, stderr=errors, text=True)
        yield Playing(top, process)
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def ended(playing: Playing) -> dict[str, Ended]:
    assert playing.process.wait(200) == 0, (playing.top / "errors.log").read_text()[-4000:]
    found = json.loads((playing.top / "ended.json").read_text())
    return {
        name: Ended(
            output=(playing.top / name / "output.log").read_text(), warehouse=playing.top / name / "warehouse.duckdb", **found[name]
        )
        for name in found
    }


def test_mode_test_asks_cj_and_posts_nothing(ended: dict[str, Ended]) -> None:
    night = ended["mode_test"]
    assert (night.state, night.live_calls, night.test_calls) == ("success", 0, 3)
    assert rows(night.warehouse, "SELECT mode, outcome, count(*) FROM cj.submissions GROUP BY ALL") == [("test", "accepted", SENT)]
    assert rows(night.warehouse, "SELECT count(*) FROM cj.reconciliation") == [(0,)]


def test_a_run_may_be_more_careful_than_a_live_connection(ended: dict[str, Ended]) -> None:
    night = ended["careful_run"]
    assert (night.state, night.live_calls, night.test_calls) == ("success", 0, 3)


def test_an_empty_night_is_a_success_that_says_so(ended: dict[str, Ended]) -> None:
    night, reconciliation = ended["empty_night"], ended["empty_reconciliation"]
    assert (night.state, reconciliation.state) == ("success", "success")
    assert "Nothing to send this night" in night.output
    assert "Nothing is open: every order sent has its verdict." in reconciliation.output
    assert night.live_calls == night.test_calls == 0


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_stops_the_night_with_its_sentence_before_anything_is_sent(ended: dict[str, Ended], what: str) -> None:
    night = ended[what]
    assert night.state == "failed"
    assert WRONG[what].sentence in night.output
    assert night.live_calls == night.test_calls == 0
    # What prepare decided, and then publish, which ends the run: nothing but an unreachable CJ gets better by itself.
    assert night.retries == ["retry" if what == "closed_port" else "fail", "fail"]


def test_a_night_that_validation_stops_says_where_its_result_is(ended: dict[str, Ended]) -> None:
    night = ended["bad_rows"]
    found = re.search(r"the validation result is in file://(\S+?)\)", night.output)
    assert found
    assert {"validation_result.json", "data_docs"} <= {path.name for path in Path(found[1]).iterdir()}


def test_a_chunk_size_above_cjs_limit_is_not_even_a_run(ended: dict[str, Ended]) -> None:
    night = ended["chunk_size_10001_in_the_conf"]
    assert (night.state, night.live_calls, night.test_calls) == ("refused", 0, 0)
    assert "Invalid input for param chunk_size: 10001 is greater than the maximum of 10000" in night.output


def test_a_stopped_night_names_no_token(ended: dict[str, Ended]) -> None:
    for night in ended.values():
        assert TOKEN not in night.output
        assert "pat-of-yesterday" not in night.output
