"""What came of one window of CJ's records goes into cj.commissions: each record once, and how far the reading has come, in one transaction.

A usual window is appended once it is there, so that nobody holds the warehouse while CJ is asked. Of a large one, a first reading's or a month's restated,
what has come is appended in a thread while CJ answers what follows, where the warehouse serves others meanwhile. Whatever ends that transaction early ends
all of it, and the window is appended once it is there: by its ids no record comes twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import Event
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from include.cj.set_aside import SET_ASIDE
from include.domain.errors import WarehouseError
from include.domain.shapes import INSTANT
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.ledger.spool import Pages, PageSpool
from include.restatements.ledger.trackers import TrackersSeen
from include.sql import filled
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

log = logging.getLogger(__name__)

MANY = 60_000
"""Records that are appended while CJ is asked for more. Fewer are a usual night's."""


@dataclass(frozen=True)
class WindowRead:
    """A row of cj.ledger_reads, but for its number and what it counts."""

    advertiser_id: str
    cursor: str
    kind: str
    read_from: datetime
    complete_until: datetime


class Appending:
    """Appends the pages of `spool`. Use as a context manager around their coming, which leaves neither thread nor transaction behind.

    `ahead`: whether it may begin before all of them are there.
    """

    def __init__(self, location: WarehouseLocation, spool: PageSpool, *, ahead: bool, checkpoint: Checkpoint = no_checkpoint) -> None:
        self._location, self._spool, self._ahead, self._checkpoint = location, spool, ahead, checkpoint
        self._given_pages = self._given_records = 0
        self._read: WindowRead | None = None
        self._parts: SimpleQueue[Pages | None] = SimpleQueue()
        self._given_up = Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cj-append")  # begins with what it is first given
        self._under_way: Future[int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._given_up.set()
        self._parts.put(None)
        self._thread.shutdown(wait=True)

    def page_came(self) -> None:
        """One more is in the spool."""
        if self._ahead and self._spool.count - self._given_records >= MANY:
            if self._under_way is None:
                self._under_way = self._thread.submit(self._append, self._what_comes())
            self._give()

    def finish(self, read: WindowRead) -> int:
        """All of them are there. Returns how many records were new, once they are kept. Raises WarehouseError."""
        self._read = read
        if self._under_way is not None:
            self._give()
            self._parts.put(None)
            try:
                return self._under_way.result()
            except WarehouseError as error:
                log.warning("What was appended while CJ was asked was not kept, and is appended again: %s", error)
        return self._append([self._spool.pages()])

    def _give(self) -> None:
        part = self._spool.pages(self._given_pages)
        self._given_pages, self._given_records = part.numbers.stop, self._spool.count
        self._parts.put(part)

    def _what_comes(self) -> Iterator[Pages]:
        """What is given, until no more comes."""
        while (part := self._parts.get()) is not None and not self._given_up.is_set():
            yield part
            self._checkpoint("part_appended")
        if self._given_up.is_set():
            raise _GivenUp

    def _append(self, parts: Iterable[Pages]) -> int:
        with open_warehouse(self._location) as session, session.transaction():
            session.serialize("cj.ledger")
            reading = next_reading(session)
            appended = append_records(session, parts, reading)
            assert self._read is not None  # said before the parts ended
            tell_set_aside(session, self._spool.pages(), self._read.advertiser_id, reading)
            row = {
                "advertiser_id": [self._read.advertiser_id],
                "cursor_commission_id": [self._read.cursor],
                "kind": [self._read.kind],
                "read_from": pa.array([self._read.read_from], INSTANT),
                "complete_until": pa.array([self._read.complete_until], INSTANT),
                "records": pa.array([self._spool.count], pa.int64()),
                "read_at": pa.array([datetime.now(UTC)], INSTANT),
                "reading": pa.array([reading], pa.int64()),
            }
            session.append("cj.ledger_reads", pa.table(row))
        return appended


class _GivenUp(Exception):
    """No more comes, and not because all is there: nothing of it is kept."""


def append_records(session: Session, parts: Iterable[Pages], reading: int) -> int:
    """Append records that are not there yet, part by part, inside the caller's transaction. Returns how many records were new."""
    seen = TrackersSeen(reading)
    appended = sum(_append_part(session, part, seen, reading) for part in parts)
    session.append("cj.tracker_readings", seen.rows())
    session.analyze_grown("cj.commissions")
    return appended


def _append_part(session: Session, part: Pages, seen: TrackersSeen, reading: int) -> int:
    """The ids go first and alone: almost always none of them is known, and then the records go straight to where they stay."""
    if not part.numbers:
        return 0
    session.execute("DELETE FROM cj.incoming_commissions")
    session.append("cj.incoming_commissions", part.ids())
    session.analyze("cj.incoming_commissions")
    known = session.table(filled("ledger_known"))
    kept = known.filter(known["kept"])["commission_id"].combine_chunks()
    copied = known.filter(pc.invert(known["kept"]))["commission_id"].combine_chunks()
    if len(kept):
        session.execute(filled("ledger_back"), {"reading": reading})
        _say_what_was_unsaid(session, part)
    session.execute("DELETE FROM cj.incoming_commissions")
    return session.append("cj.commissions", seen.passing(_of_reading(_new(part.records(), kept, copied), reading)))


def _say_what_was_unsaid(session: Session, part: Pages) -> None:
    """Fill in what publishers see and earn, of records from before that was asked for. The only fields that are filled in afterwards: null is not known."""
    unsaid = session.table(filled("ledger_unsaid"))["commission_id"].combine_chunks()
    if not len(unsaid):
        return
    session.execute("DELETE FROM cj.incoming_commissions")
    said = (page.filter(pc.is_in(page["commission_id"], unsaid)) for page in part.records())
    session.append("cj.incoming_commissions", (batch for page in said for batch in page.to_batches()))
    session.analyze("cj.incoming_commissions")
    session.execute(filled("ledger_publisher"))


def next_reading(session: Session) -> int:
    """Readings are numbered under their lock: what one reads is later than what every one before it read, whatever clocks say."""
    newest = session.rows("SELECT MAX(reading) AS newest FROM cj.ledger_reads")[0]["newest"]
    return 1 + (newest if isinstance(newest, int) else 0)


def _of_reading(batches: Iterator[pa.RecordBatch], reading: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch.append_column("reading", pa.repeat(pa.scalar(reading, pa.int64()), batch.num_rows))


def tell_set_aside(session: Session, pages: Pages, advertiser_id: str, reading: int) -> None:
    """Append what could not be kept as it came to cj.ledger_set_aside, inside the caller's transaction; what was said of a record before is not said again."""
    told = [page for page in pages.told() if page.num_rows]
    if not told:
        return
    now = datetime.now(UTC)
    rows = pa.concat_tables(told).group_by(SET_ASIDE.names).aggregate([]).select(SET_ASIDE.names)
    rows = rows.append_column("advertiser_id", pa.array([advertiser_id] * rows.num_rows, pa.string()))
    rows = rows.append_column("reading", pa.repeat(pa.scalar(reading, pa.int64()), rows.num_rows))
    session.append("cj.ledger_set_aside", rows.append_column("set_aside_at", pa.array([now] * rows.num_rows, INSTANT)))
    session.execute(filled("ledger_told_before"), {"advertiser_id": advertiser_id, "now": now})


def _new(pages: Iterator[pa.Table], kept: pa.Array, copied: pa.Array) -> Iterator[pa.RecordBatch]:
    """Without the `kept` records; the `copied` ones where they stand first."""
    seen: set[str] = set()
    for page in pages:
        new = page.filter(pc.invert(pc.is_in(page["commission_id"], kept))) if len(kept) else page
        again = pc.is_in(new["commission_id"], copied)
        if pc.any(again).as_py():
            rows = new.filter(again)
            new = pa.concat_tables(
                [new.filter(pc.invert(again)), rows.filter(pa.array(_first(rows["commission_id"].to_pylist(), seen), pa.bool_()))]
            )
        yield from new.to_batches()


def _first(ids: list[str], seen: set[str]) -> list[bool]:
    first = []
    for one in ids:
        first.append(one not in seen)
        seen.add(one)
    return first
