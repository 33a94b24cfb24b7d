"""What CJ does in silence once an order falls due: post its records, or drop it without a word.

The rules are CJ's processing checks ("Restatements API": requests that erred do not show in Commission Detail). Why an order was dropped is
kept for the control API alone; the reasons are those of `include.domain.states.Reason` where it has a word for them.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from include.domain.money import CENT, ZERO, money, money_text
from include.domain.states import ActionStatus, LockingMethod, Reason
from include.sandbox import held
from include.sandbox.accounts import Account, Accounts, Tracker
from include.sandbox.acts import Acts
from include.sandbox.clock import Clock, next_second, parse_instant, second
from include.sandbox.faults import Faults, mark
from include.sandbox.held import HeldOrder, Key
from include.sandbox.knobs import Knobs
from include.sandbox.ledger import Posting
from include.sandbox.posting import (
    LEDGER_REASON,
    Figures,
    Item,
    action_type,
    figures,
    in_minor_units,
    items_total,
    locking_date,
    reversal,
    zeros,
)
from include.sandbox.store import Store

BATCH = 5_000

_PENDING = (
    "SELECT seq, enterprise_id, action_tracker_id, order_id, operation, update_time, received_at, due_at, payload, fault"
    " FROM submissions WHERE processed_at IS NULL AND due_at <= ? ORDER BY due_at, seq LIMIT ?"
)
_SETTLE = "UPDATE submissions SET processed_at = ?, posted = ?, drop_reason = ?, drop_detail = ? WHERE seq = ?"
_UNTOUCHED = mark()


class Dropped(Exception):
    """The update does not process; CJ never says so."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class _Update:
    seq: int
    key: Key
    operation: str
    update_time: str
    received_at: str
    due_at: str
    payload: dict[str, Any]
    altered: dict[str, Any]
    hidden: float
    """Seconds after its posting that its records show in Commission Detail."""
    half: bool
    """Only the new state is hidden: what takes the prior one back shows at once."""

    def visible_at(self, new_state: bool = True) -> str | None:
        """From when a record of it shows; None: at once."""
        if not self.hidden or (self.half and not new_state):
            return None
        return next_second(parse_instant(self.due_at) + timedelta(seconds=self.hidden))


class Processing:
    """What happens to a submission once its hour is over."""

    def __init__(self, store: Store, clock: Clock, accounts: Accounts, faults: Faults, acts: Acts) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts
        self._faults = faults
        self._acts = acts

    def run_due(self, knobs: Knobs) -> int:
        """Processes all that is due by the sandbox's clock, and does the acts that are, in their order; returns how many updates.

        Every read waits for this first.
        """
        now = second(self._clock.now())
        done = 0
        while moment := self._acts.next_due(now):
            done += self._run_until(moment, knobs)
            self._acts.do_due(moment)
        return done + self._run_until(now, knobs)

    def _run_until(self, now: str, knobs: Knobs) -> int:
        done = 0
        while self._store.reader.execute("SELECT 1 FROM submissions WHERE processed_at IS NULL AND due_at <= ? LIMIT 1", (now,)).fetchone():
            with self._store.writing() as db:
                rows = db.execute(_PENDING, (now, BATCH)).fetchall()
                batch = _Batch(db, self._store, self._accounts, knobs)
                settled = [outcome for row in rows if (outcome := self._settle(row, batch))]
                batch.write()
                db.executemany(_SETTLE, settled)
                self._faults.remember()
            done += len(settled)
        return done

    def _settle(self, row: tuple[Any, ...], batch: _Batch) -> tuple[Any, ...] | None:
        seq, enterprise, tracker, order_id, operation, update_time, received_at, due_at, payload, fault = row
        found = orjson.loads(fault) if fault else self._faults.for_order(order_id)
        if found and not fault:
            later = next_second(parse_instant(due_at) + timedelta(seconds=found["seconds"]))
            batch.db.execute("UPDATE submissions SET fault = ?, due_at = ? WHERE seq = ?", (orjson.dumps(found).decode(), later, seq))
            if found["seconds"]:
                return None
        if found and found["drop"]:
            return due_at, 0, "fault", "Lost on purpose: a fault, or lost_share.", seq
        found = found or _UNTOUCHED
        altered = {a["field"]: a["value"] for a in found["alter"]}
        key = (enterprise, tracker, order_id)
        seen = found.get("hide", 0), found.get("half", False)
        try:
            batch.apply(_Update(seq, key, operation, update_time, received_at, due_at, orjson.loads(payload), altered, *seen))
        except Dropped as dropped:
            return due_at, 0, dropped.reason, dropped.detail, seq
        return due_at, 1, None, None, seq


