"""What one has none of, in one's own query: a bare NULL, or left out where nothing can be lost by it. And what may be text: ids and flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from include.domain.errors import WarehouseShapeError
from include.restatements.changes.extraction import ALLOWED, LEFT_OUT, check_shape, extract, left_out
from include.restatements.settings import Run
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

NIGHT = datetime(2026, 3, 1, tzinfo=UTC)
RUN = Run("night", NIGHT, NIGHT + timedelta(days=1))


@pytest.fixture
def session(location: WarehouseLocation) -> Iterator[Session]:
    """A shop's own table, in the shop's own words."""
    with open_warehouse(location) as opened:
        opened.create_tables()
        opened.execute(
            "CREATE TABLE order_changes "
            "(order_id text, updated_at timestamp with time zone, amount decimal(38, 10), status text, sid text, coupon text)"
        )
        yield opened


def _log(session: Session, *rows: Mapping[str, object]) -> None:
    for row in rows:
        given = {"amount": Decimal(5), "updated_at": NIGHT, **row}
        session.execute(f"INSERT INTO order_changes ({', '.join(given)}) VALUES ({', '.join(f':{name}' for name in given)})", given)


def _rows(session: Session, sql: str, replan_since: datetime | None = None) -> list[dict[str, object]]:
    found: list[dict[str, object]] = pa.Table.from_batches(list(extract(session, RUN, sql=sql, replan_since=replan_since))).to_pylist()
    return found


OWN_COLUMNS = {
    "enterprise_id": "'E1'", "action_tracker_id": "1", "order_id": "'o1'", "change_type": "'new'", "event_time": "updated_at",
    "updated_at": "updated_at", "amount": "amount",
}  # fmt: skip


def _own_sql(columns: Mapping[str, str]) -> str:
    selected = ", ".join(f"{expression} AS {name}" for name, expression in {**OWN_COLUMNS, **columns}.items())
    return f"SELECT {selected} FROM order_changes WHERE updated_at >= :interval_start AND updated_at < :interval_end"


MAY_BE_NULL = LEFT_OUT | {"discount", "currency", "coupon", "items"}


@pytest.mark.parametrize("replan_since", [None, NIGHT])
def test_a_column_one_lacks_may_be_a_bare_null(session: Session, replan_since: datetime | None) -> None:
    _log(session, {"order_id": "o1"})
    nulls = dict.fromkeys(sorted(MAY_BE_NULL), "NULL")
    bare, inside = _own_sql(nulls), f"SELECT * FROM ({_own_sql(nulls)} UNION ALL {_own_sql(nulls)} LIMIT 1) AS mine"
    for sql in (bare, inside):
        (found,) = _rows(session, sql, replan_since=replan_since)
        assert {name for name, value in found.items() if value is None} == MAY_BE_NULL - {"was_new"} | {"malformed"}
        assert (found["was_new"], found["amount"]) == (True, Decimal(5))


@pytest.mark.parametrize("replan_since", [None, NIGHT])
def test_a_column_a_shop_may_have_none_of_may_be_left_out(session: Session, replan_since: datetime | None) -> None:
    _log(session, {"order_id": "o1"})
    sql = _own_sql(dict.fromkeys(sorted(MAY_BE_NULL - LEFT_OUT), "NULL"))
    assert set(left_out(check_shape(session, sql))) == LEFT_OUT
    (found,) = _rows(session, sql, replan_since=replan_since)
    assert {name for name, value in found.items() if value is None} == MAY_BE_NULL - {"was_new"} | {"malformed"}
    assert found["was_new"]


@pytest.mark.parametrize("column", sorted(set(ALLOWED) - LEFT_OUT))
def test_what_a_misspelled_name_must_not_lose_is_never_left_out(session: Session, column: str) -> None:
    columns = OWN_COLUMNS | dict.fromkeys(ALLOWED, "NULL") | OWN_COLUMNS
    selected = ", ".join(f"{expression} AS {name if name != column else 'misspelled'}" for name, expression in columns.items())
    with pytest.raises(WarehouseShapeError, match=rf"Column {column} is missing") as refused:
        check_shape(session, f"SELECT {selected} FROM order_changes")
    assert (f"Where you have none, say NULL AS {column}." in str(refused.value)) == (column in MAY_BE_NULL)


@pytest.mark.parametrize("column", ["enterprise_id", "order_id", "updated_at", "event_time", "action_tracker_id", "change_type", "amount"])
def test_an_order_cannot_do_without_what_says_which_and_when_and_how_much(session: Session, column: str) -> None:
    """DuckDB knows a bare NULL by its type; PostgreSQL calls it text, and where text is allowed the gate holds each row back."""
    _log(session, {"order_id": "o1"})
    sql = _own_sql(dict.fromkeys(ALLOWED, "NULL") | OWN_COLUMNS | {column: "NULL"})
    if session.location.kind == "duckdb" or "text" not in ALLOWED[column]:
        with pytest.raises(WarehouseShapeError, match=rf"Column {column} is (null|text); it must be"):
            check_shape(session, sql)
    else:
        assert _rows(session, sql)[0][column] is None


def test_ids_and_flags_kept_as_text_are_read_and_what_is_none_is_named(session: Session) -> None:
    columns = {"was_new": "status", "ad_id": "sid", "promotional_property_id": "coupon"}
    sql = f"SELECT order_id, {', '.join(f'{e} AS {n}' for n, e in (dict.fromkeys(ALLOWED, 'NULL') | OWN_COLUMNS | columns).items() if n != 'order_id')}"
    _log(
        session,
        {"order_id": "1", "status": "false", "sid": "123456789012345678", "coupon": "0"},
        {"order_id": "2", "status": "perhaps"},
        {"order_id": "3", "sid": "12a"},
        {"order_id": "4", "coupon": "-1"},
        {"order_id": "5"},
    )
    found = _rows(session, f"{sql} FROM order_changes WHERE updated_at >= :interval_start AND updated_at < :interval_end")
    assert [(r["was_new"], r["ad_id"], r["promotional_property_id"], r["malformed"]) for r in found] == [
        (False, 123456789012345678, 0, None),
        (True, None, None, "was_new: a text like 'aaaaaaa' is neither true nor false"),
        (True, None, None, "ad_id: a text like '99a' is no whole number of at most 18 digits"),
        (True, None, None, "promotional_property_id: a text like '-9' is no whole number of at most 18 digits"),
        (True, None, None, None),
    ]
