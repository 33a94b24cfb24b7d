"""What a review promises, the night can still do: an order that CJ locks before the next night could mend it is said first, for a person to send by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from include.restatements.prelock.words import headline
from tests.model.world import BEGIN
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import operations
from tests.restatements.prelock.planted import fill, findings, planted, reviewed, rows
from tests.restatements.prelock.test_extension import listed
from tests.restatements.prelock.test_pack import text_of

LOCK = datetime(2026, 3, 10, tzinfo=UTC)
"""CJ's month of February locks."""
CALLED = "2 orders lock before the next night can mend them, the first at 2026-03-10 00:00 UTC: run cj_restatements now, by hand."


def test_the_last_evening_asks_for_a_run_by_hand_and_that_run_sends(world: WorldOn) -> None:
    fill(world, planted())
    world.advance(LOCK - timedelta(hours=2) - world.now())
    made = reviewed(world)
    assert {name: findings(world)[name] for name in ("restated", "cancelled")} == {
        "restated": ("send_now", "to_correct"), "cancelled": ("send_now", "to_correct"),
    }  # fmt: skip
    assert headline(made.pack).startswith(CALLED) and "the night sends 0 of them" in headline(made.pack)
    (near,) = (lock for lock in made.pack.locks if lock.near)
    assert (near.send_now, near.to_send, near.first_lock) == (2, 0, LOCK)
    for name in ("restated", "cancelled"):
        assert listed(made.files)[name]["what_to_do"].endswith("It locks at 2026-03-10 00:00 UTC.")
    assert CALLED in text_of(made.files)
    assert rows(world, "SELECT COUNT(*) AS n FROM cj.replan_news") == [{"n": 2}]
    by_hand = world.prepare(BEGIN - timedelta(days=1), BEGIN)
    assert sorted(operations(by_hand)) == ["cancel", "restate"]


def test_what_the_next_night_still_mends_is_left_to_it(world: WorldOn) -> None:
    """The night begins at 02:00 and CJ takes an hour: an order that locks at 03:01 is the night's, one that locks at 03:00 is not."""
    orders = planted()
    fill(world, orders)
    night = world.now().replace(hour=2, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for name, at in (("restated", night + timedelta(minutes=60)), ("cancelled", night + timedelta(minutes=61))):
        lock = {"kind": "lock", "locking_date": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "action_status": "new"}
        world.act(name, [orders[name].states[0].key], lock)
    reviewed(world)
    assert (findings(world)["restated"][0], findings(world)["cancelled"][0]) == ("send_now", "to_send")
