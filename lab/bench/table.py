"""The tables people read, and the figures machines read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from lab.bench.growth import grown
from lab.bench.row import Row

_MARKS = {True: " ✓", False: " ✗", None: ""}
_HEAD = ("step", "orders", "seconds", "orders/s", "memory", "beside", "its seconds", "its memory", "faster than it", "times the limit")
_COSTS = ("what it cost", "orders", "whose", "CPU", "PostgreSQL's CPU", "written", "by PostgreSQL", "of it WAL", "calls to CJ")
_GROWTH = (
    "over the sizes of this run",
    "orders",
    "orders/s",
    "slower, an order, than at a smaller size",
    "memory, and of the smaller size's",
)
_KEPT = {"postgres_cpu": "seconds", "written": "bytes", "postgres_written": "bytes", "wal": "bytes", "calls": "count"}
OURS = "CJ Restatements"


def markdown(rows: list[Row]) -> str:
    """One line a measurement; the number to reach beside what was measured, and whether it was."""
    return _lines(_HEAD, map(_cells, rows))


def _lines(head: tuple[str, ...], cells: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    ours, peer, reached = row.ours, row.peer, row.reached
    return (
        row.step,
        f"{row.orders:,}",
        _seconds(ours["seconds"]) + (f" (≤ {row.within:g} s){_MARKS[reached['seconds']]}" if row.within else ""),
        "" if not row.paced else f"{row.orders / ours['seconds']:,.0f}",
        _memory(ours) + (f" (≤ {row.room:,.0f} MB){_MARKS[reached['memory']]}" if row.room else ""),
        row.beside if peer else "",
        _seconds(peer["seconds"]) if peer else "",
        _memory(peer) if peer else "",
        _ratio(row),
        f"{row.to_limit:.1f}" + (f" (≤ {row.near:g}){_MARKS[reached['limit']]}" if row.near else "") if row.to_limit else "",
    )


def _memory(figures: dict[str, Any]) -> str:
    """Nothing where several processes worked and none of them is the one to measure."""
    return f"{figures['peak_mb']:,.0f} MB" if figures["peak_mb"] else ""


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return ""
    mark = _MARKS[row.reached.get("peer")]
    if row.ceiling:
        # What is measured beside less work is told as how many times as long it takes.
        return f"takes {1 / row.ratio:.1f} × (≤ {row.ceiling:g}){mark}"
    wanted = f" (≥ {row.floor:g})" if row.floor else ""
    return f"{row.ratio:.1f} ×{wanted}{mark}" if row.ratio >= 1 else f"{row.ratio:.2f} ×{wanted}{mark}"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def _bytes(value: float) -> str:
    return f"{value / 1e9:.2f} GB" if value >= 1e9 else f"{value / 1e6:,.0f} MB"


def sides(rows: list[Row]) -> Iterator[tuple[Row, str, dict[str, Any]]]:
    """Every run, with whose it is; one that stands in several rows, once."""
    seen: set[int] = set()
    for row in rows:
        for whose, figures in ((OURS, row.ours), (row.beside, row.peer)):
            if figures and id(figures) not in seen:
                seen.add(id(figures))
                yield row, whose, figures


def costs(rows: list[Row]) -> str:
    """What the loops, and verdicts in PostgreSQL, took beside seconds, ours and the peers'; nothing where there were neither."""
    told = [(row, whose, figures.get("spent", {})) for row, whose, figures in sides(rows)]
    return _table(_COSTS, [_cost(row, whose, spent) for row, whose, spent in told if spent.get("calls") or "wal" in spent])


def _cost(row: Row, whose: str, spent: dict[str, float]) -> tuple[str, ...]:
    def told(name: str) -> str:
        if name not in spent:
            return ""
        return {"seconds": _seconds, "bytes": _bytes, "count": "{:,.0f}".format}[_KEPT[name]](spent[name])

    return (row.step, f"{row.orders:,}", whose, _seconds(spent["cpu"]), *map(told, _KEPT))


def growth(rows: list[Row]) -> str:
    """Whether a step is as quick an order, and needs as much memory, at every size of this run; nothing where it had one size."""
    cells = [
        (
            step.name,
            " → ".join(f"{size:,}" for size in step.orders),
            " → ".join(f"{rate:,.0f}" for rate in step.rates),
            f"{step.slower:.2f} × (≤ {step.MOST_SLOWER:g}){_MARKS[step.flat]}",
            " → ".join(f"{memory:,.0f}" for memory in step.memories) + " MB" + _memory_grown(step.memory_grown, step.MOST_MEMORY),
        )
        for step in grown(rows)
    ]
    return _table(_GROWTH, cells)


def _memory_grown(times: float | None, most: float) -> str:
    return "" if times is None else f", {times:.2f} × (≤ {most:g}){_MARKS[times <= most]}"


def _table(head: tuple[str, ...], cells: Sequence[tuple[str, ...]]) -> str:
    return _lines(head, cells) if cells else ""


def phases(whose: str, figures: dict[str, Any]) -> str:
    """Where a loop's seconds went: own time, and in brackets the sandbox's."""
    parts = (f"{p} {_seconds(f['own'])} (+{f['wall'] - f['own']:.1f} s of CJ's)" for p, f in figures["phases"].items())
    return f"{whose}: {', '.join(parts)}"


def as_json(rows: list[Row], machine: dict[str, Any]) -> dict[str, Any]:
    return {
        "machine": machine,
        "rows": [asdict(row) | {"ratio": row.ratio, "to_limit": row.to_limit, "reached": row.reached} for row in rows],
        "growth": [asdict(step) | {"slower": step.slower, "memory_grown": step.memory_grown} for step in grown(rows)],
    }
