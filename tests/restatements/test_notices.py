"""What is so now and somebody must know of: each at its boundary, from facts and from the tables of both warehouses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from include.restatements.approval.record import keep_question, load_newest
from include.restatements.journal.documents import Asked
from include.restatements.notices import found
from include.restatements.notices.found import LastNight
from include.restatements.notices.kinds import KINDS, NoticeKind
from include.restatements.settings import TOLD, Settings
from include.warehouse.base import open_warehouse
from tests.model.histories import pixel_order
from tests.model.world import BEGIN
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.nights import later, placed
from tests.restatements.nights import night as whole_night

SETTINGS = Settings(accounts=(), storage="file:///nowhere")
DUE = datetime(2026, 3, 3, 2, tzinfo=UTC)
BY_ITS_HOUR, LATE = DUE + timedelta(hours=6), DUE + timedelta(hours=5, minutes=59)


def asked(run_id: str, digest: str) -> Asked:
    return Asked(
        run_id=run_id, digest=digest, at_stake="1.00", unpriced=0, reasons=["why"], subject="s", body="b", asked_at=datetime.now(UTC)
    )


def night(runs: int, succeeded: int = 0, failed: int = 0) -> LastNight:
    return LastNight(DUE - timedelta(days=1), DUE, runs, succeeded, failed)


@pytest.mark.parametrize(
    ("of", "now", "kind"),
    [
        (night(0), LATE, None),
        (night(0), BY_ITS_HOUR, NoticeKind.NIGHT_ABSENT),
        (night(1), LATE, None),
        (night(1), BY_ITS_HOUR, NoticeKind.NIGHT_LATE),
        (night(1, failed=1), DUE, NoticeKind.NIGHT_FAILED),
        (night(2, failed=1), DUE, None),
        (night(2, failed=1), BY_ITS_HOUR, NoticeKind.NIGHT_LATE),
        (night(2, failed=1, succeeded=1), BY_ITS_HOUR, None),
        (night(1, succeeded=1), BY_ITS_HOUR, None),
    ],
)
def test_a_night_that_failed_is_late_or_never_began(of: LastNight, now: datetime, kind: NoticeKind | None) -> None:
    told = found.of_the_night(of, SETTINGS.night_hours, now, had_nights=True, page="/dags/cj_restatements")
    assert [one.kind for one in told] == ([kind] if kind else [])
    for one in told:
        assert one.about == "2026-03-02"
        assert one.words.endswith(KINDS[one.kind].advice)


def test_a_package_that_was_just_set_up_has_missed_no_night(world: WorldOn) -> None:
    assert found.of_the_night(night(0), SETTINGS.night_hours, BY_ITS_HOUR, had_nights=False, page="") == []
    with open_warehouse(world.location) as session:
        session.create_tables()
        assert not found.had_nights(session)
    world.prepare(BEGIN - timedelta(days=1), world.now())
    with open_warehouse(world.location) as session:
        assert found.had_nights(session)


def test_breaks_above_the_limit_and_those_that_lock_soon_are_told_with_their_money(world: WorldOn) -> None:
    orders = [placed(key=placed().key._replace(order_id=f"o-{n}")) for n in range(3)]
    world.pixel([pixel_order(order, order.event_time) for order in orders])
    world.append([*orders, *(later(order, 5, change_type="cancelled") for order in orders)])
    world.sandbox.control.add_faults([{"kind": "drop", "order_ids": ["o-1", "o-2"]}])
    played = world.prepare(BEGIN - timedelta(days=9), world.now())
    world.submit(played)
    world.publish(played)
    world.advance(timedelta(hours=40))
    world.reconcile()
    with open_warehouse(world.location) as session:
        breaks = found.breaks_now(session, world.now())
    assert sorted(str(row["order_id"]) for row in breaks) == ["o-1", "o-2"]
    risk, locks = Decimal(str(breaks[0]["commission_at_risk"])), breaks[0]["locking_date"]
    assert isinstance(locks, datetime)

    def above(limit: Decimal | None) -> list[str]:
        return [one.subject for one in found.of_breaks(breaks, replace(SETTINGS, notice_break_above=limit), lambda *key: f"/{key[2]}")]

    assert (len(above(risk - Decimal("0.01"))), above(risk), above(None)) == (2, [], [])
    assert {one.page for one in found.of_breaks(breaks, SETTINGS, lambda *key: f"/{key[2]}")} <= {"/o-1", "/o-2"}
    assert above(Decimal(0))[0] == f"Order {breaks[0]['order_id']} is missing: {risk:.2f} at risk"
    days = SETTINGS.notice_lock_days
    for now, count in ((locks - timedelta(days=days), 1), (locks - timedelta(days=days, seconds=1), 0), (locks, 0)):
        told = found.of_locks(breaks, SETTINGS, now, "")
        assert len(told) == count
        for one in told:
            assert one.subject.startswith(f"2 wrong orders lock at {locks:%Y-%m-%d %H:%M} UTC: {2 * risk:.2f} at risk")


def test_a_break_that_locks_soon_is_told_however_long_ago_it_was_sent(world: WorldOn) -> None:
    order = placed()
    world.pixel([pixel_order(order, order.event_time)])
    world.append([order, later(order, 5, amount=Decimal("90.00"))])
    world.sandbox.control.add_faults([{"kind": "alter", "order_ids": ["o-1"], "field": "amount", "value": "1.00", "times": 1}])
    whole_night(world)
    with open_warehouse(world.location) as session:
        session.execute("UPDATE cj.reconciliation SET locking_date = submitted_at + INTERVAL '36' DAY")
        (row,) = session.rows("SELECT locking_date FROM cj.reconciliation")
        locks = row["locking_date"]
        assert isinstance(locks, datetime)
        days = timedelta(days=SETTINGS.notice_lock_days)
        for now, count in ((locks - timedelta(days=1), 1), (locks - days, 1), (locks - days - timedelta(seconds=1), 0), (locks, 0)):
            assert len(found.of_locks(found.locks_now(session, SETTINGS, now), SETTINGS, now, "")) == count
        session.execute("UPDATE cj.reconciliation SET locking_date = NULL")
        assert found.locks_now(session, SETTINGS, locks - timedelta(days=1)) == []


def test_a_question_that_only_the_journal_has_waits_too(world: WorldOn) -> None:
    world.append([placed()])
    played = world.prepare(BEGIN - timedelta(days=9), world.now())
    number = keep_question(world.journal, asked(played.run.run_id, played.prepared.digest))
    with open_warehouse(world.location) as session:
        load_newest(session, world.journal, datetime.now(UTC))
        assert [row["question"] for row in found.waiting_approvals(session)] == [number]


def test_a_question_whose_plan_gave_way_or_whose_run_is_over_waits_no_more(world: WorldOn) -> None:
    world.append([placed()])
    played = world.prepare(BEGIN - timedelta(days=9), world.now(), "tonight")
    keep_question(world.journal, asked("tonight", played.prepared.digest))
    world.append([placed(key=placed().key._replace(order_id="o-2"))])
    played = world.prepare(BEGIN - timedelta(days=9), world.now(), "tonight")
    with open_warehouse(world.location) as session:
        load_newest(session, world.journal, datetime.now(UTC))
        assert found.waiting_approvals(session) == []
        keep_question(world.journal, asked("tonight", played.prepared.digest))
        load_newest(session, world.journal, datetime.now(UTC))
        assert [row["question"] for row in found.waiting_approvals(session)] == [2]
    world.publish(played)
    with open_warehouse(world.location) as session:
        load_newest(session, world.journal, datetime.now(UTC))
        assert [row["answer"] for row in session.rows("SELECT answer FROM cj.approvals ORDER BY question")] == ["withdrawn", "withdrawn"]


def test_what_is_at_risk_and_not_known_is_counted_beside_what_is() -> None:
    locks = datetime(2026, 4, 11, 10, tzinfo=UTC)
    row = {"enterprise_id": "1", "order_id": "o", "locking_date": locks, "commission_at_risk": None}
    (one,) = found.of_locks([row, row | {"commission_at_risk": Decimal("2.50")}], SETTINGS, locks - timedelta(hours=1), "")
    assert "2.50 is at risk, and an amount that is not known of 1 of them." in one.words


def test_a_question_that_waits_and_a_token_that_is_refused_name_what_they_are_about() -> None:
    row = {"run_id": "r", "question": 2, "plan_digest": "d", "at_stake": Decimal("7.00"), "reasons": "Many."}
    (waits,) = found.of_approvals([row], {"r": "/runs/r"})
    assert (waits.about, waits.page, waits.subject) == ("r, question 2", "/runs/r", "A night waits for your answer: 7.00 at stake")
    (refused,) = found.of_accounts({"cj_uk": "Invalid Token."}, "/p")
    assert (refused.about, refused.words.startswith("Connection 'cj_uk': Invalid Token. ")) == ("cj_uk", True)


def test_every_kind_is_told_with_when_and_what_to_do() -> None:
    assert set(KINDS) == set(NoticeKind)
    for told in KINDS.values():
        assert told.when
        assert told.advice.endswith(".")
        assert set(told.settings) <= set(TOLD)
        assert all(f"`{name}`" in told.when for name in told.settings)


def test_a_case_is_told_by_the_late_reading_and_before_it_closes_by_itself() -> None:
    early, late, minute, day = DUE, DUE + timedelta(days=5), timedelta(minutes=1), timedelta(days=1)
    filed = {
        "case_id": "c-1", "case_number": "7", "subject": "s", "state": "filed", "due_early": early, "due_late": late, "closes_at": None, "line": "1-800",
    }  # fmt: skip

    def told(row: dict[str, object], now: datetime) -> list[tuple[str, str]]:
        return [(one.about, one.page) for one in found.of_cases([row], now, lambda case_id: f"/cases/{case_id}")]

    is_late = [("7, answer of 2026-03-08 02:00", "/cases/c-1")]
    assert [told(filed, now) for now in (early, late - minute, late)] == [[], [], is_late]
    # Where the hours of the desk are not known, the early reading is the only one.
    assert [told(filed | {"due_late": None}, now) for now in (early - minute, early)] == [
        [],
        [("7, answer of 2026-03-03 02:00", "/cases/c-1")],
    ]
    answered = filed | {"state": "answered", "closes_at": late}
    closes = [("7, closes 2026-03-08 02:00", "/cases/c-1")]
    assert [told(answered, now) for now in (late - day - minute, late - day, late - minute, late)] == [[], closes, closes, []]
    assert [told(filed | {"state": state}, late) for state in ("ready", "closed", "settled")] == [[], [], []]
