"""The ledger: CJ's records as they came, appended once each to cj.commissions, with their items.

The first reading goes back `ledger_days` (or to `since`) by windows of at most 31 days; each window is committed, so a reading that is cut goes on
where it stopped. Afterwards each reading asks for what is new past the cursor, CJ's documented way to poll; once a day it sweeps the last days
without the cursor, because nothing says that CJ's ids become visible in their order, and a record passed over would make its order `missing`. It sweeps
besides where the hour of an unanswered call or the deadline of an order is over since: what is called lost was looked for everywhere.

What an order *is* at CJ is the sum of its records (`cj.order_state`). Nothing is ever edited, except for what CJ itself moves on a record: its status and
its lock date, which an advertiser can have extended. Both are asked for again when the lock date comes. What a publisher sees and earns is filled in where
it was not asked for when the record was read. A record that CJ shows under a new id is one record, read when it was read first: where two say the same,
CJ is asked whether it shows both still.

A record that cannot be kept as it came stops nothing: it is kept with a change, or set aside, and cj.ledger_set_aside says so (include.cj.set_aside).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pyarrow as pa

from include.cj.client import CJClient
from include.cj.limits import MAX_WINDOW, windows
from include.cj.records import CommissionPage
from include.domain.account import Account
from include.restatements.ledger.appending import Appending, WindowRead, next_reading, tell_set_aside
from include.restatements.ledger.spool import PageSpool, newest_of
from include.restatements.scratch import room_told
from include.sql import filled
from include.warehouse.base import Params, Session, WarehouseLocation, open_warehouse

OVERLAP = timedelta(days=2)
"""How far before the last reading the next one's window begins. The cursor, not the window, decides what is new."""

AHEAD = timedelta(hours=1)
"""How far past CJ's present a window ends, so that a clock a little off loses nothing, and a lock date counts as come."""

SWEEP_EVERY, SWEEP_BACK = timedelta(hours=24), timedelta(days=3)
"""How often the last days are read again without the cursor, and how many."""

CARED_FOR = timedelta(days=45)
"""How long CJ is asked whether it has locked, or unlocked, an order that did not arrive or was held back as locked: a lock date is moved by a month."""


@dataclass(frozen=True)
class LedgerRead:
    """One reading. `records` came, `appended` were new; `set_aside` came besides and could not be kept."""

    advertiser_id: str
    records: int
    appended: int
    complete_until: datetime
    kind: str
    """`first`, `cursor`, or `sweep`."""
    set_aside: int


@room_told()
def read_ledger(
    client: CJClient,
    account: Account,
    location: WarehouseLocation,
    *,
    ledger_days: int,
    since: date | None = None,
    deadline: timedelta,
    processing: timedelta = AHEAD,
    checkpoint: Callable[[str], None] = lambda _: None,
) -> LedgerRead:
    """Bring the ledger of one account up to CJ's present. `since` reads everything from that date again; what is there already stays as it is.
    What locks within `processing`, CJ's hour, is asked for again; what never posted is given up after `deadline`.

    The warehouse is open only while records are written; when that is, is told in include.restatements.ledger.appending. Raises CJError, WarehouseError.
    """
    with open_warehouse(location) as session:
        session.create_tables()
        last, swept_at = _last_read(session, account.advertiser_id)
        shared = not session.held_alone
    client.ping()  # teaches the client CJ's clock before any window is cut
    now = client.now()
    oldest = _waited_for(location, account.advertiser_id, swept_at, now, processing, deadline) if swept_at else None
    _refresh_due(client, account, location, now + max(processing, AHEAD))
    cursor = None
    if last is None or since is not None:
        kind = "first"
        begin = datetime(since.year, since.month, since.day, tzinfo=UTC) if since else now - timedelta(days=ledger_days)
    elif swept_at is None or now - swept_at >= SWEEP_EVERY or oldest is not None:
        kind, begin = "sweep", min(last.until, now, oldest or now) - SWEEP_BACK
    else:
        kind, begin, cursor = "cursor", last.until - OVERLAP, last.cursor
    records = appended = set_aside = 0
    newest = last.cursor if last else "0"
    until = begin
    for start, end in windows(begin, now + AHEAD):
        until = min(end, now)
        pages = client.commission_pages(account.advertiser_id, since_posting=start, before_posting=end, since_commission_id=cursor)
        with PageSpool() as spool, Appending(location, spool, ahead=shared, checkpoint=checkpoint) as appending:
            spool.fill(pages, after_each=appending.page_came)
            newest = newest_of(newest, spool.cursor)
            appended += appending.finish(WindowRead(account.advertiser_id, newest, kind, start, until))
            records += spool.count
            set_aside += spool.set_aside
        checkpoint("window_read")
    if last is not None:  # what is read for the first time CJ showed at once
        _refresh_alike(client, account, location, now, last.number)
    return LedgerRead(account.advertiser_id, records, appended, until, kind, set_aside)


class _Read(NamedTuple):
    """How far the account's readings have come."""

    cursor: str
    until: datetime
    number: int


