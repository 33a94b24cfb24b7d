"""A process that dies at a step, for tests that look at what it leaves behind."""

from __future__ import annotations

from include.restatements.checkpoints import Checkpoint


class Killed(BaseException):
    """The process is gone: nothing of it handles that."""


def killed_at(name: str, times: int = 1) -> Checkpoint:
    """Ends at the step of this name, when it is passed for the `times`-th time."""
    left = [times]

    def checkpoint(reached: str) -> None:
        if reached == name:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

    return checkpoint
