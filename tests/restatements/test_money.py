"""The real SQL asked for every money figure, with round numbers: CJ holds 100.00, a commission of 8.00 and a fee of 2.00."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.model.histories import FIXED_DATE, OPEN_ENDED, pixel_order
from tests.model.shop import Change, Key
from tests.model.world import BEGIN, Night, Options, World
from tests.restatements.nights import NewWorld, later, operations, placed

START = BEGIN - timedelta(days=9)
GONE: dict[str, Any] = {"change_type": "cancelled"}


def order(name: str = "o-1", **fields: Any) -> Change:
    return placed(key=Key(fields.pop("tracker", FIXED_DATE), name), **fields)


def to(amount: str, **fields: Any) -> dict[str, Any]:
    return {"amount": Decimal(amount)} | fields


def held_and_changed(world: World, changes: dict[str, dict[str, Any]], **first: Any) -> list[Change]:
    """Orders CJ holds at 100.00 by its pixel, each then changed in the warehouse."""
    orders = [order(name, **first) for name in changes]
    world.pixel([pixel_order(o, o.event_time) for o in orders])
    changed = [later(o, 5, **changes[o.key.order_id]) for o in orders]
    world.append(changed)
    return changed


def sent(world: World) -> Night:
    played = world.prepare(START, world.now())
    world.submit(played)
    world.publish(played)
    return played


def figures(world: World) -> dict[str, dict[str, Any]]:
    """Each order's newest verdict, its money as text."""
    rows = world.rows(
        "SELECT order_id, status, reason, submitted_amount AS sent, posted_amount AS posted, difference, commission_at_risk AS at_risk, "
        "days_to_lock, within_band FROM cj.reconciliation WHERE status <> 'superseded'"
    )
    return {str(r["order_id"]): {n: f"{v:.2f}" if isinstance(v, Decimal) else v for n, v in r.items() if n != "order_id"} for r in rows}


def money_of(world: World, name: str = "o-1") -> tuple[Any, ...]:
    found = figures(world)[name]
    return tuple(found[name] for name in ("sent", "posted", "difference", "at_risk"))


# -- at stake in the plan ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "at_stake"),
    [(to("60.00"), "4.00"), (to("150.00"), "5.00"), (to("0.00"), "10.00"), (GONE, "10.00"), (to("99.99"), "0.00"), (to("99.95"), "0.01"), (to("99.90"), "0.01")],
)  # fmt: skip
def test_at_stake_is_the_commission_and_the_fee_on_what_would_be_paid_too_much_or_too_little(
    new_world: NewWorld, change: dict[str, Any], at_stake: str
) -> None:
    world = new_world(Options())
    held_and_changed(world, {"o-1": change})
    played = world.prepare(START, world.now())
    assert operations(played) == ["cancel" if change is GONE else "restate"]
    assert played.prepared.at_stake == at_stake


def test_at_stake_adds_up_over_the_night_and_what_is_not_sent_is_not_in_it(new_world: NewWorld) -> None:
    world = new_world(Options())
    held_and_changed(world, {"o-1": to("60.00"), "o-2": to("150.00"), "o-3": GONE, "o-4": {}})
    world.append([order("new"), order("nobodys", cj_event=None)])
    played = world.prepare(START, world.now())
    assert (sorted(operations(played)), played.prepared.at_stake) == (["cancel", "create", "restate", "restate"], "29.00")
    assert played.prepared.summary["skipped_by_reason"] == {"unchanged": 1, "not_in_cj": 1}


@pytest.mark.parametrize("basis", ["net", "gross"])
def test_at_stake_is_the_same_whatever_cj_calls_the_sale_amount(new_world: NewWorld, basis: str) -> None:
    """100.00 with a discount of 20.00, to 60.00 with the same: 80.00 pays 8.00, and 40.00 of it go."""
    world = new_world(Options(basis))
    held_and_changed(world, {"o-1": to("60.00")}, discount=Decimal("20.00"))
    assert world.prepare(START, world.now()).prepared.at_stake == "4.00"


