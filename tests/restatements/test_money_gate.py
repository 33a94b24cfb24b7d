"""The money gate over real nights, on both warehouses: what it compares a plan with, what it asks, and what nobody can approve past."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from include.domain.errors import AboveTheLimit, PlanReplaced
from include.domain.states import Answer, Mode
from include.restatements.approval.judging import _usual
from include.restatements.approval.record import keep_answer, keep_question, load_approvals
from include.restatements.journal.documents import Asked, Decided, Judged
from include.restatements.journal.journal import run_folder
from include.restatements.prepare import prepare
from include.restatements.rebuild import rebuild
from include.restatements.settings import Run, Settings
from include.restatements.submit import submit
from include.warehouse.base import open_warehouse
from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Change, Key
from tests.model.world import BEGIN, Night
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import later, placed

DAY = timedelta(days=1)


@pytest.fixture
def shop(world: WorldOn) -> WorldOn:
    """Sixty orders of 100.00 over six days, at CJ; the gate as it is shipped."""
    world.settings = gated(world.settings)
    world.orders = [  # type: ignore[attr-defined]
        placed(key=Key(FIXED_DATE, f"o-{n}"), event_time=BEGIN - DAY * (1 + n // 10), updated_at=BEGIN - DAY * (1 + n // 10))
        for n in range(60)
    ]
    world.pixel([pixel_order(order, order.event_time) for order in orders_of(world)])
    world.append(orders_of(world))
    return world


def gated(settings: Settings) -> Settings:
    shipped = Settings(accounts=(), storage="file:///nowhere")
    return replace(settings, **{name: getattr(shipped, name) for name in vars(shipped) if name.startswith("gate_")})


def orders_of(world: WorldOn) -> list[Change]:
    orders: list[Change] = world.orders  # type: ignore[attr-defined]
    return orders


def tonight(world: WorldOn, run_id: str = "tonight") -> Night:
    return world.prepare(BEGIN - DAY * 9, world.now(), run_id)


def of_a_backfill(world: WorldOn, number: int) -> Night:
    """A run of one minute, in which one order changed."""
    order = later(orders_of(world)[number], 5 + number, amount=Decimal("99.00"))
    world.append([order])
    run = Run(f"backfill-{number}", order.updated_at, order.updated_at + timedelta(minutes=1), backfill=True)
    return Night(run, prepare(run, world.settings, world.location))


def gate(world: WorldOn, run_id: str = "tonight") -> Judged:
    manifest = world.journal.manifest(run_folder(run_id))
    assert manifest is not None
    (judged,) = manifest.gate
    return judged


def rules(world: WorldOn, run_id: str = "tonight") -> list[str]:
    return [rule for rule, _ in gate(world, run_id).reasons]


def answered(world: WorldOn, night: Night, answer: Answer) -> None:
    asked = Asked(
        run_id=night.run.run_id, digest=night.prepared.digest, at_stake="1.00", unpriced=0, reasons=["why"], subject="s", body="b",
        asked_at=datetime.now(UTC),
    )  # fmt: skip
    keep_answer(
        world.journal, night.run.run_id, keep_question(world.journal, asked), Decided(answer=answer, by="ana", at=datetime.now(UTC))
    )
    with open_warehouse(world.location) as session, session.transaction():
        load_approvals(session, world.journal, night.run.run_id)


def test_an_ordinary_night_is_compared_and_goes_on(shop: WorldOn) -> None:
    shop.append([later(order, 5, amount=Decimal("90.00")) for order in orders_of(shop)[:2]])
    night = tonight(shop)
    judged = gate(shop)
    assert (judged.touched, judged.created, judged.taken_back) == (2, 0, "20.00")
    assert (judged.open_orders, judged.open_money, judged.reasons) == (60, "6000.00", [])
    (batch,) = night.prepared.batches
    assert submit(night.run, shop.settings, batch).accepted == 2


def test_a_night_that_cancels_half_of_the_orders_is_not_sent_without_a_person(shop: WorldOn) -> None:
    shop.append([later(order, 5, change_type="cancelled") for order in orders_of(shop)[:30]])
    night, before = tonight(shop), len(shop.fates())
    assert rules(shop) == ["many_touched", "much_taken_back"]
    assert "30 orders would be restated or cancelled, 50 % of the 60 that are open at CJ" in night.prepared.reasons[0]
    for batch in night.prepared.batches:
        with pytest.raises(PlanReplaced, match="no plan of it was approved"):
            submit(night.run, shop.settings, batch)
    assert len(shop.fates()) == before
    (batch,) = night.prepared.batches
    assert submit(night.run, shop.settings, batch, digest=night.prepared.digest).accepted == 30


def test_the_new_orders_of_one_day_that_are_all_cancelled_are_noticed(shop: WorldOn) -> None:
    shop.settings = replace(shop.settings, gate_taken_back=None)
    shop.append([later(order, 5, change_type="cancelled") for order in orders_of(shop)[:10]])
    shop.prepare(BEGIN - DAY, BEGIN, "of its day")
    assert rules(shop, "of its day") == ["new_ones_cancelled"]
    shop.six_hours_pass_for_abandoned_plans()
    shop.prepare(BEGIN, BEGIN + DAY, "of the day after")
    assert rules(shop, "of the day after") == ["new_ones_cancelled"]


def test_a_tracker_that_cj_never_showed_is_asked_about_where_others_were_shown(shop: WorldOn) -> None:
    shop.append([placed(key=Key(987_654, "new"), event_time=BEGIN - DAY, updated_at=BEGIN - DAY)])
    tonight(shop)
    assert rules(shop) == ["tracker_never_seen"]


def test_an_account_of_which_cj_shows_nothing_yet_is_not_asked_about_its_first_order(world: WorldOn) -> None:
    world.settings = gated(world.settings)
    world.append([placed()])
    world.prepare(BEGIN - DAY * 9, world.now(), "tonight")
    assert rules(world) == []


def test_what_is_tested_moves_nothing_and_is_not_judged(shop: WorldOn) -> None:
    shop.settings = replace(shop.settings, mode=Mode.TEST)
    shop.append([later(order, 5, change_type="cancelled") for order in orders_of(shop)])
    assert tonight(shop).prepared.reasons == []
    assert shop.rows("SELECT COUNT(*) AS n FROM cj.nights") == [{"n": 0}]


def test_a_backfill_is_judged_by_the_sum_of_its_runs_since_a_person_let_one_go(shop: WorldOn) -> None:
    shop.settings = replace(shop.settings, gate_fewest=2, gate_taken_back=None)
    found = []
    for number in range(4):
        night = of_a_backfill(shop, number)
        found.append((gate(shop, night.run.run_id).touched, rules(shop, night.run.run_id)))
    assert found == [(1, []), (1, []), (1, []), (1, ["many_touched"])]
    assert night.prepared.reasons[0].startswith("4 orders would be restated or cancelled in 4 runs of a backfill together, 6.7 % of the 60")
    answered(shop, night, Answer.APPROVED)
    of_a_backfill(shop, 4)
    assert rules(shop, "backfill-4") == []
    shop.prepare(BEGIN, BEGIN + DAY, "a night")
    assert shop.rows("SELECT backfill, COUNT(*) AS n FROM cj.nights GROUP BY backfill") == [{"backfill": True, "n": 5}]


@pytest.mark.parametrize(("nights", "usual"), [(13, None), (14, 14), (28, 27), (40, 39)])
def test_what_is_usual_is_read_from_the_last_nights_that_changed_anything_and_were_let_go(
    shop: WorldOn, nights: int, usual: int | None
) -> None:
    tonight(shop)
    enterprise = shop.enterprise
    with open_warehouse(shop.location) as session, session.transaction():
        for n in range(1, nights + 1):
            for run, touched, asked_by in ((f"n-{n}", n, None), (f"quiet-{n}", 0, None), (f"rejected-{n}", 900, "many_touched")):
                session.execute(
                    "INSERT INTO cj.nights (run_id, enterprise_id, plan_number, backfill, created, touched, taken_back, open_orders, open_money, asked_by, planned_at) "
                    "VALUES (:run, :enterprise, :n, :backfill, 0, :touched, 0, 0, 0, :asked_by, :at)",
                    {
                        "run": run,
                        "enterprise": enterprise,
                        "n": n,
                        "backfill": False,
                        "touched": touched,
                        "asked_by": asked_by,
                        "at": BEGIN,
                    },
                )
        assert _usual(session, Run("tonight", BEGIN, BEGIN), shop.settings.accounts[0]) == usual


def test_nobody_can_approve_past_the_hard_limit_and_nothing_is_planned(shop: WorldOn) -> None:
    shop.append([later(orders_of(shop)[0], 5, change_type="cancelled")])
    shop.settings = replace(shop.settings, never_above=Decimal("5.00"))
    with pytest.raises(
        AboveTheLimit, match=r"money at stake this night is [\d.]+, above 5\.00, which nobody can approve past \(Variable cj_never_above\)"
    ):
        tonight(shop)
    assert shop.journal.manifest(run_folder("tonight")) is None
    assert shop.rows("SELECT COUNT(*) AS n FROM cj.planned") == [{"n": 0}]
    shop.settings = replace(shop.settings, never_above=Decimal("5000"))
    assert len(tonight(shop).orders) == 1


def test_a_rebuild_brings_the_nights_and_the_answers_back(shop: WorldOn) -> None:
    shop.append([later(order, 5, change_type="cancelled") for order in orders_of(shop)[:30]])
    night = tonight(shop)
    answered(shop, night, Answer.REJECTED)
    tables = {name: shop.rows(f"SELECT * FROM cj.{name}") for name in ("nights", "approvals")}
    assert all(tables.values())
    with open_warehouse(shop.location) as session:
        session.execute("DELETE FROM cj.nights; DELETE FROM cj.approvals")
    rebuild(shop.settings, shop.location)
    assert {name: shop.rows(f"SELECT * FROM cj.{name}") for name in tables} == tables
