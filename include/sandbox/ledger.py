"""The records CJ posts: appended, never edited. Commission ids rise in the order of posting."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from include.sandbox.posting import Figures
from include.sandbox.store import Store

_COLUMNS = (
    "id, ref, advertiser_id, posting_date, original, validation_status, correction_reason, sale, discount, discount_orig, commission, fee, coupon,"
    " items, visible_at, action_type, action_status, locking_date, original_id"
)
_INSERT = f"INSERT INTO records ({_COLUMNS}) VALUES ({', '.join('?' * len(_COLUMNS.split(',')))})"
NEWEST_POSTING = "newest_posting_date"
IN_ORDER = "posted_in_order"


class OtherAction(NamedTuple):
    """An action beside the sale, of the same order id: its type, and a status and lock date of its own."""

    action_type: str
    action_status: str | None
    locking_date: str


class Posting:
    """Records of one batch, gathered and then written together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: list[Sequence[object]] = []

    def add(
        self, ref: int, advertiser_id: str, posted: str, original: bool, validation_status: str, correction_reason: str | None,
        figures: Figures, *, visible_at: str | None = None, other: OtherAction | None = None,
    ) -> int:  # fmt: skip
        """One record more; returns its commission id. It shows from `visible_at` on, None: at once."""
        id_ = self._store.next_record
        self._store.next_record += 1
        *money, items = figures
        self._rows.append(
            (id_, ref, advertiser_id, posted, int(original), validation_status, correction_reason, *money, orjson.dumps(items).decode(),
             visible_at, *(other or (None, None, None)), id_ if other else None)
        )  # fmt: skip
        return id_

    def write(self, db: sqlite3.Connection) -> None:
        """Writes the records, and notes whether posting dates still rise with the ids: pages are found faster while they do."""
        if not self._rows:
            return
        newest = self._store.get_meta(NEWEST_POSTING, "")
        in_order = self._store.get_meta(IN_ORDER, True)
        was = newest, in_order
        for row in self._rows:
            posted = str(row[3])
            if posted < newest:
                in_order = False
            else:
                newest = posted
        db.executemany(_INSERT, self._rows)
        if (newest, in_order) != was:
            self._store.set_meta(NEWEST_POSTING, newest)
            self._store.set_meta(IN_ORDER, in_order)
        self._rows = []
