"""What the contract promises whatever CJ, clocks and people do, asked once it is calm: written from the contract, with CJ seen from its inside.

- CJ holds the warehouse's newest state of every order that it can take;
- of every other order the tables' last word is a reason that is true;
- no verdict calls a state lost that CJ holds, nor one held that it does not;
- CJ received nothing more often than it changed, plus what CJ lost, altered or had corrected by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from include.domain.states import BREAKS, MAX_ATTEMPTS, Reason, Skip, Status
from tests.model import promises
from tests.model.histories import OPEN_ENDED
from tests.model.shop import Change, Key, in_cents, quantities
from tests.model.world import Post, World

PROCESSING = timedelta(minutes=61)
"""CJ's hour, and a minute for what rounds."""

LOST_WITHOUT_A_WORD = frozenset({"fault", "coupon_excluded"})
"""Why CJ dropped an update, where nothing that it shows could explain it."""


@dataclass
class End:
    """Everything that is looked at when it is over."""

    world: World
    held: dict[Key, dict[str, Any]] = field(init=False)
    fates: list[dict[str, Any]] = field(init=False)
    posts: dict[Key, list[Post]] = field(init=False)
    corrected: Counter[Key] = field(init=False)
    """How often a person changed the order at CJ."""
    unsaid: set[Key] = field(init=False)
    """Orders of which CJ left out what it pays."""
    unanswered: set[tuple[str, Key]] = field(init=False)
    """Runs and orders of calls that no answer came to."""
    words: dict[Key, tuple[str, str, Any]] = field(init=False)
    verdicts: dict[Key, dict[str, Any]] = field(init=False)
    sent: Counter[tuple[Key, tuple[Any, ...]]] = field(init=False)

    def __post_init__(self) -> None:
        self.held, self.fates, self.posts = self.world.held(), self.world.fates(), promises.by_order(self.world)
        self.words, self.verdicts = promises.last_words(self.world), promises.newest_verdicts(self.world)
        self.sent = promises.attempts_of_content(self.world)
        unknown = self.world.rows("SELECT run_id, action_tracker_id AS t, order_id AS o FROM cj.submissions WHERE outcome = 'unknown'")
        self.unanswered = {(str(r["run_id"]), Key(r["t"], r["o"])) for r in unknown}
        self.corrected, self.unsaid = Counter(self._done("correct")), set(self._done("unsay"))

    def _done(self, kind: str) -> Iterator[Key]:
        """The orders to which this was done, once for each time."""
        return (Key(a["action_tracker_id"], one) for a in self.world.hands() if a["kind"] == kind for one in a["order_ids"])

    def fate(self, post: Post) -> dict[str, Any]:
        return self.fates[post.place]

    def took(self, post: Post) -> timedelta:
        """From its receipt to its posting."""
        return datetime.fromisoformat(self.fate(post)["due_at"]) - datetime.fromisoformat(self.fate(post)["received_at"])

    def shown_late(self, post: Post) -> bool:
        """Whether CJ's hour passed before it could be seen to have posted."""
        return self.took(post) > PROCESSING or bool((self.fate(post)["fault"] or {}).get("hide"))

    def overtook(self, older: Post, newer: Post) -> bool:
        """Whether another state that was sent before posted after it: CJ holds that one then."""
        late, first = self.fate(older), self.fate(newer)
        return older.planned.state.content != newer.planned.state.content and late["posted"] and late["due_at"] > first["due_at"]

    def converted(self, state: Change) -> bool:
        return state.currency not in (None, self.world.options.currency)

    def unknowable(self, key: Key, state: Change) -> bool:
        """A converted order where one was changed at CJ: nobody outside can tell another amount from another rate, and each tells the others' rate."""
        if not self.converted(state) or state.cancelled:
            return False
        changed = {*self.corrected, *self.world.altered} & self.world.log.changes.keys()
        spoiled = any(self.converted(c) for k in changed for c in self.world.log.changes[k])
        return spoiled or not promises.rate_is_known(self.world, key, state)

    def story(self, key: Key) -> str:
        """All that happened to an order, a line each, for whoever has to find out why."""
        lines = [f"{key} under {self.world.options}"]
        lines += [f"{c.updated_at:%d %H:%M:%S} log: {c.change_type} {_short(c)}" for c in self.world.log.changes.get(key, [])]
        for post in self.posts.get(key, []):
            fate, planned = self.fate(post), post.planned
            became = "posted" if fate["posted"] else fate["drop_reason"]
            met = {k: v for k, v in (fate["fault"] or {}).items() if v}
            lines.append(
                f"{fate['received_at'][8:19]} received: {planned.operation} by {planned.run_id} as of {planned.state.updated_at:%d %H:%M:%S}"
                f" {_short(planned.state)}; {became} {fate['due_at'][8:19]} {met or ''}"
            )
        for act in self.world.hands():
            if key.order_id in act["order_ids"] and act["action_tracker_id"] == key.tracker:
                lines.append(f"{act['due_at'][8:19]} by hand: { ({k: v for k, v in act.items() if k not in _AT}) }")
        for r in self.world.rows(
            f"SELECT * FROM cj.verdicts_log WHERE action_tracker_id = {key.tracker} AND order_id = '{key.order_id}' ORDER BY checked_at"
        ):
            lines.append(f"{r['checked_at']:%d %H:%M:%S} verdict on {r['updated_at']:%d %H:%M:%S}: {r['status']} {r['reason'] or ''}")
        now = self.held.get(key)
        return "\n  ".join([*lines, f"it is {self.world.now():%d %H:%M:%S}, CJ holds {now}"])


