"""Which records CJ is asked for once more because another says the same, and what its answer makes of them, from bare rows."""

from __future__ import annotations

from typing import Any

import pytest

from include.sql import filled
from tests.restatements.rules.ground import FAR, HOUR, POSTED, SENT, Ground


def asked_for(ground: Ground, **other: Any) -> list[str]:
    """The ids of the records that are asked for."""
    bound: dict[str, object] = {"advertiser_id": "2", "since": 1, "cared_for_since": SENT - HOUR}
    return sorted(str(row["commission_id"]) for row in ground.session.rows(filled("ledger_alike"), bound | other))


def done(ground: Ground, step: str) -> dict[str, tuple[Any, Any]]:
    """What is said of each record once this step was done with CJ's answer: (gone, moved), as numbers of readings."""
    ground.session.execute(filled(step), {"reading": 9})
    rows = ground.rows("SELECT commission_id, gone_reading, moved_reading FROM cj.commissions")
    return {str(row["commission_id"]): (row["gone_reading"], row["moved_reading"]) for row in rows}


OTHERWISE: list[dict[str, Any]] = [
    {"action_type": "item_sale"}, {"sale_amount": "99.00"}, {"sale_amount": None}, {"items_mark": 1}, {"order_discount": "1.00"}, {"coupon": "TEN"},
    {"order_id": "p"}, {"action_tracker_id": 402}, {"advertiser_id": "9"},
]  # fmt: skip


@pytest.mark.parametrize("other", OTHERWISE)
def test_records_that_differ_in_anything_are_not_alike(ground: Ground, other: dict[str, Any]) -> None:
    assert asked_for(ground.record().record(**other)) == []


