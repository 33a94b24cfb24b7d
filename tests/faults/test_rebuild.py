"""The tables come back from the journal as they were, whatever the runs went through."""

from __future__ import annotations

from tests.faults import promises
from tests.faults.stage import HOUR, Stage


def test_a_run_that_was_cleared_half_way_is_rebuilt_with_what_its_first_plan_posted(stage: Stage) -> None:
    first = stage.must("prepare")
    killed = stage.run("submit", batch=first["batches"][0], stop={"at": "before_answer", "how": "kill", "nth": 2})
    assert killed.how == "killed"
    stage.play()
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_rebuilt_alike(stage)
    stage.sandbox.control.advance(20 * HOUR)
    stage.play(1)
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_rebuilt_alike(stage)
    promises.assert_every_order_is_in_one_table(stage, stage.shop, "night_0")
    promises.assert_each_change_arrived_once(stage.shop, stage.received())


def test_chunks_taken_over_by_another_run_are_rebuilt_as_taken_over(stage: Stage) -> None:
    stage.must("prepare")
    stage.play(run_id="second")
    stage.must("publish")
    assert stage.rows("SELECT 1 AS one FROM cj.skipped WHERE run_id = 'night_0' AND reason = 'superseded'")
    stage.reconcile()
    promises.assert_rebuilt_alike(stage)


def test_chunks_nobody_has_posted_yet_are_rebuilt_as_planned(stage: Stage) -> None:
    prepared = stage.must("prepare")
    stage.reconcile()
    promises.assert_rebuilt_alike(stage)
    stage.submit_all(prepared)
    stage.must("publish")
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_each_change_arrived_once(stage.shop, stage.received())
    promises.assert_all_matched(stage, stage.shop)


def test_a_rebuild_that_is_killed_leaves_the_tables_as_they_were(stage: Stage) -> None:
    stage.play()
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    before = promises.tables(stage)
    assert stage.run("rebuild", stop={"at": "before_rebuild_commit", "how": "kill"}).how == "killed"
    promises.assert_same_tables(promises.tables(stage), before)


def test_tables_that_were_lost_come_back_from_the_journal(stage: Stage) -> None:
    stage.play()
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    before = promises.tables(stage)
    for table in promises.TABLES:
        stage.execute(f"DELETE FROM cj.{table}")
    stage.execute("DELETE FROM cj.ledger_reads; DELETE FROM cj.commission_items")
    stage.must("rebuild")
    promises.assert_same_tables(promises.tables(stage), before)
