"""Every order that is open at CJ, asked of the warehouse by its id, and compared as the night's plan compares it.

How it works. The orders come from CJ's records, thousands at a time, in a transaction each that holds `cj.plan` for its length: a night that is due waits for
seconds, never for the sweep. Each batch is asked for by its ids, passes the gate, and meets the plan's own statement; so the sweep can say nothing that the
night would not decide. What is to be sent goes to cj.replan_news, and the next plan decides it anew, by the states there are then.

What it does not do: send, quarantine, skip, or own an order. Killed at any moment it leaves rows of a review that never ended; the next one takes them away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.domain.account import Account
from include.domain.money import ZERO, money
from include.domain.personal import named
from include.domain.shapes import INSTANT, KEY
from include.domain.states import Mode
from include.restatements.changes.extraction import IDS_AT_ONCE
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal.journal import Journal
from include.restatements.plan.context import PlanContext, PlanNumbers
from include.restatements.plan.deciding import asked_with
from include.restatements.plan.picking import pick
from include.restatements.plan.rows import PlanRows
from include.restatements.plan.spool import Spool
from include.restatements.prelock.rules import EXTENSIONS, FINDINGS, LISTED
from include.restatements.report.collect import first_night
from include.restatements.rules.plan import RULES, plan_sql
from include.restatements.scratch import scratch_folder
from include.restatements.settings import Run, Settings
from include.sql import filled
from include.warehouse.base import Session
from include.warehouse.orders import OrdersSource

ID_LISTS = 10
AT_ONCE = ID_LISTS * IDS_AT_ONCE
"""Orders of one transaction: so many that what Great Expectations costs for a batch is little beside them."""

LOOKED_BACK = timedelta(days=31)
"""An order of the warehouse may be dated so much before CJ has seen it, and is still found."""

TOO_LATE_FOR = timedelta(days=92)
"""How long an order that was held back because CJ had locked it is told of."""

LOCKED_FOR = timedelta(days=31)
"""How far back an account's first review asks after orders that CJ has locked; each later one asks from the one before, of that account."""

_KEYS = pa.schema(
    [("advertiser_id", pa.string()), ("enterprise_id", pa.string()), ("action_tracker_id", pa.int64()), ("order_id", pa.string())]
)
_AGAIN = pa.schema([(name, _KEYS.field(name).type) for name in KEY] + [("updated_at", INSTANT), ("waits", pa.bool_())])
_PLANNED = tuple(rule.id.value for rule in FINDINGS if rule.planned)


@dataclass(frozen=True)
class Asked:
    """What one review asks. `now` is CJ's present; `number` tells its rows from those of others."""

    number: int
    run_id: str
    settings: Settings
    sql: str
    now: datetime
    night: datetime
    """When the next night begins."""
    reviewed_at: Mapping[str, datetime] = field(default_factory=dict)
    """Advertiser id → when its account was last reviewed."""
    orders: OrdersSource | None = None
    checkpoint: Checkpoint = no_checkpoint

    @property
    def near(self) -> datetime:
        """An order that locks until then is near its lock."""
        return self.now + timedelta(days=self.settings.days_before_lock)

    @property
    def night_by(self) -> datetime:
        """An order that locks until then is locked before CJ has processed what the next night sends."""
        return self.night + timedelta(minutes=self.settings.processing_minutes)

    @property
    def live(self) -> frozenset[str]:
        """The advertisers whose account is live."""
        return frozenset(one.advertiser_id for one in self.settings.accounts if self.settings.effective_mode(one) is Mode.LIVE)


@dataclass
class Locking:
    """Orders of an account that lock on one day, with one finding. Money is in the advertiser's currency; `unpriced` have no known `at_stake`."""

    orders: int = 0
    held_cost: Decimal = ZERO
    at_stake: Decimal = ZERO
    unpriced: int = 0
    first: datetime | None = None
    """When the first of them locks."""