@pytest.mark.parametrize(("change", "at_stake"), [(to("60.00"), "0.00"), (GONE, "12.70")])
def test_what_cj_converted_is_at_stake_where_it_is_known_to_the_cent(new_world: NewWorld, change: dict[str, Any], at_stake: str) -> None:
    world = new_world(Options())
    held_and_changed(world, {"o-1": change}, currency="GBP")
    played = world.prepare(START, world.now())
    assert (len(played.orders), played.prepared.at_stake) == (1, at_stake)


# -- at risk in the verdict ----------------------------------------------------------------------------------------------------------------


CHANGES = {
    "less": (to("60.00"), ("60.00", "100.00", "40.00", "4.00")),
    "more": (to("150.00"), ("150.00", "100.00", "-50.00", "5.00")),
    "gone": (GONE, ("0.00", "100.00", "100.00", "10.00")),
    "nothing": (to("0.00"), ("0.00", "100.00", "100.00", "10.00")),
}


def test_at_risk_is_the_commission_and_the_fee_on_the_difference_until_it_arrives_and_nothing_then(new_world: NewWorld) -> None:
    world = new_world(Options())
    held_and_changed(world, {name: change for name, (change, _) in CHANGES.items()})
    world.sandbox.control.add_faults([{"kind": "delay", "order_ids": list(CHANGES), "seconds": 40 * 3600, "times": 1}])
    sent(world)
    for hours, status in ((0.5, "awaiting"), (2, "late"), (34.5, "missing")):
        world.advance(timedelta(hours=hours))
        world.reconcile()
        assert {name: money_of(world, name) for name in CHANGES} == {name: money for name, (_, money) in CHANGES.items()}, status
        assert {found["status"] for found in figures(world).values()} == {status}
    world.advance(timedelta(hours=6))
    world.reconcile()
    assert {name: money_of(world, name) for name in CHANGES} == {
        name: (money[0], money[0], "0.00", "0.00") for name, (_, money) in CHANGES.items()
    }
    assert {found["status"] for found in figures(world).values()} == {"matched"}


def test_a_create_that_never_arrived_puts_at_risk_what_its_tracker_costs(new_world: NewWorld) -> None:
    """8 % and 2 % as the tracker's other orders show, of 60.00. Nothing is known of a tracker that CJ holds no sent order of."""
    world = new_world(Options(open_ended_status="Pending"))
    held_and_changed(world, {"other": to("80.00")})
    world.append([order("new", amount=Decimal("60.00")), order("alone", tracker=OPEN_ENDED, amount=Decimal("60.00"))])
    world.sandbox.control.add_faults([{"kind": "drop", "order_ids": ["new", "alone"]}])
    sent(world)
    world.advance(timedelta(hours=37))
    world.reconcile()
    assert money_of(world, "new") == ("60.00", None, None, "6.00")
    assert money_of(world, "alone") == ("60.00", None, None, None)


@pytest.mark.parametrize(
    ("basis", "money"), [("net", ("60.00", "100.00", "40.00", "4.00")), ("gross", ("60.00", "100.00", "40.00", "4.00"))]
)
def test_posted_and_difference_are_in_the_terms_of_what_was_sent(new_world: NewWorld, basis: str, money: tuple[str, ...]) -> None:
    world = new_world(Options(basis))
    held_and_changed(world, {"o-1": to("60.00")}, discount=Decimal("20.00"))
    world.sandbox.control.add_faults([{"kind": "drop", "order_ids": ["o-1"]}])
    sent(world)
    world.advance(timedelta(hours=37))
    world.reconcile()
    assert money_of(world) == money


@pytest.mark.parametrize(
    ("field", "value", "money"),
    [
        ("amount", "75.00", ("60.00", "75.00", "15.00", "1.50")),
        ("amount", "45.00", ("60.00", "45.00", "-15.00", "1.50")),
        ("discount", "10.00", ("60.00", "60.00", "0.00", "1.00")),
        ("items", None, ("60.00", "60.00", "0.00", "0.00")),
    ],
)
def test_what_posted_otherwise_puts_at_risk_the_commission_on_the_difference(
    new_world: NewWorld, field: str, value: str | None, money: tuple[str, ...]
) -> None:
    world = new_world(Options())
    held_and_changed(world, {"o-1": to("60.00")})
    world.sandbox.control.add_faults([{"kind": "alter", "order_ids": ["o-1"], "field": field} | ({"value": value} if value else {})])
    sent(world)
    world.advance(timedelta(hours=2))
    world.reconcile()
    assert figures(world)["o-1"]["status"] == "mismatched"
    assert money_of(world) == money


