"""A module imported beside something else that mostly waits."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread


@contextmanager
def imported_meanwhile(module: str) -> Iterator[None]:
    """Imports it while the block runs. What goes wrong with it is left to the import that follows, which is then met by whoever needs it."""

    def load() -> None:
        with suppress(Exception):
            importlib.import_module(module)

    thread = Thread(target=load, name=f"importing {module}")
    thread.start()
    try:
        yield
    finally:
        thread.join()
