"""What a warehouse holds after many nights, made in SQL: a usual night is measured over it, and over nothing.

Of two hundred states sent, by number: one of four was created, the others restated and posted, but three of which CJ posted nothing, whatever was tried
(breaks that stay, sent three times each). 2.47 records an order; as many order changes as orders; a tenth of the last nights' were skipped once more as
unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

from include.warehouse.base import Session
from lab.bench.ground import NIGHT

DAYS = 270
"""Nine months of nights."""
LOCKS_AFTER = 60
"""Days from an order to its lock."""
SKIPPED_KEPT = 90
"""Days that `cj.skipped` is kept (`keep_skipped_days`): each night takes away those of one night, and so does the one that is measured."""
_BATCH = 1_000_000
_NAME_OF_INDEX = re.compile(r"INDEX IF NOT EXISTS (\w+)")


@dataclass(frozen=True)
class History:
    """So many states sent, by so many runs."""

    submissions: int
    runs: int
    days: int = field(default=DAYS, kw_only=True)
    """Of nights."""
    breaks: int = field(default=3, kw_only=True)
    """Of two hundred."""


def _each(history: History) -> str:
    """One row a state sent: its number and run, when, and what is true of it."""
    apart = round(history.days * 86_400 / history.runs)
    return f"""
    SELECT n, run, sent_at, n % 200 < {history.breaks} AS breaks, n % 4 = 3 AS creates, CONCAT('past-', CAST(n AS text)) AS order_id,
        CONCAT('history-', CAST(run AS text)) AS run_id, 2 * run + 1 AS seen, {history.runs - 1} AS last_run,
        CASE WHEN sent_at > TIMESTAMPTZ '{NIGHT - timedelta(days=LOCKS_AFTER)}' THEN 'new' ELSE 'closed' END AS action_status
    FROM (
        SELECT n, run, TIMESTAMPTZ '{NIGHT - timedelta(days=history.days + 3)}' + run * INTERVAL '{apart} seconds' AS sent_at
        FROM (
            SELECT n, CAST(FLOOR(CAST(n AS double precision) * {history.runs} / {history.submissions}) AS bigint) AS run
            FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS s (n)
        ) AS numbered
    ) AS dated
    """


_OPERATION = "CASE WHEN creates THEN 'create' ELSE 'restate' END"
_STATUS = "CASE WHEN breaks THEN 'missing' ELSE 'matched' END"
_REASON = "CASE WHEN breaks AND action_status = 'closed' THEN 'closed' WHEN breaks THEN 'unknown' END"
_HELD = "CASE WHEN breaks THEN 100 ELSE 80 END, CASE WHEN breaks THEN 20 ELSE 0 END"
_AT_RISK = "CASE WHEN breaks THEN 2 ELSE 0 END"
_CHANGED_AT = "sent_at - INTERVAL '1 hour'"

_OF_STATES = {
    "cj.submissions": f"""
        SELECT CONCAT('history-', CAST(run + attempt - 1 AS text)), CONCAT('c', CAST(n % 4 AS text)), {_OPERATION}, 'live', '5500001', '1500001', 401,
            order_id, {_CHANGED_AT}, 80, 0, 'USD', NULL, NULL, NULL, 0, MD5(order_id), attempt, 'accepted', 's', 'b',
            sent_at + (attempt - 1) * INTERVAL '1 minute', NULL, NULL, run + attempt, 2 * run, FALSE
        FROM states CROSS JOIN (SELECT 1 AS attempt UNION ALL SELECT 2 UNION ALL SELECT 3) AS attempts
        WHERE attempt = 1 OR breaks
    """,
    "cj.commissions": """
        SELECT CAST(1000000 + n * 3 + part AS text), '5500001', 401, 'Online sale', order_id, 'sale', action_status, '7100001', 'Publisher',
            sent_at - INTERVAL '3 days', CASE WHEN part = 0 AND NOT creates THEN sent_at - INTERVAL '2 days' ELSE sent_at + INTERVAL '1 hour' END,
            sent_at + INTERVAL '60 days', 'FIXED_DATE', 'AUTOMATED', part = 0, CAST(1000000 + n * 3 AS text), NULL,
            CASE WHEN part = 1 THEN -100 WHEN part = 2 OR creates THEN 80 ELSE 100 END, 0, 0, CASE part WHEN 1 THEN -8 ELSE 8 END,
            CASE part WHEN 1 THEN -2 ELSE 2 END, NULL, 0, sent_at + INTERVAL '2 hours', CASE WHEN part = 0 AND NOT creates THEN 2 * run ELSE seen END, NULL, NULL,
            NULL, NULL, NULL, NULL, CASE WHEN action_status = 'closed' THEN seen END, NULL
        FROM states CROSS JOIN (SELECT 0 AS part UNION ALL SELECT 1 UNION ALL SELECT 2) AS parts
        WHERE part = 0 OR (NOT creates AND NOT breaks)
    """,
    "cj.held_open": """
        SELECT '5500001', 401, order_id, sent_at - INTERVAL '3 days', sent_at + INTERVAL '60 days', CASE WHEN breaks THEN 100 ELSE 80 END, 0, CASE WHEN creates THEN 80 ELSE 100 END, 0
        FROM states WHERE action_status = 'new'
    """,
    "cj.reconciliation": f"""
        SELECT run_id, '5500001', '1500001', 401, order_id, {_CHANGED_AT}, {_OPERATION}, {_STATUS}, {_REASON}, 80, {_HELD}, 'USD', sent_at,
            CASE WHEN NOT breaks THEN sent_at + INTERVAL '1 hour' END, sent_at + INTERVAL '60 days', 60, {_AT_RISK}, CASE WHEN breaks THEN 3 ELSE 1 END, FALSE,
            CASE
                WHEN NOT breaks THEN sent_at + INTERVAL '2 hours'
                WHEN action_status = 'closed' THEN sent_at + INTERVAL '61 days'
                ELSE TIMESTAMPTZ '{NIGHT}' - INTERVAL '1 hour'
            END, CASE WHEN breaks THEN run + 3 ELSE run + 1 END, seen, NULL, TRUE
        FROM states
    """,
    "cj.verdicts_log": f"""
        SELECT '1500001', 401, order_id, {_CHANGED_AT}, '5500001', run_id, {_OPERATION}, sent_at, 1, {_STATUS}, {_REASON}, NULL, NULL, {_HELD}, {_AT_RISK},
            sent_at + INTERVAL '2 hours'
        FROM states
    """,
    "cj.skipped": f"""
        SELECT CONCAT('history-', CAST(run + 1 AS text)), '1500001', 401, order_id, sent_at, 'unchanged', sent_at + INTERVAL '1 day', 'unchanged', run + 2
        FROM states WHERE n % 10 = 1 AND run < last_run
            AND sent_at + INTERVAL '1 day' > TIMESTAMPTZ '{NIGHT - timedelta(days=SKIPPED_KEPT + 1)}'
    """,
    "order_changes": f"""
        SELECT '1500001', 401, order_id, 'restated', sent_at - INTERVAL '2 days', {_CHANGED_AT}, 80, 0, 'USD', NULL, NULL, NULL, NULL, 'click', NULL, NULL,
            NULL, NULL, NULL
        FROM states
    """,
}
"""Table: what it holds of the states sent, in the order of its columns."""

_OF_RUNS = {
    "cj.plans": "run + 1, run_id, 2 * run, sent_at, TRUE, NULL, NULL, NULL",
    "cj.ledger_reads": "'5500001', CAST(1000000 + 3 * n AS text), 'cursor', sent_at - INTERVAL '2 days', sent_at + INTERVAL '2 hours', 5000, sent_at + INTERVAL '2 hours', seen",
    "cj.judged_readings": "'5500001', seen, sent_at + INTERVAL '2 hours'",
    "cj.tracker_readings": "'5500001', 401, seen, 5000, 0, 400000, 0, 40000",
}


def fill(session: Session, history: History) -> None:
    """All of it, in steps that keep memory flat. Then what a warehouse does by itself in nine months: dead rows are swept, and all is on disk."""
    states = _each(history)
    indexes = session.indexes()
    for index in indexes:  # made at the end: ten million states are there in half the time
        session.execute(f"DROP INDEX IF EXISTS cj.{_NAME_OF_INDEX.findall(index)[0]}")
    for first in range(0, history.submissions, _BATCH):
        bounds = {"first": first, "last": min(first + _BATCH, history.submissions) - 1}
        for table, rows in _OF_STATES.items():
            session.execute(f"INSERT INTO {table} WITH states AS ({states}) {rows}", bounds)
    every = {"first": 0, "last": history.submissions - 1}
    for table, columns in _OF_RUNS.items():
        session.execute(
            f"INSERT INTO {table} WITH states AS ({states}) SELECT {columns} FROM states WHERE n % {history.submissions // history.runs} = 0",
            every,
        )
    session.execute(
        "INSERT INTO cj.held_open_until (advertiser_id, reading) SELECT advertiser_id, MAX(reading) FROM cj.ledger_reads GROUP BY advertiser_id"
    )
    session.execute(";".join(indexes))
    session.execute("VACUUM")
    session.analyze(*_OF_STATES, *_OF_RUNS)
    session.execute("CHECKPOINT")