def test_of_a_converted_order_no_figure_is_told_that_is_in_another_currency(new_world: NewWorld) -> None:
    world = new_world(Options())
    held_and_changed(world, {"o-1": to("60.00"), "o-2": GONE}, currency="GBP")
    world.sandbox.control.add_faults([{"kind": "drop", "order_ids": ["o-1", "o-2"]}])
    sent(world)
    world.advance(timedelta(hours=37))
    world.reconcile()
    assert money_of(world, "o-1") == ("60.00", None, None, None)
    assert money_of(world, "o-2") == ("0.00", "127.00", "127.00", "12.70")


# -- the totals of a run -------------------------------------------------------------------------------------------------------------------


def run(world: World) -> dict[str, Any]:
    """The newest row of cj.reconciliation_runs, without its id, its report and the lags."""
    (newest,) = world.rows("SELECT * FROM cj.reconciliation_runs ORDER BY checked_at DESC LIMIT 1")
    plain = {n: f"{v:.2f}" if isinstance(v, Decimal) else v for n, v in newest.items() if "lag" not in n}
    return {name: value for name, value in plain.items() if name not in ("reconciliation_run_id", "checked_at", "report", "figures")}


def totals(**counts: Any) -> dict[str, Any]:
    names = ("orders", "awaiting", "late", "matched", "mismatched", "missing", "superseded")
    money = {"submitted_amount": "0.00", "matched_amount": "0.00", "commission_at_risk": "0.00"}
    return dict.fromkeys(names, 0) | money | {"other_basis_matches_all": False} | counts


def test_the_totals_of_a_run_are_those_of_the_orders_it_looked_at(new_world: NewWorld) -> None:
    world = new_world(Options())
    amounts = {"good": "60.00", "altered": "50.00", "lost": "40.00", "slow": "30.00"}
    held_and_changed(world, {name: to(amount) for name, amount in amounts.items()})
    world.sandbox.control.add_faults(
        [
            {"kind": "alter", "order_ids": ["altered"], "field": "amount", "value": "75.00"},
            {"kind": "drop", "order_ids": ["lost"]},
            {"kind": "delay", "order_ids": ["slow"], "seconds": 40 * 3600},
        ]
    )
    sent(world)
    world.advance(timedelta(minutes=30))
    world.reconcile()
    assert run(world) == totals(orders=4, awaiting=4, submitted_amount="180.00")
    world.advance(timedelta(minutes=60))
    world.reconcile()
    # 25.00 too much of 75.00, which pays 7.50; what is late is no break yet.
    whole = totals(orders=4, late=2, matched=1, mismatched=1, submitted_amount="180.00", matched_amount="60.00", commission_at_risk="2.50")
    assert run(world) == whole
    world.advance(timedelta(hours=36))
    world.reconcile()
    # What matched is settled and not looked at again. 60.00 of 100.00 never went (6.00), and 70.00 (7.00).
    assert run(world) == totals(orders=3, mismatched=1, missing=2, submitted_amount="120.00", commission_at_risk="15.50")
    world.advance(timedelta(hours=4))
    world.reconcile()
    assert run(world) == totals(
        orders=3, matched=1, mismatched=1, missing=1, submitted_amount="120.00", matched_amount="30.00", commission_at_risk="8.50"
    )


def test_an_overtaken_state_counts_as_superseded_and_its_money_as_the_newer_ones(new_world: NewWorld) -> None:
    world = new_world(Options())
    (first,) = held_and_changed(world, {"o-1": to("60.00")})
    sent(world)
    world.append([later(first, 5, amount=Decimal("40.00"))])
    sent(world)
    world.advance(timedelta(hours=2))
    world.reconcile()
    assert run(world) == totals(orders=2, matched=1, superseded=1, submitted_amount="100.00", matched_amount="40.00")


