"""The model test for as long as SOAK_SECONDS says, with new seeds all the time: `make soak`. Each minute it prints how far it has come."""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Loop, sandboxes

STEPS, EXAMPLES_A_SEED = 24, 5


def main() -> int:
    until = time.monotonic() + float(os.environ.get("SOAK_SECONDS", "3600"))
    shrink = (Phase.shrink,) if os.environ.get("SOAK_SHRINK", "yes") == "yes" else ()
    chosen = settings(
        deadline=None, stateful_step_count=STEPS, database=None, max_examples=EXAMPLES_A_SEED, phases=(Phase.generate, *shrink),
        suppress_health_check=list(HealthCheck), print_blob=True,
    )  # fmt: skip
    told, begun = time.monotonic(), time.monotonic()
    totals = {"examples": 0, "orders": 0, "runs": 0, "posts": 0}
    with tempfile.TemporaryDirectory(prefix="cj-soak-") as place, sandboxes(Path(place)) as new_world:
        while time.monotonic() < until:
            seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(2**32))

            @seeded(seed)
            class Counted(Loop):
                def __init__(self) -> None:
                    super().__init__(new_world)

                def teardown(self) -> None:
                    super().teardown()
                    if self.opened is not None:
                        totals["examples"] += 1
                        totals["orders"] += len(self.world.log.changes)
                        totals["runs"] += len(self.world.nights)
                        totals["posts"] += len(self.world.posts)

            try:
                run_state_machine_as_test(Counted, settings=chosen)
            except BaseException:
                print(f"seed {seed} breaks a promise; SOAK_SEED={seed} plays it again", flush=True)
                raise
            if time.monotonic() - told >= 60:
                told = time.monotonic()
                print(f"{told - begun:6.0f} s  " + "  ".join(f"{n} {name}" for name, n in totals.items()), flush=True)
    print("every promise was kept: " + ", ".join(f"{n} {name}" for name, n in totals.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
