"""The promises, each a function over a world that raises AssertionError where it is broken."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tests.model.histories import OPEN_ENDED
from tests.model.shop import Change, Key, in_cents, newest, quantities
from tests.model.world import Night, Post, World

HOUR = timedelta(hours=1)


def posted_in_order_and_once(world: World) -> None:
    """An order's live posts never go back in time, no plan overtakes a later one, and no planned order is posted twice."""
    seen: Counter[tuple[str, str, Key]] = Counter((p.planned.run_id, p.planned.ref, p.planned.key) for p in world.posts)
    twice = {k: n for k, n in seen.items() if n > 1}
    assert not twice, f"posted more than once from one plan: {twice}"
    for key, posts in by_order(world).items():
        for before, after in pairwise(posts):
            assert before.planned.state.updated_at <= after.planned.state.updated_at, f"{key} went back: {before} then {after}"
            assert before.planned.turn <= after.planned.turn, f"{key}: a plan was posted after a later one: {before} then {after}"


def planned_rightly(world: World, night: Night, held: dict[Key, dict[str, Any]]) -> None:
    """Each planned order is one CJ needs, by the operation that fits. `held` is CJ just before the plan."""
    fates = world.fates()
    known = {(r["tracker"], r["order_id"], r["updated_at"]): r for r in world.rows(_LAST_WORD)}
    mine = by_order(world)
    for planned in night.orders.values():
        key, state = planned.key, planned.state
        assert state.valid, f"{state} breaks a rule and was planned"
        assert (planned.operation == "cancel") == state.cancelled, f"{planned}"
        posts = mine.get(key, [])
        pending = [p for p in posts if fates[p.place]["processed_at"] is None]
        if planned.operation == "create":
            assert world.log.ours_to_create(key) and key not in held, f"created, but CJ holds {held.get(key)}: {planned}"
        else:
            assert key in held or any(p.planned.operation == "create" for p in pending), f"CJ has never seen it: {planned}"
        settled = _given_up(known.get((*key, posts[-1].planned.state.updated_at)), posts[-1]) if posts else False
        if pending:
            same = pending[-1] is posts[-1] and pending[-1].planned.state.content == state.content
            if pending[-1].planned.operation == "create" and key in held:
                # The pixel was faster: the create will be dropped as a duplicate, and could not have accepted the order anyway.
                same = same and not settles(world, held[key], state)
            assert settled or not same, f"the same state is on its way: {pending[-1]} and {planned}"
        elif world.holds(held.get(key), state) and not settles(world, held[key], state):
            # What CJ does not show must be told: another reason or status than last time; what it made of another currency.
            told = _told(world, key, posts)
            converted = state.currency not in (None, world.options.currency)
            emptied = state.cancelled and not held[key]["cancelled"]  # an order over nothing, which CJ can still be told to cancel
            # Sent and not seen to arrive, in another currency or over nothing: what CJ holds cannot be told from what it held before.
            unseen = settled and (emptied or (converted and not state.cancelled))
            assert unseen or (told != state.content and (emptied or (not state.cancelled and (told or converted)))), (
                f"CJ holds it already: {planned}, {held[key]}"
            )


def _told(world: World, key: Key, posts: list[Post]) -> tuple[Any, ...] | None:
    """The content of what CJ was last told of an order: the newest post it received, or one the tables took for received.

    A pixel that posts the very state of a request that was cut makes that request look received.
    """
    said = world.rows(
        "SELECT updated_at FROM cj.submissions WHERE mode = 'live' AND outcome = 'accepted' "
        f"AND action_tracker_id = {key.tracker} AND order_id = '{key.order_id}' ORDER BY submitted_at DESC LIMIT 1"
    )
    as_of = said[0]["updated_at"] if said else None
    if as_of is not None and (not posts or posts[-1].planned.state.updated_at < as_of):
        return newest(c for c in world.log.changes[key] if c.updated_at == as_of).content
    return posts[-1].planned.state.content if posts else None


