"""What a rehearsed night came to: compared order by order, counted post by post, and printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from include.sandbox.control import SandboxControl
from include.warehouse.base import WarehouseLocation, open_warehouse
from lab.comparison import Comparison
from lab.scale.rehearsal import Night
from lab.scale.stage import compared, live_posts

SHOWN = 10


@dataclass(frozen=True)
class Outcome:
    night: Night
    reconciled: str
    comparison: Comparison
    posts: Mapping[int, int]
    """Orders by how often CJ was sent them live."""
    verdicts: Mapping[str, int]
    memory: Mapping[str, int]
    task_memory: Mapping[str, int]

    @property
    def duplicates(self) -> int:
        """Posts beyond the first of an order."""
        return sum((often - 1) * orders for often, orders in self.posts.items())

    @property
    def proved(self) -> bool:
        """Whether the night showed what it was played for: with a worker killed, an orphan and a second try at work side by side."""
        return self.night.killed is None or self.night.killed.overlap > 0

    @property
    def well(self) -> bool:
        return (
            self.night.state == self.reconciled == "success"
            and not self.comparison.differences
            and not self.duplicates
            and set(self.verdicts) == {"matched"}
            and sum(self.verdicts.values()) == sum(self.posts.values()) > 0
        )


def outcome_of(
    location: WarehouseLocation,
    control: SandboxControl,
    night: Night,
    reconciled: str,
    memory: Mapping[str, int],
    task_memory: Mapping[str, int],
) -> Outcome:
    with open_warehouse(location) as session:
        rows = session.rows("SELECT status, COUNT(*) AS orders FROM cj.reconciliation GROUP BY status")
    verdicts = {str(row["status"]): int(str(row["orders"])) for row in rows}
    return Outcome(night, reconciled, compared(location, control, night.run_id), live_posts(control), verdicts, memory, task_memory)


def table(outcome: Outcome) -> str:
    """The outcome for a person."""
    comparison, night = outcome.comparison, outcome.night
    lines = [
        ("orders in the warehouse", f"{comparison.orders:,}"),
        ("CJ holds what the warehouse says", f"{comparison.agreed:,}"),
        *((f"held back ({why})", f"{count:,}") for why, count in comparison.held_back.items()),
        ("differences", f"{len(comparison.differences):,}"),
        ("orders posted live", f"{sum(outcome.posts.values()):,}"),
        ("posted twice", f"{outcome.duplicates:,}"),
        *((f"verdict {status}", f"{count:,}") for status, count in sorted(outcome.verdicts.items())),
        ("the night", f"{night.state}, {night.seconds:.0f} s"),
        *((f"  longest {task}", f"{seconds:.1f} s") for task, seconds in night.task_seconds.items()),
        ("the reconciliation", outcome.reconciled),
    ]
    if night.killed:
        killed = night.killed
        lines += [
            ("worker killed", f"{killed.worker}, after {killed.answered_before} chunks"),
            ("orphan and second try overlapped", f"{killed.overlap:.0f} s"),
        ]
    lines += [(f"memory, {name}", f"{size / 2**20:,.0f} MiB") for name, size in sorted(outcome.memory.items(), key=lambda part: -part[1])]
    lines += [(f"largest process of {name}", f"{size / 2**20:,.0f} MiB") for name, size in outcome.task_memory.items() if size]
    width = max(len(name) for name, _ in lines)
    text = "\n".join(f"  {name:<{width}}  {value:>16}" for name, value in lines)
    wrong = "".join(f"\n  {difference}" for difference in comparison.differences[:SHOWN])
    end = "Every order ended as the warehouse says, posted once." if outcome.well else f"This night did not end well.{wrong}"
    if not outcome.proved:
        end += "\nThe orphan had ended before the second try began, so two tries at once were not rehearsed: give it more --orders."
    return f"\n{text}\n\n{end}\n"
