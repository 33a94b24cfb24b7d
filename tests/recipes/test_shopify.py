"""The recipe for Shopify: after three nights CJ holds of every order what happened to it."""

from __future__ import annotations

from pathlib import Path

from include.domain.states import Skip
from include.restatements.changes.extraction import ALLOWED, left_out
from include.warehouse.base import WarehouseLocation
from tests.recipes.playing import differences, play, told_situations, touched_once
from tests.recipes.shopify import TABLES, Shopify, land, name


def test_cj_ends_with_what_happened_to_every_order(location: WarehouseLocation, tmp_path: Path) -> None:
    orders = Shopify().orders(seed=1)
    assert len(orders) == 72
    played = play(location, tmp_path, "shopify", TABLES, orders, land, name)
    assert differences(played, orders, name) == []
    assert played.sent == {"restate accepted": 25, "create accepted": 22, "cancel accepted": 4}
    assert played.verdicts == {"matched": 39, "superseded": 12}
    nobodys = [order for order in orders if not order.at_cj]
    # Two that CJ's tag missed were cancelled on the very day, or a test.
    assert played.skipped == {Skip.NOT_IN_CJ: len(nobodys), Skip.UNCHANGED: 20, Skip.NEVER_SENT: 2}
    assert played.quarantined == {}
    touched_once(played, orders, name)
    assert set(played.kinds) == set(ALLOWED) - set(left_out(played.kinds))
    assert left_out(played.kinds) == ["status", "ad_id", "promotional_property_id", "sid", "custom_parameters", "vertical_parameters"]


def test_the_page_tells_of_every_situation_that_is_played() -> None:
    assert told_situations("shopify") == set(Shopify.situations)
