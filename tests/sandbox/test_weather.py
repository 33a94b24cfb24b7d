"""The weather: one seed, the same trouble; every kind of it is met; and calm is calm at once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest

from include.sandbox.control import ControlError
from include.sandbox.knobs import REQUEST_WEATHER, UPDATE_WEATHER, WEATHER_KINDS, Knobs
from include.sandbox.weather import Weather
from tests.sandbox.shop import HOUR, Shop

DUE = "2026-03-01T00:00:00Z"


def drawn(knobs: Knobs, many: int) -> tuple[list[Any], list[Any], dict[str, int]]:
    """What `many` requests of each path and updates of as many orders meet, and how often each kind."""
    weather = Weather()
    requests = [weather.of_request(path, knobs) for path in ("/graphql", "/query") for _ in range(many)]
    orders = [{"enterpriseId": "1", "actionTrackerId": 401, "orderId": f"o{n}"} for n in range(many)]
    return requests, [weather.of_update(order, 0, DUE, knobs) for order in orders], weather.met()


def test_the_same_seed_is_the_same_weather_and_another_is_another() -> None:
    bad = Knobs(weather=0.5)
    assert drawn(bad, 200) == drawn(bad, 200)
    assert drawn(bad, 200)[:2] != drawn(Knobs(weather=0.5, weather_seed="another"), 200)[:2]


def test_every_kind_of_weather_is_met_and_only_those_that_were_chosen() -> None:
    assert set(drawn(Knobs(weather=1.0), 400)[2]) == set(WEATHER_KINDS)
    assert set(drawn(Knobs(weather=1.0, weather_kinds="lost, clock_steps"), 100)[2]) == {"lost", "clock_steps"}


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_the_share_of_updates_is_as_told_and_that_of_requests_a_quarter(share: float) -> None:
    many = 2_000
    _, _, met = drawn(Knobs(weather=share), many)
    counts = Counter(met)
    assert abs(sum(counts[kind] for kind in UPDATE_WEATHER) - share * many) < many / 20
    assert abs(sum(counts[kind] for kind in REQUEST_WEATHER) - share * 2 * many / 4) < many / 20


def test_in_calm_nothing_is_met() -> None:
    requests, updates, met = drawn(Knobs(), 100)
    assert (set(requests), {u.mark for u in updates}, met) == ({None}, {None}, {})


def test_an_order_sent_again_meets_other_weather() -> None:
    weather, knobs, order = Weather(), Knobs(weather=0.5), {"enterpriseId": "1", "actionTrackerId": 401, "orderId": "o"}
    assert len({weather.of_update(order, nth, DUE, knobs).mark is None for nth in range(20)}) == 2


@pytest.mark.parametrize(
    ("kind", "in_the_end"),
    [("lost", [0]), ("late", [1]), ("hidden", [1]), ("half_pair", [1]), ("bonus", [2]), ("lead", [2]), ("corrected", [2, 3]), ("reposted", [3]),
     ("unsaid", [1]), ("lock_early", [1]), ("lock_extended", [1])],
)  # fmt: skip
def test_what_an_update_meets_is_done_to_it_and_shows_a_day_later(shop: Shop, kind: str, in_the_end: list[int]) -> None:
    shop.control.configure(weather=1.0, weather_kinds=kind)
    order_id = shop.new_id()
    shop.post("create", order_id, amount="10.00")
    assert shop.control.weather() == {kind: 1}
    if kind in ("lost", "late", "hidden", "half_pair"):
        assert shop.records(order_id) == []
    shop.control.advance(26 * HOUR)
    now = shop.control.clock()
    since, before = (f"{now + days * timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}" for days in (-3, 1))
    found = shop.records(order_id, f', sincePostingDate: "{since}", beforePostingDate: "{before}"')
    assert len(found) in in_the_end
    if kind == "unsaid":
        assert [r["cjFeeAdvCurrency"] for r in found] == [None]
    if kind.startswith("lock"):
        assert [r["actionStatus"] for r in found] == [{"lock_early": "locked", "lock_extended": "extended"}[kind]]


def test_a_request_meets_it_and_the_fault_that_was_asked_for_comes_first(shop: Shop) -> None:
    shop.control.configure(weather=1.0, weather_kinds="cut_after", weather_seed="stormy")
    shop.control.add_faults([{"kind": "status", "path": "/graphqltest", "status": 418, "times": 1}])
    order = shop.order("create", shop.new_id())
    assert shop.send_raw("create", [order], "/graphqltest").status_code == 418
    told = Counter(_told(shop, order) for _ in range(40))
    assert told["cut"] == shop.control.weather()["cut_after"] > 0 < told["200"]


def _told(shop: Shop, order: dict[str, Any]) -> str:
    try:
        return str(shop.send_raw("create", [order], "/graphqltest").status_code)
    except httpx.TransportError:
        return "cut"


def test_calm_comes_at_once_and_what_hands_were_still_to_do_is_left(shop: Shop) -> None:
    shop.control.configure(weather=1.0, weather_kinds="corrected")
    order_id = shop.new_id()
    shop.send("create", [shop.order("create", order_id, amount="10.00")])
    shop.control.act([{"kind": "correct", "order_ids": [order_id], "coupon": "ASKED", "after_seconds": 30 * HOUR}])
    shop.control.configure(weather=0.0)
    shop.control.advance(31 * HOUR)
    assert (shop.state(order_id)["amount"], shop.state(order_id)["coupon"]) == ("10.00", "ASKED")
    assert shop.control.weather() == {}


@pytest.mark.parametrize("turned", [{"weather": 1.5}, {"weather": -0.1}, {"weather_kinds": "hail"}])
def test_weather_that_cannot_be_made_is_refused_in_words(shop: Shop, turned: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match="weather"):
        shop.control.configure(**turned)
