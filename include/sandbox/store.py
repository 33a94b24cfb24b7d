"""What the sandbox remembers, in one SQLite file: accounts, live orders received, CJ's orders, and the records it posted.

One writer behind a lock, a reader connection per thread (WAL), so a page being read never waits for an order being taken.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from include.domain.money import CENT, money, money_text

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (
    enterprise_id TEXT PRIMARY KEY, advertiser_id TEXT NOT NULL UNIQUE, advertiser_name TEXT NOT NULL, token_hash TEXT NOT NULL,
    currency TEXT NOT NULL, sale_amount_basis TEXT NOT NULL, rates TEXT NOT NULL, excluded_coupons TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS trackers (
    enterprise_id TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, locking_method TEXT NOT NULL, lock_days INTEGER NOT NULL,
    commission_rate TEXT NOT NULL, fee_rate TEXT NOT NULL, PRIMARY KEY (enterprise_id, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS publishers (
    enterprise_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (enterprise_id, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS submissions (
    seq INTEGER PRIMARY KEY, enterprise_id TEXT NOT NULL, action_tracker_id INTEGER NOT NULL, order_id TEXT NOT NULL,
    operation TEXT NOT NULL, update_time TEXT NOT NULL, received_at TEXT NOT NULL, due_at TEXT NOT NULL, payload TEXT NOT NULL,
    fault TEXT, processed_at TEXT, posted INTEGER, drop_reason TEXT, drop_detail TEXT
);
CREATE INDEX IF NOT EXISTS submissions_pending ON submissions (due_at, seq) WHERE processed_at IS NULL;
CREATE INDEX IF NOT EXISTS submissions_order ON submissions (enterprise_id, order_id, action_tracker_id);
CREATE TABLE IF NOT EXISTS orders (
    ref INTEGER PRIMARY KEY, enterprise_id TEXT NOT NULL, action_tracker_id INTEGER NOT NULL, order_id TEXT NOT NULL,
    advertiser_id TEXT NOT NULL, action_type TEXT NOT NULL, publisher_id TEXT NOT NULL, event_date TEXT NOT NULL,
    locking_date TEXT NOT NULL, action_status TEXT, original_id INTEGER NOT NULL, amount TEXT NOT NULL, discount TEXT,
    currency TEXT NOT NULL, coupon TEXT, items TEXT NOT NULL, cancelled INTEGER NOT NULL, commissionable INTEGER NOT NULL, updated_at TEXT,
    figures TEXT NOT NULL, UNIQUE (enterprise_id, order_id, action_tracker_id)
);
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY, ref INTEGER NOT NULL, advertiser_id TEXT NOT NULL, posting_date TEXT NOT NULL, original INTEGER NOT NULL,
    validation_status TEXT NOT NULL, correction_reason TEXT, sale TEXT NOT NULL, discount TEXT, discount_orig TEXT,
    commission TEXT NOT NULL, fee TEXT NOT NULL, coupon TEXT, items TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS acts (seq INTEGER PRIMARY KEY, due_at TEXT NOT NULL, spec TEXT NOT NULL, of_weather INTEGER NOT NULL, met INTEGER);
CREATE INDEX IF NOT EXISTS acts_pending ON acts (due_at, seq) WHERE met IS NULL;
CREATE INDEX IF NOT EXISTS records_posting ON records (advertiser_id, posting_date, id);
CREATE TABLE IF NOT EXISTS calls (
    seq INTEGER PRIMARY KEY, time TEXT NOT NULL, path TEXT NOT NULL, operation TEXT, orders INTEGER NOT NULL, status INTEGER, fault TEXT
);
"""

COLUMNS_SINCE = {
    "records": {
        "visible_at": "TEXT", "unsaid": "INTEGER NOT NULL DEFAULT 0", "action_type": "TEXT", "action_status": "TEXT", "locking_date": "TEXT",
        "original_id": "INTEGER",
    },
    "trackers": {"reports_items": "INTEGER NOT NULL DEFAULT 1"},
}  # fmt: skip
"""Columns that an older state file lacks. Of a record: from when it shows (null: at once), whether commission and fee are left unsaid, and, where it is of
another action than the sale, that action's own type, status, lock date and original id."""

FIRST_COMMISSION_ID = 2_500_000_001


class Store:
    """The sandbox's SQLite file: one writer behind a lock, a reader for each thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self.lock = threading.RLock()
        self._local = threading.local()
        self._usd: dict[str, Decimal] = {}
        self._writer = self._connect()
        self._writer.executescript(SCHEMA)
        for table, columns in COLUMNS_SINCE.items():
            there = {row[1] for row in self._writer.execute(f"PRAGMA table_info({table})")}
            for name in columns.keys() - there:
                self._writer.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")
        self.next_ref = self._top("orders", "ref", 0) + 1
        self.next_record = self._top("records", "id", FIRST_COMMISSION_ID - 1) + 1

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=256)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("PRAGMA cache_size=-65536")
        connection.create_function("usd", 2, self.in_usd, deterministic=False)
        return connection

    def _top(self, table: str, column: str, otherwise: int) -> int:
        return int(self._writer.execute(f"SELECT coalesce(max({column}), ?) FROM {table}", (otherwise,)).fetchone()[0])

    def set_usd_rates(self, rates: dict[str, Decimal]) -> None:
        """USD per unit of the functional currency, by advertiser id."""
        self._usd = rates

    def in_usd(self, amount: str | None, advertiser_id: str) -> str | None:
        """A functional amount in USD, rounded to the cent."""
        rate = self._usd.get(advertiser_id)
        if amount is None or rate is None or rate == 1:
            return amount
        return money_text((money(amount) * rate).quantize(CENT))

    @property
    def reader(self) -> sqlite3.Connection:
        """This thread's own connection; sees what is committed."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
        return connection

    def new_reader(self) -> sqlite3.Connection:
        """A connection that may move between threads, for answers sent in pieces. The caller closes it."""
        return self._connect()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The one writer, in a transaction: all of it or nothing. Inside another, it is part of that one."""
        with self.lock:
            if self._writer.in_transaction:
                yield self._writer
                return
            self._writer.execute("BEGIN IMMEDIATE")
            refs = self.next_ref, self.next_record
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                self._writer.execute("ROLLBACK")
                self.next_ref, self.next_record = refs
                raise

    def get_meta(self, name: str, otherwise: Any) -> Any:
        row = self.reader.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else otherwise

    def set_meta(self, name: str, value: Any) -> None:
        with self.writing() as db:
            db.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, json.dumps(value)))

    def log_call(self, time: str, path: str, operation: str | None, orders: int, status: int | None, fault: str | None) -> None:
        """One request to CJ's endpoints. `status` is null where the connection was cut instead of answered."""
        with self.writing() as db:
            db.execute("INSERT INTO calls VALUES (NULL, ?, ?, ?, ?, ?, ?)", (time, path, operation, orders, status, fault))
