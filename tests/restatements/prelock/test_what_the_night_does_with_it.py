"""What a review found stays with the nights until one of them has sent it or said why not: whatever comes between, and however much it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from include.domain.errors import AboveTheLimit
from include.domain.shapes import INSTANT
from include.domain.states import Mode
from include.restatements import prepare
from include.restatements.changes.extraction import IDS_AT_ONCE, _again
from include.restatements.journal.journal import journal_of
from include.restatements.plan.planner import MOST_ID_LISTS, id_lists
from include.restatements.preview import preview
from include.restatements.publish import publish
from include.restatements.rebuild import refill
from include.restatements.settings import Run
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.model.world import Night
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import operations, quiet_night
from tests.restatements.prelock.planted import fill, planted, reviewed, rows, since

FOUND = ["cancelled", "restated"]


def rehearsal(world: WorldOn, run_id: str) -> Night:
    """A night in Test Mode, planned."""
    live = world.settings
    world.settings = replace(live, mode=Mode.TEST)
    played = world.prepare(world.now() - timedelta(seconds=1), world.now(), run_id)
    world.settings = live
    return played


def ended(world: WorldOn, played: Night, **more: object) -> None:
    live = world.settings
    world.settings = replace(live, **more)  # type: ignore[arg-type]
    world.submit(played)
    publish(played.run, world.settings, world.location)
    world.settings = live


def planned(played: Night) -> list[str]:
    return sorted(key.order_id for _, key in played.orders)


def sent(world: WorldOn) -> list[str]:
    return [row["order_id"] for row in rows(world, "SELECT order_id FROM cj.submissions WHERE mode = 'live' ORDER BY order_id")]


@pytest.mark.parametrize("how_far", ["planned", "ended"])
def test_a_rehearsal_is_no_word_about_it(world: WorldOn, how_far: str) -> None:
    fill(world, planted())
    reviewed(world)
    tried = rehearsal(world, "rehearsal")
    assert planned(tried) == FOUND
    if how_far == "ended":
        ended(world, tried, mode=Mode.TEST)
    assert planned(quiet_night(world)) == FOUND
    assert sent(world) == FOUND
    assert operations(quiet_night(world)) == []
    assert sent(world) == FOUND


def test_a_rehearsal_before_the_review_does_not_keep_it_from_the_night(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    live = world.settings
    world.settings = replace(live, mode=Mode.TEST)
    tried = world.prepare(world.now() - timedelta(days=9), world.now(), "rehearsal")
    world.settings = live
    assert set(FOUND) <= set(planned(tried))
    reviewed(world)
    assert planned(quiet_night(world)) == FOUND
    assert sent(world) == FOUND


def test_a_rehearsal_that_would_skip_it_is_no_word_about_it(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    reviewed(world)
    right, wrong = orders["restated"].states
    world.append([since(wrong, amount=right.amount, items=right.items)])
    rehearsal(world, "rehearsal")
    assert rows(world, "SELECT reason FROM cj.skipped WHERE order_id = 'restated'") == [{"reason": "unchanged"}]
    # The log is written late: this state is newer than the one that was right, and no interval of a night has it any more.
    world.append([since(wrong, updated_at=wrong.updated_at + timedelta(days=3, hours=1))])
    assert planned(quiet_night(world)) == FOUND


def test_a_night_that_is_cleared_plans_it_again_though_another_looked_meanwhile(world: WorldOn) -> None:
    fill(world, planted())
    reviewed(world)
    start, end = world.now() - timedelta(seconds=1), world.now()
    assert planned(world.prepare(start, end, "night")) == FOUND
    other = world.prepare(start, end, "beside_it")
    assert planned(other) == []  # it waits to go live: another night leaves it alone
    again = world.prepare(start, end, "night")
    assert planned(again) == FOUND
    world.submit(again)
    world.publish(again)
    assert sent(world) == FOUND
    assert operations(quiet_night(world)) == []


@pytest.mark.parametrize("between", ["nothing", "rehearsal"])
def test_a_rebuild_loses_none_and_sends_none_twice(world: WorldOn, between: str) -> None:
    fill(world, planted())
    quiet_night(world)
    reviewed(world)
    if between == "rehearsal":
        ended(world, rehearsal(world, "rehearsal"), mode=Mode.TEST)
    for _ in range(2):
        with open_warehouse(world.location) as session, session.transaction():
            refill(session, journal_of(world.settings), world.settings)
    assert planned(quiet_night(world)) == FOUND
    with open_warehouse(world.location) as session, session.transaction():
        refill(session, journal_of(world.settings), world.settings)
    assert operations(quiet_night(world)) == []
    assert sent(world) == FOUND


def test_what_is_too_much_does_not_stop_what_happened_at_the_shop(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    account = world.settings.accounts[0].conn_id
    world.settings = replace(world.settings, never_above=Decimal("12"))
    reviewed(world)
    world.append([since(orders["agrees"].states[0], change_type="cancelled", correction_reason="Other", updated_at=world.now())])
    played = world.prepare(world.now() - timedelta(seconds=1), world.now() + timedelta(seconds=1), "night")
    assert planned(played) == ["agrees"]
    world.submit(played)
    (problem,) = publish(played.run, world.settings, world.location).problems
    assert problem.startswith(f"Account {account!r}: what a pre-lock review found was left for a later night")
    assert "above 12.00 (Variable cj_never_above)" in problem
    assert sent(world) == ["agrees"]
    # They stay in the news: as soon as somebody lets them go, they go.
    world.settings = replace(world.settings, never_above=Decimal("100"))
    assert planned(quiet_night(world)) == FOUND
    assert sent(world) == ["agrees", *FOUND]


def test_what_changed_at_the_shop_goes_without_what_a_person_did_not_let_go(world: WorldOn) -> None:
    """Both were in a plan that was rejected: all of it is planned again together, until somebody leaves aside what the review found."""
    orders = planted()
    fill(world, orders)
    reviewed(world)
    world.append([since(orders["agrees"].states[0], change_type="cancelled", correction_reason="Other", updated_at=world.now())])
    rejected = world.prepare(world.now() - timedelta(seconds=1), world.now() + timedelta(seconds=1), "night")
    assert (planned(rejected), rejected.prepared.found) == (["agrees", *FOUND], 2)
    world.six_hours_pass_for_abandoned_plans()
    again = world.prepare(world.now() - timedelta(seconds=1), world.now(), "night after")
    assert (planned(again), again.prepared.found) == (["agrees", *FOUND], 2)
    world.settings = replace(world.settings, send_found=False)
    cleared = world.prepare(world.now() - timedelta(seconds=1), world.now(), "night after")
    assert (planned(cleared), cleared.prepared.found) == (["agrees"], 0)
    world.submit(cleared)
    (problem,) = publish(cleared.run, world.settings, world.location).problems
    assert "what a pre-lock review found was left for a later night, as the Variable cj_send_found says" in problem
    assert operations(quiet_night(world)) == []
    assert sent(world) == ["agrees"]
    world.settings = replace(world.settings, send_found=True)
    assert planned(quiet_night(world)) == FOUND
    assert sent(world) == ["agrees", *FOUND]


def test_what_a_review_finds_while_a_night_begins_is_left_aside_too(world: WorldOn, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world, planted())
    reviewed(world)
    world.settings = replace(world.settings, send_found=False)
    monkeypatch.setattr(prepare, "_found", lambda *_: False)  # as it was when the night asked
    (shown,) = preview([Run("shown", world.now() - timedelta(seconds=1), world.now())], world.settings, world.location, world.now())
    assert shown.planned.operations == {}
    assert operations(quiet_night(world)) == []
    assert rows(world, "SELECT COUNT(*) AS n FROM cj.replan_news WHERE found_after IS NOT NULL") == [{"n": 2}]


def test_a_night_that_is_too_much_by_itself_stops_as_ever(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    world.settings = replace(world.settings, never_above=Decimal("5"))
    reviewed(world)
    world.append([since(orders["agrees"].states[0], change_type="cancelled", correction_reason="Other", updated_at=world.now())])
    with pytest.raises(AboveTheLimit, match=r"money at stake this night is 10\.00, above 5\.00"):
        world.prepare(world.now() - timedelta(seconds=1), world.now() + timedelta(seconds=1), "night")
    assert sent(world) == []
    assert rows(world, "SELECT order_id FROM cj.planned") == []
    assert rows(world, "SELECT COUNT(*) AS n FROM cj.replan_news WHERE found_after IS NOT NULL") == [{"n": 2}]


@pytest.mark.parametrize("found", [0, 1, IDS_AT_ONCE, IDS_AT_ONCE + 1, MOST_ID_LISTS * IDS_AT_ONCE + 1])
def test_however_many_were_found_the_log_is_asked_for_them_by_id(location: WarehouseLocation, found: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    numbers = range(found)
    keys = {
        "enterprise_id": pa.array(["1"] * found, pa.string()),
        "action_tracker_id": pa.array([1] * found, pa.int64()),
        "order_id": pa.array([f"o{n:06}" for n in numbers], pa.string()),
        "updated_at": pa.array([start + timedelta(minutes=n) for n in numbers], INSTANT),
    }
    with open_warehouse(location) as session:
        session.create_tables()
        session.append("cj.replan_keys", pa.table(keys | {"waits": pa.array([True] * found, pa.bool_())}))
        session.append("cj.replan_news", pa.table(keys | {"found_after": pa.array([1] * found, pa.int64())}))
        lists = id_lists(session)
        asked = _again(session, "text", start, lists)
    assert lists == max(1, min(MOST_ID_LISTS, -(-found // IDS_AT_ONCE)))
    by_id = sum(len(one.ids or ()) for one in asked)
    assert by_id == min(found, MOST_ID_LISTS * IDS_AT_ONCE)
