"""A shop, its warehouse, a CJ and the package between them: all real, but for time, which the sandbox's clock makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from include.demo.files import ORDER_CHANGES
from include.domain.account import Account, Token
from include.domain.errors import RestatementsError
from include.domain.states import Mode
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal, run_folder
from include.restatements.prepare import Prepared, prepare
from include.restatements.publish import publish
from include.restatements.reconcile import reconcile
from include.restatements.settings import GATE_OFF, Run, Settings
from include.restatements.submit import submit
from include.sandbox.process import SandboxProcess
from include.storage.opening import folder
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.model.histories import EXCLUDED_COUPON, TRACKERS
from tests.model.shop import Change, Key, Log, holds
from tests.warehouses import create_table, duckdb_with_tables

BEGIN = datetime(2026, 3, 2, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Options:
    """What differs from advertiser to advertiser."""

    basis: str = "net"
    currency: str = "USD"
    chunk_size: int = 10_000
    open_ended_status: str | None = None
    allow_field_loss: frozenset[str] = frozenset()
    page_size: int = 10_000
    ledger_days: int = 400
    """Whether CJ keeps no more decimals than a currency has."""


@dataclass(frozen=True)
class Planned:
    """One order of a chunk: what a plan means to send."""

    key: Key
    operation: str
    state: Change
    ref: str
    run_id: str
    turn: int
    """Plans in the order they were made."""


@dataclass(frozen=True)
class Post:
    """One live order as CJ received it, and the plan it came from."""

    planned: Planned
    place: int
    """Its place among all the sandbox ever received of this advertiser."""


@dataclass
class Night:
    """A run as the scheduler knows it."""

    run: Run
    prepared: Prepared
    orders: dict[tuple[str, Key], Planned] = field(default_factory=dict)
    states: dict[Key, Change] = field(default_factory=dict)
    """The newest states when it was planned."""
    touched: set[Key] = field(default_factory=set)
    submitted: bool = False
    published: bool = False


class World:
    """One example's world. The sandbox process is shared; enterprise, token and warehouse are its own."""

    def __init__(
        self, sandbox: SandboxProcess, place: Path, number: int, options: Options, location: WarehouseLocation | None = None
    ) -> None:
        self.sandbox, self.options = sandbox, options
        self.enterprise, self.advertiser = f"15{number:06d}", f"55{number:06d}"
        self.log = Log()
        self.nights: list[Night] = []
        self.posts: list[Post] = []
        self.turn = self.reconciliations = self.received = 0
        self.troubled = self.two_trackers = False
        self.altered: set[Key] = set()
        """Orders that CJ was told to post otherwise than sent."""
        self.by_hand: Counter[Key] = Counter()
        """How often each order was changed at CJ by a person."""
        self.events: Counter[str] = Counter()
        """What was met so far: weather and hands."""
        self.verdicts: Counter[str] = Counter()
        """Verdicts met so far, over all reconciliations."""
        account = Account(
            f"cj-{number}", self.enterprise, self.advertiser, Token(f"token-{number}"), options.currency, Mode.LIVE,
            sandbox.url, sandbox.url + "/query", options.basis,
        )  # fmt: skip
        self.settings = Settings(
            (account,), storage=f"file://{place}/storage", chunk_size=options.chunk_size, ledger_days=options.ledger_days,
            open_ended_status=options.open_ended_status, allow_field_loss=options.allow_field_loss, max_quarantine_ratio=Decimal(1), **GATE_OFF,  # type: ignore[arg-type]
        )  # fmt: skip
        self.path = place / "warehouse.duckdb"
        self.location = location or duckdb_with_tables(self.path)
        self.journal = Journal(folder(self.settings.storage))
        sandbox.control.clear_faults()
        sandbox.control.set_clock(BEGIN)
        sandbox.control.configure(page_size=options.page_size, round_amounts=True, weather=0.0)
        sandbox.control.seed(
            accounts=[
                {
                    "token": f"token-{number}", "enterprise_id": self.enterprise, "advertiser_id": self.advertiser, "currency": options.currency,
                    "sale_amount_basis": options.basis, "rates": {"GBP": "1.27", "EUR": "1.08", "USD": "0.93"}, "action_trackers": TRACKERS,
                    "excluded_coupons": [EXCLUDED_COUPON],
                }
            ]
        )  # fmt: skip
        with open_warehouse(self.location) as session:
            session.execute(create_table("order_changes", ORDER_CHANGES))

    # -- the shop ------------------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.sandbox.control.clock().replace(microsecond=0)

    def advance(self, span: timedelta) -> None:
        self.sandbox.control.advance(span.total_seconds())

    def append(self, changes: Iterable[Change]) -> None:
        rows = []
        for change in changes:
            self.log.add(change)
            rows.append(change.row(self.enterprise))
        if rows:
            with open_warehouse(self.location) as session:
                session.append("order_changes", pa.Table.from_pylist(rows, ORDER_CHANGES))

    def pixel(self, orders: list[dict[str, Any]]) -> None:
        if orders:
            self.sandbox.control.seed(orders=[o | {"enterprise_id": self.enterprise} for o in orders])

    # -- the package ---------------------------------------------------------------------------------------------------------------

    def prepare(self, start: datetime, end: datetime, run_id: str | None = None) -> Night:
        run = Run(run_id or f"run_{len(self.nights)}", start, end)
        states = self.log.states()
        prepared = prepare(run, self.settings, self.location)
        self.turn += 1
        night = Night(run, prepared, states=states)
        for text in (t for batch in prepared.batches for t in batch):
            ref = ChunkRef.parse(text)
            for row in self.journal.orders(ref).to_pylist():
                key = Key(row["action_tracker_id"], row["order_id"])
                assert row["updated_at"] == states[key].updated_at, f"{key}: planned as of {row['updated_at']}, newest is {states[key]}"
                night.orders[(text, key)] = Planned(key, ref.operation.value, states[key], text, run.run_id, self.turn)
        self.nights = [n for n in self.nights if n.run.run_id != run.run_id] + [night]
        return night

    def submit(self, night: Night) -> None:
        """Every batch, as mapped tasks would: one that fails does not keep the others from running."""
        failed = False
        for batch in night.prepared.batches:
            try:
                done = submit(night.run, self.settings, batch)
                failed |= bool(done.left or done.paused_until)
            except RestatementsError:
                failed = True
            self._take_note(night, batch)
        night.submitted = not failed

    def publish(self, night: Night) -> None:
        publish(night.run, self.settings, self.location)
        night.published = True

    def reconcile(self) -> dict[str, int]:
        self.reconciliations += 1
        counts = reconcile(self.settings, self.location, f"check_{self.reconciliations}").counts
        self.verdicts.update(counts)
        return counts

    def mend(self) -> None:
        """CJ is well again, and the pause it was given is over."""
        self.calm()
        self.sandbox.control.clear_faults()
        if self.nights:
            self.journal.files.remove(f"breakers/{self.settings.accounts[0].conn_id}.json")

    def six_hours_pass_for_abandoned_plans(self) -> None:
        """The age of a plan is counted by the workers' clock, which no sandbox moves."""
        with open_warehouse(self.location) as session:
            session.execute("UPDATE cj.planned SET planned_at = planned_at - INTERVAL '7' HOUR")

    # -- the weather ---------------------------------------------------------------------------------------------------------------

    def blow(self, strength: float, seed: str, kinds: Iterable[str]) -> None:
        """Weather from now on, until it is calm."""
        self.calm()
        self.troubled = True
        self.sandbox.control.configure(weather=strength, weather_seed=seed, weather_kinds=",".join(kinds))

    def calm(self) -> None:
        """No more weather; what was met of it is counted."""
        self.events.update(self.sandbox.control.weather())
        self.sandbox.control.configure(weather=0.0)

    def act(self, name: str, keys: Iterable[Key], act: Mapping[str, Any]) -> None:
        """A person at CJ, or CJ unasked, does something to orders it holds (include.sandbox.acts); `name` is what it is counted as."""
        at = {"enterprise_id": self.enterprise}
        acts = [{**act, **at, "order_ids": [key.order_id], "action_tracker_id": key.tracker} for key in keys]
        told = self.sandbox.control.act(acts)[-len(acts) :] if acts else []
        self.events[name] += sum(one["met"] or 0 for one in told)

    # -- what can be seen ----------------------------------------------------------------------------------------------------------

    def held(self) -> dict[Key, dict[str, Any]]:
        """CJ's orders, from the inside of the sandbox."""
        mine = (o for o in self.sandbox.control.orders() if o["enterprise_id"] == self.enterprise)
        return {Key(o["action_tracker_id"], o["order_id"]): o for o in mine}

    def holds(self, held: dict[str, Any] | None, state: Change) -> bool:
        """Whether an order as CJ has it is this state, to the last digit that CJ keeps."""
        return holds(held, state, self.options.currency)

    def hands(self) -> list[dict[str, Any]]:
        """Every act on this advertiser's orders that was done, the weather's too."""
        return [a for a in self.sandbox.control.acts() if a.get("enterprise_id") == self.enterprise and a["met"]]

    def fates(self) -> list[dict[str, Any]]:
        """Every live order CJ received, and what became of it, in order."""
        return [s for s in self.sandbox.control.submissions() if s["enterprise_id"] == self.enterprise]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with open_warehouse(self.location) as session:
            return [dict(r) for r in session.rows(sql)]

    def chunk_state(self, planned: Planned) -> ChunkState:
        return self.journal.visit(ChunkRef.parse(planned.ref)).state

    def quality_kept(self, night: Night) -> bool:
        return self.journal.files.exists(f"{run_folder(night.run.run_id)}/quality/validation_result.json")

    def _take_note(self, night: Night, batch: list[str]) -> None:
        fates = self.fates()
        for place in range(self.received, len(fates)):
            key = Key(fates[place]["action_tracker_id"], fates[place]["order_id"])
            sent = [night.orders[(ref, key)] for ref in batch if (ref, key) in night.orders]
            assert sent, f"{key} was posted by {night.run.run_id}, which did not plan it in {batch}"
            assert len(sent) == 1, f"{key} is in two chunks of one batch: {sent}"
            assert sent[0].operation == fates[place]["operation"]
            self.posts.append(Post(sent[0], place))
        self.received = len(fates)
