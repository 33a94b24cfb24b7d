"""A review finds every order whose state at CJ is not the warehouse's, and nothing else; what differs is sent by the next night and by nothing else."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.model.histories import FIXED_DATE
from tests.model.shop import Key
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import operations, quiet_night
from tests.restatements.prelock.planted import fill, findings, planted, reviewed, rows, since


def test_every_planted_difference_is_found_and_nothing_else(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    made = reviewed(world)
    listed = {name: (one.finding, one.extension) for name, one in orders.items() if one.finding != "agrees" or one.extension is not None}
    assert findings(world) == listed
    assert made.pack.orders == len(orders)
    counted = {word: sum(one.finding == word for one in orders.values()) for word in {one.finding for one in orders.values()}}
    assert made.pack.findings == counted
    assert rows(world, "SELECT COUNT(*) AS n FROM cj.replan_news") == [{"n": 2}]
    assert world.fates() == []  # a review sends nothing


def test_what_differs_is_sent_by_the_next_night_and_then_agrees(world: WorldOn) -> None:
    fill(world, planted())
    reviewed(world)
    played = quiet_night(world)
    assert sorted((one.operation, key.order_id) for (_, key), one in played.orders.items()) == [
        ("cancel", "cancelled"),
        ("restate", "restated"),
    ]
    held = world.held()
    assert held[Key(FIXED_DATE, "restated")]["amount"] == "50.00"
    assert held[Key(FIXED_DATE, "cancelled")]["cancelled"]
    after = reviewed(world, "review_2")
    assert after.pack.findings.get("to_send", 0) == 0
    assert findings(world)["restated"] == ("agrees", "corrected")
    assert rows(world, "SELECT COUNT(*) AS n FROM cj.replan_news WHERE found_after IS NOT NULL") == [{"n": 0}]
    assert operations(quiet_night(world)) == []


def test_the_night_sends_the_state_of_its_own_hour_and_not_what_the_review_saw(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    reviewed(world)
    world.append(
        [
            since(orders["restated"].states[-1], amount=Decimal("20.00"), items=None),
            since(orders["cancelled"].states[-1], change_type="cancelled", correction_reason="Other"),
        ]
    )
    quiet_night(world)
    sent = {one["order_id"]: one for one in world.fates()}
    assert sorted(sent) == ["cancelled"]  # what lost its items is held back, by the same rule as any night
    assert rows(world, "SELECT rule FROM cj.quarantine WHERE order_id = 'restated'") == [{"rule": "items_would_go"}]


def test_what_is_right_again_by_the_night_is_not_sent(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    reviewed(world)
    world.append(
        [since(orders["restated"].states[-1], amount=orders["restated"].states[0].amount, items=orders["restated"].states[0].items)]
    )
    played = quiet_night(world)
    assert [key.order_id for _, key in played.orders] == ["cancelled"]
    assert rows(world, "SELECT reason FROM cj.skipped WHERE order_id = 'restated'") == [{"reason": "unchanged"}]


def test_a_review_after_the_lock_says_what_it_costs_and_plans_nothing(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    world.advance(timedelta(days=9))
    made = reviewed(world)
    assert findings(world)["restated"][0] == "too_late"
    assert rows(world, "SELECT COUNT(*) AS n FROM cj.replan_news") == [{"n": 0}]
    lost = {(one.month, one.reason, one.change): (one.orders, one.cost) for one in made.pack.lost}
    # 8 % commission and 2 % fee: on the half that came back, and on all of what was cancelled.
    assert lost == {("2026-03", "locked", "ReturnedMerchandise"): (1, "10.00"), ("2026-03", "locked", "restated"): (2, "5.00")}
    again = reviewed(world, "review_2")
    assert (again.pack.lost, again.pack.digest) == (made.pack.lost, made.pack.digest)
