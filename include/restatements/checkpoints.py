"""The steps of a night by name, where the fault tests stop it, kill it and cut it."""

from __future__ import annotations

from collections.abc import Callable

Checkpoint = Callable[[str], None]
"""Called with the name of each step as it is passed; the fault tests kill the process there."""


def no_checkpoint(_: str) -> None:
    """Outside of the fault tests nothing happens at a step."""