class _Batch:
    """Updates applied one after the other, written together."""

    def __init__(self, db: sqlite3.Connection, store: Store, accounts: Accounts, knobs: Knobs) -> None:
        self._store, self._accounts, self._knobs = store, accounts, knobs
        self.db = db
        self._orders: dict[Key, HeldOrder | None] = {}
        self._changed: dict[Key, HeldOrder] = {}
        self._posting = Posting(store)

    def write(self) -> None:
        self._posting.write(self.db)
        held.write(self.db, self._changed.values())

    def _find(self, key: Key) -> HeldOrder | None:
        if key not in self._orders:
            self._orders[key] = held.find(self.db, key)
        return self._orders[key]

    def _keep(self, order: HeldOrder) -> None:
        self._orders[order.key] = self._changed[order.key] = order

    def apply(self, update: _Update) -> None:
        """Posts the update's records. Raises Dropped."""
        account = self._accounts.of_enterprise(update.key[0])
        tracker = account.trackers.get(update.key[1])
        if tracker is None:
            raise Dropped(Reason.WRONG_ACTION_TRACKER, "The action tracker does not belong to the enterprise.")
        if update.operation == "create":
            self._create(update, account, tracker)
            return
        order = self._correctable(update, tracker)
        if update.operation == "restate":
            self._restate(update, order, account, tracker)
        else:
            self._cancel(update, order, tracker)

    def _create(self, update: _Update, account: Account, tracker: Tracker) -> None:
        if self._find(update.key):
            raise Dropped(Reason.DUPLICATE, "CJ already holds an order of this identity.")
        payload = update.payload
        attribution = payload.get("cjEvent") or payload.get("adId")
        if not attribution:
            raise Dropped("no_attribution", "Neither cjEvent nor adId says which publisher brought the order.")
        commissionable = payload.get("coupon") not in account.excluded_coupons
        state = _state_of(update, account, self._knobs)
        event = parse_instant(payload.get("eventTime") or update.received_at)
        order = HeldOrder(
            ref=self._store.next_ref, enterprise_id=update.key[0], action_tracker_id=update.key[1], order_id=update.key[2],
            advertiser_id=account.advertiser_id, action_type=action_type(state.items), publisher_id=account.publisher_of(str(attribution)),
            event_date=second(event), locking_date=locking_date(tracker, event, parse_instant(update.due_at)), action_status=None,
            original_id=self._store.next_record, amount=state.amount, discount=state.discount, currency=state.currency, coupon=state.coupon,
            items=state.items, cancelled=False, commissionable=commissionable, updated_at=update.update_time,
            figures=state.figures(account, tracker, commissionable),
        )  # fmt: skip
        self._store.next_ref += 1
        status = _altered_status(update, "PENDING" if tracker.locking_method == LockingMethod.OPEN_ENDED else "AUTOMATED")
        reason, visible_at = _reason(update, None), update.visible_at()
        self._posting.add(order.ref, order.advertiser_id, update.due_at, True, status, reason, order.figures, visible_at=visible_at)
        self._keep(order)

    def _correctable(self, update: _Update, tracker: Tracker) -> HeldOrder:
        """The order, if this update may change it. Raises Dropped with the first rule that says no."""
        order = self._find(update.key)
        if order is None:
            if held.held_elsewhere(self.db, update.key):
                raise Dropped(Reason.WRONG_ACTION_TRACKER, "CJ holds the order under another action tracker.")
            raise Dropped(Reason.NOT_IN_CJ, "CJ has never seen the order.")
        if not order.commissionable:
            raise Dropped(Reason.NOT_COMMISSIONABLE, "CJ pays no commission on the order.")
        if order.cancelled:
            raise Dropped(Reason.NOT_COMMISSIONABLE, "The order was cancelled, for good.")
        status = held.status_at(order, update.due_at, self._knobs.close_after_days)
        if status in (ActionStatus.LOCKED, ActionStatus.CLOSED):
            raise Dropped(Reason(status.value), f"The order locked on {order.locking_date}.")
        open_ended = tracker.locking_method == LockingMethod.OPEN_ENDED
        if open_ended and not update.payload.get("status"):
            raise Dropped(Reason.STATUS_REQUIRED, "An open-ended order needs a status.")
        if not open_ended and update.operation == "cancel" and update.payload.get("status"):
            raise Dropped(Reason.STATUS_NOT_ALLOWED, "A cancellation with status only processes where locking is open-ended.")
        if self._knobs.newest_by == "updateTime" and order.updated_at and update.update_time < order.updated_at:
            raise Dropped("older_update", "CJ holds an update with a later updateTime.")
        return order

    def _restate(self, update: _Update, order: HeldOrder, account: Account, tracker: Tracker) -> None:
        if update.payload.get("coupon") in account.excluded_coupons:
            raise Dropped("coupon_excluded", "The coupon is excluded: the order would no longer be commissionable.")
        state = _state_of(update, account, self._knobs)
        new = state.figures(account, tracker, True)
        status = "AUTOMATED"
        if tracker.locking_method == LockingMethod.OPEN_ENDED:
            status = "ACCEPTED" if update.payload["status"] == "Accepted" else "PENDING"
            if status == "ACCEPTED":
                order.locking_date = update.due_at
        order.amount, order.discount, order.currency = state.amount, state.discount, state.currency
        order.coupon, order.items = state.coupon, state.items
        self._correct(update, order, status, new)

    def _cancel(self, update: _Update, order: HeldOrder, tracker: Tracker) -> None:
        order.cancelled = True
        order.amount, order.discount = "0.00", None if order.discount is None else "0.00"
        order.items = [(sku, 0, price, None if off is None else "0.00") for sku, _, price, off in order.items]
        new = zeros(order.figures)
        if update.altered:
            new = _altered_zeros(update, order, new)
        self._correct(update, order, "DECLINED" if tracker.locking_method == LockingMethod.OPEN_ENDED else "AUTOMATED", new)

    def _correct(self, update: _Update, order: HeldOrder, status: str, new: Figures) -> None:
        """Two records: the prior state taken back in full, and the new one."""
        status = _altered_status(update, status)
        reason = _reason(update, LEDGER_REASON.get(update.payload.get("correctionReason") or ""))
        back = reversal(order.figures)
        if self._knobs.reversal_discount == "plain":
            back = back._replace(discount=order.figures.discount, discount_orig=order.figures.discount_orig)
        for record in (back, new):
            visible_at = update.visible_at(new_state=record is new)
            self._posting.add(order.ref, order.advertiser_id, update.due_at, False, status, reason, record, visible_at=visible_at)
        order.figures = new
        order.updated_at = update.update_time if order.updated_at is None else max(order.updated_at, update.update_time)
        self._keep(order)