def _last_read(session: Session, advertiser_id: str) -> tuple[_Read | None, datetime | None]:
    """The newest reading, and when the newest sweep or first reading was complete until."""
    mine = {"advertiser_id": advertiser_id}
    found = session.rows(
        "SELECT cursor_commission_id, complete_until, COALESCE(reading, 0) AS number FROM cj.ledger_reads WHERE advertiser_id = :advertiser_id "
        "ORDER BY complete_until DESC, LENGTH(cursor_commission_id) DESC, cursor_commission_id DESC LIMIT 1",
        mine,
    )
    if not found:
        return None, None
    swept = session.rows(
        "SELECT MAX(complete_until) AS swept_at FROM cj.ledger_reads WHERE advertiser_id = :advertiser_id AND kind <> 'cursor'", mine
    )[0]["swept_at"]
    until, number = found[0]["complete_until"], found[0]["number"]
    assert isinstance(until, datetime)
    assert isinstance(number, int)
    assert swept is None or isinstance(swept, datetime)
    return _Read(str(found[0]["cursor_commission_id"]), until, number), swept


def _waited_for(
    location: WarehouseLocation, advertiser_id: str, swept_at: datetime, now: datetime, processing: timedelta, deadline: timedelta
) -> datetime | None:
    """When the oldest of what is to be given up now was sent, unless CJ was read whole (until `swept_at`) since it could be."""
    params: Params = {
        "advertiser_id": advertiser_id,
        "hour_was_over": swept_at - processing,
        "hour_is_over": now - processing,
        "deadline_was_over": swept_at - deadline,
        "deadline_is_over": now - deadline,
    }
    with open_warehouse(location) as session:
        oldest = session.rows(filled("ledger_waited_for"), params)[0]["oldest"]
    return oldest if isinstance(oldest, datetime) else None


def _refresh_due(client: CJClient, account: Account, location: WarehouseLocation, until: datetime) -> None:
    """Ask again for every record that locks by `until`, and for those of orders that did not arrive: it is locked, or its lock date was moved.

    What locks before CJ's hour is over cannot be changed any more, and must not be given up for a lock date that was moved: so this comes before
    anything is decided, and reaches all of them, however many lock on one day. A record whose lock date was moved is of the next reading.
    """
    _read_again(client, account, location, "ledger_due", {"until": until, "cared_for_since": until - CARED_FOR})


def _refresh_alike(client: CJClient, account: Account, location: WarehouseLocation, now: datetime, since: int) -> None:
    """Ask whether CJ still shows both of two records that say the same, where one of them was read just now, or by the account's reading before (number
    `since`): that may have been cut before it asked.
    """
    _read_again(client, account, location, "ledger_alike", {"since": since, "cared_for_since": now - CARED_FOR})


def _read_again(client: CJClient, account: Account, location: WarehouseLocation, which: str, params: Params) -> None:
    """Take over what CJ moved on the records that the query `which` gives (commission_id, posting_date), in one transaction."""
    with open_warehouse(location) as session:
        due = session.rows(filled(which), {"advertiser_id": account.advertiser_id} | dict(params))
    posted = {str(row["commission_id"]): moment for row in due if isinstance(moment := row["posting_date"], datetime)}
    if not posted:
        return
    with PageSpool() as spool:
        spool.fill(_asked_again(client, account, posted))
        with open_warehouse(location) as session, session.transaction():
            session.serialize("cj.ledger")
            session.execute("DELETE FROM cj.incoming_commissions; DELETE FROM cj.asked_commissions")
            session.append("cj.incoming_commissions", (batch for page in spool.pages().records() for batch in page.to_batches()))
            session.append("cj.asked_commissions", pa.table({"commission_id": list(posted)}))
            session.analyze("cj.incoming_commissions", "cj.asked_commissions")
            reading = next_reading(session)
            tell_set_aside(session, spool.pages(), account.advertiser_id, reading)
            for step in ("ledger_refresh", "ledger_back"):
                session.execute(filled(step), {"reading": reading})
            if session.rows(filled("ledger_unseen")):  # hardly ever, and DuckDB goes through all records to find that none is gone
                session.execute(filled("ledger_gone"), {"reading": reading})
            session.execute("DELETE FROM cj.incoming_commissions; DELETE FROM cj.asked_commissions")


def _asked_again(client: CJClient, account: Account, posted: dict[str, datetime]) -> Iterator[CommissionPage]:
    """The pages of these records (commission id → posting date), the oldest first, window by window.

    Without bounds CJ reads the past 24 hours by posting date, and no source says that it does otherwise where ids are given.
    """
    rest = sorted(posted.items(), key=lambda record: record[1])
    while rest:
        start = rest[0][1].replace(microsecond=0)
        end = start + MAX_WINDOW
        ids = [name for name, posted in rest if posted < end]
        rest = rest[len(ids) :]
        yield from client.commission_pages(account.advertiser_id, since_posting=start, before_posting=end, commission_ids=ids)
