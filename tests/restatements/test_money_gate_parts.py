"""A night that goes in parts, and one that nobody let go, on both warehouses: what was sent counts, what was not sent is no night's measure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from include.domain.states import Answer
from include.restatements.approval.judging import _backfill_before, _usual
from include.restatements.approval.record import keep_answer, keep_question, load_approvals
from include.restatements.approval.rules import NIGHTS_LOOKED_AT
from include.restatements.journal.documents import Asked, Decided
from include.restatements.prepare import prepare
from include.restatements.rebuild import rebuild
from include.restatements.settings import Run
from include.restatements.submit import submit
from include.sql import filled
from include.warehouse.base import Session, open_warehouse
from tests.model.histories import FIXED_DATE, pixel_order
from tests.model.shop import Key
from tests.model.world import BEGIN, Night
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import later, placed
from tests.restatements.test_money_gate import DAY, gated, rules

COLUMNS = "run_id, enterprise_id, plan_number, backfill, created, touched, taken_back, open_orders, open_money, asked_by, planned_at"
ORDERS = [placed(key=Key(FIXED_DATE, f"o-{n:02d}"), event_time=BEGIN - DAY * (1 + n // 10), updated_at=BEGIN - DAY) for n in range(60)]


@pytest.fixture
def shop(world: WorldOn) -> WorldOn:
    """Sixty orders of 100.00 at CJ; the gate as it is shipped."""
    world.settings = gated(world.settings)
    world.pixel([pixel_order(order, order.event_time) for order in ORDERS])
    world.append(ORDERS)
    return world


def of(shop: WorldOn, run_id: str, backfill: bool) -> Night:
    run = Run(run_id, BEGIN - DAY * 9, shop.now(), backfill=backfill)
    return Night(run, prepare(run, shop.settings, shop.location))


def before(shop: WorldOn) -> dict[str, object]:
    with open_warehouse(shop.location) as session:
        other = Run("another", BEGIN, BEGIN, backfill=True)
        return _backfill_before(session, other, shop.settings.accounts[0], shop.now())


def kept(session: Session, shop: WorldOn, run: str, number: int, touched: int, asked_by: str | None, backfill: bool) -> None:
    session.execute(
        f"INSERT INTO cj.nights ({COLUMNS}) VALUES (:run, :enterprise, :number, :backfill, 0, :touched, 0, 0, 0, :asked_by, :at)",
        {
            "run": run, "enterprise": shop.enterprise, "number": number, "backfill": backfill, "touched": touched, "asked_by": asked_by,
            "at": shop.now() - timedelta(hours=1),
        },
    )  # fmt: skip


def answers(session: Session, shop: WorldOn, run: str, *given: Answer, of_plan: str | None = None) -> None:
    for number, answer in enumerate(given):
        asked = Asked(
            run_id=run, digest=of_plan or f"plan {number}", at_stake="1.00", unpriced=0, reasons=["why"], subject="s", body="b", asked_at=datetime.now(UTC),
        )  # fmt: skip
        decided = Decided(answer=answer, by="ana", at=datetime.now(UTC))
        keep_answer(shop.journal, run, keep_question(shop.journal, asked), decided)
    load_approvals(session, shop.journal, run)


def decide(shop: WorldOn, night: Night, answer: Answer) -> None:
    """A person's answer about this plan, in the tables."""
    with open_warehouse(shop.location) as session, session.transaction():
        answers(session, shop, night.run.run_id, answer, of_plan=night.prepared.digest)


@pytest.mark.parametrize("backfill", [True, False])
def test_a_run_that_is_cleared_is_judged_with_what_it_had_sent(shop: WorldOn, backfill: bool) -> None:
    shop.append([later(order, 5, change_type="cancelled") for order in ORDERS[:15]])
    first = of(shop, "in parts", backfill)
    assert rules(shop, "in parts") in ([], ["new_ones_cancelled"], ["much_taken_back"], ["much_taken_back", "new_ones_cancelled"])
    (batch,) = first.prepared.batches
    assert submit(first.run, shop.settings, batch, digest=first.prepared.digest).accepted == 15
    shop.append([later(order, 6, change_type="cancelled") for order in ORDERS[15:30]])
    again = of(shop, "in parts", backfill)
    assert again.prepared.summary["cancel"] == 15
    assert "many_touched" in rules(shop, "in parts")
    assert any("30 orders would be restated or cancelled" in reason for reason in again.prepared.reasons)


