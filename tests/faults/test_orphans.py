"""A task whose worker was given up, and which lives on beside its own retry and the next run: frozen with SIGSTOP, and thawed when others have moved on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.faults import promises
from tests.faults.acts import thaw
from tests.faults.night_shop import State, Story, change_table
from tests.faults.stage import HOUR, Stage


def frozen_submit(stage: Stage, prepared: dict[str, Any], step: str, **more: Any) -> int:
    """A `submit` of the first chunk alone that is stopped at `step`; returns its process id."""
    pid = stage.driver.start(stage.job("submit", batch=prepared["batches"][0][:1], stop={"at": step, "how": "freeze"}, **more))
    assert stage.driver.wait(pid).how == "stopped"
    return pid


def thawed(stage: Stage, pid: int) -> None:
    thaw(pid)
    assert stage.driver.wait(pid).how == "ok"


def settled(stage: Stage) -> None:
    """CJ's hour and its reconciliation, the next night, and again."""
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    stage.sandbox.control.advance(20 * HOUR)
    stage.play(1)
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()


def assert_kept(stage: Stage) -> None:
    promises.assert_cj_holds_what_the_warehouse_says(stage.shop, stage.held())
    promises.assert_each_change_arrived_once(stage.shop, stage.received())
    promises.assert_nothing_is_accepted_that_was_not(stage, stage.shop, stage.received())
    promises.assert_all_matched(stage, stage.shop)


def test_chunks_revoked_while_their_task_was_frozen_are_never_posted(stage: Stage) -> None:
    pid = frozen_submit(stage, stage.must("prepare"), "before_intent")
    before = stage.posts()
    second = stage.must("prepare", run_id="second")
    revoked = {
        str(row["order_id"])
        for row in stage.rows("SELECT order_id FROM cj.skipped WHERE run_id = 'night_0' AND reason = 'superseded'")
    }  # fmt: skip
    assert revoked, "the second run was to take chunks over"
    thawed(stage, pid)
    assert not revoked & set(stage.posts() - before), "a revoked chunk was posted"
    stage.submit_all(second, run_id="second")
    stage.must("publish")
    stage.must("publish", run_id="second")
    settled(stage)
    assert_kept(stage)


def test_an_orphan_that_posts_after_its_retry_and_a_second_plan_posts_once(stage: Stage) -> None:
    prepared = stage.must("prepare")
    pid = frozen_submit(stage, prepared, "after_intent")
    retried = stage.submit_all(prepared)
    assert sum(batch["unknown"] for batch in retried) > 0, "the orphan's chunk was to be left alone"
    second = stage.must("prepare", run_id="second")
    assert second["batches"] == [], "all is sent or may be on its way"
    thawed(stage, pid)
    stage.must("publish")
    settled(stage)
    assert_kept(stage)


def test_an_orphan_that_wakes_after_the_next_night_sent_its_orders_makes_no_call(stage: Stage) -> None:
    prepared = stage.must("prepare")
    pid = frozen_submit(stage, prepared, "after_intent", intent_lasts=0.0)
    stage.submit_all(prepared)
    stage.must("publish")
    settled(stage)
    assert_kept(stage)
    thawed(stage, pid)
    stage.reconcile()
    assert_kept(stage)


def test_an_answer_written_hours_late_changes_nothing_that_is_settled(stage: Stage) -> None:
    prepared = stage.must("prepare")
    pid = frozen_submit(stage, prepared, "before_answer")
    stage.submit_all(prepared)
    stage.must("publish")
    settled(stage)
    assert_kept(stage)
    thawed(stage, pid)
    stage.reconcile()
    assert_kept(stage)
    promises.assert_rebuilt_alike(stage)


def test_a_change_that_came_while_its_create_hung_is_sent_when_the_create_is_settled(stage: Stage) -> None:
    """The create's answer is received after the plan that let the change wait: the wait is not forgotten for it."""
    prepared = stage.must("prepare")
    pid = frozen_submit(stage, prepared, "before_answer")
    frozen = {
        str(row["order_id"])
        for row in stage.rows("SELECT order_id FROM cj.planned WHERE chunk_id = :chunk", chunk=prepared["batches"][0][0].rsplit("/", 1)[1])
    }
    shop = stage.shop
    first = next(s for s in shop.stories if s.order_id in frozen and s.verb == "create")
    changed = replace(first, should=State(99_900), at=first.at + timedelta(hours=5))
    shop.stories[shop.stories.index(first)] = changed
    stage.load(change_table([r for s in shop.stories for r in shop.rows_of(s) if s is not changed] + _log_of(stage, first, changed)))

    second = stage.must("prepare", run_id="second")
    waits = stage.rows("SELECT order_id FROM cj.skipped WHERE run_id = 'second' AND reason = 'waiting'")
    assert changed.order_id in {row["order_id"] for row in waits}
    stage.submit_all(second, run_id="second")
    thawed(stage, pid)
    stage.submit_all(prepared)
    stage.must("publish")
    settled(stage)
    promises.assert_cj_holds_what_the_warehouse_says(shop, stage.held())
    assert [s["operation"] for s in stage.received() if s["order_id"] == changed.order_id] == ["create", "restate"]


def _log_of(stage: Stage, first: Story, changed: Story) -> list[dict[str, Any]]:
    return [stage.shop.row(first, first.should, "new", first.at), stage.shop.row(changed, changed.should, "restated", changed.at)]
