"""A rehearsal: nights of a change log one after another against the sandbox, and at the end CJ against the warehouse, to the penny.

    python -m lab.real_month --changes FILE.parquet --nights 30 --end 2026-11-15

How it works. The log (the contract's columns; amounts in text or decimal) is loaded into a DuckDB warehouse up to each night, so no night knows the
next. CJ starts in step with the warehouse: it holds every publisher's order placed before the first night, as it stood then. Of the orders placed
during the rehearsal the pixel reports a share; the loop must find the others. After the last night every order touched, and every order CJ holds, is compared.

What it does not do. It never talks to CJ: the sandbox is started for it and ended with it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from include.demo.__main__ import instant
from include.demo.catalogue import PUBLISHERS
from include.demo.files import APPEARS_AT, ORDER_CHANGES, SEED_ORDERS, TOKEN, write_seed_tables
from include.demo.orders import ADVERTISER, ENTERPRISE
from include.demo.stage import move_to
from include.demo.story_types import Night
from include.domain.account import Account, Token
from include.domain.shapes import KEY
from include.domain.states import Mode
from include.restatements.prepare import prepare
from include.restatements.publish import publish
from include.restatements.reconcile import reconcile
from include.restatements.settings import GATE_OFF, Run, Settings
from include.restatements.submit import submit
from include.sandbox.control import SandboxControl
from include.sandbox.process import start_sandbox
from include.warehouse.base import WarehouseLocation
from lab.comparison import Comparison, compare

REPORTED = 0.94
"""Share of the publishers' orders that the pixel reports, as in the demo shop."""

PROCESSED_AFTER = timedelta(hours=2)

HELD = pa.schema(
    [
        ("enterprise_id", pa.string()),
        ("action_tracker_id", pa.int64()),
        ("order_id", pa.string()),
        ("amount", pa.string()),
        ("discount", pa.string()),
        ("items", pa.string()),
    ]
)

Play = Callable[[Night], None]
"""Runs the loop for one night, on CJ's clock: prepare, submit and publish at `runs_at`, and reconcile once CJ has processed it all."""

# One order may change several times in a minute: a log's own order is kept by a microsecond each, so that "the newest" is never a tie.
_LOG = """
CREATE OR REPLACE TEMP TABLE log AS
SELECT * EXCLUDE (file_row_number, tie) REPLACE (updated_at + to_microseconds(tie) AS updated_at) FROM (
    SELECT {columns}, file_row_number,
        row_number() OVER (PARTITION BY enterprise_id, action_tracker_id, order_id, updated_at ORDER BY file_row_number) - 1 AS tie
    FROM read_parquet($file, file_row_number = true)
)
"""

_PIXEL = """
WITH publishers_orders AS (
    SELECT *, min(event_time) OVER (PARTITION BY enterprise_id, action_tracker_id, order_id) AS placed,
        ('0x' || md5(order_id)[1:8])::bigint / 4294967296.0 AS chance
    FROM log WHERE (cj_event IS NOT NULL OR ad_id IS NOT NULL) AND updated_at < $until
),
seen AS (
    SELECT * FROM publishers_orders WHERE placed < $since AND updated_at < $since
    QUALIFY row_number() OVER (PARTITION BY enterprise_id, action_tracker_id, order_id ORDER BY updated_at DESC) = 1
    UNION ALL
    SELECT * FROM publishers_orders WHERE placed >= $since AND change_type = 'new' AND chance < $reported
    QUALIFY row_number() OVER (PARTITION BY enterprise_id, action_tracker_id, order_id ORDER BY updated_at) = 1
)
SELECT enterprise_id, action_tracker_id, order_id, amount::decimal(38, 2)::text AS amount, discount::decimal(38, 2)::text AS discount,
    currency, coupon, items, event_time, event_time + INTERVAL 20 MINUTE AS posted_at,
    list_value({publishers})[1 + (chance * 1000)::integer % {count}] AS publisher_id,
    NULL::timestamptz AS locking_date, NULL::text AS action_status, true AS commissionable
FROM seen WHERE change_type <> 'cancelled' ORDER BY event_time, order_id
"""

_NEWEST = """
SELECT enterprise_id, action_tracker_id, order_id, change_type, amount, discount, items FROM order_changes
QUALIFY row_number() OVER (PARTITION BY enterprise_id, action_tracker_id, order_id ORDER BY updated_at DESC) = 1
    AND (max(updated_at) OVER (PARTITION BY enterprise_id, action_tracker_id, order_id) >= $since
        OR (enterprise_id, action_tracker_id, order_id) IN (SELECT (enterprise_id, action_tracker_id, order_id) FROM held))
"""

