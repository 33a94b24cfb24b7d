"""What CJ and the people who work there do to orders it holds, without being asked by an update.

An act is done at once or `after_seconds`, to every order CJ then holds with one of `order_ids` (of one enterprise or action tracker only, where they
are given):

- `correct`: a person writes another `amount`, `discount` or `coupon`, with a `correction_reason`, whatever the order's lock. `shape` `pair` takes the prior
  state back and posts the new one, as the API does; `difference` posts one record with what changed, as correction files did.
- `record`: a record of an action beside the sale, with the same order id: `action_type` (`bonus`, `sim_lead`, ...), `amount`, `commission`, `fee`, `coupon`, and
  an `action_status` and a `locking_date` of its own. The sale is what it was.
- `unsay`: commission and fee of the records so far are null; with `"said": true` they are said again.
- `lock`: another `locking_date` and `action_status`: `extended` (which CJ does of nothing that has locked), `locked` or `closed` ahead of time, or
  back to `new`. What was closed ahead of time stays closed: it is paid.
- `repost`: `pair` takes the state back and posts the same again; `moved` shows the newest record under a new commission id and no longer under the old one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import orjson

from include.domain.money import ZERO, money, money_text
from include.domain.states import ActionStatus
from include.sandbox import held
from include.sandbox.accounts import Accounts
from include.sandbox.clock import Clock, next_second, parse_instant
from include.sandbox.held import HeldOrder
from include.sandbox.ledger import OtherAction, Posting
from include.sandbox.posting import FAR, Figures, figures, reversal
from include.sandbox.store import Store

_AT = frozenset({"kind", "order_ids", "enterprise_id", "action_tracker_id", "after_seconds"})
_KNOWN = {
    "correct": _AT | {"amount", "discount", "coupon", "correction_reason", "shape"},
    "record": _AT | {"action_type", "amount", "commission", "fee", "coupon", "action_status", "locking_date"},
    "unsay": _AT | {"said"},
    "lock": _AT | {"locking_date", "action_status"},
    "repost": _AT | {"shape"},
}
SHAPES = {"correct": ("pair", "difference"), "repost": ("pair", "moved")}
OTHER_ACTIONS = ("bonus", "sim_lead", "item_lead", "perf_inc", "click", "imp")
_AMOUNTS = ("amount", "discount", "commission", "fee")


class ActError(ValueError):
    """An act the sandbox cannot do."""


def checked(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The act, if it can be done. Raises ActError, NotMoney."""
    kind = spec.get("kind")
    if kind not in _KNOWN:
        raise ActError(f"Act {kind!r} is unknown; it must be one of {', '.join(_KNOWN)}.")
    if unknown := spec.keys() - _KNOWN[kind]:
        raise ActError(f"{kind!r} takes {', '.join(sorted(_KNOWN[kind]))}; not {', '.join(sorted(unknown))}.")
    if not isinstance(spec.get("order_ids"), list):
        raise ActError(f"{kind!r} needs order_ids, a list of order ids.")
    shapes = SHAPES.get(kind, ())
    if shapes and spec.get("shape", shapes[0]) not in shapes:
        raise ActError(f"{kind!r} has the shape {spec['shape']!r}; it must be {' or '.join(shapes)}.")
    if kind == "record" and spec.get("action_type") not in OTHER_ACTIONS:
        raise ActError(f"A record beside the sale needs an action_type, one of {', '.join(OTHER_ACTIONS)}.")
    if spec.get("action_status", ActionStatus.NEW) not in list(ActionStatus):
        raise ActError(f"action_status is {spec['action_status']!r}; it must be one of {', '.join(ActionStatus)}.")
    try:
        parse_instant(spec.get("locking_date") or FAR)
    except (TypeError, ValueError) as reason:
        raise ActError(f"locking_date cannot be read: {reason}.") from None
    if not isinstance(spec.get("after_seconds", 0), (int, float)):
        raise ActError("after_seconds is a number.")
    for name in _AMOUNTS:
        money(spec.get(name) or "0")
    return dict(spec)


