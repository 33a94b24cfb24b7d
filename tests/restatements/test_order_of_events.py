"""Which state is the newest, and whether CJ holds it, is told by numbers and by CJ's records: never by a clock, nor by what was found before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from include.cj.breaker import Breaker
from include.cj.client import CJClient
from include.cj.payload import request_body
from include.domain.states import Mode, Operation
from include.restatements.journal.journal import ChunkRef
from include.restatements.posting.poster import Poster, Submitted
from include.storage.local import LocalFolder
from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Change, Key
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, later, operations, placed, quiet_night

START = BEGIN - timedelta(days=9)
HOUR = timedelta(hours=1)
SLOW = {"kind": "delay", "order_ids": ["o-1"], "seconds": 3 * 3600, "times": 1}
"""CJ works this one off three hours later than the others."""


def held_at_100(new_world: NewWorld) -> tuple[World, Change]:
    world, first = new_world(Options()), placed()
    world.pixel([pixel_order(first, first.event_time)])
    return world, first


def sends(world: World, change: Change) -> Night:
    world.append([change])
    night = world.prepare(START, world.now())
    world.submit(night)
    world.publish(night)
    return night


def verdicts(world: World) -> list[tuple[str, str | None]]:
    rows = world.rows("SELECT status, reason FROM cj.reconciliation ORDER BY plan_number")
    return [(str(row["status"]), row["reason"]) for row in rows]


def newest_reading(world: World) -> dict[str, Any]:
    return world.rows("SELECT * FROM cj.ledger_reads ORDER BY reading DESC LIMIT 1")[0]


def amount(world: World, order: Change) -> Decimal:
    return Decimal(world.held()[order.key]["amount"])


def test_an_older_state_that_posts_after_the_newest_matched_is_a_break_at_every_look_until_it_is_mended(new_world: NewWorld) -> None:
    world, first = held_at_100(new_world)
    world.sandbox.control.add_faults([SLOW])
    sends(world, later(first, 5, amount=Decimal(80)))
    assert operations(sends(world, later(first, 10, amount=Decimal(60)))) == ["restate"]
    world.advance(2 * HOUR)
    world.reconcile()
    assert verdicts(world) == [("superseded", None), ("matched", None)]
    world.advance(3 * HOUR)
    for _ in range(3):
        world.reconcile()
        assert verdicts(world) == [("superseded", None), ("mismatched", "amount")]
        world.advance(timedelta(hours=20))
    assert operations(quiet_night(world)) == ["restate"]
    assert amount(world, first) == 60
    assert verdicts(world)[-1] == ("matched", None)
    assert operations(quiet_night(world)) == []


def test_what_somebody_corrects_at_cj_after_it_matched_is_a_break_and_is_restated(new_world: NewWorld) -> None:
    world, first = held_at_100(new_world)
    sends(world, later(first, 5, amount=Decimal(80)))
    world.advance(2 * HOUR)
    world.reconcile()
    assert verdicts(world) == [("matched", None)]
    by_hand(world, amount="50.00")
    world.advance(2 * HOUR)
    world.reconcile()
    assert verdicts(world) == [("mismatched", "amount")]
    # And the warehouse touches it again, with the same 80: `unchanged` would mean that CJ holds it.
    assert operations(sends(world, later(first, 300, amount=Decimal(80)))) == ["restate"]
    world.advance(2 * HOUR)
    world.reconcile()
    assert amount(world, first) == 80
    assert verdicts(world)[-1] == ("matched", None)


@pytest.mark.parametrize(("change", "at_cj"), [({"amount": Decimal(80)}, "80.00"), ({"change_type": "cancelled"}, "0.00")])
def test_a_change_to_just_what_cj_holds_already_has_arrived_though_cj_drops_it(
    new_world: NewWorld, change: dict[str, object], at_cj: str
) -> None:
    """Somebody at CJ was faster by the ten minutes between plan and call."""
    world, first = held_at_100(new_world)
    world.append([later(first, 5, **change)])
    night = world.prepare(START, world.now())
    world.act("corrected", [first.key], {"kind": "correct", "amount": at_cj, "discount": None, "shape": "pair"})
    world.advance(timedelta(minutes=10))
    world.sandbox.control.add_faults([{"kind": "drop", "order_ids": ["o-1"]}])
    world.submit(night)
    world.publish(night)
    world.advance(2 * HOUR)
    world.reconcile()
    assert verdicts(world) == [("late", None)]
    world.advance(36 * HOUR)
    world.reconcile()
    assert verdicts(world) == [("matched", None)]
    assert operations(quiet_night(world)) == []


def test_what_was_never_sent_and_is_corrected_in_a_record_nobody_can_read_is_planned_again(new_world: NewWorld) -> None:
    """CJ held it just so, so nothing was sent; what it holds now is not known, and the newest state is sent."""
    world, first = held_at_100(new_world)
    world.append([first])
    assert operations(quiet_night(world)) == []
    world.publish(world.prepare(START, world.now()))
    world.sandbox.control.add_faults([{"kind": "garble", "order_ids": ["o-1"], "field": "saleAmountAdvCurrency", "value": "many"}])
    world.act("corrected", [first.key], {"kind": "correct", "amount": "90.00", "discount": None, "shape": "pair"})
    world.advance(HOUR)
    assert operations(quiet_night(world)) == ["restate"]
    assert operations(quiet_night(world)) == []
    assert amount(world, first) == 100


def by_hand(world: World, **fields: str) -> None:
    """A restatement that the package knows nothing of."""
    ref = ChunkRef.parse(next(iter(world.nights[-1].orders.values())).ref)
    orders = world.journal.orders(ref).to_pylist()
    import pyarrow as pa

    schema = world.journal.orders(ref).schema
    changed = pa.Table.from_pylist([order | {"amount": Decimal(fields["amount"])} for order in orders], schema)
    with CJClient(world.settings.accounts[0]) as client:
        client.submit(Operation.RESTATE, Mode.LIVE, request_body(Operation.RESTATE, changed))


@dataclass
class Meanwhile(httpx.BaseTransport):
    """The way to CJ, on which something happens after CJ took a live call in and before its answer is read."""

    happens: Callable[[], None]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=30) as way:
            answer = way.send(httpx.Request(request.method, request.url, headers=request.headers, content=request.read()))
        if request.url.path == "/graphql":
            self.happens()
        return httpx.Response(answer.status_code, headers={"Date": answer.headers["Date"]}, content=answer.content)


def sends_over(world: World, change: Change, way: Meanwhile) -> None:
    world.append([change])
    night = world.prepare(START, world.now())
    ((text,),) = night.prepared.batches
    manifest = world.journal.manifest(ChunkRef.parse(text).folder)
    assert manifest is not None
    with CJClient(world.settings.accounts[0], transport=way, attempts=1) as client:
        breaker = Breaker(LocalFolder(world.path.parent), "breaker.json", client.now)
        Poster(client, breaker, Mode.LIVE, world.journal).submit(ChunkRef.parse(text), manifest.chunks[0].content_hash, Submitted())
    world.publish(night)


@pytest.mark.parametrize("times", [1, 2])
def test_a_late_answer_does_not_make_its_state_the_newest(new_world: NewWorld, times: int) -> None:
    world, first = held_at_100(new_world)
    world.sandbox.control.add_faults([SLOW])

    def settled_and_sent_anew() -> None:
        world.advance(times * timedelta(minutes=75))
        world.reconcile()
        sends(world, later(first, 10, amount=Decimal(60)))

    sends_over(world, later(first, 5, amount=Decimal(80)), Meanwhile(settled_and_sent_anew))
    world.advance(6 * HOUR)
    world.reconcile()
    assert amount(world, first) == 80  # CJ worked it off last
    assert verdicts(world) == [("superseded", None), ("mismatched", "amount")]
    assert operations(quiet_night(world)) == ["restate"]
    assert amount(world, first) == 60


def test_what_posts_before_its_answer_is_read_matched(new_world: NewWorld) -> None:
    world, first = held_at_100(new_world)
    sends_over(world, later(first, 5, amount=Decimal(80)), Meanwhile(lambda: world.advance(HOUR + timedelta(seconds=4))))
    assert amount(world, first) == 80
    world.advance(timedelta(hours=40))
    world.reconcile()
    assert verdicts(world) == [("matched", None)]


def test_a_load_time_as_updated_at_does_not_send_for_ever(new_world: NewWorld) -> None:
    """CJ never takes the coupon; each night's row has another time and the same content."""
    world, first = held_at_100(new_world)
    sent = []
    for night in range(6):
        world.sandbox.control.add_faults([{"kind": "alter", "order_ids": ["o-1"], "field": "coupon", "value": "ELSE", "times": 1}])
        played = sends(world, later(first, 5 + night * 1500, amount=Decimal(80), coupon="SPRING"))
        sent.append(operations(played))
        world.advance(timedelta(hours=25))
        world.reconcile()
    assert sent == [["restate"]] * 3 + [[]] * 3
    assert verdicts(world)[-1] == ("mismatched", "coupon")