# Run ids of a rehearsal sort as its nights do, and a run says one thing of an order; the clocks of the three tables are not one clock.
_LAST_WORDS = """
WITH words AS (
    SELECT enterprise_id, action_tracker_id, order_id, 'submissions' AS "table", outcome AS reason, run_id FROM cj.submissions
    WHERE mode = 'live'
    UNION ALL
    SELECT enterprise_id, action_tracker_id, order_id, 'quarantine', reason, run_id FROM cj.quarantine
    UNION ALL
    SELECT enterprise_id, action_tracker_id, order_id, 'skipped', reason, run_id FROM cj.skipped
)
SELECT * EXCLUDE (run_id) FROM words WHERE order_id IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY enterprise_id, action_tracker_id, order_id ORDER BY run_id DESC) = 1
"""


def nights_until(end: datetime, count: int) -> tuple[Night, ...]:
    """`count` nights, the last one run on the date of `end`."""
    midnight = end.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return tuple(Night.before(midnight - timedelta(days=back)) for back in reversed(range(count)))


class ChangeLog:
    """A change log in the contract's columns, in memory. Raises ValueError where a column is missing."""

    def __init__(self, file: Path) -> None:
        missing = set(ORDER_CHANGES.names) - set(pq.read_schema(file).names)
        if missing:
            raise ValueError(
                f"{file} is no change log: it lacks {', '.join(sorted(missing))}. See the columns of include/sql/order_changes.sql."
            )
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(
            _LOG.format(columns=", ".join(f"{f.name}::{_sql_type(f.type)} AS {f.name}" for f in ORDER_CHANGES)), {"file": str(file)}
        )

    def arrived(self, until: datetime) -> pa.Table:
        """The rows dated before `until`."""
        rows = self._connection.sql("SELECT * FROM log WHERE updated_at < $until ORDER BY updated_at, order_id", params={"until": until})
        return rows.to_arrow_table().cast(ORDER_CHANGES)

    def pixel(self, since: datetime, until: datetime, reported: float) -> pa.Table:
        """What CJ's pixel reports until `until`: orders placed before `since` as they stood then, and a share of the later ones as they were placed."""
        sql = _PIXEL.format(publishers=", ".join(f"'{number}'" for number, _ in PUBLISHERS), count=len(PUBLISHERS))
        rows = self._connection.sql(sql, params={"since": since, "until": until, "reported": reported})
        return rows.to_arrow_table().cast(SEED_ORDERS)


def _sql_type(arrow: pa.DataType) -> str:
    if pa.types.is_decimal(arrow):
        return "decimal(38, 10)"
    if pa.types.is_timestamp(arrow):
        return "timestamptz"
    return "bigint" if pa.types.is_integer(arrow) else "text"


def write_seed_of(log: ChangeLog, directory: Path, nights: Sequence[Night], reported: float = REPORTED) -> int:
    """Writes the sandbox's seed for these nights; returns how many orders CJ starts with or is told of by the pixel."""
    orders = log.pixel(nights[0].start, nights[-1].end, reported)
    write_seed_tables(directory, orders.append_column(APPEARS_AT, orders["posted_at"]), nights[0].start)
    return int(orders.num_rows)


def load_until(warehouse: Path, log: ChangeLog, until: datetime) -> int:
    """Replaces `order_changes` in the DuckDB file by the log's rows dated before `until`; returns how many."""
    arrived = log.arrived(until)
    with _warehouse(warehouse) as connection:
        connection.register("arrived", arrived)
        connection.execute("CREATE OR REPLACE TABLE order_changes AS SELECT * FROM arrived")
    return int(arrived.num_rows)


def rehearse(log: ChangeLog, warehouse: Path, nights: Sequence[Night], play: Play) -> None:
    """Plays the nights in order, each with the rows it can know."""
    for night in nights:
        load_until(warehouse, log, night.end)
        play(night)


def held_by_sandbox(control: SandboxControl) -> pa.Table:
    """What the sandbox holds now, one row an order, in the order's own currency: KEY, amount, discount (text), items (JSON text)."""
    orders = list(control.orders())
    columns = {name: [order[name] for order in orders] for name in (*KEY, "amount", "discount")}
    return pa.table(columns | {"items": [json.dumps(order["items"]) for order in orders]}, schema=HELD)


def verdict(warehouse: Path, held: pa.Table, since: datetime) -> Comparison:
    """CJ against the warehouse: every order touched at or after `since`, and every order CJ holds."""
    with _warehouse(warehouse) as connection:
        connection.register("held", held)
        newest = connection.sql(_NEWEST, params={"since": since}).to_arrow_table()
        words = connection.sql(_LAST_WORDS).to_arrow_table()
    return compare(newest, held, words)


