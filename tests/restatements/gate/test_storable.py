"""What the gate lets through, every warehouse can store and CJ can be sent; and so it is with what it holds back, in whatever row."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from include.cj.payload import content_hashes, request_body
from include.domain.marks import items_marks
from include.domain.shapes import CHANGES, CHUNK, INSTANT, MONEY
from include.domain.states import Operation
from include.restatements.gate.gate import QUARANTINED, Gate
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.gate.test_gate import NOW, order

LARGEST = Decimal("9" * 28 + "." + "9" * 10)
MICROSECONDS = st.sampled_from([-(2**63), 2**63 - 1, -9222425352054775809, 0, -1, 253402300800000000]) | st.integers(-(2**63), 2**63 - 1)
TEXT = (
    st.none()
    | st.text(max_size=8)
    | st.sampled_from(["", "\0", "a\0b", "\x1b[2J", "\t", "\x85", "\u2028", "😀", "ORD-1", "EUR", "Pending", "Declined"])
)
MONEYS = (
    st.none()
    | st.integers(1 - 10**38, 10**38 - 1).map(lambda n: Decimal(f"{n}e-10"))
    | st.sampled_from([LARGEST, LARGEST.copy_negate(), Decimal(10) ** 18, Decimal(10) ** 18 - 1, Decimal(20)])
)
WHOLE = st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3)
PARAMETERS = TEXT | st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.none() | st.integers() | st.floats(), max_size=2).map(
    json.dumps
)
ITEM = st.fixed_dictionaries({"sku": TEXT, "quantity": WHOLE, "unit_price": MONEYS, "discount": MONEYS})
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "enterprise_id": TEXT, "action_tracker_id": WHOLE, "order_id": TEXT, "change_type": st.sampled_from(["new", "restated", "cancelled", "\0", None]),
    "was_new": st.none() | st.booleans(), "event_time": st.none() | MICROSECONDS, "updated_at": st.none() | MICROSECONDS, "amount": MONEYS,
    "discount": MONEYS, "currency": TEXT, "coupon": TEXT, "items": st.none() | st.lists(ITEM, max_size=3), "status": TEXT, "correction_reason": TEXT,
    "cj_event": TEXT, "ad_id": WHOLE, "promotional_property_id": WHOLE, "sid": TEXT, "custom_parameters": PARAMETERS,
    "vertical_parameters": PARAMETERS, "malformed": TEXT,
}  # fmt: skip


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """A good row, or a cancelled one, with something else in some of its columns."""
    changed = {name: draw(VALUES[name]) for name in draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=3, unique=True))}
    row = order(amount=Decimal(20), items=None, change_type=draw(st.sampled_from(["new", "restated", "cancelled", "cancelled"]))) | changed
    for name in ("event_time", "updated_at"):
        if isinstance(row[name], datetime):
            row[name] = round(row[name].timestamp()) * 1_000_000
    return row


def table_of(given_rows: list[dict[str, Any]]) -> pa.Table:
    """In the order of the key, as the query gives them; times as bare microseconds, which may be infinite."""
    bare = pa.schema([pa.field(f.name, pa.int64() if f.type == INSTANT else f.type) for f in CHANGES])
    table = pa.Table.from_pylist(given_rows, bare).cast(CHANGES)
    keys = [("enterprise_id", "ascending"), ("action_tracker_id", "ascending"), ("order_id", "ascending")]
    return table.take(pc.sort_indices(table, keys))


def operations(good: pa.Table) -> list[tuple[Operation, pa.Table]]:
    """The rows as the chunks that could be made of them."""
    cancelled = pc.equal(good["change_type"], "cancelled")
    hashed = good.append_column("payload_hash", content_hashes(good, cancelled, pa.scalar("USD")))
    hashed = hashed.append_column("attempt", pa.array([1] * good.num_rows, pa.int32())).append_column(
        "items_mark", items_marks(good["items"])
    )
    # What the plan says is none of the gate's.
    for column in (f for f in CHUNK if f.name not in hashed.column_names):
        hashed = hashed.append_column(column, pa.nulls(good.num_rows, column.type))
    chunk = hashed.select(CHUNK.names).cast(CHUNK)
    new = pc.equal(good["change_type"], "new")
    rest = pc.invert(pc.or_(cancelled, new))
    kinds = {Operation.CANCEL: cancelled, Operation.CREATE: new, Operation.RESTATE: rest}
    return [(kind, chunk.filter(mask)) for kind, mask in kinds.items()]


def test_whatever_a_row_holds_what_passes_and_what_does_not_can_be_stored_and_what_passes_can_be_sent(
    location: WarehouseLocation, tmp_path: Path
) -> None:
    columns = ", ".join(f"{f.name} {_SQL[str(f.type)]}" for f in CHUNK if f.name != "items")
    with open_warehouse(location) as session:
        session.create_tables()
        session.execute(f"CREATE TABLE passed ({columns})")

        @settings(max_examples=6, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(st.data())  # drawn within, because nobody could read so many rows in a failure's call
        def one_night(data: st.DataObject) -> None:
            drawn = data.draw(st.lists(rows(), min_size=25, max_size=60))
            night = [row | ({"order_id": f"ORD-{n}"} if row["order_id"] == "ORD-1" else {}) for n, row in enumerate(drawn)]
            gate = Gate(NOW, Decimal(1), tmp_path / "quality", frozenset({"1500001"}))
            parts = list(gate.inspect([table_of(night)]))
            good, bad = pa.concat_tables([p.good for p in parts]), pa.concat_tables([p.bad for p in parts])
            assert good.num_rows + bad.num_rows == len(night)
            assert bad.schema == QUARANTINED
            with session.transaction():
                for operation, chunk in operations(good):
                    session.append("passed", chunk.drop_columns(["items"]))
                    request_body(operation, chunk)
                constants = {"run_id": "r", "stage": "validation"}
                for name, value in constants.items():
                    bad = bad.append_column(name, pa.array([value] * bad.num_rows, pa.string()))
                session.append("cj.quarantine", bad.append_column("quarantined_at", pa.array([NOW] * bad.num_rows, INSTANT)))
            session.rows("SELECT SUM(amount) AS a, SUM(discount) AS d FROM passed")

        one_night()
        (counted,) = session.rows("SELECT COUNT(*) AS passed, (SELECT COUNT(*) FROM cj.quarantine) AS held FROM passed")
    assert all(int(str(number)) > 20 for number in counted.values())


_SQL = {
    "string": "text", "int64": "bigint", "int32": "integer", str(MONEY): "decimal(38, 10)", "decimal128(38, 0)": "decimal(38, 0)",
    str(INSTANT): "timestamp with time zone", "bool": "boolean",
}  # fmt: skip


def test_a_cancellation_goes_on_without_what_could_not_be_stored_and_with_all_else(location: WarehouseLocation, tmp_path: Path) -> None:
    bad = {
        "coupon": "a\0",
        "sid": "b\0",
        "amount": Decimal(10) ** 18,
        "custom_parameters": "\0",
        "event_time": datetime(1, 1, 1, tzinfo=UTC),
    }
    item = {"sku": "A", "quantity": 2**63 - 1, "unit_price": None, "discount": None}
    night = [
        order(change_type="cancelled", order_id="A", items=[item] * 100, **bad),
        order(change_type="cancelled", order_id="B", amount=Decimal(-5), coupon="x\n", items=[item | {"quantity": 1}]),
    ]
    gate = Gate(NOW, Decimal(1), tmp_path / "quality", frozenset({"1500001"}))
    (seen,) = gate.inspect([pa.Table.from_pylist(night, CHANGES)])
    assert seen.bad.num_rows == 0
    lost, same = seen.good.to_pylist()
    assert lost == night[0] | dict.fromkeys([*bad, "items"])
    assert same == night[1]


def test_infinite_times_are_held_back_with_the_rest_of_their_row_named(location: WarehouseLocation, tmp_path: Path) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        for infinite in ("infinity", "-infinity"):
            with session.transaction():
                sql = f"SELECT CAST('{infinite}' AS timestamp with time zone) AS t"
                (batch,) = session.stream(sql, {}, 10, exclusive=True)
            night = pa.Table.from_pylist([order(event_time=None)], CHANGES)
            night = night.set_column(CHANGES.get_field_index("updated_at"), "updated_at", batch.column(0))
            gate = Gate(NOW + timedelta(days=1), Decimal(1), tmp_path / "quality", frozenset({"1500001"}))
            (seen,) = gate.inspect([night])
            assert seen.good.num_rows == 0
            assert seen.bad["order_id"].to_pylist() == ["ORD-1"]
            assert seen.bad["updated_at"].to_pylist() == [None]
            assert seen.bad["reason"].to_pylist()[0] in ("updated_at_out_of_range", "updated_at_in_future")