def test_a_converted_state_that_posts_late_is_waited_for_and_not_sent_twice_because_the_one_before_it_posted(new_world: NewWorld) -> None:
    world = new_world(Options(currency="EUR"))
    first, *others = (placed(currency="GBP", amount=Decimal(100 - 20 * n), key=Key(FIXED_DATE, f"o-{n + 1}")) for n in range(3))
    world.append([first, *others])
    assert operations(sends(world, later(first, 1, change_type="new"))) == ["create"] * 3
    world.advance(2 * HOUR)
    assert world.reconcile()["matched"] == 3
    sends(world, later(first, 5, amount=Decimal(60)))
    world.advance(HOUR / 2)
    sends(world, later(first, 10, amount=Decimal(40)))
    world.advance(HOUR / 2 + timedelta(minutes=5))
    world.reconcile()
    world.sandbox.control.add_faults([SLOW])
    world.advance(HOUR / 2)
    assert world.reconcile()["late"] == 1
    assert amount(world, first) == 60
    assert operations(quiet_night(world)) == []
    world.advance(3 * HOUR)
    assert world.reconcile()["matched"] == 3
    assert amount(world, first) == 40


@pytest.mark.parametrize("dropped", ["older", "newer", None])
def test_of_two_states_of_the_only_converted_order_the_newer_is_not_matched_by_the_record_of_the_older(
    new_world: NewWorld, dropped: str | None
) -> None:
    """Nothing says the rate, so one record may be either's: it is sent again, and of two the last one is the newest's."""
    world, first = new_world(Options(currency="EUR")), placed(currency="GBP")
    world.pixel([pixel_order(first, first.event_time)])
    drop = {"kind": "drop", "order_ids": ["o-1"], "times": 1}
    sends(world, later(first, 5, amount=Decimal(60)))
    world.advance(HOUR / 2)
    sends(world, later(first, 10, amount=Decimal(40)))
    world.sandbox.control.add_faults([drop] if dropped == "older" else [])
    world.advance(HOUR / 2 + timedelta(minutes=5))
    world.reconcile()
    world.sandbox.control.add_faults([drop] if dropped == "newer" else [])
    world.advance(HOUR)
    counts = world.reconcile()
    assert (counts["matched"], counts["late"]) == ((0, 1) if dropped else (1, 0))
    assert operations(quiet_night(world)) == []
    world.advance(timedelta(hours=38))
    world.reconcile()
    assert operations(quiet_night(world)) == (["restate"] if dropped else [])
    assert amount(world, first) == 40
    assert verdicts(world)[-1] == ("matched", None)
    assert operations(quiet_night(world)) == []


