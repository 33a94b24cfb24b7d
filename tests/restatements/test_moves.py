"""What a person is shown of a plan: what it moves by operation and partner, exactly, and what is not known of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest

from include.domain.shapes import INSTANT, MONEY
from include.domain.states import Operation
from include.restatements.approval.moves import MOST_SHOWN, Moves, shown, taken_back
from include.restatements.approval.question import Asked, body
from include.restatements.journal.documents import Move
from include.restatements.journal.journal import run_folder
from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Key
from tests.model.world import BEGIN
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import later, placed


def move(**fields: object) -> Move:
    told: dict[str, object] = {
        "enterprise_id": "1", "operation": Operation.RESTATE, "publisher_id": "77", "publisher_name": "Blog", "orders": 1, "at_stake": "1.00",
        "unpriced": 0, "taken_back": "10.00", "added": "0.00", "unmeasured": 0,
    }  # fmt: skip
    return Move(**told | fields)  # type: ignore[arg-type]


def asked(*moves: Move) -> Asked:
    return Asked("run", "d1", "1.00", 0, "restate 1", "cj live", moves, ["Why."], "http://127.0.0.1/runs/run")


def test_a_plan_says_what_it_moves_by_operation_and_partner(world: WorldOn) -> None:
    orders = [placed(key=Key(FIXED_DATE, f"o-{n}")) for n in range(1, 7)]
    reported = [
        pixel_order(order, order.event_time) | {"publisher_id": publisher} for order, publisher in zip(orders, "112233", strict=True)
    ]
    world.pixel(reported[:5])
    changed = [
        later(orders[0], 5, amount=Decimal("80.01")),
        later(orders[1], 5, amount=Decimal("130.00"), discount=Decimal("5.00")),
        later(orders[2], 5, change_type="cancelled"),
        later(orders[3], 5, change_type="cancelled"),
        later(orders[4], 5, amount=Decimal("60.00"), currency="GBP"),
    ]
    world.append([*orders, *changed])
    world.prepare(BEGIN.replace(day=1), world.now(), "tonight")
    manifest = world.journal.manifest(run_folder("tonight"))
    assert manifest is not None
    told = [(m.operation.value, m.publisher_id, m.orders, m.taken_back, m.added, m.unmeasured) for m in manifest.moves]
    assert told == [
        ("create", None, 1, "0.00", "100.00", 0),
        ("restate", "1", 2, "19.99", "25.00", 0),
        ("restate", "3", 1, "0.00", "0.00", 1),
        ("cancel", "2", 2, "200.00", "0.00", 0),
    ]
    assert sum(Decimal(m.at_stake) for m in manifest.moves) == Decimal(manifest.at_stake)
    assert sum(m.unpriced for m in manifest.moves) == manifest.unpriced


def test_what_it_sums_up_is_exact_and_what_is_not_known_is_counted_beside_it() -> None:
    largest = Decimal(f"{'9' * 28}.{'9' * 10}")
    decisions = pa.table(
        {
            "enterprise_id": pa.array(["1"] * 6),
            "action_tracker_id": pa.array([401] * 6, pa.int64()),
            "publisher_id": pa.array(["7", "7", "7", "7", None, None]),
            "publisher_name": pa.array(["Blog", None, "Blog", "Blog", None, None]),
            "at_stake": pa.array([Decimal("1.0000000001"), largest, None, None, None, Decimal(2)], MONEY),
            "sales_moved": pa.array([largest.copy_negate(), Decimal("5.5"), None, None, Decimal(0), None], MONEY),
            "held_sales": pa.array([largest, Decimal(3), Decimal("40.25"), None, Decimal(9), Decimal(1)], MONEY),
        }
    )
    orders = pa.table({"event_time": pa.array([BEGIN] * 6, INSTANT)})
    moves = Moves(BEGIN, BEGIN, BEGIN)
    for _ in range(2):
        moves.add(Operation.RESTATE, orders, decisions)
    moves.add(Operation.RESTATE, orders.slice(0, 0), decisions.slice(0, 0))
    nobodys, blog = moves.finish().moves
    assert nobodys == Move(
        enterprise_id="1", operation=Operation.RESTATE, publisher_id=None, publisher_name=None, orders=4, at_stake="4.00", unpriced=2,
        taken_back="0.00", added="0.00", unmeasured=2, held_of_unmeasured="2.00",
    )  # fmt: skip
    assert blog == Move(
        enterprise_id="1", operation=Operation.RESTATE, publisher_id="7", publisher_name="Blog", orders=8, at_stake="20000000000000000000000000002.00",
        unpriced=4, taken_back="19999999999999999999999999999.9999999998", added="11.00", unmeasured=4, held_of_unmeasured="80.50",
    )  # fmt: skip
    assert taken_back(decisions).to_pylist() == [largest, 0, Decimal("40.25"), None, 0, 1]


def test_many_partners_are_shown_as_the_ones_that_move_most_and_a_row_for_the_rest_that_loses_nothing() -> None:
    moves = [move(publisher_id=str(n), at_stake=f"{n}.01", taken_back=f"{n}0.00", unpriced=n % 2) for n in range(MOST_SHOWN + 5)]
    rows = shown(moves)
    assert [row.publisher_id for row in rows[:2]] == [str(MOST_SHOWN + 4), str(MOST_SHOWN + 3)]
    assert (len(rows), rows[-1].publisher_name, rows[-1].orders) == (MOST_SHOWN + 1, "5 others", 5)
    for name in ("at_stake", "taken_back", "added"):
        assert sum(Decimal(getattr(row, name)) for row in rows) == sum(Decimal(getattr(one, name)) for one in moves)
    assert sum(row.unpriced for row in rows) == sum(one.unpriced for one in moves)


def test_what_is_not_known_is_marked_and_counted() -> None:
    text = body(asked(move(unpriced=2, unmeasured=1, orders=3)))
    assert "| 3 | 1.00 + ? | 10.00 + ? | 0.00 + ? |" in text
    assert "**Not known** (marked ?): what is at stake of 2 orders, and what it changes of the sales of 1 order." in text
    assert "Not known" not in body(asked(move()))


def test_it_says_how_many_orders_a_review_found_and_what_sends_the_rest_without_them() -> None:
    one, two = (body(replace(asked(move()), found=found)) for found in (1, 2))
    assert "**Of a review**: 1 of these orders is one that a pre-lock review found to differ." in one
    assert "2 of these orders are ones that a pre-lock review found to differ." in two and "`cj_send_found` to false" in two
    assert "review" not in body(asked(move()))


@pytest.mark.parametrize("name", ["a|b", "[x](http://evil)", "<b>x</b>", "`x`", "two\nlines"])
def test_the_name_of_a_partner_is_text_whatever_cj_says(name: str) -> None:
    (row,) = [line for line in body(asked(move(publisher_name=name))).splitlines() if line.startswith("| 1 | restate")]
    assert row.count("|") == 8
    assert not set("[]<>`") & set(row)
