"""How a plan is cut into chunks."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from include.cj.payload import request_body
from include.domain.shapes import CHUNK
from include.domain.states import Operation
from include.restatements.journal.chunks import ChunkWriter
from include.restatements.journal.journal import Journal
from include.storage.opening import folder

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def orders(numbers: range) -> pa.Table:
    rows = [
        {
            "enterprise_id": "1500001", "action_tracker_id": 401, "order_id": f"SO-{n:06}", "updated_at": NOON, "amount": Decimal(n),
            "currency": "USD", "payload_hash": f"{n:032x}", "attempt": 1,
        }
        for n in numbers
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=CHUNK)


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 250])
def test_every_order_is_in_exactly_one_chunk_whatever_the_chunk_size_leaves_over(tmp_path: Path, count: int) -> None:
    journal = Journal(folder(f"file://{tmp_path}"))
    writer = ChunkWriter(journal, "night", 100, lambda ref, written: None)
    for start in range(0, count, 30):
        writer.add(Operation.RESTATE, orders(range(start, min(start + 30, count))))
    chunks = writer.finish()
    written = [order for chunk in chunks for order in journal.orders(chunk.ref)["order_id"].to_pylist()]
    assert written == orders(range(count))["order_id"].to_pylist()
    assert [chunk.orders for chunk in chunks] == [100] * (count // 100) + ([count % 100] if count % 100 else [])


def test_a_cancellation_is_written_down_without_what_is_never_sent_under_the_same_name(tmp_path: Path) -> None:
    names = ("sid", "cj_event", "custom_parameters", "vertical_parameters")
    order = orders(range(1))
    full = order
    for name in names:
        full = full.set_column(full.schema.get_field_index(name), name, pa.array(['{"who": "member-7"}']))
    chunks = []
    for place, table in (("full", full), ("bare", order)):
        journal = Journal(folder(f"file://{tmp_path}/{place}"))
        writer = ChunkWriter(journal, "night", 100, lambda ref, written: None)
        writer.add(Operation.CANCEL, table)
        (chunk,) = writer.finish()
        assert journal.orders(chunk.ref).to_pylist() == order.to_pylist()
        chunks.append((chunk.content_hash, chunk.ref.chunk_id, request_body(Operation.CANCEL, journal.orders(chunk.ref))))
    assert chunks[0] == chunks[1]
    assert chunks[0][2] == request_body(Operation.CANCEL, full)


@pytest.mark.parametrize(("operation", "kept"), [(Operation.CREATE, "member-7"), (Operation.RESTATE, None), (Operation.CANCEL, None)])
def test_a_sid_is_written_down_only_where_it_is_sent(tmp_path: Path, operation: Operation, kept: str | None) -> None:
    journal = Journal(folder(f"file://{tmp_path}"))
    writer = ChunkWriter(journal, "night", 100, lambda ref, written: None)
    order = orders(range(1))
    writer.add(operation, order.set_column(order.schema.get_field_index("sid"), "sid", pa.array(["member-7"])))
    (chunk,) = writer.finish()
    assert journal.orders(chunk.ref)["sid"].to_pylist() == [kept]


@pytest.mark.parametrize(("asked", "read"), [(None, ["a", "b"]), (["b"], ["b"]), (["b", "later"], ["b"])])
def test_of_a_table_the_columns_are_read_that_are_asked_for_and_were_written(
    tmp_path: Path, asked: list[str] | None, read: list[str]
) -> None:
    journal = Journal(folder(f"file://{tmp_path}"))
    journal.put_table("night/orders.parquet", pa.table({"a": [1], "b": [2]}))
    found = journal.read_table("night/orders.parquet", asked)
    assert found is not None
    assert found.column_names == read
    assert journal.read_table("night/others.parquet", asked) is None
