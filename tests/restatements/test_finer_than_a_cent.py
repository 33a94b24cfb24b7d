"""An amount finer than a cent, through whole nights: CJ posts it in cents, the verdict is a match, and it is never sent again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Item, Key
from tests.model.world import Options
from tests.restatements.nights import NewWorld, later, night, operations, placed

FINE: dict[str, Any] = {"amount": Decimal("16.6583"), "discount": Decimal("1.0049"), "items": (Item("MUG", 1, Decimal("16.6583")),)}


def test_an_amount_finer_than_a_cent_is_sent_in_cents_matches_and_is_not_sent_again(new_world: NewWorld) -> None:
    world = new_world(Options())
    known = placed(key=Key(FIXED_DATE, "o-2"))
    world.pixel([pixel_order(known, known.event_time)])
    world.append([placed(**FINE), later(known, 5, **FINE)])
    first = night(world)
    assert sorted(operations(first)) == ["create", "restate"]
    assert first.prepared.summary["in_cents_by_kind"] == {"rounded": 2}
    assert [(o["amount"], o["discount"]) for o in world.held().values()] == [("16.66", "1.00")] * 2
    sent = world.rows("SELECT amount, discount FROM cj.submissions")
    assert {(row["amount"], row["discount"]) for row in sent} == {(Decimal("16.66"), Decimal("1.00"))}
    verdicts = world.rows("SELECT status, difference FROM cj.reconciliation")
    assert {(row["status"], row["difference"]) for row in verdicts} == {("matched", Decimal(0))}
    world.append(later(order, 30, **FINE) for order in (placed(), known))
    assert operations(night(world)) == []


def test_what_cj_holds_in_cents_is_what_the_warehouse_says_more_finely(new_world: NewWorld) -> None:
    world = new_world(Options())
    in_cents = placed(amount=Decimal("16.66"), discount=Decimal("1.00"))
    world.pixel([pixel_order(in_cents, in_cents.event_time)])
    world.append([later(in_cents, 5, amount=Decimal("16.6583"), discount=Decimal("1.0049"))])
    played = night(world)
    assert (operations(played), played.prepared.summary["skipped_by_reason"]) == ([], {"unchanged": 1})


def test_an_order_is_created_in_the_decimals_of_the_advertiser_s_own_currency(new_world: NewWorld) -> None:
    world = new_world(Options(currency="JPY"))
    world.append([placed(amount=Decimal("1200.50"))])
    night(world)
    assert [o["amount"] for o in world.held().values()] == ["1201.00"]
    assert [row["status"] for row in world.rows("SELECT status FROM cj.reconciliation")] == ["matched"]