_LAST_WORD = (
    "SELECT s.action_tracker_id AS tracker, s.order_id, s.updated_at, s.outcome, s.settled_at, r.status FROM cj.submissions AS s "
    "LEFT JOIN cj.reconciliation AS r ON r.order_id = s.order_id AND r.action_tracker_id = s.action_tracker_id AND r.updated_at = s.updated_at "
    "ORDER BY s.submitted_at"
)


def _given_up(row: dict[str, Any] | None, post: Post) -> bool:
    """Whether the tables say this post was lost, or that nobody can know."""
    return row is not None and (
        row["status"] in ("missing", "mismatched") or (row["outcome"] == "unknown" and row["settled_at"] is not None)
    )


def settles(world: World, held: dict[str, Any], state: Change) -> bool:
    """An open-ended order that the shop accepts and CJ has not locked yet: the restatement is what pays it, if anything is paid on it."""
    return (
        in_cents(state.amount) > in_cents(state.discount)
        and state.key.tracker == OPEN_ENDED
        and not state.cancelled
        and state.status == "Accepted"
        and held["action_status"] not in ("locked", "closed")
    )


def accounted_for(world: World, night: Night) -> None:
    """Every order a run picked is in exactly one of submissions, planned, quarantine and skipped of that run, in the state it had then."""
    words: dict[tuple[Key, Any], list[str]] = defaultdict(list)
    corrected = {Key(a["action_tracker_id"], one) for a in world.hands() if a["kind"] == "correct" for one in a["order_ids"]}
    for table in ("planned", "submissions", "quarantine", "skipped"):
        arrived = "outcome = 'accepted' OR (outcome = 'unknown' AND settled_at IS NULL)" if table == "submissions" else "TRUE"
        for r in world.rows(
            f"SELECT action_tracker_id AS t, order_id AS o, updated_at AS u, {arrived} AS arrived FROM cj.{table} WHERE run_id = '{night.run.run_id}'"
        ):
            # An attempt of this very run that is known to have failed, or was overtaken by a hand at CJ, is planned again by it, when it is cleared.
            key = Key(r["t"], r["o"])
            if (r["arrived"] and key not in corrected) or not words[(key, r["u"])]:
                words[(key, r["u"])].append(table)
    for key in world.log.touched(night.run.interval_start, night.run.interval_end):
        if key in night.states and key in _picked(night):
            found = words[(key, night.states[key].updated_at)]
            assert len(found) == 1, f"{key} was picked by {night.run.run_id} and is in {found or 'no table'}"
    many = {k: v for k, v in words.items() if len(v) > 1}
    assert not many, f"in more than one table of {night.run.run_id}: {many}"


def _picked(night: Night) -> set[Key]:
    return {k for k in night.states if k in night.touched}


def verdicts_true(world: World, final: bool) -> None:
    """`matched` is said only of what CJ holds; `missing` only of what has not posted."""
    held, fates = world.held(), world.fates()
    posts = by_order(world)
    for r in world.rows("SELECT action_tracker_id AS t, order_id AS o, updated_at AS u, status, reason FROM cj.reconciliation"):
        key = Key(r["t"], r["o"])
        mine = [p for p in posts.get(key, []) if p.planned.state.updated_at == r["u"]]
        last = posts[key][-1] if key in posts else None
        if last is None or not mine or last is not mine[-1]:
            continue  # the call was cut before CJ received it, or a newer state was sent since
        if r["status"] == "matched" and (final or not world.troubled) and rate_is_known(world, key, last.planned.state):
            state = last.planned.state
            assert world.holds(held.get(key), state), f"said to match: {state}; CJ holds {held.get(key)}"
        # Of two converted orders that disagree about the rate, each is said to differ.
        if r["status"] == "missing" and final and rate_is_known(world, key, last.planned.state):
            assert not fates[last.place]["posted"] or not world.holds(held.get(key), last.planned.state), (
                f"said to be missing ({r}): {last}\nposts {[(p.planned.operation, p.planned.state.content, fates[p.place]) for p in posts[key]]}\n"
                f"CJ holds {held.get(key)}"
            )


