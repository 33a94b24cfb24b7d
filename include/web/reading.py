"""The way to the warehouse: one short transaction that only reads. A page never holds up a night and never waits for one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.abc import MetaPathFinder
from threading import get_ident
from typing import Any, NamedTuple, TypeVar

from anyio import CapacityLimiter, fail_after, to_thread

from include.domain.errors import RestatementsError, SettingError, WarehouseShapeError, WarehouseTookTooLong, WarehouseUnavailable
from include.warehouse.base import Session, WarehouseLocation, open_for_reading
from include.warehouse.location import kind_named

T = TypeVar("T")

AT_ONCE = 4
"""Pages that read at a time. They have threads of their own: Airflow's other answers never wait for them."""

PAGE_SECONDS = 5
FILE_SECONDS = 120
"""How long one statement may take: of a page, of a CSV of everything."""


class Patience(NamedTuple):
    """How long a page waits, in seconds, before it says that the warehouse is busy."""

    statement: int = PAGE_SECONDS
    page: float = 12
    """For its turn and its answer together."""


USUAL = Patience()


class NotNow(Exception):
    """The warehouse cannot be read just now. `claim` and `rest` are what a person is told; `status` is HTTP's."""

    def __init__(self, claim: str, rest: str, status: int = 503) -> None:
        super().__init__(f"{claim} {rest}")
        self.claim, self.rest, self.status = claim, rest, status


@dataclass(frozen=True)
class Warehouse:
    """Where the tables are; `location` is asked at each look, since a connection may change."""

    location: Callable[[], WarehouseLocation]

    @contextmanager
    def opened(self, seconds: int) -> Iterator[Session]:
        """A session for one look. Raises NotNow."""
        try:
            with going_without("pandas"), open_for_reading(self.location(), seconds) as session:
                yield session
        except RestatementsError as error:
            raise told(error) from None


def load_driver(warehouse: Warehouse) -> None:
    """What the warehouse is opened with, so that the first page need not wait for it. Where it cannot be told yet, that page says why.

    Arrow's part that PostgreSQL's driver needs imports pandas where it is installed, for arguments that nobody gives it here: it goes without.
    """
    with suppress(RestatementsError, ImportError), going_without("pandas"):
        import_module(kind_named(warehouse.location().kind).DRIVER)


class _Refused(MetaPathFinder):
    """Finds that a module is not there, for one thread: what others import meanwhile is theirs."""

    def __init__(self, name: str) -> None:
        self._name, self._thread = name, get_ident()

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == self._name and get_ident() == self._thread:
            raise ModuleNotFoundError(f"{fullname} is not loaded for a page.", name=fullname)


@contextmanager
def going_without(name: str) -> Iterator[None]:
    """What this thread imports until the block ends does without the module, as if it were not installed."""
    refused = _Refused(name)
    sys.meta_path.insert(0, refused)
    try:
        yield
    finally:
        sys.meta_path.remove(refused)


class Readers:
    """Looks at the warehouse, so many at a time. Made once, used from one event loop."""

    def __init__(self, warehouse: Warehouse, patience: Patience) -> None:
        self.warehouse, self.patience = warehouse, patience
        self._limiter: CapacityLimiter | None = None

    async def look(self, read: Callable[[Session], T], *, file: bool = False) -> T:
        """What `read` makes of one session, in a thread of ours. Raises NotNow."""
        seconds, patience = (FILE_SECONDS, 2 * FILE_SECONDS) if file else self.patience
        if self._limiter is None:
            self._limiter = CapacityLimiter(AT_ONCE)

        def looked() -> T:
            with self.warehouse.opened(seconds) as session:
                return read(session)

        try:
            with fail_after(patience):
                return await to_thread.run_sync(looked, limiter=self._limiter, abandon_on_cancel=True)
        except TimeoutError:
            raise busy() from None


def busy() -> NotNow:
    """The sentence for a warehouse that has other things to do."""
    return NotNow(
        "The warehouse is busy.",
        "This page gave up after a few seconds, so that it holds up no night. Try again in a moment; a narrower filter helps.",
    )


def told(error: RestatementsError) -> NotNow:
    """What went wrong on the way to the warehouse, for a person."""
    match error:
        case WarehouseTookTooLong():
            return busy()
        case WarehouseShapeError():
            return NotNow(
                "The tables are not there yet, or not up to date.",
                "The first run of cj_restatements or cj_reconciliation of this release makes them. Until then there is nothing to show.",
            )
        case WarehouseUnavailable():
            return NotNow("The warehouse cannot be read just now.", str(error))
        case SettingError():
            return NotNow("The warehouse cannot be opened.", str(error))
    return NotNow("The warehouse refused.", str(error))


def age_of(session: Session, now: datetime | None = None) -> int | None:
    """Seconds since the copy was left that is being read; None where it is the warehouse itself."""
    return None if session.as_of is None else max(0, int(((now or datetime.now(UTC)) - session.as_of).total_seconds()))
