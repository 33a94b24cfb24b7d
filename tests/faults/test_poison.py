"""Orders that CJ's field checks refuse are found in Test Mode, held back with CJ's words, and cost no other order its way."""

from __future__ import annotations

from datetime import timedelta
from math import ceil, log2

import pytest

from tests.faults import promises
from tests.faults.night_shop import NIGHT, State, Story
from tests.faults.stage import HOUR, Stage

ORDERS = 40
BEFORE_MIDNIGHT = NIGHT + timedelta(hours=23)


def restatement(n: int, poisoned: bool) -> Story:
    at = BEFORE_MIDNIGHT + timedelta(minutes=30) if poisoned else NIGHT + timedelta(hours=9)
    return Story(f"order-{n:03}", "restate", State(3_000 + n), held=State(2_000 + n), at=at)


@pytest.mark.parametrize("named", [False, True], ids=["positions not named", "positions named"])
@pytest.mark.parametrize("policy", ["whole", "orders"])
@pytest.mark.parametrize("bad", [(17,), (0, 1, 39)], ids=["one", "three"])
def test_poison_orders_stand_alone_in_quarantine_and_the_rest_is_sent(stage: Stage, policy: str, named: bool, bad: tuple[int, ...]) -> None:
    shop = stage.shop
    shop.stories[:] = [restatement(n, n in bad) for n in range(ORDERS)]
    stage.settings = {"chunk_size": ORDERS}
    stage.raise_curtain()
    stage.sandbox.control.configure(partial_rejection=policy, index_in_fields=named)
    prepared = stage.must("prepare")

    # CJ's clock is behind the warehouse's: to CJ, the changes of the last half hour are in the future.
    stage.sandbox.control.set_clock(BEFORE_MIDNIGHT)
    asked = len([c for c in stage.sandbox.control.calls() if c["path"] == "/graphqltest"])
    (done,) = stage.submit_all(prepared)
    calls = len([c for c in stage.sandbox.control.calls() if c["path"] == "/graphqltest"]) - asked
    assert (done["refused"], done["accepted"]) == (len(bad), ORDERS - len(bad))
    assert calls <= 1 + 2 * len(bad) * ceil(log2(ORDERS)), f"{calls} calls in Test Mode for {len(bad)} poison orders of {ORDERS}"

    stage.must("publish")
    held = stage.rows("SELECT order_id, stage, detail FROM cj.quarantine ORDER BY order_id")
    assert [row["order_id"] for row in held] == [f"order-{n:03}" for n in bad]
    assert all(row["stage"] == "test_mode" and "in the future" in str(row["detail"]) for row in held)
    stage.sandbox.control.advance(HOUR)
    stage.reconcile()
    promises.assert_rebuilt_alike(stage)
    shop.stories[:] = [s for n, s in enumerate(shop.stories) if n not in bad]
    promises.assert_cj_holds_what_the_warehouse_says(shop, stage.held())
    promises.assert_each_change_arrived_once(shop, stage.received())
    promises.assert_all_matched(stage, shop)
