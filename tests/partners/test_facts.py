"""The facts of a partner's pairs from bare rows: each rung of the ladder, and both sides of each boundary."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.partners.ground import COLUMNS, DAY, HOUR, LOCKS, NOW, SOLD, PartnerGround

CENT = Decimal("0.01")


# -- the ladder --------------------------------------------------------------------------------------------------------------------------


def test_an_order_id_joins_whatever_else_differs(ground: PartnerGround) -> None:
    ground.record().row(sale_amount="1.00", occurred_at=(SOLD - 30 * DAY).isoformat(), commission_id="nobodys")
    assert ground.said() == [("amount_differs", "order_id")]


def test_a_commission_id_joins_where_no_order_id_does(ground: PartnerGround) -> None:
    ground.record(commission_id="77").record(order_id="other", commission_id="78")
    ground.row(order_id="", commission_id="77").row(order_id="not-at-cj", commission_id="78", transaction_id="t")
    assert sorted(ground.said()) == [("same", "commission_id"), ("same", "commission_id")]


def test_a_row_that_names_no_order_is_of_its_clicks_order_where_there_is_one(ground: PartnerGround) -> None:
    ground.record(sale_amount_usd="60.00", pub_commission_amount_usd="6.00")
    ground.row(transaction_id="t").row(transaction_id="t", order_id="", sale_amount="-40.00", payout="-4.00")
    (row,) = ground.verdicts()
    assert (row["rule"], row["partner_rows"], row["partner_sale_amount"], row["transaction_id"]) == ("same", 2, Decimal(60), "t")


def test_a_click_of_two_orders_tells_of_neither(ground: PartnerGround) -> None:
    ground.record().record(order_id="p")
    ground.row(transaction_id="t").row(transaction_id="t", order_id="p").row(
        transaction_id="t", order_id="", sale_amount="-40.00", payout="-4.00"
    )
    assert sorted(ground.said()) == [("partner_without_id", "none"), ("same", "order_id"), ("same", "order_id")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, ("same", "suggested")),
        ({"occurred_at": SOLD.replace(hour=0).isoformat()}, ("same", "suggested")),
        ({"occurred_at": SOLD.replace(hour=23, minute=59).isoformat()}, ("same", "suggested")),
        ({"occurred_at": (SOLD.replace(hour=0) - timedelta(seconds=1)).isoformat()}, None),
        ({"occurred_at": (SOLD.replace(hour=0) + DAY).isoformat()}, None),
        ({"sale_amount": "100.01"}, None),
        ({"currency": "EUR"}, None),
        ({"order_id": "another"}, None),
        ({"payout": "9.99"}, ("payout_differs", "suggested")),
    ],
)
def test_amount_and_day_suggest_one_to_one_and_nothing_else_does(
    ground: PartnerGround, row: dict[str, str], said: tuple[str, str] | None
) -> None:
    ground.record().row(**{"order_id": "", "transaction_id": "t"} | row)
    found = ground.said()
    assert found == [said] if said else tuple(joined for _, joined in found) == ("none", "none")


def test_what_is_suggested_is_suggested_by_the_amount_it_was_sold_for(ground: PartnerGround) -> None:
    ground.record().pair("100.00", "60.00").row(order_id="")
    assert ground.said() == [("restated_since", "suggested")]


@pytest.mark.parametrize(("orders", "rows", "ambiguous"), [(1, 1, 0), (2, 1, 3), (1, 2, 3), (2, 2, 4)])
def test_two_candidates_on_either_side_are_ambiguous(ground: PartnerGround, orders: int, rows: int, ambiguous: int) -> None:
    for n in range(orders):
        ground.record(order_id=f"o{n}")
    for n in range(rows):
        ground.row(order_id="", transaction_id=f"t{n}")
    assert [rule for rule, _ in ground.said()].count("two_candidates") == ambiguous


def test_an_order_that_an_id_has_joined_is_suggested_to_nobody(ground: PartnerGround) -> None:
    ground.record().record(order_id="p").row().row(order_id="", transaction_id="t")
    assert sorted(ground.said()) == [("same", "order_id"), ("same", "suggested")]


def test_one_order_id_under_two_advertisers_is_ambiguous(ground: PartnerGround) -> None:
    ground.record().record(advertiser_id="3").row()
    assert {rule for rule, _ in ground.said()} == {"two_candidates"}


# -- amounts -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "seen", "differs"),
    [
        ("100.00", "100.00", False), ("100.00", "100.01", True), ("100.00", "99.99", True), ("100.00", "100.001", True),
        ("99.995", "100.00", False), ("99.9949", "100.00", True), ("100.005", "100.00", False), ("100.0051", "100.00", True),
    ],
)  # fmt: skip
def test_half_a_cent_is_allowed_for_a_record_finer_than_a_cent_and_nothing_else(
    either: PartnerGround, held: str, seen: str, differs: bool
) -> None:
    either.record(sale_amount_usd=held).row(sale_amount=seen)
    either.record(order_id="p", pub_commission_amount_usd=held).row(order_id="p", payout=seen)
    assert [rule for rule, _ in either.said()] == (["amount_differs", "payout_differs"] if differs else ["same", "same"])


def test_what_the_advertiser_pays_is_never_compared(ground: PartnerGround) -> None:
    ground.record(adv_commission_amount="99.00", sale_amount="55.00").record(
        order_id="p", adv_commission_amount="10.00", pub_commission_amount_usd="9.00"
    )
    ground.row().row(order_id="p")
    assert [rule for rule, _ in ground.said()] == ["same", "payout_differs"]


def test_figures_are_in_dollars_or_in_the_currency_the_publisher_is_paid_in(ground: PartnerGround) -> None:
    ground.record(sale_amount_pub_currency="80.00", pub_commission_amount_pub_currency="8.00").row(sale_amount="80.00", payout="8.00")
    assert ground.said() == [("amount_differs", "order_id")]
    ground.mapped(currency="GBP")
    assert ground.said() == [("same", "order_id")]


def test_a_partner_that_says_only_a_payout_is_compared_by_that(ground: PartnerGround) -> None:
    ground.record(sale_amount_usd=None).row(sale_amount="")
    assert ground.said() == [("same", "order_id")]


@pytest.mark.parametrize("name", ["sale_amount_usd", "pub_commission_amount_usd"])
def test_what_cj_does_not_say_is_not_known(ground: PartnerGround, name: str) -> None:
    ground.record(**{name: None}).row()
    assert ground.said() == [("cj_not_known", "order_id")]


def test_an_order_of_which_a_record_was_set_aside_is_not_known(ground: PartnerGround) -> None:
    ground.record().row()
    from include.warehouse.base import open_warehouse

    with open_warehouse(ground.location) as session:
        session.execute(
            "INSERT INTO cj.ledger_set_aside (advertiser_id, commission_id, order_id, what, why, kept, raw, set_aside_at) "
            "VALUES ('2', 'aside', 'o', 'saleAmount', 'not_readable', FALSE, '{}', '2026-03-10 00:00:00+00')"
        )
    assert ground.said() == [("cj_not_known", "order_id")]


# -- restated since ----------------------------------------------------------------------------------------------------------------------


def test_before_and_after_a_restatement(either: PartnerGround) -> None:
    either.record().pair("100.00", "60.00").row()
    (row,) = either.verdicts()
    assert row["rule"] == "restated_since"
    figures = ("partner_sale_amount", "before_sale_amount", "cj_sale_amount", "partner_payout", "before_payout", "cj_payout", "difference")
    assert [row[name] for name in figures] == [100, 100, 60, 10, 10, 6, 4]
    assert (row["corrected_at"], row["cj_records"]) == (SOLD + DAY, 3)


@pytest.mark.parametrize(
    ("seen", "payout", "rule"),
    [("100.00", "10.00", "restated_since"), ("70.00", "7.00", "restated_since"), ("20.00", "2.00", "same"), ("90.00", "9.00", "amount_differs"),
     ("100.00", "7.00", "amount_differs"), ("20.00", "7.00", "payout_differs")],
)  # fmt: skip
def test_any_state_cj_held_before_counts_and_a_mixture_of_two_does_not(ground: PartnerGround, seen: str, payout: str, rule: str) -> None:
    ground.record().pair("100.00", "70.00").pair("70.00", "20.00", SOLD + 2 * DAY).row(sale_amount=seen, payout=payout)
    assert ground.said() == [(rule, "order_id")]


def test_a_reversal_without_its_new_state_is_no_state_that_was_held(ground: PartnerGround) -> None:
    """Both are posted at one moment; only what they come to counts."""
    ground.record().pair("100.00", "60.00").row().row(sale_amount="-100.00", payout="-10.00", occurred_at=(SOLD + DAY).isoformat())
    assert ground.said() == [("amount_differs", "order_id")]


def test_a_cancelled_order_that_the_partner_was_told_of_agrees(ground: PartnerGround) -> None:
    ground.record().pair("100.00", "0.00").row().row(sale_amount="-100.00", payout="-10.00", occurred_at=(SOLD + DAY).isoformat())
    assert ground.said() == [("same", "order_id")]


# -- one side alone ----------------------------------------------------------------------------------------------------------------------


def test_an_order_of_another_publisher_is_the_partners_alone(ground: PartnerGround) -> None:
    ground.record(publisher_id="8").row()
    assert ground.said() == [("another_publisher", "none")]


@pytest.mark.parametrize(("ago", "rule"), [(timedelta(0), "may_follow"), (3 * DAY, "may_follow"), (3 * DAY + HOUR, "only_at")])
def test_what_is_young_may_follow_on_the_other_side(ground: PartnerGround, ago: timedelta, rule: str) -> None:
    at = NOW - ago
    ground.record(event_date=at, posting_date=at).row(order_id="p", occurred_at=at.isoformat())
    rules = sorted(found for found, _ in ground.said())
    assert rules == (["cj_may_follow", "partner_may_follow"] if rule == "may_follow" else ["only_at_cj", "only_at_partner"])


def test_a_file_speaks_up_to_its_newest_row_unless_the_mapping_says_otherwise(ground: PartnerGround) -> None:
    ground.mapped(reaches="newest_row")
    for order_id, at in (("o", SOLD - DAY), ("p", SOLD - DAY - HOUR)):
        ground.record(order_id=order_id, event_date=at, posting_date=at)
    ground.row(occurred_at=(SOLD + 2 * DAY).isoformat(), order_id="q")
    assert [rule for rule, _ in ground.said()] == ["partner_may_follow", "only_at_cj", "only_at_partner"]
    ground.mapped(reaches="loaded")
    assert [rule for rule, _ in ground.said()] == ["only_at_cj", "only_at_cj", "only_at_partner"]


def test_no_order_from_before_the_log_began_is_missed(ground: PartnerGround) -> None:
    ground.mapped(starts=None).record(event_date=SOLD - HOUR).record(order_id="p", event_date=SOLD.replace(hour=0) - HOUR)
    ground.row(order_id="q")
    assert [(row["order_id"], row["rule"]) for row in ground.verdicts()] == [("o", "only_at_cj"), ("q", "only_at_partner")]


@pytest.mark.parametrize(("taken_back", "rule"), [("-100.00", "nothing_at_partner_alone"), ("-99.99", "only_at_partner")])
def test_what_comes_to_nothing_on_one_side_alone_agrees(ground: PartnerGround, taken_back: str, rule: str) -> None:
    ground.row().row(sale_amount=taken_back, payout="-10.00", occurred_at=(SOLD + DAY).isoformat())
    assert ground.said() == [(rule, "none")]


def test_a_single_row_of_nothing_is_still_a_row_of_the_partners_alone(ground: PartnerGround) -> None:
    ground.row(sale_amount="0.00", payout="0.00")
    assert ground.said() == [("only_at_partner", "none")]


def test_without_ids_in_the_export_an_order_alone_is_not_joinable(ground: PartnerGround) -> None:
    without = {ours: theirs for ours, theirs in COLUMNS.items() if ours not in ("order_id", "commission_id")}
    ground.mapped(columns=without).record().record(order_id="p", sale_amount_usd="7.00").row(order_id="")
    said = {row["order_id"]: (row["rule"], row["joined_by"]) for row in ground.verdicts() if row["grain"] == "order"}
    assert said == {"o": ("same", "suggested"), "p": ("cj_without_id", "none")}


# -- what counts -------------------------------------------------------------------------------------------------------------------------


def test_bonuses_and_records_that_are_gone_are_of_no_order(ground: PartnerGround) -> None:
    ground.record().record(action_type="bonus").record(gone_reading=3).row()
    (row,) = ground.verdicts()
    assert (row["rule"], row["cj_records"]) == ("same", 1)


def test_what_is_older_than_the_window_keeps_its_verdict(ground: PartnerGround) -> None:
    ground.record().row()
    assert ground.said() == [("same", "order_id")]
    ground.pair("100.00", "60.00")
    assert ground.said(NOW + 200 * DAY) == [("same", "order_id")]
    assert ground.said() == [("restated_since", "order_id")]


def test_a_correction_within_the_window_judges_an_order_from_before_it_once(ground: PartnerGround) -> None:
    ground.record().row()
    ground.verdicts()
    late = SOLD + 130 * DAY
    ground.pair("100.00", "60.00", late)
    found = ground.verdicts(late + 4 * DAY)
    assert [(row["rule"], row["order_id"]) for row in found] == [("restated_since", "o")]


@pytest.mark.parametrize(("locking", "status", "state"), [(NOW, "new", "locked"), (NOW + HOUR, "new", "pending"), (LOCKS, "locked", "locked"), (LOCKS, "closed", "locked"), (LOCKS, "extended", "pending")])  # fmt: skip
def test_an_order_is_locked_when_its_date_has_come_or_cj_says_so(ground: PartnerGround, locking: object, status: str, state: str) -> None:
    ground.record(locking_date=locking, action_status=status).row()
    (row,) = ground.verdicts()
    assert row["money_state"] == state
