"""A rehearsal may only succeed if every order agrees to the penny, or the loop said why it does not."""

from __future__ import annotations

import json
from decimal import Decimal

import pyarrow as pa
import pytest

from lab.comparison import NOTHING, Comparison, OrderKey, compare

TEAPOT = json.dumps([{"sku": "22423", "quantity": 2, "unit_price": "12.75", "discount": "0.00"}])
KEY = {"enterprise_id": "1500001", "action_tracker_id": 401}


def states(*rows: dict[str, object]) -> pa.Table:
    whole = [
        KEY | {"change_type": "restated", "amount": Decimal("25.50"), "discount": Decimal("0.00"), "items": TEAPOT} | row for row in rows
    ]
    names = ("enterprise_id", "action_tracker_id", "order_id", "change_type", "amount", "discount", "items")
    return pa.table({name: [row[name] for row in whole] for name in names})


def words(*rows: tuple[str, str, str | None]) -> pa.Table:
    return pa.table(
        {
            "enterprise_id": pa.array([KEY["enterprise_id"]] * len(rows), pa.string()),
            "action_tracker_id": pa.array([KEY["action_tracker_id"]] * len(rows), pa.int64()),
            "order_id": pa.array([row[0] for row in rows], pa.string()),
            "table": pa.array([row[1] for row in rows], pa.string()),
            "reason": pa.array([row[2] for row in rows], pa.string()),
        }
    )


def one(should: dict[str, object], held: dict[str, object] | None, word: tuple[str, str | None] | None = None) -> Comparison:
    cj = states() if held is None else states({"order_id": "A"} | held)
    return compare(states({"order_id": "A"} | should), cj, words(("A", *word)) if word else words())


def test_the_same_money_and_basket_agree_however_they_are_written() -> None:
    assert one({}, {"amount": Decimal("25.5000000000"), "discount": None}) == Comparison(1, 1, {}, ())
    split = json.dumps([{"sku": "22423", "quantity": 1, "unit_price": "12.75", "discount": "0.00"}] * 2)
    assert one({}, {"items": split}).agreed == 1


@pytest.mark.parametrize(
    "held",
    [
        {"amount": Decimal("25.51")},
        {"amount": Decimal("25.5000000001")},
        {"discount": Decimal("0.01")},
        {"items": TEAPOT.replace('"quantity": 2', '"quantity": 3')},
        {"items": TEAPOT.replace("22423", "22424")},
        {"items": None},
        None,
    ],
)
def test_one_penny_one_piece_or_one_sku_is_a_difference(held: dict[str, object] | None) -> None:
    comparison = one({}, held, ("submissions", "accepted"))
    assert (comparison.agreed, comparison.held_back) == (0, {})
    assert comparison.differences[0].key == OrderKey("1500001", 401, "A")
    assert comparison.differences[0].last_word == "submissions: accepted"


def test_a_cancelled_order_agrees_with_zeros_and_with_absence() -> None:
    assert one({"change_type": "cancelled"}, {"amount": Decimal("0"), "items": None}).agreed == 1
    assert one({"change_type": "cancelled"}, None).agreed == 1
    assert one({"change_type": "cancelled"}, {}).differences[0].should == NOTHING


@pytest.mark.parametrize("word", [("quarantine", "locked"), ("skipped", "not_in_cj"), ("skipped", "never_sent"), ("skipped", "waiting")])
def test_an_order_held_back_with_a_reason_is_no_difference(word: tuple[str, str]) -> None:
    assert one({}, None, word) == Comparison(1, 0, {f"{word[0]}: {word[1]}": 1}, ())


def test_unchanged_is_no_excuse_because_it_claims_that_cj_agrees() -> None:
    assert len(one({}, None, ("skipped", "unchanged")).differences) == 1
    assert one({}, {}, ("skipped", "unchanged")).agreed == 1


def test_an_order_nobody_spoke_of_is_a_difference() -> None:
    assert str(one({}, None).differences[0]) == (
        "order A: the warehouse says 25.50 less 0.00, 2 pieces, CJ holds nothing; last word: nothing"
    )


def test_an_order_only_cj_knows_is_a_difference_whatever_was_said() -> None:
    comparison = compare(states(), states({"order_id": "A"}), words(("A", "quarantine", "locked")))
    assert len(comparison.differences) == 1


def test_every_order_is_counted_once() -> None:
    comparison = compare(
        states({"order_id": "A"}, {"order_id": "B"}, {"order_id": "C"}),
        states({"order_id": "A"}, {"order_id": "D"}),
        words(("B", "quarantine", "locked")),
    )
    assert (comparison.orders, comparison.agreed, comparison.held_back) == (4, 1, {"quarantine: locked": 1})
    assert [difference.key.order_id for difference in comparison.differences] == ["C", "D"]


def test_two_states_of_one_order_are_refused() -> None:
    with pytest.raises(ValueError, match="'cj' holds 1 orders more than once"):
        compare(states({"order_id": "A"}), states({"order_id": "A"}, {"order_id": "A"}), words())
