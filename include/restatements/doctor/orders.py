"""The user's query: whether it can be read, what it gives, and how a week of it passes the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from functools import partial

import numpy as np
import pyarrow as pa

from include.domain.money import money_text
from include.domain.personal import named
from include.domain.shapes import CHANGES, KEY
from include.restatements.changes.extraction import file_to_edit, left_out, order_changes_sql
from include.restatements.changes.orders import check_where_they_are, read_orders
from include.restatements.doctor.checks import LOOKED_AT, Found, NotAsked, Notes, look, mend, right
from include.restatements.doctor.week import Week
from include.restatements.doctor.words import share
from include.restatements.gate.gate import QUARANTINED, RATIO_COUNTS_FROM, Gate
from include.restatements.gate.items import Flags
from include.restatements.scratch import scratch_folder
from include.restatements.settings import Run
from include.warehouse.base import Session

EXAMPLES, REASONS = 10, 5
ASKED_AT_ONCE = 500
"""Orders that a query names."""


def opens(notes: Notes, whose: str) -> Found:
    """Where the orders are in another database than the warehouse: it can be reached, by this login, now."""
    if notes.orders is None:
        return right("The orders are read from the warehouse itself.")
    with notes.orders.open() as reader:
        reader.columns_of("SELECT 1 AS one")
    return right(f"Opened, to read the orders from: {notes.orders}.")


def query(notes: Notes, whose: str) -> Found:
    """The file of the query can be read."""
    path = notes.settings.order_changes_sql
    notes.sql = order_changes_sql(path)
    return right(f"It is {file_to_edit(path)}.")


def shape(notes: Notes, whose: str) -> Found:
    """The query gives the contract's columns, in types that are allowed. It is not run for that."""
    with notes.session() as session:
        columns = check_where_they_are(session, notes.sql, file_to_edit(notes.settings.order_changes_sql), notes.orders)
    without = ", ".join(left_out(columns))
    return right(f"It gives every column that is needed, in a type that fits.{f' Left out: {without}.' if without else ''}")


def reading(notes: Notes, whose: str) -> Found:
    """The query runs. Reads a week of orders, as a night reads a day."""
    notes.week = _read(notes)
    if not notes.week.rows:
        return look(
            f"The query gives no order for the last {LOOKED_AT.days} days.",
            f"If orders changed in these days, look at how {file_to_edit(notes.settings.order_changes_sql)} uses :interval_start and :interval_end.",
        )
    return right(f"The query gives {notes.week.rows:,} orders for the last {LOOKED_AT.days} days.")


def passing(notes: Notes, whose: str) -> Found:
    """What share of last week's orders would pass the gate, by rule, with the dearest that would not."""
    seen, failed = notes.week, notes.week.refused.num_rows
    if not seen.rows:
        raise NotAsked("the query gave no orders")
    if not failed:
        return right(f"All {seen.judged:,} orders of the last {LOOKED_AT.days} days that could go to CJ would pass the gate.")
    reasons = Counter(seen.refused["reason"].to_pylist()).most_common()
    told = ", ".join(f"{reason} {count:,}" for reason, count in reasons[:REASONS])
    sentence = (
        f"{share(seen.judged - failed, seen.judged)} of {seen.judged:,} orders of the last {LOOKED_AT.days} days that could go to CJ would pass the gate; "
        f"held back: {told}{' and others' if len(reasons) > REASONS else ''}."
    )
    remedy = "docs/validation-rules.md says what each rule asks; correct the rows, or what the query makes of them."
    stops = failed >= RATIO_COUNTS_FROM and failed > notes.settings.max_quarantine_ratio * seen.judged
    if stops:
        sentence += f" A night like that stops: max_quarantine_ratio is {notes.settings.max_quarantine_ratio:.1%}."
    return (mend if stops else look)(sentence, remedy, _dearest(seen))


