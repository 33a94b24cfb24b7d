"""What a night's log says of its plan: each kind of outcome in its own sentence, in every mixture, and every order in exactly one."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest

from include.domain.states import Skip
from include.restatements.journal.documents import Summary
from include.restatements.plan.told import held_back, told
from tests.model.world import BEGIN, Options
from tests.restatements.nights import NewWorld, later, placed

KINDS = ["create", "restate", "cancel", "held", *(skip.value for skip in Skip)]
SAYS = {
    "held": "held back", "create": "to CJ", "restate": "to CJ", "cancel": "to CJ", "waiting": " wait", "unchanged": " unchanged", "not_in_cj": "not an affiliate's",
    "never_sent": "before", "superseded": "taken over",
}  # fmt: skip


def summary(**orders: int) -> Summary:
    """A plan with so many of each of KINDS."""
    n = dict.fromkeys(KINDS, 0) | orders
    sent = n["create"] + n["restate"] + n["cancel"]
    skipped = {skip.value: n[skip.value] for skip in Skip if n[skip.value]}
    held = {"locked": n["held"] - n["held"] // 2, "malformed_items": n["held"] // 2}
    return Summary(
        picked=sum(n.values()), to_send=sent, create=n["create"], restate=n["restate"], cancel=n["cancel"], quarantined=n["held"],
        skipped=sum(skipped.values()), quarantined_by_reason={k: v for k, v in held.items() if v}, skipped_by_reason=skipped, chunks=bool(sent),
    )  # fmt: skip


def test_in_every_mixture_each_kind_that_is_there_is_said_and_no_other_and_every_order_is_counted_once() -> None:
    for there in product((0, 1, 7), repeat=len(KINDS)):
        n = dict(zip(KINDS, there, strict=True))
        if sum(1 for orders in there if orders) > 4:
            continue
        sentences = told(summary(**n))
        if not any(there):
            assert sentences == ["Nothing to send this night: no order was touched in this interval, and none was to be planned again."]
            continue
        assert sum(int(found.group()) for s in sentences if (found := re.match(r"\d+", s))) == sum(there)
        for kind, words in SAYS.items():
            group = [k for k in KINDS if SAYS[k] == words]
            assert any(words in s for s in sentences) == any(n[k] for k in group), (kind, n, sentences)
        assert ("Nothing to send this night." in sentences) == (not any(n[k] for k in ("create", "restate", "cancel")))


def test_what_is_held_back_comes_first_with_its_reasons() -> None:
    first, second = told(summary(held=19))
    assert first == (
        "19 of 19 orders are held back: locked 10, malformed_items 9. "
        "They are not sent until somebody has looked: cj.quarantine says of each why, and what to do."
    )
    assert second == "Nothing to send this night."
    assert held_back(summary(unchanged=3)) == ""
    assert held_back(summary(held=1, create=1)).startswith("1 of 2 orders is held back: locked 1.")


@pytest.mark.parametrize(("one", "many"), [("1 order waits: an", "2 orders wait: an")])
def test_one_is_one_and_two_are_two(one: str, many: str) -> None:
    assert told(summary(waiting=1))[1].startswith(one)
    assert told(summary(waiting=2))[1].startswith(many)


def test_a_real_night_of_held_waiting_and_unchanged_orders_says_all_three(new_world: NewWorld) -> None:
    world = new_world(Options())
    orders = [placed(key=placed().key._replace(order_id=f"o-{n}")) for n in range(3)]
    world.append(orders)
    first = world.prepare(BEGIN - timedelta(days=9), world.now())
    assert first.prepared.told == ["3 orders go to CJ: create 3."]
    world.submit(first)
    world.publish(first)
    world.append([later(orders[0], 1, discount=Decimal("200.00")), later(orders[1], 1, amount=Decimal("80.00"))])
    second = world.prepare(BEGIN - timedelta(days=9), world.now())
    held, *others = second.prepared.told
    assert held.startswith("1 of 3 orders is held back: discount_above_amount 1. ")
    assert others == [
        "Nothing to send this night.",
        "1 order waits: an earlier change is on its way, or what CJ holds could not be read; planned again once that is settled.",
        "1 order is unchanged: CJ holds this very state, or has accepted it.",
    ]
