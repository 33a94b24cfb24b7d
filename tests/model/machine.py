"""The rules hypothesis plays by: what may happen to a shop, to CJ and to a run, in any order."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from include.domain.errors import RestatementsError
from include.domain.states import Skip
from include.sandbox.process import SandboxProcess, start_sandbox
from include.warehouse.base import WarehouseLocation
from tests.model import promises
from tests.model.histories import TOTALS, History, Surroundings, pixel_order
from tests.model.shop import Key
from tests.model.world import BEGIN, Night, Options, World

WORLDS_A_SANDBOX = 40
"""After so many examples the sandbox starts anew: its control API tells of all of them each time."""

SEED = st.integers(0, 2**32 - 1)
LIVE_FAULTS = [
    {"kind": "cut_before"}, {"kind": "cut_after"}, {"kind": "status", "status": 503}, {"kind": "status", "status": 504},
    {"kind": "status", "status": 429, "retry_after": 0}, {"kind": "html"}, {"kind": "truncate"},
]  # fmt: skip

ALTERED_FIELDS = ["amount", "discount", "items", "coupon", "correction_reason"]


@contextmanager
def sandboxes(place: Path, new_location: Callable[[], WarehouseLocation | None] = lambda: None) -> Iterator[Callable[[Options], World]]:
    """Gives a function that makes one world after another, on one sandbox process that is renewed now and then.

    `new_location` gives an empty warehouse for each; None is a DuckDB file.
    """
    state: dict[str, Any] = {"count": 0, "sandbox": None, "folder": None}

    def new_world(options: Options) -> World:
        if state["count"] % WORLDS_A_SANDBOX == 0:
            end()
            state["folder"] = Path(tempfile.mkdtemp(dir=place, prefix="sandbox-"))
            state["sandbox"] = start_sandbox(state["folder"] / "state.sqlite", rate_limit=False)
        state["count"] += 1
        folder = Path(tempfile.mkdtemp(dir=state["folder"], prefix="world-"))
        return World(state["sandbox"], folder, state["count"], options, new_location())

    def end() -> None:
        sandbox: SandboxProcess | None = state["sandbox"]
        if sandbox is not None:
            sandbox.stop()
            shutil.rmtree(state["folder"], ignore_errors=True)
        state["sandbox"] = None

    try:
        yield new_world
    finally:
        end()


class Loop(RuleBasedStateMachine):
    """One advertiser's days."""

    def __init__(self, new_world: Callable[[Options], World]) -> None:
        super().__init__()
        self.new_world = new_world
        self.opened: World | None = None
        self.surroundings = Surroundings()

    @property
    def world(self) -> World:
        assert self.opened is not None
        return self.opened

    @initialize(
        basis=st.sampled_from(["net", "gross"]), currency=st.sampled_from(["USD", "EUR"]), chunk_size=st.sampled_from([10_000, 5, 1]),
        status=st.sampled_from([None, "Pending", "Accepted"]), loss=st.sampled_from([(), ("coupon", "discount", "items")]),
        page_size=st.sampled_from([10_000, 50]), seed=SEED, many=st.integers(1, 60),
    )  # fmt: skip
    def opens(
        self, basis: str, currency: str, chunk_size: int, status: str | None, loss: tuple[str, ...], page_size: int, seed: int, many: int
    ) -> None:
        self.open(Options(basis, currency, chunk_size, status, frozenset(loss), page_size), seed, many)

    def open(self, options: Options, seed: int, many: int) -> None:
        self.opened = self.new_world(options)
        self.history = History(self.world.log, options.currency, self.surroundings)
        self.last_end = BEGIN - timedelta(days=2)
        self.new_orders(seed, many)

    # -- the shop ------------------------------------------------------------------------------------------------------------------

    @rule(seed=SEED, many=st.integers(1, 40))
    def new_orders(self, seed: int, many: int) -> None:
        self.world.advance(timedelta(minutes=2))
        changes, pixel = self.history.orders(Random(seed), many, self.world.now(), f"o{self.world.enterprise}")
        self.world.pixel(pixel)
        self.world.append(changes)

    @rule(seed=SEED, many=st.integers(1, 40))
    def orders_change(self, seed: int, many: int) -> None:
        self.world.advance(timedelta(minutes=2))
        self.world.append(self.history.more(Random(seed), many, self.world.now()))

    @precondition(lambda self: self.world.nights)
    @rule(seed=SEED)
    def a_row_comes_late_and_is_backfilled(self, seed: int) -> None:
        change = self.history.late(Random(seed))
        if change:
            self.world.append([change])
            self._night(change.updated_at, change.updated_at + timedelta(seconds=1))

    @rule(seed=SEED, many=st.integers(1, 5))
    def the_pixel_reports_late(self, seed: int, many: int) -> None:
        random, held = Random(seed), self.world.held()
        unknown = [k for k in sorted(self.world.log.changes) if k not in held and k.order_id not in {h.order_id for h in held}]
        chosen = random.sample(unknown, min(many, len(unknown)))
        states = [self.world.log.changes[k][0] for k in chosen]
        self.world.pixel([pixel_order(s, self.world.now()) for s in states if s.valid])

    # -- runs ----------------------------------------------------------------------------------------------------------------------

    @rule()
    def nightly(self) -> None:
        start, self.last_end = self.last_end, self.world.now() - timedelta(seconds=3)
        self._night(start, self.last_end)

    @precondition(lambda self: self.world.nights)
    @rule(seed=SEED)
    def backfill(self, seed: int) -> None:
        random = Random(seed)
        first, last = sorted(random.choices(self.world.nights, k=2), key=lambda n: n.run.interval_start)
        self._night(first.run.interval_start, max(first.run.interval_end, last.run.interval_end))

    @rule(seed=SEED, first_wins=st.booleans())
    def overlapping(self, seed: int, first_wins: bool) -> None:
        """Two runs planned one after the other before either is submitted; the shop goes on in between."""
        start, end = self.last_end, self.world.now() - timedelta(seconds=3)
        self.last_end = end
        one = self._prepare(start, end)
        self.orders_change(seed, 10)
        start, end = (start, self.world.now() - timedelta(seconds=3)) if seed % 2 else (end, self.world.now() - timedelta(seconds=3))
        self.last_end = end
        two = self._prepare(start, end)
        for night in [one, two] if first_wins else [two, one]:
            if night:
                self.world.submit(night)
        for night in (one, two):
            if night:
                self.world.publish(night)

    @rule(seed=SEED, field=st.sampled_from(ALTERED_FIELDS))
    def a_night_that_cj_posts_otherwise(self, seed: int, field: str) -> None:
        """What CJ took in of some orders posts with another amount, basket, coupon or reason: once, so that sending it again mends it."""
        start, self.last_end = self.last_end, self.world.now() - timedelta(seconds=3)
        night = self._prepare(start, self.last_end)
        # Not of a converted order: nobody can tell an altered amount from another rate. Nor of a cancelled one, which nothing can mend. Nor the
        # items of one whose tracker reports none.
        # And a fault meets an id, under whichever tracker.
        own = (None, self.world.options.currency)
        spared = {
            p.key.order_id
            for p in night.orders.values()
            if p.operation == "cancel" or p.state.currency not in own or (field, p.key.tracker) == ("items", TOTALS)
        }
        sent = sorted({p.key.order_id for p in night.orders.values()} - spared)
        chosen = Random(seed).sample(sent, min(3, len(sent)))
        if chosen:
            self.world.altered |= {p.key for p in night.orders.values() if p.key.order_id in chosen}
            self.world.sandbox.control.add_faults([{"kind": "alter", "field": field, "times": 1, "order_ids": chosen}])
        self.world.submit(night)
        self.world.publish(night)
        if not night.submitted:
            self.world.sandbox.control.clear_faults()  # or it would meet what is sent instead, a cancellation perhaps

    @rule()
    def prepared_and_left_alone(self) -> None:
        start, self.last_end = self.last_end, self.world.now() - timedelta(seconds=3)
        self._prepare(start, self.last_end)

    @precondition(lambda self: self.world.nights)
    @rule(seed=SEED, verb=st.sampled_from(["prepare", "submit", "publish"]))
    def retry(self, seed: int, verb: str) -> None:
        night = Random(seed).choice(self.world.nights)
        if verb == "prepare":
            self._prepare(night.run.interval_start, night.run.interval_end, night.run.run_id)
        elif verb == "submit":
            self.world.submit(night)
        else:
            self.world.publish(night)

    @rule()
    def reconcile(self) -> None:
        self._reconcile()

    # -- time and trouble ----------------------------------------------------------------------------------------------------------

    @rule(
        span=st.sampled_from(
            [timedelta(minutes=10), timedelta(minutes=70), timedelta(hours=5), timedelta(hours=26), timedelta(days=4), timedelta(days=9)]
        )
    )
    def time_passes(self, span: timedelta) -> None:
        self.world.advance(span)

    @rule(fault=st.sampled_from(LIVE_FAULTS), times=st.integers(1, 3), after=st.integers(0, 2))
    def live_calls_fail(self, fault: dict[str, Any], times: int, after: int) -> None:
        self.world.sandbox.control.add_faults([{**fault, "path": "/graphql", "times": times, "after_calls": after}])

    @rule(path=st.sampled_from(["/query", "/graphqltest"]))
    def a_harmless_call_fails(self, path: str) -> None:
        self.world.sandbox.control.add_faults([{"kind": "status", "status": 503, "retry_after": 0, "path": path}])

    @rule(seed=SEED, many=st.integers(1, 10), times=st.sampled_from([1, 2, None]))
    def orders_are_dropped(self, seed: int, many: int, times: int | None) -> None:
        self._order_fault(seed, many, {"kind": "drop"} | ({"times": times} if times else {}))

    @rule(seed=SEED, many=st.integers(1, 10), hours=st.sampled_from([1, 6, 30]))
    def orders_are_delayed(self, seed: int, many: int, hours: int) -> None:
        self.world.troubled = True
        self._order_fault(seed, many, {"kind": "delay", "seconds": hours * 3600, "times": 1})

    def _order_fault(self, seed: int, many: int, fault: dict[str, Any]) -> None:
        ids = sorted({key.order_id for key in self.world.log.changes})
        chosen = Random(seed).sample(ids, min(many, len(ids)))
        if chosen:
            self.world.sandbox.control.add_faults([fault | {"order_ids": chosen}])

    # -- the steps -----------------------------------------------------------------------------------------------------------------

    def _prepare(self, start: Any, end: Any, run_id: str | None = None) -> Night:
        held = self.world.held()
        try:
            night = self.world.prepare(start, end, run_id)
        except RestatementsError as error:
            note(f"prepare: {error}")
            raise
        assert self.world.quality_kept(night)
        night.touched = self.world.log.touched(start, end)
        self.judge(night, held)
        promises.accounted_for(self.world, night)
        return night

    def judge(self, night: Night, held: dict[Key, dict[str, Any]]) -> None:
        """What is promised of a plan at once. `held` is CJ just before it."""
        promises.planned_rightly(self.world, night, held)

    def end(self) -> None:
        """What is promised once all is quiet."""
        promises.verdicts_true(self.world, final=True)
        promises.converged(self.world)

    def _night(self, start: Any, end: Any) -> None:
        night = self._prepare(start, end)
        self.world.submit(night)
        self.world.publish(night)
        promises.posted_in_order_and_once(self.world)
        promises.accounted_for(self.world, night)
        if night.submitted:
            again = self._prepare(start, end)
            told = {
                k: w for k, w in promises.last_words(self.world, without=again).items() if any(p.key == k for p in again.orders.values())
            }
            sent = {p.state.currency for p in night.orders.values()} - {None, self.world.options.currency}

            def explained(key: Key, currency: str | None) -> bool:
                """CJ's clock stepped, so that what lay in the future then does not now; or the order that showed a currency's rate is on its way now."""
                stage, reason, _ = told.get(key, ("", "", None))
                return str(reason).endswith("_in_future") or (stage == "skipped" and reason == Skip.UNCHANGED and currency in sent)

            planned = [p for p in again.orders.values() if not explained(p.key, p.state.currency)]
            assert not planned, f"the same interval again, at once, plans {planned}, after {told}"

    def _reconcile(self) -> dict[str, int]:
        counts = self.world.reconcile()
        promises.verdicts_true(self.world, final=False)
        return counts

    def teardown(self) -> None:
        if self.opened is None:
            return
        self._quiet_days()
        promises.posted_in_order_and_once(self.world)
        self.end()

    def _quiet_days(self) -> None:
        """No more changes, no more trouble: nights and reconciliations until nothing is sent and nothing is open."""
        self.world.mend()
        for place, night in enumerate(self.world.nights):
            if not night.submitted and place % 2:
                self.world.submit(night)
                self.world.publish(night)
        if self.world.nights:
            self.world.six_hours_pass_for_abandoned_plans()
        self.world.advance(timedelta(hours=2))
        self._reconcile()
        for _ in range(12):
            self.world.advance(timedelta(hours=38))
            counts = self._reconcile()
            start, self.last_end = self.last_end, self.world.now() - timedelta(seconds=3)
            planned = self._prepare(start, self.last_end)
            self.world.submit(planned)
            self.world.publish(planned)
            if not planned.orders and not counts["awaiting"] + counts["late"]:
                return
        raise AssertionError(f"twelve quiet nights, and the last one still planned {list(planned.orders.values())}; verdicts {counts}")
