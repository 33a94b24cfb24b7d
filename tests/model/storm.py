"""The days of a shop whose CJ misbehaves in every way the sandbox knows: weather for a while, hands at work, then calm.

What is promised meanwhile is little: a run accounts for every order it picked, nothing overtakes, nothing is posted twice from one plan, and an interval
planned again at once plans nothing. Once it is calm, `tests.model.contract` is kept in full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from include.cj.client import CJClient
from include.domain.errors import RestatementsError
from include.sandbox.knobs import WEATHER_KINDS
from tests.model import contract
from tests.model.histories import Surroundings
from tests.model.machine import SEED, Loop
from tests.model.shop import Key
from tests.model.world import Night, Options

HANDS: Mapping[str, Callable[[Random, Any], dict[str, Any]]] = {
    "corrected": lambda r, _: {
        "kind": "correct", "amount": f"{r.randint(0, 30_000) / 100:.2f}", "discount": None, "shape": r.choice(("pair", "difference")),
    },
    "bonus": lambda r, _: {"kind": "record", "action_type": "bonus", "commission": "5.00", "coupon": "PRIZE", "action_status": r.choice(("new", "locked"))},
    "lead": lambda r, _: {"kind": "record", "action_type": "sim_lead", "commission": "1.00", "fee": "0.20", "action_status": r.choice(("new", "closed"))},
    "unsaid": lambda _, __: {"kind": "unsay"},
    "lock_extended": lambda r, now: {"kind": "lock", "locking_date": (now + timedelta(days=r.choice((1, 31)))).isoformat(), "action_status": "extended"},
    "lock_early": lambda r, _: {"kind": "lock", "action_status": r.choice(("locked", "closed"))},
    "reposted": lambda _, __: {"kind": "repost"},
    "moved": lambda _, __: {"kind": "repost", "shape": "moved"},
}  # fmt: skip
"""What people at CJ do to an order, by the name it is counted as."""

SURROUNDINGS = ("no_items", "two_trackers")
"""What is not an event but how a shop and its CJ are: a tracker that reports no items, one order id under two trackers."""

EVENTS = frozenset({*WEATHER_KINDS, *HANDS, *SURROUNDINGS})

_T = TypeVar("_T")


@contextmanager
def hurried() -> Iterator[None]:
    """The client repeats its calls at once: a test cannot wait a minute for a retry."""
    given: dict[str, Any] = CJClient.__init__.__kwdefaults__ or {}
    before = dict(given)
    given.update(first_wait=0.001, longest_wait=0.01)
    try:
        yield
    finally:
        given.update(before)


class Storm(Loop):
    """One advertiser's days, with weather."""

    blowing: dict[str, Any] | None = None

    @initialize(
        basis=st.sampled_from(["net", "gross"]), currency=st.sampled_from(["USD", "EUR"]), chunk_size=st.sampled_from([10_000, 5]),
        status=st.sampled_from([None, "Pending"]), page_size=st.sampled_from([10_000, 50]), seed=SEED, many=st.integers(1, 40),
    )  # fmt: skip
    def opens(self, basis: str, currency: str, chunk_size: int, status: str | None, page_size: int, seed: int, many: int) -> None:
        self.surroundings = Surroundings(no_items=True, two_trackers=True)
        self.open(Options(basis, currency, chunk_size, status, frozenset({"coupon", "discount", "items"}), page_size), seed, many)

    def open_for_cases(self, options: Options) -> None:
        """Opens without any order."""
        self.open(options, 0, 0)
        self.world.two_trackers = True

    # -- weather and hands ---------------------------------------------------------------------------------------------------------

    @rule(
        seed=SEED,
        strength=st.sampled_from([0.2, 0.5, 1.0]),
        kinds=st.lists(st.sampled_from(sorted(WEATHER_KINDS)), max_size=4),
    )
    def weather_for_a_while(self, seed: int, strength: float, kinds: list[str]) -> None:
        """Of every kind, or of a few; and a night in it."""
        self.blowing = {"strength": strength, "seed": str(seed), "kinds": sorted(set(kinds) or WEATHER_KINDS)}
        self.world.blow(**self.blowing)
        self.nightly()

    @precondition(lambda self: self.blowing)
    @rule()
    def calm(self) -> None:
        self.blowing = None
        self.world.calm()

    @rule(seed=SEED, many=st.integers(1, 6), name=st.sampled_from(sorted(HANDS)))
    def hands_at_work(self, seed: int, many: int, name: str) -> None:
        random = Random(seed)
        chosen = random.sample(sorted(self._can_be(name)), k=min(many, len(self._can_be(name))))
        for key in chosen:
            self.world.act(name, [key], HANDS[name](random, self.world.now()))

    def _can_be(self, name: str) -> list[Key]:
        """The orders of the log that CJ holds. A converted one is not corrected: nobody outside could tell it from another rate."""
        held = self.world.held()
        own = (None, self.world.options.currency)
        return [k for k in held if k in self.world.log.changes and (name != "corrected" or self.world.log.state(k).currency in own)]

    @rule(seed=SEED, many=st.integers(1, 10), hours=st.sampled_from([1, 6, 30]))
    def orders_are_delayed(self, seed: int, many: int, hours: int) -> None:
        super().orders_are_delayed(seed=seed, many=many, hours=hours)

    # -- what a scheduler does about it --------------------------------------------------------------------------------------------

    def _prepare(self, start: Any, end: Any, run_id: str | None = None) -> Night:
        return self._patiently(lambda: super(Storm, self)._prepare(start, end, run_id))

    def _reconcile(self) -> dict[str, int]:
        return self._patiently(self.world.reconcile)

    def _patiently(self, task: Callable[[], _T]) -> _T:
        """A task and its retries, of which the last meets CJ well again."""
        for _ in range(3):
            try:
                return task()
            except RestatementsError as error:
                assert error.transient, f"a retry would not help, the package says: {error}"
        if self.blowing:
            self.world.sandbox.control.configure(weather_kinds="lost")  # which no reading meets
        try:
            return task()
        finally:
            if self.blowing:
                self.world.blow(**self.blowing | {"seed": f"{self.blowing['seed']}+"})

    # -- promises ------------------------------------------------------------------------------------------------------------------

    def judge(self, night: Night, held: dict[Key, dict[str, Any]]) -> None:
        assert all(planned.state.valid for planned in night.orders.values())

    def end(self) -> None:
        contract.kept(self.world)

    def teardown(self) -> None:
        self.blowing = None
        super().teardown()