@dataclass(frozen=True)
class _State:
    """An order as an update leaves it: what is not in the update is gone."""

    amount: str
    discount: str | None
    currency: str
    coupon: str | None
    items: list[Item]

    def figures(self, account: Account, tracker: Tracker, commissionable: bool) -> Figures:
        rate = account.rate(self.currency)
        if rate is None:
            raise Dropped("currency_unknown", f"The account has no rate for {self.currency}.")
        return figures(account, tracker, rate, self.amount, self.discount, self.coupon, self.items, commissionable)


def _state_of(update: _Update, account: Account, knobs: Knobs) -> _State:
    payload = update.payload
    items: list[Item] = [(i["sku"], i["quantity"], i["unitPrice"], i.get("discount")) for i in payload.get("items") or ()]
    amount, discount, coupon = payload.get("amount") or items_total(items), payload.get("discount"), payload.get("coupon")
    for field, value in update.altered.items():
        if field == "amount":
            amount = _other_amount(amount, value)
        elif field == "discount":
            discount = _other_discount(discount, value, amount)
        elif field == "coupon":
            coupon = value or "ALTERED"
        elif field == "items":
            items = _other_items(items)
    currency = payload.get("currency") or account.currency
    if knobs.round_amounts:
        amount, discount, items = in_minor_units(amount, discount, items, currency)
    return _State(amount, discount, currency, coupon, items)


def _altered_zeros(update: _Update, order: HeldOrder, new: Figures) -> Figures:
    """A cancellation that posts altered: something is left of the order."""
    for field, value in update.altered.items():
        if field == "amount":
            order.amount = _other_amount("0.00", value)
            new = new._replace(sale=order.amount)
        elif field == "discount":
            order.discount = _other_amount("0.00", value)
            new = new._replace(discount=order.discount, discount_orig=order.discount)
        elif field == "coupon":
            order.coupon = value or "ALTERED"
            new = new._replace(coupon=order.coupon)
        elif field == "items":
            order.items = _other_items(order.items)
            new = new._replace(items=[(sku, quantity, "0.00", None, "0.00") for sku, quantity, _, _ in order.items])
    return new


def _other_amount(amount: str | None, value: str | None) -> str:
    return value or money_text(money(amount or "0") + 100 * CENT)


def _other_discount(discount: str | None, value: str | None, amount: str) -> str:
    """Another one, of no more than there is to take it from."""
    now, most = money(discount or "0"), money(amount)
    return value or money_text(min(now + 100 * CENT, most) if now < most else ZERO)


def _other_items(items: list[Item]) -> list[Item]:
    """One piece more of the first item, or an item nobody ordered."""
    if not items:
        return [("ALTERED", 1, "0.00", None)]
    (sku, quantity, price, off), *rest = items
    return [(sku, quantity + 1, price, off), *rest]


def _reason(update: _Update, reason: str | None) -> str | None:
    if "correction_reason" not in update.altered:
        return reason
    return update.altered["correction_reason"] or ("BAD_DEBT" if reason == "OTHER_REASON" else "OTHER_REASON")


def _altered_status(update: _Update, status: str) -> str:
    if "validation_status" not in update.altered:
        return status
    return update.altered["validation_status"] or ("PENDING" if status == "DECLINED" else "DECLINED")
