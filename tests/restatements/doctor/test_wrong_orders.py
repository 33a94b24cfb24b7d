"""What can be wrong with the query, the orders, and how they meet CJ's: each is found, says its remedy, and stops no other check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from include.airflow.connections import settings_from_airflow
from include.restatements.doctor.checks import Finding, State
from include.restatements.doctor.meeting import SPELLINGS
from include.restatements.ledger.accounts import read_accounts
from tests.model.shop import Change, Key
from tests.restatements.doctor.ground import ORDERS, Ground, week_of_orders, wrong


def the_one(findings: Mapping[str, Finding], name: str) -> tuple[str, str]:
    """Sentence and remedy of what alone is to be mended."""
    assert set(wrong(findings)) == {name}
    return findings[name].found.sentence, findings[name].found.remedy


# -- the query -----------------------------------------------------------------------------------------------------------------------


def use(ground: Ground, sql: str) -> None:
    (ground.place / "mine.sql").write_text(sql)
    ground.variable("cj_order_changes_sql", str(ground.place / "mine.sql"))


SHIPPED = "SELECT * FROM order_changes WHERE updated_at >= :interval_start AND updated_at < :interval_end"


def test_a_file_that_is_not_there_is_found(ground: Ground) -> None:
    ground.variable("cj_order_changes_sql", str(ground.place / "gone.sql"))
    sentence, remedy = the_one(ground.examined(), "query")
    assert "gone.sql" in sentence
    assert "cannot be read" in sentence
    assert (
        remedy
        == "It is the Variable cj_order_changes_sql. Variable cj_order_changes_sql is AIRFLOW_VAR_CJ_ORDER_CHANGES_SQL in the environment."
    )


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("SELECT 1; SELECT 2", "holds 2 statements; it must hold one query"),
        ("SELEC 1", "cannot read the SQL"),
        (SHIPPED.replace("order_changes", "orders_of_the_shop"), "orders_of_the_shop does not exist"),
        (SHIPPED.replace("*", "* EXCLUDE (currency)"), "Column currency is missing (text). Where you have none, say NULL AS currency."),
        (SHIPPED.replace("*", "* REPLACE (CAST(amount AS double) AS amount)"), "Column amount is a double, and a double has lost the cents already"),
        (SHIPPED.replace("*", "* REPLACE (CAST(updated_at AS timestamp) AS updated_at)"), "Column updated_at is a timestamp without a time zone"),
        (SHIPPED.replace("*", "* REPLACE (NULL AS order_id)"), "Column order_id is null; it must be text or integer"),
    ],
)  # fmt: skip
def test_a_query_that_does_not_give_what_is_needed_is_found(ground: Ground, sql: str, sentence: str) -> None:
    use(ground, sql)
    found, remedy = the_one(ground.examined(), "shape")
    assert sentence in found
    assert "mine.sql" in found
    assert "docs/warehouses.md" in remedy


def test_columns_that_are_left_out_are_named(ground: Ground) -> None:
    use(ground, SHIPPED.replace("*", "* EXCLUDE (sid, status)"))
    findings = ground.examined()
    assert wrong(findings) == {}
    assert findings["shape"].found.sentence.endswith("Left out: was_new, status, sid.")


# -- the orders ----------------------------------------------------------------------------------------------------------------------


def test_orders_of_which_most_would_be_held_back_are_found_with_the_dearest(ground: Ground) -> None:
    orders = week_of_orders()
    spoiled = [replace(one, discount=one.amount + n) for n, one in enumerate(orders[:21], 1)]
    spoiled[3] = replace(spoiled[3], amount=Decimal("912.50"), discount=Decimal("913"))
    spoiled[7] = replace(spoiled[7], key=Key(spoiled[7].key.tracker, "somebody@example.com"), amount=Decimal("500"), discount=Decimal("1"))
    ground.orders([*spoiled, *orders[21:]])
    findings = ground.examined()
    sentence, remedy = the_one(findings, "orders")
    assert sentence.startswith(
        "12.5 % of 24 orders of the last 7 days that could go to CJ would pass the gate; held back: discount_above_amount 20, personal_data 1."
    )
    assert sentence.endswith("A night like that stops: max_quarantine_ratio is 5.0%.")
    assert "docs/validation-rules.md" in remedy
    examples = findings["orders"].found.examples
    assert [(one["order"], one["amount"]) for one in examples][:1] == [("o-1004", "912.50 USD")]
    assert examples[1]["order"].startswith("sha256-")
    assert examples[1]["amount"] == "500.00 USD"
    assert len(examples) == 10
    assert "somebody@example.com" not in repr(findings)


def test_a_few_bad_orders_are_shown_and_stop_nothing(ground: Ground) -> None:
    orders = week_of_orders()
    ground.orders([replace(orders[0], discount=Decimal("101")), *orders[1:]])
    findings = ground.examined()
    assert wrong(findings) == {}
    assert findings["orders"].found.state is State.LOOK
    assert [one["order"] for one in findings["orders"].found.examples] == ["o-1001"]


def test_orders_that_nobody_brought_are_not_judged_unless_cj_has_heard_of_them(ground: Ground) -> None:
    """Wholesale orders that break a rule, which a night would leave alone; the same under ids that CJ knows."""
    wholesale = [replace(one, cj_event=None, discount=Decimal("500")) for one in week_of_orders("w", orders=22)]
    ground.orders([*week_of_orders(), *wholesale])
    assert wrong(ground.examined()) == {}
    read(ground)
    ground.reported(wholesale)
    assert "held back: discount_above_amount 22." in wrong(ground.examined())["orders"]
    read(ground)
    assert "held back: discount_above_amount 22." in wrong(ground.examined())["orders"]


def test_a_week_without_orders_and_orders_that_nobody_brought_are_to_be_looked_at(ground: Ground) -> None:
    ground.orders([])
    findings = ground.examined()
    assert wrong(findings) == {}
    assert findings["reading"].found.state is State.LOOK
    assert ":interval_start" in findings["reading"].found.remedy
    ground.orders([replace(one, cj_event=None) for one in week_of_orders()])
    found = ground.examined()["nulls"].found
    assert found.state is State.LOOK
    assert "none would be created at CJ" in found.sentence
    assert "Give cj_event" in found.remedy


# -- CJ's records --------------------------------------------------------------------------------------------------------------------


def test_a_ledger_older_than_a_day_is_found(ground: Ground) -> None:
    read(ground)
    ground.execute("UPDATE cj.ledger_reads SET complete_until = complete_until - INTERVAL '50 hours'")
    sentence, remedy = the_one(ground.examined(), "ledger (cj)")
    assert "2 days ago, and cj_commission_ledger runs hourly" in sentence
    assert "Unpause cj_commission_ledger" in remedy


def test_orders_from_before_the_ledgers_first_day_are_found(ground: Ground) -> None:
    read(ground)
    orders = week_of_orders()
    long_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(days=90)
    ground.orders([replace(orders[0], event_time=long_ago, change_type="restated"), *orders[1:]])
    sentence, remedy = the_one(ground.examined(), "horizon (cj)")
    assert sentence.startswith("1 of last week's orders were placed before")
    assert f'{{"since": "{long_ago:%Y-%m-%d}"}}' in remedy


def read(ground: Ground) -> None:
    """The first reading of CJ's records, forty days back."""
    settings = settings_from_airflow()
    read_accounts(settings.accounts, ground.location, replace(settings, ledger_days=40))