def test_a_cleared_run_of_a_backfill_counts_with_all_its_plans_have_sent(shop: WorldOn) -> None:
    shop.append([later(order, 5, amount=Decimal("90.00")) for order in ORDERS[:2]])
    first = of(shop, "cleared", True)
    assert submit(first.run, shop.settings, first.prepared.batches[0]).accepted == 2
    assert before(shop) == {"touched": 2, "taken_back": Decimal(20), "runs": 1}
    for _ in range(2):
        assert of(shop, "cleared", True).prepared.summary["to_send"] == 0
        assert before(shop) == {"touched": 2, "taken_back": Decimal(20), "runs": 1}
    shop.append([later(order, 6, amount=Decimal("95.00")) for order in ORDERS[2:5]])
    of(shop, "cleared", True)
    assert before(shop) == {"touched": 5, "taken_back": Decimal(35), "runs": 1}
    nights = shop.rows("SELECT * FROM cj.nights ORDER BY plan_number")
    assert [row["touched"] for row in nights] == [2, 3]
    rebuild(shop.settings, shop.location)
    assert shop.rows("SELECT * FROM cj.nights ORDER BY plan_number") == nights


def test_what_a_cleared_run_had_not_sent_gives_way(shop: WorldOn) -> None:
    shop.append([later(order, 5, amount=Decimal("90.00")) for order in ORDERS[:2]])
    for _ in range(3):
        of(shop, "cleared", True)
    assert before(shop) == {"touched": 2, "taken_back": Decimal(20), "runs": 1}


@pytest.mark.parametrize("backfill", [False, True])
def test_the_approval_of_one_plan_lets_no_later_one_count_that_was_rejected(shop: WorldOn, backfill: bool) -> None:
    of(shop, "nothing", False)
    with open_warehouse(shop.location) as session, session.transaction():
        for number in range(1, 15):
            kept(session, shop, f"n-{number}", number, 3, None, backfill)
        kept(session, shop, "twice", 99, 900, "many_touched", backfill)
        answers(session, shop, "twice", Answer.APPROVED, Answer.REJECTED)
        run, account = Run("another", BEGIN, BEGIN, backfill=backfill), shop.settings.accounts[0]
        if backfill:
            assert _backfill_before(session, run, account, shop.now())["touched"] == 14 * 3
        else:
            assert _usual(session, run, account) == 3


@pytest.mark.parametrize(
    ("given", "usual"),
    [([], 900), ([Answer.APPROVED], 900), ([Answer.REJECTED], 3), ([Answer.UNANSWERED], 3), ([Answer.REJECTED, Answer.APPROVED], 900)],
)
def test_a_night_that_the_limit_asked_about_is_usual_where_a_person_let_it_go(shop: WorldOn, given: list[Answer], usual: int) -> None:
    of(shop, "nothing", False)
    with open_warehouse(shop.location) as session, session.transaction():
        for number in range(1, 15):
            kept(session, shop, f"n-{number}", number, 3, None, False)
        kept(session, shop, "above the limit", 99, 900, None, False)
        answers(session, shop, "above the limit", *given)
        assert _usual(session, Run("another", BEGIN, BEGIN), shop.settings.accounts[0]) == usual


@pytest.mark.parametrize("answer", [Answer.APPROVED, Answer.REJECTED])
@pytest.mark.parametrize("backfill", [False, True])
def test_a_plan_that_asked_nobody_went_whatever_was_answered_of_its_runs_earlier_one(shop: WorldOn, backfill: bool, answer: Answer) -> None:
    """Neither the rejection of a first plan, nor its approval, is an answer about the second."""
    shop.append([later(order, 5, amount=Decimal("90.00")) for order in ORDERS[:3]])
    first = of(shop, "again", backfill)
    decide(shop, first, answer)
    shop.append([later(ORDERS[3], 6, amount=Decimal("90.00"))])
    second = of(shop, "again", backfill)
    assert (second.prepared.digest != first.prepared.digest, second.prepared.reasons) == (True, [])
    assert touched(shop, backfill) == 4
    assert shop.rows("SELECT plan_digest, questions_before FROM cj.nights") == [
        {"plan_digest": second.prepared.digest, "questions_before": 1}
    ]


