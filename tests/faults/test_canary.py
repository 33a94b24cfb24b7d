"""A canary goes live before the rest of its account: killed anywhere between the two, nothing is sent twice, nothing is lost, and nothing overtakes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults import promises
from tests.faults.matrix import SUBMIT_STEPS
from tests.faults.night_shop import NightShop
from tests.faults.stage import DAY, HOUR, Ended, Stage

ORDERS = 2
PROVE_STEPS = ("canary_loaded", "window_read", "before_proof", "after_proof")
DEADLINE = 37 * HOUR


@pytest.fixture
def night(stage: Stage) -> Stage:
    """A night whose settings ask for a canary of two orders of each operation."""
    stage.settings = {"canary_orders": ORDERS}
    return stage


def canary_of(prepared: dict[str, Any]) -> list[str]:
    """The first batch of the night's one account."""
    assert prepared["after"][0] is None and set(prepared["after"][1:]) == {0}
    return list(prepared["batches"][0])


def the_rest(stage: Stage, prepared: dict[str, Any]) -> list[Ended]:
    return [stage.run("submit", batch=batch) for batch in prepared["batches"][1:]]


def settled(stage: Stage) -> None:
    stage.must("publish")
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_cj_holds_what_the_warehouse_says(stage.shop, stage.held())
    promises.assert_each_change_arrived_once(stage.shop, stage.received())
    promises.assert_all_matched(stage, stage.shop)


def test_nothing_of_the_rest_leaves_before_cj_shows_the_canary_as_it_was_sent(night: Stage) -> None:
    prepared = night.must("prepare")
    canary = canary_of(prepared)
    assert {ended.kind for ended in the_rest(night, prepared)} == {"CanaryFirst"}
    assert not night.received()
    night.must("submit", batch=canary)
    sent = night.posts()
    assert len(sent) == 3 * ORDERS
    early = night.must("prove", batch=canary)
    assert (early["state"], bool(early["again"])) == ("awaited", True)
    assert {ended.kind for ended in the_rest(night, prepared)} == {"CanaryFirst"}
    assert night.posts() == sent
    night.sandbox.control.advance(HOUR)
    assert night.must("prove", batch=canary)["state"] == "proven"
    assert {ended.how for ended in the_rest(night, prepared)} == {"ok"}
    settled(night)


@pytest.mark.parametrize("step", SUBMIT_STEPS)
def test_a_canary_killed_on_its_way_is_sent_once_and_the_rest_after_it(night: Stage, step: str) -> None:
    prepared = night.must("prepare")
    canary = canary_of(prepared)
    assert night.run("submit", batch=canary, stop={"at": step, "how": "kill", "nth": 2}).how == "killed"
    assert {ended.kind for ended in the_rest(night, prepared)} == {"CanaryFirst"}
    night.must("submit", batch=canary)
    night.sandbox.control.advance(HOUR)
    looked = night.must("prove", batch=canary)
    if looked["state"] == "awaited":  # its call never left, which is known when the deadline is over
        assert {ended.kind for ended in the_rest(night, prepared)} == {"CanaryFirst"}
        assert max(night.posts().values()) == 1
        return
    assert looked["state"] == "proven"
    assert {ended.how for ended in the_rest(night, prepared)} == {"ok"}
    settled(night)


@pytest.mark.parametrize("step", PROVE_STEPS)
def test_who_looks_at_the_canary_is_killed_and_looks_again(night: Stage, step: str) -> None:
    prepared = night.must("prepare")
    canary = canary_of(prepared)
    night.must("submit", batch=canary)
    night.sandbox.control.advance(HOUR)
    assert night.run("prove", batch=canary, stop={"at": step, "how": "kill"}).how == "killed"
    if step != "after_proof":
        assert {ended.kind for ended in the_rest(night, prepared)} == {"CanaryFirst"}
    night.must("submit", batch=canary)
    assert night.must("prove", batch=canary)["state"] == "proven"
    assert {ended.how for ended in the_rest(night, prepared)} == {"ok"}
    settled(night)