class Acts:
    """Acts that are to be done, and what they do."""

    def __init__(self, store: Store, clock: Clock, accounts: Accounts) -> None:
        self._store, self._clock, self._accounts = store, clock, accounts

    def plan(self, specs: Iterable[Mapping[str, Any]], *, since: str | None = None, of_weather: bool = False) -> None:
        """Acts to be done, `after_seconds` from `since` (a moment) or now. Raises ActError, NotMoney, and then plans none."""
        begin = parse_instant(since) if since else self._clock.now()
        rows = [
            (next_second(begin + timedelta(seconds=spec.get("after_seconds", 0))), orjson.dumps(spec).decode(), int(of_weather))
            for spec in map(checked, specs)
        ]
        with self._store.writing() as db:
            if rows:
                db.execute("CREATE INDEX IF NOT EXISTS records_ref ON records (ref)")
            db.executemany("INSERT INTO acts (due_at, spec, of_weather) VALUES (?, ?, ?)", rows)

    def calm(self) -> None:
        """The weather's acts that are still to be done are never done."""
        with self._store.writing() as db:
            db.execute("UPDATE acts SET met = 0 WHERE met IS NULL AND of_weather")

    def next_due(self, now: str) -> str | None:
        """When the first act that is due by `now` was due; None where none is."""
        row = self._store.reader.execute("SELECT min(due_at) FROM acts WHERE met IS NULL AND due_at <= ?", (now,)).fetchone()
        return None if row[0] is None else str(row[0])

    def do_due(self, moment: str) -> None:
        """Does every act that is due by `moment`, in order."""
        with self._store.writing() as db:
            rows = db.execute(
                "SELECT seq, due_at, spec FROM acts WHERE met IS NULL AND due_at <= ? ORDER BY due_at, seq", (moment,)
            ).fetchall()
            for seq, due_at, text in rows:
                db.execute("UPDATE acts SET met = ? WHERE seq = ?", (self._do(db, orjson.loads(text), due_at), seq))

    def listed(self) -> list[dict[str, Any]]:
        """Every act, with when it was or will be due and how many orders it met (null: it is still to be done)."""
        rows = self._store.reader.execute("SELECT due_at, spec, met FROM acts ORDER BY seq")
        return [orjson.loads(spec) | {"due_at": due_at, "met": met} for due_at, spec, met in rows]

    def _do(self, db: sqlite3.Connection, spec: dict[str, Any], moment: str) -> int:
        orders = list(_met(db, spec))
        posting = Posting(self._store)
        for order in orders:
            _DO[spec["kind"]](self, db, order, spec, moment, posting)
        posting.write(db)
        held.write(db, orders)
        return len(orders)

    def _correct(self, db: sqlite3.Connection, order: HeldOrder, spec: dict[str, Any], moment: str, posting: Posting) -> None:
        account = self._accounts.of_enterprise(order.enterprise_id)
        order.amount = _text(spec.get("amount", order.amount)) or "0.00"
        order.discount = _text(spec.get("discount", order.discount))
        order.coupon = spec.get("coupon", order.coupon)
        order.cancelled = order.cancelled and not money(order.amount)
        rate = account.rate(order.currency)
        assert rate is not None  # it was held, so it was converted
        tracker = account.trackers[order.action_tracker_id]
        new = figures(account, tracker, rate, order.amount, order.discount, order.coupon, order.items, order.commissionable)
        pair = spec.get("shape", "pair") == "pair"
        for record in (reversal(order.figures), new) if pair else (_difference(order.figures, new),):
            _post(db, posting, order, moment, record, reason=spec.get("correction_reason"))
        order.figures = new

    def _record(self, db: sqlite3.Connection, order: HeldOrder, spec: dict[str, Any], moment: str, posting: Posting) -> None:
        commission, fee = (_text(spec.get(name)) or "0.00" for name in ("commission", "fee"))
        record = Figures(_text(spec.get("amount")) or "0.00", None, None, commission, fee, spec.get("coupon"), [])
        status = spec.get("action_status")
        locking = spec.get("locking_date")
        other = OtherAction(
            spec["action_type"],
            None if status == ActionStatus.NEW else status,
            next_second(parse_instant(locking)) if locking else order.locking_date,
        )
        posting.add(order.ref, order.advertiser_id, moment, True, "AUTOMATED", None, record, other=other)

    def _unsay(self, db: sqlite3.Connection, order: HeldOrder, spec: dict[str, Any], moment: str, posting: Posting) -> None:
        db.execute("UPDATE records SET unsaid = ? WHERE ref = ?", (int(not spec.get("said", False)), order.ref))

    def _lock(self, db: sqlite3.Connection, order: HeldOrder, spec: dict[str, Any], moment: str, posting: Posting) -> None:
        locked = order.action_status == ActionStatus.LOCKED or order.locking_date <= moment
        if order.action_status == ActionStatus.CLOSED or (locked and spec.get("action_status") == ActionStatus.EXTENDED):
            return
        if "locking_date" in spec:
            order.locking_date = next_second(parse_instant(spec["locking_date"]))
        if "action_status" in spec:
            order.action_status = None if spec["action_status"] == ActionStatus.NEW else spec["action_status"]

    def _repost(self, db: sqlite3.Connection, order: HeldOrder, spec: dict[str, Any], moment: str, posting: Posting) -> None:
        if spec.get("shape", "pair") == "pair":
            for record in (reversal(order.figures), order.figures):
                _post(db, posting, order, moment, record)
            return
        id_, posted, original, status, reason, *money_, items = db.execute(
            "SELECT id, posting_date, original, validation_status, correction_reason, sale, discount, discount_orig, commission, fee, coupon, items"
            " FROM records WHERE ref = ? AND action_type IS NULL ORDER BY id DESC LIMIT 1", (order.ref,)
        ).fetchone()  # fmt: skip
        db.execute("UPDATE records SET visible_at = ? WHERE id = ?", (FAR, id_))
        posting.add(order.ref, order.advertiser_id, posted, bool(original), status, reason, Figures(*(*money_, orjson.loads(items))))