@pytest.mark.parametrize("hidden", [24 * HOUR, 30 * HOUR])
def test_what_becomes_visible_behind_the_cursor_before_the_deadline_is_not_missing_at_it(new_world: NewWorld, hidden: timedelta) -> None:
    """Nothing says that CJ's ids become visible in their order; and the day's sweep had been before it was."""
    world, first = held_at_100(new_world)
    world.sandbox.control.add_faults([{"kind": "hide", "order_ids": ["o-1"], "seconds": hidden.total_seconds()}])
    sends(world, later(first, 5, amount=Decimal(80)))
    other = replace(placed(), key=Key(FIXED_DATE, "o-2"))
    world.advance(2 * HOUR)
    world.reconcile()
    world.pixel([pixel_order(other, world.now())])  # its id is greater, and it is seen at once
    world.advance(22 * HOUR + timedelta(minutes=30))
    world.reconcile()
    assert verdicts(world) == [("late", None)]
    assert newest_reading(world)["kind"] == "sweep"
    world.advance(11 * HOUR + timedelta(minutes=40))
    world.reconcile()
    assert verdicts(world) == [("matched", None)]
    assert operations(quiet_night(world)) == []
    assert amount(world, first) == 80


def test_nor_is_a_call_without_an_answer_whose_order_became_visible_behind_the_cursor_within_the_hour(new_world: NewWorld) -> None:
    world, first = held_at_100(new_world)
    world.settings = replace(world.settings, processing_minutes=180)
    world.sandbox.control.add_faults(
        [{"kind": "hide", "order_ids": ["o-1"], "seconds": 3600}, {"kind": "cut_after", "path": "/graphql", "times": 1}]
    )
    sends(world, later(first, 5, amount=Decimal(80)))
    other = replace(placed(), key=Key(FIXED_DATE, "o-2"))
    world.advance(HOUR + timedelta(minutes=10))
    world.reconcile()
    world.pixel([pixel_order(other, world.now())])  # its id is greater, and it is seen at once
    world.advance(timedelta(minutes=20))
    world.reconcile()
    assert verdicts(world) == [("awaiting", None)]
    assert newest_reading(world)["kind"] == "cursor"
    world.advance(2 * HOUR)
    world.reconcile()
    assert verdicts(world) == [("matched", None)]
    assert operations(quiet_night(world)) == []