def rate_is_known(world: World, key: Key, state: Change) -> bool:
    """Whether enough orders of a converted currency were judged together to say its rate: of one or two, CJ's figure is all there is, and matches itself."""
    if state.currency in (None, world.options.currency):
        return True
    together = world.rows(
        "SELECT COUNT(*) AS n FROM cj.reconciliation AS r WHERE r.within_band AND r.status = 'matched' AND (r.currency, r.checked_at) IN ("
        "SELECT m.currency, m.checked_at FROM cj.reconciliation AS m "
        f"WHERE m.action_tracker_id = {key.tracker} AND m.order_id = '{key.order_id}' AND m.updated_at = '{state.updated_at.isoformat()}')"
    )
    return int(together[0]["n"]) > 2


def attempts_of_content(world: World) -> Counter[tuple[Key, tuple[Any, ...]]]:
    """How often each content was sent, as the tables have it: by what was sent, not by when the warehouse dates it."""
    counts: Counter[tuple[Key, tuple[Any, ...]]] = Counter()
    for r in world.rows("SELECT action_tracker_id AS t, order_id AS o, updated_at AS u FROM cj.submissions WHERE mode = 'live'"):
        key = Key(r["t"], r["o"])
        counts[(key, newest(c for c in world.log.changes[key] if c.updated_at == r["u"]).content)] += 1
    return counts


def amount(text: str | None) -> Decimal:
    return Decimal(text or 0)


def net(held: dict[str, Any]) -> Decimal:
    return amount(held["amount"]) - amount(held["discount"])


def by_order(world: World) -> dict[Key, list[Post]]:
    found: dict[Key, list[Post]] = {}
    for post in world.posts:
        found.setdefault(post.planned.key, []).append(post)
    return found


def converged(world: World) -> None:
    """CJ holds the warehouse's newest state of every order, or a reason that is true says why not."""
    held, fates, posts = world.held(), world.fates(), by_order(world)
    words, verdicts = last_words(world), newest_verdicts(world)
    attempts = attempts_of_content(world)
    for key, state in world.log.states().items():
        now = held.get(key)
        if world.holds(now, state) and state.valid and not settles(world, now or {}, state):
            continue
        word = words.get(key)
        assert word is not None, f"no run ever said a word about {state}; CJ holds {now}"
        stage, reason, updated_at = word
        mine = posts.get(key, [])
        verdict = verdicts.get(key)
        story = f"{state}\nCJ holds {now}\nlast word {word}, verdict {verdict}\nposts {[(p.planned.operation, p.planned.state.content, fates[p.place]) for p in mine]}"
        if verdict and verdict["status"] == "matched" and not rate_is_known(world, key, state):
            continue
        if stage == "sent" or (reason == "unchanged" and mine):
            # `unchanged` was said while it was on its way; what became of it is the verdict's to say.
            pending = now is not None and settles(world, now, state)
            broken = ("missing", "mismatched") if key in world.altered or pending else ("missing",)
            assert verdict is not None and verdict["status"] in broken, f"lost without a break: {story}"
            stage, reason = "sent", verdict["reason"]
        assert updated_at == state.updated_at, f"the last word is about an older state: {story}"
        sent = attempts[(key, state.content)]
        assert _true(world, reason, stage, state, held, mine, fates, sent), f"the reason is not true, after {sent} attempts: {story}"


