"""Hand-made tables of a partner: one order that was restated since it saw it, and what CJ owes it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from include.warehouse.base import Session
from tests.restatements.report.report_tables import CHECKED, append

ASPIRE, UNIT = "7108602", "order:P-1"
SOLD = CHECKED - timedelta(days=9)


def saw_a_sale(session: Session, hostile: str | None = None) -> None:
    """It saw 80.00, of which it earns 8.00; CJ holds 60.00 by now. Where something hostile is given, every text of it is that; a publisher's id is digits."""

    def said(text: str) -> str:
        return text if hostile is None else hostile

    order_id = said("P-1")
    who = {"publisher_id": ASPIRE, "partner": said("Aspire")}
    days: dict[str, Any] = {
        name: CHECKED + timedelta(days=n) for n, name in ((11, "payable_on"), (13, "credit_from"), (18, "credit_until"))
    } | {"run_id": "run-1", "checked_at": CHECKED}
    figures = {
        "partner_sale_amount": "80.00", "cj_sale_amount": "60.00", "before_sale_amount": "80.00", "partner_payout": "8.00", "cj_payout": "6.00",
        "before_payout": "8.00", "difference": "2.00",
    }  # fmt: skip
    append(session, "cj.partner_reconciliation", [who | days | {
        "grain": "order", "unit": f"order:{order_id}", "advertiser_id": "5500001", "action_tracker_id": 401, "order_id": order_id, "transaction_id": said("tx-1"),
        "happened_at": SOLD, "joined_by": "order_id", "verdict": "restated_since", "rule": "restated_since", "partner_rows": 1, "cj_records": 3,
        "currency": said("USD"), **{name: Decimal(amount) for name, amount in figures.items()}, "correction_reason": said("RETURNED_MERCHANDISE"),
        "corrected_at": SOLD + timedelta(days=1), "money_state": "pending", "locking_date": CHECKED + timedelta(days=30), "locking_month": "2026-12",
    }])  # fmt: skip
    sums = {
        name: Decimal(amount)
        for name, amount in (("open", "6.00"), ("locked", "0"), ("payable", "0"), ("corrected_since", "-2.00"), ("beside_orders", "0"))
    }
    append(session, "cj.partner_statements", [who | days | sums | {
        "advertiser_id": "5500001", "locking_month": "2026-12", "currency": said("USD"), "reconciled_by": "order", "records": 3, "not_known": 0,
        "payable_source": said("the guide"), "credit_source": said("the guide"),
    }])  # fmt: skip
    append(session, "cj.partner_log", [{
        "publisher_id": who["publisher_id"], "row_key": said("k-1"), "version": 1, "content_hash": "h", "transaction_id": said("tx-1"), "order_id": order_id,
        "occurred_at": SOLD, "sale_amount": Decimal("80.00"), "payout": Decimal("8.00"), "currency": said("USD"), "source": said("export.csv"), "position": 1,
        "load_number": 1, "loaded_at": CHECKED,
    }])  # fmt: skip
    for number, (amount, original) in enumerate((("80.00", True), ("-80.00", False), ("60.00", False))):
        append(session, "cj.commissions", [{
            "commission_id": f"7{number}", "advertiser_id": "5500001", "action_tracker_id": 401, "order_id": order_id, "action_type": "sim_sale",
            "action_status": said("new"), "publisher_id": who["publisher_id"], "publisher_name": who["partner"], "event_date": SOLD,
            "posting_date": SOLD + timedelta(days=not original), "locking_date": CHECKED + timedelta(days=30), "original": original,
            "correction_reason": None if original else said("RETURNED_MERCHANDISE"), "sale_amount": Decimal(amount), "order_discount": Decimal("0.00"),
            "adv_commission_amount": Decimal(amount) / 10, "cj_fee": Decimal("0.00"), "sale_amount_usd": Decimal(amount),
            "pub_commission_amount_usd": Decimal(amount) / 10, "items_mark": Decimal(0), "ingested_at": CHECKED, "reading": 1,
        }])  # fmt: skip
