"""What Aspire earned of the demo's nights, from the sandbox through the ledger: real records, real restatements, and a partner that was told of none."""

from __future__ import annotations

from include.warehouse.base import open_warehouse
from tests.demo_nights import Played


def test_a_partner_that_saw_each_sale_as_it_was_placed_is_told_of_every_one_that_changed_since(played: Played) -> None:
    with open_warehouse(played.warehouse) as session:
        said = {
            (row["order_id"], row["action_tracker_id"]): row["rule"]
            for row in session.rows(
                "SELECT * FROM cj.partner_reconciliation WHERE publisher_id = '7108602' AND grain = 'order' AND cj_records > 0"
            )
        }
        sums = session.rows(
            "SELECT order_id, action_tracker_id, SUM(sale_amount_usd) AS sale, SUM(pub_commission_amount_usd) AS earned, "
            "SUM(CASE WHEN original THEN sale_amount_usd END) AS first_sale, SUM(CASE WHEN original THEN pub_commission_amount_usd END) AS first_earned "
            "FROM cj.commissions WHERE publisher_id = '7108602' AND gone_reading IS NULL GROUP BY order_id, action_tracker_id"
        )
    changed = {
        (row["order_id"], row["action_tracker_id"])
        for row in sums
        if (row["sale"], row["earned"]) != (row["first_sale"], row["first_earned"])
    }
    assert {key for key, rule in said.items() if rule == "restated_since"} == changed != set()
    assert set(said.values()) == {"restated_since", "same"}


def test_the_statements_are_what_the_ledger_says_the_publisher_earned(played: Played) -> None:
    with open_warehouse(played.warehouse) as session:
        (ledger,) = session.rows(
            "SELECT COUNT(*) AS records, SUM(pub_commission_amount_usd) AS earned, COUNT(*) - COUNT(pub_commission_amount_usd) AS not_known "
            "FROM cj.commissions WHERE publisher_id = '7108602' AND gone_reading IS NULL"
        )
        (stated,) = session.rows(
            "SELECT SUM(records) AS records, SUM(open + locked + payable) AS earned, SUM(not_known) AS not_known "
            "FROM cj.partner_statements WHERE publisher_id = '7108602'"
        )
    assert stated == ledger
    assert ledger["records"] and ledger["earned"]
