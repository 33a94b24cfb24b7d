"""Writes the demo shop.

python -m include.demo --warehouse FILE --seed-dir DIR --night 2026-11-19 [--until 2026-11-18T01:00Z] [--orders 5000]
"""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from include.demo.files import write_shop
from include.demo.shop import Shop, open_shop


def instant(text: str) -> datetime:
    """ISO 8601; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def inventory(shop: Shop, written: int) -> Table:
    """What is inside, night by night."""
    table = Table(title="The demo shop")
    table.add_column("changes in the interval")
    for name in ("orders", "new", "restated", "cancelled", "a publisher's"):
        table.add_column(name, justify="right")
    for night in shop.story.nights:
        rows = [change for change in shop.changes if night.start <= change.at < night.end]
        kinds = Counter(change.kind for change in rows)
        orders = {change.order.order_id for change in rows}
        attributed = {change.order.order_id for change in rows if change.order.attributed}
        table.add_row(
            f"{night.start:%Y-%m-%d}",
            *(f"{n:,}" for n in (len(orders), kinds["new"], kinds["restated"], kinds["cancelled"], len(attributed))),
        )
    table.caption = (
        f"{written:,} rows in order_changes; CJ holds {len(shop.pixel):,} orders by the pixel; {len(shop.story.cases)} designed cases"
    )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m include.demo", description="Write the demo shop: a warehouse and the sandbox's seed.")
    parser.add_argument("--warehouse", type=Path, required=True, help="DuckDB file; its table order_changes is replaced")
    parser.add_argument(
        "--seed-dir", type=Path, required=True, help="where accounts.json, orders.parquet, faults.json and storyline.json go"
    )
    parser.add_argument("--night", type=instant, required=True, help="the date of the nightly run; its data interval is the day before")
    parser.add_argument("--until", type=instant, help="leave out the rows that reach the warehouse at or after this instant")
    parser.add_argument("--orders", type=int, default=5_000)
    args = parser.parse_args()
    shop = open_shop(args.night, args.orders)
    Console().print(inventory(shop, write_shop(args.warehouse, args.seed_dir, shop, args.until)))


if __name__ == "__main__":
    main()
