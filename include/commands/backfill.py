"""What a backfill would touch: which dates, how many orders, how much money. Sends nothing, keeps no plan.

CJ's new records are read into cj.commissions first, as every run does.

    python -m include.commands.backfill --from-date 2026-03-01 --to-date 2026-04-01

Then start it with `airflow backfill create --dag-id cj_restatements` and the same dates (`--to-date` means midnight).
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from include.airflow.runs import utc
from include.domain.errors import QuarantineRatioExceeded, RestatementsError
from include.restatements.settings import Run, Settings

ALL = "all, each order once"


def instant(text: str) -> datetime:
    """ISO 8601; without an offset it is UTC. Raises argparse.ArgumentTypeError."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2026-03-01") from None


def runs_between(start: datetime, end: datetime) -> Iterator[Run]:
    """The runs `airflow backfill create` would make of cj_restatements, by the DAG's own timetable: intervals that begin from `start` to `end`
    and are over."""
    import pendulum
    from airflow.timetables.base import TimeRestriction
    from airflow.timetables.interval import CronDataIntervalTimetable

    from include.airflow.defaults import NIGHTLY

    timetable = CronDataIntervalTimetable(NIGHTLY, timezone="UTC")
    allowed = TimeRestriction(pendulum.instance(start), pendulum.instance(end), catchup=True)
    info = timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=allowed)
    while info is not None and info.data_interval is not None and info.data_interval.end < datetime.now(UTC):
        first, last = utc(info.data_interval.start), utc(info.data_interval.end)
        yield Run(f"preview__{first:%Y-%m-%d}", first, last)
        info = timetable.next_dagrun_info_v2(last_dagrun_info=info, restriction=allowed)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m include.commands.backfill", description="Show what a backfill would touch.")
    parser.add_argument("--from-date", type=instant, required=True)
    parser.add_argument("--to-date", type=instant, required=True)
    given = parser.parse_args(arguments)
    if given.from_date > given.to_date:
        parser.error(f"--from-date {given.from_date:%Y-%m-%d %H:%M} is after --to-date {given.to_date:%Y-%m-%d %H:%M}")
    for chatty in ("great_expectations", "include"):
        # Before either is imported: Airflow's logging prints to the screen, where the table is.
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        return _show(list(runs_between(given.from_date, given.to_date)))
    except RestatementsError as error:
        print(error, file=sys.stderr)
        return 1


def _show(runs: list[Run]) -> int:
    from include.airflow.connections import settings_from_airflow
    from include.airflow.orders import orders_source
    from include.airflow.warehouse import warehouse_location
    from include.cj.client import CJClient
    from include.restatements.ledger.accounts import read_ledgers
    from include.restatements.preview import preview

    console = Console(width=110)
    if not runs:
        console.print("No run of cj_restatements lies between these dates. Note that --to-date means midnight.")
        return 0
    settings, location, orders = settings_from_airflow({}), warehouse_location(), orders_source()
    read_ledgers(settings, location)
    with CJClient(settings.accounts[0]) as client:
        client.ping()
        now = client.now()
    table, refused = _table(settings), []
    named = [(f"{run.interval_start:%Y-%m-%d %H:%M}", run) for run in runs]
    if len(runs) > 1:
        named.append((ALL, Run("preview__all", runs[0].interval_start, runs[-1].interval_end)))
    for name, run in named:
        if name == ALL:
            table.add_section()
        try:
            _row(table, name, next(preview([run], settings, location, now, orders)).planned)
        except QuarantineRatioExceeded as error:
            # A night that validation stops does not hide the others.
            table.add_row(name, "stopped")
            refused.append(f"{name}: {error}")
    console.print(table)
    for sentence in refused:
        console.print(sentence)
    console.print("Nothing was sent. Orders go in their newest state, so what the first run sends is unchanged for the others.")
    return 0


def _table(settings: Settings) -> Table:
    modes = ", ".join(f"{a.conn_id}: {settings.effective_mode(a).value}" for a in settings.accounts)
    table = Table(title=f"What a backfill would touch now ({modes})")
    table.add_column("interval from")
    for name in ("picked", "create", "restate", "cancel", "held back", "nothing to send"):
        table.add_column(name, justify="right")
    table.add_column(f"at stake, {'/'.join(dict.fromkeys(a.currency for a in settings.accounts))}", justify="right")
    return table


def _row(table: Table, name: str, planned: object) -> None:
    from include.restatements.plan.planner import Planned

    assert isinstance(planned, Planned)
    counts = [planned.operations.get(operation, 0) for operation in ("create", "restate", "cancel")]
    figures = [planned.picked, *counts, sum(planned.quarantined.values()), sum(planned.skipped.values())]
    table.add_row(name, *(f"{n:,}" for n in figures), f"{planned.at_stake:,.2f}{' + ?' if planned.unpriced else ''}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
