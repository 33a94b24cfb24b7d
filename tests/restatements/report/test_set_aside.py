"""Records of CJ that are not in the ledger as they came are named in every report, whichever warehouse it is read from."""

from __future__ import annotations

from include.restatements.report.report import collect, html, terminal_text
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.report.report_tables import CHECKED, RUN, append


def test_records_that_could_not_be_kept_are_counted_once_each_in_the_console_and_on_the_page(location: WarehouseLocation) -> None:
    told = {"advertiser_id": "5500001", "order_id": "B-9", "why": "too_large", "kept": False, "raw": "{}", "set_aside_at": CHECKED}
    with open_warehouse(location) as session:
        session.create_tables()
        append(
            session,
            "cj.ledger_set_aside",
            [
                {**told, "commission_id": "1", "what": "saleAmountAdvCurrency"},
                {**told, "commission_id": "1", "what": "cjFeeAdvCurrency"},
                {**told, "commission_id": "2", "what": "cjFeeAdvCurrency"},
                {**told, "commission_id": None, "what": "record", "raw": "7"},
                {**told, "commission_id": "3", "what": "coupon", "kept": True},
            ],
        )
        figures = collect(session, checked_at=CHECKED, run_ids=[RUN], currencies={})
    assert (figures.set_aside, figures.changed) == (3, 1)
    sentence = (
        "3 records of CJ could not be read and were set aside: what their orders come to at CJ is not known. "
        "1 record of CJ was kept with a change. See cj.ledger_set_aside."
    )
    assert sentence in " ".join(terminal_text(figures).split())
    assert sentence in html(figures)
