"""Which measurements there are, in which order, and the numbers to reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from lab.bench import books, canned
from lab.bench.ground import ORDER_COLUMNS, Ground
from lab.bench.measuring import MeasurementFailed, measured
from lab.bench.night import play

PEER = "pandas script"
MILLION = 1_000_000
FLAT = 5_000_000
"""Sizes from here on are for memory: only the steps whose memory grows if anything's does, without a sandbox and without a peer."""


@dataclass
class Row:
    """One step at one size, ours and what it is measured beside. `floor` is the ratio to the peer that should be reached, `ceiling` the most the step may take of it,
    `within` the seconds it should be over in."""

    step: str
    orders: int
    ours: dict[str, Any]
    peer: dict[str, Any] | None = None
    limit: dict[str, Any] | None = None
    floor: float | None = None
    ceiling: float | None = None
    within: float | None = None
    beside: str = PEER
    note: str = ""
    failures: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """How many times as long the peer takes."""
        return self.peer["seconds"] / self.ours["seconds"] if self.peer else None

    @property
    def to_limit(self) -> float | None:
        """How many times as long as the limit we take."""
        return self.ours["seconds"] / self.limit["seconds"] if self.limit else None

    @property
    def reached(self) -> bool | None:
        if self.within is not None:
            return bool(self.ours["seconds"] <= self.within)
        if self.ratio is None or (self.floor is None and self.ceiling is None):
            return None
        return self.ratio >= self.floor if self.floor is not None else 1 / self.ratio <= self.ceiling  # type: ignore[operator]


def at_a_million(ground: Ground, ratio: float) -> float | None:
    """The number to reach, which is one for a million orders: of ten thousand, most steps are over before they have warmed up."""
    return ratio if ground.orders >= MILLION else None


def extract(ground: Ground) -> Iterator[Row]:
    yield Row("extract + nest", ground.orders, *_sides("extract", ground.arguments(), ground.orders), floor=at_a_million(ground, 6))


def validate(ground: Ground) -> Iterator[Row]:
    yield Row("validate", ground.orders, *_sides("validation", ground.arguments(), ground.orders), ceiling=at_a_million(ground, 1.6))
    broken = measured("lab.bench.ours:validation", ground.arguments(broken="currency"))
    row = Row("validate, a column failing on every row", ground.orders, broken, note=broken["refusal"])
    if not broken["refusal"]:
        row.failures.append("a night in which every row fails was not refused")
    yield row


def payload(ground: Ground) -> Iterator[Row]:
    row = Row("payload", ground.orders, *_sides("payload", ground.arguments(), ground.orders), floor=at_a_million(ground, 5))
    if row.ours["inexact"]:
        row.failures.append(f"{row.ours['inexact']} orders' amounts or times are not exact in the body")
    yield row


def pages(ground: Ground) -> Iterator[Row]:
    from include.demo.files import TOKEN

    canned.record(ground)
    with canned.served(Path(ground.folder, "pages")) as url:
        sides = _sides("report_pages", ground.arguments(url=url, token=TOKEN), ground.orders)
    yield Row("report pages", sides[0]["rows"], *sides, floor=at_a_million(ground, 3))


def reconcile(ground: Ground) -> Iterator[Row]:
    folder = Path(ground.folder, "books")
    arguments = books.write(folder, ground.orders)
    row = Row("reconciliation", ground.orders, *_sides("reconciliation", arguments, ground.orders), floor=at_a_million(ground, 6))
    if row.ours["counts"] != (wanted := {k: v for k, v in books.expected(ground.orders).items() if v}):
        row.failures.append(f"the verdicts are {row.ours['counts']} and should be {wanted}")
    yield row


def loop(ground: Ground) -> Iterator[Row]:
    ours, truth = play(ground, "ours", "night")
    peer, peers_truth = play(ground, "peer", "night")
    row = Row("whole loop", ground.orders, ours, peer, floor=at_a_million(ground, 5))
    row.note = f"CJ and the warehouse agree on {truth.agreed + truth.nobodys:,} of {truth.orders:,} orders"
    row.note += f"; reading the ledger for the first time, once an account, took {ours['first_reading']:.1f} s besides"
    if peers_truth.differ:
        row.note += f"; after the peer they differ on {peers_truth.differ:,}"
    if truth.differ:
        row.failures.append(f"CJ and the warehouse differ on {truth.differ:,} orders, the first is {truth.first_difference}")
    yield row
    if ground.orders <= 50_000:
        yield from small_night(ground)


HISTORY = {"submissions": 2_000_000, "runs": 1_000}
"""Nine months of nights."""


def history(ground: Ground) -> Iterator[Row]:
    """The usual night on nine months of nights, beside the same on nothing."""
    if ground.orders > 50_000:
        return
    for kind, name, ceiling in (("postgres", "PostgreSQL", 1.5), ("duckdb", "DuckDB", 2.0)):
        nothing, past = (_night_on(ground, kind, told) for told in ({}, HISTORY))
        row = Row(f"a night on {HISTORY['submissions']:,} states sent before, {name}", ground.orders, past, nothing, ceiling=ceiling)
        row.beside = "the same on nothing"
        yield row


def _night_on(ground: Ground, kind: str, past: dict[str, int]) -> dict[str, Any]:
    figures, truth = play(_of_kind(_fresh(ground), kind), "ours", "night_on", kind=kind, **past)
    if truth.differ:
        raise MeasurementFailed(f"CJ and the warehouse differ on {truth.differ:,} orders, the first is {truth.first_difference}")
    return figures


def _of_kind(ground: Ground, kind: str) -> Ground:
    """The same orders in the kind of warehouse."""
    if kind == "postgres":
        return ground
    from include.warehouse.base import WarehouseLocation, open_warehouse

    place = Path(ground.folder, "history.duckdb")
    place.unlink(missing_ok=True)
    with open_warehouse(WarehouseLocation("duckdb", path=str(place))) as session:
        session.execute(f"CREATE TABLE order_changes ({ORDER_COLUMNS})")
        with pq.ParquetFile(Path(ground.folder, "order_changes.parquet")) as file:
            session.append("order_changes", file.iter_batches(65_536))
    return replace(ground, uri=str(place))


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
            )
        filed = f"a CSV of all {found['rows_in_file']:,} breaks" if found["rows_in_file"] else "a CSV of every break, given up by the page"
        yield Row(f"{filed}, {told}", found["rows_in_file"], found)


def small_night(ground: Ground) -> Iterator[Row]:
    """Process start to last chunk accepted, imports and all."""
    ours, peer = (_from_process_start(ground, side) for side in ("ours", "peer"))
    yield Row("the usual night, from process start to last chunk accepted", ground.orders, ours, peer)


def _from_process_start(ground: Ground, side: str) -> dict[str, Any]:
    figures, _ = play(_fresh(ground), side, "small_night")
    return figures | {"seconds": figures["from_start"] - (figures["wall"] - figures["seconds"])}


def _fresh(ground: Ground) -> Ground:
    """The same ground without anything the loop has written."""
    import shutil

    from include.warehouse.base import WarehouseLocation, open_warehouse

    with open_warehouse(WarehouseLocation("postgres", uri=ground.uri)) as session:
        session.execute("DROP SCHEMA IF EXISTS cj CASCADE")
    shutil.rmtree(Path(ground.folder, "storage"), ignore_errors=True)
    return ground


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
