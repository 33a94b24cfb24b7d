"""Compares what was sent to CJ with what CJ holds, order by order, and says in money what did not arrive.

**When.** After every submission, once CJ's hour is over, and every hour. It works from what is open in the tables, so an event that got
lost delays a verdict by an hour and loses nothing. A run with nothing open is a success that says so.

**What runs.** One task, `reconcile`. Woken by a submission it waits, outside the worker, until CJ has had `processing_minutes`; started by the
clock it never waits. Then it reads CJ's new records, settles unknown outcomes, gives every open order its verdict in
`cj.reconciliation`, adds a row to `cj.reconciliation_runs`, writes the report and prints its summary to the log.

**Params.** One left as it is in a scheduled run is decided by the Variable of the same name with `cj_` before it.

| param | meaning |
|---|---|
| `processing_minutes` | CJ's hour: how long a submission is `awaiting` (default 60). A run started by hand with it waits for its end |
| `deadline_hours` | after this an order that never posted is `missing` (default 36) |

**What to do about breaks.** Only `mismatched` and `missing` are breaks; `reason` says why, and the report sorts them by the money at risk and the
days left until CJ locks the order. What did not arrive is planned again by the next `cj_restatements` run, up to three times, until the order locks. A report is about the
last thirty nights; what is still open from nights before them is one line, with its money, and its rows are in `cj.reconciliation`.

**What a failure leaves behind.** Verdicts of the last run that finished. The next hour tries again; nothing needs clearing.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable, Param

from include.airflow import tags
from include.airflow.defaults import FIRST_NIGHT, SUBMISSIONS, WAREHOUSE_POOL, default_args
from include.airflow.operators import ReconcileWhenDue

with DAG(
    dag_id="cj_reconciliation",
    description="What was sent against what CJ holds: a verdict, a reason and the money for every order",
    doc_md=__doc__,
    # Events that arrive while a run is active can be lost, so the clock comes by as well.
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("0 * * * *", timezone="UTC"), assets=[SUBMISSIONS]),
    start_date=FIRST_NIGHT,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=default_args(),
    tags=[tags.CJ, tags.READS_ONLY, tags.NEEDS_WAREHOUSE],
    params={
        "processing_minutes": Param(60, type="number", minimum=0, description="How long CJ takes to process a submission."),
        "deadline_hours": Param(36, type="number", minimum=0, description="After this, what never posted is missing."),
    },
):
    # Before the plans of a backfill, which share the pool.
    ReconcileWhenDue(task_id="reconcile", pool=WAREHOUSE_POOL, priority_weight=5)