@dataclass
class Swept:
    """What was found, counted: by finding, and by account, the day of the lock and finding. No day: CJ gives none, or a far one."""

    orders: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    locks: dict[tuple[str, str, str], Locking] = field(default_factory=dict)


def sweep(session: Session, journal: Journal, asked: Asked, accounts: tuple[Account, ...]) -> Swept:
    """Every order of these accounts. Raises WarehouseError, StorageError, SettingError."""
    swept = Swept()
    with scratch_folder("cj-prelock-") as scratch:
        keys = _open_orders(session, asked, accounts, scratch)
        asked.checkpoint("open_orders_listed")
        for number, batch in enumerate(keys.batches_of(AT_ONCE)):
            folder = scratch / f"batch-{number}"
            folder.mkdir()
            with session.transaction():
                session.serialize("cj.plan")
                _look(session, journal, asked, batch, folder, swept)
                asked.checkpoint("batch_found")
            asked.checkpoint("batch_kept")
    return swept


class _Keys(Spool):
    """The orders to ask about, on local disk."""

    def batches_of(self, size: int) -> Iterator[pa.Table]:
        with pq.ParquetFile(str(self.path), pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=size):
                yield pa.Table.from_batches([batch])


def _open_orders(session: Session, asked: Asked, accounts: tuple[Account, ...], scratch: Path) -> _Keys:
    keys = _Keys(scratch / "keys.parquet", _KEYS)
    for account in accounts:
        bound: dict[str, object] = {
            "advertiser_id": account.advertiser_id,
            "enterprise_id": account.enterprise_id,
            "too_late_since": asked.now - TOO_LATE_FOR,
            "locked_since": asked.reviewed_at.get(account.advertiser_id, asked.now - LOCKED_FOR) - timedelta(days=1),
            "since": first_night(asked.now),
        }
        for batch in session.stream(filled("prelock_keys"), bound):
            keys.add(pa.Table.from_batches([batch]))
    keys.finish()
    return keys


def _look(session: Session, journal: Journal, asked: Asked, keys: pa.Table, scratch: Path, swept: Swept) -> None:
    """One batch, inside its transaction."""
    _empty(session)
    # CJ's records are kept as CJ gives them; what is said of an order is not told of by somebody's address.
    names = [named(order_id) for order_id in keys["order_id"].to_pylist()]
    live = pa.array([advertiser_id in asked.live for advertiser_id in keys["advertiser_id"].to_pylist()], pa.bool_())
    session.append("cj.prelock_keys", keys.append_column("named", pa.array(names, pa.string())).append_column("live", live))
    session.analyze("cj.prelock_keys")
    again = keys.select(list(KEY)).append_column("updated_at", pa.array([_since(session)] * keys.num_rows, INSTANT))
    session.append("cj.replan_keys", again.append_column("waits", pa.repeat(True, keys.num_rows)).cast(_AGAIN))
    session.analyze("cj.replan_keys")
    # Of the sweep no interval is asked, and no share of bad rows is too large: it sends nothing.
    run, settings = Run(asked.run_id, asked.now, asked.now), replace(asked.settings, max_quarantine_ratio=money(1))
    context = PlanContext(
        session, journal, run, settings, asked.sql, asked.now, scratch, _numbers(session), kept=False, checkpoint=asked.checkpoint,
        orders=asked.orders,
    )  # fmt: skip
    rows = PlanRows(context)
    pick(context, rows, run, id_lists=ID_LISTS)
    rows.finish()
    session.append("cj.prelock_refused", _refused(rows.files["quarantine.parquet"]))
    bound = asked_with(context) | {
        "review": asked.number,
        "near": asked.near,
        "night_by": asked.night_by,
        "return_days": settings.return_days,
    }
    session.execute(found_sql(), bound)
    session.analyze("cj.prelock_found")
    _count(session, swept, keys.num_rows)
    session.execute(
        "DELETE FROM cj.replan_news WHERE found_after IS NOT NULL AND EXISTS (SELECT 1 FROM cj.prelock_keys AS k "
        "WHERE k.enterprise_id = cj.replan_news.enterprise_id AND k.action_tracker_id = cj.replan_news.action_tracker_id AND k.order_id = cj.replan_news.order_id)"
    )
    session.execute(filled("prelock_news", planned=_PLANNED), {"found_after": context.numbers.plan})
    listed = ", ".join(f"'{word}'" for word in LISTED)
    session.execute(
        "INSERT INTO cj.prelock_orders SELECT * FROM cj.prelock_found "
        f"WHERE finding IN ({listed}) OR verdict IS NOT NULL OR extension IS NOT NULL"
    )
    _empty(session)


