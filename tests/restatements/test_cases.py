"""Cases for CJ's support, on both warehouses: written from the breaks that nothing explains, filed by a person, followed until their orders have posted."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from include.domain.errors import SettingError
from include.domain.states import BREAKS, CaseAct, CaseState, Reason
from include.restatements.cases.acting import request
from include.restatements.cases.events import FOLLOWS
from include.restatements.cases.following import load_all
from include.restatements.cases.kinds import FIELDS, NOT_A_CASE, RULES, SUBSCRIPTIONS, CaseKind
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.cases_desk import DAY, HOUR, NOW, Desk

LOST = "1500001-lost-cancel-1"


@pytest.fixture
def desk(location: WarehouseLocation, tmp_path: Path) -> Desk:
    return Desk(location, tmp_path)


def states(found: list[dict[str, object]]) -> dict[object, object]:
    return {row["case_id"]: row["state"] for row in found}


def test_every_reason_is_asked_about_or_it_is_said_why_not() -> None:
    asked = {reason for rule in RULES for reason in rule.reasons}
    assert asked | set(NOT_A_CASE) == set(Reason)
    assert not asked & set(NOT_A_CASE)
    assert {rule.status for rule in RULES} == set(BREAKS)
    assert {rule.kind for rule in RULES} | set(SUBSCRIPTIONS) == set(CaseKind)
    assert all(rule.source and "{what}" in rule.subject and "{these}" in rule.happened for rule in RULES)
    assert {reason for rule in RULES if rule.kind is CaseKind.ALTERED for reason in rule.reasons} == set(FIELDS)
    assert all(len(words.split()) >= 3 for words in NOT_A_CASE.values())
    assert set(FOLLOWS) == set(CaseAct)


def test_each_group_of_unexplained_breaks_is_one_case_and_what_is_explained_is_none(desk: Desk) -> None:
    for order in ("lost-1", "lost-2"):
        desk.verdict(order)
    desk.verdict("lost-create", operation="create")
    desk.verdict("altered", "mismatched", "amount", operation="restate", posted=100)
    desk.verdict("coupon", "mismatched", "coupon", operation="restate")
    desk.verdict("of-another", enterprise="1500002", at_risk=None)
    desk.verdict("sent-once", sendings=1, at=NOW - 4 * DAY)
    for reason in NOT_A_CASE:
        desk.verdict(f"explained-{reason.value}", "mismatched" if reason is Reason.CORRECTION_REASON else "missing", reason.value)
    for status in ("matched", "awaiting", "late", "superseded"):
        desk.verdict(f"is-{status}", status, None)
    desk.verdict("long-ago-and-locked", at=NOW - 60 * DAY, locks=NOW - 70 * DAY)
    desk.verdict("long-ago-and-open", at=NOW - 60 * DAY)
    found = desk.refresh()
    assert [(row["case_id"], row["orders"], row["at_risk"], row["unpriced"]) for row in found] == [
        ("1500001-altered-restate-amount-1", 1, Decimal(10), 0),
        ("1500001-altered-restate-coupon-1", 1, Decimal(10), 0),
        ("1500001-lost-cancel-1", 4, Decimal(40), 0),
        ("1500001-lost-create-1", 1, Decimal(10), 0),
        ("1500002-lost-cancel-1", 1, None, 1),
    ]
    assert {row["state"] for row in found} == {"ready"}
    assert desk.refresh(NOW + DAY) == found


def test_what_is_sent_again_by_itself_is_in_no_case_where_the_setting_says_so(location: WarehouseLocation, tmp_path: Path) -> None:
    desk = Desk(location, tmp_path, case_after_attempts=3)
    desk.verdict("thrice")
    desk.verdict("twice", sendings=2)
    assert [row["orders"] for row in desk.refresh()] == [1]


def test_a_case_goes_from_ready_to_settled_and_everything_that_happened_is_kept(desk: Desk) -> None:
    desk.verdict("lost-1")
    desk.refresh()
    filed = desk.say(LOST, CaseAct.FILED, NOW, "01234567")
    assert (filed.at.due_usual, filed.at.due_early, filed.at.due_late) == (
        NOW + 2 * DAY,
        NOW + 3 * DAY,
        datetime(2026, 3, 24, 22, tzinfo=UTC),
    )
    desk.say("01234567", CaseAct.ANSWERED, NOW + DAY, note="Ask ada@example.org again.")
    desk.say("01234567", CaseAct.REPLIED, NOW + 2 * DAY)
    answered = desk.say(LOST, CaseAct.ANSWERED, NOW + 3 * DAY)
    assert (answered.at.state, answered.at.closes_at) == (CaseState.ANSWERED, NOW + 6 * DAY)
    desk.verdict("lost-2")
    two = "1500001-lost-cancel-2"
    assert states(desk.refresh(NOW + 6 * DAY - HOUR)) == {LOST: "answered", two: "ready"}
    assert states(desk.refresh(NOW + 6 * DAY)) == {LOST: "closed", two: "ready"}
    desk.say("01234567", CaseAct.REPLIED, NOW + 7 * DAY)
    desk.verdict("lost-1", "matched", None)
    desk.verdict("lost-2", "awaiting", None)
    (settled,) = desk.refresh(NOW + 8 * DAY)
    assert (settled["state"], settled["settled_at"], settled["case_number"], settled["filed_by"]) == (
        "settled",
        NOW + 8 * DAY,
        "01234567",
        "ada",
    )
    desk.verdict("lost-1")
    assert states(desk.refresh(NOW + 9 * DAY)) == {LOST: "filed"}
    told = desk.rows("SELECT act, said_by, note FROM cj.case_events ORDER BY event")
    assert [row["act"] for row in told] == ["filed", "answered", "replied", "answered", "replied", "settled", "broken"]
    assert [row["said_by"] for row in told] == ["ada"] * 5 + [None] * 2
    assert told[1]["note"] == "Ask [hidden] again."


def test_a_case_is_settled_by_what_cj_holds_of_every_order_and_by_nothing_less(desk: Desk) -> None:
    for order in ("one", "two"):
        desk.verdict(order)
    desk.refresh()
    desk.say(LOST, CaseAct.FILED, NOW, "1")
    desk.verdict("one", "matched", None)
    for status in ("awaiting", "late", "missing"):
        desk.verdict("two", status, "unknown" if status == "missing" else None)
        assert states(desk.refresh()) == {LOST: "filed"}, status
    # A newer state was sent: it carries the verdict.
    desk.verdict("two", "superseded", None)
    assert states(desk.refresh()) == {LOST: "filed"}
    later = {"updated": NOW - DAY, "at": NOW}
    desk.verdict("two", "missing", "unknown", 1, **later)
    assert states(desk.refresh()) == {LOST: "filed"}, "nor is another case made of an order whose case is open"
    desk.verdict("two", "matched", None, 1, **later)
    assert states(desk.refresh()) == {LOST: "settled"}


def test_what_is_filed_is_what_the_person_had_before_him_whatever_broke_since(desk: Desk) -> None:
    desk.verdict("lost-1")
    (seen,) = desk.refresh()
    desk.verdict("lost-2")
    (now,) = desk.refresh()
    assert (seen["case_id"], seen["orders"], now["orders"]) == (now["case_id"], 1, 2)
    desk.say(f"{LOST}@{seen['digest']}", CaseAct.FILED, NOW, "1")
    filed, ready = desk.refresh()
    assert (filed["orders"], filed["digest"], ready["case_id"], ready["orders"]) == (1, seen["digest"], "1500001-lost-cancel-2", 1)


def test_a_ready_case_whose_breaks_are_gone_is_gone(desk: Desk) -> None:
    desk.verdict("lost-1")
    assert len(desk.refresh()) == 1
    desk.verdict("lost-1", "matched", None)
    assert desk.refresh() == []
    assert desk.rows("SELECT * FROM cj.case_orders") == []


def test_what_does_not_follow_is_refused_in_a_sentence_and_changes_nothing(desk: Desk) -> None:
    desk.verdict("lost-1")
    desk.verdict("altered", "mismatched", "amount")
    desk.refresh()
    desk.say(LOST, CaseAct.FILED, NOW, "1")
    other = "1500001-altered-cancel-amount-1"
    before = desk.refresh()
    for case, what, of, sentence in (
        (LOST, CaseAct.FILED, {"number": "2"}, "is filed, and only one that is ready can be filed"),
        (other, CaseAct.FILED, {"number": "1"}, f"Case number 1 is case {LOST}'s already"),
        (other, CaseAct.FILED, {"number": ""}, "must be the letters and digits"),
        (other, CaseAct.FILED, {"number": "a b"}, "must be the letters and digits"),
        (f"{other}@000000000000", CaseAct.FILED, {"number": "9"}, "never was as '000000000000' names it"),
        ("nobody", CaseAct.ANSWERED, {}, "There is no case 'nobody'"),
        ("", CaseAct.ANSWERED, {}, "There is no case ''"),
        (other, CaseAct.REPLIED, {}, "is ready, and only one that is answered or closed or filed or settled can be replied"),
        ("1", CaseAct.ANSWERED, {"at": NOW - HOUR}, "was filed at 2026-03-16 16:00 UTC, which is later"),
        ("1", CaseAct.ANSWERED, {"at": datetime(2999, 1, 1, tzinfo=UTC)}, "has not come yet"),
        ("1", CaseAct.SETTLED, {}, "Nobody can say that a case is settled"),
        ("1", CaseAct.ANSWERED, {"note": "x" * 2001}, "The note has 2001 characters"),
    ):
        with pytest.raises(SettingError, match=sentence):
            desk.say(case, what, **of)
    with pytest.raises(SettingError, match="There is no account 'cj_uk'"):
        request(desk.settings, desk.location, "extension", "cj_uk")
    with pytest.raises(SettingError, match="'sftp' is no subscription"):
        request(desk.settings, desk.location, "sftp")
    assert desk.refresh() == before


def test_what_is_said_twice_is_said_once(desk: Desk) -> None:
    desk.verdict("lost-1")
    desk.refresh()
    for _ in range(2):
        desk.say(LOST, CaseAct.FILED, NOW, "1")
    for _ in range(2):
        desk.say("1", CaseAct.ANSWERED, NOW + HOUR, said_in="run-1")
    assert [row["act"] for row in desk.rows("SELECT act FROM cj.case_events ORDER BY event")] == ["filed", "answered"]


def test_a_request_for_a_subscription_is_a_case_with_the_one_pair_of_reasons_that_is_known(desk: Desk) -> None:
    case_id = request(desk.settings, desk.location, "extension")
    assert request(desk.settings, desk.location, "extension", "cj") == case_id == "1500001-extension-1"
    (row,) = desk.refresh()
    assert row["subject"] == "Request for a subscription for transaction extension files (CID 5500001)"
    assert (row["case_reason"], row["sub_reason"], row["attachments"], row["orders"]) == ("Data Transfer", "Data Transfer General", "[]", 0)
    desk.say(case_id, CaseAct.FILED, NOW, "7")
    assert desk.say("7", CaseAct.CLOSED, NOW + HOUR).at.state is CaseState.CLOSED
    assert request(desk.settings, desk.location, "correction") == "1500001-correction-1"
    assert request(desk.settings, desk.location, "extension") == "1500001-extension-2"


def test_the_tables_come_back_from_the_journal(desk: Desk) -> None:
    desk.verdict("lost-1")
    desk.refresh()
    request(desk.settings, desk.location, "correction")
    desk.say(LOST, CaseAct.FILED, NOW, "1")
    desk.say("1", CaseAct.ANSWERED, NOW + HOUR)
    desk.verdict("lost-2")
    tables = ("cases", "case_orders", "case_events")
    desk.refresh(NOW + 2 * HOUR)
    before = {table: desk.rows(f"SELECT * FROM cj.{table} ORDER BY 1, 2") for table in tables}
    assert [len(before[table]) for table in tables] == [3, 2, 2]
    with open_warehouse(desk.location) as session:
        for table in tables:
            session.execute(f"DELETE FROM cj.{table}")
        with session.transaction():
            load_all(session, desk.files, desk.settings, NOW + 2 * HOUR)
    desk.refresh(NOW + 2 * HOUR)
    assert {table: desk.rows(f"SELECT * FROM cj.{table} ORDER BY 1, 2") for table in tables} == before
