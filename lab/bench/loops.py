"""The whole loop and the usual night, as rows: ours on either warehouse beside the scripts, and on nine months of nights beside none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from lab.bench.ground import ORDER_COLUMNS, Ground
from lab.bench.history import DAYS
from lab.bench.measuring import MeasurementFailed
from lab.bench.night import play
from lab.bench.row import KEEPING, KEEPING_NOTHING, POLARS, Row, at_a_million
from lab.bench.truth import Truth

MODULES = {KEEPING: "peer_keeping", KEEPING_NOTHING: "peer", POLARS: "peer_polars"}
FLOORS = {KEEPING: 3.0, KEEPING_NOTHING: 2.0}
ROOM = 800
"""Megabytes."""
SMALL = 50_000
"""Up to here it is a usual night's orders."""


def loop(ground: Ground) -> Iterator[Row]:
    """Ours on PostgreSQL, then each script, then ours on DuckDB; after each, CJ is compared with the warehouse order by order."""
    ours, truth = play(ground, "ours", "night")
    peers: dict[str, dict[str, Any]] = {}
    for name, module in MODULES.items():
        peers[name], after = play(ground, module, "night")
        row = Row("whole loop", ground.orders, ours, peers[name], beside=name)
        if name in FLOORS:
            row.floor = at_a_million(ground.orders, FLOORS[name])
        if name == KEEPING:
            row.room = at_a_million(ground.orders, ROOM)
            row = ended(row, truth)
        row.note += of_the_script(name, peers[name], after)
        yield row
    in_duckdb, truth = play(in_kind(_fresh(ground), "duckdb"), "ours", "night", kind="duckdb")
    yield ended(Row("whole loop on DuckDB", ground.orders, in_duckdb, peers[KEEPING], beside=KEEPING), truth)
    if ground.orders <= SMALL:
        yield from small_night(ground)


def ended(row: Row, truth: Truth) -> Row:
    """The row, with how CJ stood to the warehouse after our loop: it fails where they differ."""
    row.note = f"CJ and the warehouse agree on {truth.agreed + truth.nobodys:,} of {truth.orders:,} orders"
    row.note += f"; reading the ledger for the first time, once an account, took {row.ours['first_reading']:.1f} s besides. "
    if truth.differ:
        row.failures.append(f"CJ and the warehouse differ on {truth.differ:,} orders, the first is {truth.first_difference}")
    return row


def of_the_script(name: str, figures: dict[str, Any], truth: Truth) -> str:
    """What a script was wrong about: how CJ stood to the warehouse after it, and verdicts that say otherwise."""
    said = f"After the {name} CJ and the warehouse differ on {truth.differ:,} orders"
    complained = {verdict: count for verdict, count in figures["counts"].items() if verdict != "matched"}
    if wrong := max(sum(complained.values()) - truth.differ, 0):
        said += f"; of the others it calls {wrong:,} wrong that are right ({', '.join(f'{n:,} {v}' for v, n in complained.items())})"
    return f"{said}."


NINE_MONTHS = 2_000_000
"""Of nights: the states they sent."""
A_RUN = 2_000
"""Of them. Of more states there are more nights, not larger ones: the years go on."""


def history(ground: Ground, past: Sequence[int] = (NINE_MONTHS,)) -> Iterator[Row]:
    """The usual night on so many states sent before, beside the same on nothing."""
    if ground.orders > SMALL:
        return
    for kind, name in (("postgres", "PostgreSQL"), ("duckdb", "DuckDB")):
        nothing = _night_on(ground, kind)
        for states in past:
            figures = _night_on(ground, kind, submissions=states, runs=states // A_RUN, days=max(DAYS, DAYS * states // NINE_MONTHS))
            row = Row(f"a night on {states:,} states sent before, {name}", ground.orders, figures, nothing, beside="the same on nothing")
            row.ceiling = 1.5 if kind == "postgres" and states <= NINE_MONTHS else 2.0
            row.note = f"The history was filled in {figures['filled']:.0f} s."
            yield row


def _night_on(ground: Ground, kind: str, **past: int) -> dict[str, Any]:
    figures, truth = play(in_kind(_fresh(ground), kind), "ours", "night_on", kind=kind, **past)
    if truth.differ:
        raise MeasurementFailed(f"CJ and the warehouse differ on {truth.differ:,} orders, the first is {truth.first_difference}")
    return figures


def in_kind(ground: Ground, kind: str) -> Ground:
    """The same orders in the kind of warehouse."""
    if kind == "postgres":
        return ground
    from include.warehouse.base import WarehouseLocation, open_warehouse

    folder = Path(ground.folder, "in-duckdb")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    place = folder / "warehouse.duckdb"
    with open_warehouse(WarehouseLocation("duckdb", path=str(place))) as session:
        session.execute(f"CREATE TABLE order_changes ({ORDER_COLUMNS})")
        with pq.ParquetFile(Path(ground.folder, "order_changes.parquet")) as file:
            session.append("order_changes", file.iter_batches(65_536))
    return replace(ground, uri=str(place))


def small_night(ground: Ground) -> Iterator[Row]:
    """Process start to last chunk accepted, imports and all."""
    ours, peer = (_from_process_start(ground, side) for side in ("ours", "peer"))
    yield Row("the usual night, from process start to last chunk accepted", ground.orders, ours, peer, beside=KEEPING_NOTHING)


def _from_process_start(ground: Ground, side: str) -> dict[str, Any]:
    figures, _ = play(_fresh(ground), side, "small_night")
    return figures | {"seconds": figures["from_start"] - (figures["wall"] - figures["seconds"])}


def _fresh(ground: Ground) -> Ground:
    """The same ground without anything a loop has written."""
    from include.warehouse.base import WarehouseLocation, open_warehouse

    with open_warehouse(WarehouseLocation("postgres", uri=ground.uri)) as session:
        session.execute("DROP SCHEMA IF EXISTS cj CASCADE; DROP SCHEMA IF EXISTS script CASCADE")
    shutil.rmtree(Path(ground.folder, "storage"), ignore_errors=True)
    return ground
