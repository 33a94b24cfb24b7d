"""The whole loop, both ways, each against a sandbox of its own that starts from the same state."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lab.bench.ground import NIGHT, Ground, sandbox_of
from lab.bench.measuring import measured
from lab.bench.truth import Truth, compared

HOUR = timedelta(minutes=65)


def after_the_hour(url: str) -> datetime:
    """Moves the sandbox's clock over CJ's hour and waits until everything due has posted. Returns the sandbox's time."""
    from include.sandbox.control import SandboxControl

    with SandboxControl(url, timeout=3600) as control:
        now = control.advance(HOUR.total_seconds())
        # The first line is only written once everything due is processed.
        next(control.orders(), None)
    return now


def play(ground: Ground, side: str, function: str, **more: Any) -> tuple[dict[str, Any], Truth]:
    """One side's loop in a process of its own, and how CJ stands to the warehouse afterwards."""
    from include.demo.files import TOKEN

    with sandbox_of(ground, side) as sandbox:
        sandbox.control.configure(rate_limit=False)
        sandbox.control.set_clock(NIGHT)
        figures = measured(f"lab.bench.{side}:{function}", ground.arguments(url=sandbox.url, token=TOKEN, **more))
        after_the_hour(sandbox.url)
        truth = compared(ground, sandbox.url, Path(ground.folder) / f"held-by-{side}.parquet")
    return figures, truth
