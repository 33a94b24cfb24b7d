"""The extraction: the newest state of every order touched, money and items exact, on DuckDB and on PostgreSQL."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from include.domain.errors import SettingError, WarehouseError, WarehouseShapeError
from include.domain.shapes import CHANGES, INSTANT, KEY
from include.restatements.changes.extraction import check_shape, extract, file_to_edit, order_changes_sql
from include.restatements.settings import Run
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

NIGHT = datetime(2026, 3, 1, tzinfo=UTC)
FLOAT = "It was a floating-point number: make it a decimal in the query"
RUN = Run("night", NIGHT, NIGHT + timedelta(days=1))
SQL = order_changes_sql()

TABLE = """
CREATE TABLE order_changes (
    enterprise_id text, action_tracker_id bigint, order_id text, change_type text, event_time timestamp with time zone,
    updated_at timestamp with time zone, amount decimal(38, 10), discount decimal(38, 10), currency text, coupon text, items text, status text,
    correction_reason text, cj_event text, ad_id bigint, promotional_property_id bigint, sid text, custom_parameters text, vertical_parameters text
)
"""


@pytest.fixture
def session(location: WarehouseLocation) -> Iterator[Session]:
    with open_warehouse(location) as opened:
        opened.execute(TABLE)
        yield opened


def _log(session: Session, *changes: Mapping[str, object]) -> None:
    usual: dict[str, object] = {
        "enterprise_id": "E1",
        "action_tracker_id": 1,
        "change_type": "restated",
        "event_time": NIGHT,
        "updated_at": NIGHT,
    }
    rows = [{**usual, **change} for change in changes]
    names = sorted({name for row in rows for name in row})
    columns = {name: pa.array([row.get(name) for row in rows], INSTANT if name.endswith(("_at", "_time")) else None) for name in names}
    session.append("order_changes", pa.table(columns))


def _extracted(session: Session, sql: str = SQL, replan_since: datetime | None = None, batch_rows: int = 65_536) -> pa.Table:
    batches = list(extract(session, RUN, sql=sql, replan_since=replan_since, batch_rows=batch_rows))
    assert all(batch.schema == CHANGES for batch in batches)
    return pa.Table.from_batches(batches)


def _rows(session: Session, **how: object) -> list[dict[str, object]]:
    return _extracted(session, **how).to_pylist()  # type: ignore[arg-type]


def test_an_order_touched_in_the_interval_comes_in_its_newest_state_even_when_that_is_later(session: Session) -> None:
    _log(
        session,
        {"order_id": "touched", "amount": Decimal("10"), "updated_at": NIGHT + timedelta(hours=1)},
        {"order_id": "touched", "amount": Decimal("30"), "updated_at": NIGHT + timedelta(days=9)},
        {"order_id": "touched", "amount": Decimal("20"), "updated_at": NIGHT - timedelta(days=9)},
        {"order_id": "before", "amount": Decimal("1"), "updated_at": NIGHT - timedelta(microseconds=1)},
        {"order_id": "after", "amount": Decimal("1"), "updated_at": RUN.interval_end},
        {"order_id": "first", "amount": Decimal("1"), "updated_at": NIGHT},
    )
    assert [(r["order_id"], r["amount"], r["updated_at"]) for r in _rows(session)] == [
        ("first", Decimal("1"), NIGHT),
        ("touched", Decimal("30"), NIGHT + timedelta(days=9)),
    ]


def test_an_order_is_its_whole_key(session: Session) -> None:
    _log(session, {"order_id": "1"}, {"order_id": "1", "action_tracker_id": 2}, {"order_id": "1", "enterprise_id": "E0"})
    assert [tuple(row[name] for name in KEY) for row in _rows(session)] == [("E0", 1, "1"), ("E1", 1, "1"), ("E1", 2, "1")]


def test_was_new_is_whether_the_log_holds_a_new_whenever_that_was(session: Session) -> None:
    _log(
        session,
        {"order_id": "ours", "change_type": "new", "updated_at": NIGHT - timedelta(days=300)},
        {"order_id": "ours", "change_type": "cancelled"},
        {"order_id": "theirs"},
    )
    assert [(r["order_id"], r["change_type"], r["was_new"]) for r in _rows(session)] == [
        ("ours", "cancelled", True),
        ("theirs", "restated", False),
    ]


def test_without_was_new_or_where_it_is_null_the_change_type_decides(session: Session) -> None:
    _log(session, {"order_id": "a", "change_type": "new"}, {"order_id": "b"})
    for column in ("", ", CAST(NULL AS boolean) AS was_new"):
        sql = f"SELECT *{column} FROM order_changes WHERE updated_at >= :interval_start AND updated_at < :interval_end;"
        assert [(r["order_id"], r["was_new"]) for r in _rows(session, sql=sql)] == [("a", True), ("b", False)]


def test_at_the_same_instant_the_later_kind_of_change_wins_and_then_the_content(session: Session) -> None:
    _log(
        session,
        {"order_id": "1", "change_type": "restated", "amount": Decimal("5")},
        {"order_id": "1", "change_type": "cancelled", "amount": Decimal("1")},
        {"order_id": "1", "change_type": "new", "amount": Decimal("9")},
        {"order_id": "2", "amount": None},
        {"order_id": "2", "amount": Decimal("7")},
        {"order_id": "2", "amount": Decimal("6")},
    )
    assert [(r["change_type"], r["amount"]) for r in _rows(session)] == [("cancelled", Decimal("1")), ("restated", Decimal("7"))]


def test_rows_come_in_the_binary_order_of_their_key_whatever_the_batch(session: Session) -> None:
    ids = ["b", "B", "a-1", "a1", "A", "é", "z", "_", "10", "9"]
    _log(session, *({"order_id": i, "action_tracker_id": t} for i in ids for t in (10, 9)))
    keys = [(r["enterprise_id"], r["action_tracker_id"], r["order_id"]) for r in _rows(session, batch_rows=3)]
    assert keys == sorted(keys, key=lambda key: (key[0], key[1], str(key[2]).encode()))
    assert len(keys) == 20


def _plan_again(session: Session, **changed: datetime) -> None:
    """These orders are planned again; when the state that waits of each changed."""
    session.create_tables()
    keys = {"enterprise_id": ["E1"] * len(changed), "action_tracker_id": [1] * len(changed), "order_id": list(changed)}
    rows = {"updated_at": pa.array(changed.values(), INSTANT), "waits": [True] * len(changed)}
    session.append("cj.replan_keys", pa.table(keys | rows))


@pytest.mark.parametrize("at_once", [1, 2, 3, 4, 1_000])
def test_replanned_orders_join_the_interval_and_none_comes_twice(session: Session, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """However many of them are asked for by their ids, the others by when the first of them changed."""
    monkeypatch.setattr("include.restatements.changes.extraction.IDS_AT_ONCE", at_once)
    days_ago = [NIGHT - timedelta(days=days) for days in range(60)]
    _log(
        session,
        {"order_id": "both", "amount": Decimal("1")},
        {"order_id": "old", "amount": Decimal("2"), "updated_at": days_ago[5]},
        {"order_id": "old", "amount": Decimal("3"), "updated_at": NIGHT + timedelta(days=400)},
        {"order_id": "older", "amount": Decimal("5"), "updated_at": days_ago[9]},
        {"order_id": "older", "amount": Decimal("6"), "action_tracker_id": 2, "updated_at": days_ago[9]},
        {"order_id": "quiet", "updated_at": days_ago[5]},
        {"order_id": "toold", "updated_at": days_ago[50]},
        {"order_id": "tonight", "amount": Decimal("4")},
    )
    _plan_again(session, older=days_ago[9], old=days_ago[5], both=days_ago[4], toold=days_ago[3], unknown=days_ago[2])
    for batch_rows in (1, 2, 65_536):
        found = _rows(session, replan_since=days_ago[10], batch_rows=batch_rows)
        assert [(r["order_id"], r["amount"]) for r in found] == [
            ("both", Decimal("1")), ("old", Decimal("3")), ("older", Decimal("5")), ("tonight", Decimal("4")),
        ]  # fmt: skip


@pytest.mark.parametrize("at_once", [1, 1_000])
def test_of_a_column_of_numbers_only_whole_numbers_are_asked_for(session: Session, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr("include.restatements.changes.extraction.IDS_AT_ONCE", at_once)
    before = NIGHT - timedelta(days=5)
    _log(session, {"order_id": "7", "updated_at": before}, {"order_id": "8", "updated_at": before})
    _plan_again(session, **{"x": before - timedelta(days=1), "7": before, "07": before})
    numbered = (
        "SELECT enterprise_id, action_tracker_id, CAST(order_id AS bigint) AS order_id, change_type, event_time, updated_at, amount, discount, "
        "currency, coupon, items FROM order_changes WHERE updated_at >= :interval_start AND updated_at < :interval_end"
    )
    assert [r["order_id"] for r in _rows(session, sql=numbered, replan_since=before - timedelta(days=2))] == ["7"]


def test_an_order_that_the_sql_gives_twice_stays_twice_for_the_gate_to_see(session: Session) -> None:
    session.create_tables()
    _log(session, {"order_id": "1"}, {"order_id": "1"})
    sql = "SELECT * FROM order_changes WHERE updated_at >= :interval_start AND updated_at < :interval_end"
    assert len(_rows(session, sql=sql)) == 2
    assert len(_rows(session, sql=sql, replan_since=NIGHT - timedelta(days=1), batch_rows=1)) == 2


def test_every_row_without_an_order_id_is_there_for_the_gate_to_see(session: Session) -> None:
    _log(session, *({"order_id": None, "amount": Decimal(i)} for i in range(50)), {"order_id": "o1", "amount": Decimal(1)})
    assert _extracted(session)["order_id"].null_count == 50


def test_a_night_without_changes_is_one_empty_batch(session: Session) -> None:
    assert _extracted(session).num_rows == 0


def test_the_exclusive_way_gives_the_same_rows(session: Session) -> None:
    _log(session, *({"order_id": f"o{i}", "amount": Decimal(i), "items": "[]"} for i in range(500)))
    quick = pa.Table.from_batches(list(extract(session, RUN, sql=SQL, exclusive=True)))
    assert quick.equals(_extracted(session))
    assert quick.num_rows == 500


def test_a_reading_that_is_given_up_leaves_the_session_to_the_next_statement(session: Session) -> None:
    _log(session, *({"order_id": f"o{i}", "amount": Decimal(i)} for i in range(50)))
    with session.transaction():
        reading = extract(session, RUN, sql=SQL, batch_rows=7, exclusive=True)
        next(reading)
        reading.close()  # type: ignore[attr-defined]
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
        assert session.rows("SELECT COUNT(*) AS n FROM order_changes")[0]["n"] == 50


def test_what_cannot_be_parsed_is_null_and_named_and_its_neighbours_are_whole(session: Session) -> None:
    item = '{"sku": "A", "quantity": 2, "unit_price": "1.10", "discount": 0.30}'
    session.execute("ALTER TABLE order_changes ALTER COLUMN amount TYPE text")
    _log(
        session,
        {"order_id": "1", "amount": "19.90", "items": f"[{item}]"},
        {"order_id": "2", "amount": "nineteen", "items": "[{]"},
        {"order_id": "3", "amount": "19.9", "items": f"[{item}, 7]"},
        {"order_id": "4", "amount": None, "items": None},
        {"order_id": "5", "amount": "0.12345678901", "items": " null "},
        {"order_id": "6", "amount": " ", "items": ""},
    )
    found = _rows(session)
    assert [(r["amount"], r["malformed"]) for r in found] == [
        (Decimal("19.90"), None),
        (None, "amount: a text like 'aaaaaaaa' is no plain number"),
        (Decimal("19.9"), "items: line 2 is a number like 9, and no object"),
        (None, None),
        (None, "amount: a text like '9.99999999999': an amount may have at most 10 decimal places. " + FLOAT),
        (None, None),
    ]  # fmt: skip
    assert found[0]["items"] == [{"sku": "A", "quantity": 2, "unit_price": Decimal("1.10"), "discount": Decimal("0.30")}]
    assert [r["items"] for r in found[1:]] == [None] * 5


@pytest.mark.parametrize(
    ("column", "as_type", "sentence"),
    [
        ("amount", "double precision", "Column amount is a double"),
        ("discount", "real", "Column discount is a double"),
        ("updated_at", "timestamp", "Column updated_at is a timestamp without a time zone"),
        ("event_time", "date", "Column event_time is date; it must be timestamptz"),
        ("action_tracker_id", "text", "Column action_tracker_id is text; it must be integer"),
        ("change_type", "bigint", "Column change_type is integer; it must be text"),
    ],
)
def test_a_column_of_the_wrong_type_is_refused_before_a_row_is_read(session: Session, column: str, as_type: str, sentence: str) -> None:
    others = ", ".join(name for name in session.columns_of("SELECT * FROM order_changes") if name != column)
    sql = f"SELECT {others}, CAST(NULL AS {as_type}) AS {column} FROM order_changes WHERE updated_at >= :interval_start AND updated_at < :interval_end"
    with pytest.raises(WarehouseShapeError, match=sentence):
        _extracted(session, sql=sql)


@pytest.mark.parametrize("column", ["event_time", "updated_at"])
def test_what_the_sentence_says_to_write_is_what_makes_the_query_right(session: Session, column: str) -> None:
    session.execute(f"ALTER TABLE order_changes ALTER COLUMN {column} TYPE timestamp")
    noon = NIGHT + timedelta(hours=12)
    usual = "enterprise_id, action_tracker_id, order_id, change_type, amount, event_time, updated_at"
    session.execute(
        f"INSERT INTO order_changes ({usual}) VALUES ('E1', 1, 'o', 'new', 20, '{noon:%Y-%m-%d %H:%M}', '{noon:%Y-%m-%d %H:%M}')"
    )
    with pytest.raises(WarehouseShapeError) as refused:
        _extracted(session, sql=SQL)
    told = re.search(r"for instance (.+?)\. The place to edit", str(refused.value))
    assert told
    # The first place in the shipped query is the list of what it gives.
    assert [row[column] for row in _extracted(session, sql=SQL.replace(f" {column},", f" {told[1]},", 1)).to_pylist()] == [noon]


def test_a_missing_column_and_a_missing_table_are_named_with_the_file_to_edit(session: Session) -> None:
    with pytest.raises(WarehouseShapeError, match=r"Column amount is missing.*order_changes\.sql"):
        check_shape(session, "SELECT enterprise_id FROM order_changes")
    session.execute("DROP TABLE order_changes")
    with pytest.raises(WarehouseShapeError, match=r"order_changes.*include/sql/order_changes\.sql"):
        check_shape(session, SQL)


@pytest.mark.parametrize(
    "sql", ["SELECT 1; DELETE FROM order_changes", "-- nothing", "SELECT * FROM order_changes WHERE order_id = :order"]
)
def test_a_text_that_is_not_one_query_over_the_interval_is_refused(session: Session, sql: str) -> None:
    with pytest.raises(SettingError, match=r"include/sql/order_changes\.sql"):
        check_shape(session, sql)


def test_the_file_to_edit_is_the_file_the_query_came_from(session: Session) -> None:
    assert file_to_edit(None) == "include/sql/order_changes.sql"
    mine = file_to_edit("/shop/mine.sql")
    with pytest.raises(
        WarehouseShapeError, match=r"amount is missing.*The place to edit is /shop/mine\.sql \(Variable cj_order_changes_sql\)\.$"
    ):
        check_shape(session, "SELECT enterprise_id FROM order_changes", mine)
    with pytest.raises(SettingError, match=r"/shop/mine\.sql"):
        check_shape(session, "-- nothing", mine)
    with pytest.raises(WarehouseError, match=r"cannot read the SQL.*/shop/mine\.sql|syntax error.*/shop/mine\.sql"):
        check_shape(session, "SELECT FROM WHERE ORDER", mine)


def test_another_file_may_take_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    mine = tmp_path / "mine.sql"
    mine.write_text("SELECT 1")
    assert order_changes_sql(str(mine)) == "SELECT 1"
    with pytest.raises(SettingError, match=r"nowhere\.sql', which cannot be read"):
        order_changes_sql(str(tmp_path / "nowhere.sql"))
