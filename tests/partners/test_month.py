"""A month of two partners: every difference that was planted is found, none is invented, and the statements add up to the cent."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.demo.partner_month import ASPIRE, NORDLICHT, NOW, Month
from include.demo.partners import play
from include.partners.mapping import find_mapping
from include.partners.reconcile import reconcile_partner
from include.warehouse.base import WarehouseLocation, open_warehouse


@pytest.fixture
def played_month(location: WarehouseLocation, tmp_path: Path) -> Path:
    play(location, tmp_path / "month")
    return tmp_path / "month"


def rows(location: WarehouseLocation, sql: str) -> list[dict[str, Any]]:
    with open_warehouse(location) as session:
        return [dict(row) for row in session.rows(sql)]


def found(location: WarehouseLocation, publisher: str) -> dict[str, set[tuple[str, str]]]:
    """What names a row → what is said of it."""
    said: dict[str, set[tuple[str, str]]] = {}
    for row in rows(location, f"SELECT * FROM cj.partner_reconciliation WHERE publisher_id = '{publisher}'"):
        name = row["month"] or row["order_id"] or f"row {row['partner_sale_amount']:.2f}"
        said.setdefault(name, set()).add((row["verdict"], row["rule"]))
    return said


def test_every_planted_difference_is_found_none_is_invented_and_every_record_is_stated(
    played_month: Path, location: WarehouseLocation, month: Month
) -> None:
    for publisher in (ASPIRE, NORDLICHT):
        planted = {name: {(str(verdict), rule)} for name, (verdict, rule) in month.planted[publisher].items()}
        if publisher == NORDLICHT:  # of two sales alike, neither the partner's rows nor the orders are told apart
            planted |= {"row 60.00": {("ambiguous", "two_candidates")}}
        assert found(location, publisher) == planted
        # Every record that CJ shows still is stated once, to the cent; the month's own list says what they come to.
        earned: Counter[str] = Counter()
        stands: dict[str, list[Decimal]] = {}
        for record in month.records:
            if record["publisher_id"] != publisher or record.get("gone_reading"):
                continue
            earned["records"] += 1
            if record["pub_commission_amount_usd"] is None:
                earned["not_known"] += 1
                continue
            paid = (
                "payable"
                if record["locking_date"] < datetime(2026, 4, 1, tzinfo=UTC)
                else "locked"
                if record["locking_date"] <= NOW
                else "open"
            )
            stands.setdefault(paid, []).append(record["pub_commission_amount_usd"])
        (stated,) = rows(
            location,
            "SELECT SUM(records) AS records, SUM(not_known) AS not_known, SUM(open) AS open, SUM(locked) AS locked, SUM(payable) AS payable "
            f"FROM cj.partner_statements WHERE publisher_id = '{publisher}'",
        )
        assert (stated["records"], stated["not_known"]) == (earned["records"], earned["not_known"])
        assert {name: stated[name] for name in ("open", "locked", "payable")} == {
            name: sum(stands[name]) for name in ("open", "locked", "payable")
        }


def test_what_is_sent_to_the_partner_has_the_old_and_the_new_figures(played_month: Path, location: WarehouseLocation, month: Month) -> None:
    folder = played_month / "storage" / "cj_restatements" / "partners" / ASPIRE
    sent = list(csv.DictReader(io.StringIO((folder / "to_send.csv").read_text(encoding="utf-8"))))
    restated = {name for name, (_, rule) in month.planted[ASPIRE].items() if rule == "restated_since"}
    assert {row["order_id"] for row in sent} == restated
    (twice,) = [row for row in sent if row["order_id"] == "R-twice"]
    assert (twice["old_sale_amount"], twice["new_sale_amount"], twice["old_payout"], twice["new_payout"]) == (
        "70.00",
        "20.00",
        "7.00",
        "2.00",
    )
    assert (twice["reason"], twice["corrected_at"], twice["change_of_payout"]) == ("RETURNED_MERCHANDISE", "2026-03-20T12:00:00Z", "-5.00")
    assert sorted(path.name for path in folder.iterdir()) == ["differences.csv", "statement.csv", "statement.html", "to_send.csv"]
    page = (folder / "statement.html").read_text(encoding="utf-8")
    assert "R-twice" in page
    assert "Whether it was paid is not visible to an advertiser" in page
    assert "Reconciled by month" in (folder.parent / NORDLICHT / "statement.html").read_text(encoding="utf-8")
    differ = list(csv.DictReader(io.StringIO((folder / "differences.csv").read_text(encoding="utf-8"))))
    assert {row["verdict"] for row in differ} == {str(v) for v, _ in month.planted[ASPIRE].values()} - {"agree", "awaiting"}


def test_the_money_of_each_order_stands_where_its_lock_date_says(played_month: Path, location: WarehouseLocation) -> None:
    stands = rows(
        location,
        "SELECT DISTINCT locking_month, money_state, payable_on, credit_from, credit_until FROM cj.partner_reconciliation "
        f"WHERE publisher_id = '{ASPIRE}' AND money_state <> 'nothing' ORDER BY locking_month",
    )
    days = [
        (row["locking_month"], row["money_state"], *(f"{row[n]:%m-%d}" for n in ("payable_on", "credit_from", "credit_until")))
        for row in stands
    ]
    assert days == [
        ("2026-03", "credit_expected", "04-01", "04-03", "04-08"),
        ("2026-04", "locked", "05-01", "05-05", "05-08"),
        ("2026-05", "pending", "06-01", "06-03", "06-08"),
    ]


def test_reconciling_again_changes_nothing(played_month: Path, location: WarehouseLocation) -> None:
    tables = ("partner_log", "partner_loads", "partner_reconciliation", "partner_statements")
    before = {table: sorted(map(repr, rows(location, f"SELECT * FROM cj.{table}"))) for table in tables}
    for publisher in (ASPIRE, NORDLICHT):
        mapping = find_mapping(publisher, str(played_month / "mappings"))
        done = reconcile_partner(mapping, location, "demo", storage=f"file://{played_month}/storage", now=NOW)
        assert (done.loaded.sources, done.loaded.appended) == (0, 0)
    assert {table: sorted(map(repr, rows(location, f"SELECT * FROM cj.{table}"))) for table in tables} == before


def test_after_the_partner_was_told_the_same_orders_agree(played_month: Path, location: WarehouseLocation, month: Month) -> None:
    """What to_send.csv says, put into the partner's export as further rows."""
    folder = played_month / "storage" / "cj_restatements" / "partners" / ASPIRE
    sent = list(csv.DictReader(io.StringIO((folder / "to_send.csv").read_text(encoding="utf-8"))))
    lines = ["transaction_id,adv_unique1,datetime,sale_amount,payout,currency"]
    for row in sent:
        change = Decimal(row["new_sale_amount"]) - Decimal(row["old_sale_amount"])
        lines.append(f"{row['transaction_id']},{row['order_id']},2026-04-12T08:00:00Z,{change},{row['change_of_payout']},USD")
    (played_month / ASPIRE / "told.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    mapping = find_mapping(ASPIRE, str(played_month / "mappings"))
    done = reconcile_partner(mapping, location, "next", storage=f"file://{played_month}/storage", now=NOW)
    assert "restated_since" not in done.orders
    assert (folder / "to_send.csv").read_text(encoding="utf-8").count("\n") == 1
