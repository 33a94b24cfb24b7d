"""The orders to be planned, from where they are: the warehouse itself, or another database that Airflow's connection `orders` names.

How it works with another database. Its rows are laid down as they come, in a DuckDB file in a temporary folder of this machine, in the types that the
extraction gives (money as text). What is to be planned again and did not come is asked for by key, some hundreds at a time, and only rows whose
whole key was asked for are kept. From the file the rows come in the binary order of their key, as from the warehouse. So nothing but SELECT is asked of
the other database, types and order are one place's matter, and memory stays flat: DuckDB spills beside its file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime

import pyarrow as pa

from include.domain.shapes import CHANGES, INSTANT, KEY
from include.restatements.changes.extraction import (
    ALLOWED,
    END_OF_TIME,
    IDS_AT_ONCE,
    check_shape,
    expression,
    extract,
    ids_as,
    one_query,
    unfit,
)
from include.restatements.changes.parsing import parsed
from include.restatements.changes.read_ahead import one_ahead
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.scratch import scratch_folder
from include.restatements.settings import Run
from include.warehouse.base import Session, open_warehouse
from include.warehouse.location import WarehouseLocation
from include.warehouse.orders import UNKNOWN, OrdersReader, OrdersSource, UnfitColumn

_SQL_TYPES = {"string": "text", "int64": "bigint", "bool": "boolean", str(INSTANT): "timestamp with time zone"}
_IN_ORDER = f"SELECT * FROM landed ORDER BY {', '.join(KEY)}"
_NOT_LANDED = """
SELECT a.enterprise_id, a.action_tracker_id, a.order_id FROM asked AS a
WHERE NOT EXISTS (
    SELECT 1 FROM landed AS l WHERE l.enterprise_id = a.enterprise_id AND l.action_tracker_id = a.action_tracker_id AND l.order_id = a.order_id
)
ORDER BY a.order_id
"""
_KEYS = pa.schema([("enterprise_id", pa.string()), ("action_tracker_id", pa.int64()), ("order_id", pa.string())])


def check_where_they_are(session: Session, sql: str, file: str, orders: OrdersSource | None) -> dict[str, str]:
    """`check_shape`, asked of where the orders are. Raises what it raises, and what `OrdersSource.open` does."""
    if orders is None:
        return check_shape(session, sql, file)
    with orders.open() as reader:
        return check_shape(reader, sql, file)


def read_orders(
    session: Session,
    run: Run,
    *,
    sql: str,
    replan_since: datetime | None = None,
    id_lists: int = 1,
    orders: OrdersSource | None = None,
    checkpoint: Checkpoint = no_checkpoint,
) -> Iterator[pa.RecordBatch]:
    """What `extract` gives, from where the orders are: the warehouse where `orders` is None. Leave the session alone until this is drained or closed.

    Raises what `extract` raises; and StorageError where this machine has no room for what the other database gives.
    """
    if orders is None:
        return extract(session, run, sql=sql, replan_since=replan_since, id_lists=id_lists, exclusive=True)
    asked = session.table("SELECT DISTINCT enterprise_id, action_tracker_id, order_id FROM cj.replan_keys") if replan_since else None
    return _from_elsewhere(run, sql, orders, asked, replan_since, checkpoint)


def _from_elsewhere(
    run: Run, sql: str, orders: OrdersSource, asked: pa.Table | None, since: datetime | None, checkpoint: Checkpoint
) -> Iterator[pa.RecordBatch]:
    with scratch_folder("cj-orders-") as folder:
        with open_warehouse(WarehouseLocation("duckdb", path=str(folder / "landed.duckdb"))) as landing:
            with orders.open() as reader, landing.transaction():
                touched = _Touched(reader, sql, run)
                landing.execute(touched.table)
                try:
                    _land(landing, touched.rows(), checkpoint)
                    if asked is not None and since is not None:
                        _land_again(landing, touched, asked, since, checkpoint)
                except UnfitColumn as found:
                    raise unfit(reader, found.column, found.kind) from None
            checkpoint("orders_landed")
            in_order = landing.stream(_IN_ORDER, exclusive=True)
            with closing(one_ahead(in_order)) as batches:  # type: ignore[type-var]  # it is a generator
                for batch in batches:
                    yield parsed(batch)


class _Touched:
    """The user's query as it is put to the other database, and the shape in which its rows are laid down."""

    def __init__(self, reader: OrdersReader, sql: str, run: Run) -> None:
        self._reader, self._run = reader, run
        self._given = check_shape(reader, sql)
        self._query = one_query(sql)
        self.schema = _landed(self._given)

    @property
    def table(self) -> str:
        """What makes the table that the rows are laid down in."""
        return f"CREATE TABLE landed ({', '.join(f'{f.name} {_SQL_TYPES[str(f.type)]}' for f in self.schema)})"

    def rows(self) -> Iterator[pa.RecordBatch]:
        """The orders touched in the run's interval."""
        params = {"interval_start": self._run.interval_start, "interval_end": self._run.interval_end}
        return self._reader.stream(self._picked(), params, self.schema)

    def by_key(self, keys: pa.Table, since: datetime) -> pa.Table:
        """Those of these orders that changed since then, each in its newest state."""
        named = {f"key_{n}": value for n, value in enumerate(ids_as(self._given["order_id"], keys["order_id"].unique().to_pylist()))}
        if not named:
            return self.schema.empty_table()
        within = {"interval_start": since, "interval_end": END_OF_TIME}
        statement = f"{self._picked()}\nWHERE order_id IN ({', '.join(f':{name}' for name in named)})"
        found = self._reader.table(statement, within | named, self.schema)
        # The database may take ids for the same that are not: capitals, accents, blanks at the end.
        return found.join(keys, list(KEY), join_type="left semi")

    def _picked(self) -> str:
        names = [name for name in CHANGES.names if name in ALLOWED]
        if self._reader.dialect.ours:
            columns = [expression(name, self._given.get(name)) for name in names]
        else:
            columns = [name for name in names if name in self._given]
        # No AS before the name of the table: not every database takes it.
        return f"SELECT {', '.join(columns)}\nFROM (\n{self._query}\n) touched"


