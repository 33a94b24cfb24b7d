"""What a session promises, on every warehouse."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from include.domain.errors import SettingError, WarehouseError, WarehouseShapeError, WarehouseUnavailable
from include.domain.shapes import INSTANT, MONEY
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from tests.warehouses import EMPTY

MOMENT = datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)
LARGEST = Decimal("9999999999999999999999999999.9999999999")
ROOT = Path(__file__).resolve().parents[2]
THIRD = Path(__file__).parent / "third"


@pytest.fixture
def orders(session: Session) -> Session:
    session.execute(
        "CREATE TABLE orders (id bigint, order_id text, amount decimal(38, 10), changed timestamp with time zone, paid boolean)"
    )
    return session


def _ids(session: Session) -> list[object]:
    return [row["id"] for row in session.rows("SELECT id FROM orders ORDER BY id")]


def _numbered(count: int) -> pa.Table:
    return pa.table({"id": pa.array(range(count), pa.int64())})


def test_money_and_instants_come_back_exactly_as_they_were_appended(orders: Session) -> None:
    amounts = [Decimal("0.0000000001"), LARGEST.copy_negate(), LARGEST, Decimal("200.75"), None]
    data = pa.table({"changed": pa.array([MOMENT] * 5, INSTANT), "amount": pa.array(amounts, MONEY), "id": pa.array(range(5), pa.int64())})
    assert orders.append("orders", data) == 5
    found = orders.table("SELECT * FROM orders ORDER BY id")
    assert found.schema.field("amount").type == MONEY
    assert found.schema.field("changed").type == INSTANT
    assert found["amount"].to_pylist() == amounts
    assert set(found["changed"].to_pylist()) == {MOMENT}
    assert found["order_id"].to_pylist() == [None] * 5


def test_narrower_types_are_fitted_to_the_tables_columns(orders: Session) -> None:
    data = pa.table({"id": pa.array([1], pa.int32()), "amount": pa.array([Decimal("1.5")], pa.decimal128(5, 1)), "order_id": pa.nulls(1)})
    orders.append("orders", data)
    assert orders.rows("SELECT id, amount, order_id FROM orders") == [{"id": 1, "amount": Decimal("1.5"), "order_id": None}]


def test_appending_an_unknown_column_or_a_value_that_does_not_fit_is_refused_by_name(orders: Session) -> None:
    with pytest.raises(WarehouseShapeError, match="orders has no column nonsense"):
        orders.append("orders", pa.table({"nonsense": [1]}))
    with pytest.raises(WarehouseShapeError, match="Column amount") as refused:
        orders.append("orders", pa.table({"amount": ["four thousand"]}))
    assert "four thousand" not in str(refused.value)
    assert _ids(orders) == []


def test_values_are_bound_whatever_they_hold(orders: Session) -> None:
    nasty = "'; DROP TABLE orders; -- :id $1 \u00e9"
    orders.execute(
        "INSERT INTO orders (id, order_id, amount, changed, paid) VALUES (:id, :order_id, :amount, :changed, :paid)",
        {"id": 2**60, "order_id": nasty, "amount": Decimal("0.1"), "changed": MOMENT, "paid": True, "unused": 1},
    )
    found = orders.rows(
        "SELECT * FROM orders WHERE order_id = :o AND changed = :c AND amount = :a", {"o": nasty, "c": MOMENT, "a": Decimal("0.1")}
    )
    assert found == [{"id": 2**60, "order_id": nasty, "amount": Decimal("0.1"), "changed": MOMENT, "paid": True}]
    assert orders.rows("SELECT CAST(:d AS date) AS d, CAST(:n AS text) AS n", {"d": date(2026, 1, 2), "n": None}) == [
        {"d": date(2026, 1, 2), "n": None}
    ]


@pytest.mark.parametrize("value", [0.1, MOMENT.replace(tzinfo=None)])
def test_a_float_or_a_time_without_a_zone_is_never_bound(orders: Session, value: object) -> None:
    with pytest.raises(WarehouseError, match=":amount"):
        orders.execute("UPDATE orders SET amount = :amount", {"amount": value})


def test_a_parameter_without_a_value_is_named(orders: Session) -> None:
    with pytest.raises(WarehouseError, match=":order_id, and no value"):
        orders.rows("SELECT * FROM orders WHERE order_id = :order_id", {"id": 1})


def test_execute_counts_the_rows_it_changed_over_all_its_statements(orders: Session) -> None:
    orders.append("orders", _numbered(5))
    assert orders.execute("UPDATE orders SET paid = true WHERE id < 2; DELETE FROM orders WHERE id >= 3") == 4
    assert orders.execute("UPDATE orders SET paid = false WHERE id = :id", {"id": 1}) == 1
    assert orders.execute("CREATE TABLE other (a bigint)") == 0


@pytest.mark.parametrize("exclusive", [False, True])
def test_a_stream_gives_every_row_in_order_in_small_batches(orders: Session, exclusive: bool) -> None:
    orders.append("orders", _numbered(10_000))
    batches = list(orders.stream("SELECT id, amount FROM orders WHERE id >= :low ORDER BY id", {"low": 10}, 1_000, exclusive=exclusive))
    assert max(batch.num_rows for batch in batches) <= 2_048
    assert pa.Table.from_batches(batches)["id"].to_pylist() == list(range(10, 10_000))
    assert batches[0].schema.field("amount").type == MONEY


@pytest.mark.parametrize("exclusive", [False, True])
def test_an_empty_stream_still_has_columns(orders: Session, exclusive: bool) -> None:
    batches = list(orders.stream("SELECT id, changed FROM orders", exclusive=exclusive))
    assert sum(batch.num_rows for batch in batches) == 0
    assert batches[0].schema.names == ["id", "changed"]


def test_a_stream_of_a_transaction_sees_its_writes_and_not_those_made_while_it_is_read(orders: Session) -> None:
    with orders.transaction():
        orders.append("orders", _numbered(1_000))
        seen = 0
        for batch in orders.stream("SELECT id FROM orders", batch_rows=100):
            seen += batch.num_rows
            orders.append("orders", batch)
        assert seen == 1_000
    assert len(_ids(orders)) == 2_000


def test_what_streams_out_can_be_appended_straight_back_in(orders: Session) -> None:
    orders.append("orders", _numbered(1_000))
    with orders.transaction():
        assert orders.append("orders", orders.stream("SELECT id FROM orders", batch_rows=100)) == 1_000
    assert len(_ids(orders)) == 2_000


def test_nothing_else_runs_while_an_exclusive_stream_is_open(orders: Session) -> None:
    orders.append("orders", _numbered(5_000))
    with orders.transaction():
        stream = orders.stream("SELECT id FROM orders", batch_rows=100, exclusive=True)
        next(stream)
        with pytest.raises(WarehouseError, match="exclusive stream"):
            orders.execute("DELETE FROM orders")
        stream.close()  # type: ignore[attr-defined]
        orders.execute("DELETE FROM orders WHERE id > 0")
    assert _ids(orders) == [0]


def test_a_transaction_commits_at_its_end_and_leaves_nothing_of_a_failure(orders: Session) -> None:
    with orders.transaction():
        orders.append("orders", _numbered(1))
    with pytest.raises(ZeroDivisionError), orders.transaction():
        orders.append("orders", _numbered(100))
        orders.execute("DELETE FROM orders WHERE id = :id", {"id": 0})
        raise ZeroDivisionError
    assert _ids(orders) == [0]


@pytest.mark.parametrize("committed_before", [False, True])
@pytest.mark.parametrize(
    "steps", ["append", "bound", "plain", "append bound", "bound append", "plain append", "stream append", "append stream"]
)
def test_a_rolled_back_transaction_leaves_nothing_whatever_it_did(orders: Session, steps: str, committed_before: bool) -> None:
    if committed_before:
        with orders.transaction():
            orders.append("orders", _numbered(1))
    before = _ids(orders)
    do = {
        "append": lambda: orders.append("orders", pa.table({"id": [7]})),
        "bound": lambda: orders.execute("INSERT INTO orders (id) VALUES (:id)", {"id": 7}),
        "plain": lambda: orders.execute("INSERT INTO orders (id) VALUES (7)"),
        "stream": lambda: list(orders.stream("SELECT id FROM orders")),
    }
    with pytest.raises(ZeroDivisionError), orders.transaction():
        for step in steps.split():
            do[step]()
        raise ZeroDivisionError
    assert _ids(orders) == before


def test_nothing_is_visible_to_others_before_the_commit(location: WarehouseLocation, orders: Session) -> None:
    with open_warehouse(location) as other:
        with orders.transaction():
            orders.append("orders", _numbered(1))
            orders.execute("UPDATE orders SET paid = true WHERE id = :id", {"id": 0})
            assert _ids(other) == []
        assert _ids(other) == [0]


def test_a_statement_the_warehouse_refuses_undoes_the_transaction_and_the_session_goes_on(orders: Session) -> None:
    with pytest.raises(WarehouseShapeError), orders.transaction():
        orders.append("orders", _numbered(3))
        orders.execute("DELETE FROM nowhere")
    assert _ids(orders) == []
    with orders.transaction():
        orders.append("orders", _numbered(1))
    assert _ids(orders) == [0]


def test_a_table_made_in_a_transaction_that_fails_is_gone(session: Session) -> None:
    with pytest.raises(ZeroDivisionError), session.transaction():
        session.execute("CREATE TABLE half_made (id bigint)")
        raise ZeroDivisionError
    with pytest.raises(WarehouseShapeError, match="half_made"):
        session.rows("SELECT * FROM half_made")


def test_transactions_do_not_nest(session: Session) -> None:
    with session.transaction(), pytest.raises(WarehouseError, match="open already"), session.transaction():
        raise AssertionError("never reached")


def test_a_snapshot_keeps_seeing_its_moment(location: WarehouseLocation, orders: Session) -> None:
    orders.append("orders", _numbered(1))
    with open_warehouse(location) as reader, reader.transaction(snapshot=True):
        assert _ids(reader) == [0]
        orders.append("orders", pa.table({"id": [7]}))
        assert _ids(reader) == [0]
    assert _ids(orders) == [0, 7]


def test_a_serialized_name_lets_one_transaction_through_at_a_time(location: WarehouseLocation, orders: Session) -> None:
    orders.append("orders", pa.table({"id": [0]}))

    def add_one() -> None:
        with open_warehouse(location) as mine:
            for _ in range(5):
                with mine.transaction():
                    mine.serialize("counter")
                    counted = mine.rows("SELECT id FROM orders")[0]["id"]
                    time.sleep(0.002)
                    mine.execute("UPDATE orders SET id = :id", {"id": counted + 1})  # type: ignore[operator]

    workers = [threading.Thread(target=add_one) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert _ids(orders) == [20]


def test_serialize_needs_a_transaction(session: Session) -> None:
    with pytest.raises(WarehouseError, match="needs a transaction"):
        session.serialize("plan")


def test_the_tables_are_made_once_however_many_make_them(location: WarehouseLocation) -> None:
    failures: list[WarehouseError] = []

    def make() -> None:
        try:
            with open_warehouse(location) as mine:
                mine.create_tables()
        except WarehouseError as error:
            failures.append(error)

    workers = [threading.Thread(target=make) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert failures == []
    with open_warehouse(location) as session:
        session.execute("INSERT INTO cj.skipped SELECT 'r', 'e', 1, 'o', :now, 'unchanged', :now, NULL, 1", {"now": MOMENT})
        session.create_tables()
        assert len(session.rows("SELECT * FROM cj.skipped")) == 1
        assert session.has_table("cj", "reconciliation")
        assert not session.has_table("cj", "nowhere")


def test_columns_of_names_the_types_of_a_query_without_running_it(orders: Session) -> None:
    sql = "SELECT id, order_id, amount, changed, paid, CAST(1 AS double precision) AS d, CAST(changed AS timestamp) AS naive, 1 / 0 AS never FROM orders WHERE changed > :since"
    found = orders.columns_of(sql)
    assert {name: found[name] for name in list(found)[:7]} == {
        "id": "integer", "order_id": "text", "amount": "decimal", "changed": "timestamptz", "paid": "boolean", "d": "double", "naive": "timestamp",
    }  # fmt: skip


@pytest.mark.parametrize("sql", ["SELECT * FROM no_such_place", "SELECT no_such_place FROM orders", "DELETE FROM cj.no_such_place"])
def test_what_is_missing_is_named(orders: Session, sql: str) -> None:
    with pytest.raises(WarehouseShapeError, match=r"no_such_place|cj"):
        orders.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST('jane@example.org' AS bigint)",
        "INSERT INTO orders (id) VALUES (CAST('jane@example.org' AS bigint))",
        "SELEC 'jane@example.org'",
    ],
)
def test_no_error_repeats_a_value(orders: Session, sql: str) -> None:
    with pytest.raises(WarehouseError) as refused:
        orders.execute(sql)
    assert "jane" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_an_sql_that_cannot_be_read_is_said_to_be_one(orders: Session) -> None:
    with pytest.raises(WarehouseError, match="cannot read the SQL"):
        orders.execute("SELEC 1")


def test_decimals_that_do_not_fit_are_refused_rather_than_rounded(orders: Session) -> None:
    with pytest.raises(WarehouseError):
        orders.rows("SELECT CAST('1.12345678901' AS decimal(38, 11)) AS price")


def test_text_sorts_by_its_bytes(orders: Session) -> None:
    orders.append("orders", pa.table({"order_id": ["b", "B", "a-1", "a1", "A", "é", "z", "_"]}))
    found = orders.rows(f"SELECT order_id FROM orders ORDER BY {orders.binary_order('order_id')}")
    ids = [str(row["order_id"]) for row in found]
    assert ids == sorted(ids, key=str.encode)


def test_an_unsupported_kind_is_refused_with_those_that_are() -> None:
    with (
        pytest.raises(SettingError, match=rf"'sqlite', which .* Use one of: {', '.join(EMPTY)}\."),
        open_warehouse(WarehouseLocation("sqlite")),
    ):
        raise AssertionError("never reached")


def test_a_password_is_in_no_text() -> None:
    location = WarehouseLocation("postgres", uri="postgresql://loader:hunter2@127.0.0.1:1/shop")
    with pytest.raises(WarehouseUnavailable, match=r"127\.0\.0\.1:1/shop") as refused, open_warehouse(location):
        raise AssertionError("never reached")
    for text in (repr(location), str(location), str(refused.value), repr(refused.value)):
        assert "hunter2" not in text
    assert refused.value.__suppress_context__


def test_a_lost_server_connection_is_transient(postgres_database: str) -> None:
    location = WarehouseLocation("postgres", uri=postgres_database)
    with open_warehouse(location) as lost, open_warehouse(location) as other:
        lost.execute("CREATE TABLE t (a bigint)")
        with pytest.raises(WarehouseUnavailable), lost.transaction():
            lost.append("t", pa.table({"a": [1]}))
            other.rows(
                "SELECT pg_terminate_backend(pid) AS gone FROM pg_stat_activity WHERE application_name = 'cj_restatements' AND pid <> pg_backend_pid() AND datname = current_database()"
            )
            lost.append("t", pa.table({"a": [2]}))
        assert other.rows("SELECT count(*) AS n FROM t") == [{"n": 0}]


def _run(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


_HALF_DONE = """
    import pickle, sys, time
    import include.warehouse
    from include.warehouse.base import open_warehouse
    include.warehouse.__path__.append(sys.argv[2])
    with open_warehouse(pickle.loads(bytes.fromhex(sys.argv[1]))) as session:
        session.execute("CREATE TABLE kept (id bigint)")
        session.execute("INSERT INTO kept VALUES (1)")
        with session.transaction():
            session.execute("INSERT INTO kept VALUES (2)")
            print("in transaction", flush=True)
            time.sleep(60)
