"""The table judges itself: each number to reach stands beside what was measured, with whether it was reached."""

from __future__ import annotations

from typing import Any

from lab.bench.growth import grown
from lab.bench.row import KEEPING, KEEPING_NOTHING, MILLION, Row, at_a_million
from lab.bench.table import as_json, costs, growth, markdown


def figures(seconds: float, memory: float = 100.0, **more: Any) -> dict[str, Any]:
    return {"seconds": seconds, "peak_mb": memory, **more}


def cell(row: Row, name: str) -> str:
    head, _, line = (
        text.strip("| ").split(" | ") for text in markdown([row]).replace("|  |", "| - |").replace("|  |", "| - |").splitlines()
    )
    return line[head.index(name)]


def test_a_ratio_is_marked_as_reached_or_not() -> None:
    def row(ours: float, **number: float) -> str:
        return markdown([Row("step", 10, figures(ours), figures(6.0), **number)])  # type: ignore[arg-type]

    assert "6.0 × (≥ 6) ✓" in row(1.0, floor=6)
    assert "5.0 × (≥ 6) ✗" in row(1.2, floor=6)
    assert "takes 1.3 × (≤ 1.6) ✓" in row(8.0, ceiling=1.6)
    assert "takes 1.7 × (≤ 1.6) ✗" in row(10.0, ceiling=1.6)
    assert "0.60 × |" in row(10.0)


def test_seconds_memory_and_the_limit_are_marked_too() -> None:
    reached = Row("step", 10, figures(1.0, 800), limit=figures(1.0), near=1.2, within=1, room=800)
    missed = Row("step", 10, figures(1.3, 801), limit=figures(1.0), near=1.2, within=1, room=800)
    assert (cell(reached, "seconds"), cell(missed, "seconds")) == ("1.00 s (≤ 1 s) ✓", "1.30 s (≤ 1 s) ✗")
    assert (cell(reached, "memory"), cell(missed, "memory")) == ("800 MB (≤ 800 MB) ✓", "801 MB (≤ 800 MB) ✗")
    assert (cell(reached, "times the limit"), cell(missed, "times the limit")) == ("1.0 (≤ 1.2) ✓", "1.3 (≤ 1.2) ✗")
    assert missed.reached == {"limit": False, "seconds": False, "memory": False}


def test_most_numbers_are_for_a_million_orders() -> None:
    assert (at_a_million(MILLION - 1, 3), at_a_million(MILLION, 3), at_a_million(10 * MILLION, 3)) == (None, 3, 3)


def test_a_step_is_flat_where_no_size_is_much_slower_an_order_than_a_smaller_one() -> None:
    def step(*seconds: tuple[int, float]) -> Any:
        (found,) = grown([Row("step", orders, figures(took)) for orders, took in seconds])
        return found

    assert not step(
        (10_000, 1.0), (MILLION, 40.0), (10 * MILLION, 800.0)
    ).flat  # twice as long an order as at a million, if quicker than at ten thousand
    assert step((10_000, 1.0), (MILLION, 40.0), (10 * MILLION, 600.0)).slower == 1.5
    assert step((10_000, 1.0), (MILLION, 40.0)).slower == 0.4
    assert step((10 * MILLION, 600.0), (MILLION, 40.0)).slower == 1.5  # in whatever order they were measured


def test_memory_is_to_stay_what_it_is_from_a_million_orders_on() -> None:
    rows = [Row("step", orders, figures(1.0, memory)) for orders, memory in ((10_000, 100), (MILLION, 500), (10 * MILLION, 700))]
    (found,) = grown(rows)
    assert found.memory_grown == 1.4
    assert "100 → 500 → 700 MB, 1.40 × (≤ 1.3) ✗" in growth(rows)
    assert next(grown(rows[:2])).memory_grown is None


def test_growth_is_told_once_of_a_step_with_several_peers_and_not_of_one_size_or_a_page() -> None:
    rows = [
        Row("loop", orders, figures(orders / 100), figures(1.0), beside=name) for orders in (10, 20) for name in (KEEPING, KEEPING_NOTHING)
    ]
    alone = [Row("alone", 10, figures(1.0))]
    a_page = [Row("page", orders, figures(1.0), paced=False) for orders in (10, 20)]
    assert growth([*rows, *alone, *a_page]).count("\n") == 2
    assert growth(alone) == ""


def test_what_the_loops_cost_is_told_once_of_each_run() -> None:
    ours = figures(1.0, spent={"cpu": 2.0, "written": 5e6, "postgres_cpu": 3.25, "postgres_written": 2.5e9, "wal": 7e6, "calls": 10.0})
    script = figures(1.0, spent={"cpu": 4.0, "written": 0.0, "calls": 1234.0})
    rows = [Row("loop", 10, ours, script, beside=KEEPING), Row("loop", 10, ours, figures(1.0), beside=KEEPING_NOTHING)]
    told = costs(rows).splitlines()[2:]
    assert told == [
        "| loop | 10 | CJ Restatements | 2.00 s | 3.25 s | 5 MB | 2.50 GB | 7 MB | 10 |",
        f"| loop | 10 | {KEEPING} | 4.00 s |  | 0 MB |  |  | 1,234 |",
    ]
    assert costs([Row("step", 10, figures(1.0, spent={"cpu": 1.0, "written": 1.0, "calls": 0.0}))]) == ""


def test_machines_read_what_people_read() -> None:
    rows = [Row("step", orders, figures(orders / 100), figures(1.0), floor=3) for orders in (10, 100)]
    told = as_json(rows, {})
    assert [row["reached"] for row in told["rows"]] == [{"peer": True}, {"peer": False}]
    assert [(step["name"], step["slower"]) for step in told["growth"]] == [("step", 1.0)]