@pytest.mark.parametrize("backfill", [False, True])
def test_what_was_approved_and_sent_counts_though_the_rest_was_rejected_later(shop: WorldOn, backfill: bool) -> None:
    shop.append([later(order, 5, amount=Decimal("90.00")) for order in ORDERS[:3]])
    first = of(shop, "again", backfill)
    assert submit(first.run, shop.settings, first.prepared.batches[0], digest=first.prepared.digest).accepted == 3
    shop.append([later(order, 6, amount=Decimal("90.00")) for order in ORDERS[3:8]])
    second = of(shop, "again", backfill)
    decide(shop, second, Answer.REJECTED)
    assert touched(shop, backfill) == 3


@pytest.mark.parametrize("backfill", [False, True])
def test_a_plan_that_was_rejected_and_went_by_itself_under_a_higher_limit_counts(shop: WorldOn, backfill: bool) -> None:
    """It is the same plan, of the same digest: what tells the two apart is that it was planned again after the question."""
    shop.append([later(order, 5, amount=Decimal("90.00")) for order in ORDERS[:3]])
    first = of(shop, "again", backfill)
    decide(shop, first, Answer.REJECTED)
    assert touched(shop, backfill) == 0
    assert of(shop, "again", backfill).prepared.digest == first.prepared.digest
    assert touched(shop, backfill) == 3
    decide(shop, first, Answer.REJECTED)
    assert touched(shop, backfill) == 0


def test_a_plan_that_the_gate_asks_about_counts_where_that_plan_was_approved_and_no_other(shop: WorldOn) -> None:
    shop.append([later(order, 5, amount=Decimal("90.00")) for order in ORDERS[:3]])
    first = of(shop, "again", False)
    decide(shop, first, Answer.APPROVED)
    shop.append([later(order, 6, change_type="cancelled") for order in ORDERS[:30]])
    second = of(shop, "again", False)
    assert "many_touched" in rules(shop, "again")
    assert touched(shop, False) == 0
    for answer, counts in ((Answer.UNANSWERED, 0), (Answer.REJECTED, 0), (Answer.APPROVED, 30)):
        decide(shop, second, answer)
        assert touched(shop, False) == counts


def test_a_plan_that_was_approved_and_is_planned_again_as_it_was_is_approved(shop: WorldOn) -> None:
    """Its digest is what a person let go, and what may be sent."""
    shop.append([later(order, 6, change_type="cancelled") for order in ORDERS[:30]])
    first = of(shop, "again", False)
    decide(shop, first, Answer.APPROVED)
    assert of(shop, "again", False).prepared.digest == first.prepared.digest
    assert touched(shop, False) == 30


def test_a_backfill_is_summed_since_the_plan_that_was_approved_and_not_since_its_runs_next_one(shop: WorldOn) -> None:
    shop.append([later(order, 5, amount=Decimal("90.00")) for order in ORDERS[:3]])
    first = of(shop, "again", True)
    decide(shop, first, Answer.APPROVED)
    assert submit(first.run, shop.settings, first.prepared.batches[0], digest=first.prepared.digest).accepted == 3
    assert touched(shop, True) == 0
    shop.append([later(order, 6, amount=Decimal("90.00")) for order in ORDERS[3:8]])
    of(shop, "again", True)
    assert touched(shop, True) == 5


def touched(shop: WorldOn, backfill: bool) -> int:
    """What another run is compared with: the orders of the run's nights that count."""
    if backfill:
        return int(str(before(shop)["touched"]))
    with open_warehouse(shop.location) as session:
        found = session.rows(filled("gate_nights"), {"enterprise_id": shop.enterprise, "run_id": "another", "nights": NIGHTS_LOOKED_AT})
    return sum(int(str(row["touched"])) for row in found)