# -- how they meet -------------------------------------------------------------------------------------------------------------------


def renamed(orders: list[Change], name: Callable[[str], str]) -> list[Change]:
    return [replace(one, key=Key(one.key.tracker, name(one.key.order_id))) for one in orders]


@pytest.mark.parametrize(
    ("here", "spelling"),
    [
        (lambda i: i.upper(), SPELLINGS[0][0]),
        (lambda i: f"#{i}", SPELLINGS[1][0]),
        (lambda i: f"00{i}", SPELLINGS[2][0]),
        (lambda i: f"WK{i.removeprefix('o-')}", SPELLINGS[3][0]),
    ],
)
def test_ids_that_differ_by_their_spelling_are_found_with_the_spelling(ground: Ground, here: Callable[[str], str], spelling: str) -> None:
    ground.orders(renamed(week_of_orders(), here))
    sentence, remedy = the_one({name: one for name, one in ground.examined().items() if name != "orders"}, "ids (cj)")
    assert (
        f"Of {ORDERS} orders CJ has of the last 7 days, the warehouse knows 0 (0 %) by their ids. {ORDERS} of the others meet {spelling}."
        in sentence
    )
    assert f"CJ's: o-1001, o-1002, o-1003. Here: {', '.join(sorted(here(f'o-{n}') for n in range(1001, 1004)))}." in sentence
    assert "as CJ's tag on the thank-you page reports it" in remedy


def test_ids_that_do_not_meet_at_all_are_found(ground: Ground) -> None:
    ground.orders(renamed(week_of_orders(), lambda i: f"{int(i.removeprefix('o-')) * 7919}"))
    sentence, _ = the_one(ground.examined(), "ids (cj)")
    assert "knows 0 (0 %)" in sentence
    assert "of the others meet" not in sentence


def test_some_that_do_not_meet_are_to_be_looked_at(ground: Ground) -> None:
    ground.orders(week_of_orders()[:15])
    findings = ground.examined()
    assert wrong(findings) == {}
    assert findings["ids (cj)"].found.state is State.LOOK
    assert "another shop" in findings["ids (cj)"].found.remedy


def test_another_action_tracker_is_found(ground: Ground) -> None:
    ground.orders([replace(one, key=Key(402, one.key.order_id)) for one in week_of_orders()])
    sentence, remedy = the_one(ground.examined(), "trackers (cj)")
    assert sentence == f"{ORDERS} of {ORDERS} orders on both sides have another action tracker at CJ, most of them 401 there and 402 here."
    assert "action_tracker_id" in remedy


def test_gross_instead_of_net_is_found(ground: Ground) -> None:
    ground.account(sale_amount_basis="gross")
    sentence, remedy = the_one(ground.examined(), "basis (cj)")
    assert sentence == (
        f"sale_amount_basis says gross. Of {ORDERS} untouched orders with a discount CJ's sale amount is gross of it for 0, net for {ORDERS}."
    )
    assert 'Set "sale_amount_basis": "net"' in remedy


def test_without_discounts_nothing_tells_net_from_gross(ground: Ground) -> None:
    ground.orders(week_of_orders(discount=None))
    found = ground.examined()["basis (cj)"].found
    assert (found.state, found.sentence) == (
        State.NOT_ASKED, "Not asked, because no untouched order with an order discount is on both sides.",
    )  # fmt: skip