def operations_sent(warehouse: Path) -> dict[str, int]:
    """Orders accepted live, by operation."""
    with _warehouse(warehouse) as connection:
        rows = connection.execute(
            "SELECT operation, count(DISTINCT (enterprise_id, action_tracker_id, order_id)) FROM cj.submissions"
            " WHERE mode = 'live' AND outcome = 'accepted' GROUP BY operation"
        ).fetchall()
    return dict(rows)


def matched_orders(warehouse: Path) -> int:
    """Order states that the reconciliation calls matched."""
    with _warehouse(warehouse) as connection:
        row = connection.execute("SELECT count(*) FROM cj.reconciliation WHERE status = 'matched'").fetchone()
    return int(row[0]) if row else 0


def summary(comparison: Comparison, sent: dict[str, int], matched: int) -> Table:
    """The rehearsal in one table."""
    table = Table("", "orders", title="CJ against the warehouse")
    table.columns[1].justify = "right"
    table.add_row("compared", f"{comparison.orders:,}")
    for operation, word in (("create", "created"), ("restate", "restated"), ("cancel", "cancelled")):
        table.add_row(word, f"{sent.get(operation, 0):,}")
    table.add_row("states matched", f"{matched:,}")
    for reason, count in comparison.held_back.items():
        table.add_row(f"held back, {reason}", f"{count:,}")
    table.add_row("CJ holds what the warehouse says", f"{comparison.agreed:,}")
    table.add_row("differences", f"{len(comparison.differences):,}")
    return table


def _warehouse(path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path))
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def settings_for(sandbox_url: str, storage: Path) -> Settings:
    """The one account of the demo's seed, live against the sandbox. Limits that ask for a person are off: nobody is there at night."""
    account = Account(
        conn_id="cj",
        enterprise_id=ENTERPRISE,
        advertiser_id=ADVERTISER,
        token=Token(TOKEN),
        mode=Mode.LIVE,
        tracking_url=sandbox_url,
        commissions_url=f"{sandbox_url}/query",
    )
    return Settings(accounts=(account,), storage=storage.as_uri(), **GATE_OFF)  # type: ignore[arg-type]


def play_on(sandbox: SandboxControl, seed_directory: Path, settings: Settings, location: WarehouseLocation) -> Play:
    """The loop for one night: the run at `runs_at`, and the reconciliation two hours later, when CJ has processed everything."""

    def play(night: Night) -> None:
        move_to(sandbox, seed_directory, night.runs_at)
        run = Run(f"rehearsal__{night.end:%Y-%m-%d}", night.start, night.end)
        for batch in prepare(run, settings, location).batches:
            submit(run, settings, batch)
        publish(run, settings, location)
        move_to(sandbox, seed_directory, night.runs_at + PROCESSED_AFTER)
        reconcile(settings, location, run.run_id)

    return play


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lab.real_month", description="Rehearse nights of a change log against the sandbox.")
    parser.add_argument("--changes", type=Path, required=True, help="Parquet file with the columns of include/sql/order_changes.sql")
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--end", type=instant, required=True, help="the date of the last nightly run; its data interval is the day before")
    parser.add_argument("--reported", type=float, default=REPORTED, help="share of the publishers' orders that the pixel reports")
    args = parser.parse_args()
    console = Console()
    nights = nights_until(args.end, args.nights)
    log = ChangeLog(args.changes)
    with tempfile.TemporaryDirectory(prefix="cj-rehearsal-") as scratch:
        place = Path(scratch)
        seed_directory, warehouse = place / "seed", place / "warehouse.duckdb"
        write_seed_of(log, seed_directory, nights, args.reported)
        location = WarehouseLocation("duckdb", path=str(warehouse))
        with start_sandbox(place / "cj.sqlite", seed=seed_directory) as sandbox:
            settings = settings_for(sandbox.url, place / "storage")
            play = play_on(sandbox.control, seed_directory, settings, location)

            def told(night: Night) -> None:
                play(night)
                console.print(f"{night.end:%Y-%m-%d} played")

            rehearse(log, warehouse, nights, told)
            comparison = verdict(warehouse, held_by_sandbox(sandbox.control), nights[0].start)
        console.print(summary(comparison, operations_sent(warehouse), matched_orders(warehouse)))
    for difference in comparison.differences[:20]:
        console.print(str(difference))
    if comparison.differences:
        raise SystemExit(f"{len(comparison.differences)} orders differ between CJ and the warehouse, and nobody said why.")


if __name__ == "__main__":
    main()