def found_sql() -> str:
    """include/sql/prelock_found.sql with the plan and the rules filled in."""
    return filled("prelock_found", plan=plan_sql(), rules=RULES, findings=FINDINGS, extensions=EXTENSIONS)


def _empty(session: Session) -> None:
    for table in ("plan_input", "replan_keys", "prelock_keys", "prelock_refused", "prelock_found"):
        session.execute(f"DELETE FROM cj.{table}")


def _since(session: Session) -> datetime:
    """From when on the warehouse is asked about this batch: some time before the first of its orders was placed, or was in the state that a break is of. Of
    an order that CJ never had, that state is all there is to go by."""
    first = session.rows(
        "SELECT MIN(f.first) AS first FROM ("
        "SELECT MIN(c.event_date) AS first FROM cj.commissions AS c INNER JOIN cj.prelock_keys AS k USING (advertiser_id, action_tracker_id, order_id) "
        "UNION ALL SELECT MIN(r.updated_at) FROM cj.reconciliation AS r INNER JOIN cj.prelock_keys AS k USING (enterprise_id, action_tracker_id, order_id) "
        "WHERE r.status IN ('mismatched', 'missing')) AS f"
    )[0]["first"]
    return first - LOOKED_BACK if isinstance(first, datetime) else datetime(1970, 1, 1, tzinfo=UTC)


def _numbers(session: Session) -> PlanNumbers:
    """The newest plan there is: a later one is news to what is found now. None is taken, for this is no plan."""
    found = session.rows(
        "SELECT MAX(p.plan_number) AS plan, (SELECT MAX(r.reading) FROM cj.ledger_reads AS r) AS reading FROM cj.plans AS p"
    )[0]
    plan, reading = found["plan"], found["reading"]
    return PlanNumbers(plan if isinstance(plan, int) else 0, reading if isinstance(reading, int) else 0)


def _refused(file: Path) -> pa.Table:
    """What the gate held back of the batch, an order each: of several rows of one, the first word."""
    rows = pq.read_table(file, columns=[*KEY, "reason", "detail"])
    rows = rows.filter(
        pc.and_(pc.is_valid(rows["order_id"]), pc.and_(pc.is_valid(rows["enterprise_id"]), pc.is_valid(rows["action_tracker_id"])))
    )
    return (
        rows.group_by(list(KEY), use_threads=False)
        .aggregate([("reason", "first"), ("detail", "first")])
        .rename_columns([*KEY, "reason", "detail"])
    )


def _count(session: Session, swept: Swept, orders: int) -> None:
    swept.orders += orders
    for row in session.rows(filled("prelock_counts")):
        finding = str(row["finding"])
        swept.findings[finding] += _whole(row["orders"])
        lock = swept.locks.setdefault((str(row["advertiser_id"]), str(row["locks_on"] or ""), finding), Locking())
        lock.orders += _whole(row["orders"])
        first = row["first_lock"]
        if isinstance(first, datetime):
            lock.first = first if lock.first is None else min(lock.first, first)
        lock.unpriced += _whole(row["unpriced"])
        lock.held_cost += _amount(row["held_cost"])
        lock.at_stake += _amount(row["at_stake"])


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value


def _amount(value: object) -> Decimal:
    return ZERO if value is None else money(str(value))
