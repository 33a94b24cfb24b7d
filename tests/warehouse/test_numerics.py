"""Numerics that are streamed leave PostgreSQL as text: every digit, the same refusals and the same order as without."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.domain.errors import WarehouseShapeError
from include.domain.shapes import MONEY
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

AMOUNTS = (
    st.none()
    | st.integers(1 - 10**38, 10**38 - 1).map(lambda n: Decimal(f"{n}e-10"))
    | st.sampled_from(["0", "1E-10", "-1E-10", "0.0000001", "100", "-0.5", "12.3400000001"]).map(Decimal)
)


@pytest.fixture
def session(postgres_database: str) -> Iterator[Session]:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as opened:
        yield opened


def streamed(session: Session, sql: str, *, exclusive: bool = True) -> pa.Table:
    return pa.Table.from_batches(list(session.stream(sql, {"least": 0}, exclusive=exclusive)))


def test_every_amount_comes_to_the_digit_whatever_its_column_is_called(session: Session) -> None:
    session.execute('CREATE TABLE amounts (place bigint, "a ""b"", c" decimal(38, 10), free numeric, "select" text)')

    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=30))
    def exact(pairs: list[tuple[Decimal | None, Decimal | None]]) -> None:
        session.execute("DELETE FROM amounts")
        rows = [{"place": n, 'a "b", c': a, "free": b, "select": "x"} for n, (a, b) in enumerate(pairs)]
        fields = [("place", pa.int64()), ('a "b", c', MONEY), ("free", MONEY), ("select", pa.string())]
        session.append("amounts", pa.Table.from_pylist(rows, pa.schema(fields)))
        found = streamed(session, "SELECT * FROM amounts WHERE place >= :least ORDER BY place -- to the end")
        assert found.schema.types == [pa.int64(), MONEY, MONEY, pa.string()]
        assert found.to_pylist() == rows == session.rows("SELECT * FROM amounts ORDER BY place")

    exact()


@pytest.mark.parametrize("value", ["'NaN'", "'Infinity'", "1e-11", "1e30"])
@pytest.mark.parametrize("exclusive", [True, False])
def test_what_does_not_fit_is_refused_with_the_columns_name(session: Session, value: str, exclusive: bool) -> None:
    with pytest.raises(WarehouseShapeError, match="Column amount"):
        streamed(session, f"SELECT CAST({value} AS numeric) AS amount", exclusive=exclusive)


def test_two_columns_of_one_name_both_come(session: Session) -> None:
    found = streamed(session, "SELECT CAST(1.5 AS numeric) AS a, CAST(2.5 AS numeric) AS a")
    assert [column.to_pylist() for column in found.columns] == [[Decimal("1.5")], [Decimal("2.5")]]


def test_rows_stay_in_the_order_that_was_asked_for_however_many_workers_read_them(session: Session) -> None:
    with session.transaction():
        session.execute(
            "CREATE TABLE many AS SELECT CAST(n * 7919 % 100003 AS text) AS k, CAST(n AS numeric) AS amount FROM generate_series(1, 100000) AS n;"
            "SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0"
        )
        session.analyze("many")
        found = streamed(session, "SELECT k, amount FROM many ORDER BY k, amount")
    keys = found["k"].combine_chunks()
    assert len(keys) == 100_000
    assert pc.all(pc.less_equal(keys[:-1].cast(pa.binary()), keys[1:].cast(pa.binary()))).as_py()
