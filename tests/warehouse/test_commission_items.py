"""The items of CJ's records are kept once, in the record, and read as they were when they had a table: cj.commission_items."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.cj.records import CommissionPage, decode_page
from include.domain.errors import WarehouseError
from include.domain.shapes import MONEY
from include.restatements.ledger.appending import append_records
from include.restatements.ledger.spool import PageSpool
from include.warehouse import schema
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

COMMISSION_ITEMS = pa.schema(
    [("commission_id", pa.string()), ("commission_item_id", pa.string()), ("sku", pa.string()), ("quantity", pa.int64()), ("sale_amount", MONEY), ("discount", MONEY), ("commission", MONEY)]
)  # fmt: skip
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Item = dict[str, object]

_IDS = count(1)
AMOUNTS = (
    st.none()
    | st.integers(1 - 10**27, 10**27 - 1).map(lambda n: Decimal(f"{n}e-10"))
    | st.sampled_from(["0", "1E-10", "-1E-10", "0.0000001", "10", "100.00", "-0.5", "12.3400000001", "99999999999999999.9999999999"]).map(
        Decimal
    )
)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=9) | st.sampled_from(
    ['A"B', "A\\B", "\\u0041", "A\nB\x01\x7f", "\u2028", "тапочки", "茶杯", "😀", "{}", "]", "'", " ", "null", "\ufffd", "e\u0301"]
)
ITEMS = st.lists(st.fixed_dictionaries({"sku": WORDS, "quantity": st.integers(-(2**31), 2**31), "sale_amount": AMOUNTS, "discount": AMOUNTS, "commission": AMOUNTS}), max_size=4)  # fmt: skip


def named(lists: list[list[Item]]) -> list[tuple[str, list[Item]]]:
    """Records of these items, each under an id of its own."""
    records = [(str(next(_IDS)), items) for items in lists]
    return [(one, [{"commission_item_id": f"{one}-{n}"} | item for n, item in enumerate(items)]) for one, items in records]


def rows(records: list[tuple[str, list[Item]]]) -> list[Item]:
    """The rows that a table of items has of them."""
    return [{"commission_id": one} | item for one, items in records for item in items]


def shown(session: Session, where: str = "1 = 1") -> list[Item]:
    found = session.rows(f"SELECT * FROM cj.commission_items WHERE {where}")
    assert found == [] or list(found[0]) == COMMISSION_ITEMS.names
    return sorted(found, key=lambda row: str(row["commission_item_id"]))


def in_order(items: list[Item]) -> list[Item]:
    return sorted(items, key=lambda row: str(row["commission_item_id"]))


@contextmanager
def before_they_were_in_the_record() -> Iterator[None]:
    """The package as it was up to version 17, when items had a table."""
    with pytest.MonkeyPatch.context() as older:
        first = tuple(step for step in schema.steps() if step.version <= 17)
        views = schema._views
        older.setattr(schema, "steps", lambda: first)
        older.setattr(schema, "_views", lambda session: {"order_state": views(session)["order_state"]})
        yield


def filled(session: Session, records: list[tuple[str, list[Item]]], gone: frozenset[str] = frozenset()) -> None:
    """A warehouse of version 17 that holds these."""
    session.execute("DROP SCHEMA IF EXISTS cj CASCADE")
    with before_they_were_in_the_record():
        session.create_tables()
    record = {
        "advertiser_id": "1", "action_tracker_id": 7, "order_id": "o-1", "action_type": "sale", "action_status": "new", "publisher_id": "2",
        "posting_date": NOON, "original": True, "items_mark": Decimal(3), "ingested_at": NOON,
    }  # fmt: skip
    held = [record | {"commission_id": one, "gone_reading": 3 if one in gone else None} for one, _ in records]
    session.append("cj.commissions", pa.Table.from_pylist(held))
    session.append("cj.commission_items", pa.Table.from_pylist(rows(records), COMMISSION_ITEMS))


def test_an_upgrade_keeps_every_item_of_every_record_to_the_digit(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:

        @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(ITEMS, min_size=1, max_size=60))
        def upgraded(lists: list[list[Item]]) -> None:
            records = named(lists)
            filled(session, records, gone=frozenset({records[0][0]}))
            before = shown(session)
            assert before == in_order(rows(records))
            session.create_tables()
            assert shown(session) == before
            whole = session.rows("SELECT commission_id, items FROM cj.commissions ORDER BY commission_id")
            assert {row["commission_id"] for row in whole if row["items"] is None} == {one for one, items in records if not items}
            session.create_tables(whole=True)
            assert session.rows("SELECT commission_id, items FROM cj.commissions ORDER BY commission_id") == whole
            assert shown(session) == before

        upgraded()


def test_a_record_that_is_read_and_one_that_was_brought_up_to_date_hold_the_same_text(location: WarehouseLocation) -> None:
    amounts = ("0", "1E-10", "-0.5", "10", "100.00", "12.3400000001")
    items = [{"sku": 'a"Ü\\', "quantity": -2} | dict.fromkeys(("sale_amount", "discount", "commission"), Decimal(a)) for a in amounts]
    records = named([items, [{"sku": "b", "quantity": 1, "sale_amount": None, "discount": None, "commission": None}]])
    with open_warehouse(location) as session:
        filled(session, records)
        session.create_tables()
        upgraded = session.rows("SELECT commission_id, items FROM cj.commissions ORDER BY commission_id")
        session.execute("DELETE FROM cj.commissions")
        read(session, records)
        assert session.rows("SELECT commission_id, items FROM cj.commissions ORDER BY commission_id") == upgraded


def read(session: Session, records: list[tuple[str, list[Item]]]) -> None:
    """As CJ's answer gives them, and the ledger appends them."""
    found = decode_page(json.dumps(answer(records)).encode(), "cj.example")
    assert isinstance(found, CommissionPage)
    with PageSpool() as spool, session.transaction():
        append_records(session, [spool.fill(iter([found])).pages()], 1)


