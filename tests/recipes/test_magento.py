"""The recipe for Magento: after three nights CJ holds of every order what happened to it."""

from __future__ import annotations

from pathlib import Path

from include.domain.states import Skip
from include.warehouse.base import WarehouseLocation
from tests.recipes.magento import TABLES, Magento, land, name
from tests.recipes.playing import differences, each_once, gives_the_contract, play, told_situations


def test_cj_ends_with_what_happened_to_every_order(location: WarehouseLocation, tmp_path: Path) -> None:
    orders = Magento().orders(seed=1)
    assert len(orders) == 84
    played = play(location, tmp_path, "magento", TABLES, orders, land, name)
    assert differences(played, orders, name) == []
    assert played.sent == {"restate accepted": 33, "create accepted": 26, "cancel accepted": 5}
    assert played.verdicts == {"matched": 45, "superseded": 19}
    assert played.skipped == {Skip.NOT_IN_CJ: 27, Skip.UNCHANGED: 15, Skip.NEVER_SENT: 1}
    assert played.quarantined == {}
    each_once(played, orders, name)
    gives_the_contract(played)


def test_the_page_tells_of_every_situation_that_is_played() -> None:
    assert told_situations("magento") == set(Magento.situations)
