"""The rules on partners as data: nothing of one can be forgotten, each asks only for facts that there are, and each decides where it should."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from include.domain.partners import JoinedBy, MoneyState, PartnerVerdict
from include.partners.rules import FACTS, LADDER, MONEY, MONEY_FACTS, VERDICTS, MoneyRule, PartnerRule, rule_of, verdicts_of
from include.partners.views import AT_REST
from include.sql import filled
from include.warehouse.base import WarehouseLocation, open_warehouse


def asked(condition: str) -> set[str]:
    return set(re.findall(r"\b[a-z_]+\b", condition))


@pytest.mark.parametrize("rule", [*VERDICTS, *MONEY], ids=lambda rule: rule.id)
def test_a_rule_says_all_that_is_asked_of_it(rule: PartnerRule | MoneyRule) -> None:
    assert rule.words.endswith(".")
    assert rule.source
    assert not rule.advice or rule.advice.endswith(".")
    assert asked(rule.condition) <= set(FACTS if isinstance(rule, PartnerRule) else MONEY_FACTS)


def test_what_somebody_should_look_at_says_what_to_do_and_what_is_at_rest_does_not() -> None:
    assert {rule.id: bool(rule.advice) for rule in VERDICTS} == {rule.id: rule.word not in AT_REST for rule in VERDICTS}
    assert all(rung.condition and rung.words.endswith(".") and rung.advice.endswith(".") and rung.source for rung in LADDER)


def test_every_word_has_a_rule_no_fact_is_idle_and_some_rule_holds_for_everything() -> None:
    assert {rule.word for rule in VERDICTS} == set(PartnerVerdict)
    assert {rule.word for rule in MONEY} == set(MoneyState)
    assert {rung.word for rung in LADDER} == set(JoinedBy) - {JoinedBy.MONTH}
    assert set(FACTS) == {fact for rule in VERDICTS for fact in asked(rule.condition)}
    assert set(MONEY_FACTS) == {fact for rule in MONEY for fact in asked(rule.condition)}
    for rules in (VERDICTS, MONEY):
        assert len({rule.id for rule in rules}) == len(rules)
        assert [rule.condition == "TRUE" for rule in rules] == [False] * (len(rules) - 1) + [True]
    assert rule_of("same") is VERDICTS[-1]
    assert rule_of("of_tomorrow") is None


def test_the_facts_are_the_columns_that_are_worked_out(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        for name in ("partner_facts", "partner_month_facts"):
            columns = session.columns_of(filled(name))
            worked_out = {column for column, kind in columns.items() if kind == "boolean"}
            assert worked_out == set(FACTS) | {"owed", "is_locked"}, name


CASES = {
    "ambiguous at_partner identified": "two_candidates",
    "ambiguous at_cj comes_to_nothing": "two_candidates",  # before nothing_at_cj_alone
    "at_cj comes_to_nothing": "nothing_at_cj_alone",
    "at_cj comes_to_nothing may_follow": "nothing_at_cj_alone",  # before partner_may_follow
    "at_partner comes_to_nothing": "nothing_at_partner_alone",
    "at_partner comes_to_nothing identified may_follow": "nothing_at_partner_alone",
    "at_cj may_follow identified": "partner_may_follow",
    "at_cj may_follow": "partner_may_follow",  # before cj_without_id
    "at_partner may_follow": "cj_may_follow",
    "at_partner may_follow another_publisher": "cj_may_follow",
    "at_cj": "cj_without_id",
    "at_cj identified": "only_at_cj",
    "at_partner": "partner_without_id",
    "at_partner identified": "only_at_partner",
    "at_partner identified another_publisher": "another_publisher",
    "at_partner identified other_currency": "only_at_partner",  # before other_currency
    "at_partner at_cj": "same",
    "at_partner at_cj may_follow": "same",
    "at_partner at_cj comes_to_nothing": "same",
    "at_partner at_cj another_publisher": "same",
    "at_partner at_cj other_currency": "other_currency",
    "at_partner at_cj other_currency cj_not_known": "other_currency",
    "at_partner at_cj other_currency amount_differs": "other_currency",
    "at_partner at_cj cj_not_known payout_differs": "cj_not_known",
    "at_partner at_cj cj_not_known amount_differs was_so_before": "cj_not_known",
    "at_partner at_cj amount_differs was_so_before": "restated_since",
    "at_partner at_cj payout_differs was_so_before": "restated_since",
    "at_partner at_cj was_so_before": "same",
    "at_partner at_cj amount_differs": "amount_differs",
    "at_partner at_cj amount_differs payout_differs": "amount_differs",
    "at_partner at_cj payout_differs": "payout_differs",
}
MONEY_CASES = {
    "": "nothing",
    "is_locked payment_day_come": "nothing",
    "owed": "pending",
    "owed payment_day_come": "pending",
    "owed is_locked": "locked",
    "owed is_locked payment_day_come": "payable",
    "owed is_locked payment_day_come credit_days_begun": "credit_expected",
    "owed is_locked credit_days_begun": "locked",
}


def test_each_rule_decides_where_its_facts_hold_and_not_on_either_side(location: WarehouseLocation) -> None:
    assert set(CASES.values()) == {rule.id for rule in VERDICTS}
    with open_warehouse(location) as session:
        session.create_tables()
        session.execute(verdicts_of(_bare(CASES)), PARAMS)
        found = {row["unit"]: row["rule"] for row in session.rows("SELECT unit, rule FROM cj.partner_verdicts")}
    assert found == CASES


def test_each_state_of_the_money_has_its_facts(location: WarehouseLocation) -> None:
    assert set(MONEY_CASES.values()) == set(MoneyState)
    with open_warehouse(location) as session:
        session.create_tables()
        for case, state in MONEY_CASES.items():
            # The last two come from the calendar.
            days = [DAY if name in case else AFTER for name in ("payment_day_come", "credit_days_begun")]
            session.execute("DELETE FROM cj.partner_verdicts; DELETE FROM cj.partner_calendar")
            session.execute(
                "INSERT INTO cj.partner_calendar (begins, label, payable_on, credit_from) VALUES (CAST(:begins AS timestamp with time zone), 'm', "
                "CAST(:payable AS timestamp with time zone), CAST(:credit AS timestamp with time zone))",
                {"begins": MONTH, "payable": days[0], "credit": days[1]},
            )
            session.execute(verdicts_of(_bare({case: state})), PARAMS)
            assert session.rows("SELECT money_state FROM cj.partner_verdicts") == [{"money_state": state}], case


MONTH, DAY, AFTER = (datetime(2026, *day, tzinfo=UTC) for day in ((3, 1), (4, 1), (4, 2)))
"""The locking month, the moment that is asked about, and one after it."""
PARAMS: dict[str, object] = {"publisher_id": "7", "partner": "Partner", "currency": "USD", "run_id": "r", "now": DAY}
_TEXTS = ("advertiser_id", "order_id", "transaction_id", "month", "correction_reason")
_AMOUNTS = ("partner_sale_amount", "cj_sale_amount", "before_sale_amount", "partner_payout", "cj_payout", "before_payout")


def _bare(cases: dict[str, str]) -> str:
    """A query that gives the facts of each case, and nothing else of it."""
    facts = [*FACTS, "owed", "is_locked"]
    nothing = [
        *(f"CAST(NULL AS text) AS {name}" for name in _TEXTS), *(f"CAST(NULL AS decimal(38, 10)) AS {name}" for name in _AMOUNTS),
        "CAST(NULL AS bigint) AS action_tracker_id", "CAST(NULL AS timestamp with time zone) AS happened_at",
        "CAST(NULL AS timestamp with time zone) AS corrected_at", "CAST('2026-03-11 09:00:00+00' AS timestamp with time zone) AS locking_date",
        "'order' AS grain", "'none' AS joined_by", "CAST(1 AS bigint) AS partner_rows", "CAST(1 AS bigint) AS cj_records",
    ]  # fmt: skip
    return " UNION ALL ".join(
        f"SELECT '{case}' AS unit, {', '.join(nothing)}, {', '.join(f'{str(fact in case.split()).upper()} AS {fact}' for fact in facts)}"
        for case in cases
    )


def test_a_round_of_verdicts_has_the_columns_of_the_table_it_goes_into(location: WarehouseLocation) -> None:
    with open_warehouse(location) as session:
        session.create_tables()
        there, round_ = (session.columns_of(f"SELECT * FROM cj.{name}") for name in ("partner_reconciliation", "partner_verdicts"))
    assert list(round_.items()) == list(there.items())