def test_the_posting_lag_is_between_the_call_and_the_record(new_world: NewWorld) -> None:
    world = new_world(Options())
    held_and_changed(world, {f"o-{n}": to("60.00") for n in range(4)})
    world.sandbox.control.add_faults([{"kind": "delay", "order_ids": ["o-3"], "seconds": 1800, "times": 1}])
    sent(world)
    world.advance(timedelta(hours=2))
    world.reconcile()
    (row,) = world.rows(
        "SELECT posting_lag_p50_seconds AS half, posting_lag_p90_seconds AS most, posting_lag_max_seconds AS longest FROM cj.reconciliation_runs"
    )
    assert row["half"] == pytest.approx(3_600, abs=5)
    assert row["most"] == pytest.approx(3_600 + 0.7 * 1_800, abs=5)
    assert row["longest"] == pytest.approx(5_400, abs=5)


# -- two currencies ------------------------------------------------------------------------------------------------------------------------

RATES = {"GBP": Decimal("1.27"), "EUR": Decimal("1.08")}


def in_two_currencies(world: World, change: dict[str, Any]) -> None:
    for currency in RATES:
        orders = [order(f"{currency}-{n}", currency=currency, amount=Decimal(100 + n)) for n in range(3)]
        world.pixel([pixel_order(o, o.event_time) for o in orders])
        world.append([later(o, 5, **change) if change else o for o in orders])


def test_each_currencys_rate_is_read_from_its_own_orders_so_that_what_nothing_happened_to_is_unchanged(new_world: NewWorld) -> None:
    world = new_world(Options())
    in_two_currencies(world, {})
    played = world.prepare(START, world.now())
    assert (operations(played), played.prepared.summary["skipped_by_reason"]) == ([], {"unchanged": 6})


def test_each_currencys_rate_is_read_from_its_own_orders_so_that_what_arrived_matches(new_world: NewWorld) -> None:
    world = new_world(Options())
    in_two_currencies(world, to("60.00"))
    sent(world)
    world.advance(timedelta(hours=2))
    world.reconcile()
    assert {name: found["status"] for name, found in figures(world).items()} == dict.fromkeys(
        [f"{currency}-{n}" for currency in RATES for n in range(3)], "matched"
    )
    assert all(found["within_band"] for found in figures(world).values())


@pytest.mark.parametrize(("amount", "matches"), [("102.95", True), ("103.10", False)])
def test_an_amount_that_cj_converted_may_be_three_per_cent_off_the_rate_the_others_show(
    new_world: NewWorld, amount: str, matches: bool
) -> None:
    world = new_world(Options())
    names = [f"o-{n}" for n in range(5)]
    held_and_changed(world, {name: to("100.00") for name in names}, currency="GBP", amount=Decimal("50.00"))
    world.sandbox.control.add_faults([{"kind": "alter", "order_ids": ["o-4"], "field": "amount", "value": amount}])
    sent(world)
    world.advance(timedelta(hours=2))
    world.reconcile()
    assert [figures(world)[name]["status"] for name in names] == ["matched"] * 4 + ["matched" if matches else "mismatched"]


@pytest.mark.parametrize(("shop", "expected"), [(Decimal("0.03"), "mismatched"), (Decimal("0.06"), "matched")])
def test_the_band_is_the_settings(new_world: NewWorld, shop: Decimal, expected: str) -> None:
    world = new_world(Options())
    world.settings = replace(world.settings, currency_band=shop)
    held_and_changed(world, {f"o-{n}": to("100.00") for n in range(5)}, currency="GBP", amount=Decimal("50.00"))
    world.sandbox.control.add_faults([{"kind": "alter", "order_ids": ["o-4"], "field": "amount", "value": "105.00"}])
    sent(world)
    world.advance(timedelta(hours=2))
    world.reconcile()
    assert figures(world)["o-4"]["status"] == expected
