"""Runs that overlap, repeat and contradict each other still bring CJ to the newest state, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.faults import promises
from tests.faults.night_shop import NightShop, State, Story, change_table
from tests.faults.stage import DAY, HOUR, Stage

A, B = State(7_000), State(6_500)


def small(stage: Stage, *stories: Story) -> NightShop:
    """The stage's shop with these orders only, raised anew."""
    stage.shop.stories[:] = stories
    stage.raise_curtain()
    return stage.shop


def next_morning(stage: Stage) -> None:
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    stage.sandbox.control.advance(22 * HOUR)


def test_two_runs_over_the_same_orders_at_the_same_time_send_each_change_once(stage: Stage) -> None:
    runs = ("one", "two")
    plans = [stage.driver.start(stage.job("prepare", run_id=run_id)) for run_id in runs]
    prepared = [stage.driver.wait(pid) for pid in plans]
    assert [p.how for p in prepared] == ["ok", "ok"], prepared
    posting = [
        stage.driver.start(stage.job("submit", run_id=run_id, batch=batch))
        for run_id, plan in zip(runs, prepared, strict=True)
        for batch in plan.value["batches"]
    ]
    assert {stage.driver.wait(pid).how for pid in posting} == {"ok"}
    publishing = [stage.driver.start(stage.job("publish", run_id=run_id)) for run_id in runs]
    assert {stage.driver.wait(pid).how for pid in publishing} == {"ok"}

    for run_id in runs:
        places = [
            row["order_id"]
            for table in ("submissions", "quarantine", "skipped")
            for row in stage.rows(f"SELECT order_id FROM cj.{table} WHERE run_id = :run_id", run_id=run_id)
        ]
        assert sorted(places) == sorted(s.order_id for s in stage.shop.stories), f"run {run_id}: each order in exactly one table"
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_cj_holds_what_the_warehouse_says(stage.shop, stage.held())
    promises.assert_each_change_arrived_once(stage.shop, stage.received())
    promises.assert_all_matched(stage, stage.shop)


def test_an_interval_run_again_sends_nothing_before_or_after_cjs_hour(stage: Stage) -> None:
    stage.play()
    assert stage.play(run_id="again at once")["summary"]["to_send"] == 0
    next_morning(stage)
    assert stage.play(run_id="again in the morning")["summary"]["to_send"] == 0
    assert stage.must("prepare")["summary"]["to_send"] == 0, "the run itself, cleared"
    promises.assert_each_change_arrived_once(stage.shop, stage.received())


def test_a_state_that_goes_and_comes_back_within_the_night_is_not_sent(stage: Stage) -> None:
    story = Story("swing", "skipped", A, held=A, reason="unchanged")
    shop = small(stage, story)
    early = shop.row(story, B, "restated", story.at - timedelta(hours=3))
    stage.load(change_table([early, *shop.rows_of(story)]))
    assert stage.play()["summary"]["to_send"] == 0
    promises.assert_cj_holds_what_the_warehouse_says(shop, stage.held())


def test_a_state_that_comes_back_the_night_after_is_sent_back(stage: Stage) -> None:
    away = Story("swing", "restate", B, held=A)
    shop = small(stage, away)
    stage.play()
    next_morning(stage)
    back = replace(away, should=A, at=away.at + DAY)
    stage.load(change_table([*shop.rows_of(away), *shop.rows_of(back)]))
    assert stage.play(1)["summary"]["restate"] == 1
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    shop.stories[:] = [back]
    promises.assert_cj_holds_what_the_warehouse_says(shop, stage.held())
    assert stage.posts() == {"swing": 2}
    found = stage.rows("SELECT status FROM cj.reconciliation ORDER BY updated_at")
    assert [row["status"] for row in found] == ["superseded", "matched"]


def test_of_two_changes_at_the_same_moment_the_cancellation_wins_and_is_sent_alone(stage: Stage) -> None:
    story = Story("tie", "cancel", replace(B, cancelled=True), held=A)
    shop = small(stage, story)
    stage.load(change_table([*shop.rows_of(story), shop.row(story, B, "restated", story.at)]))
    stage.play()
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_cj_holds_what_the_warehouse_says(shop, stage.held())
    assert [s["operation"] for s in stage.received()] == ["cancel"]


def test_a_second_change_at_the_same_moment_that_arrived_later_is_sent_after_the_first(stage: Stage) -> None:
    """The warehouse corrected a row without moving its `updated_at`, while the create was on its way."""
    story = Story("tie", "create", A, was_new=True)
    shop = small(stage, story)
    stage.play()
    stage.load(change_table([*shop.rows_of(story), shop.row(story, B, "restated", story.at)]))
    assert stage.play(run_id="second")["summary"]["skipped_by_reason"] == {"waiting": 1}
    next_morning(stage)
    assert stage.play(1)["summary"]["restate"] == 1
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    shop.stories[:] = [replace(story, should=B)]
    promises.assert_cj_holds_what_the_warehouse_says(shop, stage.held())
    assert [s["operation"] for s in stage.received()] == ["create", "restate"]
