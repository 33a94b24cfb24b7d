"""The benchmark can be believed: it measures what it says, and fails when CJ and the warehouse differ."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from lab.bench import books, loops
from lab.bench.airflow_night import cjs_seconds, last_night
from lab.bench.ground import Ground, lay, postgres, scratch, seed_sandbox
from lab.bench.measuring import ROOT, Clock, MeasurementFailed, Wait, measured, union
from lab.bench.night import play
from lab.bench.row import Row
from lab.bench.steps import STEPS, reconcile
from lab.bench.truth import Truth

ORDERS = 400


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with scratch() as folder, postgres(folder) as server:
        laid = lay(server, folder, ORDERS)
        seed_sandbox(laid)
        yield laid


@pytest.mark.parametrize(
    ("intervals", "covered"),
    [([], 0), ([(1, 2)], 1), ([(1, 2), (3, 5)], 3), ([(1, 4), (2, 3)], 3), ([(2, 6), (1, 4)], 5), ([(1, 3), (2, 4), (6, 7)], 4)],
)
def test_time_that_two_calls_wait_at_once_is_counted_once_and_so_is_what_was_worked_meanwhile(
    intervals: list[tuple[float, float]], covered: float
) -> None:
    assert union([Wait(began, ended, began / 2, ended / 2) for began, ended in intervals]) == (covered, covered / 2)


def test_work_done_while_the_sandbox_worked_is_not_taken_out() -> None:
    assert Clock(seconds={"submit": 10}, waited={"submit": 9.5}, worked={"submit": 3.5}).own("submit") == 4
    assert Clock(seconds={"submit": 10}, waited={"submit": 3}, worked={"submit": 0}).own("submit") == 7
    assert Clock(seconds={"submit": 10}, waited={"submit": 3}, worked={"submit": 5}).own("submit") == 10  # on more than one core
    assert Clock(seconds={"plan": 10}, waited={"plan": 0}, worked={"plan": 0}).own("plan") == 10


def test_a_step_that_fails_ends_the_benchmark_with_what_it_said() -> None:
    with pytest.raises(MeasurementFailed, match="no-such-folder"):
        measured("lab.bench.limits:payload", {"orders": 1, "folder": "/no-such-folder", "uri": ""})


def test_each_step_has_a_memory_of_its_own(tmp_path: Path) -> None:
    arguments = books.write(tmp_path / "books", 1000)
    big = bytearray(400_000_000)
    big[::4096] = b"x" * len(big[::4096])
    assert measured("lab.bench.limits:reconciliation", arguments)["peak_mb"] < 390


def test_both_sides_find_the_verdicts_the_book_was_made_for(tmp_path: Path) -> None:
    arguments = books.write(tmp_path / "books", 1234)
    assert measured("lab.bench.ours:reconciliation", arguments)["counts"] == books.expected(1234)
    assert measured("lab.bench.peer:reconciliation", arguments)["counts"] == books.expected(1234)


def test_every_stage_is_measured_beside_the_script_and_the_least_it_could_cost(ground: Ground) -> None:
    measured("lab.bench.ours:inputs", ground.arguments())
    rows = [row for step in ("extract", "validate", "payload", "pages") for row in STEPS[step](ground)]
    assert [row.step for row in rows] == [
        "extract + nest",
        "validate",
        "validate, a column failing on every row",
        "payload",
        "report pages",
    ]
    assert [row.failures for row in rows] == [[]] * len(rows)
    assert [row.ours["rows"] for row in rows if row.step != "report pages"] == [ORDERS, ORDERS, ORDERS, ORDERS * 85 // 100]
    assert all(row.ratio and row.to_limit for row in rows if not row.step.startswith("validate, "))
    assert rows[1].peer and rows[1].peer["passed"]


def test_the_verdicts_are_the_same_in_either_warehouse(ground: Ground) -> None:
    rows = {row.step: row for row in reconcile(ground)}
    assert list(rows) == ["verdicts alone, DuckDB", "verdicts alone, PostgreSQL"]
    assert [row.failures for row in rows.values()] == [[], []]
    assert ["wal" in row.ours["spent"] for row in rows.values()] == [False, True]


@pytest.mark.timeout(900)  # many processes, one after the other
def test_after_every_loop_cj_agrees_with_the_warehouse_on_every_order(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "SMALL", 0)
    rows = list(loops.loop(ground))
    scripts = [(row.step, row.beside) for row in rows]
    assert scripts == [("whole loop", name) for name in loops.MODULES] + [("whole loop on DuckDB", loops.KEEPING)]
    for row in rows:
        assert row.peer is not None
        assert row.failures == []
        assert (row.ours["rows"], row.peer["rows"]) == (ORDERS * 75 // 100, ORDERS * 85 // 100)
        assert row.peer["counts"] == {"matched": ORDERS * 85 // 100}
    assert [f"agree on {ORDERS} of {ORDERS} orders" in row.note for row in rows] == [True, False, False, True]
    assert [row.note.rpartition("After the ")[2] for row in rows[:3]] == [
        f"{n} CJ and the warehouse differ on 0 orders." for n in loops.MODULES
    ]
    server = {"postgres_cpu", "postgres_written", "wal"}
    assert all(figures["spent"].keys() >= {"cpu", "written", "calls"} for row in rows for figures in (row.ours, row.peer or {}))
    assert [server & row.ours["spent"].keys() for row in rows] == [server, server, server, set()]
    # Of what a server writes by its own housekeeping nothing can be said: that of a script which keeps nothing need not be less.
    assert all(row.peer and row.peer["spent"]["wal"] > 0 for row in rows if row.beside == loops.KEEPING)


def test_the_script_that_keeps_knows_the_next_night_what_was_sent_seen_and_judged(ground: Ground) -> None:
    import psycopg2  # type: ignore[import-untyped]

    figures, _ = play(ground, "peer_keeping", "night")
    with psycopg2.connect(ground.uri) as connection, connection.cursor() as cursor:

        def told(sql: str) -> tuple[object, ...]:
            cursor.execute(sql)
            return tuple(cursor.fetchone() or ())

        assert told("SELECT count(*), count(DISTINCT order_id), bool_and(accepted) FROM script.sent") == (
            figures["rows"],
            figures["rows"],
            True,
        )
        assert told("SELECT count(*), min(verdict), max(verdict) FROM script.verdicts") == (figures["rows"], "matched", "matched")
        held, items = (int(str(told(f"SELECT count(*) FROM script.{table}")[0])) for table in ("records", "record_items"))
        assert items > held > ORDERS
        assert told("SELECT count(*), max(until) > timestamptz '2026-11-20 03:00+00' FROM script.readings") == (2, True)
        assert told("SELECT count(*) FROM pg_constraint WHERE contype = 'p' AND connamespace = 'script'::regnamespace") == (4,)


def test_a_script_that_is_wrong_is_told() -> None:
    def said(counts: dict[str, int], differ: int) -> str:
        return loops.of_the_script("script", {"counts": counts}, Truth(100, 100 - differ, 0, 0, None))

    assert said({"matched": 100}, 0) == "After the script CJ and the warehouse differ on 0 orders."
    assert said({"matched": 90, "missing": 10}, 10) == "After the script CJ and the warehouse differ on 10 orders."
    assert said({"matched": 90, "missing": 10}, 3).endswith(
        "differ on 3 orders; of the others it calls 7 wrong that are right (10 missing)."
    )


def test_a_loop_after_which_cj_is_wrong_fails() -> None:
    row = Row("whole loop", 100, {"first_reading": 1.0})
    loops.ended(row, Truth(100, 99, 0, 0, "SO-7"))
    assert row.failures == ["CJ and the warehouse differ on 1 orders, the first is SO-7"]


@pytest.mark.timeout(900)  # many processes, one after the other
def test_a_night_on_history_is_measured_in_either_warehouse(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "A_RUN", 100)
    rows = list(loops.history(ground, past=[2_000]))
    assert [(row.step, row.ceiling) for row in rows] == [
        ("a night on 2,000 states sent before, PostgreSQL", 1.5),
        ("a night on 2,000 states sent before, DuckDB", 2.0),
    ]
    for row in rows:
        assert row.peer is not None
        assert row.ours["rows"] == row.peer["rows"] == ORDERS * 75 // 100
        assert row.note.startswith("The history was filled in ")
        assert min(side["spent"]["calls"] for side in (row.ours, row.peer)) > 0
    assert ["wal" in row.ours["spent"] for row in rows] == [True, False]


def test_an_order_that_cj_holds_otherwise_is_found(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    import lab.bench.night as night

    def meddling(function: str, arguments: dict[str, object]) -> dict[str, object]:
        from include.sandbox.control import SandboxControl

        with SandboxControl(str(arguments["url"])) as control:
            control.add_faults([{"kind": "drop", "order_ids": ["SO-000000007"]}])
        return measured("lab.bench.peer:night", arguments)

    monkeypatch.setattr(night, "measured", meddling)
    _, truth = play(ground, "peer", "night")
    assert (truth.differ, truth.first_difference) == (1, "SO-000000007")


def test_the_command_prints_writes_and_draws_what_it_measured(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lab.bench", "--sizes", "1k", "--steps", "reconcile"]
    files = ["--json", str(tmp_path / "bench.json"), "--picture", str(tmp_path / "bench.svg")]
    done = subprocess.run(
        [*command, *files], cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "bench.json").read_text())["rows"]
    assert [(row["step"], row["orders"], row["failures"]) for row in rows] == [
        ("verdicts alone, DuckDB", 1000, []),
        ("verdicts alone, PostgreSQL", 1000, []),
    ]
    assert f"{rows[0]['ours']['seconds']:.2f} s" in done.stdout
    assert "verdicts alone, DuckDB, 1,000" in (tmp_path / "bench.svg").read_text()


@pytest.mark.parametrize(
    ("now", "night"),
    [("2026-11-21T14:00Z", "2026-11-21T02:00Z"), ("2026-11-21T02:00Z", "2026-11-21T02:00Z"), ("2026-11-21T01:59Z", "2026-11-20T02:00Z")],
)
def test_the_night_in_airflow_is_measured_on_any_day(now: str, night: str) -> None:
    assert last_night(datetime.fromisoformat(now)) == datetime.fromisoformat(night)


def test_of_a_night_in_airflow_cjs_answering_is_taken_out_as_of_every_other_step() -> None:
    overlapping = [Wait(100.0, 100.6, 0, 0), Wait(100.2, 100.9, 0, 0)]
    assert cjs_seconds([[], overlapping]) == pytest.approx(0.9)
    assert cjs_seconds([[Wait(100.0, 100.6, 1.0, 1.4)]]) == pytest.approx(0.2)