def bad_week(storm: Storm, seed: int, days: int = 5, many: int = 30) -> None:
    """Days that are full of it, then calm and the promises: without hypothesis, and the same for the same seed and the same events."""
    random = Random(seed)
    storm.opens(
        random.choice(["net", "gross"]), random.choice(["USD", "EUR"]), random.choice([10_000, 5]), random.choice([None, "Pending"]),
        random.choice([10_000, 50]), seed=seed, many=many,
    )  # fmt: skip
    hands = sorted(HANDS)
    for _ in range(days):
        storm.weather_for_a_while(random.randrange(2**32), random.choice([0.3, 0.6, 1.0]), [])
        storm.time_passes(timedelta(hours=2))
        storm.hands_at_work(random.randrange(2**32), 4, random.choice(hands))
        storm.orders_change(random.randrange(2**32), many // 3)
        storm.reconcile()
        random.choice([storm.nightly, lambda: storm.overlapping(random.randrange(2**32), random.random() < 0.5)])()
        storm.time_passes(timedelta(hours=random.choice([1, 5, 21])))
        storm.hands_at_work(random.randrange(2**32), 4, random.choice(hands))
        storm.new_orders(random.randrange(2**32), many // 4)
        storm.retry(random.randrange(2**32), random.choice(["prepare", "submit", "publish"]))
        storm.reconcile()
    storm.teardown()
