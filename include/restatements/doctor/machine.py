"""This machine: Python, and the packages beside it."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from include.restatements.doctor.checks import Found, NotAsked, Notes, look, mend, right
from include.restatements.doctor.interpreter import OLDEST, TAKE_ANOTHER, unfit

LOCK = Path(__file__).resolve().parents[3] / "requirements.txt"
NAMED = 5
"""How many packages a sentence names."""


def python(notes: Notes, whose: str) -> Found:
    """The interpreter is one the lock is made for."""
    sentence = unfit(notes.python)
    if not sentence:
        return right(f"Python {platform.python_version()}, {platform.machine()}.")
    return (mend if notes.python < OLDEST else look)(sentence, TAKE_ANOTHER)


def packages(notes: Notes, whose: str, lock: Path = LOCK) -> Found:
    """What is installed is what the lock pins. Another version than that is somebody's choice; a package that is not there is not."""
    try:
        pins = dict(pinned(lock.read_text(encoding="utf-8")))
    except OSError:
        raise NotAsked(f"{lock.name} is not here, so nothing says which versions were tried") from None
    gone, other = [], []
    for name, wanted in pins.items():
        found = installed(name)
        if found is None:
            gone.append(name)
        elif found != wanted:
            other.append(f"{name} {found} instead of {wanted}")
    if gone:
        return mend(f"{_some(gone)} of {lock.name} are not installed.", "Run `make setup`, or install requirements.txt where Airflow runs.")
    if other:
        return look(
            f"{len(other)} of {len(pins)} packages have another version than was tried: {_some(other)}.",
            "Run `make setup`, or install requirements.txt where Airflow runs; or try a night against the sandbox with what you have.",
        )
    return right(f"All {len(pins)} packages of {lock.name} are installed in its versions.")


def pinned(text: str) -> Iterator[tuple[str, str]]:
    """Name and version of each pin that counts on this machine."""
    for line in text.splitlines():
        if not line or line.startswith((" ", "#", "-")):
            continue
        try:
            one = Requirement(line.split(" #")[0])
        except InvalidRequirement:
            continue
        exact = [spec.version for spec in one.specifier if spec.operator == "=="]
        if exact and (one.marker is None or one.marker.evaluate()):
            yield one.name, exact[0]


def installed(name: str) -> str | None:
    """The version that is installed, None where none is."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
