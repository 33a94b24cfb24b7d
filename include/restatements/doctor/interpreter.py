"""Whether this Python is one the lock is made for.

Also asked before anything else of the package is imported, by a Python that may be too old for it: so this file imports what every Python 3.7 has.
"""

from __future__ import annotations

OLDEST, NEWEST = (3, 11), (3, 12)
"""What the lock is made for, and what the tests run on."""

TAKE_ANOTHER = "Run `make setup PYTHON=/path/to/python3.12`, or use an Airflow on Python 3.12 or 3.11."


def unfit(version: tuple[int, int]) -> str:
    """What is wrong with this version of Python, as a sentence; empty where nothing is."""
    spelled = ".".join(str(part) for part in version)
    if version < OLDEST:
        return f"Python {spelled} is too old: the locked packages need 3.11 or 3.12."
    if version > NEWEST:
        return f"Python {spelled} is newer than what the package was tried on, 3.11 and 3.12."
    return ""