def _landed(given: Mapping[str, str]) -> pa.Schema:
    """What the extraction makes of the columns; a type the driver does not tell comes as text, which is read as any text of that column."""
    return pa.schema([(name, _landed_type(name, given.get(name))) for name in CHANGES.names if name in ALLOWED])


def _landed_type(name: str, kind: str | None) -> pa.DataType:
    usual = CHANGES.field(name).type
    if usual == INSTANT:
        return pa.string() if kind == "text" else INSTANT
    if name == "was_new":
        return pa.bool_() if kind in (None, "null", "boolean") else pa.string()
    if pa.types.is_int64(usual):
        return pa.string() if kind in ("text", UNKNOWN) and "text" in ALLOWED[name] else usual
    return pa.string()


def _land(landing: Session, batches: Iterator[pa.RecordBatch], checkpoint: Checkpoint) -> None:
    with closing(one_ahead(batches)) as coming:  # type: ignore[type-var]  # it is a generator
        landing.append("landed", _told(coming, checkpoint))


def _told(batches: Iterable[pa.RecordBatch], checkpoint: Checkpoint) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch
        checkpoint("orders_read")


def _land_again(landing: Session, touched: _Touched, asked: pa.Table, since: datetime, checkpoint: Checkpoint) -> None:
    """What is to be planned again, but for what was touched as well and has come already."""
    landing.execute("CREATE TABLE asked (enterprise_id text, action_tracker_id bigint, order_id text)")
    landing.append("asked", asked.cast(_KEYS))
    left = landing.table(_NOT_LANDED)
    for start in range(0, left.num_rows, IDS_AT_ONCE):
        landing.append("landed", touched.by_key(left.slice(start, IDS_AT_ONCE), since))
        checkpoint("keys_read")
