"""Plays the month of two partners: a warehouse with CJ's records, the partners' exports, and both reconciled.

python -m include.demo.partners --warehouse FILE --folder DIR
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from include.cj.records import COMMISSIONS
from include.demo.partner_month import ASPIRE, NORDLICHT, NORDLICHT_MAPPING, NOW, Month, tell
from include.domain.shapes import INSTANT
from include.partners.mapping import SHIPPED, PartnerMapping, find_mapping
from include.partners.reconcile import PartnerReconciled, reconcile_partner
from include.warehouse.base import WarehouseLocation, open_warehouse

_RECORDS = pa.schema([*COMMISSIONS, ("ingested_at", INSTANT), ("reading", pa.int64()), ("gone_reading", pa.int64())])


def write_month(month: Month, location: WarehouseLocation, place: Path) -> Path:
    """CJ's records into the warehouse, exports and mappings below `place`. Returns the folder of the mappings."""
    mappings = place / "mappings"
    mappings.mkdir(parents=True)
    shipped = (SHIPPED / "aspire.yaml").read_text(encoding="utf-8").replace("  payout: payout ", "  currency: currency\n  payout: payout ")
    for publisher, text in ((ASPIRE, shipped), (NORDLICHT, NORDLICHT_MAPPING)):
        exports = place / publisher
        exports.mkdir()
        for name, data in month.files(publisher).items():
            (exports / name).write_bytes(data)
        (mappings / f"{publisher}.yaml").write_text(f'{text}files: "file://{exports}"\n', encoding="utf-8")
    with open_warehouse(location) as session:
        session.create_tables()
        session.append("cj.commissions", pa.Table.from_pylist(month.records, _RECORDS))
    return mappings


def play(location: WarehouseLocation, place: Path) -> dict[str, tuple[PartnerMapping, PartnerReconciled]]:
    """The month written and reconciled, by publisher, and left for the pages."""
    mappings = write_month(tell(), location, place)
    storage = f"file://{place}/storage"
    found = {publisher: find_mapping(publisher, str(mappings)) for publisher in (ASPIRE, NORDLICHT)}
    played = {
        publisher: (mapping, reconcile_partner(mapping, location, "demo", storage=storage, now=NOW)) for publisher, mapping in found.items()
    }
    with open_warehouse(location) as session:
        session.leave_snapshot()
    return played


_SAW_EACH_SALE = """publisher_id: "7108602"
name: Aspire
columns: {order_id: order_id, occurred_at: sold_at, sale_amount: sale_amount, payout: payout}
credit_source: "CJ Affiliate Integration Guide: within 2-5 business days"
# In a demo Aspire saw each sale as it was first posted, and was told of no restatement.
sql: >-
  SELECT order_id, event_date AS sold_at, sale_amount_usd AS sale_amount, pub_commission_amount_usd AS payout
  FROM cj.commissions WHERE publisher_id = '7108602' AND original AND event_date >= :since
"""


def write_mapping(folder: Path) -> Path:
    """The mapping of the Aspire of a demo's nights, in the folder `partners` of the demo's. Returns the file."""
    mappings = folder / "partners"
    mappings.mkdir(parents=True, exist_ok=True)
    (mappings / "aspire.yaml").write_text(_SAW_EACH_SALE, encoding="utf-8")
    return mappings / "aspire.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m include.demo.partners", description="Play a month of two partners against CJ's records."
    )
    parser.add_argument("--warehouse", type=Path, required=True, help="DuckDB file, made anew")
    parser.add_argument("--folder", type=Path, required=True, help="an empty folder for the exports, the mappings and what is written")
    args = parser.parse_args()
    table = Table(title="Two partners, a month")
    for name in ("partner", "grain", "verdict", "found"):
        table.add_column(name, justify="right" if name == "found" else "left")
    for mapping, done in play(WarehouseLocation("duckdb", path=str(args.warehouse.resolve())), args.folder.resolve()).values():
        for grain, counts in (("order", done.orders), ("month", done.months)):
            for verdict, found in counts.items():
                table.add_row(mapping.name, grain, verdict, str(found))
        table.caption = f"the files are in {done.files.rpartition('/')[0]}"
    Console().print(table)
    print(f"To look at it: .venv/bin/python -m include.commands.pages --warehouse {args.warehouse}")


if __name__ == "__main__":
    main()
