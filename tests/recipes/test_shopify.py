"""The recipe for Shopify: after three nights CJ holds of every order what happened to it."""

from __future__ import annotations

from pathlib import Path

from include.domain.states import Skip
from include.warehouse.base import WarehouseLocation
from tests.recipes.playing import differences, each_once, gives_the_contract, play, told_situations
from tests.recipes.shopify import TABLES, Shopify, land, name


def test_cj_ends_with_what_happened_to_every_order(location: WarehouseLocation, tmp_path: Path) -> None:
    orders = Shopify().orders(seed=1)
    assert len(orders) == 75
    played = play(location, tmp_path, "shopify", TABLES, orders, land, name)
    assert differences(played, orders, name) == []
    assert played.sent == {"restate accepted": 27, "create accepted": 24, "cancel accepted": 5}
    assert played.verdicts == {"matched": 42, "superseded": 14}
    assert played.skipped == {Skip.NOT_IN_CJ: 25, Skip.UNCHANGED: 18, Skip.NEVER_SENT: 1}
    assert played.quarantined == {}
    each_once(played, orders, name)
    gives_the_contract(played)


def test_the_page_tells_of_every_situation_that_is_played() -> None:
    assert told_situations("shopify") == set(Shopify.situations)