def answer(records: list[tuple[str, list[Item]]]) -> object:
    shown_items = {
        one: [
            {
                "commissionItemId": item["commission_item_id"], "sku": item["sku"], "quantity": item["quantity"],
                "perItemSaleAmountAdvCurrency": text(item["sale_amount"]), "discountAdvCurrency": text(item["discount"]),
                "totalCommissionAdvCurrency": text(item["commission"]),
            }
            for item in items
        ]
        for one, items in records
    }  # fmt: skip
    page = [
        {
            "commissionId": one, "advertiserId": "1", "actionTrackerId": "7", "orderId": "o-1", "actionType": "sale", "actionStatus": "new",
            "publisherId": "2", "originalActionId": one, "postingDate": "2026-03-01T12:00:00Z", "original": True, "items": items or None,
        }
        for one, items in shown_items.items()
    ]  # fmt: skip
    return {"data": {"advertiserCommissions": {"count": len(page), "payloadComplete": True, "maxCommissionId": "9", "records": page}}}


def text(amount: object) -> str | None:
    return None if amount is None else str(amount)


def test_what_is_read_is_shown_as_its_table_showed_it(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()

        @settings(max_examples=20, deadline=None)
        @given(st.lists(ITEMS, min_size=1, max_size=20))
        def appended(lists: list[list[Item]]) -> None:
            session.execute("DELETE FROM cj.commissions")
            records = named(lists)
            read(session, records)
            assert shown(session) == in_order(rows(records))
            one = records[-1][0]
            assert shown(session, f"commission_id = '{one}'") == in_order(rows(records[-1:]))

        appended()


def test_the_view_has_the_columns_and_types_of_the_table_it_was(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        with before_they_were_in_the_record():
            session.create_tables()
        before = session.columns_of("SELECT * FROM cj.commission_items")
        session.create_tables()
        assert session.columns_of("SELECT * FROM cj.commission_items") == before


def test_who_could_read_the_table_can_read_the_view(postgres_database: str) -> None:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as session:
        roles = [f"analyst_{next(_IDS)}", f'"An ""odd"" {next(_IDS)}"']
        filled(session, named([[{"sku": "A", "quantity": 1, "sale_amount": None, "discount": None, "commission": None}]]))
        for role in roles:
            session.execute(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role}; GRANT USAGE ON SCHEMA cj TO {role}")
        session.execute(
            f"GRANT SELECT ON cj.commission_items TO {roles[0]}; GRANT ALL ON cj.commission_items TO {roles[1]} WITH GRANT OPTION"
        )
        session.create_tables()
        for role in roles:
            with session.transaction():
                session.execute(f"SET LOCAL ROLE {role}")
                assert [row["sku"] for row in session.rows("SELECT sku FROM cj.commission_items")] == ["A"]
        session.execute("CREATE ROLE nobody_else_1")
        with session.transaction():
            session.execute("SET LOCAL ROLE nobody_else_1")
            with pytest.raises(WarehouseError, match="permission denied"):
                session.rows("SELECT sku FROM cj.commission_items")
        session.execute("".join(f"DROP OWNED BY {role}; DROP ROLE {role}; " for role in (*roles, "nobody_else_1")))


def test_where_somebodys_view_stands_on_the_table_nothing_is_changed_and_the_sentence_names_it(postgres_database: str) -> None:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as session:
        filled(session, named([[{"sku": "A", "quantity": 1, "sale_amount": None, "discount": None, "commission": None}]]))
        session.execute("CREATE SCHEMA shop; CREATE VIEW shop.best_sellers AS SELECT sku FROM cj.commission_items")
        with pytest.raises(WarehouseError, match=r"shop\.best_sellers.*depends on.*cj\.commission_items"):
            session.create_tables()
        assert session.rows("SELECT sku FROM shop.best_sellers") == [{"sku": "A"}]
        assert session.rows("SELECT MAX(version) AS v FROM cj.schema_version") == [{"v": 17}]
        session.execute("DROP VIEW shop.best_sellers")
        session.create_tables()
        session.execute("CREATE VIEW shop.best_sellers AS SELECT sku FROM cj.commission_items")
        session.create_tables(whole=True)
        assert session.rows("SELECT sku FROM shop.best_sellers") == [{"sku": "A"}]


@pytest.mark.parametrize(
    "asked",
    [
        "SELECT * FROM cj.commission_items WHERE commission_id = '77'",
        "SELECT i.* FROM cj.commissions AS c INNER JOIN cj.commission_items AS i ON i.commission_id = c.commission_id WHERE c.order_id = 'o-77'",
        "SELECT i.* FROM cj.commissions AS c LEFT JOIN cj.commission_items AS i USING (commission_id) WHERE c.order_id IN ('o-77', 'o-78')",
        "SELECT * FROM cj.commission_items WHERE commission_id IN (SELECT commission_id FROM cj.commissions WHERE order_id = 'o-77')",
    ],
)
def test_the_items_of_some_records_are_found_by_index(postgres_database: str, asked: str) -> None:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as session:
        session.create_tables()
        session.execute(
            "INSERT INTO cj.commissions (commission_id, advertiser_id, action_tracker_id, order_id, action_type, action_status, publisher_id, "
            "posting_date, original, items_mark, ingested_at, items) SELECT CAST(n AS text), '1', 7, 'o-' || n, 'sale', 'new', '2', :now, TRUE, 0, :now, "
            """'[["' || n || '","A",1,null,null,null]]' FROM generate_series(1, 20000) AS n""",
            {"now": NOON},
        )
        session.analyze("cj.commissions")
        plan = "\n".join(str(next(iter(row.values()))) for row in session.rows(f"EXPLAIN {asked}"))
        assert "Seq Scan" not in plan
        assert session.rows(asked)[0]["commission_id"] == "77"
