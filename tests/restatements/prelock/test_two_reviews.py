"""Two reviews at once keep apart: each has a number of its own, the newer one stands with each order once, and the one it overtook says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.domain.errors import RestatementsError
from include.restatements.prelock.review import Made, review
from include.restatements.prelock.signing import newest_pack
from include.warehouse.base import open_warehouse
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.prelock.planted import fill, planted, reviewed, rows, settings
from tests.restatements.prelock.reader import read


@pytest.mark.parametrize("at", ["open_orders_listed", "files_written"])
def test_each_has_its_own_number_and_every_order_once(world: WorldOn, at: str) -> None:
    orders = planted()
    fill(world, orders)
    other: list[Made] = []

    def meanwhile(name: str) -> None:
        if name == at and not other:
            other.append(reviewed(world, "review_2"))

    with pytest.raises(RestatementsError, match="Review 1 was overtaken: review 2 began after it and has ended"):
        review(settings(world), world.location, "review_1", meanwhile)
    (second,) = other
    assert (second.pack.review, second.pack.orders) == (2, len(orders))
    file = Path(second.files.removeprefix("file://")) / f"extension-{world.advertiser}.csv"
    assert read(file.read_bytes()).orders == sorted(name for name, one in orders.items() if one.extension == "chosen")
    assert stands(world) == (2, len(orders) - 2)  # two agree, and nothing is to be done about them
    again = reviewed(world, "review_1")
    assert (again.pack.review, again.pack.digest) == (3, second.pack.digest)
    assert rows(world, "SELECT review FROM cj.prelock_orders GROUP BY review") == [{"review": 3}]
    assert rows(world, "SELECT COUNT(*) AS n FROM cj.prelock_begun") == [{"n": 0}]


def stands(world: WorldOn) -> tuple[int, int]:
    """The review that the pages show, and its orders, each of which it has once."""
    with open_warehouse(world.location) as session:
        pack = newest_pack(session)
    assert pack is not None
    (kept,) = rows(
        world, "SELECT COUNT(*) AS n, COUNT(DISTINCT order_id) AS ids FROM cj.prelock_orders WHERE review = :review", review=pack.review
    )
    assert kept["n"] == kept["ids"]
    return pack.review, kept["n"]
