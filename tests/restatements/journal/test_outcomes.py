"""What an answer file says of each order of a chunk."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from include.domain.states import Mode
from include.restatements.journal.documents import Answered
from include.restatements.journal.loading import outcomes_by_order

ORDERS = pa.table({"action_tracker_id": pa.array([1, 11, 1, 1], pa.int64()), "order_id": ["1:A", "A", "A", "1:A:"]})


def answered(**said: Any) -> Answered:
    return Answered(chunk_id="c", submitted_at=datetime(2026, 3, 1, tzinfo=UTC), mode=Mode.LIVE, **said)


def outcomes(**said: Any) -> list[tuple[Any, ...]]:
    found = outcomes_by_order(answered(**said), ORDERS)
    assert found.column_names == ["outcome", "submission_id", "batch_id", "error_message"]
    return [tuple(row.values()) for row in found.to_pylist()]


def test_each_order_has_its_own_outcome_and_what_is_not_named_is_unknown() -> None:
    assert outcomes(accepted=[[1, "A", "s", "b"]], rejected=[[11, "A", "no"]], error="hm") == [
        ("unknown", None, None, "hm"),
        ("rejected", None, None, "no"),
        ("accepted", "s", "b", None),
        ("unknown", None, None, "hm"),
    ]


@pytest.mark.parametrize("answer", [{}, {"accepted": [], "rejected": []}])
def test_an_answer_that_names_nobody_leaves_every_order_unknown(answer: Any) -> None:
    assert outcomes(**answer) == [("unknown", None, None, None)] * 4


def test_having_been_accepted_counts_before_having_been_rejected_and_the_last_time_before_the_first() -> None:
    accepted = [[1, "1:A", "s1", "b1"], [1, "1:A", "s2", "b2"]]
    rejected = [[1, "1:A", "no"], [11, "A", "first"], [11, "A", "last"]]
    assert outcomes(accepted=accepted, rejected=rejected)[:2] == [("accepted", "s2", "b2", None), ("rejected", None, None, "last")]


def test_orders_in_pieces_are_told_apart_as_whole_ones() -> None:
    answer = answered(accepted=[(1, "A", "s", "b")])
    pieces = pa.concat_tables([ORDERS.slice(0, 1), ORDERS.slice(1)])
    assert outcomes_by_order(answer, pieces).to_pylist() == outcomes_by_order(answer, ORDERS).to_pylist()
    assert outcomes_by_order(answer, ORDERS.slice(0, 0)).num_rows == 0
