"""One account that cannot be used does not hold the others, and loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.faults import promises
from tests.faults.night_shop import NightShop
from tests.faults.stage import HOUR, Stage

NewShop = Callable[..., NightShop]


def with_bad_token(stage: Stage, shop: NightShop, job: dict[str, Any], token: str = "revoked") -> dict[str, Any]:
    return job | {"accounts": [a | {"token": token} if a["conn_id"] == f"cj_{shop.number}" else a for a in job["accounts"]]}


def test_the_other_accounts_go_on_and_the_orders_wait_for_a_good_token(stage: Stage, new_shop: NewShop) -> None:
    barred = new_shop()
    stage.others = [barred]
    stage.raise_curtain()

    def run(verb: str, **more: Any) -> Any:
        return stage.driver.wait(stage.driver.start(with_bad_token(stage, barred, stage.job(verb, **more))))

    prepared = run("prepare")
    assert prepared.how == "ok"
    for batch in prepared.value["batches"]:
        assert run("submit", batch=batch).how == "ok"
    published = run("publish").value
    assert any(f"cj_{barred.number}" in problem for problem in published["problems"]), published
    stage.sandbox.control.advance(HOUR)
    assert run("reconcile", reconciliation="morning").kind == "CJInvalidToken"
    promises.assert_cj_holds_what_the_warehouse_says(stage.shop, stage.held())
    promises.assert_each_change_arrived_once(stage.shop, stage.received())
    promises.assert_all_matched(stage, stage.shop)
    assert not [s for s in stage.sandbox.control.submissions() if s["enterprise_id"] == barred.enterprise]

    stage.sandbox.control.advance(20 * HOUR)
    stage.play(1)
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    received = list(stage.sandbox.control.submissions())
    held = {str(o["order_id"]): o for o in stage.sandbox.control.orders() if o["enterprise_id"] == barred.enterprise}
    promises.assert_cj_holds_what_the_warehouse_says(barred, held)
    promises.assert_each_change_arrived_once(barred, received)
    promises.assert_each_change_arrived_once(stage.shop, received)
    promises.assert_all_matched(stage, barred)


def test_a_token_revoked_between_the_plan_and_the_posts_posts_nothing_and_loses_nothing(stage: Stage) -> None:
    prepared = stage.must("prepare")
    for batch in prepared["batches"]:
        job = with_bad_token(stage, stage.shop, stage.job("submit", batch=batch))
        ended = stage.driver.wait(stage.driver.start(job))
        assert ended.kind == "CJInvalidToken" and ended.value["transient"] is False
    assert not stage.received()
    stage.submit_all(prepared)
    stage.must("publish")
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_each_change_arrived_once(stage.shop, stage.received())
    promises.assert_all_matched(stage, stage.shop)


def test_a_token_that_cannot_be_sent_holds_no_other_account_and_its_connection_is_named(stage: Stage, new_shop: NewShop) -> None:
    barred = new_shop()
    stage.others = [barred]
    stage.raise_curtain()
    job = with_bad_token(stage, barred, stage.job("prepare"), "two words")
    prepared = stage.driver.wait(stage.driver.start(job))
    assert prepared.how == "ok" and prepared.value["batches"]
    alone = with_bad_token(stage, stage.shop, job, "revoked")
    ended = stage.driver.wait(stage.driver.start(alone))
    assert ended.kind == "CJInvalidToken"
    assert ended.value["words"].startswith(f"Connection 'cj_{stage.shop.number}': ")
    unread = with_bad_token(stage, stage.shop, stage.job("reconcile", reconciliation="morning"), "revoked")
    ended = stage.driver.wait(stage.driver.start(unread))
    assert (ended.kind, ended.value["words"].split(": ")[0]) == ("CJInvalidToken", f"Connection 'cj_{stage.shop.number}'")