def test_a_canary_that_is_late_is_waited_for(night: Stage) -> None:
    prepared = night.must("prepare")
    canary = canary_of(prepared)
    night.sandbox.control.add_faults([{"kind": "delay", "order_ids": ["changed-001"], "seconds": 4 * HOUR}])
    night.must("submit", batch=canary)
    night.sandbox.control.advance(HOUR)
    looked = night.must("prove", batch=canary)
    assert looked["state"] == "awaited" and "1 restate late" in looked["words"]
    assert {ended.kind for ended in the_rest(night, prepared)} == {"CanaryFirst"}
    night.sandbox.control.advance(4 * HOUR)
    assert night.must("prove", batch=canary)["state"] == "proven"
    assert {ended.how for ended in the_rest(night, prepared)} == {"ok"}
    settled(night)


def test_after_a_canary_that_posted_otherwise_the_rest_is_not_sent_and_the_next_night_plans_it_again(night: Stage) -> None:
    prepared = night.must("prepare")
    canary = canary_of(prepared)
    night.sandbox.control.add_faults([{"kind": "alter", "order_ids": ["changed-000"], "field": "amount", "value": "1.00", "times": 1}])
    night.must("submit", batch=canary)
    sent = night.posts()
    night.sandbox.control.advance(HOUR)
    looked = night.must("prove", batch=canary)
    assert looked["state"] == "broken"
    assert "1 restate mismatched (the first changed-000: amount)" in looked["words"]
    assert {ended.kind for ended in the_rest(night, prepared)} == {"CanaryFirst"}
    published = night.must("publish")
    assert night.posts() == sent
    others = prepared["summary"]["to_send"] - len(sent)
    assert published["incomplete"] == others
    (why,) = published["canaries"]
    assert f"Of enterprise {night.shop.enterprise} the {len(sent)} orders that went live first (the canary) are not proven" in why
    assert f"the {others} others were not sent; a later night plans them again." in why
    night.execute("UPDATE cj.planned SET planned_at = planned_at - INTERVAL '7' HOUR")
    night.sandbox.control.advance(DAY.total_seconds() - HOUR)
    night.settings = {}
    second = night.play(1)
    assert second["summary"]["to_send"] >= others
    night.sandbox.control.advance(HOUR)
    night.reconcile()
    promises.assert_cj_holds_what_the_warehouse_says(night.shop, night.held())
    assert {order: posts for order, posts in night.posts().items() if posts > 1} == {"changed-000": 2}, (
        "what posted otherwise is sent again, the rest once"
    )


def test_a_canary_that_never_posts_is_broken_when_the_deadline_is_over(night: Stage) -> None:
    prepared = night.must("prepare")
    canary = canary_of(prepared)
    night.sandbox.control.add_faults([{"kind": "drop", "order_ids": ["new-000"], "times": 1}])
    night.must("submit", batch=canary)
    night.sandbox.control.advance(DEADLINE)
    looked = night.must("prove", batch=canary)
    assert looked["state"] == "broken" and "1 create missing" in looked["words"]


def test_a_canary_that_cj_refuses_whole_proves_nothing(night: Stage) -> None:
    prepared = night.must("prepare")
    canary = canary_of(prepared)
    night.sandbox.control.add_faults([{"kind": "refuse", "order_ids": ["gone-000", "gone-001"]}])
    night.must("submit", batch=canary)
    night.sandbox.control.advance(HOUR)
    looked = night.must("prove", batch=canary)
    assert looked["state"] == "broken"
    assert "Of the canary nothing of 2 cancel arrived at CJ, fewer than half" in looked["words"]


def test_a_canary_of_which_cj_refuses_more_than_half_of_an_operation_proves_nothing(night: Stage) -> None:
    night.settings = {"canary_orders": 3}
    prepared = night.must("prepare")
    canary = canary_of(prepared)
    night.sandbox.control.add_faults([{"kind": "refuse", "order_ids": ["gone-000", "gone-001", "new-000"]}])
    night.must("submit", batch=canary)
    night.sandbox.control.advance(HOUR)
    looked = night.must("prove", batch=canary)
    assert looked["state"] == "broken"
    assert "Of the canary 1 of 3 cancel arrived at CJ, fewer than half" in looked["words"]
    assert "create" not in looked["words"], "two of three are enough"


def test_an_operation_that_nothing_waits_behind_holds_nobody(night: Stage) -> None:
    night.settings = {"canary_orders": 6, "chunk_size": 6}  # all the cancellations go first
    prepared = night.must("prepare")
    night.sandbox.control.add_faults([{"kind": "refuse", "order_ids": [f"gone-{n:03d}" for n in range(9)]}])
    night.must("submit", batch=prepared["batches"][0])
    night.sandbox.control.advance(HOUR)
    assert not [chunk for batch in prepared["batches"][1:] for chunk in batch if "/cancel/" in chunk]
    assert night.must("prove", batch=prepared["batches"][0])["state"] == "proven"