"""


def test_a_kill_in_a_transaction_loses_only_that_transaction(location: WarehouseLocation) -> None:
    victim = _run(_HALF_DONE, pickle.dumps(location).hex(), str(THIRD))
    assert victim.stdout is not None
    assert victim.stdout.readline() == "in transaction\n"
    victim.send_signal(signal.SIGKILL)
    victim.wait(10)
    with open_warehouse(location) as session:
        assert session.rows("SELECT id FROM kept") == [{"id": 1}]


_HOLD = """
    import sys
    from include.warehouse.base import WarehouseLocation, open_warehouse
    with open_warehouse(WarehouseLocation("duckdb", path=sys.argv[1])) as session:
        session.execute("CREATE TABLE IF NOT EXISTS held (id bigint)")
        print("held", flush=True)
        sys.stdin.readline()
        session.execute("INSERT INTO held VALUES (1)")
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_HOLD), str(tmp_path / "held.duckdb")],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait(10)


def test_a_second_process_waits_for_the_file_and_then_sees_what_the_first_wrote(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    threading.Timer(0.5, lambda: holder.communicate("\n")).start()
    with open_warehouse(WarehouseLocation("duckdb", path=str(tmp_path / "held.duckdb"), wait_seconds=30)) as session:
        assert session.rows("SELECT id FROM held") == [{"id": 1}]


def test_a_file_held_for_too_long_is_transient_and_says_so(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    location = WarehouseLocation("duckdb", path=str(tmp_path / "held.duckdb"), wait_seconds=0.2)
    with pytest.raises(WarehouseUnavailable, match="still held by another process") as refused, open_warehouse(location):
        raise AssertionError("never reached")
    assert refused.value.transient


def _insert_once(path: str, number: int) -> None:
    with open_warehouse(WarehouseLocation("duckdb", path=path)) as session, session.transaction():
        session.execute("INSERT INTO shared VALUES (:id)", {"id": number})


def test_processes_that_share_a_file_lose_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "shared.duckdb")
    with open_warehouse(WarehouseLocation("duckdb", path=path)) as session:
        session.execute("CREATE TABLE shared (id bigint)")
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_insert_once, args=(path, number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    with open_warehouse(WarehouseLocation("duckdb", path=path)) as session:
        assert session.rows("SELECT id FROM shared ORDER BY id") == [{"id": 0}, {"id": 1}, {"id": 2}]
