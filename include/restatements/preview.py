"""What a backfill would touch, before it is started: the plan of each interval, decided for real and then rolled back.

Nothing is sent, written to storage or kept in the tables. The plan is of this moment: what is submitted meanwhile changes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from include.restatements.changes.extraction import file_to_edit, order_changes_sql
from include.restatements.changes.orders import check_where_they_are
from include.restatements.journal.journal import journal_of
from include.restatements.plan.context import PlanContext, take_numbers
from include.restatements.plan.planner import Planned, plan
from include.restatements.scratch import scratch_folder
from include.restatements.settings import Run, Settings
from include.warehouse.base import WarehouseLocation, open_warehouse
from include.warehouse.orders import OrdersSource


@dataclass(frozen=True)
class Preview:
    """What one interval would come to now. `planned.at_stake` is in the advertiser's currency."""

    run: Run
    planned: Planned


class _NotKept(Exception):
    """Ends the transaction of a preview, so that nothing of it stays."""


def preview(
    runs: Sequence[Run], settings: Settings, location: WarehouseLocation, now: datetime, orders: OrdersSource | None = None
) -> Iterator[Preview]:
    """The plan of each run at `now` (CJ's time), as if each were the only one. An order touched in several intervals counts in each.

    Raises what `prepare` raises, QuarantineRatioExceeded included.
    """
    sql, journal = order_changes_sql(settings.order_changes_sql), journal_of(settings)
    with open_warehouse(location) as session:
        session.create_tables()
        check_where_they_are(session, sql, file_to_edit(settings.order_changes_sql), orders)
        for run in runs:
            with scratch_folder("cj-preview-") as scratch:
                planned: Planned | None = None
                with suppress(_NotKept), session.transaction():
                    session.serialize("cj.plan")
                    numbers = take_numbers(session, run.run_id)
                    planned = plan(PlanContext(session, journal, run, settings, sql, now, scratch, numbers, kept=False, orders=orders))
                    raise _NotKept
                assert planned is not None
                yield Preview(run, planned)
