"""The measurements of one size: each stage by itself, the loop, the history, the pages; in which order, and the numbers to reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lab.bench import books, canned
from lab.bench.ground import Ground, drop_database
from lab.bench.loops import history, loop
from lab.bench.measuring import measured
from lab.bench.row import Row, at_a_million

FLAT = 5_000_000
"""Sizes from here on are for memory and for growth: only the steps in which either would show, without a sandbox and without a peer."""


def extract(ground: Ground) -> Iterator[Row]:
    yield Row("extract + nest", ground.orders, *_sides("extract", ground.arguments(), ground.orders), near=at_a_million(ground.orders, 1.2))


def validate(ground: Ground) -> Iterator[Row]:
    yield Row("validate", ground.orders, *_sides("validation", ground.arguments(), ground.orders))
    broken = measured("lab.bench.ours:validation", ground.arguments(broken="currency"))
    row = Row("validate, a column failing on every row", ground.orders, broken, note=broken["refusal"])
    if not broken["refusal"]:
        row.failures.append("a night in which every row fails was not refused")
    yield row


def payload(ground: Ground) -> Iterator[Row]:
    row = Row("payload", ground.orders, *_sides("payload", ground.arguments(), ground.orders))
    if row.ours["inexact"]:
        row.failures.append(f"{row.ours['inexact']} orders' amounts or times are not exact in the body")
    yield row


def pages(ground: Ground) -> Iterator[Row]:
    from include.demo.files import TOKEN

    canned.record(ground)
    with canned.served(Path(ground.folder, "pages")) as url:
        sides = _sides("report_pages", ground.arguments(url=url, token=TOKEN), ground.orders)
    yield Row("report pages", sides[0]["rows"], *sides, floor=at_a_million(ground.orders, 3))


def reconcile(ground: Ground) -> Iterator[Row]:
    """The verdicts alone, in either warehouse, beside the same peer."""
    folder = Path(ground.folder, "books")
    arguments = books.write(folder, ground.orders)
    sides = _sides("reconciliation", arguments, ground.orders)
    row = Row("verdicts alone, DuckDB", ground.orders, *sides, floor=at_a_million(ground.orders, 3))
    yield _as_the_book_says(row)
    if ground.orders < FLAT:
        uri = books.load(ground.uri, folder)
        in_postgres = measured("lab.bench.ours:reconciliation", arguments | {"uri": uri})
        row = Row("verdicts alone, PostgreSQL", ground.orders, in_postgres, *sides[1:], within=at_a_million(ground.orders, 12))
        yield _as_the_book_says(row)
        drop_database(uri)


def _as_the_book_says(row: Row) -> Row:
    if row.ours["counts"] != (wanted := {k: v for k, v in books.expected(row.orders).items() if v}):
        row.failures.append(f"the verdicts are {row.ours['counts']} and should be {wanted}")
    return row


VIEW_SECONDS = 1.0
"""In which somebody has a page of the web pages in front of him, over a million orders."""


def views(ground: Ground) -> Iterator[Row]:
    """The web pages over as many states sent before: with the usual breaks, and with nothing but breaks."""
    from lab.bench.views import ALL, USUAL

    for breaks, told in ((USUAL, "usual breaks"), (ALL, "nothing but breaks")):
        found = measured("lab.bench.views:look", ground.arguments(breaks=breaks))
        for path, seconds in found["views"].items():
            figures = {"seconds": seconds, "peak_mb": None, "phases": {}}
            yield Row(
                f"page {path.split('&after=')[0]}{', far into it' if '&after=' in path else ''}, {told}",
                ground.orders,
                figures,
                within=VIEW_SECONDS,
                paced=False,
            )
        filed = f"a CSV of all {found['rows_in_file']:,} breaks" if found["rows_in_file"] else "a CSV of every break, given up by the page"
        yield Row(f"{filed}, {told}", found["rows_in_file"], found)


def _sides(name: str, arguments: dict[str, Any], orders: int) -> tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any] | None]:
    """Ours, the peer's and the limit's figures, each in a process of its own, one after the other."""
    ours = measured(f"lab.bench.ours:{name}", arguments)
    if orders >= FLAT:
        return ours, None, None
    return ours, measured(f"lab.bench.peer:{name}", arguments), measured(f"lab.bench.limits:{name}", arguments)


STEPS: dict[str, Callable[[Ground], Iterator[Row]]] = {
    "extract": extract, "validate": validate, "payload": payload, "pages": pages, "reconcile": reconcile, "loop": loop, "history": history, "views": views,
}  # fmt: skip
WITHOUT_SANDBOX = ("extract", "validate", "payload", "reconcile")
