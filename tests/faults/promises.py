"""What must be true after every fault, once the ordinary retries, CJ's hour and a reconciliation are over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from include.domain.money import money
from tests.faults.night_shop import NightShop, State
from tests.faults.stage import Stage

TABLES = {
    "submissions": "run_id, chunk_id, operation, mode, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, amount, discount, currency, "
    "coupon, status, correction_reason, items_mark, payload_hash, attempt, outcome, submission_id, batch_id, submitted_at, error_message",
    "quarantine": "run_id, enterprise_id, action_tracker_id, order_id, updated_at, stage, reason, detail, quarantined_at",
    "skipped": "run_id, enterprise_id, action_tracker_id, order_id, updated_at, reason, skipped_at",
    "planned": "run_id, chunk_id, operation, enterprise_id, action_tracker_id, order_id, updated_at, planned_at",
    "commissions": "commission_id, order_id, sale_amount, items_mark, items, posting_date",
    "reconciliation": "run_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, status, reason, submitted_amount, posted_amount, "
    "difference, posted_at, attempts",
}


def assert_cj_holds_what_the_warehouse_says(shop: NightShop, held: Mapping[str, Mapping[str, Any]]) -> None:
    for story in shop.stories:
        expected = story.held_at_end()
        found = held.get(story.order_id)
        if expected is None:
            assert found is None, f"CJ holds {story.order_id}, which was never to be sent"
            continue
        assert found is not None, f"CJ does not hold {story.order_id}"
        assert_same_state(story.order_id, expected, found)


def assert_same_state(order_id: str, expected: State, found: Mapping[str, Any]) -> None:
    assert found["cancelled"] == expected.cancelled, f"{order_id} cancelled at CJ: {found['cancelled']}"
    if expected.cancelled:
        return
    assert money(found["amount"]) == money(f"{expected.cents / 100:.2f}"), (
        f"{order_id}: CJ holds {found['amount']}, not {expected.cents} cents"
    )
    assert money(found["discount"] or "0") == money(f"{(expected.discount or 0) / 100:.2f}"), order_id
    assert (found["coupon"] or None) == expected.coupon, order_id
    lines = sorted((i["sku"], i["quantity"]) for i in found["items"])
    assert lines == sorted((sku, quantity) for sku, quantity, _ in expected.lines), order_id


def assert_each_change_arrived_once(shop: NightShop, received: list[dict[str, Any]]) -> None:
    """CJ received each order that was to be sent once, as the operation planned, and no other."""
    mine = [s for s in received if s["enterprise_id"] == shop.enterprise]
    posts = Counter(str(s["order_id"]) for s in mine)
    assert posts == Counter({s.order_id: 1 for s in shop.stories if s.sent})
    verbs = {s.order_id: s.verb for s in shop.stories}
    assert all(s["operation"] == verbs[s["order_id"]] and s["posted"] for s in mine), [s for s in mine if not s["posted"]]


def assert_every_order_is_in_one_table(stage: Stage, shop: NightShop, run_id: str) -> None:
    """Each order the run picked is in exactly one of cj.submissions, cj.quarantine and cj.skipped for that run, with its reason."""
    places: dict[str, list[tuple[str, Any]]] = {}
    for table, reason in (("submissions", "NULL"), ("quarantine", "reason"), ("skipped", "reason")):
        sql = f"SELECT order_id, {reason} AS reason FROM cj.{table} WHERE run_id = :run_id AND enterprise_id = :enterprise"
        for row in stage.rows(sql, run_id=run_id, enterprise=shop.enterprise):
            places.setdefault(str(row["order_id"]), []).append((table, row["reason"]))
    assert places == {s.order_id: [("submissions" if s.sent else s.verb, s.reason)] for s in shop.stories}


def assert_nothing_is_accepted_that_was_not(stage: Stage, shop: NightShop, received: list[dict[str, Any]]) -> None:
    mine = Counter(str(s["order_id"]) for s in received if s["enterprise_id"] == shop.enterprise)
    accepted = Counter(
        str(row["order_id"])
        for row in stage.rows(
            "SELECT order_id FROM cj.submissions WHERE outcome = 'accepted' AND mode = 'live' AND enterprise_id = :enterprise",
            enterprise=shop.enterprise,
        )
    )
    assert not accepted - mine, f"accepted in the tables, and CJ never received: {accepted - mine}"


def assert_all_matched(stage: Stage, shop: NightShop) -> None:
    found = {
        str(row["order_id"]): row["status"]
        for row in stage.rows(
            "SELECT order_id, status FROM cj.reconciliation WHERE enterprise_id = :enterprise", enterprise=shop.enterprise
        )
    }
    others = {order: status for order, status in found.items() if status != "matched"}
    assert not others, f"what was sent is to have matched: {others}"
    assert found.keys() == {s.order_id for s in shop.stories if s.sent}


def tables(stage: Stage) -> dict[str, list[tuple[Any, ...]]]:
    """Every table a rebuild gives back, in an order of its own."""
    return {
        name: sorted((tuple(row.values()) for row in stage.rows(f"SELECT {columns} FROM cj.{name}")), key=repr)
        for name, columns in TABLES.items()
    }


def assert_rebuilt_alike(stage: Stage) -> None:
    """The tables come back as they were, and a verdict that is the same again is no change."""
    before, told = tables(stage), stage.rows("SELECT * FROM cj.verdicts_log ORDER BY order_id, updated_at, change")
    stage.must("rebuild")
    assert_same_tables(tables(stage), before)
    assert stage.rows("SELECT * FROM cj.verdicts_log ORDER BY order_id, updated_at, change") == told


def assert_same_tables(after: dict[str, list[tuple[Any, ...]]], before: dict[str, list[tuple[Any, ...]]]) -> None:
    for name in TABLES:
        gone, new = (list((Counter(one[name]) - Counter(other[name])).elements()) for one, other in ((before, after), (after, before)))
        assert not gone and not new, (
            f"cj.{name} differs after a rebuild: {len(gone)} rows gone, {len(new)} new, such as {gone[:1]} and {new[:1]}"
        )