_AT = ("order_ids", "enterprise_id", "action_tracker_id", "due_at", "met")


def _short(c: Change) -> str:
    items = None if c.items is None else " ".join(f"{i.quantity}x{i.sku}" for i in c.items)
    return f"{c.amount} -{c.discount} {c.currency} coupon {c.coupon} items {items} status {c.status} reason {c.correction_reason}"


def kept(world: World) -> None:
    """All of it, of every order; what is broken is told together."""
    end = End(world)
    found = ((key, promise(end, key)) for key in world.log.changes for promise in (held_or_told, verdict_is_true, sent_no_more_than_needed))
    broken = [
        f"{what}:\n  {end.story(key)}\n  last word {end.words.get(key)}, verdict {end.verdicts.get(key)}" for key, what in found if what
    ]
    assert not broken, f"{len(broken)} promises are broken.\n" + "\n".join(broken)


def held_or_told(end: End, key: Key) -> str:
    """CJ holds the newest state of an order, or the last word about it is a reason that is true. What is broken, or nothing."""
    state, now = end.world.log.state(key), end.held.get(key)
    if state.valid and end.world.holds(now, state) and not promises.settles(end.world, now or {}, state):
        return ""
    if key not in end.words:
        return "no run ever said a word about an order that CJ does not hold so"
    stage, reason, as_of = end.words[key]
    if as_of != state.updated_at:
        return "the last word is about an older state"
    if end.unknowable(key, state):
        return ""
    verdict = end.verdicts.get(key)
    if stage == "sent" or (stage == "skipped" and reason == Skip.UNCHANGED and verdict):
        # `unchanged` is also said of what is on its way; what became of that is the verdict's to say.
        if verdict is None or verdict["status"] not in BREAKS:
            return "CJ does not hold it, and the tables call it no break"
        stage, reason = "sent", verdict["reason"]
    sent = end.sent[(key, state.content)]
    return "" if reason_is_true(end, stage, reason, state, sent) else f"the reason {reason!r} is not true, after {sent} attempts"


def verdict_is_true(end: End, key: Key) -> str:
    """Of the newest state sent: `matched` is said of what CJ holds, `missing` and `mismatched` only of what it does not hold so."""
    posts, verdict = end.posts.get(key, []), end.verdicts.get(key)
    if not posts or verdict is None or posts[-1].planned.state.updated_at != verdict["updated_at"]:
        return ""  # its call was cut before CJ received it
    state = posts[-1].planned.state
    if end.unknowable(key, state):
        return ""
    holds = end.world.holds(end.held.get(key), state)
    if verdict["status"] == Status.MATCHED and not holds:
        return "said to match, and CJ does not hold it"
    # Which the inside does not tell: a reason or a status may be all that never came.
    shown = (
        verdict["reason"] in (Reason.CORRECTION_REASON, Reason.VALIDATION_STATUS)
        or state.correction_reason is not None
        or state.status is not None
        or (key.tracker == OPEN_ENDED and end.world.options.open_ended_status is not None)
    )
    return "said to be a break, and CJ holds it" if verdict["status"] in BREAKS and holds and not shown else ""