def nulls(notes: Notes, whose: str) -> Found:
    """What is always empty in a week of orders is so on purpose."""
    seen = notes.week
    if not seen.rows:
        raise NotAsked("the query gave no orders")
    empty = [name for name in CHANGES.names if name != "malformed" and seen.nulls[name] == seen.rows]
    if {"cj_event", "ad_id"} <= set(empty):
        return look(
            "No order of the week names a click or an ad (cj_event, ad_id), so none would be created at CJ: nobody says which publisher brought it.",
            "Give cj_event in the query, if the shop keeps CJ's cjevent. Orders that CJ's tag reports are restated and cancelled all the same.",
        )
    return right(f"Always empty in these days: {', '.join(empty)}." if empty else "No column is always empty.")


def _read(notes: Notes) -> Week:
    """One reading of the week, judged as a night's would be; nothing is kept but what `Week` notes."""
    seen, refused = Week(), [QUARANTINED.empty_table()]
    end = notes.now()
    with notes.session() as session, scratch_folder("cj-doctor-") as scratch:
        gate = Gate(
            now=end,
            # So that it names every row instead of stopping.
            max_quarantine_ratio=Decimal(1),
            results_dir=scratch,
            enterprises=frozenset(account.enterprise_id for account in notes.settings.accounts),
            own_currencies={account.enterprise_id: account.currency for account in notes.settings.accounts},
            heard_of=partial(_heard_of, notes, session),
            combine_items=notes.settings.combine_items,
        )
        changes = read_orders(session, Run("doctor", end - LOOKED_AT, end), sql=notes.sql, orders=notes.orders)
        with closing(changes):  # type: ignore[type-var]  # a stream is a generator
            refused += [inspected.bad for inspected in gate.inspect(_noting(changes, seen))]
    assert gate.result is not None  # it is there once the last row was looked at
    seen.refused, seen.judged = pa.concat_tables(refused), gate.result.rows
    return seen


def _heard_of(notes: Notes, session: Session, asked: pa.Table) -> Flags:
    """Whether CJ has heard of each order (nobodys.ASKED): its records of these days show it, or those in the warehouse do, or it was sent live.
    What is in the warehouse is not asked where the login may not read it: that is told by `rights`, once."""
    ids = asked["order_id"].to_pylist()
    known = {order_id for records in notes.records.values() for order_id in records["order_id"].to_pylist()}
    if notes.may_use_tables and session.has_table("cj", "ledger_reads"):
        for start in range(0, len(ids), ASKED_AT_ONCE):
            named_ids = {f"id_{n}": order_id for n, order_id in enumerate(ids[start : start + ASKED_AT_ONCE])}
            places = ", ".join(f":{name}" for name in named_ids)
            found = session.rows(
                f"SELECT order_id FROM cj.commissions WHERE order_id IN ({places}) "
                f"UNION SELECT order_id FROM cj.submissions WHERE mode = 'live' AND order_id IN ({places})",
                named_ids,
            )
            known |= {row["order_id"] for row in found}
    return np.array([order_id in known for order_id in ids], np.bool_)


def _noting(changes: Iterator[pa.RecordBatch], seen: Week) -> Iterator[pa.RecordBatch]:
    for batch in changes:
        seen.take(batch)
        yield batch


def _dearest(seen: Week) -> list[dict[str, str]]:
    """The dearest that were held back. An order id that looks like an address is its pseudonym, as in cj.quarantine."""
    why = {tuple(row[name] for name in KEY): row for row in seen.refused.to_pylist()}
    noted = seen.noted().select([*KEY, "amount", "currency"]).sort_by([("amount", "descending")])
    found: list[dict[str, str]] = []
    for row in noted.to_pylist():
        order_id = row["order_id"] and named(row["order_id"])
        held = why.pop((row["enterprise_id"], row["action_tracker_id"], order_id), None)
        if held is None:
            continue
        amount = "not known" if row["amount"] is None else f"{money_text(row['amount'])} {row['currency'] or ''}".strip()
        found.append({"order": order_id or "without an id", "amount": amount, "reason": held["reason"], "rule": held["detail"]})
        if len(found) == EXAMPLES:
            break
    return found
