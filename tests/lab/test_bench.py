"""The benchmark can be believed: it measures what it says, and fails when CJ and the warehouse differ."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from lab.bench import books
from lab.bench.airflow_night import last_night
from lab.bench.ground import Ground, lay, postgres, scratch, seed_sandbox
from lab.bench.measuring import ROOT, Clock, MeasurementFailed, measured, union
from lab.bench.night import play
from lab.bench.steps import Row
from lab.bench.table import markdown

ORDERS = 400


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with scratch() as folder, postgres(folder) as server:
        laid = lay(server, folder, ORDERS)
        seed_sandbox(laid)
        yield laid


@pytest.mark.parametrize(
    ("intervals", "covered"),
    [([], 0), ([(1, 2)], 1), ([(1, 2), (3, 5)], 3), ([(1, 4), (2, 3)], 3), ([(2, 6), (1, 4)], 5)],
)
def test_time_that_two_calls_wait_at_once_is_counted_once(intervals: list[tuple[float, float]], covered: float) -> None:
    assert union(intervals) == covered


def test_work_done_while_the_sandbox_worked_is_not_taken_out() -> None:
    clock = Clock(seconds={"submit": 10}, waited={"submit": 9.5}, cpu={"submit": 4})
    assert clock.own("submit") == 4
    assert Clock(seconds={"submit": 10}, waited={"submit": 3}, cpu={"submit": 4}).own("submit") == 7
    assert Clock(seconds={"plan": 10}, waited={"plan": 0}, cpu={"plan": 14}).own("plan") == 10


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


@pytest.mark.parametrize("side", ["ours", "peer"])
def test_after_either_loop_cj_agrees_with_the_warehouse_on_every_order(ground: Ground, side: str) -> None:
    figures, truth = play(ground, side, "night")
    assert figures["rows"] == ORDERS * (75 if side == "ours" else 85) // 100
    assert (truth.orders, truth.differ, truth.nobodys) == (ORDERS, 0, ORDERS * 15 // 100)


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
    assert [(row["step"], row["orders"], row["failures"]) for row in rows] == [("reconciliation", 1000, [])]
    assert f"{rows[0]['ours']['seconds']:.2f} s" in done.stdout
    assert "reconciliation, 1,000" in (tmp_path / "bench.svg").read_text()


def test_a_ratio_is_marked_as_reached_or_not() -> None:
    def row(ours: float, **number: float) -> str:
        return markdown([Row("step", 10, {"seconds": ours, "peak_mb": 1}, {"seconds": 6.0, "peak_mb": 1}, **number)])  # type: ignore[arg-type]

    assert "6.0 × (≥ 6) ✓" in row(1.0, floor=6)
    assert "5.0 × (≥ 6) ✗" in row(1.2, floor=6)
    assert "0.75 × (≥ 0.62) ✓" in row(8.0, ceiling=1.6)
    assert "0.60 × (≥ 0.62) ✗" in row(10.0, ceiling=1.6)


@pytest.mark.parametrize(
    ("now", "night"),
    [("2026-11-21T14:00Z", "2026-11-21T02:00Z"), ("2026-11-21T02:00Z", "2026-11-21T02:00Z"), ("2026-11-21T01:59Z", "2026-11-20T02:00Z")],
)
def test_the_night_in_airflow_is_measured_on_any_day(now: str, night: str) -> None:
    assert last_night(datetime.fromisoformat(now)) == datetime.fromisoformat(night)
