"""The table people read, and the figures machines read."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lab.bench.steps import Row

_MARKS = {True: " ✓", False: " ✗", None: ""}
_HEAD = ("step", "orders", "seconds", "orders/s", "memory", "peer", "peer's memory", "faster than the peer", "times the limit")


def markdown(rows: list[Row]) -> str:
    """One line a measurement; the number to reach beside the ratio, and whether it was."""
    lines = [_HEAD, tuple("---" for _ in _HEAD), *(_cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: Row) -> tuple[str, ...]:
    ours, peer = row.ours, row.peer
    return (
        row.step,
        f"{row.orders:,}",
        _seconds(ours["seconds"]) + (f" (≤ {row.within:g} s){_MARKS[row.reached]}" if row.within else ""),
        "" if row.within else f"{row.orders / ours['seconds']:,.0f}",
        _memory(ours),
        _seconds(peer["seconds"]) if peer else "",
        _memory(peer) if peer else "",
        _ratio(row),
        f"{row.to_limit:.1f}" if row.to_limit else "",
    )


def _memory(figures: dict[str, Any]) -> str:
    """Nothing where several processes worked and none of them is the one to measure."""
    return f"{figures['peak_mb']:,.0f} MB" if figures["peak_mb"] else ""


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return ""
    wanted = f" (≥ {row.floor:g})" if row.floor else f" (≥ {1 / row.ceiling:.2f})" if row.ceiling else ""
    mark = _MARKS[row.reached]
    return f"{row.ratio:.1f} ×{wanted}{mark}" if row.ratio >= 1 else f"{row.ratio:.2f} ×{wanted}{mark}"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def phases(row: Row) -> str:
    """Where a loop's seconds went, ours and the peer's: own time, and in brackets the sandbox's."""
    said = []
    for name, figures in (("ours", row.ours), ("the peer", row.peer)):
        if figures:
            parts = ", ".join(f"{p} {_seconds(f['own'])} (+{f['wall'] - f['own']:.1f} s of CJ's)" for p, f in figures["phases"].items())
            said.append(f"{name}: {parts}")
    return "; ".join(said)


def as_json(rows: list[Row], machine: dict[str, Any]) -> dict[str, Any]:
    return {
        "machine": machine,
        "rows": [asdict(row) | {"ratio": row.ratio, "to_limit": row.to_limit, "reached": row.reached} for row in rows],
    }
