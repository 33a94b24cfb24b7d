"""A small shop with one night of everything: what CJ holds before it, what the warehouse says, and what must come of each order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from include.demo.files import ORDER_CHANGES
from include.domain.money import money_text

FIXED, OPEN = 401, 402
NIGHT = datetime(2026, 11, 19, tzinfo=UTC)
RUNS_AT = NIGHT + timedelta(hours=26)
"""Two o'clock after the night's end."""
REPORTED_AT = NIGHT - timedelta(days=2)


@dataclass(frozen=True)
class State:
    """An order as it should be at CJ, or is. `lines` are (SKU, quantity, unit price in cents)."""

    cents: int
    discount: int | None = None
    coupon: str | None = None
    lines: tuple[tuple[str, int, int], ...] = ()
    cancelled: bool = False

    def items(self) -> list[dict[str, Any]] | None:
        return [{"sku": s, "quantity": q, "unit_price": cents_text(p)} for s, q, p in self.lines] or None


@dataclass(frozen=True)
class Story:
    """One order: what CJ holds (None: nothing), what the warehouse says, and what the run has to do with it."""

    order_id: str
    verb: str
    """`create` `restate` `cancel`: sent; `quarantine` `skipped`: not."""
    should: State
    held: State | None = None
    reason: str | None = None
    tracker: int = FIXED
    attributed: bool = True
    was_new: bool = False
    locked: bool = False
    status: str | None = None
    at: datetime = NIGHT + timedelta(hours=10)

    @property
    def sent(self) -> bool:
        return self.verb in ("create", "restate", "cancel")

    @property
    def change_type(self) -> str:
        return "cancelled" if self.should.cancelled else "new" if self.held is None and self.was_new else "restated"

    def held_at_end(self) -> State | None:
        """What CJ must hold when all is settled."""
        return self.should if self.sent else self.held


@dataclass
class NightShop:
    """One advertiser of its own, so that many tests can share a sandbox."""

    number: int
    stories: list[Story] = field(default_factory=list)

    @property
    def enterprise(self) -> str:
        return str(1_600_000 + self.number)

    @property
    def advertiser(self) -> str:
        return str(5_600_000 + self.number)

    @property
    def token(self) -> str:
        return f"token-of-{self.number}"

    def seed_account(self) -> dict[str, Any]:
        common = {"lock_days": 30, "commission_rate": "0.08", "fee_rate": "0.02"}
        return {
            "token": self.token, "enterprise_id": self.enterprise, "advertiser_id": self.advertiser, "advertiser_name": f"Shop {self.number}",
            "currency": "USD", "sale_amount_basis": "net", "rates": {},
            "action_trackers": [
                {"id": FIXED, "name": "Shop", "locking_method": "FIXED_DATE", **common},
                {"id": OPEN, "name": "Stays", "locking_method": "OPEN_ENDED", **common},
            ],
            "publishers": [{"id": "7108602", "name": "Aspire"}],
            "excluded_coupons": [],
        }  # fmt: skip

    def account(self, url: str) -> dict[str, Any]:
        return {
            "conn_id": f"cj_{self.number}", "enterprise_id": self.enterprise, "advertiser_id": self.advertiser, "token": self.token,
            "tracking_url": url, "commissions_url": url + "/query",
        }  # fmt: skip

    def seed_orders(self) -> list[dict[str, Any]]:
        """What the pixel reported before the night."""
        return [self._seed(story, story.held) for story in self.stories if story.held is not None]

    def _seed(self, story: Story, held: State) -> dict[str, Any]:
        return {
            "enterprise_id": self.enterprise, "action_tracker_id": story.tracker, "order_id": story.order_id, "amount": cents_text(held.cents),
            "discount": None if held.discount is None else cents_text(held.discount), "currency": "USD", "coupon": held.coupon,
            "items": held.items(), "event_time": REPORTED_AT - timedelta(hours=1), "posted_at": REPORTED_AT,
            "action_status": "locked" if story.locked else None,
            "locking_date": REPORTED_AT + timedelta(hours=1) if story.locked else None,
        }  # fmt: skip

    def changes(self) -> pa.Table:
        """`order_changes` as the warehouse has it after the night."""
        return change_table([row for story in self.stories for row in self.rows_of(story)])

    def rows_of(self, story: Story) -> list[dict[str, Any]]:
        newest = self.row(story, story.should, story.change_type, story.at)
        if not story.was_new or story.change_type == "new":
            return [newest]
        first = replace(story.should, cancelled=False)
        return [self.row(story, first, "new", story.at - timedelta(hours=1)), newest]

    def row(self, story: Story, state: State, change_type: str, at: datetime) -> dict[str, Any]:
        items = state.items()
        return {
            "enterprise_id": self.enterprise, "action_tracker_id": story.tracker, "order_id": story.order_id, "change_type": change_type,
            "event_time": REPORTED_AT - timedelta(hours=1) if story.held else at - timedelta(hours=2), "updated_at": at,
            "amount": Decimal(state.cents) / 100, "discount": None if state.discount is None else Decimal(state.discount) / 100,
            "currency": "USD", "coupon": state.coupon, "items": json.dumps(items) if items else None, "status": story.status,
            "correction_reason": None, "cj_event": f"click-{story.order_id}" if story.attributed else None, "ad_id": None,
            "promotional_property_id": None, "sid": None, "custom_parameters": None, "vertical_parameters": None,
        }  # fmt: skip


def change_table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    rows = list(rows)
    return pa.table({f.name: pa.array([row[f.name] for row in rows], f.type) for f in ORDER_CHANGES}, schema=ORDER_CHANGES)


def cents_text(cents: int) -> str:
    return money_text(Decimal(cents) / 100)


def night_shop(number: int, *, invalid: bool = True) -> NightShop:
    """Creates, restatements and cancellations enough for several chunks, and one of each kind that must not be sent.

    `invalid`: one row breaks a rule of the gate, which then takes a second, longer look.
    """
    stories = [Story(f"new-{n:03}", "create", _basket(n), was_new=True) for n in range(12)]
    stories += [Story(f"changed-{n:03}", "restate", _basket(n + 48), held=_basket(n)) for n in range(11)]
    stories += [Story(f"gone-{n:03}", "cancel", replace(_basket(n), cancelled=True), held=_basket(n)) for n in range(6)]
    plain = State(5_000)
    stories += [
        Story("stay-000", "restate", State(44_000), held=State(40_000), tracker=OPEN, status="Accepted"),
        Story("locked-000", "quarantine", State(4_000), held=plain, locked=True, reason="locked"),
        Story("unheard-000", "quarantine", plain, reason="not_in_cj"),
        Story("same-000", "skipped", plain, held=plain, reason="unchanged"),
        Story("same-001", "skipped", _basket(3), held=_basket(3), reason="unchanged"),
        Story("direct-000", "skipped", plain, attributed=False, reason="not_in_cj"),
        Story("brief-000", "skipped", replace(plain, cancelled=True), was_new=True, reason="never_sent"),
    ]
    if invalid:
        stories.append(Story("negative-000", "quarantine", State(-100), held=plain, reason="amount_negative"))
    return NightShop(number, stories)


def _basket(n: int) -> State:
    if n % 3 == 0:
        return State(2_000 + 117 * n)
    lines = ((f"SKU-{n % 7}", 1 + n % 3, 1_099), (f"SKU-X{n % 5}", 2, 450 + n))
    total = sum(quantity * price for _, quantity, price in lines)
    return State(total, discount=(25 if n % 2 else None), coupon=("AUTUMN" if n % 4 == 1 else None), lines=lines)
