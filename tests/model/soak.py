"""The model test for as long as SOAK_SECONDS says, with new seeds all the time: `make soak`. Each minute it prints how far it has come.

Each seed plays a bad week, fair days and stormy days. SOAK_WAREHOUSE (`duckdb`, `postgres`) says on what, SOAK_SEED plays one seed again and again.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from include.warehouse.base import WarehouseLocation
from tests.model.machine import Loop, sandboxes
from tests.model.storm import Storm, bad_week, hurried
from tests.model.world import Options, World
from tests.postgres_server import new_postgres

STEPS, EXAMPLES_A_SEED = 24, 5


def locations(kind: str) -> Callable[[], WarehouseLocation | None]:
    """What makes an empty warehouse of this kind, for one world after another."""
    if kind == "duckdb":
        return lambda: None
    return new_postgres


def main() -> int:
    until = time.monotonic() + float(os.environ.get("SOAK_SECONDS", "3600"))
    shrink = (Phase.shrink,) if os.environ.get("SOAK_SHRINK", "yes") == "yes" else ()
    chosen = settings(
        deadline=None, stateful_step_count=STEPS, database=None, max_examples=EXAMPLES_A_SEED, phases=(Phase.generate, *shrink),
        suppress_health_check=list(HealthCheck), print_blob=True,
    )  # fmt: skip
    told, begun = time.monotonic(), time.monotonic()
    totals, events, verdicts = Counter[str](), Counter[str](), Counter[str]()

    def counted(kind: type[Loop], new_world: Callable[[Options], World]) -> Any:
        class Counted(kind):  # type: ignore[misc, valid-type]
            def __init__(self) -> None:
                super().__init__(new_world)

            def teardown(self) -> None:
                super().teardown()
                if self.opened is not None:
                    totals.update(
                        histories=1, nights=len(self.world.nights), orders=len(self.world.log.changes), posts=len(self.world.posts)
                    )
                    events.update(self.world.events)
                    verdicts.update(self.world.verdicts)

        return Counted

    where = os.environ.get("SOAK_WAREHOUSE", "duckdb")
    with tempfile.TemporaryDirectory(prefix="cj-soak-") as place, hurried(), sandboxes(Path(place), locations(where)) as new_world:
        while time.monotonic() < until:
            seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(2**32))
            try:
                bad_week(counted(Storm, new_world)(), seed)
                for kind in (Loop, Storm):
                    run_state_machine_as_test(seeded(seed)(counted(kind, new_world)), settings=chosen)
            except BaseException:
                print(f"seed {seed} breaks a promise; SOAK_SEED={seed} plays it again", flush=True)
                raise
            if time.monotonic() - told >= 60:
                told = time.monotonic()
                print(f"{told - begun:6.0f} s  {_listed(totals)}", flush=True)
    print(f"every promise was kept on {where}: {_listed(totals)}\nmet: {_listed(events)}\nverdicts: {_listed(verdicts)}")
    return 0


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {name}" for name, n in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main())