def test_nothing_is_said_of_a_canary_where_nothing_went_live(night: Stage) -> None:
    prepared = night.must("prepare")
    published = night.must("publish")
    assert not night.received()
    assert (published["incomplete"], published["canaries"]) == (prepared["summary"]["to_send"], [])


def test_a_night_cleared_after_its_canary_has_another_canary_and_sends_the_first_once(night: Stage) -> None:
    first = night.must("prepare")
    night.must("submit", batch=canary_of(first))
    again = night.must("prepare")
    canary = canary_of(again)
    assert not set(canary) & set(canary_of(first))
    assert night.must("prove", batch=canary_of(first))["state"] == "broken"
    night.must("submit", batch=canary)
    night.sandbox.control.advance(HOUR)
    assert {ended.kind for ended in the_rest(night, again)} == {"CanaryFirst"}
    assert night.must("prove", batch=canary)["state"] == "proven"
    assert {ended.how for ended in the_rest(night, again)} == {"ok"}
    settled(night)


def test_the_broken_canary_of_one_account_holds_no_other(night: Stage, new_shop: Callable[..., NightShop]) -> None:
    other = new_shop()
    night.others = [other]
    night.raise_curtain()
    prepared = night.must("prepare")
    assert prepared["after"][:2] == [None, None] and set(prepared["after"][2:]) == {0, 1}
    whose = {n: [b for b, after in zip(prepared["batches"], prepared["after"], strict=True) if after == n] for n in (0, 1)}
    mine = next(n for n in (0, 1) if _enterprise(night, prepared["batches"][n]) == night.shop.enterprise)
    fault = {"kind": "alter", "order_ids": ["changed-000"], "field": "amount", "value": "1.00", "times": 1}
    night.sandbox.control.add_faults([fault])
    night.must("submit", batch=prepared["batches"][mine])
    night.sandbox.control.clear_faults()
    night.must("submit", batch=prepared["batches"][1 - mine])
    night.sandbox.control.advance(HOUR)
    assert night.must("prove", batch=prepared["batches"][mine])["state"] == "broken"
    assert night.must("prove", batch=prepared["batches"][1 - mine])["state"] == "proven"
    assert {night.run("submit", batch=batch).kind for batch in whose[mine]} == {"CanaryFirst"}
    assert {night.run("submit", batch=batch).how for batch in whose[1 - mine]} == {"ok"}
    night.sandbox.control.advance(HOUR)
    received = list(night.sandbox.control.submissions())
    promises.assert_each_change_arrived_once(other, received)
    assert len([s for s in received if s["enterprise_id"] == night.shop.enterprise]) == 3 * ORDERS


def _enterprise(stage: Stage, batch: list[str]) -> str:
    chunk_id = batch[0].rsplit("/", 1)[1]
    return str(stage.rows("SELECT MAX(enterprise_id) AS of_it FROM cj.planned WHERE chunk_id = :chunk", chunk=chunk_id)[0]["of_it"])


def test_where_all_there_is_goes_first_nothing_waits_for_it(night: Stage) -> None:
    night.settings = {"canary_orders": 100, "chunk_size": 100}
    prepared = night.must("prepare")
    assert set(prepared["after"]) == {None}
    night.submit_all(prepared)
    settled(night)


def test_an_account_in_test_mode_has_no_canary(night: Stage) -> None:
    accounts = [account | {"mode": "test"} for account in night.job("prepare")["accounts"]]
    prepared = night.must("prepare", accounts=accounts)
    assert set(prepared["after"]) == {None}
    night.submit_all(prepared, accounts=accounts)


def test_what_was_set_back_to_test_mode_after_the_plan_waits_for_nothing_and_sends_nothing(night: Stage) -> None:
    prepared = night.must("prepare")
    night.settings |= {"mode": "test"}
    night.must("submit", batch=canary_of(prepared))
    assert night.must("prove", batch=canary_of(prepared))["state"] == "tested"
    assert {ended.how for ended in the_rest(night, prepared)} == {"ok"}
    assert not night.received()
    night.settings = {"canary_orders": ORDERS}
    assert not night.received()