SAME = [
    ({}, {}),
    ({"posting_date": POSTED}, {"posting_date": SENT, "publisher_id": "8", "locking_date": None}),
    ({"order_discount": None}, {"order_discount": "0"}),
    ({"sale_amount": None}, {"sale_amount": "0"}),
    ({"coupon": None}, {"coupon": ""}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_that_say_the_same_are_both_asked_for(ground: Ground, one: dict[str, Any], other: dict[str, Any]) -> None:
    assert asked_for(ground.record(**one).record(**other)) == ["1", "2"]


@pytest.mark.parametrize(
    ("one", "other"), [({"sale_amount": None}, {"sale_amount": "1"}), ({"order_discount": None}, {"order_discount": "1"})]
)
def test_nothing_is_nothing_and_no_other_amount(ground: Ground, one: dict[str, Any], other: dict[str, Any]) -> None:
    assert asked_for(ground.record(**one).record(**other)) == []
    assert asked_for(ground.record(order_id="q", **other).record(order_id="q", **one)) == []


def test_a_record_alone_is_not_alike_itself(ground: Ground) -> None:
    assert asked_for(ground.record()) == []


@pytest.mark.parametrize(
    ("one", "other", "asked"),
    [
        ({"reading": 1}, {"reading": 0}, True),
        ({"reading": 0}, {"reading": 0}, False),
        ({"gone_reading": 1}, {}, False),
        ({}, {"gone_reading": 1}, False),
        ({"advertiser_id": "9"}, {"advertiser_id": "9"}, False),
    ],
)
def test_where_one_was_read_since_and_neither_is_gone(ground: Ground, one: dict[str, Any], other: dict[str, Any], asked: bool) -> None:
    assert asked_for(ground.record(**one).record(**other)) == (["1", "2"] if asked else [])


@pytest.mark.parametrize(
    ("verdict", "asked"),
    [
        ({}, True),
        ({"status": "late"}, False),
        ({"submitted_at": SENT - HOUR}, False),
        ({"order_id": "p"}, False),
        ({"action_tracker_id": 402}, False),
        ({"advertiser_id": "9"}, False),
    ],
)
@pytest.mark.parametrize("gone", [None, 1])
def test_or_whenever_they_were_read_while_their_order_is_not_held_as_sent(
    ground: Ground, verdict: dict[str, Any], asked: bool, gone: int | None
) -> None:
    ground.record(reading=0, gone_reading=gone).record(reading=0).verdict(**{"status": "mismatched"} | verdict)
    assert asked_for(ground) == (["1", "2"] if asked else [])


def test_of_a_mismatched_order_what_differs_is_not_asked_for_either(ground: Ground) -> None:
    assert asked_for(ground.record(reading=0).record(reading=0, sale_amount="1").verdict(status="mismatched")) == []


# -- what CJ's answer makes of them --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "looked_for"), [([], False), (["1", "2"], False), (["1", "2", "3"], False), (["2"], True), (["3"], True), (["2", "3"], True)]
)
def test_what_is_gone_is_looked_for_where_cj_showed_some_and_not_all_of_what_was_asked(
    ground: Ground, shown: list[str], looked_for: bool
) -> None:
    ground.asked("1", "2")
    for commission_id in shown:
        ground.shown(commission_id)
    assert bool(ground.rows(filled("ledger_unseen"))) is looked_for


def test_what_is_shown_no_more_though_its_like_is_shown_is_gone(ground: Ground) -> None:
    ground.record().record().asked("1", "2").shown("2")
    assert done(ground, "ledger_gone") == {"1": (9, 9), "2": (None, None)}


@pytest.mark.parametrize(("first", "then", "now"), [(4, 9, 4), (None, 9, 0), (None, 1, 0), (9, 4, 4)])
def test_what_it_is_now_was_read_when_it_was_read_first(ground: Ground, first: int | None, then: int, now: int) -> None:
    """It is no news to what was sent in between."""
    ground.record(reading=first).record(reading=then).record(reading=then).record(reading=then, sale_amount="1.00")
    done(ground.asked("1", "2").shown("2").shown("4", sale_amount="1.00"), "ledger_gone")
    found = ground.rows("SELECT commission_id, reading FROM cj.commissions ORDER BY commission_id")
    assert [(row["commission_id"], row["reading"]) for row in found] == [("1", first), ("2", now), ("3", then), ("4", then)]


@pytest.mark.parametrize("other", OTHERWISE)
def test_and_that_of_the_first_of_several_and_of_no_other_record_that_is_gone_too(ground: Ground, other: dict[str, Any]) -> None:
    ground.record(reading=7).record(reading=4).record(reading=9).record(reading=1, **other)
    done(ground.asked("1", "2", "4").shown("3").shown("5", **other), "ledger_gone")
    found = ground.rows("SELECT commission_id, reading, gone_reading FROM cj.commissions ORDER BY commission_id")
    assert [(row["reading"], row["gone_reading"]) for row in found] == [(7, 9), (4, 9), (4, None), (1, 9)]


def test_nor_of_one_that_was_gone_before(ground: Ground) -> None:
    ground.record(reading=4).record(reading=9).record(reading=1, gone_reading=3, moved_reading=3)
    done(ground.asked("1").shown("2"), "ledger_gone")
    assert [row["reading"] for row in ground.rows("SELECT reading FROM cj.commissions ORDER BY commission_id")] == [4, 4, 1]


def test_two_that_are_shown_both_keep_their_readings(ground: Ground) -> None:
    ground.record(reading=4).record(reading=9)
    done(ground.asked("1", "2").shown("1").shown("2"), "ledger_gone")
    assert [row["reading"] for row in ground.rows("SELECT reading FROM cj.commissions ORDER BY commission_id")] == [4, 9]


@pytest.mark.parametrize("other", OTHERWISE)
def test_it_is_not_gone_where_only_another_is_shown(ground: Ground, other: dict[str, Any]) -> None:
    assert done(ground.record().asked("1", "2").shown("2", **other), "ledger_gone") == {"1": (None, None)}


def test_it_is_not_gone_where_it_is_shown_nor_where_it_was_not_asked_for(ground: Ground) -> None:
    assert done(ground.record().record().asked("1").shown("1").shown("3"), "ledger_gone") == {"1": (None, None), "2": (None, None)}


def test_what_was_gone_before_is_no_news(ground: Ground) -> None:
    assert done(ground.record(gone_reading=3, moved_reading=3).asked("1").shown("2"), "ledger_gone") == {"1": (3, 3)}


@pytest.mark.parametrize(("aside", "gone"), [("1", None), ("2", 9), (None, 9)])
def test_what_was_shown_and_could_not_be_read_is_not_gone(ground: Ground, aside: str | None, gone: int | None) -> None:
    ground.record().asked("1").shown("2").set_aside(commission_id=aside)
    assert done(ground, "ledger_gone")["1"] == (gone, gone)


def test_what_was_gone_and_is_shown_again_counts_again(ground: Ground) -> None:
    ground.record(gone_reading=3, moved_reading=3).record(gone_reading=3, moved_reading=3).record().shown("1").shown("3")
    assert done(ground, "ledger_back") == {"1": (None, 9), "2": (3, 3), "3": (None, None)}


@pytest.mark.parametrize(
    ("held", "shown", "moved"),
    [
        ({}, {}, None),
        ({}, {"action_status": "locked"}, None),
        ({}, {"locking_date": FAR + HOUR}, 9),
        ({"action_status": "locked"}, {"action_status": "closed"}, None),
        ({"action_status": "locked"}, {"action_status": "extended"}, 9),
        ({"action_status": "closed"}, {"action_status": "new"}, 9),
        ({"moved_reading": 4}, {}, 4),
    ],
)
def test_a_lock_that_was_moved_or_taken_off_is_news(ground: Ground, held: dict[str, Any], shown: dict[str, Any], moved: int | None) -> None:
    ground.record(**held).record(**held).shown("1", **shown)
    assert done(ground, "ledger_refresh")["1"][1] == moved
    one, two = ground.rows("SELECT action_status, locking_date FROM cj.commissions ORDER BY commission_id")
    assert one == {"action_status": "new", "locking_date": FAR} | shown
    assert two == {"action_status": "new", "locking_date": FAR} | {k: v for k, v in held.items() if k == "action_status"}
