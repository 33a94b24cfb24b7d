"""What the verdicts make of orders that CJ converted, at the boundaries of the rate that the others show; and what a tracker costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.rules.ground import ARRIVED, HOUR, POSTED, POUNDS_BEFORE, SENT, UPDATED, Ground


def facts(ground: Ground) -> dict[str, Any]:
    """Of the one state that is to be judged."""
    (row,) = ground.to_judge().verdicts()
    return row


def in_pounds(ground: Ground, *sales: tuple[str, str], new_line: bool = True, **other: Any) -> list[bool]:
    """Orders sent in GBP, at what CJ made of each: (as sent, as CJ holds). Of which the amount differs."""
    for place, (amount, held) in enumerate(sales):
        key = {"order_id": f"o{place}"}
        ground.sent(**key | {"currency": "GBP", "amount": amount} | other).record(
            **key, sale_amount=held, posting_date=ARRIVED if new_line else POSTED
        )
        ground.to_judge(**key, advertiser_id="2" if place == 0 else f"other{place}")
    return [bool(row["amount_differs"]) for row in ground.verdicts() if row["order_id"].startswith("o")]


def test_a_converted_amount_is_right_at_the_rate_the_others_show(ground: Ground) -> None:
    assert in_pounds(ground, ("100", "127"), ("200", "254"), ("300", "381")) == [False] * 3


@pytest.mark.parametrize(("held", "differs"), [("130.80", False), ("130.82", True), ("123.20", False), ("123.18", True)])
def test_within_three_per_cent_of_it(ground: Ground, held: str, differs: bool) -> None:
    assert in_pounds(ground, ("100", "127"), ("100", "127"), ("100", held)) == [False, False, differs]


@pytest.mark.parametrize(("held", "differs"), [("0.047", False), ("0.048", True)])
def test_or_within_what_rounding_to_the_cent_explains(ground: Ground, held: str, differs: bool) -> None:
    assert in_pounds(ground, ("100", "127"), ("100", "127"), ("0.01", held))[-1] is differs


def test_the_smallest_orders_tell_a_rate_where_there_are_no_others(ground: Ground) -> None:
    assert in_pounds(ground, ("0.70", "0.889")) == [False]


def test_an_order_of_which_cj_holds_nothing_tells_no_rate(ground: Ground) -> None:
    assert in_pounds(ground, ("100", "127"), ("100", "0"), ("100", "0")) == [False, True, True]


def test_an_order_over_nothing_has_no_rate_on_either_warehouse(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        assert in_pounds(Ground(session), ("0", "127"), ("100", "127"), ("0", "0")) == [True, False, False]


@pytest.mark.parametrize(("small", "counts"), [("10", True), ("9.99", False)])
def test_the_rate_is_read_from_orders_of_ten_and_more(ground: Ground, small: str, counts: bool) -> None:
    held = str(Decimal(small) * Decimal("1.5"))
    assert in_pounds(ground, ("100", "127"), (small, held), (small, held)) == [counts, not counts, not counts]


@pytest.mark.parametrize("posted", [True, False])
def test_the_rate_is_read_from_what_posted_and_only_where_nothing_did_from_the_others(ground: Ground, posted: bool) -> None:
    """Two that never posted are held at another amount than was sent; a third did post, or did not either."""
    in_pounds(ground, ("100", "200"), ("100", "200"), new_line=False)
    ground.sent(order_id="p", currency="GBP", amount="100").record(
        order_id="p", sale_amount="127", posting_date=ARRIVED if posted else POSTED
    )
    ground.to_judge(order_id="p", advertiser_id="another")
    assert {row["order_id"]: row["amount_differs"] for row in ground.verdicts()} == {"o0": posted, "o1": posted, "p": not posted}


@pytest.mark.parametrize(("small", "counts"), [("4", True), ("3.99", False)])
@pytest.mark.parametrize("posted", [True, False])
def test_orders_half_as_large_as_the_largest_that_posted_tell_the_rate(ground: Ground, small: str, counts: bool, posted: bool) -> None:
    held = str(Decimal(small) * Decimal("1.5"))
    assert in_pounds(ground, ("8", "10.16"), (small, held), (small, held), new_line=posted) == [counts, not counts, not counts]


def test_a_large_order_that_never_posted_does_not_make_the_others_too_small(ground: Ground) -> None:
    ground.sent(order_id="large", currency="GBP", amount="1000").record(order_id="large", sale_amount="9")
    ground.to_judge(order_id="large", advertiser_id="another")
    assert in_pounds(ground, ("8", "10.16"), ("8", "10.16")) == [False, False]


def test_no_rate_is_read_from_a_state_that_was_overtaken_nor_from_another_currency(ground: Ground) -> None:
    for place in range(3):
        key = {"order_id": f"p{place}", "currency": "GBP"}
        ground.sent(**key, amount="100", updated_at=UPDATED - HOUR, submitted_at=SENT - HOUR).sent(**key, operation="cancel", amount="0")
        ground.record(order_id=f"p{place}", sale_amount="200", posting_date=ARRIVED).to_judge(
            order_id=f"p{place}", advertiser_id=f"p{place}"
        )
        ground.sent(order_id=f"q{place}", currency="EUR").record(order_id=f"q{place}", sale_amount="200", posting_date=ARRIVED)
        ground.to_judge(order_id=f"q{place}", advertiser_id=f"q{place}")
    assert in_pounds(ground, ("100", "127"), ("100", "127")) == [False, False]


@pytest.mark.parametrize(
    ("sent", "held", "differs"),
    [
        ({"amount": "0"}, {"sale_amount": "0"}, False),
        ({"amount": "0"}, {"sale_amount": "0.01"}, True),
        ({"operation": "cancel"}, {"sale_amount": "0"}, False),
        ({}, {"sale_amount": "0"}, True),
    ],
)
def test_nothing_converted_is_nothing(ground: Ground, sent: dict[str, Any], held: dict[str, Any], differs: bool) -> None:
    found = facts(ground.sent(currency="GBP", **sent).record(**held))
    assert (found["amount_differs"], found["converted"]) == (differs and sent.get("operation") != "cancel", True)


@pytest.mark.parametrize(
    ("discount", "held", "differs"), [("10", "10", False), (None, "0", False), ("10", "9.99", True), (None, "10", True)]
)
def test_the_discount_of_a_converted_order_is_compared_in_its_own_currency(
    ground: Ground, discount: str | None, held: str, differs: bool
) -> None:
    ground.sent(currency="GBP", discount=discount).record(sale_amount="127", order_discount="12.70", order_discount_orig_currency=held)
    assert facts(ground)["discount_differs"] is differs


@pytest.mark.parametrize(("currency", "converted"), [(None, False), ("USD", False), ("GBP", True)])
def test_no_currency_is_the_advertisers_own(ground: Ground, currency: str | None, converted: bool) -> None:
    assert facts(ground.sent(currency=currency).record())["converted"] is converted


@pytest.mark.parametrize(
    ("readings", "basis", "share"),
    [
        ([{}], "net", 0.10),
        ([{}, {"sale_amount": "300.00"}], "net", 0.05),
        ([{}, {"sale_amount": "-50.00", "commission": "-5.00"}], "net", 0.10),
        ([{"order_discount": "20.00", "commission": "8.00"}], "gross", 0.10),
        ([{"order_discount": "20.00"}], "net", 0.10),
        ([{"sale_amount": "0"}], "net", None),
        ([{"sale_amount": "-1.00"}], "net", None),
        ([{"action_tracker_id": 402}], "net", None),
        ([{"advertiser_id": "9"}], "net", None),
        ([], "net", None),
    ],
)
def test_what_a_tracker_costs_is_read_from_all_its_records(
    ground: Ground, readings: list[dict[str, Any]], basis: str, share: float | None
) -> None:
    for number, reading in enumerate(readings):
        ground.tracker(**{"reading": number} | reading)
    (found,) = ground.sent(operation="create").to_judge(sale_amount_basis=basis).verdicts()
    assert found["share"] == (None if share is None else pytest.approx(share))


# -- the rate comes from other evidence than the order itself ------------------------------------------------------------------------------


def test_of_two_orders_that_disagree_an_earlier_round_tells_which_is_right(ground: Ground) -> None:
    ground.rate()
    assert in_pounds(ground, ("100", "127"), ("100", "12700")) == [False, True]


def test_an_old_rate_does_not_make_wrong_what_todays_orders_agree_on(ground: Ground) -> None:
    ground.rate(rate="1.10")
    assert in_pounds(ground, ("100", "127"), ("100", "127")) == [False, False]


def test_an_order_that_is_not_shown_whole_tells_no_rate(ground: Ground) -> None:
    """Its old state was taken back twice as far as can be seen: 100.00 at 0.27."""
    in_pounds(ground, ("100", "127"))
    for name in ("half", "doubt"):
        ground.sent(order_id=name, currency="GBP", amount="100").to_judge(order_id=name, advertiser_id=name)
    ground.record(order_id="half", sale_amount="127", posting_date=ARRIVED).record(
        order_id="half", sale_amount="-100", posting_date=ARRIVED
    )
    ground.record(order_id="half", sale_amount="5", posting_date=ARRIVED + HOUR)
    ground.record(order_id="doubt", sale_amount="254", posting_date=ARRIVED).set_aside(order_id="doubt")
    assert {row["order_id"]: row["amount_unchecked"] for row in ground.verdicts()}["o0"] is True


def test_an_order_alone_in_its_currency_cannot_be_checked(ground: Ground) -> None:
    """Not even at a hundred times the amount: nothing says so, and nothing says that it is right."""
    found = facts(ground.sent(currency="GBP").record(sale_amount="12700", posting_date=ARRIVED))
    assert (found["amount_differs"], found["amount_unchecked"], found["rate"]) == (False, True, 127)
    assert found["may_be_state_before"] is False


@pytest.mark.parametrize(("held", "differs"), [("130.80", False), ("12700", True)])
def test_of_two_orders_each_is_compared_with_the_other(ground: Ground, held: str, differs: bool) -> None:
    assert in_pounds(ground, ("100", "127"), ("100", held)) == [differs] * 2
    assert [row["amount_unchecked"] for row in ground.verdicts()] == [False] * 2


@pytest.mark.parametrize(
    ("before", "unchecked", "differs"),
    [
        ([{}], False, False),
        ([{"rate": "0.0127"}], False, True),
        ([{"currency": "EUR"}], True, False),
        ([{"advertiser_id": "9"}], False, False),
        ([{"functional_currency": "EUR"}], True, False),
        ([{"order_id": "o", "plan_number": 1, "orders": 1, "rate": "0.0127"}], True, False),  # itself
        ([{"order_id": "o", "plan_number": 1, "orders": 1}, {"order_id": "o", "plan_number": 1, "orders": 1, "reading": 2}], True, False),
        ([{"order_id": "o", "plan_number": 1, "orders": 1, "rate": "0.0127"}, {"reading": 0}], False, False),
        ([{"order_id": "o", "plan_number": 0, "orders": 1}], False, False),  # its earlier state
        ([{"order_id": "p", "plan_number": 1, "orders": 1}], False, False),
        # One round judges every account: an account's own rate comes first, and of one state the newest, whichever is the higher.
        ([{"advertiser_id": "9", "rate": "2"}, {}], False, False),
        ([{"advertiser_id": "9", "rate": "1"}, {}], False, False),
        (
            [{"order_id": "p", "plan_number": 1, "orders": 1, "rate": "2"}, {"order_id": "p", "plan_number": 1, "orders": 1, "reading": 2}],
            False,
            False,
        ),
        (
            [{"order_id": "p", "plan_number": 1, "orders": 1}, {"order_id": "p", "plan_number": 1, "orders": 1, "rate": "1", "reading": 2}],
            False,
            True,
        ),
    ],
)
def test_an_order_alone_is_compared_with_what_earlier_rounds_showed_of_others(
    ground: Ground, before: list[dict[str, Any]], unchecked: bool, differs: bool
) -> None:
    for row in before:
        ground.rate(**row)
    found = facts(ground.sent(currency="GBP").record(sale_amount="127", posting_date=ARRIVED))
    assert (found["amount_unchecked"], found["amount_differs"]) == (unchecked, differs)


@pytest.mark.parametrize(("amount", "held", "rate"), [("1", "1.27", 1.27), ("0.50", "1", 2), ("0.50", "0", None), ("0", "0.50", None)])
def test_however_small_an_order_it_has_a_rate(ground: Ground, amount: str, held: str, rate: float | None) -> None:
    assert facts(ground.sent(currency="GBP", amount=amount).record(sale_amount=held, posting_date=ARRIVED))["rate"] == rate


@pytest.mark.parametrize(
    ("sent", "record", "unchecked"),
    [
        ({"currency": None}, {}, False),
        ({"operation": "cancel"}, {"sale_amount": "0"}, False),
        ({"amount": "0"}, {"sale_amount": "0"}, False),
        ({}, {"sale_amount": "0"}, False),
        ({"amount": "0"}, {"sale_amount": "1.27"}, False),
        ({"amount": "1"}, {"sale_amount": "1.27"}, True),
        ({"amount": "0.79"}, {"sale_amount": "1"}, True),
        ({}, None, False),
        ({}, {}, True),
    ],
)
def test_only_an_amount_that_cj_converted_can_be_unchecked(
    ground: Ground, sent: dict[str, Any], record: dict[str, Any] | None, unchecked: bool
) -> None:
    ground.sent(**{"currency": "GBP"} | sent)
    if record is not None:
        ground.record(**record)
    assert facts(ground)["amount_unchecked"] is unchecked


@pytest.mark.parametrize(
    ("operation", "basis", "sale"),
    [("restate", "net", "100"), ("restate", "gross", "120"), ("cancel", "net", "0"), ("cancel", "gross", "0")],
)
def test_the_sale_amount_is_net_or_gross_and_nothing_of_a_cancellation(ground: Ground, operation: str, basis: str, sale: str) -> None:
    (found,) = ground.sent(amount="120", discount="20", operation=operation).to_judge(sale_amount_basis=basis).verdicts()
    assert found["sale_amount"] == Decimal(sale)


# -- the state before ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "held", "shows"),
    [
        ({}, "101.60", True),
        ({}, "104.60", True),  # within three per cent
        ({}, "104.70", False),
        ({}, "76.20", False),  # the newest state
        ({"discount": "10.00"}, "88.90", True),
        ({"amount": "0"}, "0", True),
        ({"amount": "0"}, "101.60", False),
        ({"amount": "0"}, "0.03", False),
        ({"amount": "1"}, "1.27", True),
        ({"amount": "0.79"}, "1", True),
        ({"operation": "cancel"}, "0", True),
        ({"currency": "EUR"}, "101.60", False),
        ({"currency": None}, "80.00", False),
        ({"items_mark": 7}, "101.60", False),
    ],
)
def test_just_the_converted_state_before_is_shown_at_the_rate_the_others_show(
    ground: Ground, before: dict[str, Any], held: str, shows: bool
) -> None:
    assert in_pounds(ground, ("100", "127"), ("200", "254"), ("300", "381")) == [False] * 3
    ground.sent(**POUNDS_BEFORE | before).sent(currency="GBP", amount="60.00").record(sale_amount=held, posting_date=ARRIVED)
    ground.to_judge(advertiser_id="o").tracker()
    newest = [row for row in ground.verdicts() if row["order_id"] == "o" and row["newest_state"]]
    assert [row["shows_state_before"] for row in newest] == [shows]


@pytest.mark.parametrize(
    ("amount", "held", "other", "posted"),
    [
        ("100", "127", {}, True),
        ("100", "131", {}, False),
        ("1", "1.27", {}, True),
        ("0.50", "0.64", {}, True),
        ("0", "0", {}, False),  # nothing looks like nothing at any rate
        ("100", "127", {"order_discount_orig_currency": "0.01"}, False),
        ("100", "127", {"order_discount_orig_currency": None}, True),
    ],
)
def test_a_record_is_of_a_converted_state_near_the_rate_alone(
    ground: Ground, amount: str, held: str, other: dict[str, Any], posted: bool
) -> None:
    ground.rate().sent(currency="GBP", amount=amount).record(reading=0).record(**{"sale_amount": held, "posting_date": ARRIVED} | other)
    assert facts(ground)["posted_once"] is posted


@pytest.mark.parametrize(("before", "shows"), [({}, True), ({"currency": "EUR"}, False), ({"amount": "0.02"}, False)])
def test_nothing_is_shown_of_a_converted_state_before_that_was_nothing(ground: Ground, before: dict[str, Any], shows: bool) -> None:
    ground.rate().sent(**POUNDS_BEFORE | {"amount": "0"} | before).sent(currency="GBP", amount="60.00").record(
        sale_amount="127.00", reading=0
    )
    ground.record(sale_amount="-127.00", posting_date=ARRIVED)
    assert [row["shows_state_before"] for row in ground.to_judge().verdicts() if row["newest_state"]] == [shows]


def test_without_other_evidence_of_the_rate_it_is_not_known_whether_the_converted_state_before_is_shown(ground: Ground) -> None:
    ground.sent(**POUNDS_BEFORE).sent(currency="GBP", amount="60.00").record(sale_amount="101.60", posting_date=ARRIVED).to_judge()
    newest = [row for row in ground.verdicts() if row["newest_state"]]
    assert [row["shows_state_before"] for row in newest] == [False]
