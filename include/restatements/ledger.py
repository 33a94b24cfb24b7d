"""The ledger: CJ's records as they came, appended once each to cj.commissions and cj.commission_items.

The first reading goes back `ledger_days` (or to `since`) by windows of at most 31 days; each window is committed, so a reading that is cut goes on
where it stopped. Afterwards each reading asks for what is new past the cursor, CJ's documented way to poll. What an order *is* at CJ is the sum
of its records (`cj.order_state`); nothing here is ever edited, but for where CJ itself moves a record: its status and lock date.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from include.cj.client import CJClient
from include.cj.limits import windows
from include.cj.records import CommissionPage
from include.errors import RestatementsError
from include.restatements.settings import Account, Settings
from include.restatements.shapes import INSTANT
from include.sql import sql_text
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

OVERLAP = timedelta(days=2)
"""How far before the last reading the next one's window begins. The cursor, not the window, decides what is new."""

AHEAD = timedelta(hours=1)
"""How far past CJ's present a window ends, so that a clock a little off loses nothing."""

REFRESH_AT_ONCE = 1_000
"""Commission ids in one question for the present state of records."""


@dataclass(frozen=True)
class LedgerRead:
    """One reading. `records` came, `appended` were new."""

    advertiser_id: str
    records: int
    appended: int
    complete_until: datetime
    first: bool





def read_ledger(client: CJClient, account: Account, location: WarehouseLocation, *, ledger_days: int, since: date | None = None) -> LedgerRead:
    """Bring the ledger of one account up to CJ's present. `since` reads everything from that date again; what is there already stays as it is.

    The warehouse is open only while records are written. Raises CJError, WarehouseError.
    """
    with open_warehouse(location) as session:
        session.create_tables()
        last = _last_read(session, account.advertiser_id)
    first = last is None or since is not None
    client.ping()  # teaches the client CJ's clock before any window is cut
    now = client.now()
    if first:
        begin = datetime(since.year, since.month, since.day, tzinfo=UTC) if since else now - timedelta(days=ledger_days)
        cursor = None
    else:
        assert last is not None
        begin, cursor = last[1] - OVERLAP, last[0]
    records = appended = 0
    until = begin
    newest = last[0] if last else "0"
    for start, end in windows(begin, now + AHEAD):
        pages = client.commission_pages(account.advertiser_id, since_posting=start, before_posting=end, since_commission_id=cursor)
        got, new, newest = _append_window(pages, account, location, newest, start, min(end, now))
        records, appended, until = records + got, appended + new, min(end, now)
    return LedgerRead(account.advertiser_id, records, appended, until, first)


def _append_window(
    pages: Iterator[CommissionPage], account: Account, location: WarehouseLocation, newest: str, start: datetime, complete_until: datetime
) -> tuple[int, int, str]:
    """Spool the pages of one window to disk, then append what is new in one transaction. Returns records, appended, the newest cursor."""
    ingested_at = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="cj-ledger-") as scratch:
        spool = _Spool(Path(scratch))
        for page in pages:
            spool.add(page, ingested_at)
            newest = max(newest, page.max_commission_id or "0", key=_order_of)
        with open_warehouse(location) as session, session.transaction():
            session.serialize("cj.ledger")
            appended = append_records(session, spool.records(), spool.items()) if spool.count else 0
            session.append(
                "cj.ledger_reads",
                pa.table(
                    {
                        "advertiser_id": [account.advertiser_id],
                        "cursor_commission_id": [newest],
                        "read_from": pa.array([start], INSTANT),
                        "complete_until": pa.array([complete_until], INSTANT),
                        "records": pa.array([spool.count], pa.int64()),
                        "read_at": pa.array([ingested_at], INSTANT),
                    }
                ),
            )
    return spool.count, appended, newest


def append_records(session: Session, records: Iterator[pa.RecordBatch], items: Iterator[pa.RecordBatch]) -> int:
    """Append records and items that are not there yet, inside the caller's transaction. Returns how many records were new."""
    session.execute("DELETE FROM cj.incoming_commissions; DELETE FROM cj.incoming_items")
    session.append("cj.incoming_commissions", records)
    session.append("cj.incoming_items", items)
    before = session.rows("SELECT COUNT(*) AS n FROM cj.commissions")[0]["n"]
    session.execute(sql_text("ledger_append"))
    after = session.rows("SELECT COUNT(*) AS n FROM cj.commissions")[0]["n"]
    session.execute("DELETE FROM cj.incoming_commissions; DELETE FROM cj.incoming_items")
    return int(str(after)) - int(str(before))


def _last_read(session: Session, advertiser_id: str) -> tuple[str, datetime] | None:
    """(cursor, complete until) of the newest reading."""
    found = session.rows(
        "SELECT cursor_commission_id, complete_until FROM cj.ledger_reads WHERE advertiser_id = :advertiser_id "
        "ORDER BY complete_until DESC, LENGTH(cursor_commission_id) DESC, cursor_commission_id DESC LIMIT 1",
        {"advertiser_id": advertiser_id},
    )
    if not found:
        return None
    cursor, until = found[0]["cursor_commission_id"], found[0]["complete_until"]
    assert isinstance(until, datetime)
    return str(cursor), until


def _order_of(cursor: str) -> tuple[int, str]:
    """CJ's ids grow: longer is newer, then by digits."""
    return len(cursor), cursor


class _Spool:
    """Pages on local disk between CJ and the warehouse, so that memory stays flat and the warehouse is opened once."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count, self.pages = folder, 0, 0

    def add(self, page: CommissionPage, ingested_at: datetime) -> None:
        if not page.count:
            return
        stamp = pa.array([ingested_at] * page.count, INSTANT)
        self._write("records", page.table.append_column("ingested_at", stamp))
        self._write("items", page.items)
        self.count, self.pages = self.count + page.count, self.pages + 1

    def records(self) -> Iterator[pa.RecordBatch]:
        return self._read("records")

    def items(self) -> Iterator[pa.RecordBatch]:
        return self._read("items")

    def _write(self, kind: str, table: pa.Table) -> None:
        with pa.OSFile(str(self.folder / f"{kind}-{self.pages}.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)

    def _read(self, kind: str) -> Iterator[pa.RecordBatch]:
        for page in range(self.pages):
            with pa.OSFile(str(self.folder / f"{kind}-{page}.arrow")) as source:
                yield from pa.ipc.open_file(source).read_all().to_batches()


def read_ledgers(settings: Settings, location: WarehouseLocation, since: date | None = None, conn_id: str | None = None) -> dict[str, object]:
    """Read the ledgers of every account, or of one. One account's failure does not hold the others; the first failure is raised at the end."""
    counts: dict[str, object] = {}
    failures: list[RestatementsError] = []
    for account in settings.accounts:
        if conn_id not in (None, account.conn_id):
            continue
        try:
            with CJClient(account) as client:
                read = read_ledger(client, account, location, ledger_days=settings.ledger_days, since=since)
            counts[account.conn_id] = {"records": read.records, "appended": read.appended, "complete_until": read.complete_until.isoformat()}
        except RestatementsError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return counts