def _true(
    world: World,
    reason: str,
    stage: str,
    state: Change,
    held: dict[Key, dict[str, Any]],
    mine: list[Post],
    fates: list[dict[str, Any]],
    sent: int,
) -> bool:
    now, key = held.get(state.key), state.key
    elsewhere = any(k.order_id == key.order_id and k.tracker != key.tracker for k in held)
    ours = world.log.ours_to_create(key)
    if stage == "validation":
        return not state.valid
    if stage == "skipped":
        # Told apart by CJ: a converted order's own state is known to within the band only.
        converted = state.currency not in (None, world.options.currency)
        return {
            "not_in_cj": now is None and state.cj_event is None,
            "never_sent": now is None and ours and state.cancelled,
            "unchanged": converted and not mine and state.change_type == "new",
        }.get(reason, False)
    drops = [fates[p.place]["drop_reason"] for p in mine if p.planned.state.content == state.content and fates[p.place]["posted"] is False]
    # CJ shows neither a lost update, nor which coupons it excludes, nor whether it pays for a sale too small to earn a cent.
    small = now is not None and net(now) < 1
    unexplained = set(drops) <= {"fault", "coupon_excluded"} | ({"not_commissionable"} if small else set())
    if reason == "unknown":
        return sent >= 3 and unexplained
    if now is None:
        return {"not_in_cj": not ours and state.cj_event is not None, "wrong_action_tracker": elsewhere}.get(reason, False)
    lost = not state.cancelled
    posted = [p for p in mine if p.planned.state.content == state.content and fates[p.place]["posted"]]
    if state.key in world.altered and sent >= 3 and posted and (fates[mine[-1].place]["posted"] or unexplained):
        return reason in ("amount", "discount", "items", "coupon")  # posted otherwise than sent, each time but for what CJ dropped
    return {
        "locked": now["locking_date"] <= (world.now() + HOUR).isoformat(),
        "closed": now["action_status"] == "closed",
        "not_commissionable": now["cancelled"] or not now["commissionable"],
        "validation_status": settles(world, now, state),
        "status_required": key.tracker == OPEN_ENDED and state.status is None and world.options.open_ended_status is None,
        "coupon": lost and state.coupon is None and bool(now["coupon"]) and "coupon" not in world.settings.allow_field_loss,
        "discount": lost
        and state.discount is None
        and bool(float(now["discount"] or 0))
        and "discount" not in world.settings.allow_field_loss,
        "items": lost
        and state.items is None
        and bool(quantities((i["sku"], i["quantity"]) for i in now["items"]))
        and "items" not in world.settings.allow_field_loss,
    }.get(reason, False)


def last_words(world: World, without: Night | None = None) -> dict[Key, tuple[str, str, datetime]]:
    """What the newest plan that picked an order said about it: (stage, reason, as of)."""
    found: dict[Key, tuple[int, tuple[str, str, datetime]]] = {}
    for sql in (
        "SELECT run_id, plan_number AS n, action_tracker_id AS t, order_id AS o, 'skipped' AS stage, reason, updated_at AS u FROM cj.skipped",
        "SELECT run_id, plan_number AS n, action_tracker_id AS t, order_id AS o, stage, reason, updated_at AS u FROM cj.quarantine",
        "SELECT run_id, plan_number AS n, action_tracker_id AS t, order_id AS o, 'sent' AS stage, outcome AS reason, updated_at AS u FROM cj.submissions",
    ):
        for r in world.rows(sql):
            if without is not None and r["run_id"] == without.run.run_id:
                continue
            key, word = Key(r["t"], r["o"]), (r["stage"], r["reason"], r["u"])
            if key not in found or found[key][0] < r["n"]:
                found[key] = (r["n"], word)
    return {key: word for key, (_, word) in found.items()}


def newest_verdicts(world: World) -> dict[Key, dict[str, Any]]:
    rows = world.rows(
        "SELECT action_tracker_id AS t, order_id AS o, updated_at, status, reason, attempts FROM cj.reconciliation ORDER BY submitted_at"
    )
    return {Key(r["t"], r["o"]): r for r in rows}