def sent_no_more_than_needed(end: End, key: Key) -> str:
    """The same content twice in a row only where CJ dropped or altered the first, worked an older state off after it, had it corrected, or could not be
    told all of it by a create.

    Or where no answer came to the first and CJ's hour passed before it could be seen: whether it ever would, nobody could know.
    """
    posts = end.posts.get(key, [])
    again = [(a, b) for a, b in pairwise(posts) if a.planned.state.content == b.planned.state.content]
    lost = sum(not end.fate(a)["posted"] or any(end.overtook(older, a) for older in posts[: posts.index(a)]) for a, _ in again)
    accepts = sum(key.tracker == OPEN_ENDED and a.planned.operation == "create" and b.planned.operation == "restate" for a, b in again)
    silent = sum((a.planned.run_id, key) in end.unanswered and end.shown_late(a) for a, _ in again if end.fate(a)["posted"])
    allowed = lost + silent + accepts + end.corrected[key] + (MAX_ATTEMPTS if key in end.world.altered else 0)
    allowed += sum(end.unknowable(key, a.planned.state) for a, _ in again)
    return f"sent {len(again)} times without need, and {allowed} times there was one" if len(again) > allowed else ""


def reason_is_true(end: End, stage: str, reason: str, state: Change, sent: int) -> bool:
    """Whether a person who could see CJ from its inside would agree."""
    now, key = end.held.get(state.key), state.key
    ours = end.world.log.ours_to_create(key)
    if stage == "validation":
        return not state.valid
    if stage == "skipped":
        return {
            Skip.NOT_IN_CJ: now is None and state.cj_event is None,
            Skip.NEVER_SENT: now is None and ours and state.cancelled,
            Skip.UNCHANGED: end.converted(state) and not end.posts.get(key) and state.change_type == "new",
        }.get(Skip(reason), False)
    drops = {
        end.fate(p)["drop_reason"] for p in end.posts.get(key, []) if p.planned.state.content == state.content and not end.fate(p)["posted"]
    }
    if reason == Reason.UNKNOWN:
        # CJ shows neither a lost update, nor which coupons it excludes, nor whether it pays for a sale too small to earn a cent, or for one of which it
        # left out the commission.
        unseen = (now is not None and promises.net(now) < 1) or key in end.unsaid
        return sent >= MAX_ATTEMPTS and drops <= LOST_WITHOUT_A_WORD | ({"not_commissionable"} if unseen else set())
    if now is None:
        elsewhere = any(k.order_id == key.order_id for k in end.held)
        return {
            Reason.NOT_IN_CJ: not ours and state.cj_event is not None,
            # The tracker is part of an order's name: one id under two trackers is two orders, of which ours can be created.
            Reason.WRONG_ACTION_TRACKER: elsewhere and not (ours and end.world.two_trackers),
        }.get(Reason(reason), False)
    if reason == Reason.VALIDATION_STATUS:
        return promises.settles(end.world, now, state)
    return reason in _differences(state, now) | _hindrances(end, state, now)


def _differences(state: Change, now: dict[str, Any]) -> set[str]:
    """What differs between a state and what CJ holds. (A cancelled order has nothing left.)"""
    nothing = state.cancelled
    pieces = quantities((i["sku"], i["quantity"]) for i in now["items"])
    wanted = {} if nothing else quantities((i.sku, i.quantity) for i in state.items or ())
    found = {
        Reason.AMOUNT: promises.amount(now["amount"]) != (0 if nothing else in_cents(state.amount)),
        Reason.DISCOUNT: promises.amount(now["discount"]) != (0 if nothing else in_cents(state.discount)),
        Reason.ITEMS: pieces != wanted,
        Reason.COUPON: not nothing and (now["coupon"] or None) != (state.coupon or None),
    }
    return {reason for reason, differs in found.items() if differs}


def _hindrances(end: End, state: Change, now: dict[str, Any]) -> set[str]:
    """Why CJ would not take it."""
    soon = (end.world.now() + promises.HOUR).isoformat()
    no_status = state.status is None and end.world.options.open_ended_status is None
    found = {
        Reason.LOCKED: now["action_status"] in ("locked", "closed") or now["locking_date"] <= soon,
        Reason.CLOSED: now["action_status"] == "closed",
        Reason.NOT_COMMISSIONABLE: now["cancelled"] or not now["commissionable"],
        Reason.STATUS_REQUIRED: state.key.tracker == OPEN_ENDED and not state.cancelled and no_status,
    }
    return {reason for reason, holds in found.items() if holds}