_DO = {"correct": Acts._correct, "record": Acts._record, "unsay": Acts._unsay, "lock": Acts._lock, "repost": Acts._repost}


def _met(db: sqlite3.Connection, spec: Mapping[str, Any]) -> Iterator[HeldOrder]:
    sql = "SELECT enterprise_id, action_tracker_id FROM orders WHERE order_id = ? ORDER BY ref"
    enterprise, tracker = spec.get("enterprise_id"), spec.get("action_tracker_id")
    for order_id in spec["order_ids"]:
        for key in db.execute(sql, (order_id,)).fetchall():
            if enterprise in (None, key[0]) and tracker in (None, key[1]) and (order := held.find(db, (key[0], key[1], order_id))):
                yield order


def _post(
    db: sqlite3.Connection, posting: Posting, order: HeldOrder, moment: str, record: Figures, reason: str | None = None
) -> None:  # fmt: skip
    """A correction that keeps the validation status of the record before it."""
    sql = "SELECT validation_status FROM records WHERE ref = ? AND action_type IS NULL ORDER BY id DESC LIMIT 1"
    (status,) = db.execute(sql, (order.ref,)).fetchone()
    posting.add(order.ref, order.advertiser_id, moment, False, status, reason, record)


def _difference(before: Figures, after: Figures) -> Figures:
    def less(one: str | None, other: str | None) -> str | None:
        return None if one is None and other is None else money_text(money(one or "0") - money(other or "0") + ZERO)

    sale, discount, discount_orig, commission, fee = (less(a, b) for a, b in zip(after[:5], before[:5], strict=True))
    return Figures(sale or "0.00", discount, discount_orig, commission or "0.00", fee or "0.00", after.coupon, [])


def _text(value: str | None) -> str | None:
    return None if value is None else money_text(money(value))
