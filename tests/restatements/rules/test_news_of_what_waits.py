"""What was read is looked through by one plan: no order is lost by that, whatever happens between two plans."""

from __future__ import annotations

from random import Random

import pytest

from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from tests.restatements.rules.ground import NO_PLAN, Ground

ORDERS = [f"o-{n}" for n in range(12)]


def pending(session: Session) -> list[str]:
    return [str(row["order_id"]) for row in session.rows("SELECT order_id FROM cj.replan_news ORDER BY order_id")]


def test_a_record_is_looked_through_once_and_its_order_kept_until_it_is_planned(ground: Ground) -> None:
    ground.planned(plan_number=1, reading=1).skipped(reason="unchanged", plan_number=1)
    ground.planned(plan_number=2, reading=1)
    assert ground.again(by_plan=2) == []
    ground.record(reading=2).planned(plan_number=3, reading=2)
    assert ground.again(by_plan=3) == ["o"]  # and that plan could not plan it: its row was away
    ground.planned(plan_number=4, reading=2)
    assert ground.again(by_plan=4) == ["o"]
    ground.skipped(reason="unchanged", plan_number=4)
    ground.planned(plan_number=5, reading=2)
    assert ground.again(by_plan=5) == []
    assert pending(ground.session) == []


@pytest.mark.parametrize("word", ["skipped", "held back"])
def test_news_from_before_the_last_plan_that_looked_is_not_looked_for_again(ground: Ground, word: str) -> None:
    """It would be found by no reading, only by going through all that was ever said."""
    ground.planned(plan_number=2, reading=5)
    assert ground.again(by_plan=2) == []
    ground.planned(plan_number=1, reading=1).record(reading=4)
    if word == "skipped":
        ground.skipped(reason="unchanged", plan_number=1)
    else:
        ground.held_back(stage="eligibility", reason="locked", rule="locked", plan_number=1)
    ground.planned(plan_number=3, reading=5)
    assert ground.again(by_plan=3) == []
    assert ground.again(by_plan=NO_PLAN) == []


def test_plans_from_before_this_was_kept_looked_through_nothing(ground: Ground) -> None:
    ground.planned(plan_number=1, reading=1).planned(plan_number=2, reading=9).skipped(reason="unchanged", plan_number=1).record(reading=2)
    assert ground.again(by_plan=3) == ["o"]


@pytest.mark.parametrize("word", ["skipped", "held back"])
def test_a_word_of_one_kind_is_the_last_where_there_is_none_of_the_other(location: WarehouseLocation, word: str) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        ground = Ground(session).planned(plan_number=1, reading=1).record(reading=2)
        if word == "skipped":
            ground.skipped(reason="unchanged", plan_number=1)
        else:
            ground.held_back(stage="eligibility", reason="locked", rule="locked", plan_number=1)
        assert ground.again() == ["o"]


def night(random: Random, ground: Ground, plan_number: int, reading: int) -> None:
    """What is read, where anything was since the plan before, then what a plan finds again, of which it can plan some."""
    before = ground.session.rows("SELECT MAX(reading) AS reading FROM cj.plans")[0]["reading"]
    for order in random.sample(ORDERS, random.randint(0, 4) if reading != before else 0):
        kind = random.choice(["record", "record", "moved", "aside", "first"])
        if kind == "record":
            ground.record(order_id=order, reading=reading)
        elif kind == "moved":
            ground.record(order_id=order, reading=random.randint(1, reading), moved_reading=reading)
        elif kind == "aside":
            ground.set_aside(order_id=order, commission_id=f"a-{plan_number}-{order}", reading=reading)
        else:
            ground.read(reading=reading, kind="first")
    ground.planned(plan_number=plan_number, reading=reading)
    again = ground.again(by_plan=plan_number)
    assert again == looked_through_whole(ground), plan_number
    for order in sorted({*random.sample(ORDERS, random.randint(0, 5)), *random.sample(again, random.randint(0, len(again)))}):
        say(random, ground, order, plan_number)


def say(random: Random, ground: Ground, order: str, plan_number: int) -> None:
    """A plan's word on an order: skipped, held back, or sent."""
    word = random.choice(
        ["unchanged", "not_in_cj", "never_sent", "waiting", "superseded", "locked", "older_than_the_ledger", "in_future", "sent"]
    )
    if word == "sent":
        ground.sent(order_id=order, plan_number=plan_number, mode=random.choice(["live", "test"]))
    elif word == "locked":
        ground.held_back(order_id=order, stage="eligibility", reason="locked", rule="locked", plan_number=plan_number)
    elif word == "older_than_the_ledger":
        ground.held_back(order_id=order, stage="eligibility", reason="not_in_cj", rule=word, plan_number=plan_number)
    elif word == "in_future":
        ground.held_back(order_id=order, stage="validation", reason="event_time", rule="event_time_in_future", plan_number=plan_number)
    else:
        ground.skipped(order_id=order, reason=word, rule=word, plan_number=plan_number)


def looked_through_whole(ground: Ground) -> list[str]:
    """What a plan finds that goes through all that was ever read."""
    kept, collected = (
        ground.session.table("SELECT * FROM cj.replan_news"),
        ground.session.table("SELECT plan_number FROM cj.plans WHERE collected"),
    )
    ground.session.execute("UPDATE cj.plans SET collected = NULL")
    ground.session.execute("DELETE FROM cj.replan_news")
    found = ground.again(by_plan=NO_PLAN)
    ground.session.execute("DELETE FROM cj.replan_news")
    ground.session.append("cj.replan_news", kept)
    for number in collected["plan_number"].to_pylist():
        ground.session.execute("UPDATE cj.plans SET collected = TRUE WHERE plan_number = :number", {"number": number})
    return found


@pytest.mark.parametrize("seed", range(6))
def test_plan_after_plan_finds_what_one_finds_that_looks_through_everything(location: WarehouseLocation, seed: int) -> None:
    random = Random(seed)
    with open_warehouse(location) as session:
        session.create_tables()
        ground = Ground(session)
        reading = 1
        for plan_number in range(1, 25):
            reading += random.randint(0, 2)
            night(random, ground, plan_number, reading)
