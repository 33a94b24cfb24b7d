"""Ways an order was once lost, or sent stale, after something was cut, away or asked twice: real warehouse, real sandbox, real nights."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import pytest

from include.cj.breaker import Breaker
from include.cj.client import CJClient
from include.cj.errors import CJInvalidToken, CJPaused, CJRateLimited, CJRequestTooLarge
from include.domain.account import Token
from include.domain.states import Mode
from include.restatements.journal.journal import ChunkRef
from include.restatements.ledger.accounts import read_ledgers
from include.restatements.ledger.reading import read_ledger
from include.restatements.posting.poster import Poster, Submitted
from include.restatements.submit import submit
from include.storage.local import LocalFolder
from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Key
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, later, night, operations, placed, quiet_night

START = BEGIN - timedelta(days=9)


def restated(new_world: NewWorld, options: Options | None = None) -> World:
    """An order CJ holds at 100.00, and the warehouse at 80.00."""
    world, first = new_world(options or Options()), placed()
    world.pixel([pixel_order(first, first.event_time)])
    world.append([later(first, 5, amount=Decimal("80.00"))])
    return world


def said(world: World, table: str) -> list[tuple[str, str]]:
    words = {"submissions": "outcome"}.get(table, "reason")
    return [(r["run_id"], r["word"]) for r in world.rows(f"SELECT run_id, {words} AS word FROM cj.{table} ORDER BY run_id")]


def held_amount(world: World) -> str:
    return str(world.held()[placed().key]["amount"])


def planned_again(world: World, run_id: str) -> Night:
    """The same run, its task `prepare` cleared."""
    played = world.prepare(START, world.now(), run_id)
    world.submit(played)
    world.publish(played)
    return played


def test_a_chunk_whose_intent_was_seen_and_then_taken_back_is_never_posted_over_a_newer_state(new_world: NewWorld) -> None:
    world = restated(new_world)
    old = world.prepare(START, world.now())
    world.sandbox.control.add_faults([{"kind": "status", "status": 429, "retry_after": 0, "path": "/graphql", "times": 1}])

    def an_hourly_reconciliation(step: str) -> None:
        if step == "after_intent":
            world.reconcile()

    with pytest.raises(CJRateLimited):
        submit(old.run, world.settings, old.prepared.batches[0], an_hourly_reconciliation)
    world.mend()
    assert said(world, "submissions") == [(old.run.run_id, "unknown")]
    world.advance(timedelta(hours=2))
    world.reconcile()
    assert said(world, "submissions") == []
    assert world.rows("SELECT status FROM cj.reconciliation") == []
    world.append([later(placed(), 60, amount=Decimal("60.00"))])
    world.advance(timedelta(hours=22))
    assert operations(night(world)) == ["restate"]
    submit(old.run, world.settings, old.prepared.batches[0])
    world.publish(old)
    world.advance(timedelta(hours=2))
    world.reconcile()
    assert held_amount(world) == "60.00"
    assert said(world, "skipped") == [(old.run.run_id, "superseded")]


@pytest.mark.parametrize(("fault", "posts_after"), [("cut_after", timedelta(hours=5)), (None, timedelta(hours=45))])
def test_a_state_that_posts_after_it_was_given_up_is_put_right_although_the_newer_one_was_called_unchanged(
    new_world: NewWorld, fault: str | None, posts_after: timedelta
) -> None:
    world = restated(new_world)
    delay = {"kind": "delay", "seconds": posts_after.total_seconds(), "times": 1, "order_ids": ["o-1"]}
    world.sandbox.control.add_faults([delay, *([{"kind": fault, "path": "/graphql", "times": 1}] if fault else [])])
    given_up = world.prepare(START, world.now())
    world.submit(given_up)
    world.publish(given_up)
    world.mend()
    world.advance(timedelta(minutes=70) if fault else timedelta(hours=38))
    world.reconcile()
    world.append([later(placed(), 30)])
    back = night(world)
    assert (operations(back), back.prepared.summary["skipped_by_reason"]) == ([], {"unchanged": 1})
    world.advance(timedelta(hours=20))
    world.reconcile()
    assert held_amount(world) == "80.00"
    assert operations(quiet_night(world)) == ["restate"]
    assert held_amount(world) == "100.00"
    assert operations(quiet_night(world)) == []


def test_a_state_whose_given_up_attempt_posts_just_before_the_next_one_is_lost_is_said_to_match(new_world: NewWorld) -> None:
    world = restated(new_world)
    world.sandbox.control.add_faults(
        [
            {"kind": "cut_after", "path": "/graphql", "times": 1},
            {"kind": "delay", "seconds": 600, "times": 1, "order_ids": ["o-1"]},
        ]
    )
    first = world.prepare(START, world.now())
    world.submit(first)
    world.publish(first)
    world.mend()
    world.advance(timedelta(minutes=65))
    world.reconcile()
    again = world.prepare(START, world.now())
    assert operations(again) == ["restate"]
    world.advance(timedelta(minutes=10))
    world.sandbox.control.add_faults([{"kind": "cut_before", "path": "/graphql", "times": 1}])
    world.submit(again)
    world.publish(again)
    world.mend()
    world.advance(timedelta(hours=40))
    world.reconcile()
    assert held_amount(world) == "80.00"
    assert world.rows("SELECT status, reason FROM cj.reconciliation") == [{"status": "matched", "reason": None}]


@pytest.mark.parametrize("attribution", [None, "click"])
def test_what_an_unreachable_accounts_ledger_says_is_the_last_word_on_nothing(new_world: NewWorld, attribution: str | None) -> None:
    world, other = new_world(Options()), new_world(Options())
    both = replace(world.settings, accounts=(*world.settings.accounts, *other.settings.accounts))
    refused = replace(both, accounts=(replace(both.accounts[0], token=Token("gone")), both.accounts[1]))
    world.settings = both
    quiet_night(world)
    order = placed(cj_event=attribution, event_time=world.now(), updated_at=world.now())
    world.pixel([pixel_order(order, world.now())])
    world.advance(timedelta(days=9))
    world.append([replace(order, change_type="restated", updated_at=world.now() - timedelta(hours=1), amount=Decimal("60.00"))])
    world.settings = refused
    away = world.prepare(world.now() - timedelta(days=1), world.now())
    world.publish(away)
    assert away.prepared.summary["skipped_by_reason"] == {"waiting": 1}
    world.settings = both
    assert operations(quiet_night(world)) == ["restate"]
    assert held_amount(world) == "60.00"


def test_what_waits_for_an_account_goes_on_waiting_while_its_connection_is_taken_out(new_world: NewWorld) -> None:
    world, other = restated(new_world), new_world(Options())
    both = replace(world.settings, accounts=(*world.settings.accounts, *other.settings.accounts), keep_skipped_days=3)
    world.settings = both
    quiet_night(world)
    world.settings = replace(both, accounts=(replace(both.accounts[0], token=Token("gone")), both.accounts[1]))
    world.publish(world.prepare(START, world.now()))
    world.settings = replace(both, accounts=both.accounts[1:])
    world.advance(timedelta(days=4))
    without = quiet_night(world)
    assert without.prepared.summary["picked"] == 0
    assert [word for _, word in said(world, "skipped")] == ["waiting"]
    world.settings = both
    assert operations(quiet_night(world)) == ["restate"]


def test_a_run_that_was_tested_and_then_goes_live_keeps_the_word_of_the_live_plan_alone(new_world: NewWorld) -> None:
    world = restated(new_world)
    live = world.settings
    world.settings = replace(live, mode=Mode.TEST)
    planned_again(world, "one")
    assert said(world, "submissions") == [("one", "accepted")]
    world.settings = live
    world.advance(timedelta(days=60))
    planned_again(world, "one")
    assert (said(world, "submissions"), said(world, "quarantine")) == ([], [("one", "closed")])


def test_what_test_mode_refused_is_asked_again_when_the_night_is_planned_again(new_world: NewWorld) -> None:
    world = new_world(Options())
    world.append([placed()])
    world.sandbox.control.add_faults([{"kind": "refuse", "order_ids": ["o-1"]}])
    planned_again(world, "one")
    assert said(world, "quarantine") == [("one", "refused")]
    world.mend()
    planned_again(world, "one")
    assert (said(world, "submissions"), said(world, "quarantine")) == ([("one", "accepted")], [])
    assert len(world.fates()) == 1


def test_a_tested_chunk_whose_answer_was_not_recorded_is_asked_again(new_world: NewWorld) -> None:
    world = restated(new_world)
    world.settings = replace(world.settings, mode=Mode.TEST)
    night_ = world.prepare(START, world.now())
    (ref,) = night_.prepared.batches[0]
    world.submit(night_)
    world.journal.files.remove(f"{ref}.answer.json")  # the storage was full when it was to be written
    done = submit(night_.run, world.settings, night_.prepared.batches[0])
    assert (done.accepted, done.left) == (1, 0)


def test_an_interrupted_bootstrap_does_not_count_as_read(new_world: NewWorld) -> None:
    world = new_world(Options(ledger_days=30))
    world.advance(timedelta(days=100))
    at = world.now() - timedelta(days=50)
    order = placed(event_time=at, updated_at=world.now() - timedelta(hours=3))
    world.pixel([pixel_order(order, at)])
    (account,) = world.settings.accounts

    def cut(step: str) -> None:
        if step == "window_read":
            raise InterruptedError(step)

    with CJClient(account) as client:
        read_ledger(client, account, world.location, ledger_days=30, deadline=timedelta(hours=36))
        with pytest.raises(InterruptedError):
            since = (world.now() - timedelta(days=90)).date()
            read_ledger(client, account, world.location, ledger_days=30, deadline=timedelta(hours=36), since=since, checkpoint=cut)
    world.append([order])
    played = world.prepare(world.now() - timedelta(days=1), world.now())
    assert (operations(played), played.prepared.summary["quarantined_by_reason"]) == ([], {"not_in_cj": 1})


def test_a_ledger_that_cannot_be_read_names_its_connection(new_world: NewWorld) -> None:
    world = new_world(Options())
    (account,) = world.settings.accounts
    refused = replace(world.settings, accounts=(replace(account, token=Token("gone")),))
    with pytest.raises(CJInvalidToken, match=f"^Connection '{account.conn_id}': "):
        read_ledgers(refused, world.location)


def poster(world: World, client: CJClient) -> Poster:
    return Poster(client, Breaker(LocalFolder(world.path.parent), "breaker.json", lambda: datetime.now(UTC)), Mode.LIVE, world.journal)


def chunk(world: World, many: int) -> tuple[ChunkRef, str]:
    world.append([placed(key=Key(FIXED_DATE, f"o-{n}")) for n in range(many)])
    planned = world.prepare(START, world.now())
    ((ref,),) = planned.prepared.batches
    manifest = world.journal.manifest(ChunkRef.parse(ref).folder)
    assert manifest is not None
    return ChunkRef.parse(ref), manifest.chunks[0].content_hash


def test_a_chunk_that_passes_test_mode_only_in_parts_is_not_posted_whole(new_world: NewWorld) -> None:
    world = new_world(Options())
    ref, content = chunk(world, 4)
    too_large = {"kind": "status", "status": 504, "path": "/graphqltest", "times": 1}
    world.sandbox.control.add_faults([too_large, too_large | {"after_calls": 2}])
    with CJClient(world.settings.accounts[0], attempts=1) as client:
        with pytest.raises(CJRequestTooLarge, match=r"in parts\. Nothing was sent for it\. Lower the Variable cj_chunk_size"):
            poster(world, client).submit(ref, content, Submitted())
        assert world.fates() == []
        # An overload that has passed: the whole is asked once more and goes.
        world.sandbox.control.add_faults([too_large])
        done = Submitted()
        poster(world, client).submit(ref, content, done)
    assert done.accepted == len(world.fates()) == 4


def test_an_order_that_cj_refuses_right_after_an_outage_does_not_keep_the_others_waiting(new_world: NewWorld) -> None:
    world = new_world(Options())
    ref, content = chunk(world, 4)
    words = "Validation error of type WrongType: argument 'createOrders.orders'"
    world.sandbox.control.add_faults([{"kind": "refuse", "order_ids": ["o-2"], "message": words}])
    over = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    outage = {"failures": 5, "first_failure": over, "pauses": 1, "paused_until": over}
    (world.path.parent / "breaker.json").write_bytes(orjson.dumps(outage))
    done = Submitted()
    with CJClient(world.settings.accounts[0], attempts=1) as client:
        try:
            poster(world, client).submit(ref, content, done)
        except CJPaused:
            pytest.fail("its own probe made it wait")
    assert (done.accepted, done.refused) == (3, 1)


def test_an_older_state_that_waits_to_be_sent_is_taken_back_when_the_newest_is_quarantined(new_world: NewWorld) -> None:
    world = restated(new_world)
    waiting = world.prepare(START, world.now())
    world.append([later(placed(), 6, amount=Decimal("20.00"), discount=Decimal("25.00"))])
    world.publish(world.prepare(START, world.now()))
    world.submit(waiting)
    world.publish(waiting)
    assert world.fates() == []
    assert [reason for _, reason in said(world, "quarantine")] == ["discount_above_amount"]


def test_two_enterprises_of_one_advertiser_are_judged_once(new_world: NewWorld) -> None:
    world = restated(new_world)
    (account,) = world.settings.accounts
    night(world)
    world.settings = replace(world.settings, accounts=(account, replace(account, conn_id="second", enterprise_id="1599999")))
    world.append([later(placed(), 60, amount=Decimal("70.00"))])
    assert operations(night(world)) == ["restate"]
    assert [r["status"] for r in world.rows("SELECT status FROM cj.reconciliation ORDER BY submitted_at")] == ["superseded", "matched"]
